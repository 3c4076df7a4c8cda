"""The net under the chat flow, once a minute.

take_in_early_reports     reports that came while the receipt was being written down, and missed it
tell_of_overdue_calls     placed, or perhaps ringing, and no outcome within CALL_RESULT_TIMEOUT_MINUTES
take_back_lost_turns      turns whose worker is gone (a lost call is not taken back but looked for: `looking`)
forget_counted_calls      counted calls older than a week, and early reports that belong to nobody
wake_for_ready            rows that are ready although no wake-up is under way: among them planned calls
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from calls.chat_workflow.limits import WEEK
from calls.chat_workflow.looking import due_call_looks, due_polls
from calls.chat_workflow.placing import due_calls
from calls.chat_workflow.results import give_up_waiting, locked_task, overdue, report_result
from calls.chat_workflow.thinking import due_turns
from calls.models import CallTask, ChatMessage, EarlyReport, RecentCall
from calls.policy.outcomes import Report
from conversations.sweeping import run_each
from conversations.wakeups import wake

log = logging.getLogger(__name__)


def take_in_early_reports() -> int:
    """A report and the receipt of its call that are written at the same moment do not see each other."""
    waiting = EarlyReport.objects.filter(reference__in=CallTask.objects.exclude(reference="").values("reference"))
    early = list(waiting.order_by("pk")[:200])
    return sum(_done(partial(_take_in, one), f"the early report {one.pk}") for one in early)


@transaction.atomic
def _take_in(early: EarlyReport) -> None:
    if EarlyReport.objects.filter(pk=early.pk).delete()[0]:
        report_result(Report(**early.report), source="an early report")


def tell_of_overdue_calls() -> int:
    """Each in a short transaction of its own; one that is reported at this very moment is left alone."""
    return sum(_done(partial(_tell, key), f"the overdue task {key}") for key in overdue())


@transaction.atomic
def _tell(key: UUID) -> None:
    task = locked_task(pk=key, status__in=[CallTask.Status.PLACED, CallTask.Status.UNKNOWN], finished_at=None)
    if task is not None:
        give_up_waiting(task)


def _done(act: Callable[[], None], what: str) -> bool:
    """One row's fault must not keep the others from their turn."""
    try:
        act()
    except Exception:
        log.exception("sweep: %s could not be settled", what)
        return False
    return True


def take_back_lost_turns() -> int:
    now = timezone.now()
    lost = ChatMessage.objects.filter(status=ChatMessage.Status.READING, lease_until__lte=now)
    return lost.update(status=ChatMessage.Status.WAITING, lease_until=None, not_before=now)


def forget_counted_calls() -> int:
    now = timezone.now()
    counted, _ = RecentCall.objects.filter(called_at__lt=now - WEEK).delete()
    early, _ = EarlyReport.objects.filter(received_at__lt=now - timedelta(hours=1)).delete()
    return counted + early


def wake_for_ready() -> int:
    """The last mesh: a row that is ready gets a wake-up, whatever became of its own."""
    now = timezone.now()
    count = sum(1 for due in (due_calls, due_call_looks, due_polls, due_turns) if due(now).exists())
    if count:
        wake()
    return count


SWEEPS: tuple[Callable[[], int], ...] = (
    take_in_early_reports,
    tell_of_overdue_calls,
    take_back_lost_turns,
    forget_counted_calls,
    wake_for_ready,
)


def run() -> dict[str, int]:
    """All sweeps; returns how much each of them found. Running it twice, or on two machines, does no harm."""
    return run_each(SWEEPS)
