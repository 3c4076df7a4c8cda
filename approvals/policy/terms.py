"""The terms of payment that a text names: how long ("12 weeks", "3 months"), and how much a week ("$100 biweekly").

Unlike the plans engine, which asks what a tenant proposes, this takes every term at its word, whoever said it and why.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from approvals.policy.phrasebook import Match
from approvals.policy.vocabulary import phrasebook
from approvals.policy.words import Words

# The labels of `[gates.terms]`: weeks in one unit, and weeks between two payments.
_UNITS = {"weeks": Decimal(1), "months": Decimal(52) / 12, "years": Decimal(52)}
_RHYTHMS = {
    "per_week": Decimal(1),
    "per_two_weeks": Decimal(2),
    "twice_a_month": Decimal(52) / 24,
    "per_month": Decimal(52) / 12,
}


@dataclass(frozen=True, kw_only=True)
class Duration:
    """`count` is the number as written, `weeks` what it comes to (3 months = 13, halves up), `start` its token."""

    count: int
    weeks: int
    start: int


@dataclass(frozen=True, kw_only=True)
class Rate:
    """An amount again and again, in dollars a week (exact); `start` is its first token."""

    weekly: Decimal
    start: int


@dataclass(frozen=True, kw_only=True)
class Terms:
    """All the terms of a text, in order."""

    durations: tuple[Duration, ...]
    rates: tuple[Rate, ...]


def terms(words: Words) -> Terms:
    """Every length of time in weeks, months or years, and every repeated amount."""
    durations: list[Duration] = []
    rates: list[Rate] = []
    for match in phrasebook("gates", "terms").longest(words):
        numbers = _numbers(words, match)
        if match.label in _RHYTHMS:
            rates.append(Rate(weekly=numbers[0] / _RHYTHMS[match.label], start=match.start))
        elif match.label == "total":
            rates.append(Rate(weekly=numbers[0] / max(numbers[-1], Decimal(1)), start=match.start))
            durations.extend(_duration(numbers[-1], Decimal(1), match.start))
        elif match.label in _UNITS:
            durations.extend(_duration(numbers[0] if numbers else Decimal(1), _UNITS[match.label], match.start))
        if match.label == "per_two_weeks":
            durations.append(Duration(count=2, weeks=2, start=match.start))
    return Terms(durations=tuple(durations), rates=tuple(rates))


def _duration(count: Decimal, unit: Decimal, start: int) -> list[Duration]:
    if count != count.to_integral_value() or not 0 < count < 1000:
        return []
    weeks = (count * unit).to_integral_value(rounding=ROUND_HALF_UP)
    return [Duration(count=int(count), weeks=int(weeks), start=start)]


def _numbers(words: Words, match: Match) -> list[Decimal]:
    return [token.figure.value for token in words.tokens[match.start : match.end] if token.figure]
