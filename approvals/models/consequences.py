"""What follows from a text: a payment plan, something that a person must take over, a notice to the managers."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from approvals.models.replies import QueuedResponse
from conversations.models import Conversation
from conversations.moves import Leased, Moving, leased_while


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
        constraints = [leased_while("sending", name="a_notice_in_flight_has_a_lease")]
        indexes = [
            models.Index(fields=["not_before"], name="notification_ready", condition=Q(status="pending")),
            models.Index(fields=["lease_until"], name="notification_leased", condition=Q(status="sending")),
            models.Index(fields=["kind", "recipient", "-created_at"], name="notification_kind"),
            models.Index(fields=["created_at"], name="notification_by_age", condition=Q(status__in=["sent", "failed"])),
            models.Index(fields=["created_at"], name="notification_failed", condition=Q(status="failed")),
        ]

    def __str__(self) -> str:
        return f"{self.kind.replace('_', ' ')} to {self.recipient}: {self.status}"
