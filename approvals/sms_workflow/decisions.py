"""What a person decides about a reply: one function each, one conditional move, one audit entry."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from approvals import account
from approvals.models import ApprovalAuditEntry, Escalation, QueuedResponse, Workflow
from approvals.policy.escalation import Category, Severity
from approvals.policy.gates import DraftFacts, Gate, Level, check_gates
from approvals.policy.text import strip_invisible
from approvals.rulebook import current_rules
from approvals.sms_workflow.escalations import open_escalation, resolve
from approvals.sms_workflow.holds import active_holds, stopping_managers
from approvals.sms_workflow.recording import gates_as_json
from conversations.models import Conversation, Direction, Message
from conversations.moves import Overtaken
from conversations.refusals import Conflict, Invalid, NotFound
from conversations.wakeups import wake, wake_at

Status = QueuedResponse.Status
Action = QueuedResponse.Action
# Texts whose turn has come and gone, or is now.
ANSWERED = frozenset({Workflow.Status.PROCESSING, Workflow.Status.COMPLETED})
# What a person may still send: a waiting draft, and one whose sending went wrong.
SENDABLE = frozenset({Status.PENDING, Status.FAILED, Status.UNKNOWN})


@dataclass(frozen=True, kw_only=True)
class Decider:
    """Who decides, and whether they may send in spite of a red gate."""

    name: str
    may_override: bool = False


NOW = timedelta(0)


def waiting_reply(conversation: Conversation) -> QueuedResponse:
    """The draft of a conversation that waits for a decision; Conflict when it is decided, NotFound without any."""
    waiting = conversation.responses.filter(status=Status.PENDING).first()
    if waiting is not None:
        return waiting
    decided = conversation.responses.order_by("-created_at").first()
    if decided is None:
        raise NotFound("not_found", "No reply of this conversation waits for a decision.")
    raise Conflict("already_decided", _who_decided(decided))


def approve(
    response_id: UUID, *, by: Decider, text: str | None = None, override_reason: str = "", after: timedelta = NOW
) -> QueuedResponse:
    """Send the reply as it stands (its `final_text`); other words than the draft's make it a modification.

    `after` is the time in which it can be undone. Raises NotFound, Conflict (already_decided, stale, contact_hold),
    Invalid (gate_failed).
    """
    return _release(response_id, text=text, by=by, override_reason=override_reason, after=after)


def modify(
    response_id: UUID, *, by: Decider, text: str, override_reason: str = "", after: timedelta = NOW
) -> QueuedResponse:
    """Send these words instead; the draft's own words make it an approval. Raises as `approve`."""
    return _release(response_id, text=text, by=by, override_reason=override_reason, after=after)


def _release(
    response_id: UUID, *, text: str | None, by: Decider, override_reason: str, after: timedelta
) -> QueuedResponse:
    with transaction.atomic():
        response = _locked(response_id)
        _must_be_open(response)
        # A text that failed, or came back, may be a person's: as it stands is not always as it was drafted.
        words = strip_invisible(response.final_text if text is None else text).strip()
        changed = words != response.ai_response
        gates = checked_by_hand(response, words)
        overridden = _overridden(gates, by, override_reason)
        # A text that was tried before, and perhaps went out, goes at once: taken back it would look like a fresh draft.
        after = after if response.status == Status.PENDING else NOW
        due = timezone.now() + after
        response.decide(
            Status.APPROVED,
            action=Action.MODIFY if changed else Action.APPROVE,
            by=by.name,
            reason=override_reason,
            manager_action=Action.MODIFY if changed else Action.APPROVE,
            final_text=words,
            modified_response=words if changed else None,
            actioned_by=by.name,
            actioned_at=timezone.now(),
            gates=gates_as_json(gates),
            overridden=overridden,
            not_before=due,
            attempts=0,
            error_message="",
        )
        wake_at(due) if after else wake()
    return response


def _locked(response_id: UUID) -> QueuedResponse:
    """The conversation first, then the reply: the order in which everybody locks."""
    of_response = QueuedResponse.objects.filter(pk=response_id).values("conversation")
    if not Conversation.objects.filter(pk__in=of_response).locked().only("pk"):
        raise NotFound("not_found", "There is no such reply.")
    return QueuedResponse.objects.select_related("conversation", "workflow").get(pk=response_id)


def _must_be_open(response: QueuedResponse, allowed: frozenset[str] = SENDABLE) -> None:
    if response.status in allowed:
        return
    if response.status == Status.WITHDRAWN:
        raise Conflict("stale", "The tenant has written again; this draft was withdrawn and a new one is coming.")
    raise Conflict("already_decided", _who_decided(response))


def _who_decided(response: QueuedResponse) -> str:
    who = f" by {response.actioned_by}" if response.actioned_by else ""
    return f"This reply is already {response.status}{who}."


def checked_by_hand(response: QueuedResponse, words: str) -> tuple[Gate, ...]:
    """The gates on a person's exact words, as things stand now. Raises Conflict (contact_hold)."""
    holds = active_holds(response.conversation.phone)
    stopping = stopping_managers(holds)
    if stopping:
        raise Conflict(
            "contact_hold", f"This person must not be contacted: {', '.join(stopping)}. Release the hold first."
        )
    return check_gates(words, facts_by_hand(response, holds=holds), current_rules())


def facts_by_hand(response: QueuedResponse, *, holds: Sequence[str] | None = None) -> DraftFacts:
    """What a person's own words are checked against; `holds` are the phone's active ones, if they are known already."""
    conversation = response.conversation
    holds = active_holds(conversation.phone) if holds is None else holds
    return account.facts_for_gates(
        conversation.account,
        tenant_message=response.tenant_message,
        language=response.language or conversation.language,
        opted_out="opt_out" in holds,
        newer_message_waiting=newer_text_exists(response),
        by_manager=True,
    )


def newer_text_exists(response: QueuedResponse) -> bool:
    """Whether the tenant wrote after the text that this reply answers (after the reply, when it answers none)."""
    since = response.message.created_at if response.message else response.created_at
    later = Message.objects.filter(conversation=response.conversation_id, direction=Direction.INBOUND)
    return later.filter(created_at__gt=since).exists()


def _overridden(gates: Sequence[Gate], by: Decider, reason: str) -> list[str]:
    """The codes of the red gates that `by` overrides with `reason`; else says which gate stands in the way."""
    reds = [gate for gate in gates if gate.level is Level.RED]
    stopping = [gate for gate in reds if gate.hard or not (reason and by.may_override)]
    if not stopping:
        return [gate.code for gate in reds]
    if [gate.code for gate in stopping] == ["stale"]:
        raise Conflict("stale", stopping[0].message)
    hint = "" if any(gate.hard for gate in stopping) else " Change the text, or override with a reason."
    raise Invalid(
        "gate_failed",
        " ".join(gate.message for gate in stopping) + hint,
        fields={gate.code: [gate.message] for gate in stopping},
    )


def undo(response_id: UUID, *, by: Decider) -> QueuedResponse:
    """Take a decision back before the text has left: the reply waits again. Raises Conflict once it has left."""
    with transaction.atomic():
        response = _locked(response_id)
        _must_be_open(response, frozenset({Status.APPROVED}))
        if response.conversation.responses.filter(status=Status.PENDING).exists():
            raise Conflict("stale", "A newer draft waits already; this one cannot come back.")
        _decide(response, Status.PENDING, Action.UNDO, by, **_undecided(response))
    return response


def _undecided(response: QueuedResponse) -> dict[str, Any]:
    """As before the decision: the draft, or where there was none the person's own words."""
    return {
        "manager_action": None,
        "modified_response": None,
        "final_text": response.ai_response or response.final_text,
        "actioned_by": None,
        "actioned_at": None,
        "overridden": [],
    }


def escalate(
    response_id: UUID,
    *,
    by: Decider,
    reason: str,
    category: Category = Category.MANUAL,
    severity: Severity | None = None,
) -> QueuedResponse:
    """Nothing is sent; a person takes over. Raises NotFound, Conflict."""
    with transaction.atomic():
        response = _locked(response_id)
        _must_be_open(response)
        open_escalation(
            response.conversation, category=category, reason=reason, by=by.name, severity=severity, response=response
        )
        _decide(response, Status.ESCALATED, Action.ESCALATE, by, reason, **_decision(Action.ESCALATE, by))
    return response


def close(response_id: UUID, *, by: Decider, reason: str = "") -> QueuedResponse:
    """No reply is wanted, or it went out another way. Raises NotFound, Conflict."""
    with transaction.atomic():
        response = _locked(response_id)
        _must_be_open(response)
        _decide(response, Status.CLOSED, Action.CLOSE, by, reason, **_decision(Action.CLOSE, by))
    return response


def redraft(response_id: UUID, *, by: Decider, note: str) -> Workflow:
    """Withdraw the draft and have another written with a note to the model. Raises NotFound, Conflict."""
    with transaction.atomic():
        response = _locked(response_id)
        _must_be_open(response, frozenset({Status.PENDING}))
        workflow = response.workflow
        if workflow is None:
            raise Conflict("not_failed", "This text was written by a person; there is no draft to write anew.")
        try:
            workflow.move(
                Workflow.Status.RECEIVED,
                step="redraft",
                attempts=0,
                not_before=timezone.now(),
                completed_at=None,
                outcome="",
                metadata={**workflow.metadata, "manager_note": note},
            )
        except Overtaken as error:
            raise Conflict("already_decided", "A new draft is already being written.") from error
        wake()
        _decide(response, Status.WITHDRAWN, Action.REDRAFT, by, note, **_decision(Action.REDRAFT, by))
    return workflow


def snooze(response_id: UUID, *, by: Decider, until: datetime) -> QueuedResponse:
    """Put a waiting reply aside until a time; it stays pending. Raises NotFound, Conflict."""
    return _put_aside(response_id, Action.SNOOZE, by, until=until, reason=f"until {until:%Y-%m-%d %H:%M %Z}")


def wake_up(response_id: UUID, *, by: Decider) -> QueuedResponse:
    """Take a snoozed reply back into the queue. Raises NotFound, Conflict."""
    return _put_aside(response_id, Action.WAKE, by, until=None)


def _put_aside(
    response_id: UUID, action: Action, by: Decider, *, until: datetime | None, reason: str = ""
) -> QueuedResponse:
    with transaction.atomic():
        response = _locked(response_id)
        _must_be_open(response, frozenset({Status.PENDING}))
        response.snoozed_until = until
        response.save(update_fields=["snoozed_until"])
        ApprovalAuditEntry.of(response, action=action, by=by.name, reason=reason).save(force_insert=True)
    return response


def _decision(action: str, by: Decider) -> dict[str, Any]:
    return {"manager_action": action, "actioned_by": by.name, "actioned_at": timezone.now()}


def _decide(response: QueuedResponse, to: str, action: str, by: Decider, reason: str = "", **changes: object) -> None:
    response.decide(to, action=action, by=by.name, reason=reason, **changes)


def write_by_hand(
    conversation: Conversation, *, by: Decider, text: str, override_reason: str = "", after: timedelta = NOW
) -> QueuedResponse:
    """A text that a manager starts: through the same gates and the same queue as every other. Raises as `approve`."""
    with transaction.atomic():
        Conversation.objects.locked().get(pk=conversation.pk)
        words = strip_invisible(text).strip()
        response = QueuedResponse(
            conversation=conversation, language=conversation.language, final_text=words, status=Status.APPROVED
        )
        gates = checked_by_hand(response, words)
        overridden = _overridden(gates, by, override_reason)
        due = timezone.now() + after
        response.gates, response.overridden, response.not_before = gates_as_json(gates), overridden, due
        response.manager_action, response.actioned_by, response.actioned_at = Action.MODIFY, by.name, timezone.now()
        response.modified_response = words
        response.save(force_insert=True)
        wake_at(due) if after else wake()
        ApprovalAuditEntry.of(response, action=Action.MODIFY, by=by.name, reason=override_reason).save(
            force_insert=True
        )
    return response


def retry(workflow_id: UUID, *, by: Decider, reason: str = "") -> Workflow:
    """Draft a failed workflow's reply once more, from the start. Raises NotFound, Conflict (not_failed, stale).

    Later texts of the tenant's that failed as well are taken along: they are answered together.
    """
    with transaction.atomic():
        workflow = _locked_workflow(workflow_id)
        if workflow.status != Workflow.Status.FAILED:
            raise Conflict("not_failed", f"Only a failed workflow can be retried; this one is {workflow.status}.")
        later = workflow.conversation.workflows.filter(message__created_at__gt=workflow.message.created_at)
        if later.filter(status__in=ANSWERED).exists():
            # Its draft would withdraw the newer text's reply, and be stale itself.
            raise Conflict("stale", "The tenant has written again, and that text has its answer; write by hand.")
        for failed in (workflow, *later.filter(status=Workflow.Status.FAILED)):
            _start_again(failed, by, reason)
        # The retry takes care of what the failure had called a person for.
        failures = Escalation.objects.filter(conversation=workflow.conversation_id, category=Category.AI_FAILED)
        wake()
        for failure in failures.filter(status=Escalation.Status.OPEN):
            resolve(failure.pk, by=by.name, note=f"tried again. {reason}".strip())
    return workflow


def can_be_retried() -> QuerySet[Workflow]:
    """The failed workflows of which `retry` would not say that the tenant has been answered since."""
    answered = Workflow.objects.filter(
        conversation=OuterRef("conversation"),
        message__created_at__gt=OuterRef("message__created_at"),
        status__in=ANSWERED,
    )
    return Workflow.objects.filter(~Exists(answered), status=Workflow.Status.FAILED)


def _locked_workflow(workflow_id: UUID) -> Workflow:
    of_workflow = Workflow.objects.filter(pk=workflow_id).values("conversation")
    if not Conversation.objects.filter(pk__in=of_workflow).locked().only("pk"):
        raise NotFound("not_found", "There is no such workflow.")
    return Workflow.objects.select_related("conversation", "message").get(pk=workflow_id)


def _start_again(workflow: Workflow, by: Decider, reason: str) -> None:
    retried = {"by": by.name, "reason": reason, "at": timezone.now().isoformat()}
    workflow.move(
        Workflow.Status.RECEIVED,
        step="retry",
        attempts=0,
        not_before=timezone.now(),
        completed_at=None,
        error_message="",
        metadata={**workflow.metadata, "retries": [*workflow.metadata.get("retries", []), retried]},
    )
