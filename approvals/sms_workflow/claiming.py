"""Take the texts that wait: one transaction, one conversation at a time for each worker, plain facts out."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from approvals.models import QueuedResponse, Workflow
from approvals.rulebook import current_rules, curve_in_service
from approvals.sms_workflow.escalations import escalated
from approvals.sms_workflow.facts import TextToAnswer
from approvals.sms_workflow.holds import holds_of
from approvals.sms_workflow.notices import tell_of_unsent_words
from conversations.models import Conversation, Message
from conversations.moves import Moment
from conversations.wakeups import look_again_soon

Status = Workflow.Status


def due_drafts(now: Moment) -> QuerySet[Workflow]:
    """The texts whose time has come."""
    return Workflow.objects.filter(status=Status.RECEIVED, not_before__lte=now)


def claim_drafts(limit: int, worker: str) -> list[TextToAnswer]:
    """Take up to `limit` conversations that have a text to answer; the newest text of each, the older ones with it."""
    candidates = _conversations_with_work(limit)
    if not candidates:
        return []
    with transaction.atomic():
        conversations = take_conversations(candidates, limit)
        waiting = _received_workflows(conversations)
        answered_with: dict[UUID, list[Workflow]] = {newest.pk: older for *older, newest in waiting.values()}
        newest = [workflows[-1] for workflows in waiting.values()]
        _supersede(answered_with)
        _lease(newest, worker)
        facts = _facts(newest, worker)
        # Its audit entries come last: their chain is locked until the commit.
        withdraw_overtaken(newest)
        return facts


def _conversations_with_work(limit: int) -> list[UUID]:
    """More than the limit, since others reach for the same."""
    busy = Workflow.objects.filter(status=Status.PROCESSING)
    idle = due_drafts(timezone.now()).exclude(conversation_id__in=busy.values("conversation_id")).order_by("not_before")
    return list(idle.values_list("conversation_id", flat=True)[: limit * 2])


def take_conversations(candidates: Sequence[UUID], limit: int) -> list[UUID]:
    """Whoever holds the conversation's row works on it: two texts of one tenant are never drafted side by side."""
    taken = [conversation.pk for conversation in Conversation.objects.only("pk").taken_from(candidates, limit)]
    if not taken:
        look_again_soon()
    return taken


def _received_workflows(conversations: Sequence[UUID]) -> dict[UUID, list[Workflow]]:
    """By conversation, oldest first. Read after the lock: what another worker took meanwhile is seen as taken.

    Whether they are due no longer matters: a text that waits for another attempt is answered with the newer one.
    """
    busy = Workflow.objects.filter(conversation__in=conversations, status=Status.PROCESSING)
    rows = (
        Workflow.objects.filter(conversation__in=conversations, status=Status.RECEIVED)
        .exclude(conversation_id__in=busy.values("conversation_id"))
        .select_related("message", "conversation")
        .order_by("message__created_at")
    )
    waiting: dict[UUID, list[Workflow]] = defaultdict(list)
    for workflow in rows:
        waiting[workflow.conversation_id].append(workflow)
    return waiting


def _supersede(answered_with: dict[UUID, list[Workflow]]) -> None:
    """Older texts are answered together with the newest; what they had superseded goes along."""
    for newest, older in answered_with.items():
        if older:
            keys = [workflow.pk for workflow in older]
            Workflow.objects.filter(superseded_by__in=keys).update(superseded_by=newest)
            Workflow.objects.filter(pk__in=keys).update(
                status=Status.SUPERSEDED, superseded_by=newest, step="superseded", completed_at=timezone.now()
            )


def _lease(workflows: Sequence[Workflow], worker: str) -> None:
    leased = {
        "status": Status.PROCESSING,
        "step": "drafting",
        "claimed_by": worker,
        "lease_until": timezone.now() + timedelta(seconds=settings.LEASE_SECONDS),
        "updated_at": timezone.now(),
    }
    Workflow.objects.filter(pk__in=[workflow.pk for workflow in workflows]).update(attempts=F("attempts") + 1, **leased)
    for workflow in workflows:
        workflow.attempts += 1


def withdraw_overtaken(workflows: Iterable[Workflow]) -> None:
    """A reply that waits, or is approved and has not left, answers an older text than the newest: it is withdrawn."""
    newest = {workflow.conversation_id: workflow for workflow in workflows}
    overtaken = QueuedResponse.objects.filter(
        conversation__in=newest, status__in=[QueuedResponse.Status.PENDING, QueuedResponse.Status.APPROVED]
    ).select_related("conversation")
    for response in overtaken:
        if response.workflow_id is not None and "stale" not in response.overridden:
            tell_of_unsent_words(response, "stale")
            response.decide(
                QueuedResponse.Status.WITHDRAWN, action=QueuedResponse.Action.WITHDRAW, by="policy", reason="stale"
            )


def _facts(workflows: Sequence[Workflow], worker: str) -> list[TextToAnswer]:
    rules, curve = current_rules(), curve_in_service()
    conversations = [workflow.conversation_id for workflow in workflows]
    together = _texts_answered_together(workflows)
    threads = _threads(conversations)
    holds = holds_of([workflow.conversation.phone for workflow in workflows])
    handed_over = escalated(conversations)
    return [
        TextToAnswer.of(
            workflow,
            worker=worker,
            texts=[*together[workflow.pk], workflow.message],
            thread=threads[workflow.conversation_id],
            holds=holds[workflow.conversation.phone],
            escalated=workflow.conversation_id in handed_over,
            rules=rules,
            curve=curve,
        )
        for workflow in workflows
    ]


def _texts_answered_together(workflows: Sequence[Workflow]) -> dict[UUID, list[Message]]:
    older = (
        Workflow.objects.filter(superseded_by__in=workflows).select_related("message").order_by("message__created_at")
    )
    together: dict[UUID, list[Message]] = defaultdict(list)
    for workflow in older:
        if workflow.superseded_by_id:
            together[workflow.superseded_by_id].append(workflow.message)
    return together


def _threads(conversations: Sequence[UUID]) -> dict[UUID, list[Message]]:
    """Our own ledger's last messages, oldest first: the thread when the SMS Agent's history is away."""
    place = Window(RowNumber(), partition_by=F("conversation_id"), order_by=F("created_at").desc())
    newest = Message.objects.filter(conversation__in=conversations).annotate(place=place)
    threads: dict[UUID, list[Message]] = defaultdict(list)
    for message in newest.filter(place__lte=settings.HISTORY_MESSAGES).order_by("created_at"):
        threads[message.conversation_id].append(message)
    return threads
