"""Thirteen checks on the exact text that is about to be sent: green, amber or red, each with a sentence.

They run on the model's draft, on a manager's edit as it is typed, and again at the moment of sending. A red gate stops
automatic sending; a manager may override it with a reason, except the `hard` ones, which nobody can.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

from phonenumbers import Leniency, PhoneNumberMatch, PhoneNumberMatcher

from approvals.policy import claims
from approvals.policy.figures import Figure, known_values, money_figures
from approvals.policy.language import Detected, detect, language_name
from approvals.policy.languages import languages
from approvals.policy.rules import Rules
from approvals.policy.segments import measure
from approvals.policy.terms import terms
from approvals.policy.text import strip_control_lines, strip_invisible
from approvals.policy.words import read

# Below this certainty the language of a draft is not held against it; the tenant's own has the benefit of the doubt.
SURE_OF_LANGUAGE = Decimal("0.55")
QUITE_SURE_OF_LANGUAGE = Decimal("0.90")
# What a manager may spend on one reply of their own.
MANAGER_SEGMENTS = 3
SHORTEST_NUMBER = 7
_ADDRESS = re.compile(
    r"(?:https?://|www\.)\S+|\S+@\S+\.\w+|\b[\w-]+\.(?:com|net|org|io|us|info|biz|link|ly|app)\b\S*", re.I
)
# As chat templates and prompts mark who speaks.
_FORGED_SPEAKER = re.compile(
    r"<\|\w+\|>|^\W*(?:system|assistant|developer|sistema|sist[eè]m)\b\W{0,2}[:\]]", re.I | re.M
)


class Level(StrEnum):
    GREEN = "green"
    AMBER = "amber"
    RED = "red"


@dataclass(frozen=True, kw_only=True)
class Gate:
    """One check. `message` tells a person what is wrong and the model what to mend; it is empty when green."""

    code: str
    level: Level
    message: str = ""
    hard: bool = False


@dataclass(frozen=True, kw_only=True)
class DraftFacts:
    """What a draft is checked against. `language` is the tenant's (None: not known), `thread_language` the thread's;
    amounts in dollars; `other_names` are people of other accounts whom nobody may name."""

    tenant_message: str
    language: str | None
    tenant_name: str | None
    amount_owed: Decimal | None
    tenant_portion: Decimal | None
    days_late: int | None
    opted_out: bool = False
    newer_message_waiting: bool = False
    tenant_known: bool = True
    by_manager: bool = False
    other_names: tuple[str, ...] = ()
    thread_language: str | None = None


Finding = tuple[Level, str] | None
Check = Callable[[str, DraftFacts, Rules], Finding]


@lru_cache(maxsize=1024)
def check_gates(text: str, facts: DraftFacts, rules: Rules) -> tuple[Gate, ...]:
    """Every gate in the order of the written rules, whatever it finds; what cannot be seen is not judged."""
    text = strip_invisible(text)
    said = _CONTROL_REMARK.sub("", text)
    return tuple(
        _gate(code, check(text if code in _ABOUT_THE_BYTES else said, facts, rules)) for code, check in _CHECKS.items()
    )


def figures(text: str, facts: DraftFacts, rules: Rules) -> tuple[Figure, ...]:
    """Every money figure of the text with where it comes from. For an unknown tenant none has a source."""
    if not facts.tenant_known:
        return money_figures(text, {})
    named = terms(read(text)).durations + terms(read(facts.tenant_message)).durations
    known = known_values(
        amount_owed=facts.amount_owed,
        tenant_portion=facts.tenant_portion,
        tenant_message=facts.tenant_message,
        weeks=[count for duration in named for count in (duration.count, duration.weeks)],
        rules=rules,
    )
    return money_figures(text, known)


def injection_note(tenant_message: str) -> str | None:
    """The words with which a tenant gives orders to the model. A note for the manager; it changes no decision."""
    if strip_control_lines(tenant_message) != tenant_message:
        return "control line"
    if forged := _FORGED_SPEAKER.search(tenant_message):
        return forged.group().strip()
    return claims.found("prompt_injection", tenant_message, languages())


def red(gates: Iterable[Gate]) -> tuple[Gate, ...]:
    """The gates that stop automatic sending."""
    return tuple(gate for gate in gates if gate.level is Level.RED)


def worst(gates: Iterable[Gate]) -> Level:
    """The level of the whole: red before amber before green."""
    levels = {gate.level for gate in gates}
    return next((level for level in (Level.RED, Level.AMBER) if level in levels), Level.GREEN)


def _gate(code: str, finding: Finding) -> Gate:
    level, message = finding or (Level.GREEN, "")
    return Gate(code=code, level=level, message=message, hard=code in _HARD)


# --- the checks, in the order of the written rules


def _empty(text: str, facts: DraftFacts, rules: Rules) -> Finding:
    return None if text.strip() else (Level.RED, "There is nothing to send. Write a reply.")


_CONTROL_TEXT = re.compile(
    r"""ESCALATE\W{0,3}:            # the control lines of the specification, in any dress
    |   PAYMENT[_\\]+PLAN
    |   \{\s*"                      # JSON
    |   "\w+"\s*:\s*(?:["{\[\d]|true|false|null)
    |   ```
    |   \{\{?\s*(?-i:[a-z_]+)\s*\}  # a place holder that nobody filled in
    |   \[\s*(?:your|tenant|insert|nombre|nome|non)?'?s?\s*(?:name|amount|date|link|phone|number|manager)\s*\]
    """,
    re.IGNORECASE | re.VERBOSE,
)


def _control_text_leak(text: str, facts: DraftFacts, rules: Rules) -> Finding:
    found = _CONTROL_TEXT.search(text)
    return (
        (Level.RED, f'Take out "{found.group()}": it is meant for our system, not for the tenant.') if found else None
    )


def _opted_out(text: str, facts: DraftFacts, rules: Rules) -> Finding:
    return (Level.RED, "This number has opted out of texts; nothing may be sent to it.") if facts.opted_out else None


def _wrong_amount(text: str, facts: DraftFacts, rules: Rules) -> Finding:
    unknown = [figure.text for figure in figures(text, facts, rules) if figure.source is None]
    if not unknown:
        return None
    return Level.RED, (
        f"{', '.join(unknown)} is neither the balance, the tenant's portion, the minimum, nor in the tenant's words. "
        "Use only these, or leave the figure out."
    )


def _too_long(text: str, facts: DraftFacts, rules: Rules) -> Finding:
    size = measure(strip_control_lines(text))
    if size.parts <= 1:
        return None
    level = Level.AMBER if facts.by_manager and size.parts <= MANAGER_SEGMENTS else Level.RED
    limit = "160 characters" if size.encoding == "GSM-7" else "70 characters, because one is outside the SMS alphabet"
    return level, f"This takes {size.parts} text messages ({size.units} characters). One holds {limit}: shorten it."


def _wrong_language(text: str, facts: DraftFacts, rules: Rules) -> Finding:
    wanted = facts.language or facts.thread_language
    if wanted is None:
        return None
    found = _detected(text, facts, rules)
    if found.code in (None, wanted) or found.certainty < SURE_OF_LANGUAGE:
        return None
    written, wished = language_name(found.code or ""), language_name(wanted)
    return Level.RED, f"This is written in {written}; the tenant's language is {wished}. Write it in {wished}."


def _stale(text: str, facts: DraftFacts, rules: Rules) -> Finding:
    if not facts.newer_message_waiting:
        return None
    return Level.RED, "The tenant has written again since this was drafted. Answer the newer message."


def _legal_threat(text: str, facts: DraftFacts, rules: Rules) -> Finding:
    said = claims.found("legal_threat", text, _spoken(text, facts, rules))
    return (
        (Level.RED, f'"{said}" sounds like a legal threat or legal advice. Say nothing about the law.')
        if said
        else None
    )


def _promise_outside_rules(text: str, facts: DraftFacts, rules: Rules) -> Finding:
    said = claims.promise_outside_rules(text, _spoken(text, facts, rules), facts.tenant_message, rules)
    if not said:
        return None
    limits = f"at most {rules.max_weeks} weeks and at least ${rules.min_weekly:f} a week"
    return Level.RED, f'"{said}" agrees to more than the rules allow: {limits}. Say the limit instead.'


def _debt_forgiveness(text: str, facts: DraftFacts, rules: Rules) -> Finding:
    said = claims.found("debt_forgiveness", text, _spoken(text, facts, rules))
    return (Level.RED, f'"{said}" says that money is no longer owed. Only a manager can decide that.') if said else None


def _third_party_disclosure(text: str, facts: DraftFacts, rules: Rules) -> Finding:
    said = claims.third_party(
        text, _spoken(text, facts, rules), own_names=_own_names(facts, rules), other_names=facts.other_names
    )
    if said:
        return Level.RED, f'"{said}" tells of another person. Speak only of this tenant\'s own account.'
    if not facts.tenant_known and (said := claims.found("account_fact", text, _spoken(text, facts, rules))):
        return Level.RED, f'"{said}" is an account fact, and we do not know who this is. Leave it out.'
    return None


def _system_prompt_leak(text: str, facts: DraftFacts, rules: Rules) -> Finding:
    said = claims.found("system_prompt_leak", text, _spoken(text, facts, rules))
    return (Level.RED, f'"{said}" shows our inner workings. Answer without them.') if said else None


def _unknown_address(text: str, facts: DraftFacts, rules: Rules) -> Finding:
    """We hand out no links and no numbers: whatever the model names it has made up, or a stranger has asked for it."""
    for ours in filter(None, (rules.opt_out_footer, rules.ai_disclosure)):
        text = text.replace(ours, "")
    found = _ADDRESS.search(text)
    said = found.group() if found else _telephone(text)
    if not said:
        return None
    level = Level.AMBER if facts.by_manager else Level.RED
    return level, f'"{said}" is a link, an address or a number that nobody has checked. Leave it out.'


def _telephone(text: str) -> str:
    if sum(character.isdigit() for character in text) < SHORTEST_NUMBER:
        return ""
    matches: Iterable[PhoneNumberMatch] = PhoneNumberMatcher(text, "US", Leniency.VALID)
    return next((match.raw_string for match in matches), "")


# --- what several checks need


def _spoken(text: str, facts: DraftFacts, rules: Rules) -> tuple[str, ...]:
    """The languages whose phrases count: the draft's, in doubt the tenant's as well, and the English that slips in."""
    found, wanted = _detected(text, facts, rules), facts.language or facts.thread_language
    codes = (found.code, "en") if found.certainty >= QUITE_SURE_OF_LANGUAGE else (found.code, wanted, "en")
    known = tuple(code for code in dict.fromkeys(codes) if code in languages())
    return known if found.code or wanted else languages()


# Five checks ask the same of one text, and it is the dearest question.
@lru_cache(maxsize=256)
def _detected(text: str, facts: DraftFacts, rules: Rules) -> Detected:
    return detect(claims.without_names(text, _own_names(facts, rules)), prior=facts.language or facts.thread_language)


def _own_names(facts: DraftFacts, rules: Rules) -> tuple[str, ...]:
    return (facts.tenant_name or "", rules.company_name)


# What stands behind a control mark is a remark to us: one gate finds it, the others need not judge it as well.
_CONTROL_REMARK = re.compile(r"\b(?:ESCALATE|PAYMENT\\?_PLAN)\W{0,3}:.*", re.IGNORECASE)
_ABOUT_THE_BYTES = frozenset({"empty", "control_text_leak", "too_long"})
_HARD = frozenset({"empty", "control_text_leak", "opted_out"})
_CHECKS: dict[str, Check] = {
    "empty": _empty,
    "control_text_leak": _control_text_leak,
    "opted_out": _opted_out,
    "wrong_amount": _wrong_amount,
    "too_long": _too_long,
    "legal_threat": _legal_threat,
    "promise_outside_rules": _promise_outside_rules,
    "debt_forgiveness": _debt_forgiveness,
    "third_party_disclosure": _third_party_disclosure,
    "wrong_language": _wrong_language,
    "system_prompt_leak": _system_prompt_leak,
    "unknown_address": _unknown_address,
    "stale": _stale,
}
