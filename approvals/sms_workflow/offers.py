"""A payment plan that a service reports, or asks us to find in a tenant's words; checked and kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from approvals.account import Snapshot, snapshot_of
from approvals.models import PaymentPlan
from approvals.policy.plans import Extraction, Proposal, extract
from approvals.rulebook import current_rules
from approvals.sms_workflow.facts import Found, PlanOffer
from approvals.sms_workflow.plans import keep_plans
from approvals.sms_workflow.recording import plan_columns
from approvals.sms_workflow.writing import checked
from conversations.models import Conversation
from integrations import clients
from integrations.base import no_try_after
from integrations.errors import Refused, Unavailable

WHAT_IS_OFFERED = ("weekly_amount", "weeks", "start_date", "one_off_amount", "one_off_date")
# A caller waits, and a web thread with it: the Monitor is not tried again after so long (seconds).
PATIENCE_SECONDS = 1.0


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
    """Find the plan in the words (or take the reported one), check it against the rules and keep it; None: no plan.

    The same plan once more is the one that is known.
    """
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
    return _kept(conversation, plan_columns(PlanOffer(extraction=extraction, check=check)))


def _kept(conversation: Conversation, columns: Mapping[str, object]) -> PaymentPlan:
    with transaction.atomic():
        Conversation.objects.locked().get(pk=conversation.pk)
        latest = conversation.payment_plans.order_by("-created_at").first()
        if latest and latest.status == PaymentPlan.Status.PROPOSED and _same(latest, columns):
            return latest
        plan = PaymentPlan(conversation=conversation, **columns)
        keep_plans([plan])
        return plan


def _same(plan: PaymentPlan, columns: Mapping[str, object]) -> bool:
    return all(getattr(plan, name) == columns[name] for name in WHAT_IS_OFFERED)


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
            with no_try_after(PATIENCE_SECONDS):
                tenant = clients.monitor().tenant(wanted, request_id=str(conversation.pk))
        except (Refused, Unavailable):
            tenant = None
        if tenant is not None:
            return snapshot_of(tenant)
    snapshot: Snapshot = conversation.account
    return snapshot
