"""The work on a text, the reply that comes of it, who decided what, and what follows: plans, escalations, notices.

Every status has its table of moves beside it; what must never be false is a constraint named as a sentence.
"""

import uuid
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from approvals.policy.confidence import Curve
from conversations.models import Conversation, Message
from conversations.moves import Leased, Moving


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


class PaymentPlan(models.Model):
    """A plan or a single payment that a tenant proposed or accepted, checked against the rules."""

    class Status(models.TextChoices):
        """A proposed plan is accepted by policy or a person, declined by a person, or replaced by the next one."""

        PROPOSED = "proposed"
        ACCEPTED = "accepted"
        DECLINED = "declined"
        REPLACED = "replaced"

    class Source(models.TextChoices):
        TENANT = "tenant"
        MODEL = "model"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="payment_plans")
    response = models.ForeignKey(
        QueuedResponse, on_delete=models.PROTECT, null=True, blank=True, related_name="payment_plans"
    )
    weekly_amount = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True, help_text="US dollars")
    weeks = models.PositiveIntegerField(null=True, blank=True)
    start_date = models.DateField(null=True, blank=True)
    total = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    one_off_amount = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    one_off_date = models.DateField(null=True, blank=True)
    valid = models.BooleanField(default=False)
    auto_approvable = models.BooleanField(default=False)
    issues = models.JSONField(default=list, blank=True)
    source = models.CharField(max_length=10, choices=Source)
    status = models.CharField(max_length=10, choices=Status, default=Status.PROPOSED)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "payment_plans"
        constraints = [
            models.CheckConstraint(
                name="a_plan_or_a_payment_has_an_amount",
                condition=Q(weekly_amount__isnull=False) | Q(one_off_amount__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["-created_at"], name="plan_recent")]

    def __str__(self) -> str:
        if self.weekly_amount is None:
            return f"${self.one_off_amount} once"
        return f"${self.weekly_amount} a week" + (f" for {self.weeks} weeks" if self.weeks else "")


class Escalation(models.Model):
    """Something that a person must take over. While it is open, nothing goes out by itself in that conversation."""

    class Status(models.TextChoices):
        OPEN = "open"
        RESOLVED = "resolved"

    class Severity(models.TextChoices):
        CRITICAL = "critical"
        HIGH = "high"
        MEDIUM = "medium"
        LOW = "low"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="escalations")
    response = models.ForeignKey(QueuedResponse, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    category = models.CharField(max_length=40)
    severity = models.CharField(max_length=10, choices=Severity)
    reason = models.TextField(blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    created_by = models.CharField(max_length=150)
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField()
    assigned_to = models.CharField(max_length=150, blank=True)
    notes = models.TextField(blank=True)
    resolved_by = models.CharField(max_length=150, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "escalations"
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "category"],
                condition=Q(status="open"),
                name="one_open_escalation_per_conversation_and_category",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], name="escalation_open", condition=Q(status="open")),
            models.Index(fields=["-created_at"], name="escalation_recent"),
        ]

    def __str__(self) -> str:
        return f"{self.category.replace('_', ' ')} ({self.severity})"


class Notification(Moving, Leased):
    """An e-mail and the like to the managers, sent at least once: a second one is harmless, a lost one is not."""

    class Status(models.TextChoices):
        PENDING = "pending"
        SENDING = "sending"
        SENT = "sent"
        FAILED = "failed"

    MOVES = {
        Status.PENDING: frozenset({Status.SENDING}),
        Status.SENDING: frozenset({Status.SENT, Status.FAILED, Status.PENDING}),
        Status.FAILED: frozenset({Status.PENDING}),
        Status.SENT: frozenset(),
    }

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=30)
    channel = models.CharField(max_length=10, default="email")
    recipient = models.CharField(max_length=254)
    subject = models.CharField(max_length=200)
    body = models.TextField()
    priority = models.CharField(max_length=10, default="normal")
    metadata = models.JSONField(default=dict, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    tracking_id = models.CharField(max_length=100, blank=True)
    error_message = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "notifications"
        verbose_name, verbose_name_plural = "notice", "notices"
        indexes = [
            models.Index(fields=["not_before"], name="notification_ready", condition=Q(status="pending")),
            models.Index(fields=["lease_until"], name="notification_leased", condition=Q(status="sending")),
            models.Index(fields=["kind", "recipient", "-created_at"], name="notification_kind"),
            models.Index(fields=["created_at"], name="notification_by_age", condition=Q(status__in=["sent", "failed"])),
            models.Index(fields=["created_at"], name="notification_failed", condition=Q(status="failed")),
        ]

    def __str__(self) -> str:
        return f"{self.kind.replace('_', ' ')} to {self.recipient}: {self.status}"


class RuleSwitch(models.Model):
    """A rule that managers turn while the system runs, such as automatic sending. The newest row of a name counts."""

    name = models.CharField(max_length=50)
    value = models.BooleanField()
    reason = models.TextField(blank=True)
    turned_by = models.CharField(max_length=150)
    turned_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "rule_switches"
        verbose_name_plural = "rule switches"
        indexes = [models.Index(fields=["name", "-turned_at"], name="switch_latest")]

    def __str__(self) -> str:
        return f"{self.name} {'on' if self.value else 'off'} by {self.turned_by}"


class ConfidenceCurve(models.Model):
    """What managers' decisions have taught about the confidence, as plain numbers. The newest row counts.

    One without points is the way back to the figure of the written rules. `points` are pairs of decimal strings;
    the measures compare the figure without and with the curve on decisions that it was not learned from.
    """

    class Method(models.TextChoices):
        LOGISTIC = "logistic"
        ISOTONIC = "isotonic"
        OFF = "off"

    method = models.CharField(max_length=10, choices=Method)
    points = models.JSONField(default=list, blank=True)
    decisions = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0, help_text="How many of the decisions sent the draft as it was")
    learned_since = models.DateTimeField(null=True, blank=True)
    brier_before = models.FloatField(null=True, blank=True)
    brier_after = models.FloatField(null=True, blank=True)
    log_loss_before = models.FloatField(null=True, blank=True)
    log_loss_after = models.FloatField(null=True, blank=True)
    calibration_error_before = models.FloatField(null=True, blank=True)
    calibration_error_after = models.FloatField(null=True, blank=True)
    reason = models.TextField(blank=True)
    turned_by = models.CharField(max_length=150)
    turned_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "confidence_curves"
        constraints = [
            models.CheckConstraint(
                name="a_curve_in_service_is_no_worse_than_none",
                condition=Q(method="off", points=[])
                | Q(
                    brier_before__isnull=False,
                    log_loss_before__isnull=False,
                    brier_after__isnull=False,
                    log_loss_after__isnull=False,
                    brier_after__lte=F("brier_before"),
                    log_loss_after__lte=F("log_loss_before"),
                ),
            ),
        ]
        indexes = [models.Index(fields=["-turned_at"], name="curve_latest")]

    def __str__(self) -> str:
        return f"{self.method} of {self.decisions} decisions" if self.points else "no curve"

    @property
    def curve(self) -> Curve | None:
        """As the rules take it; None for the way back."""
        if not self.points:
            return None
        return Curve(points=tuple((Decimal(figure), Decimal(probability)) for figure, probability in self.points))


class ConsolePreference(models.Model):
    """How a person likes the console; whoever has no row has the defaults."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    keys = models.BooleanField(default=True, help_text="Whether single letters decide")

    class Meta:
        db_table = "console_preferences"

    def __str__(self) -> str:
        return f"keys {'on' if self.keys else 'off'}"
