"""What the tenant's words alone decide, before any upstream is asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from approvals.policy import templates
from approvals.policy.escalation import Category, Trigger, find_triggers
from approvals.policy.holds import HoldReason, holds_asked_for
from approvals.policy.opt_out import Consent, read_consent
from approvals.policy.plans import extract
from approvals.policy.rules import Rules
from approvals.sms_workflow.facts import Outcome

# While one of these stands, no model is asked: a person answers, or nobody does.
AI_STOPS = frozenset(
    {
        HoldReason.OPT_OUT,
        HoldReason.ATTORNEY_REPRESENTED,
        HoldReason.BANKRUPTCY,
        HoldReason.CEASE_CONTACT,
        HoldReason.EMERGENCY,
    }
)
DECIDES_CONTACT = frozenset({Consent.OPT_OUT, Consent.OPT_IN})


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What the words say, over all texts that are answered together. `only_keywords`: STOP, START, HELP and no more."""

    consent: Consent
    only_keywords: bool
    triggers: tuple[Trigger, ...]
    holds: tuple[str, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        consent = () if self.consent is Consent.NONE else (str(self.consent),)
        return tuple(dict.fromkeys((*consent, *(str(trigger.category) for trigger in self.triggers), *self.holds)))


@dataclass(frozen=True, kw_only=True)
class Settled:
    """A verdict that needs no model; `fixed_text` names the template that is sent or queued with it."""

    outcome: Outcome
    reasons: tuple[str, ...]
    category: Category | None = None
    fixed_text: templates.Template | None = None


def read_texts(texts: Sequence[str], *, rules: Rules, today: date) -> Reading:
    """Every text is read by itself: a keyword counts only alone, and an emergency is not buried by what follows.

    Of STOP and START the later one holds; HELP takes neither back.
    """
    consent, triggers, holds = Consent.NONE, list[Trigger](), list[str]()
    consents = [read_consent(text) for text in texts]
    for text, said in zip(texts, consents, strict=True):
        found = find_triggers(text, plan=extract(text, today=today).plan, rules=rules)
        if said in DECIDES_CONTACT or consent is Consent.NONE:
            consent = said
        triggers.extend(found)
        if said is Consent.OPT_IN:
            # "STOP", and a moment later "START": the last word counts.
            holds = [reason for reason in holds if reason != HoldReason.OPT_OUT]
        holds.extend(str(reason) for reason in holds_asked_for(text, consent=said, triggers=found))
    return Reading(
        consent=consent,
        only_keywords=Consent.NONE not in consents,
        triggers=tuple(triggers),
        holds=tuple(dict.fromkeys(holds)),
    )


def settle(reading: Reading, *, holds: Sequence[str], rules: Rules) -> Settled | None:
    """The verdict where the words and the holds are enough for one; None when an answer must be drafted."""
    opted_out = HoldReason.OPT_OUT in holds
    # "Who is this? I owe you nothing": no dispute of a debt, if the debtor is somebody else.
    stranger = HoldReason.WRONG_NUMBER in reading.holds and {t.category for t in reading.triggers} <= {Category.DISPUTE}
    if reading.triggers and not stranger:
        return Settled(outcome=Outcome.ESCALATE, reasons=reading.codes, category=reading.triggers[0].category)
    if reading.consent is Consent.OPT_OUT:
        return Settled(outcome=Outcome.HELD, reasons=("opt_out",))
    if reading.consent is Consent.OPT_IN and reading.only_keywords:
        return Settled(outcome=Outcome.CLOSED, reasons=("opt_in",))
    if reading.consent is Consent.HELP and reading.only_keywords and not opted_out:
        outcome = Outcome.SEND if rules.auto_send_enabled else Outcome.QUEUE
        return Settled(outcome=outcome, reasons=("help",), fixed_text=templates.Template.HELP)
    if HoldReason.CEASE_CONTACT in reading.holds:
        return Settled(outcome=Outcome.ESCALATE, reasons=reading.codes, category=Category.MANUAL)
    stopping = tuple(f"hold_{reason}" for reason in holds if reason in AI_STOPS)
    if stopping:
        return Settled(outcome=Outcome.HELD, reasons=stopping)
    if HoldReason.WRONG_NUMBER in (*holds, *reading.holds):
        return Settled(
            outcome=Outcome.QUEUE, reasons=("hold_wrong_number",), fixed_text=templates.Template.WRONG_NUMBER
        )
    return None
