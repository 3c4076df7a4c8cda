"""A confirmed task is handed to its upstream: once, in its turn, and never unseen.

confirmed --claim_calls--> placing --place_call--> placed | completed | failed | confirmed (surely not done: later)
                             |
                             '-- its outcome or its worker is lost: the lease runs out, and `looking` takes over
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from time import perf_counter
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from calls.chat_workflow import limits
from calls.chat_workflow.results import brief, finish, lock_chats_of, locked_task, perhaps, take_in
from calls.chat_workflow.steps import step
from calls.models import CallTask, Chat, EarlyReport
from calls.policy.outcomes import Outcome, Report
from calls.replies import phone_as_written, say
from calls.task_types import all_types, known_types, type_of
from calls.task_types.base import Order, Receipt
from conversations.moves import Moment, last_moment, together_or_each
from conversations.wakeups import wake_at
from integrations.base import no_try_after
from integrations.errors import OutcomeUnknown, Refused, Unavailable, UpstreamError

log = logging.getLogger(__name__)

Status = CallTask.Status


@dataclass(frozen=True, kw_only=True)
class CallToPlace:
    """One claimed task with all that a thread needs to do it, or to look for it."""

    task_id: UUID
    task_type: str
    attempt: int
    worker: str
    order: Order


@dataclass(frozen=True, kw_only=True)
class Placed:
    """What the upstream said, and how long it took to say it (milliseconds)."""

    result: Receipt | UpstreamError
    took_ms: int


def due_calls(now: Moment) -> QuerySet[CallTask]:
    """The confirmed tasks whose time has come."""
    return CallTask.objects.filter(status=Status.CONFIRMED, not_before__lte=now, task_type__in=known_types())


def claim_calls(limit: int, worker: str) -> list[CallToPlace]:
    """Take up to `limit` confirmed tasks that are due; the rules are asked once more, and free lines counted."""
    with transaction.atomic():
        due = due_calls(timezone.now())
        if not due.exists():
            return []
        lines = _free_lines()
        waiting = due.order_by("not_before", "created_at")
        if lines == 0:
            waiting = waiting.exclude(task_type__in=_types_that_take_a_line())
        candidates = list(waiting.values_list("chat_id", flat=True)[: limit * 2])
        chats = {chat.pk: chat for chat in Chat.objects.filter(pk__in=candidates).select_for_update(skip_locked=True)}
        # Read after the locks, so that what was cancelled or taken meanwhile is seen.
        tasks = list(waiting.filter(chat__in=chats)[:limit])
        for task in tasks:
            task.chat = chats[task.chat_id]
        return [_claim(task, worker) for task in _in_their_turn(_allowed(tasks), lines)]


def _free_lines() -> int:
    """How many more calls may be placed now; counted under a lock, so that all processes together keep to it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('lines of the telephone'))")
    active = CallTask.objects.filter(
        status__in=[Status.PLACING, Status.PLACED], task_type__in=_types_that_take_a_line()
    ).count()
    free: int = settings.MAX_ACTIVE_CALLS - active
    return max(0, free)


def _types_that_take_a_line() -> list[str]:
    return [kind.code for kind in all_types() if kind.takes_a_line]


def _in_their_turn(tasks: Sequence[CallTask], lines: int) -> list[CallTask]:
    """The tasks for which there is a line; the others stay confirmed, and the end of a call wakes for them."""
    placed = []
    for task in tasks:
        if type_of(task.task_type).takes_a_line:
            if lines == 0:
                continue
            lines -= 1
        placed.append(task)
    return placed


def _allowed(tasks: Sequence[CallTask]) -> list[CallTask]:
    """The tasks that may be done now; what has come between the yes and now is told, or waited for."""
    phones = [task.phone for task in tasks if task.phone]
    held, counts, now = limits.on_hold(phones), limits.calls_this_week(phones), timezone.now()
    allowed = []
    for task in tasks:
        opening = limits.opening_for(task.phone, now) if task.phone else now
        if task.phone in held:
            _hold_back(task, "on_hold")
        elif task.phone and counts.get(task.phone, 0) >= settings.MAX_CALLS_PER_NUMBER:
            _hold_back(task, "called_too_often", count=counts[task.phone])
        elif opening > now:
            CallTask.objects.filter(pk=task.pk).update(not_before=opening)
            step(task, "waits_for_contact_hours")
            wake_at(opening)
        else:
            if task.phone:
                counts[task.phone] = counts.get(task.phone, 0) + 1
            allowed.append(task)
    return allowed


def _hold_back(task: CallTask, line: str, **values: object) -> None:
    number = phone_as_written(task.phone, region=task.chat.region, language=task.language)
    why = say(line, task.language, number=number, **values)
    finish(task, Outcome.REFUSED, text=say("held_back", task.language, why=why), why=line)


def _claim(task: CallTask, worker: str) -> CallToPlace:
    now = timezone.now()
    task.move(
        Status.PLACING,
        claimed_by=worker,
        attempts=task.attempts + 1,
        tried_at=now,
        looks=0,
        lease_until=now + timedelta(seconds=settings.CALL_LEASE_SECONDS),
    )
    if task.phone and type_of(task.task_type).takes_a_line and task.attempts == 1:
        limits.remember_call(task.phone)
    step(task, "placing")
    return to_place(task, now)


def to_place(task: CallTask, tried_at: datetime) -> CallToPlace:
    """The task as plain facts. Other tasks' references tell a call that is not this one."""
    since = tried_at - timedelta(hours=1)
    others = CallTask.objects.filter(phone=task.phone, tried_at__gte=since).exclude(pk=task.pk).exclude(reference="")
    known = frozenset(others.values_list("reference", flat=True)) if task.phone else frozenset()
    return CallToPlace(
        task_id=task.pk,
        task_type=task.task_type,
        attempt=task.attempts,
        worker=task.claimed_by,
        order=Order(task_id=task.pk, parameters=dict(task.parameters), tried_at=tried_at, known_references=known),
    )


def place_call(job: CallToPlace) -> Placed:
    """Hands the order over, once: it is never repeated here."""
    started = perf_counter()
    try:
        result: Receipt | UpstreamError = _execute(job)
    except UpstreamError as error:
        result = error
    return Placed(result=result, took_ms=round((perf_counter() - started) * 1000))


def _execute(job: CallToPlace) -> Receipt:
    left = (_last_moment_to_place(job) - timezone.now()).total_seconds()
    if left <= 0:
        raise Unavailable(job.task_type, "this worker slept over its claim and has not placed the call")
    with no_try_after(left):
        return type_of(job.task_type).execute(job.order)


def _last_moment_to_place(job: CallToPlace) -> datetime:
    """Later, another worker could already look for the call, find none and place it again."""
    longest = settings.CONNECT_TIMEOUT_SECONDS + settings.CALL_HANDLER_TIMEOUT_SECONDS
    return last_moment(job.order.tried_at, lease=settings.CALL_LEASE_SECONDS, longest=longest)


def record_calls(finished: Sequence[tuple[CallToPlace, Placed | Exception]]) -> None:
    """The receipt, or what is done about its absence; all in one short transaction."""
    together_or_each(finished, _record_all)


def _record_all(finished: Sequence[tuple[CallToPlace, Placed | Exception]]) -> None:
    lock_chats_of(job.task_id for job, _ in finished)
    for job, result in finished:
        _record(job, result)


def _record(job: CallToPlace, placed: Placed | Exception) -> None:
    task = still_ours(job)
    if task is None:
        log.warning("task %s: erased, or looked after by another worker", job.task_id)
        return
    result = placed.result if isinstance(placed, Placed) else placed
    status = result.status if isinstance(result, UpstreamError | Receipt) else None
    took = placed.took_ms if isinstance(placed, Placed) else 0
    answered = HTTPStatus.OK if isinstance(result, Receipt) else status or type(result).__name__
    failure = result if isinstance(result, Exception) else None
    step(task, "handed_over", upstream_status=answered, duration_ms=took, detail=str(failure or ""), error=failure)
    if isinstance(result, Receipt):
        record_receipt(task, result)
    elif isinstance(result, Refused):
        finish(task, Outcome.REFUSED, why=str(result))
    elif isinstance(result, Unavailable):
        try_later(task, str(result), result.retry_after)
    else:
        _outcome_unknown(task, result)


def still_ours(job: CallToPlace) -> CallTask | None:
    """The task, with its chat locked, if this attempt of this worker still has it."""
    return locked_task(pk=job.task_id, status=Status.PLACING, claimed_by=job.worker, attempts=job.attempt)


def record_receipt(task: CallTask, receipt: Receipt) -> None:
    """It is done, or under way: what tells of its end is waited for."""
    kind, now = type_of(task.task_type), timezone.now()
    if not kind.reports_later:
        CallTask.objects.filter(pk=task.pk).update(reference=receipt.reference, placed_at=now)
        finish(task, Outcome.DONE, report=Report(reference=receipt.reference, status=receipt.status))
        return
    due = now + timedelta(seconds=settings.CALL_POLL_SECONDS)
    can_poll = kind.can_ask()
    task.move(
        Status.PLACED,
        reference=receipt.reference,
        upstream_status=receipt.status,
        placed_at=now,
        error_message="",
        lease_until=due if can_poll else None,
    )
    step(task, "placed", upstream_status=receipt.status)
    if can_poll:
        wake_at(due)
    for early in EarlyReport.objects.filter(reference=receipt.reference).order_by("pk"):
        take_in(task, Report(**early.report), source="an early report")
        early.delete()


def try_later(task: CallTask, why: str, asked: float | None) -> None:
    """Surely not done: confirmed again after a pause, until the attempts are used up."""
    if task.attempts >= settings.MAX_CALL_ATTEMPTS:
        finish(task, Outcome.FAILED, text=_generic(task), why=why)
        return
    due = timezone.now() + timedelta(seconds=max(asked or 0, settings.CALL_RETRY_SECONDS * 2 ** (task.attempts - 1)))
    task.move(Status.CONFIRMED, not_before=due, error_message=why, lease_until=None)
    step(task, "tried_again_later", detail=why)
    wake_at(due)


def _generic(task: CallTask) -> str:
    """What the user is told of a fault of ours: that it is one, and nothing of its inside."""
    return say("failed_generic", task.language, what=brief(task))


def _outcome_unknown(task: CallTask, error: Exception) -> None:
    """Perhaps it rings: it is looked for where somebody can be asked; else the settings and a person decide."""
    if type_of(task.task_type).can_ask():
        look_at = timezone.now() + timedelta(seconds=settings.LOOK_AFTER_SECONDS)
        CallTask.objects.filter(pk=task.pk).update(lease_until=look_at, error_message=str(error))
        wake_at(look_at)
    elif _may_repeat(error) and task.attempts < settings.MAX_CALL_ATTEMPTS:
        try_later(task, str(error), None)
    else:
        perhaps(task, str(error), error)


def _may_repeat(error: Exception) -> bool:
    """The specification retries 5xx answers. After a time-out the telephone may well be ringing: never."""
    answered = isinstance(error, OutcomeUnknown) and (error.status or 0) >= HTTPStatus.INTERNAL_SERVER_ERROR
    return answered and settings.CALL_RETRY_ON_5XX
