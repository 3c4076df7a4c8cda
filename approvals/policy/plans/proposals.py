"""What a tenant can propose, as values."""

import datetime
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
WEEKS_A_YEAR = Decimal(52)


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A repeated payment: dollars a week to the cent, how many weeks and from when where that was said.

    `source` is "structured" (the model's object), "control_line" (the model's PAYMENT_PLAN: line) or "message".
    """

    weekly_amount: Decimal
    weeks: int | None = None
    start_date: datetime.date | None = None
    source: str = "message"


@dataclass(frozen=True, kw_only=True)
class OneOff:
    """One single payment promised for the future; `date` is None when no calendar day was given."""

    amount: Decimal
    date: datetime.date | None = None


@dataclass(frozen=True, kw_only=True)
class Extraction:
    """What one message proposes; a down payment followed by a plan has both."""

    plan: Proposal | None = None
    one_off: OneOff | None = None


# Nobody offers so much, or for so long: a row of digits that means something else, or nothing. Dollars, weeks.
BEYOND_BELIEF = Decimal(10**9)
BEYOND_A_LIFETIME = 5_200


def to_cents(amount: Decimal) -> Decimal:
    """Rounded half up to cents; what is beyond belief is no more than that."""
    return min(amount, BEYOND_BELIEF).quantize(CENT, rounding=ROUND_HALF_UP)


def whole(number: Decimal) -> int:
    """Rounded half up to an integer; what is beyond belief is no more than that."""
    return int(min(number, BEYOND_BELIEF).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def believable(found: Extraction) -> Extraction:
    """Without a plan or a payment that nobody can mean."""
    plan, one_off = found.plan, found.one_off
    if plan and (plan.weekly_amount >= BEYOND_BELIEF or (plan.weeks or 0) >= BEYOND_A_LIFETIME):
        plan = None
    if one_off and one_off.amount >= BEYOND_BELIEF:
        one_off = None
    return Extraction(plan=plan, one_off=one_off)
