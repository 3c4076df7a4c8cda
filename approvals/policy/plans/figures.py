"""The parts of a proposal as they stand in the text: amounts, rhythms ("a week"), lengths ("for 8 weeks")."""

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from approvals.policy.calendar import Day
from approvals.policy.phrasebook import Match
from approvals.policy.plans.proposals import WEEKS_A_YEAR
from approvals.policy.vocabulary import phrasebook
from approvals.policy.words import Words

WEEKS_A_MONTH = Fraction(52, 12)
MOST_FIGURES = 30  # nobody proposes more in one text, and a text of nothing but numbers must not keep us busy


@dataclass(frozen=True, kw_only=True)
class Amount:
    """A figure that can be money: of a range the lower one."""

    start: int
    end: int
    value: Decimal
    is_money: bool


@dataclass(frozen=True, kw_only=True)
class Rhythm:
    """How often; `per_week` is payments a week, None for pay days whose rhythm nobody told us."""

    start: int
    end: int
    per_week: Fraction | None


@dataclass(frozen=True, kw_only=True)
class Length:
    """How long: in weeks, or a count of payments; `spreads` when an amount is divided over it ("over 6 weeks")."""

    start: int
    end: int
    weeks: Fraction | None
    payments: int | None
    spreads: bool
    may_be_date: bool


def rhythms(words: Words) -> list[Rhythm]:
    """Every "a week", "twice a month", "cada viernes" in the text."""
    return [
        Rhythm(start=match.start, end=match.end, per_week=_per_week(match))
        for match in phrasebook("plans", "rhythms").longest(words)
        if match.label != "none"
    ]


def lengths(words: Words) -> list[Length]:
    """Every "for 8 weeks", "6 pagos", "sou 3 mwa" in the text; "3 weeks behind" is none."""
    matches = phrasebook("plans", "lengths").longest(words)
    counted = [match for match in matches if not _names_money(match, words)]
    return [length for match in counted if (length := _length(match)) is not None]


def amounts(words: Words, taken: list[tuple[int, int]]) -> list[Amount]:
    """Every figure that may be money: not counts, dates, flats, hours, nor what rhythms and lengths have taken."""
    other = {place for match in phrasebook("plans", "not_money").find(words) for place in range(match.start, match.end)}
    blocked = other | {place for start, end in taken for place in range(start, end)}
    singles = [
        Amount(start=place, end=place + 1, value=token.figure.value, is_money=token.figure.is_money)
        for place, token in enumerate(words.tokens)
        if token.figure is not None and token.figure.value > 0 and (token.figure.is_money or place not in blocked)
    ]
    return _without_ranges(singles[:MOST_FIGURES], words)


def in_span(place: Amount | Rhythm | Length | Day, start: int, end: int) -> bool:
    return start <= place.start and place.end <= end


def _without_ranges(singles: list[Amount], words: Words) -> list[Amount]:
    """ "80-100", "80 to 100", "entre 80 y 100" are one figure, the lower."""
    ranges = {match.start: match.end for match in phrasebook("plans", "ranges").longest(words)}
    merged: list[Amount] = []
    for amount in singles:
        last = merged[-1] if merged else None
        if last is not None and any(start <= last.start and amount.end <= end for start, end in ranges.items()):
            merged[-1] = Amount(
                start=last.start,
                end=amount.end,
                value=min(last.value, amount.value),
                is_money=last.is_money or amount.is_money,
            )
        else:
            merged.append(amount)
    return merged


_PER_WEEK = {
    "weekly": Fraction(1),
    "biweekly": Fraction(1, 2),
    "semimonthly": 2 / WEEKS_A_MONTH,
    "monthly": 1 / WEEKS_A_MONTH,
    "daily": Fraction(7),
    "twice_a_week": Fraction(2),
    "yearly": 1 / Fraction(WEEKS_A_YEAR),
}


def _per_week(match: Match) -> Fraction | None:
    count = Fraction(_number_in(match.phrase) or 1)
    match match.label:
        case "times_a_week":
            return count
        case "times_a_month":
            return count / WEEKS_A_MONTH
        case "every_weeks":
            return 1 / count
        case "every_days":
            return 7 / count
        case "every_months":
            return 1 / (count * WEEKS_A_MONTH)
        case label:
            return _PER_WEEK.get(label)


def _length(match: Match) -> Length | None:
    spread, _, unit = match.label.rpartition("_")
    count = Fraction(_number_in(match.phrase) or 1)
    weeks = {"weeks": count, "months": count * WEEKS_A_MONTH, "years": count * 52}.get(unit)
    if (weeks is None and unit != "payments") or count <= 0:
        return None
    return Length(
        start=match.start,
        end=match.end,
        weeks=weeks,
        payments=int(count) if unit == "payments" else None,
        spreads=spread in {"over", "in"},
        may_be_date=spread == "in" and unit != "payments",
    )


def _names_money(match: Match, words: Words) -> bool:
    """ "80 dollar payments" are not eighty payments."""
    return any(token.figure and token.figure.is_money for token in words.tokens[match.start : match.end])


def _number_in(phrase: str) -> Decimal | None:
    found = re.search(r"\d+(?:\.\d+)?", phrase)
    return Decimal(found.group()) if found else None
