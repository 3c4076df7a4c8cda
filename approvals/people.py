"""Everything that is kept about one person: handed out, or erased as far as the law lets us."""

from typing import Any

from django.db import transaction
from django.db.models import CharField, QuerySet, TextField, Value
from django.db.models.functions import Cast, Concat

from approvals.models import Escalation, Notification, PaymentPlan, QueuedResponse, Workflow, WorkflowStep
from approvals.policy.holds import HoldReason
from approvals.sms_workflow.holds import STOPS_MANAGERS_TOO
from conversations.models import ContactHold, Conversation
from conversations.refusals import Conflict

ERASED = "[erased]"
# Of these replies nothing can be sent any more.
FINISHED = {
    QueuedResponse.Status.SENT,
    QueuedResponse.Status.ESCALATED,
    QueuedResponse.Status.WITHDRAWN,
    QueuedResponse.Status.CLOSED,
}

# What a manager's own wish stopped is forgotten with the person; what the person or the law asked for is not.
FORBIDDEN_TO_CONTACT = STOPS_MANAGERS_TOO - {HoldReason.MANUAL}


def export(conversation: Conversation) -> dict[str, Any]:
    """All rows about the person behind a conversation, as plain values; the audit log included."""
    return {
        "conversation": _rows(Conversation.objects.filter(pk=conversation.pk))[0],
        "messages": _rows(conversation.messages.order_by("created_at")),
        "replies": _rows(conversation.responses.order_by("created_at")),
        "workflows": _rows(conversation.workflows.order_by("started_at")),
        "payment_plans": _rows(conversation.payment_plans.order_by("created_at")),
        "escalations": _rows(conversation.escalations.order_by("created_at")),
        "contact_holds": _rows(ContactHold.objects.filter(phone=conversation.phone)),
        "audit_log": _rows(conversation.audit.order_by("seq")),
    }


def _rows(rows: QuerySet[Any]) -> list[dict[str, Any]]:
    return list(rows.values())


def erase(conversation: Conversation) -> dict[str, int]:
    """Take name, number, account and words out of every row; returns how many rows of each kind were changed.

    Raises Conflict while something is under way: asked under the lock, behind which a new text waits and starts anew.
    What stays: the audit log, which records of collections must outlive (12 CFR 1006.100: three years) and which
    nothing can change; and, under the number, the holds that the person or the law asked for, without their notes: for
    without them the person would be contacted again.
    """
    with transaction.atomic():
        Conversation.objects.locked().get(pk=conversation.pk)
        if is_busy(conversation):
            raise Conflict("busy", "Something is still under way with this person. Close or escalate it first.")
        holds = ContactHold.objects.filter(phone=conversation.phone)
        lasting = holds.active().filter(reason__in=FORBIDDEN_TO_CONTACT)
        lasting.update(note="", message=None)
        counts = {
            "messages": conversation.messages.update(body=ERASED, provider_id="", dedupe_key=_KEY_WITHOUT_NUMBER),
            "replies": conversation.responses.update(tenant_message=ERASED, **_REPLY_WITHOUT_WORDS),
            "steps": WorkflowStep.objects.filter(workflow__conversation=conversation).update(detail=""),
            "workflows": conversation.workflows.update(metadata={}, error_message=""),
            "payment_plans": _deleted(PaymentPlan.objects.filter(conversation=conversation)),
            "escalations": Escalation.objects.filter(conversation=conversation).update(reason=ERASED, notes=""),
            "contact_holds": _deleted(holds.exclude(pk__in=lasting.values("pk"))),
            "notifications": _deleted(Notification.objects.filter(metadata__conversation_id=str(conversation.pk))),
        }
        # Without the time of our last text, nobody is told of this person's silence.
        nobody = {
            "tenant_id": None,
            "external_id": None,
            "tenant_name": "",
            "property_name": "",
            "last_outbound_at": None,
        }
        Conversation.objects.filter(pk=conversation.pk).update(
            phone=f"erased {conversation.pk.hex[:12]}", account={}, account_at=None, **nobody
        )
    return counts


# The keys of the caller's own texts begin with the number.
_KEY_WITHOUT_NUMBER = Concat(Value("erased "), Cast("pk", TextField()), output_field=CharField())
_REPLY_WITHOUT_WORDS: dict[str, Any] = {
    "ai_response": ERASED,
    "final_text": ERASED,
    "modified_response": None,
    "earlier_draft": None,
    "gates": [],
    "error_message": "",
}


def _deleted(rows: QuerySet[Any]) -> int:
    count, _ = rows.delete()
    return count


def is_busy(conversation: Conversation) -> bool:
    """Whether something is still under way that needs the number."""
    return (
        conversation.workflows.filter(status__in=[Workflow.Status.RECEIVED, Workflow.Status.PROCESSING]).exists()
        or conversation.responses.filter(status__in=[*QueuedResponse.MOVES.keys() - FINISHED]).exists()
    )
