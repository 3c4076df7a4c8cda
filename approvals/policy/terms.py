"""The terms of payment that a text names: how long ("12 weeks", "3 months"), and how much a week ("$100 biweekly").

Unlike the plans engine, which asks what a tenant proposes, this takes every term at its word, whoever said it and why.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from approvals.policy.numbers import Figure
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
        figures = _figures(words, match)
        if match.label in _RHYTHMS:
            rates.append(Rate(weekly=figures[0].value / _RHYTHMS[match.label], start=match.start))
        elif match.label == "total":
            rates.append(Rate(weekly=figures[0].value / max(figures[-1].value, Decimal(1)), start=match.start))
            durations.extend(_duration(figures[-1], Decimal(1), match.start))
        elif match.label in _UNITS:
            durations.extend(_duration(figures[0] if figures else _ONE, _UNITS[match.label], match.start))
        if match.label == "per_two_weeks":
            durations.append(Duration(count=2, weeks=2, start=match.start))
    return Terms(durations=tuple(durations), rates=tuple(rates))


_ONE = Figure(value=Decimal(1))  # "a year"


def _duration(count: Figure, unit: Decimal, start: int) -> list[Duration]:
    # "$280 semèn sa a" is money this week, not 280 weeks.
    if count.is_money or count.value != count.value.to_integral_value() or not 0 < count.value < 1000:
        return []
    weeks = (count.value * unit).to_integral_value(rounding=ROUND_HALF_UP)
    return [Duration(count=int(count.value), weeks=int(weeks), start=start)]


def _figures(words: Words, match: Match) -> list[Figure]:
    return [token.figure for token in words.tokens[match.start : match.end] if token.figure]
