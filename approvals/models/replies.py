"""The reply that comes of a text, and the log of who decided what about it."""

import uuid
from typing import Any

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from approvals.models.work import Workflow
from conversations.models import Conversation, Message
from conversations.moves import Leased, Moving, leased_while


class QueuedResponse(Moving, Leased):
    """One reply: the draft, why it went the way it went, who decided, and the receipt of what was sent."""

    class Status(models.TextChoices):
        PENDING = "pending"
        APPROVED = "approved"
        SENDING = "sending"
        SENT = "sent"
        ESCALATED = "escalated"
        WITHDRAWN = "withdrawn"
        CLOSED = "closed"
        FAILED = "failed"
        UNKNOWN = "unknown"

    MOVES = {
        Status.PENDING: frozenset({Status.APPROVED, Status.ESCALATED, Status.WITHDRAWN, Status.CLOSED}),
        # Back to pending: the manager's undo, or an automatic approval that a new hold or escalation overtook.
        Status.APPROVED: frozenset({Status.SENDING, Status.WITHDRAWN, Status.PENDING}),
        Status.SENDING: frozenset({Status.SENT, Status.FAILED, Status.UNKNOWN, Status.APPROVED}),
        Status.FAILED: frozenset({Status.APPROVED, Status.ESCALATED, Status.CLOSED}),
        Status.UNKNOWN: frozenset({Status.APPROVED, Status.ESCALATED, Status.CLOSED}),
        Status.SENT: frozenset(),
        Status.ESCALATED: frozenset(),
        Status.WITHDRAWN: frozenset(),
        Status.CLOSED: frozenset(),
    }

    class Action(models.TextChoices):
        """What was decided; the value of `manager_action` and of the audit entries."""

        AUTO_APPROVE = "auto_approve"
        APPROVE = "approve"
        MODIFY = "modify"
        ESCALATE = "escalate"
        REDRAFT = "redraft"
        CLOSE = "close"
        SNOOZE = "snooze"
        WAKE = "wake"
        UNDO = "undo"
        WITHDRAW = "withdraw"
        QUEUE = "queue"
        HOLD = "hold"
        RELEASE_HOLD = "release_hold"
        ASSIGN = "assign"
        NOTE = "note"
        RESOLVE = "resolve"
        ACCEPT_PLAN = "accept_plan"
        DECLINE_PLAN = "decline_plan"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="responses")
    workflow = models.ForeignKey(
        Workflow,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="responses",
        help_text="none: a manual text",
    )
    message = models.ForeignKey(Message, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    tenant_message = models.TextField(blank=True)
    ai_response = models.TextField(blank=True)
    final_text = models.TextField(blank=True, help_text="The exact text that is or will be sent")
    language = models.CharField(max_length=8, blank=True)
    confidence_score = models.DecimalField(max_digits=4, decimal_places=3, default=0)
    raw_confidence = models.DecimalField(
        max_digits=4,
        decimal_places=3,
        null=True,
        blank=True,
        help_text="The same before the learned curve; none: of a time that knew no curve",
    )
    confidence_parts = models.JSONField(default=list, blank=True)
    gates = models.JSONField(default=list, blank=True)
    reasons = models.JSONField(default=list, blank=True, help_text="Codes of the verdict")
    earlier_draft = models.JSONField(null=True, blank=True, help_text="The first try, when a gate turned it down")
    status = models.CharField(max_length=15, choices=Status, default=Status.PENDING)
    manager_action = models.CharField(max_length=20, choices=Action, null=True, blank=True)  # noqa: DJ001 as specified
    modified_response = models.TextField(null=True, blank=True)  # noqa: DJ001 as specified
    actioned_by = models.CharField(max_length=150, null=True, blank=True)  # noqa: DJ001 as specified
    actioned_at = models.DateTimeField(null=True, blank=True)
    overridden = models.JSONField(default=list, blank=True, help_text="Codes of red gates that a manager overrode")
    snoozed_until = models.DateTimeField(null=True, blank=True)
    viewer = models.CharField(max_length=150, blank=True, help_text="Who has the card open")
    viewer_until = models.DateTimeField(null=True, blank=True)
    looks = models.PositiveSmallIntegerField(default=0, help_text="How often an unknown outcome was looked up")
    tried_at = models.DateTimeField(null=True, blank=True, help_text="When it was last handed to the SMS Agent")
    receipt = models.CharField(max_length=100, blank=True, help_text="The provider's id of the sent text")
    sent_at = models.DateTimeField(null=True, blank=True)
    error_message = models.TextField(blank=True)
    model = models.CharField(max_length=100, blank=True)
    prompt_version = models.CharField(max_length=20, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "ai_response_queue"
        verbose_name, verbose_name_plural = "reply", "replies"
        permissions = [
            ("approve", "Can approve, modify, redraft and close replies"),
            ("override_gates", "Can send a text in spite of a red gate, with a reason"),
            ("escalate", "Can escalate and resolve escalations"),
            ("release_hold", "Can place and release contact holds"),
            ("change_rules", "Can switch automatic sending on and off"),
            ("retry", "Can retry failed work and see the system's health"),
        ]
        constraints = [
            models.CheckConstraint(
                name="nothing_is_sent_unapproved",
                condition=~Q(status__in=["approved", "sending", "sent", "failed", "unknown"])
                | Q(actioned_by__isnull=False, actioned_at__isnull=False),
            ),
            models.CheckConstraint(name="a_sent_text_has_a_receipt", condition=~Q(status="sent") | ~Q(receipt="")),
            models.UniqueConstraint(
                fields=["conversation"], condition=Q(status="sending"), name="one_text_in_flight_per_conversation"
            ),
            models.UniqueConstraint(
                fields=["conversation"], condition=Q(status="pending"), name="one_waiting_draft_per_conversation"
            ),
            leased_while("sending", name="a_text_in_flight_has_a_lease"),
        ]
        indexes = [
            models.Index(fields=["created_at"], name="response_waiting", condition=Q(status="pending")),
            models.Index(fields=["not_before"], name="response_ready", condition=Q(status="approved")),
            models.Index(fields=["lease_until"], name="response_leased", condition=Q(status="sending")),
            models.Index(fields=["conversation", "-created_at"], name="response_of_conversation"),
            models.Index(fields=["-created_at", "status"], name="response_recent"),
            # What went wrong on its way, and what people decided: the console's other lists.
            models.Index(
                fields=["created_at"], name="response_in_trouble", condition=Q(status__in=["failed", "unknown"])
            ),
            models.Index(
                fields=["-actioned_at"],
                name="response_decided_by_people",
                condition=Q(actioned_by__isnull=False) & ~Q(actioned_by="policy"),
            ),
        ]

    def __str__(self) -> str:
        return f"reply {self.status}"

    @property
    def automatic(self) -> bool:
        """Whether policy approved it, not a person."""
        return self.manager_action == self.Action.AUTO_APPROVE

    @property
    def in_own_words(self) -> bool:
        """Whether a person wrote the words, or changed them."""
        return self.final_text != self.ai_response

    def decide(self, to: str, *, action: str, by: str, reason: str = "", **changes: Any) -> None:
        """Make a move that somebody decided, and write it into the audit log in the same transaction."""
        with transaction.atomic():
            self.move(to, **changes)
            ApprovalAuditEntry.of(self, action=action, by=by, reason=reason).save(force_insert=True)


class ApprovalAuditEntry(models.Model):
    """One decision. The database numbers it, chains it to the one before by hash, and refuses to change it.

    Write it last in its transaction: the chain has one end, which is locked until the commit.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    seq = models.BigIntegerField(unique=True, editable=False, help_text="Set by the database: 1, 2, 3 without a gap")
    response = models.ForeignKey(
        QueuedResponse, on_delete=models.PROTECT, null=True, related_name="audit", db_column="response_queue_id"
    )
    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, null=True, related_name="audit")
    action = models.CharField(max_length=20, choices=QueuedResponse.Action)
    original_response = models.TextField(blank=True)
    final_response = models.TextField(blank=True)
    reason = models.TextField(blank=True)
    approved_by = models.CharField(max_length=150)
    created_at = models.DateTimeField(default=timezone.now)
    previous_hash = models.CharField(max_length=64, editable=False)
    entry_hash = models.CharField(max_length=64, editable=False)

    class Meta:
        db_table = "approval_audit_log"
        verbose_name, verbose_name_plural = "audit entry", "audit log"
        indexes = [models.Index(fields=["-created_at"], name="audit_recent")]

    def __str__(self) -> str:
        return f"{self.seq}. {self.action} by {self.approved_by}"

    @classmethod
    def of(cls, response: QueuedResponse, *, action: str, by: str, reason: str = "") -> "ApprovalAuditEntry":
        """The entry for a decision on a reply, not yet saved."""
        return cls(
            response_id=response.pk,
            conversation_id=response.conversation_id,
            action=action,
            original_response=response.ai_response,
            final_response=response.final_text,
            reason=reason,
            approved_by=by,
        )
