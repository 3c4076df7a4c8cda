"""Tell the managers, at least once: a second e-mail is harmless, a lost one is not."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from approvals.models import Notification, QueuedResponse
from conversations.models import Conversation
from conversations.moves import Moment, Overtaken, together_or_each
from conversations.refusals import Conflict, NotFound
from conversations.wakeups import wake, wake_at
from integrations import clients
from integrations.errors import UpstreamError
from integrations.notifications import Channel, Priority

log = logging.getLogger(__name__)

Status = Notification.Status
MAX_ATTEMPTS = 8
SUBJECTS = {
    "reply_waiting": "A reply waits for you",
    "text_on_hold": "A text from somebody on hold",
    "escalation": "Escalated",
    "send_failed": "A text could not be sent",
    "words_not_sent": "A manager's text was not sent",
    "pending_reminder": "Replies still wait",
}


def tell_managers(kind: str, conversation: Conversation, reasons: Sequence[str], *, priority: str = "normal") -> None:
    """Write one notice per manager's address, in the caller's transaction. Ids and codes only: texts stay with us."""
    who = f"conversation {conversation.pk}"
    body = (
        f"{SUBJECTS[kind]}: {', '.join(filter(None, reasons)) or 'no reason given'}.\n"
        f"{settings.PUBLIC_URL}/admin/conversations/conversation/{conversation.pk}/change/"
    )
    Notification.objects.bulk_create(
        Notification(
            kind=kind,
            recipient=address,
            subject=f"{SUBJECTS[kind]}: {', '.join(reasons[:1]) or who}"[:200],
            body=body,
            priority=priority,
            metadata={"kind": kind, "conversation_id": str(conversation.pk)},
        )
        for address in settings.MANAGER_EMAIL
    )


def tell_of_unsent_words(reply: QueuedResponse, why: str) -> None:
    """Policy stops a reply that a person has written: that person believes it to be on its way."""
    if reply.in_own_words:
        by = f"written by {reply.actioned_by}" if reply.actioned_by else ""
        tell_managers("words_not_sent", reply.conversation, (why, by))


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A claimed notification, without its row."""

    pk: UUID
    worker: str
    attempt: int
    channel: Channel
    recipient: str
    subject: str
    body: str
    priority: Priority
    metadata: dict[str, str]


def due_notices(now: Moment) -> QuerySet[Notification]:
    """The notices whose time has come."""
    return Notification.objects.filter(status=Status.PENDING, not_before__lte=now)


def claim_notices(limit: int, worker: str) -> list[Notice]:
    """Take up to `limit` notices that are due."""
    now = timezone.now()
    with transaction.atomic():
        rows = list(due_notices(now).order_by("not_before").select_for_update(skip_locked=True)[:limit])
        Notification.objects.filter(pk__in=[row.pk for row in rows]).update(
            status=Status.SENDING,
            claimed_by=worker,
            attempts=F("attempts") + 1,
            lease_until=now + timedelta(seconds=settings.LEASE_SECONDS),
        )
    return [
        Notice(
            pk=row.pk,
            worker=worker,
            attempt=row.attempts + 1,
            channel=Channel(row.channel),
            recipient=row.recipient,
            subject=row.subject,
            body=row.body,
            priority=Priority(row.priority),
            metadata=row.metadata,
        )
        for row in rows
    ]


def send_again(notice_id: UUID) -> None:
    """A person has seen to what stood in the way of a given-up notice. Raises NotFound, Conflict (not_failed)."""
    with transaction.atomic():
        notice = Notification.objects.filter(pk=notice_id).first()
        if notice is None:
            raise NotFound("not_found", "There is no such notice.")
        try:
            notice.move(Status.PENDING, attempts=0, not_before=timezone.now(), error_message="")
        except Overtaken as error:
            raise Conflict(
                "not_failed", f"Only a notice that was given up is sent again; this one is {notice.status}."
            ) from error
        wake()


def send_notice(notice: Notice) -> str | UpstreamError:
    """The Notification Service's tracking id, or why there is none."""
    try:
        return clients.notifications().send(
            channel=notice.channel,
            recipient=notice.recipient,
            subject=notice.subject,
            body=notice.body,
            priority=notice.priority,
            metadata=notice.metadata,
            request_id=str(notice.pk),
        )
    except UpstreamError as error:
        return error


def record_notices(finished: Sequence[tuple[Notice, str | Exception]]) -> None:
    """Sent, or tried again later and later; given up after the last attempt, visibly."""
    together_or_each(finished, _record)


def _record(finished: Sequence[tuple[Notice, str | Exception]]) -> None:
    for notice, result in finished:
        ours = Notification.objects.filter(
            pk=notice.pk, status=Status.SENDING, claimed_by=notice.worker, attempts=notice.attempt
        )
        now = timezone.now()
        if isinstance(result, str):
            ours.update(status=Status.SENT, tracking_id=result, sent_at=now, lease_until=None, error_message="")
        elif notice.attempt >= MAX_ATTEMPTS:
            ours.update(status=Status.FAILED, error_message=str(result), lease_until=None)
            log.error("notification %s was given up: %s", notice.pk, result)
        else:
            due = now + timedelta(seconds=15 * 2**notice.attempt)
            ours.update(status=Status.PENDING, not_before=due, error_message=str(result), lease_until=None)
            wake_at(due)
