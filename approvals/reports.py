"""What is told about the work: the state of one conversation, and the figures of the hour and the day."""

from datetime import datetime, timedelta
from typing import Any, TypedDict
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Avg, Count, F, Min, Model, Q
from django.utils import timezone
from rest_framework import serializers

from approvals.models import Escalation, Notification, PaymentPlan, QueuedResponse, Workflow
from conversations.models import Conversation, Direction, Message
from conversations.refusals import NotFound

Reply = QueuedResponse.Status

# What a finished workflow is called from outside: the state of the reply that came of it.
NAME_OF_REPLY = {
    Reply.PENDING: "awaiting_approval",
    Reply.APPROVED: "approved",
    Reply.SENDING: "sending",
    Reply.SENT: "sent",
    Reply.ESCALATED: "escalated",
    Reply.WITHDRAWN: "superseded",
    Reply.CLOSED: "closed",
    Reply.FAILED: "failed",
    Reply.UNKNOWN: "unknown",
}


class StepReport(serializers.Serializer[Any]):
    name = serializers.CharField()
    attempt = serializers.IntegerField()
    started_at = serializers.DateTimeField()
    duration_ms = serializers.IntegerField()
    outcome = serializers.CharField()
    detail = serializers.CharField()


class PlanReport(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    weekly_amount = serializers.DecimalField(max_digits=12, decimal_places=2, allow_null=True)
    weeks = serializers.IntegerField(allow_null=True)
    start_date = serializers.DateField(allow_null=True)
    total = serializers.DecimalField(max_digits=14, decimal_places=2, allow_null=True)
    valid = serializers.BooleanField()
    issues = serializers.ListField(child=serializers.DictField())
    auto_approvable = serializers.BooleanField()
    status = serializers.CharField()


class ReplyReport(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    status = serializers.CharField()
    ai_response = serializers.CharField()
    final_text = serializers.CharField()
    reasons = serializers.ListField(child=serializers.CharField())
    gates = serializers.ListField(child=serializers.DictField())
    manager_action = serializers.CharField(allow_null=True)
    actioned_by = serializers.CharField(allow_null=True)
    not_before = serializers.DateTimeField()
    sent_at = serializers.DateTimeField(allow_null=True)
    receipt = serializers.CharField()
    error_message = serializers.CharField()


class WorkflowReport(serializers.Serializer[Any]):
    """Where a conversation's newest text stands."""

    conversation_id = serializers.UUIDField()
    workflow_id = serializers.UUIDField()
    workflow_type = serializers.CharField()
    status = serializers.CharField()
    current_step = serializers.CharField()
    ai_confidence = serializers.FloatField(allow_null=True)
    escalation_triggered = serializers.BooleanField()
    started_at = serializers.DateTimeField()
    last_updated = serializers.DateTimeField()
    completed_at = serializers.DateTimeField(allow_null=True)
    error_message = serializers.CharField(allow_null=True)
    response = ReplyReport(allow_null=True)
    payment_plan = PlanReport(allow_null=True)
    steps = StepReport(many=True)


def workflow_report(conversation: Conversation) -> dict[str, Any]:
    """The newest workflow with its reply, plan and steps; NotFound when the conversation has none yet."""
    workflow = conversation.workflows.order_by("-started_at").first()
    if workflow is None:
        raise NotFound("not_found", "No text of this conversation has come in yet.")
    reply = workflow.responses.order_by("-created_at").first()
    plan = reply.payment_plans.first() if reply else None
    return {
        "conversation_id": conversation.pk,
        "workflow_id": workflow.pk,
        "workflow_type": workflow.workflow_type,
        "status": name_of(workflow, reply),
        "current_step": workflow.step,
        "ai_confidence": reply.confidence_score if reply and reply.ai_response else None,
        "escalation_triggered": _escalated(workflow, reply),
        "started_at": workflow.started_at,
        "last_updated": max(workflow.updated_at, reply.updated_at) if reply else workflow.updated_at,
        "completed_at": workflow.completed_at,
        "error_message": workflow.error_message or (reply.error_message if reply else "") or None,
        "response": reply,
        "payment_plan": plan or conversation.payment_plans.order_by("-created_at").first(),
        "steps": workflow.steps.all(),
    }


def name_of(workflow: Workflow, reply: QueuedResponse | None) -> str:
    """The one word for where a text stands."""
    if workflow.status != Workflow.Status.COMPLETED or reply is None:
        return str(workflow.status)
    if reply.manager_action == QueuedResponse.Action.HOLD:
        return "held"
    return NAME_OF_REPLY[Reply(reply.status)]


def _escalated(workflow: Workflow, reply: QueuedResponse | None) -> bool:
    if reply is not None and reply.status == Reply.ESCALATED:
        return True
    return Escalation.objects.filter(
        conversation=workflow.conversation_id, status=Escalation.Status.OPEN, created_at__gte=workflow.started_at
    ).exists()


class LastHour(TypedDict):
    sms_received: int
    ai_responses: int
    auto_approval_rate: float | None
    avg_response_time: float | None


class Today(TypedDict):
    total_messages: int
    escalations: int
    payment_plans: int


class Now(TypedDict):
    pending: int
    oldest_pending_seconds: float | None
    open_escalations: int
    working: int
    sending: int
    unknown: int
    unsent_notifications: int
    failed_replies: int
    failed_drafts: int
    failed_notifications: int


class MetricsReport(TypedDict):
    """Rates in 0..1 and times in seconds; None where nothing happened that could be measured."""

    last_hour: LastHour
    today: Today
    now: Now


def metrics_report(at: datetime | None = None) -> MetricsReport:
    """Counted by the database, so the same from every process; "today" is the house's day (CONTACT_TIME_ZONE)."""
    at = at or timezone.now()
    midnight = at.astimezone(ZoneInfo(settings.CONTACT_TIME_ZONE)).replace(hour=0, minute=0, second=0, microsecond=0)
    return {"last_hour": _last_hour(at - timedelta(hours=1)), "today": _today(midnight), "now": _now(at)}


def _last_hour(since: datetime) -> LastHour:
    drafted = Q(ai_response__gt="", workflow__isnull=False)
    replies = QueuedResponse.objects.filter(created_at__gte=since).aggregate(
        drafted=Count("pk", filter=drafted),
        automatic=Count("pk", filter=drafted & Q(manager_action=QueuedResponse.Action.AUTO_APPROVE)),
        took=Avg(
            F("sent_at") - F("message__created_at"),
            filter=Q(sent_at__isnull=False, manager_action=QueuedResponse.Action.AUTO_APPROVE),
        ),
    )
    return {
        "sms_received": Message.objects.filter(created_at__gte=since, direction=Direction.INBOUND).count(),
        "ai_responses": replies["drafted"],
        "auto_approval_rate": replies["automatic"] / replies["drafted"] if replies["drafted"] else None,
        "avg_response_time": replies["took"].total_seconds() if replies["took"] else None,
    }


def _today(midnight: datetime) -> Today:
    return {
        "total_messages": Message.objects.filter(created_at__gte=midnight).count(),
        "escalations": Escalation.objects.filter(created_at__gte=midnight).count(),
        "payment_plans": PaymentPlan.objects.filter(created_at__gte=midnight).count(),
    }


def _now(at: datetime) -> Now:
    oldest = QueuedResponse.objects.filter(status=Reply.PENDING).aggregate(at=Min("created_at"))["at"]
    return {
        "pending": _count(QueuedResponse, Reply.PENDING),
        "oldest_pending_seconds": (at - oldest).total_seconds() if oldest else None,
        "open_escalations": _count(Escalation, Escalation.Status.OPEN),
        "working": _count(Workflow, Workflow.Status.RECEIVED) + _count(Workflow, Workflow.Status.PROCESSING),
        "sending": _count(QueuedResponse, Reply.SENDING),
        "unknown": _count(QueuedResponse, Reply.UNKNOWN),
        "unsent_notifications": _count(Notification, Notification.Status.PENDING)
        + _count(Notification, Notification.Status.SENDING),
        "failed_replies": _count(QueuedResponse, Reply.FAILED),
        "failed_drafts": _count(Workflow, Workflow.Status.FAILED),
        "failed_notifications": _count(Notification, Notification.Status.FAILED),
    }


def _count(model: type[Model], status: str) -> int:
    """One status at a time: Postgres proves a partial index for `status = ...`, but scans the table for `IN (...)`."""
    return model._default_manager.filter(status=status).count()
