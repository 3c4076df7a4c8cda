"""Load what the rules need, once, before a process forks or starts its threads.

The vocabularies of all languages take a second to read; a hundred threads that do it at the same moment take a minute.
"""

import gc
from datetime import date
from decimal import Decimal

from approvals.policy.gates import DraftFacts, check_gates
from approvals.policy.language import detect
from approvals.policy.languages import languages
from approvals.policy.rules import Rules
from approvals.sms_workflow.reading import read_texts


def warm_up() -> None:
    """Run every rule once, in every language, and keep what was read for the life of the process."""
    words, rules = "I can pay $50 a week from friday", Rules()
    read_texts([words], rules=rules, today=date(2026, 1, 1))
    detect(words)
    for language in languages():
        facts = DraftFacts(
            tenant_message=words,
            language=language,
            tenant_name="Maria Lopez",
            amount_owed=Decimal(600),
            tenant_portion=Decimal(600),
            days_late=3,
        )
        check_gates(words, facts, rules)
    # Nothing of this is ever garbage: the collector need not walk through it again, and forks share its pages.
    gc.collect()
    gc.freeze()
