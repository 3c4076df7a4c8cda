"""What became of a task: reported by the call handler, by Twilio, or by a person; told once, in the user's language."""

import logging
from collections.abc import Iterable
from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from calls.chat_workflow.chats import Kind, assistant_says, lock, lock_all, open_task
from calls.chat_workflow.steps import step
from calls.models import CallTask, ChatMessage, EarlyReport
from calls.policy.outcomes import SUCCESSES, WORTH_ANOTHER_TRY, Outcome, Report, is_news, outcome_of
from calls.replies import say
from calls.task_types import type_of
from conversations.refusals import Conflict, NotFound
from conversations.wakeups import wake

log = logging.getLogger(__name__)

Status = CallTask.Status


def report_result(report: Report, *, source: str) -> bool:
    """Takes in what is reported of a call; whether it told anything new. Repeats and late reports are harmless."""
    with transaction.atomic():
        task = locked_task(reference=report.reference)
        if task is None:
            # It may have come before the receipt was written down; then `record_calls` asks for it.
            EarlyReport.objects.create(reference=report.reference, report=asdict(report))
            return False
        return take_in(task, report, source=source)


def locked_task(**which: Any) -> CallTask | None:
    """The task, with its chat locked; None when there is none, or when it has been erased meanwhile."""
    found = CallTask.objects.filter(**which).values_list("pk", "chat_id").first()
    chat = lock(found[1]) if found else None
    if found is None or chat is None:
        return None
    task = CallTask.objects.filter(pk=found[0]).first()
    if task is not None:
        task.chat = chat
    return task


def lock_chats_of(tasks: Iterable[UUID]) -> None:
    """The chats of several tasks, before the first of them is touched."""
    lock_all(CallTask.objects.filter(pk__in=list(tasks)).values("chat"))


def take_in(task: CallTask, report: Report, *, source: str) -> bool:
    """The report becomes the outcome if the call is over, else its newer state. The chat is locked."""
    outcome = outcome_of(report)
    if outcome is None:
        if task.status not in (Status.PLACED, Status.UNKNOWN) or not is_news(report.status, task.upstream_status):
            return False
        CallTask.objects.filter(pk=task.pk).update(upstream_status=report.status)
        step(task, "progress", upstream_status=report.status, detail=f"from {source}")
        return True
    if task.status not in (Status.PLACED, Status.UNKNOWN):
        return _late_words(task, report, source)
    finish(task, outcome, report=report, source=source)
    return True


def _late_words(task: CallTask, report: Report, source: str) -> bool:
    """A report on a finished task moves nothing; a summary or transcript that was missing is kept for the record."""
    new = {name: value for name, value in _result_of(report).items() if value and not task.result.get(name)}
    if new:
        CallTask.objects.filter(pk=task.pk).update(result={**task.result, **new})
        step(task, "late_report", upstream_status=report.status, detail=f"from {source}")
    return bool(new)


def finish(
    task: CallTask,
    outcome: Outcome,
    *,
    report: Report | None = None,
    source: str = "",
    text: str = "",
    why: str = "",
    error: BaseException | None = None,
) -> None:
    """The task is over: the move, the step, and the one completion notice. The chat is locked."""
    status = Status.COMPLETED if outcome in SUCCESSES else Status.FAILED
    if outcome in (Outcome.NOT_REPORTED, Outcome.PERHAPS):
        status = Status.UNKNOWN
    changes: dict[str, Any] = {
        "outcome": outcome,
        "finished_at": timezone.now(),
        "lease_until": None,
        "result": {**task.result, **_result_of(report)} if report else task.result,
        "upstream_status": report.status if report else task.upstream_status,
        "error_message": why,
    }
    if task.status == status:
        CallTask.objects.filter(pk=task.pk).update(**changes)
    else:
        task.move(status, **changes)
    step(task, "finished", upstream_status=report.status if report else None, detail=f"{outcome} {source}", error=error)
    _notify(task, outcome, report, text)
    wake()  # a line is free


def _result_of(report: Report) -> dict[str, object]:
    """What is kept of a report."""
    kept = {name: value for name, value in asdict(report).items() if name not in ("reference", "status")}
    return {name: value for name, value in kept.items() if value not in ("", None)}


def _notify(task: CallTask, outcome: Outcome, report: Report | None, text: str) -> None:
    if task.messages.filter(kind=Kind.NOTICE).exists():
        return
    chat = task.chat
    told = text or type_of(task.task_type).tell(outcome, report, task.parameters, task.language, chat.region)
    offers = outcome in WORTH_ANOTHER_TRY and open_task(chat) is None and _tries(task) < settings.MAX_CALLS_AGAIN
    if offers:
        told = f"{told} {say('offer_retry', task.language, minutes=settings.CALL_AGAIN_MINUTES)}"
    assistant_says(chat, told, kind=Kind.NOTICE, task=task, offers_retry=offers)


def _tries(task: CallTask) -> int:
    """How often this call has been tried again already."""
    count, earlier = 0, task.retry_of
    while earlier is not None and count < settings.MAX_CALLS_AGAIN:
        count, earlier = count + 1, earlier.retry_of
    return count


def brief(task: CallTask) -> str:
    """The task in a few words, in the language in which it was asked for."""
    return type_of(task.task_type).brief(task.parameters, task.language, task.chat.region)


def perhaps(task: CallTask, why: str, error: BaseException | None = None) -> None:
    """Nobody can say whether the telephone rang: the user is told so at once, and a person can resolve it."""
    task.move(
        Status.UNKNOWN, outcome=Outcome.PERHAPS, error_message=why, lease_until=None, looks=0, placed_at=timezone.now()
    )
    step(task, "perhaps_ringing", detail=why, error=error)
    assistant_says(task.chat, say("perhaps", task.language, what=brief(task)), kind=Kind.UPDATE, task=task)


def give_up_waiting(task: CallTask) -> None:
    """No outcome came within CALL_RESULT_TIMEOUT_MINUTES: an honest notice. The chat is locked."""
    if task.status == Status.PLACED:
        line, outcome = "not_reported", Outcome.NOT_REPORTED
    else:
        line, outcome = "never_known", Outcome.PERHAPS
    finish(task, outcome, text=say(line, task.language, what=brief(task)), why="no outcome was reported")


def overdue() -> list[UUID]:
    """Tasks of which nobody has told the outcome in time."""
    before = timezone.now() - timedelta(minutes=settings.CALL_RESULT_TIMEOUT_MINUTES)
    waiting = CallTask.objects.filter(
        status__in=[Status.PLACED, Status.UNKNOWN], finished_at=None, placed_at__lte=before
    )
    return list(waiting.order_by("placed_at").values_list("pk", flat=True)[:200])


def resolve(task_id: UUID, *, by: str, as_: str) -> CallTask:
    """A person says what became of an unknown one: an outcome, or `place_again`. Raises NotFound, Conflict."""
    with transaction.atomic():
        task = locked_task(pk=task_id)
        if task is None:
            raise NotFound("not_found", "There is no such task.")
        if task.status != Status.UNKNOWN:
            raise Conflict("already_decided", f"Only an unknown outcome can be resolved; this task is {task.status}.")
        step(task, "resolved", detail=f"{as_} by {by}")
        if as_ == "place_again":
            if task.messages.filter(kind=ChatMessage.Kind.NOTICE).exists():
                raise Conflict("already_told", "The user has been told that it is over; ask them before calling again.")
            task.move(Status.CONFIRMED, not_before=timezone.now(), attempts=0, resolved_by=by, outcome="", reference="")
            wake()
        else:
            CallTask.objects.filter(pk=task.pk).update(resolved_by=by)
            finish(task, Outcome(as_), source=f"resolved by {by}")
        return task
