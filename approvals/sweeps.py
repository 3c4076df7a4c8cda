"""The net under the flow, once a minute: what nobody finished, what is due, what has been silent too long.

take_back_lost_drafts      claims whose worker is gone
take_back_lost_notices     the same for notifications (a lost text is not taken back but looked for: `looking`)
notice_silence             our text without an answer for ESCALATION_HOURS, once per silence
remind_of_waiting          replies that nobody takes
forget_old                 steps and notifications past their keeping time
wake_for_ready             rows that are ready although no wake-up is under way
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import wraps

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from approvals.models import Notification, QueuedResponse, Workflow, WorkflowStep
from approvals.policy.escalation import Category
from approvals.sms_workflow.claiming import due_drafts
from approvals.sms_workflow.escalations import hand_over
from approvals.sms_workflow.looking import due_looks
from approvals.sms_workflow.notices import due_notices, tell_managers
from approvals.sms_workflow.recording import POLICY, fail
from approvals.sms_workflow.sending import due_sends
from conversations.models import SILENT, Conversation
from conversations.moves import Overtaken
from conversations.sweeping import run_each
from conversations.wakeups import wake

log = logging.getLogger(__name__)

BATCH = 200


def run() -> dict[str, int]:
    """All sweeps, one machine at a time; returns how much each of them found. Running it twice does no harm."""
    return run_each(map(_alone, SWEEPS))


def _alone(sweep: Callable[[], int]) -> Callable[[], int]:
    """The sweep in a transaction of its own; nothing while another machine is at it."""

    @wraps(sweep)
    def run() -> int:
        with transaction.atomic():
            return sweep() if _only_here(sweep.__name__) else 0

    return run


def _only_here(name: str) -> bool:
    """A lock for the transaction: it works behind a transaction pooler too, and dies with the process."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext(%s))", [f"sweep {name}"])
        [taken] = cursor.fetchone()
    return bool(taken)


def take_back_lost_drafts() -> int:
    """A draft that nobody recorded in time is written by another attempt; after the last one a person is told."""
    lost = Workflow.objects.filter(status=Workflow.Status.PROCESSING, lease_until__lte=timezone.now())
    # What is locked is being recorded at this very moment, late but not lost.
    free = lost.select_related("conversation").select_for_update(no_key=True, of=("self",), skip_locked=True)
    rows = list(free[:BATCH])
    for workflow in rows:
        try:
            if workflow.attempts >= settings.MAX_DRAFT_ATTEMPTS:
                fail(workflow.conversation, workflow, "the work was lost several times; see the log of the workers")
            else:
                workflow.move(
                    Workflow.Status.RECEIVED, step="taken back", error_message="its worker was lost", lease_until=None
                )
        except Overtaken:
            log.info("workflow %s was finished after all", workflow.pk)
    return len(rows)


def take_back_lost_notices() -> int:
    lost = Notification.objects.filter(status=Notification.Status.SENDING, lease_until__lte=timezone.now())
    return lost.update(status=Notification.Status.PENDING, lease_until=None)


def notice_silence() -> int:
    """Escalate, once per silence, a conversation that our own text ended ESCALATION_HOURS ago."""
    since = timezone.now() - timedelta(hours=settings.ESCALATION_HOURS)
    # Those are the last texts until then; one that leaves at this very moment begins a silence of its own.
    silent = Conversation.objects.filter(SILENT, last_outbound_at__lte=since).order_by("last_outbound_at")
    # Locked, so that a text that comes in at this very moment ends the silence first; what others hold waits a minute.
    rows = list(silent.select_for_update(no_key=True, skip_locked=True)[:BATCH])
    for conversation in rows:
        hand_over(
            conversation,
            category=Category.NO_RESPONSE,
            reason=f"no answer for {settings.ESCALATION_HOURS} hours",
            by=POLICY,
        )
    Conversation.objects.filter(pk__in=[row.pk for row in rows]).update(silence_told_at=since)
    return len(rows)


def remind_of_waiting() -> int:
    """Tell the managers once an hour about replies that wait longer than PENDING_REMINDER_MINUTES."""
    pause = timedelta(minutes=settings.PENDING_REMINDER_MINUTES)
    waiting = QueuedResponse.objects.filter(status=QueuedResponse.Status.PENDING).filter(
        Q(snoozed_until=None) | Q(snoozed_until__lte=timezone.now()), created_at__lte=timezone.now() - pause
    )
    oldest = waiting.order_by("created_at").select_related("conversation").first()
    reminded = Notification.objects.filter(kind="pending_reminder", created_at__gt=timezone.now() - pause)
    if oldest is None or reminded.exists():
        return 0
    count = waiting.count()
    tell_managers(
        "pending_reminder", oldest.conversation, (f"{count} waiting, the oldest since {oldest.created_at:%H:%M %Z}",)
    )
    return count


def forget_old() -> int:
    """Steps and sent notifications are for operators; after KEEP_STEPS_DAYS nobody needs them."""
    if not settings.KEEP_STEPS_DAYS:
        return 0
    before = timezone.now() - timedelta(days=settings.KEEP_STEPS_DAYS)
    steps, _ = WorkflowStep.objects.filter(
        pk__in=WorkflowStep.objects.filter(started_at__lt=before).values("pk")[:5000]
    ).delete()
    notices, _ = Notification.objects.filter(
        pk__in=Notification.objects.filter(
            status__in=[Notification.Status.SENT, Notification.Status.FAILED], created_at__lt=before
        ).values("pk")[:5000]
    ).delete()
    return steps + notices


def wake_for_ready() -> int:
    """The last mesh: a row that is ready gets a wake-up, whatever became of its own."""
    now = timezone.now()
    count = sum(1 for due in (due_drafts, due_sends, due_looks, due_notices) if due(now).exists())
    if count:
        wake()
    return count


SWEEPS: tuple[Callable[[], int], ...] = (
    take_back_lost_drafts,
    take_back_lost_notices,
    notice_silence,
    remind_of_waiting,
    forget_old,
    wake_for_ready,
)
