"""Payment plans: kept when they are found, replaced by the next one, accepted or declined by a person."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from approvals.models import ApprovalAuditEntry, PaymentPlan, QueuedResponse
from conversations.refusals import Conflict, NotFound

Status = PaymentPlan.Status
Action = QueuedResponse.Action


@transaction.atomic
def keep_plans(plans: Sequence[PaymentPlan]) -> None:
    """Write new plans. One that was proposed before in the same conversation is replaced by them."""
    if not plans:
        return
    proposed = PaymentPlan.objects.filter(
        conversation__in=[plan.conversation_id for plan in plans], status=Status.PROPOSED
    )
    proposed.update(status=Status.REPLACED)
    PaymentPlan.objects.bulk_create(plans)


def accept_plan(plan_id: UUID, *, by: str, note: str = "") -> PaymentPlan:
    """A person agrees to a proposed plan. Sends nothing. Raises NotFound, Conflict (already_decided)."""
    return _settle(plan_id, Status.ACCEPTED, Action.ACCEPT_PLAN, by=by, note=note)


def decline_plan(plan_id: UUID, *, by: str, note: str) -> PaymentPlan:
    """A person does not agree to a proposed plan. Sends nothing. Raises NotFound, Conflict (already_decided)."""
    return _settle(plan_id, Status.DECLINED, Action.DECLINE_PLAN, by=by, note=note)


@transaction.atomic
def _settle(plan_id: UUID, to: Status, action: Action, *, by: str, note: str) -> PaymentPlan:
    plan = PaymentPlan.objects.select_for_update().filter(pk=plan_id).first()
    if plan is None:
        raise NotFound("not_found", "There is no such plan.")
    if plan.status != Status.PROPOSED:
        raise Conflict("already_decided", f"This plan is already {plan.status}.")
    plan.status = to
    plan.save(update_fields=["status"])
    ApprovalAuditEntry(
        conversation_id=plan.conversation_id,
        response_id=plan.response_id,
        action=action,
        reason=": ".join(filter(None, [str(plan), note])),
        approved_by=by,
    ).save(force_insert=True)
    return plan
