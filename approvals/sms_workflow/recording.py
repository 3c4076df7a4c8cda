"""Write down what the threads found: draft, plan, verdict, audit entry and whom to tell, in one transaction."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils import timezone
from psycopg.types.json import Jsonb

from approvals.models import ApprovalAuditEntry, PaymentPlan, QueuedResponse, Workflow, WorkflowStep
from approvals.policy.escalation import Category
from approvals.policy.gates import Gate
from approvals.policy.opt_out import Consent
from approvals.sms_workflow.escalations import hand_over, open_escalation
from approvals.sms_workflow.facts import Draft, Drafted, Outcome, PlanOffer, Postponed, TextToAnswer
from approvals.sms_workflow.holds import lift_opt_out, place_hold
from approvals.sms_workflow.notices import tell_managers, tell_of_unsent_words
from approvals.sms_workflow.plans import keep_plans
from approvals.sms_workflow.story import rows
from conversations.models import Conversation
from conversations.moves import together_or_each
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


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A result that is to be written down: the rows it belongs to, and the reply that it becomes."""

    job: TextToAnswer
    drafted: Drafted
    workflow: Workflow
    conversation: Conversation
    response: QueuedResponse


def record_drafts(finished: Sequence[tuple[TextToAnswer, Drafted | Postponed | Exception]]) -> None:
    """All results in one short transaction. What cannot be written is given to another attempt by the sweep."""
    together_or_each(finished, _record)


def _record(finished: Sequence[tuple[TextToAnswer, Drafted | Postponed | Exception]]) -> None:
    """Nothing is written where the claim was lost, and no verdict where the tenant has written again meanwhile."""
    jobs = [job for job, _ in finished]
    conversations = _locked([job.conversation_id for job in jobs])
    ours, newer = _still_ours(jobs), _newer_texts(jobs)
    verdicts = []
    for job, result in finished:
        workflow, conversation = ours.get(job.workflow_id), conversations[job.conversation_id]
        if workflow is None:
            log.info("workflow %s: another worker has it now, this draft is dropped", job.workflow_id)
        elif not isinstance(result, Drafted):
            _try_later(conversation, workflow, result)
        elif job.conversation_id in newer:
            _answer_with(newer[job.conversation_id], workflow, result)
        else:
            response = QueuedResponse(**_response(job, result))
            verdicts.append(
                Verdict(job=job, drafted=result, workflow=workflow, conversation=conversation, response=response)
            )
    if verdicts:
        decide(verdicts)


def _locked(keys: Sequence[UUID]) -> dict[UUID, Conversation]:
    rows = Conversation.objects.filter(pk__in=keys).locked().defer("account")
    return {conversation.pk: conversation for conversation in rows}


def _still_ours(jobs: Sequence[TextToAnswer]) -> dict[UUID, Workflow]:
    fence = {job.workflow_id: (job.worker, job.attempt) for job in jobs}
    rows = Workflow.objects.filter(pk__in=fence, status=Status.PROCESSING).order_by("pk").select_for_update(no_key=True)
    return {
        workflow.pk: workflow for workflow in rows if (workflow.claimed_by, workflow.attempts) == fence[workflow.pk]
    }


def _newer_texts(jobs: Sequence[TextToAnswer]) -> dict[UUID, Workflow]:
    """By conversation, the newest text that came in while we drafted."""
    received = Workflow.objects.filter(conversation__in=[job.conversation_id for job in jobs], status=Status.RECEIVED)
    wrote_at = {job.conversation_id: job.wrote_at for job in jobs}
    return {
        workflow.conversation_id: workflow
        for workflow in received.select_related("message").order_by("message__created_at")
        if workflow.message.created_at > wrote_at[workflow.conversation_id]
    }


def _answer_with(newer: Workflow, workflow: Workflow, result: Drafted) -> None:
    """The tenant wrote again while we drafted: the newer text is answered, together with this one."""
    Workflow.objects.filter(superseded_by=workflow).update(superseded_by=newer)
    workflow.move(Status.SUPERSEDED, superseded_by=newer, step="superseded", completed_at=timezone.now())
    WorkflowStep.objects.bulk_create(rows(workflow, result.steps))


def decide(verdicts: Sequence[Verdict]) -> None:
    """The verdicts become rows. The audit entries are the last of them: their chain is locked until the commit."""
    _remember([(verdict.conversation, verdict.drafted) for verdict in verdicts])
    replaced = _withdraw_waiting(
        verdict.conversation for verdict in verdicts if verdict.drafted.outcome is Outcome.QUEUE
    )
    QueuedResponse.objects.bulk_create(verdict.response for verdict in verdicts)
    WorkflowStep.objects.bulk_create(
        step for verdict in verdicts for step in rows(verdict.workflow, verdict.drafted.steps)
    )
    keep_plans(
        [
            _plan(verdict.response, verdict.drafted.offer, verdict.drafted)
            for verdict in verdicts
            if verdict.drafted.offer
        ]
    )
    for verdict in verdicts:
        _act_on(verdict)
    _complete(verdicts)
    ApprovalAuditEntry.objects.bulk_create([*replaced, *map(_audit_entry, verdicts)])


def _withdraw_waiting(conversations: Iterable[Conversation]) -> list[ApprovalAuditEntry]:
    """One reply of a conversation waits: what came back to the managers meanwhile makes room for the newer."""
    waiting = QueuedResponse.objects.filter(conversation__in=list(conversations), status=QueuedResponse.Status.PENDING)
    entries = []
    for response in waiting.select_related("conversation"):
        tell_of_unsent_words(response, "stale")
        response.move(QueuedResponse.Status.WITHDRAWN)
        entries.append(ApprovalAuditEntry.of(response, action=Action.WITHDRAW, by=POLICY, reason="stale"))
    return entries


def _audit_entry(verdict: Verdict) -> ApprovalAuditEntry:
    return ApprovalAuditEntry.of(
        verdict.response,
        action=ACTION_OF[verdict.drafted.outcome],
        by=POLICY,
        reason=", ".join(verdict.drafted.reasons),
    )


REMEMBER = """
UPDATE sms_conversations SET account = coalesce(%s, account), account_at = coalesce(%s, account_at), tenant_id = %s,
    tenant_name = %s, property_name = %s, language = %s, language_source = %s WHERE id = %s
"""


def _remember(found: Iterable[tuple[Conversation, Drafted]]) -> None:
    """What the Monitor said belongs to the conversation: the console shows it, and a draft can fall back on it."""
    for conversation, drafted in found:
        if _is_news(drafted):
            snapshot = drafted.found.snapshot
            conversation.tenant_id = str(snapshot["tenant_id"])
            conversation.tenant_name = snapshot["name"] or ""
            conversation.property_name = snapshot["property"] or ""
        if drafted.language and drafted.language_source != "default":
            conversation.language, conversation.language_source = drafted.language, drafted.language_source
    with connection.cursor() as cursor:
        # One round trip for all of them.
        cursor.executemany(REMEMBER, [_remembered(*pair) for pair in found])


def _is_news(drafted: Drafted) -> bool:
    """Whether the Monitor was asked and knew the tenant."""
    return drafted.found.fresh and bool(drafted.found.snapshot)


def _remembered(conversation: Conversation, drafted: Drafted) -> tuple[Any, ...]:
    return (
        Jsonb(drafted.found.snapshot) if _is_news(drafted) else None,
        drafted.found.at if _is_news(drafted) else None,
        conversation.tenant_id,
        conversation.tenant_name,
        conversation.property_name,
        conversation.language,
        conversation.language_source,
        conversation.pk,
    )


def _act_on(verdict: Verdict) -> None:
    """Holds, escalations and notices that the verdict asks for."""
    drafted, conversation = verdict.drafted, verdict.conversation
    _act_on_consent(conversation, verdict.job, drafted)
    if drafted.category:
        open_escalation(
            conversation,
            category=drafted.category,
            reason=", ".join(drafted.reasons),
            by=POLICY,
            response=verdict.response,
            rules=verdict.job.rules,
        )
    elif drafted.outcome is Outcome.QUEUE:
        tell_managers("reply_waiting", conversation, drafted.reasons)
    elif drafted.outcome is Outcome.HELD:
        tell_managers("text_on_hold", conversation, drafted.reasons)


def _complete(verdicts: Sequence[Verdict]) -> None:
    """The workflows' move `processing -> completed`, one statement for each outcome; the rows are fenced and locked."""
    now = timezone.now()
    done = {"status": Status.COMPLETED, "step": "decided", "completed_at": now, "updated_at": now, "error_message": ""}
    by_outcome: dict[Outcome, list[UUID]] = defaultdict(list)
    for verdict in verdicts:
        by_outcome[verdict.drafted.outcome].append(verdict.workflow.pk)
    for outcome, keys in by_outcome.items():
        Workflow.objects.filter(pk__in=keys, status=Status.PROCESSING).update(outcome=outcome, lease_until=None, **done)


def _response(job: TextToAnswer, drafted: Drafted) -> dict[str, Any]:
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


def _draft(draft: Draft) -> dict[str, Any]:
    earlier = {"text": draft.earlier_text, "gates": gates_as_json(draft.earlier_gates)}
    return {
        "ai_response": draft.text,
        "final_text": draft.text,
        "confidence_score": draft.confidence.score,
        "raw_confidence": draft.confidence.raw,
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
    counts = not isinstance(result, Postponed) or result.asked or is_impatient(workflow.started_at)
    if counts and workflow.attempts >= settings.MAX_DRAFT_ATTEMPTS:
        fail(conversation, workflow, why)
        return
    asked = (result.retry_after if isinstance(result, Postponed) else None) or 0
    pause = max(asked, settings.DRAFT_RETRY_SECONDS * 4 ** (workflow.attempts - 1))
    due = timezone.now() + timedelta(seconds=pause)
    made = workflow.attempts if counts else workflow.attempts - 1
    workflow.move(
        Status.RECEIVED, step="waiting to try again", attempts=made, not_before=due, error_message=why, lease_until=None
    )
    wake_at(due)


def is_impatient(since: datetime) -> bool:
    """Whether something has waited so long that even an attempt nobody was asked for counts."""
    return timezone.now() - since > timedelta(minutes=settings.OUTAGE_PATIENCE_MINUTES)


def fail(conversation: Conversation, workflow: Workflow, why: str) -> None:
    """No reply could be drafted: the work stops here, visibly, until somebody retries it or answers by hand."""
    workflow.move(Status.FAILED, step="failed", error_message=why, completed_at=timezone.now(), lease_until=None)
    hand_over(conversation, category=Category.AI_FAILED, reason=why, by=POLICY)
