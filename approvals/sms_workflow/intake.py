"""A text comes in: taken in once, in one short transaction, whatever the caller repeats."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from approvals.models import Workflow
from approvals.policy.text import strip_invisible
from conversations.models import Author, Delivery, Direction, Message
from conversations.phones import NotAPhone, to_e164
from conversations.refusals import Conflict, Invalid
from conversations.wakeups import wake


@dataclass(frozen=True, kw_only=True)
class InboundText:
    """A text as the caller hands it over; ids are text, whatever they were."""

    phone_number: str
    content: str
    tenant_id: str | None = None
    conversation_id: str | None = None
    message_id: str | None = None
    received_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """The keys under which the text can be followed; `duplicate` when we had it already."""

    workflow_id: UUID
    conversation_id: UUID
    duplicate: bool


def receive_sms(text: InboundText) -> Accepted:
    """Take a text in and wake the workers.

    Raises Invalid for a number that cannot be one or a text without words, Conflict (id_used_before) for new words
    under a known id.
    """
    try:
        phone = to_e164(text.phone_number, region=settings.DEFAULT_REGION)
    except NotAPhone as error:
        message = f"This is no telephone number that can be reached: {error}."
        raise Invalid("invalid_phone", message, fields={"phone_number": [message]}) from error
    body = strip_invisible(text.content).strip()
    if not body:
        message = "The text has no visible characters."
        raise Invalid("invalid", message, fields={"content": [message]})
    try:
        with transaction.atomic():
            return _take_in(text, phone, body)
    except IntegrityError:
        # The unique dedupe key says that we have it: a repeat, harmless by design.
        return _already_taken_in(_first_of_the_id(text, phone, body))


def _take_in(text: InboundText, phone: str, body: str) -> Accepted:
    now = timezone.now()
    conversation = _conversation(text, phone, now)
    # The upsert above holds the conversation's row: two copies of one text without an id cannot pass each other here.
    if text.message_id is None and (repeated := _same_words(conversation, body, now)):
        return _already_taken_in(repeated)
    key = _key_of_caller(phone, text) if text.message_id else _key_of_words(phone, body, now)
    message = Message.objects.create(
        conversation_id=conversation,
        direction=Direction.INBOUND,
        author=Author.TENANT,
        body=body,
        dedupe_key=key,
        provider_id=text.message_id or "",
        delivery=Delivery.RECEIVED,
        written_at=min(text.received_at, now) if text.received_at else None,
        created_at=timezone.now(),
    )
    workflow = Workflow.objects.create(conversation_id=conversation, message=message)
    wake()
    return Accepted(workflow_id=workflow.pk, conversation_id=conversation, duplicate=False)


# Django's bulk upsert keeps the key that it made up; the row's own key is what everything else hangs on.
UPSERT = """
INSERT INTO sms_conversations AS known
    (id, phone, channel, external_id, tenant_id, last_inbound_at, created_at,
     tenant_name, property_name, language, language_source, account)
VALUES (%(id)s, %(phone)s, 'sms', %(external_id)s, %(tenant_id)s, %(now)s, %(now)s, '', '', '', '', '{}')
ON CONFLICT (phone, channel) DO UPDATE SET
    last_inbound_at = EXCLUDED.last_inbound_at,
    external_id = coalesce(EXCLUDED.external_id, known.external_id),
    tenant_id = coalesce(EXCLUDED.tenant_id, known.tenant_id)
RETURNING id
"""


def _conversation(text: InboundText, phone: str, now: datetime) -> UUID:
    """The key of the phone's conversation, made or brought up to date, and locked, by one statement."""
    ids = {"id": uuid4(), "external_id": text.conversation_id, "tenant_id": text.tenant_id}
    with connection.cursor() as cursor:
        cursor.execute(UPSERT, {**ids, "phone": phone, "now": now})
        key: UUID = cursor.fetchone()[0]
    return key


def _first_of_the_id(text: InboundText, phone: str, body: str) -> Message:
    """The text that came with this id before. Raises Conflict for other words: a STOP must not pass for a repeat."""
    first = Message.objects.get(dedupe_key=_key_of_caller(phone, text))
    if first.body != body:
        raise Conflict("id_used_before", "Another text of this number came with the same message id. Send its own id.")
    return first


def _same_words(conversation: UUID, body: str, now: datetime) -> Message | None:
    """The newest text, if it says the same and came a moment ago. After other words the same words are news:
    of "STOP, START, STOP" the last counts."""
    since = now - timedelta(seconds=settings.DUPLICATE_WINDOW_SECONDS)
    inbound = Message.objects.filter(conversation=conversation, direction=Direction.INBOUND, created_at__gte=since)
    newest = inbound.order_by("-created_at").first()
    return newest if newest and newest.body == body else None


def _already_taken_in(message: Message) -> Accepted:
    workflow = Workflow.objects.only("pk").get(message=message)
    return Accepted(workflow_id=workflow.pk, conversation_id=message.conversation_id, duplicate=True)


def _key_of_caller(phone: str, text: InboundText) -> str:
    # With the phone: a caller that counts its messages per conversation must not lose a text to another's number.
    return f"{phone} {text.message_id}"


def _key_of_words(phone: str, body: str, now: datetime) -> str:
    return f"{phone} {now.isoformat()} {hashlib.sha256(body.encode()).hexdigest()[:32]}"
