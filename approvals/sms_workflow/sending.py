"""Hand an approved text to the SMS Agent: at most once, and never unseen.

approved --claim_sends--> sending --send_text--> sent | failed | approved (surely unsent: later)
                            |
                            '-- its outcome or its worker is lost: the lease runs out, and `looking` takes over
"""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, F, Max, QuerySet
from django.utils import timezone

from approvals import account
from approvals.models import QueuedResponse
from approvals.policy.contact_hours import next_allowed, zone_for
from approvals.policy.escalation import Category
from approvals.policy.gates import Level, check_gates
from approvals.policy.rules import Rules
from approvals.rulebook import current_rules
from approvals.sms_workflow.claiming import take_conversations
from approvals.sms_workflow.escalations import escalated, hand_over
from approvals.sms_workflow.holds import holds_of, stopping_managers
from approvals.sms_workflow.notices import tell_of_unsent_words
from approvals.sms_workflow.recording import is_impatient
from conversations.models import Author, Conversation, Delivery, Direction, Message
from conversations.moves import Moment, last_moment, together_or_each
from conversations.wakeups import wake_at
from integrations import clients
from integrations.errors import CircuitOpen, Refused, Unavailable, UpstreamError
from integrations.sms_agent import Receipt

log = logging.getLogger(__name__)

Status = QueuedResponse.Status
Action = QueuedResponse.Action
POLICY = "policy"
# What only people look at is not read where hundreds of replies pass.
FOR_PEOPLE = ("confidence_parts", "gates", "earlier_draft")


@dataclass(frozen=True, kw_only=True)
class TextToSend:
    """One claimed reply with all that a thread needs to send it, or to look for it."""

    response_id: UUID
    attempt: int
    worker: str
    phone: str
    agent_conversation: str | None
    text: str
    tried_at: datetime
    known_receipts: frozenset[str] = frozenset()

    @property
    def request_id(self) -> str:
        return str(self.response_id)


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """What has come between the approval and the sending."""

    now: datetime
    rules: Rules
    holds: tuple[str, ...]
    escalated: bool
    newest_inbound: datetime | None
    started_this_week: int


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """What is done with an approved reply now: sent, when nothing is said; else waited, taken back, or withdrawn."""

    wait_until: datetime | None = None
    take_back: str = ""
    withdraw: str = ""


def due_sends(now: Moment) -> QuerySet[QueuedResponse]:
    """The approved replies whose time has come."""
    return QueuedResponse.objects.filter(status=Status.APPROVED, not_before__lte=now)


def claim_sends(limit: int, worker: str) -> list[TextToSend]:
    """Take up to `limit` approved replies that are due, one per conversation; the rules are asked once more."""
    in_flight = QueuedResponse.objects.filter(status=Status.SENDING)
    due = due_sends(timezone.now()).exclude(conversation__in=in_flight.values("conversation")).order_by("not_before")
    candidates = list(due.values_list("conversation_id", flat=True)[: limit * 2])
    if not candidates:
        return []
    with transaction.atomic():
        replies = _due_replies(candidates, limit)
        circumstances = _circumstances(replies)
        cleared = [reply for reply in replies if _is_cleared(reply, circumstances[reply.pk])]
        _lease(cleared, worker)
        return [to_send(reply) for reply in cleared]


def _lease(replies: Sequence[QueuedResponse], worker: str) -> None:
    now = timezone.now()
    # What was looked for after an earlier sending says nothing about this one.
    leased = {"status": Status.SENDING, "claimed_by": worker, "tried_at": now, "looks": 0, "updated_at": now}
    QueuedResponse.objects.filter(pk__in=[reply.pk for reply in replies]).update(
        attempts=F("attempts") + 1, lease_until=now + timedelta(seconds=settings.SEND_LEASE_SECONDS), **leased
    )
    for reply in replies:
        reply.attempts, reply.claimed_by, reply.tried_at = reply.attempts + 1, worker, now


def _due_replies(candidates: Sequence[UUID], limit: int) -> list[QueuedResponse]:
    """The oldest due reply of each conversation that nobody else works on and that has no text in flight."""
    conversations = take_conversations(candidates, limit)
    in_flight = QueuedResponse.objects.filter(conversation__in=conversations, status=Status.SENDING)
    # Read after the lock, so that what another worker took meanwhile is seen as taken.
    due = due_sends(timezone.now()).filter(conversation__in=conversations)
    ready = due.exclude(conversation__in=in_flight.values("conversation")).defer(*FOR_PEOPLE)
    return list(
        ready.select_related("conversation", "message").order_by("conversation", "actioned_at").distinct("conversation")
    )


def _circumstances(replies: Sequence[QueuedResponse]) -> dict[UUID, Circumstances]:
    conversations = [reply.conversation_id for reply in replies]
    rules, now = current_rules(), timezone.now()
    holds = holds_of([reply.conversation.phone for reply in replies])
    handed_over = escalated(conversations)
    inbound = Message.objects.filter(conversation__in=conversations, direction=Direction.INBOUND)
    newest = dict(inbound.values_list("conversation_id").annotate(Max("created_at")))
    started = _started_this_week(conversations, now)
    return {
        reply.pk: Circumstances(
            now=now,
            rules=rules,
            holds=holds[reply.conversation.phone],
            escalated=reply.conversation_id in handed_over,
            newest_inbound=newest.get(reply.conversation_id),
            started_this_week=started.get(reply.conversation_id, 0),
        )
        for reply in replies
    }


def _started_this_week(conversations: Sequence[UUID], now: datetime) -> dict[UUID, int]:
    """How many texts that answer nothing went to each conversation in the last seven days."""
    started = QueuedResponse.objects.filter(
        conversation__in=conversations, message=None, status=Status.SENT, sent_at__gte=now - timedelta(days=7)
    )
    return dict(started.values_list("conversation_id").annotate(Count("pk")))


def _is_cleared(reply: QueuedResponse, circumstances: Circumstances) -> bool:
    """Whether it may go now; if not, the reply is moved to where it belongs instead."""
    ruling = _ruling(reply, circumstances)
    if ruling.withdraw:
        tell_of_unsent_words(reply, ruling.withdraw)
        reply.decide(Status.WITHDRAWN, action=Action.WITHDRAW, by=POLICY, reason=ruling.withdraw)
    elif ruling.take_back:
        _take_back(reply, ruling.take_back)
    elif ruling.wait_until:
        _wait(reply, ruling.wait_until, circumstances.rules)
    return ruling == Ruling()


def _wait(reply: QueuedResponse, until: datetime, rules: Rules) -> None:
    """It goes when the contact window opens, which managers read in the tenant's own time."""
    clock = until.astimezone(ZoneInfo(zone_for(reply.conversation.phone, rules.contact_time_zone)))
    QueuedResponse.objects.filter(pk=reply.pk, status=Status.APPROVED).update(
        not_before=until, error_message=f"waits for the contact window until {clock:%H:%M %Z}"
    )
    wake_at(until)


def _ruling(reply: QueuedResponse, circumstances: Circumstances) -> Ruling:
    """As `rule_on`; a reply on which our own rules fail goes to a person instead of stopping all others."""
    try:
        return rule_on(reply, circumstances)
    except Exception:
        # Whatever it is: what could not be checked must not leave, and the other replies must.
        log.exception("reply %s could not be checked", reply.pk)
        return Ruling(take_back="check_failed")


def rule_on(reply: QueuedResponse, circumstances: Circumstances) -> Ruling:
    """The rules at the moment of sending: stale, holds, gates, the week's limit, the contact window."""
    answered = reply.message.created_at if reply.message else reply.created_at
    newest = circumstances.newest_inbound
    stale = newest is not None and newest > answered
    if stale and "stale" not in reply.overridden:
        return Ruling(withdraw="stale")
    if "opt_out" in circumstances.holds:
        return Ruling(withdraw="hold_opt_out")
    stopping = circumstances.holds if reply.automatic else stopping_managers(circumstances.holds)
    if stopping:
        return Ruling(take_back=", ".join(f"hold_{reason}" for reason in stopping))
    if reply.automatic and not circumstances.rules.auto_send_enabled:
        return Ruling(take_back="auto_send_disabled")
    if reply.automatic and circumstances.escalated:
        return Ruling(take_back="open_escalation")
    turned_red = _turned_red(reply, circumstances, stale=stale)
    if turned_red:
        return Ruling(take_back=", ".join(f"gate_{code}" for code in turned_red))
    if reply.message is None and circumstances.started_this_week >= circumstances.rules.max_started_per_week:
        return Ruling(take_back="too_many_started_texts")
    opening = next_allowed(
        circumstances.now,
        time_zone=zone_for(reply.conversation.phone, circumstances.rules.contact_time_zone),
        rules=circumstances.rules,
        tenant_wrote_at=(reply.message.written_at or answered) if reply.message else None,
    )
    return Ruling(wait_until=opening) if opening > circumstances.now else Ruling()


def _turned_red(reply: QueuedResponse, circumstances: Circumstances, *, stale: bool) -> list[str]:
    """The gates on the exact text once more: what is red now and was not knowingly overridden."""
    facts = account.facts_for_gates(
        reply.conversation.account,
        tenant_message=reply.tenant_message,
        language=reply.language,
        newer_message_waiting=stale,
        by_manager=not reply.automatic,
    )
    gates = check_gates(reply.final_text, facts, circumstances.rules)
    return [gate.code for gate in gates if gate.level is Level.RED and gate.code not in reply.overridden]


def _take_back(reply: QueuedResponse, why: str) -> None:
    """Back to the managers; where a newer draft waits already, this one is withdrawn instead."""
    tell_of_unsent_words(reply, why)
    if reply.conversation.responses.filter(status=Status.PENDING).exists():
        reply.decide(Status.WITHDRAWN, action=Action.WITHDRAW, by=POLICY, reason=why)
        return
    reply.decide(
        Status.PENDING,
        action=Action.QUEUE,
        by=POLICY,
        reason=why,
        reasons=list(dict.fromkeys([*reply.reasons, *why.split(", ")])),
        overridden=[],
        manager_action=None,
        actioned_by=None,
        actioned_at=None,
    )


def to_send(reply: QueuedResponse, known_receipts: frozenset[str] = frozenset()) -> TextToSend:
    return TextToSend(
        response_id=reply.pk,
        attempt=reply.attempts,
        worker=reply.claimed_by,
        phone=reply.conversation.phone,
        agent_conversation=reply.conversation.external_id,
        text=reply.final_text,
        tried_at=reply.tried_at or reply.updated_at,
        known_receipts=known_receipts,
    )


def send_text(job: TextToSend) -> Receipt | UpstreamError:
    """One POST, never repeated here: the agent is not idempotent."""
    if timezone.now() >= last_moment_to_send(job):
        return Unavailable("sms_agent", "this worker slept over its claim and has not sent the text")
    try:
        return clients.sms_agent().send(
            to=job.phone, body=job.text, conversation_id=job.agent_conversation, request_id=job.request_id
        )
    except UpstreamError as error:
        return error


def last_moment_to_send(job: TextToSend) -> datetime:
    """Later, another worker could already look for the text, find nothing and send it again."""
    longest_send = settings.CONNECT_TIMEOUT_SECONDS + settings.SMS_AGENT_TIMEOUT_SECONDS
    return last_moment(job.tried_at, lease=settings.SEND_LEASE_SECONDS, longest=longest_send)


def record_sends(finished: Sequence[tuple[TextToSend, Receipt | Exception]]) -> None:
    """The receipts, or what is done about their absence.

    A row that cannot be written stays `sending`: when its lease runs out the text is looked for, never sent blindly.
    """
    together_or_each(finished, _record)


def _record(finished: Sequence[tuple[TextToSend, Receipt | Exception]]) -> None:
    ours = still_ours([job for job, _ in finished])
    receipts = []
    for job, result in finished:
        reply = ours.get(job.response_id)
        if reply is None:
            log.warning("reply %s: another worker looks after it now", job.response_id)
        elif isinstance(result, Receipt):
            receipts.append((reply, result.provider_id or result.message_id or ""))
        elif isinstance(result, Refused):
            _failed(reply, str(result))
        elif isinstance(result, Unavailable):
            asked = not isinstance(result, CircuitOpen)
            send_later(reply, str(result), result.retry_after, asked=asked)
        else:
            # Unknown, or our own fault after the POST may have left: look before anything else is done.
            _look_soon(reply, str(result))
    record_receipts(receipts)


def still_ours(jobs: Sequence[TextToSend]) -> dict[UUID, QueuedResponse]:
    """The replies whose claim still holds, locked after their conversations as everybody locks; others are left out."""
    fence = {job.response_id: (job.worker, job.attempt) for job in jobs}
    _lock_conversations(fence)
    rows = QueuedResponse.objects.filter(pk__in=fence, status=Status.SENDING).select_for_update(
        no_key=True, of=("self",)
    )
    return {
        reply.pk: reply
        for reply in rows.select_related("conversation").defer(*FOR_PEOPLE, "conversation__account").order_by("pk")
        if (reply.claimed_by, reply.attempts) == fence[reply.pk]
    }


def _lock_conversations(replies: Collection[UUID]) -> None:
    of_replies = QueuedResponse.objects.filter(pk__in=replies).values("conversation")
    list(Conversation.objects.filter(pk__in=of_replies).locked().only("pk"))


RECEIPT = """
UPDATE ai_response_queue SET status = 'sent', receipt = %s, sent_at = %s, updated_at = %s, lease_until = NULL,
    error_message = '' WHERE id = %s AND status = 'sending'
"""


def record_receipts(receipts: Sequence[tuple[QueuedResponse, str]]) -> None:
    """The texts are out: the replies have their receipts, the ledger its messages."""
    if not receipts:
        return
    now = timezone.now()
    with connection.cursor() as cursor:
        # One round trip for all of them; the move itself is the table's `sending -> sent`.
        cursor.executemany(RECEIPT, [(receipt, now, now, reply.pk) for reply, receipt in receipts])
    Message.objects.bulk_create(_sent_message(reply, receipt, now) for reply, receipt in receipts)
    Conversation.objects.filter(pk__in=[reply.conversation_id for reply, _ in receipts]).update(last_outbound_at=now)


def _sent_message(reply: QueuedResponse, receipt: str, now: datetime) -> Message:
    return Message(
        conversation_id=reply.conversation_id,
        direction=Direction.OUTBOUND,
        author=Author.AI if reply.final_text == reply.ai_response else Author.MANAGER,
        body=reply.final_text,
        dedupe_key=f"reply {reply.pk}",
        provider_id=receipt,
        delivery=Delivery.SENT,
        created_at=now,
    )


def _look_soon(reply: QueuedResponse, why: str) -> None:
    look_at = timezone.now() + timedelta(seconds=settings.LOOK_AFTER_SECONDS)
    QueuedResponse.objects.filter(pk=reply.pk).update(lease_until=look_at, error_message=why)
    wake_at(look_at)


def _failed(reply: QueuedResponse, why: str) -> None:
    reply.move(Status.FAILED, error_message=why, lease_until=None)
    hand_over(reply.conversation, category=Category.SEND_FAILED, reason=why, by=POLICY, response=reply)


def send_later(reply: QueuedResponse, why: str, retry_after: float | None, *, asked: bool = True) -> None:
    """Surely unsent: approved again after a pause, until the attempts are used up; one that nobody was `asked` for
    counts only when the text has waited long."""
    counts = asked or is_impatient(reply.actioned_at or reply.created_at)
    if counts and reply.attempts >= settings.MAX_SEND_ATTEMPTS:
        _failed(reply, why)
        return
    pause = max(retry_after or 0, settings.SEND_RETRY_SECONDS * 4 ** (reply.attempts - 1))
    due = timezone.now() + timedelta(seconds=pause)
    made = reply.attempts if counts else reply.attempts - 1
    reply.move(Status.APPROVED, not_before=due, attempts=made, error_message=why, lease_until=None)
    wake_at(due)
