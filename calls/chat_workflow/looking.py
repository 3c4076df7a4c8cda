"""What is not known is asked for: an order that may have been carried out, and how a placed call stands.

placing, lease run out --claim_call_looks--> look_for_call --> placed       found
                                                               confirmed    surely absent: placed again
                                                               unknown      nobody can say: a person decides
placed --claim_polls--> poll_call --> completed | failed | placed (asked again later)
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from calls.chat_workflow.placing import CallToPlace, record_receipt, still_ours, to_place, try_later
from calls.chat_workflow.results import lock_chats_of, locked_task, perhaps, take_in
from calls.chat_workflow.steps import step
from calls.models import CallTask, Chat
from calls.policy.outcomes import Report
from calls.task_types import known_types, type_of
from calls.task_types.base import Receipt
from conversations.moves import Moment, together_or_each
from conversations.wakeups import wake_at
from integrations.errors import UpstreamError

log = logging.getLogger(__name__)

Status = CallTask.Status


@dataclass(frozen=True, kw_only=True)
class Looked:
    """A receipt, or surely nothing (`absent`), or nobody to ask."""

    receipt: Receipt | None = None
    absent: bool = False


# A handler that accepts late must not make us call twice: one empty look is not enough.
LOOKS_TO_BE_SURE = 2


def due_call_looks(now: Moment) -> QuerySet[CallTask]:
    """The tasks whose placing was lost: their outcome, or their worker with its lease."""
    return CallTask.objects.filter(status=Status.PLACING, lease_until__lte=now, task_type__in=known_types())


def claim_call_looks(limit: int, worker: str) -> list[CallToPlace]:
    """Take up to `limit` tasks whose placing was lost."""
    with transaction.atomic():
        jobs = []
        for task in _locked(due_call_looks(timezone.now()), limit):
            until = timezone.now() + timedelta(seconds=settings.CALL_LEASE_SECONDS)
            task.claimed_by, task.looks, task.lease_until = worker, task.looks + 1, until
            task.save(update_fields=["claimed_by", "looks", "lease_until"])
            jobs.append(to_place(task, task.tried_at or task.updated_at))
        return jobs


def _locked(due: QuerySet[CallTask], limit: int) -> list[CallTask]:
    candidates = list(due.order_by("lease_until").values_list("chat_id", flat=True)[: limit * 2])
    if not candidates:
        return []
    chats = {chat.pk: chat for chat in Chat.objects.filter(pk__in=candidates).select_for_update(skip_locked=True)}
    tasks = list(due.filter(chat__in=chats).order_by("lease_until")[:limit])
    for task in tasks:
        task.chat = chats[task.chat_id]
    return tasks


def look_for_call(job: CallToPlace) -> Looked | UpstreamError:
    """Asks whoever knows whether the order was carried out after all."""
    kind = type_of(job.task_type)
    if not kind.can_ask():
        return Looked()
    try:
        receipt = kind.look(job.order)
    except UpstreamError as error:
        return error
    return Looked(receipt=receipt, absent=receipt is None)


def record_call_looks(finished: Sequence[tuple[CallToPlace, Looked | Exception]]) -> None:
    """Found = placed; surely absent = placed again; else a person decides."""
    together_or_each(finished, _record_look_all)


def _record_look_all(finished: Sequence[tuple[CallToPlace, Looked | Exception]]) -> None:
    lock_chats_of(job.task_id for job, _ in finished)
    for job, result in finished:
        _record_look(job, result)


def _record_look(job: CallToPlace, result: Looked | Exception) -> None:
    task = still_ours(job)
    if task is None:
        return
    answered = "found" if isinstance(result, Looked) and result.receipt else type(result).__name__
    step(task, "looked", upstream_status=getattr(result, "status", None) or answered)
    if isinstance(result, Looked) and result.receipt:
        record_receipt(task, result.receipt)
    elif isinstance(result, Looked) and result.absent and task.looks < LOOKS_TO_BE_SURE:
        _look_again(task, "the provider has no trace of it yet")
    elif isinstance(result, Looked) and result.absent:
        try_later(task, "the provider has no trace of it, so it surely did not ring", None)
    elif isinstance(result, Looked) or task.looks >= settings.MAX_LOOKS:
        why = "its worker was lost, and nobody can be asked" if isinstance(result, Looked) else str(result)
        perhaps(task, task.error_message or why, result if isinstance(result, Exception) else None)
    else:
        _look_again(task, str(result))


def _look_again(task: CallTask, why: str) -> None:
    again = timezone.now() + timedelta(seconds=settings.LOOK_AFTER_SECONDS * 2**task.looks)
    CallTask.objects.filter(pk=task.pk).update(lease_until=again, error_message=why)
    wake_at(again)


@dataclass(frozen=True, kw_only=True)
class CallToAskFor:
    """A placed call whose state is asked for."""

    task_id: UUID
    task_type: str
    reference: str
    worker: str


def due_polls(now: Moment) -> QuerySet[CallTask]:
    """The placed calls whose outcome is to be asked for."""
    return CallTask.objects.filter(status=Status.PLACED, lease_until__lte=now, task_type__in=known_types())


def claim_polls(limit: int, worker: str) -> list[CallToAskFor]:
    """Take up to `limit` placed calls that are due to be asked for; none without Twilio's credentials."""
    with transaction.atomic():
        jobs = []
        for task in _locked(due_polls(timezone.now()), limit):
            # The next poll is due by itself, should this one get lost.
            due_again = timezone.now() + timedelta(seconds=settings.CALL_LEASE_SECONDS)
            CallTask.objects.filter(pk=task.pk).update(lease_until=due_again, claimed_by=worker)
            jobs.append(
                CallToAskFor(task_id=task.pk, task_type=task.task_type, reference=task.reference, worker=worker)
            )
        return jobs


def poll_call(job: CallToAskFor) -> Report | UpstreamError | None:
    """How the call stands; None when nobody can say."""
    kind = type_of(job.task_type)
    try:
        return kind.poll(job.reference, str(job.task_id)) if kind.can_ask() else None
    except UpstreamError as error:
        return error


def record_polls(finished: Sequence[tuple[CallToAskFor, Report | Exception | None]]) -> None:
    """The outcome, or the next poll."""
    together_or_each(finished, _record_poll_all)


def _record_poll_all(finished: Sequence[tuple[CallToAskFor, Report | Exception | None]]) -> None:
    lock_chats_of(job.task_id for job, _ in finished)
    for job, result in finished:
        _record_poll(job, result)


def _record_poll(job: CallToAskFor, result: Report | Exception | None) -> None:
    task = locked_task(pk=job.task_id, status=Status.PLACED, reference=job.reference)
    if task is None:
        return
    if isinstance(result, Exception):
        step(task, "asked_for", upstream_status=getattr(result, "status", None) or type(result).__name__)
    elif result is not None:
        take_in(task, result, source="Twilio")
    again = timezone.now() + timedelta(seconds=settings.CALL_POLL_SECONDS)
    if CallTask.objects.filter(pk=task.pk, status=Status.PLACED).update(lease_until=again):
        wake_at(again)
