"""The ledger: conversations, their messages, and the holds that stop all automatic contact with a person."""

import uuid
from collections.abc import Sequence
from contextlib import suppress
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils import timezone


class Channel(models.TextChoices):
    SMS = "sms"


# Our own text was the last, and nobody was told yet that it stays without an answer.
SILENT = (Q(last_inbound_at__lt=F("last_outbound_at")) | Q(last_inbound_at__isnull=True)) & (
    Q(silence_told_at__lt=F("last_outbound_at")) | Q(silence_told_at__isnull=True)
)


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def known_as(self, any_id: str) -> Self:
        """By our own key or by the id that the caller gave it, whichever fits; the most recently used first."""
        wanted = Q(external_id=any_id)
        with suppress(ValueError):
            wanted |= Q(pk=uuid.UUID(any_id))
        return self.filter(wanted).order_by(F("last_inbound_at").desc(nulls_last=True))

    def locked(self) -> Self:
        """The rows, locked until the transaction ends, in the order of their keys: two workers never wait in a circle.

        Rows that refer to a conversation can be written meanwhile (NO KEY): an audit entry's foreign key is checked at
        its commit, when it holds the end of the chain, and must not wait there for somebody who waits for the chain.
        """
        return self.order_by("pk").select_for_update(no_key=True, of=("self",))

    def taken_from(self, candidates: Sequence[uuid.UUID], limit: int) -> Self:
        """The first `limit` of these that nobody else has locked, now locked: who waits longest is taken first.

        What others hold is left out instead of waited for, so the order of locking does not matter.
        """
        place = Func(
            Value(list(candidates), output_field=ArrayField(models.UUIDField())), F("pk"), function="array_position"
        )
        rows = self.filter(pk__in=candidates).order_by(place)
        return rows.select_for_update(no_key=True, of=("self",), skip_locked=True)[:limit]


class Conversation(models.Model):
    """All texts with one telephone, and what we know of its owner."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    external_id = models.CharField(max_length=100, null=True, blank=True, db_index=True)  # noqa: DJ001 unknown is not ""
    tenant_id = models.CharField(max_length=100, null=True, blank=True, db_index=True)  # noqa: DJ001 unknown is not ""
    phone = models.CharField(max_length=20, help_text="E.164")
    channel = models.CharField(max_length=10, choices=Channel, default=Channel.SMS)
    tenant_name = models.CharField(max_length=200, blank=True)
    property_name = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=8, blank=True)
    language_source = models.CharField(max_length=20, blank=True, help_text="monitor, detected, or a manager")
    last_inbound_at = models.DateTimeField(null=True, blank=True)
    last_outbound_at = models.DateTimeField(null=True, blank=True)
    silence_told_at = models.DateTimeField(
        null=True, blank=True, help_text="Nobody need be told of silences that began before"
    )
    account = models.JSONField(default=dict, blank=True, help_text="The Monitor's account facts as last seen")
    account_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = ConversationQuerySet.as_manager()

    class Meta:
        db_table = "sms_conversations"
        constraints = [
            models.UniqueConstraint(fields=["phone", "channel"], name="one_conversation_per_phone_and_channel"),
        ]
        indexes = [
            models.Index(fields=["-last_inbound_at"], name="conversation_recent"),
            # The sweep asks for conversations that our own text ended and nobody answered.
            models.Index(
                fields=["last_outbound_at"],
                name="conversation_silent",
                condition=SILENT,
            ),
        ]

    def __str__(self) -> str:
        return self.tenant_name or self.phone


class Direction(models.TextChoices):
    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Author(models.TextChoices):
    TENANT = "tenant"
    AI = "ai"
    MANAGER = "manager"
    SYSTEM = "system"


class Delivery(models.TextChoices):
    """What the provider last said of a text; inbound texts are simply received."""

    RECEIVED = "received"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"


class Message(models.Model):
    """One text. Inbound ones are taken in once: the dedupe key sees to it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="messages")
    direction = models.CharField(max_length=10, choices=Direction)
    author = models.CharField(max_length=10, choices=Author)
    body = models.TextField()
    dedupe_key = models.CharField(max_length=200)
    provider_id = models.CharField(max_length=100, blank=True)
    delivery = models.CharField(max_length=15, choices=Delivery)
    written_at = models.DateTimeField(null=True, blank=True, help_text="When the tenant sent it, if the caller said so")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "sms_messages"
        constraints = [
            models.UniqueConstraint(fields=["dedupe_key"], name="a_message_is_taken_in_once"),
        ]
        indexes = [
            models.Index(fields=["conversation", "-created_at"], name="message_thread"),
            models.Index(fields=["created_at", "direction"], name="message_counted"),
            # Whoever looks for words finds them among a hundred thousand texts in a moment.
            GinIndex(SearchVector("body", config="simple"), name="message_words"),
        ]

    def __str__(self) -> str:
        return f"{self.direction} {timezone.localtime(self.created_at):%Y-%m-%d %H:%M}"


class HoldQuerySet(models.QuerySet["ContactHold"]):
    def active(self) -> Self:
        return self.filter(released_at=None)


class ContactHold(models.Model):
    """While it is active, nothing automatic goes out to this telephone: no text and no call."""

    class Reason(models.TextChoices):
        OPT_OUT = "opt_out"
        ATTORNEY_REPRESENTED = "attorney_represented"
        BANKRUPTCY = "bankruptcy"
        CEASE_CONTACT = "cease_contact"
        WRONG_NUMBER = "wrong_number"
        DISPUTE = "dispute"
        EMERGENCY = "emergency"
        MANUAL = "manual"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    phone = models.CharField(max_length=20, db_index=True, help_text="E.164")
    reason = models.CharField(max_length=30, choices=Reason)
    note = models.TextField(blank=True)
    message = models.ForeignKey(Message, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_by = models.CharField(max_length=150)
    created_at = models.DateTimeField(default=timezone.now)
    released_by = models.CharField(max_length=150, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)
    release_note = models.TextField(blank=True)

    objects = HoldQuerySet.as_manager()

    class Meta:
        db_table = "contact_holds"
        constraints = [
            models.UniqueConstraint(
                fields=["phone", "reason"], condition=Q(released_at=None), name="one_active_hold_per_phone_and_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reason} since {timezone.localtime(self.created_at):%Y-%m-%d}"
