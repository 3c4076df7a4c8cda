"""A payment plan that a service reports, or asks us to find in a tenant's words; checked and kept."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.utils import timezone

from approvals.account import Snapshot, snapshot_of
from approvals.models import PaymentPlan
from approvals.policy.plans import Extraction, Proposal, extract
from approvals.rulebook import current_rules
from approvals.sms_workflow.facts import Found, PlanOffer
from approvals.sms_workflow.recording import plan_columns
from approvals.sms_workflow.writing import checked
from conversations.models import Conversation
from integrations import clients
from integrations.errors import Refused, Unavailable


@dataclass(frozen=True, kw_only=True)
class ReportedPlan:
    """A plan in figures, as a service reports it; dollars a week."""

    weekly_amount: Decimal
    weeks: int | None = None
    start_date: date | None = None


def detect_plan(
    conversation: Conversation,
    *,
    tenant_id: str | None = None,
    message: str = "",
    ai_reply: str | None = None,
    reported: ReportedPlan | None = None,
) -> PaymentPlan | None:
    """Find the plan in the words (or take the reported one), check it against the rules and keep it; None: no plan."""
    rules = current_rules()
    extraction = (
        _as_extraction(reported)
        if reported
        else extract(
            message, ai_reply=ai_reply, today=timezone.now().astimezone(ZoneInfo(rules.contact_time_zone)).date()
        )
    )
    if extraction.plan is None and extraction.one_off is None:
        return None
    found = Found(snapshot=_account(conversation, tenant_id), at=None, fresh=False)
    check = checked(extraction.plan, found, rules) if extraction.plan else None
    return PaymentPlan.objects.create(
        conversation=conversation, **plan_columns(PlanOffer(extraction=extraction, check=check))
    )


def _as_extraction(reported: ReportedPlan) -> Extraction:
    plan = Proposal(
        weekly_amount=reported.weekly_amount, weeks=reported.weeks, start_date=reported.start_date, source="reported"
    )
    return Extraction(plan=plan, one_off=None)


def _account(conversation: Conversation, tenant_id: str | None) -> Snapshot:
    """The Monitor's facts, else our copy of them; the plan is then checked against what we know."""
    wanted = tenant_id or conversation.tenant_id
    if wanted:
        try:
            tenant = clients.monitor().tenant(wanted, request_id=str(conversation.pk))
        except (Refused, Unavailable):
            tenant = None
        if tenant is not None:
            return snapshot_of(tenant)
    snapshot: Snapshot = conversation.account
    return snapshot
