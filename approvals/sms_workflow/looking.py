"""A text that may have gone out is looked for in the SMS Agent's history before anything else is done with it.

sending, lease run out --claim_looks--> look_for_text --record_looks--> sent       found
                                                                        approved   surely absent: sent again
                                                                        unknown    neither: a person decides
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from approvals.models import QueuedResponse
from approvals.policy.escalation import Category
from approvals.sms_workflow.escalations import hand_over
from approvals.sms_workflow.sending import POLICY, TextToSend, record_receipts, send_later, still_ours, to_send
from conversations.models import Direction, Message
from conversations.moves import Moment, together_or_each
from conversations.wakeups import wake_at
from integrations import clients
from integrations.errors import UpstreamError
from integrations.sms_agent import HistoryItem

log = logging.getLogger(__name__)

Status = QueuedResponse.Status
# An agent that writes its history late must not make us send twice: one empty look is not enough.
LOOKS_TO_BE_SURE = 2
# The agent's clock and ours may differ by so much.
CLOCK_SKEW = timedelta(minutes=2)


def due_looks(now: Moment) -> QuerySet[QueuedResponse]:
    """The replies whose sending was lost: their outcome, or their worker with its lease."""
    return QueuedResponse.objects.filter(status=Status.SENDING, lease_until__lte=now)


def claim_looks(limit: int, worker: str) -> list[TextToSend]:
    """Take up to `limit` replies whose sending was lost."""
    with transaction.atomic():
        rows = list(
            due_looks(timezone.now())
            .order_by("lease_until")
            .select_for_update(skip_locked=True, of=("self",))
            .select_related("conversation")[:limit]
        )
        until = timezone.now() + timedelta(seconds=settings.SEND_LEASE_SECONDS)
        QueuedResponse.objects.filter(pk__in=[reply.pk for reply in rows]).update(
            claimed_by=worker, lease_until=until, looks=F("looks") + 1
        )
        for reply in rows:
            reply.claimed_by = worker
        known = _known_receipts(rows)
        return [to_send(reply, known) for reply in rows]


def _known_receipts(replies: Sequence[QueuedResponse]) -> frozenset[str]:
    """Receipts of other texts: the same words said earlier are not this text."""
    sent = Message.objects.filter(
        conversation__in=[reply.conversation_id for reply in replies], direction=Direction.OUTBOUND
    )
    return frozenset(sent.exclude(provider_id="").values_list("provider_id", flat=True))


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What the agent's history says: a receipt, surely nothing (`absent`), or neither."""

    receipt: str = ""
    absent: bool = False
    why: str = ""


# The provider's words for a text that is on its way or there; every other word leaves the outcome open.
GONE_OUT = frozenset({"queued", "accepted", "sending", "sent", "delivered", "read"})


def look_for_text(job: TextToSend) -> Looked | UpstreamError:
    """Look into the agent's history for a text that may have gone out."""
    try:
        history = clients.sms_agent().history(job.phone, limit=100, request_id=job.request_id)
    except UpstreamError as error:
        return error
    matching = [item for item in (history.items if history else ()) if _is_ours(item, job)]
    if not matching:
        return Looked(absent=True)
    for item in matching:
        if item.delivery_status is None or item.delivery_status.lower() in GONE_OUT:
            return Looked(receipt=item.provider_id or "found in the agent's history")
    return Looked(why=f"the agent lists it as {matching[-1].delivery_status}")


def _is_ours(item: HistoryItem, job: TextToSend) -> bool:
    return (
        item.direction == "outbound"
        and item.body.strip() == job.text.strip()
        and item.at >= job.tried_at - CLOCK_SKEW
        and item.provider_id not in job.known_receipts
    )


def record_looks(finished: Sequence[tuple[TextToSend, Looked | Exception]]) -> None:
    """Found = sent; surely absent = approved again; else a person decides. Unwritten, it is looked for again."""
    together_or_each(finished, _record)


def _record(finished: Sequence[tuple[TextToSend, Looked | Exception]]) -> None:
    ours = still_ours([job for job, _ in finished])
    for job, result in finished:
        if job.response_id in ours:
            _conclude(ours[job.response_id], result)


def _conclude(reply: QueuedResponse, result: Looked | Exception) -> None:
    if isinstance(result, Looked) and result.receipt:
        record_receipts([(reply, result.receipt)])
    elif isinstance(result, Looked) and result.absent and reply.looks < LOOKS_TO_BE_SURE:
        _look_again(reply, "the agent has no trace of it yet")
    elif isinstance(result, Looked) and result.absent:
        send_later(reply, "the agent has no trace of it, so it surely did not go out", None)
    elif isinstance(result, Looked) or reply.looks >= settings.MAX_LOOKS:
        why = result.why if isinstance(result, Looked) else str(result)
        reply.move(Status.UNKNOWN, error_message=why, lease_until=None)
        hand_over(
            reply.conversation,
            category=Category.SEND_FAILED,
            reason=f"It may have gone out: {why}",
            by=POLICY,
            response=reply,
        )
    else:
        _look_again(reply, str(result))


def _look_again(reply: QueuedResponse, why: str) -> None:
    again = timezone.now() + timedelta(seconds=settings.LOOK_AFTER_SECONDS * 2**reply.looks)
    QueuedResponse.objects.filter(pk=reply.pk).update(lease_until=again, error_message=why)
    wake_at(again)
