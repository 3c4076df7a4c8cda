"""Write down what the threads found: draft, plan, verdict, audit entry and whom to tell, in one transaction."""

import logging
from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, transaction
from django.utils import timezone

from approvals.models import ApprovalAuditEntry, PaymentPlan, QueuedResponse, Workflow, WorkflowStep
from approvals.policy.escalation import Category
from approvals.policy.gates import Gate
from approvals.policy.opt_out import Consent
from approvals.sms_workflow.escalations import open_escalation
from approvals.sms_workflow.facts import Draft, Drafted, Outcome, PlanOffer, Postponed, TextToAnswer
from approvals.sms_workflow.holds import lift_opt_out, place_hold
from approvals.sms_workflow.notices import tell_managers
from approvals.sms_workflow.story import rows
from conversations.models import Conversation
from conversations.wakeups import wake_at

log = logging.getLogger(__name__)

Status = Workflow.Status
Action = QueuedResponse.Action
POLICY = "policy"

STATUS_OF = {
    Outcome.SEND: QueuedResponse.Status.APPROVED,
    Outcome.QUEUE: QueuedResponse.Status.PENDING,
    Outcome.ESCALATE: QueuedResponse.Status.ESCALATED,
    Outcome.HELD: QueuedResponse.Status.CLOSED,
    Outcome.CLOSED: QueuedResponse.Status.CLOSED,
}
SOURCE_OF = {
    "message": PaymentPlan.Source.TENANT,
    "structured": PaymentPlan.Source.MODEL,
    "control_line": PaymentPlan.Source.MODEL,
    "reported": PaymentPlan.Source.TENANT,
}
ACTION_OF = {
    Outcome.SEND: Action.AUTO_APPROVE,
    Outcome.QUEUE: Action.QUEUE,
    Outcome.ESCALATE: Action.ESCALATE,
    Outcome.HELD: Action.HOLD,
    Outcome.CLOSED: Action.CLOSE,
}


def record_drafts(finished: Sequence[tuple[TextToAnswer, Drafted | Postponed | Exception]]) -> None:
    """Each result in a short transaction of its own; one that cannot be written does not take the others with it."""
    for job, result in finished:
        try:
            with transaction.atomic():
                record_draft(job, result)
        except DatabaseError:
            # Its lease runs out and the sweep gives the text to another attempt.
            log.exception("workflow %s: its draft could not be recorded", job.workflow_id)


def record_draft(job: TextToAnswer, result: Drafted | Postponed | Exception) -> None:
    """Nothing is written when the claim was lost, and no verdict when the tenant has written again meanwhile."""
    conversation = Conversation.objects.select_for_update().get(pk=job.conversation_id)
    workflow = _still_ours(job)
    if workflow is None:
        log.info("workflow %s: another worker has it now, this draft is dropped", job.workflow_id)
    elif isinstance(result, Drafted):
        newer = _newer_text(workflow)
        if newer:
            _answer_with(newer, workflow, result)
        else:
            decide(conversation, workflow, job, result)
    else:
        _try_later(conversation, workflow, result)


def _still_ours(job: TextToAnswer) -> Workflow | None:
    ours = Workflow.objects.filter(
        pk=job.workflow_id, status=Status.PROCESSING, claimed_by=job.worker, attempts=job.attempt
    )
    return ours.select_related("message").first()


def _newer_text(workflow: Workflow) -> Workflow | None:
    newer = Workflow.objects.filter(conversation=workflow.conversation_id, status=Status.RECEIVED)
    return newer.exclude(pk=workflow.pk).order_by("-message__created_at").first()


def _answer_with(newer: Workflow, workflow: Workflow, result: Drafted) -> None:
    """The tenant wrote again while we drafted: the newer text is answered, together with this one."""
    Workflow.objects.filter(superseded_by=workflow).update(superseded_by=newer)
    workflow.move(Status.SUPERSEDED, superseded_by=newer, step="superseded", completed_at=timezone.now())
    WorkflowStep.objects.bulk_create(rows(workflow, result.steps))


def decide(conversation: Conversation, workflow: Workflow, job: TextToAnswer, drafted: Drafted) -> QueuedResponse:
    """The verdict becomes rows. The audit entry is the last of them: its chain is locked until the commit."""
    now = timezone.now()
    _remember(conversation, drafted)
    response = QueuedResponse.objects.create(**_response(job, drafted))
    WorkflowStep.objects.bulk_create(rows(workflow, drafted.steps))
    if drafted.offer:
        _plan(response, drafted.offer, drafted).save(force_insert=True)
    _act_on_consent(conversation, job, drafted)
    if drafted.category:
        open_escalation(
            conversation,
            category=drafted.category,
            reason=", ".join(drafted.reasons),
            by=POLICY,
            response=response,
            rules=job.rules,
        )
    elif drafted.outcome in (Outcome.QUEUE, Outcome.HELD):
        tell_managers(
            "reply_waiting" if drafted.outcome is Outcome.QUEUE else "text_on_hold", conversation, drafted.reasons
        )
    workflow.move(
        Status.COMPLETED, step="decided", outcome=drafted.outcome, completed_at=now, error_message="", lease_until=None
    )
    ApprovalAuditEntry.of(
        response, action=ACTION_OF[drafted.outcome], by=POLICY, reason=", ".join(drafted.reasons)
    ).save(force_insert=True)
    return response


def _remember(conversation: Conversation, drafted: Drafted) -> None:
    """What the Monitor said belongs to the conversation: the console shows it, and a draft can fall back on it."""
    changed = []
    if drafted.found.fresh and drafted.found.snapshot:
        snapshot = drafted.found.snapshot
        conversation.account, conversation.account_at = snapshot, drafted.found.at
        conversation.tenant_id = str(snapshot["tenant_id"])
        conversation.tenant_name = snapshot["name"] or ""
        conversation.property_name = snapshot["property"] or ""
        changed = ["account", "account_at", "tenant_id", "tenant_name", "property_name"]
    if drafted.language and drafted.language_source != "default":
        conversation.language, conversation.language_source = drafted.language, drafted.language_source
        changed += ["language", "language_source"]
    if changed:
        conversation.save(update_fields=changed)


def _response(job: TextToAnswer, drafted: Drafted) -> dict[str, object]:
    decided = drafted.outcome is not Outcome.QUEUE
    now = timezone.now()
    common = {
        "conversation_id": job.conversation_id,
        "workflow_id": job.workflow_id,
        "message_id": job.message_id,
        "tenant_message": job.tenant_message,
        "language": drafted.language,
        "reasons": list(drafted.reasons),
        "status": STATUS_OF[drafted.outcome],
        "manager_action": ACTION_OF[drafted.outcome] if decided else None,
        "actioned_by": POLICY if decided else None,
        "actioned_at": now if decided else None,
        "not_before": now,
    }
    return {**common, **_draft(drafted.draft)} if drafted.draft else common


def _draft(draft: Draft) -> dict[str, object]:
    earlier = {"text": draft.earlier_text, "gates": gates_as_json(draft.earlier_gates)}
    return {
        "ai_response": draft.text,
        "final_text": draft.text,
        "confidence_score": draft.confidence.score,
        "confidence_parts": [{"code": part.code, "value": str(part.value)} for part in draft.confidence.parts],
        "gates": gates_as_json(draft.gates),
        "earlier_draft": earlier if draft.earlier_text is not None else None,
        "model": draft.model,
        "prompt_version": draft.prompt_version,
    }


def gates_as_json(gates: Sequence[Gate]) -> list[dict[str, object]]:
    """The gates as they are stored and shown: code, level, message, hard."""
    return [{"code": gate.code, "level": str(gate.level), "message": gate.message, "hard": gate.hard} for gate in gates]


def _plan(response: QueuedResponse, offer: PlanOffer, drafted: Drafted) -> PaymentPlan:
    accepted = drafted.outcome is Outcome.SEND and offer.check is not None and offer.check.auto_approvable
    return PaymentPlan(
        conversation_id=response.conversation_id,
        response=response,
        status=PaymentPlan.Status.ACCEPTED if accepted else PaymentPlan.Status.PROPOSED,
        **plan_columns(offer),
    )


def plan_columns(offer: PlanOffer) -> dict[str, object]:
    """The columns of a PaymentPlan that an offer fills."""
    plan, one_off, check = offer.extraction.plan, offer.extraction.one_off, offer.check
    return {
        "weekly_amount": plan and plan.weekly_amount,
        "weeks": plan and plan.weeks,
        "start_date": plan and plan.start_date,
        "source": SOURCE_OF[plan.source if plan else "message"],
        "total": check and check.total,
        "valid": bool(check and check.valid),
        "auto_approvable": bool(check and check.auto_approvable),
        "issues": [{"code": issue.code, "message": issue.message} for issue in check.issues] if check else [],
        "one_off_amount": one_off and one_off.amount,
        "one_off_date": one_off and one_off.date,
    }


def _act_on_consent(conversation: Conversation, job: TextToAnswer, drafted: Drafted) -> None:
    if drafted.consent is Consent.OPT_IN:
        lift_opt_out(conversation.phone, by="tenant", note="opted in again by text")
    for reason in drafted.new_holds:
        place_hold(conversation.phone, reason=reason, by=POLICY, message_id=job.message_id)


def _try_later(conversation: Conversation, workflow: Workflow, result: Postponed | Exception) -> None:
    """Another attempt after a pause; after the last one the work has failed, and a person is told."""
    steps = result.steps if isinstance(result, Postponed) else ()
    why = result.why if isinstance(result, Postponed) else f"our own fault: {type(result).__name__}"
    WorkflowStep.objects.bulk_create(rows(workflow, steps))
    if workflow.attempts >= settings.MAX_DRAFT_ATTEMPTS:
        fail(conversation, workflow, why)
        return
    asked = (result.retry_after if isinstance(result, Postponed) else None) or 0
    pause = max(asked, settings.DRAFT_RETRY_SECONDS * 4 ** (workflow.attempts - 1))
    due = timezone.now() + timedelta(seconds=pause)
    workflow.move(Status.RECEIVED, step="waiting to try again", not_before=due, error_message=why, lease_until=None)
    wake_at(due)


def fail(conversation: Conversation, workflow: Workflow, why: str) -> None:
    """No reply could be drafted: the work stops here, visibly, until somebody retries it or answers by hand."""
    workflow.move(Status.FAILED, step="failed", error_message=why, completed_at=timezone.now(), lease_until=None)
    open_escalation(conversation, category=Category.AI_FAILED, reason=why, by=POLICY)
