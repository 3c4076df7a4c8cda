"""Is a proposed plan within the rules, and which one would we suggest?"""

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from approvals.policy.rules import Rules

AUTO_APPROVABLE_WEEKS = 4
SHARE_TO_COVER = Decimal("0.9")


@dataclass(frozen=True, kw_only=True)
class Issue:
    """Why a plan is not valid: a code for the log, a sentence for the manager."""

    code: str
    message: str


@dataclass(frozen=True, kw_only=True)
class PlanCheck:
    """`total` is dollars over all weeks, `weeks_needed` how many weeks would cover the tenant's portion.

    A plan without weeks is not `complete`, and therefore never valid.
    """

    valid: bool
    auto_approvable: bool
    issues: tuple[Issue, ...]
    total: Decimal | None
    weeks_needed: int | None
    complete: bool


def check_plan(
    *, weekly_amount: Decimal, weeks: int | None, amount_owed: Decimal, tenant_portion: Decimal, rules: Rules
) -> PlanCheck:
    """Applies the limits literally, also to zero, negative and huge figures; nothing is rounded."""
    total = weekly_amount * weeks if weeks is not None else None
    issues = tuple(_issues(weekly_amount, weeks, total, amount_owed, rules))
    valid = weeks is not None and not issues
    return PlanCheck(
        valid=valid,
        auto_approvable=valid and weeks is not None and weeks <= AUTO_APPROVABLE_WEEKS,
        issues=issues,
        total=total,
        weeks_needed=_weeks_needed(tenant_portion, weekly_amount),
        complete=weeks is not None,
    )


def suggest_weekly(portion: Decimal, rules: Rules) -> Decimal:
    """The weekly payment that clears the portion in the longest plan allowed: whole dollars, at least the minimum."""
    return max(rules.min_weekly, (portion / rules.max_weeks).to_integral_value(rounding=ROUND_CEILING))


def _issues(weekly: Decimal, weeks: int | None, total: Decimal | None, owed: Decimal, rules: Rules) -> "list[Issue]":
    issues: list[Issue] = []
    if weeks is not None and weeks > rules.max_weeks:
        issues.append(Issue(code="duration_too_long", message=f"{weeks} weeks; at most {rules.max_weeks} are allowed."))
    if weekly < rules.min_weekly:
        issues.append(
            Issue(code="payment_too_low", message=f"${weekly} a week; at least ${rules.min_weekly} is asked.")
        )
    if total is not None and total < SHARE_TO_COVER * owed:
        issues.append(Issue(code="does_not_cover_debt", message=f"${total} in all does not cover 90% of ${owed}."))
    return issues


def _weeks_needed(portion: Decimal, weekly: Decimal) -> int | None:
    if weekly <= 0:
        return None
    return max(0, int((portion / weekly).to_integral_value(rounding=ROUND_CEILING)))
