"""Payment plans: what a tenant proposes, and whether the rules allow it.

extract         what a message proposes: the model's structured plan, its control line, or the tenant's own words
check_plan      the limits: longest, lowest, and whether the debt is covered
suggest_weekly  what we would propose ourselves
"""

from datetime import date

from approvals.policy.plans.control_line import plan_in_reply, without_control_text
from approvals.policy.plans.limits import Issue, PlanCheck, check_plan, suggest_weekly
from approvals.policy.plans.offers import offered
from approvals.policy.plans.proposals import Extraction, OneOff, Proposal, believable

__all__ = ["Extraction", "Issue", "OneOff", "PlanCheck", "Proposal", "check_plan", "extract", "suggest_weekly"]


def extract(
    message: str, *, ai_reply: str | None = None, structured: Proposal | None = None, today: date
) -> Extraction:
    """What the tenant proposes in this message; offers in the rest of the model's reply are ours, not the tenant's."""
    said = offered(without_control_text(message), today)
    if structured is not None and structured.weekly_amount > 0:
        return believable(Extraction(plan=structured, one_off=said.one_off))
    line = plan_in_reply(ai_reply, today) if ai_reply else None
    return believable(Extraction(plan=line, one_off=said.one_off) if line else said)
