"""The work on one inbound text, step by step."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from conversations.models import Conversation, Message
from conversations.moves import Leased, Moving, leased_while


class Workflow(Moving, Leased):
    """The work on one inbound text, from its arrival to the verdict on the draft."""

    class Status(models.TextChoices):
        RECEIVED = "received"
        PROCESSING = "processing"
        COMPLETED = "completed"
        FAILED = "failed"
        SUPERSEDED = "superseded"

    MOVES = {
        Status.RECEIVED: frozenset({Status.PROCESSING, Status.SUPERSEDED}),
        # Back to received: the worker was lost, or an upstream was away and the attempt will be made again.
        Status.PROCESSING: frozenset({Status.COMPLETED, Status.FAILED, Status.SUPERSEDED, Status.RECEIVED}),
        Status.FAILED: frozenset({Status.RECEIVED}),
        # A manager's note asks for another draft.
        Status.COMPLETED: frozenset({Status.RECEIVED}),
        Status.SUPERSEDED: frozenset(),
    }

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="workflows")
    message = models.OneToOneField(Message, on_delete=models.PROTECT, related_name="workflow")
    workflow_type = models.CharField(max_length=30, default="sms_reply")
    status = models.CharField(max_length=15, choices=Status, default=Status.RECEIVED)
    step = models.CharField(max_length=30, default="received")
    superseded_by = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="supersedes"
    )
    outcome = models.CharField(max_length=20, blank=True, help_text="sent, queued, escalated or held: the verdict")
    started_at = models.DateTimeField(default=timezone.now)
    completed_at = models.DateTimeField(null=True, blank=True)
    error_message = models.TextField(blank=True)
    metadata = models.JSONField(default=dict, blank=True)

    class Meta:
        db_table = "orchestration_workflows"
        constraints = [
            models.UniqueConstraint(
                fields=["conversation"], condition=Q(status="processing"), name="one_draft_at_a_time_per_conversation"
            ),
            leased_while("processing", name="a_draft_under_way_has_a_lease"),
        ]
        indexes = [
            models.Index(fields=["not_before"], name="workflow_ready", condition=Q(status="received")),
            models.Index(fields=["lease_until"], name="workflow_leased", condition=Q(status="processing")),
            models.Index(fields=["conversation", "-started_at"], name="workflow_of_conversation"),
            models.Index(fields=["started_at"], name="workflow_by_day"),
            models.Index(fields=["started_at"], name="workflow_failed", condition=Q(status="failed")),
        ]

    def __str__(self) -> str:
        return f"{self.workflow_type.replace('_', ' ')}, {self.status}"


class WorkflowStep(models.Model):
    """What one step of a workflow took and how it ended: the readable story of a text."""

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="steps")
    name = models.CharField(max_length=30)
    attempt = models.PositiveSmallIntegerField(default=1)
    started_at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField()
    outcome = models.CharField(max_length=20, help_text="ok, skipped, unavailable, refused or unknown")
    detail = models.TextField(blank=True)

    class Meta:
        db_table = "workflow_steps"
        ordering = ["started_at", "pk"]
        # For the sweep that forgets the oldest, once a minute.
        indexes = [models.Index(fields=["started_at", "id"], name="step_by_age")]

    def __str__(self) -> str:
        return f"{self.name}: {self.outcome} in {self.duration_ms} ms"
