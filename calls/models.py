"""The assistant's ledger: chats and their messages, what is remembered, the tasks, and each task's steps.

All rows of a user hang on one `Chat`: erasing it erases everything. What must never be false is a constraint.
"""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.functional import cached_property

from conversations.moves import Leased, Moving, leased_while


class Language(models.TextChoices):
    ENGLISH = "en"
    HEBREW = "he"


class Chat(models.Model):
    """One user of the assistant. Locking this row puts the user's turns, tasks and notices in one order."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.CharField(
        max_length=250, unique=True, help_text="person:KEY, or token:TOKEN:USER for the user that a service names"
    )
    user_id = models.CharField(max_length=150, help_text="As the caller names the user")
    language = models.CharField(max_length=5, choices=Language, default=Language.ENGLISH)
    region = models.CharField(max_length=2, help_text="Of telephone numbers without a country code: US, IL")
    last_seq = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "chats"

    def __str__(self) -> str:
        return f"chat of {self.user_id}"

    @cached_property
    def tasks_at_hand(self) -> "list[CallTask]":
        """Those that are talked about or under way, newest first. Read once: who locks the chat has them to himself."""
        return list(self.tasks.filter(status__in=[*OPEN, *UNDER_WAY]).order_by("-created_at"))


class CallTask(Moving, Leased):
    """Something that a user asked to have done, from the first word to the reported outcome."""

    class Status(models.TextChoices):
        COLLECTING = "collecting"
        CONFIRMING = "confirming"
        CONFIRMED = "confirmed"
        PLACING = "placing"
        PLACED = "placed"
        COMPLETED = "completed"
        FAILED = "failed"
        UNKNOWN = "unknown"
        CANCELLED = "cancelled"

    MOVES = {
        Status.COLLECTING: frozenset({Status.CONFIRMING, Status.CANCELLED}),
        # Back to collecting: a change while confirming asks again.
        Status.CONFIRMING: frozenset({Status.COLLECTING, Status.CONFIRMED, Status.CANCELLED}),
        Status.CONFIRMED: frozenset({Status.PLACING, Status.FAILED, Status.CANCELLED}),
        # Back to confirmed: it surely did not ring, and is tried again.
        Status.PLACING: frozenset({Status.PLACED, Status.COMPLETED, Status.FAILED, Status.UNKNOWN, Status.CONFIRMED}),
        Status.PLACED: frozenset({Status.COMPLETED, Status.FAILED, Status.UNKNOWN}),
        # Perhaps ringing, or without a reported outcome: Twilio, a late report or a person says what became of it.
        Status.UNKNOWN: frozenset({Status.PLACED, Status.COMPLETED, Status.FAILED, Status.CONFIRMED}),
        Status.COMPLETED: frozenset(),
        Status.FAILED: frozenset(),
        Status.CANCELLED: frozenset(),
    }

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    chat = models.ForeignKey(Chat, on_delete=models.CASCADE, related_name="tasks")
    task_type = models.CharField(max_length=30)
    status = models.CharField(max_length=15, choices=Status, default=Status.COLLECTING)
    parameters = models.JSONField(default=dict, blank=True)
    phone = models.CharField(max_length=20, blank=True, help_text="E.164: whom the task contacts, if anybody")
    language = models.CharField(max_length=5, choices=Language, default=Language.ENGLISH)
    summary = models.TextField(blank=True, help_text="What the user was asked to confirm, word for word")
    retry_of = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="retries")
    reference = models.CharField(max_length=100, blank=True, help_text="The upstream's id: a call's SID")
    upstream_status = models.CharField(max_length=30, blank=True, help_text="The upstream's last word")
    outcome = models.CharField(max_length=20, blank=True, help_text="answered, voicemail, busy, no_answer, failed, ...")
    result = models.JSONField(default=dict, blank=True, help_text="Duration, who answered, summary, transcript")
    looks = models.PositiveSmallIntegerField(default=0, help_text="How often the upstream was asked what became of it")
    error_message = models.TextField(blank=True)
    resolved_by = models.CharField(max_length=150, blank=True, help_text="Who said what became of an unknown one")
    confirmed_at = models.DateTimeField(null=True, blank=True)
    tried_at = models.DateTimeField(null=True, blank=True, help_text="When it was last handed to the upstream")
    placed_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "call_tasks"
        permissions = [
            ("use_assistant", "Can ask the assistant for calls"),
            ("resolve", "Can say what became of a call whose outcome is unknown"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["chat"], condition=Q(status__in=["collecting", "confirming"]), name="one_open_task_per_chat"
            ),
            models.CheckConstraint(
                name="nothing_is_placed_unconfirmed",
                condition=Q(status__in=["collecting", "confirming", "cancelled"]) | Q(confirmed_at__isnull=False),
            ),
            models.CheckConstraint(
                name="a_placed_call_has_a_reference", condition=~Q(status="placed") | ~Q(reference="")
            ),
            models.UniqueConstraint(fields=["reference"], condition=~Q(reference=""), name="one_task_per_call"),
            models.CheckConstraint(
                name="a_finished_task_has_an_outcome",
                condition=~Q(status__in=["completed", "failed", "unknown"]) | ~Q(outcome=""),
            ),
            leased_while("placing", name="a_call_being_placed_has_a_lease"),
        ]
        indexes = [
            models.Index(fields=["not_before"], name="task_ready", condition=Q(status="confirmed")),
            models.Index(fields=["lease_until"], name="task_leased", condition=Q(status__in=["placing", "placed"])),
            models.Index(fields=["chat", "-created_at"], name="task_of_chat"),
            models.Index(fields=["phone", "-tried_at"], name="task_by_phone"),
            models.Index(fields=["-created_at", "status"], name="task_recent"),
        ]

    def __str__(self) -> str:
        return f"{self.task_type} {self.status}"


# Being talked about; and no longer in the user's hands, but not over.
OPEN = (CallTask.Status.COLLECTING, CallTask.Status.CONFIRMING)
UNDER_WAY = (CallTask.Status.CONFIRMED, CallTask.Status.PLACING, CallTask.Status.PLACED, CallTask.Status.UNKNOWN)


class CallStep(models.Model):
    """One step of a task: what was done, what the upstream said, how long it took."""

    task = models.ForeignKey(CallTask, on_delete=models.CASCADE, related_name="steps")
    name = models.CharField(max_length=30)
    at = models.DateTimeField(default=timezone.now)
    duration_ms = models.PositiveIntegerField(default=0)
    upstream_status = models.CharField(max_length=40, blank=True)
    detail = models.TextField(blank=True)

    class Meta:
        db_table = "call_steps"
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.name}: {self.upstream_status or 'ok'}"


class ChatMessage(Moving, Leased):
    """One line of a chat. A user's line that words alone cannot answer waits for the language model."""

    class Status(models.TextChoices):
        WAITING = "waiting"
        READING = "reading"
        SETTLED = "settled"

    MOVES = {
        Status.WAITING: frozenset({Status.READING, Status.SETTLED}),
        Status.READING: frozenset({Status.SETTLED, Status.WAITING}),
        Status.SETTLED: frozenset(),
    }

    class Role(models.TextChoices):
        USER = "user"
        ASSISTANT = "assistant"

    class Kind(models.TextChoices):
        TURN = "turn"
        REPLY = "reply"
        UPDATE = "update"
        NOTICE = "notice"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    chat = models.ForeignKey(Chat, on_delete=models.CASCADE, related_name="messages")
    seq = models.PositiveIntegerField(help_text="Place in the chat: 1, 2, 3")
    role = models.CharField(max_length=10, choices=Role)
    kind = models.CharField(max_length=10, choices=Kind)
    body = models.TextField()
    language = models.CharField(max_length=5, choices=Language, default=Language.ENGLISH)
    status = models.CharField(max_length=10, choices=Status, default=Status.SETTLED)
    answers = models.OneToOneField("self", on_delete=models.CASCADE, null=True, blank=True, related_name="answer")
    task = models.ForeignKey(CallTask, on_delete=models.CASCADE, null=True, blank=True, related_name="messages")
    offers_retry = models.BooleanField(default=False, help_text="Asks whether to try again later")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "chat_messages"
        ordering = ["chat", "seq"]
        constraints = [
            models.UniqueConstraint(fields=["chat", "seq"], name="a_chat_is_in_one_order"),
            models.UniqueConstraint(fields=["task"], condition=Q(kind="notice"), name="one_completion_notice_per_task"),
            models.UniqueConstraint(
                fields=["chat"], condition=Q(status="reading"), name="one_turn_is_read_at_a_time_per_chat"
            ),
            leased_while("reading", name="a_turn_being_read_has_a_lease"),
        ]
        indexes = [
            models.Index(fields=["not_before"], name="turn_waiting", condition=Q(status="waiting")),
            models.Index(fields=["lease_until"], name="turn_leased", condition=Q(status="reading")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.seq}"


class ContextItem(models.Model):
    """One thing that is remembered of a user, such as the number of "the pizza place"."""

    class Kind(models.TextChoices):
        CONTACT = "contact"
        PREFERENCE = "preference"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    chat = models.ForeignKey(Chat, on_delete=models.CASCADE, related_name="context")
    kind = models.CharField(max_length=15, choices=Kind, default=Kind.CONTACT)
    name = models.CharField(max_length=100)
    value = models.CharField(max_length=300)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "context_items"
        constraints = [models.UniqueConstraint(fields=["chat", "kind", "name"], name="a_name_means_one_thing")]

    def __str__(self) -> str:
        return f"{self.name}: {self.value}"


class RecentCall(models.Model):
    """That some number was called, without who asked for it: the weekly cap outlives the user's data.

    Only a keyed digest of the number is kept, for seven days.
    """

    phone_digest = models.CharField(max_length=64)
    called_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "recent_calls"
        indexes = [models.Index(fields=["phone_digest", "called_at"], name="recent_call_counted")]

    def __str__(self) -> str:
        return f"{self.called_at:%Y-%m-%d %H:%M}"


class EarlyReport(models.Model):
    """A report on a call whose receipt we have not written down yet; it waits an hour at the most."""

    reference = models.CharField(max_length=100, db_index=True)
    report = models.JSONField()
    received_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "early_reports"

    def __str__(self) -> str:
        return self.reference


class Erasure(models.Model):
    """That somebody's data was erased: when, through whom, how much; nothing of whose or what."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    erased_at = models.DateTimeField(default=timezone.now)
    asked_through = models.CharField(max_length=100, help_text="The page, or the name of the service's token")
    counts = models.JSONField(default=dict)

    class Meta:
        db_table = "context_erasures"

    def __str__(self) -> str:
        return f"{self.erased_at:%Y-%m-%d %H:%M} through {self.asked_through}"
