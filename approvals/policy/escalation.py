"""When a person must take over: the triggers in the tenant's words, how bad they are, and by when someone must look.

The expressions stand in the language files: `[escalation.phrases]` by category, and `[escalation.innocent]` for the
same words in a harmless sense ("tennis court"), which are read first and taken out. What no expression foresees is
judged by its likeness to labelled messages, which may also take back what an expression has heard, but never a danger
to life.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from approvals.policy.likeness import likeness
from approvals.policy.plans import Proposal
from approvals.policy.rules import Rules
from approvals.policy.vocabulary import phrasebook
from approvals.policy.words import Words, read


class Category(StrEnum):
    """Why a conversation goes to a person; the first eight in their order of precedence."""

    SELF_HARM_OR_EMERGENCY = "self_harm_or_emergency"
    ATTORNEY_REPRESENTED = "attorney_represented"
    BANKRUPTCY = "bankruptcy"
    LEGAL = "legal"
    HOSTILE = "hostile"
    DISPUTE = "dispute"
    SUPERVISOR_REQUEST = "supervisor_request"
    UNREALISTIC_PROPOSAL = "unrealistic_proposal"
    LOW_CONFIDENCE = "low_confidence"
    UNKNOWN_TENANT = "unknown_tenant"
    NO_RESPONSE = "no_response"
    MANUAL = "manual"
    SEND_FAILED = "send_failed"
    AI_FAILED = "ai_failed"


class Severity(StrEnum):
    """How soon a person must look: critical at once, high and medium the same day, low on the next business day."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """One reason to escalate, and the words that gave it."""

    category: Category
    severity: Severity
    phrase: str


_SEVERITIES = {
    Category.SELF_HARM_OR_EMERGENCY: Severity.CRITICAL,
    Category.ATTORNEY_REPRESENTED: Severity.HIGH,
    Category.BANKRUPTCY: Severity.HIGH,
    Category.LEGAL: Severity.HIGH,
    Category.HOSTILE: Severity.HIGH,
    Category.DISPUTE: Severity.MEDIUM,
    Category.SUPERVISOR_REQUEST: Severity.MEDIUM,
    Category.SEND_FAILED: Severity.MEDIUM,
    Category.AI_FAILED: Severity.MEDIUM,
}
_PRECEDENCE = {category: place for place, category in enumerate(Category)}
# Above this share a message without any expression of ours escalates; below the other one an expression is taken back.
SURE_WITHOUT_WORDS = 0.85
SURELY_NOT_MEANT = 0.10
_NEVER_TAKEN_BACK = {Category.SELF_HARM_OR_EMERGENCY, Category.UNREALISTIC_PROPOSAL}
CLOSE_OF_BUSINESS = time(17)
SATURDAY = 5


def find_triggers(message: str, *, plan: Proposal | None, rules: Rules) -> tuple[Trigger, ...]:
    """One trigger for each category that the message gives cause for, the gravest first.

    `plan` is what the message was found to propose.
    """
    found = dict(_meant(message))
    if Category.UNREALISTIC_PROPOSAL not in found and (proposal := _unrealistic(plan, rules)):
        found[Category.UNREALISTIC_PROPOSAL] = proposal
    return tuple(
        Trigger(category=category, severity=severity_of(category), phrase=found[category])
        for category in sorted(found, key=lambda category: _PRECEDENCE[category])
    )


def severity_of(category: Category) -> Severity:
    """How soon a person must look at such a case."""
    return _SEVERITIES.get(category, Severity.LOW)


def due_at(severity: Severity, *, now: datetime, time_zone: str) -> datetime:
    """By when a person must have looked: at once, by the close of this day, or by that of the next business day.

    `now` is aware; days and the close (17:00) are those of the IANA `time_zone`. After the close and at a
    weekend, "the same day" is the next business day. Public holidays are not known here.
    """
    if severity == Severity.CRITICAL:
        return now
    local = now.astimezone(ZoneInfo(time_zone))
    close = datetime.combine(local.date(), CLOSE_OF_BUSINESS, tzinfo=local.tzinfo)
    if severity != Severity.LOW and local < close and local.weekday() < SATURDAY:
        return close
    return datetime.combine(_next_business_day(local.date()), CLOSE_OF_BUSINESS, tzinfo=local.tzinfo)


def spoken(words: Words) -> dict[Category, str]:
    """For each category that an expression stands for the longest one, which tells a manager the most."""
    open_words = words.without((match.start, match.end) for match in phrasebook("escalation", "innocent").find(words))
    matches = sorted(phrasebook("escalation", "phrases").find(open_words), key=lambda match: len(match.phrase))
    return {Category(match.label): match.phrase for match in matches}


@lru_cache(maxsize=256)
def _meant(message: str) -> Mapping[Category, str]:
    """What the expressions say, weighed against the likeness of the whole message; the words that gave it.

    Asked before the model is, and again with the plan that the model has understood.
    """
    words, learned = read(message), likeness("escalation")
    shares = learned.shares(words)
    grave = 1 - shares.pop("none")
    found = spoken(words)
    if grave < SURELY_NOT_MEANT:
        return {category: phrase for category, phrase in found.items() if category in _NEVER_TAKEN_BACK}
    if not found and grave > SURE_WITHOUT_WORDS:
        likest = max(shares, key=lambda label: shares[label])
        return {Category(likest): learned.telling(words, likest)}
    return found


def _unrealistic(plan: Proposal | None, rules: Rules) -> str | None:
    """A plan under the minimum or over the longest that anyone would look at."""
    if plan is not None and plan.weekly_amount < rules.min_weekly:
        return f"${plan.weekly_amount} a week"
    if plan is not None and plan.weeks is not None and plan.weeks > rules.unrealistic_weeks:
        return f"{plan.weeks} weeks"
    return None


def _next_business_day(day: date) -> date:
    day += timedelta(days=1)
    while day.weekday() >= SATURDAY:
        day += timedelta(days=1)
    return day
