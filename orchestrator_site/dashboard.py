"""The admin's first page: what waits, how today goes, two weeks in pictures, the upstreams, and the switch.

All figures are counted by the database; the two weeks change slowly and are kept for a minute.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from approvals import rulebook
from approvals.console.queue import counts
from approvals.models import Escalation, QueuedResponse, Workflow
from approvals.reports import metrics_report
from approvals.templatetags.console import UPSTREAMS
from orchestrator_site.models import CircuitBreaker

DAYS = 14
KEPT_SECONDS = 60
Action = QueuedResponse.Action

PER_DAY = """
SELECT (created_at AT TIME ZONE %(zone)s)::date AS day,
       count(*) AS texts,
       count(*) FILTER (WHERE manager_action = 'auto_approve') AS automatic,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM sent_at - created_at))
           FILTER (WHERE sent_at IS NOT NULL) AS answered_in,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM actioned_at - created_at))
           FILTER (WHERE actioned_by <> 'policy') AS decided_in
FROM ai_response_queue WHERE created_at >= %(since)s GROUP BY day ORDER BY day
"""
BY_CONFIDENCE = """
SELECT least(floor(confidence_score * 10), 9)::int AS band,
       count(*) FILTER (WHERE manager_action = 'approve') AS approved,
       count(*) FILTER (WHERE manager_action = 'modify') AS modified,
       count(*) FILTER (WHERE manager_action IN ('escalate', 'close', 'redraft')) AS refused
FROM ai_response_queue
WHERE created_at >= %(since)s AND actioned_by IS NOT NULL AND actioned_by <> 'policy' AND ai_response <> ''
GROUP BY band ORDER BY band
"""


@dataclass(frozen=True, kw_only=True)
class Day:
    """One day's texts; `rate` is the share sent by itself in 0..1, the medians are seconds. None: nothing happened."""

    day: date
    texts: int = 0
    rate: float | None = None
    answered_in: float | None = None
    decided_in: float | None = None


@dataclass(frozen=True, kw_only=True)
class Band:
    """What managers did with drafts of one confidence, in per cent of `of`."""

    label: str
    approved: int
    modified: int
    refused: int
    of: int


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One day of a chart: `height` in per cent of the tallest, `text` for the tip and for screen readers."""

    day: date
    height: int
    text: str


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Fourteen bars with what they show, and the newest figure in words."""

    title: str
    newest: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, kw_only=True)
class Today:
    """Since midnight in the house's time."""

    texts: int
    automatic: int
    edited: int
    approved: int
    escalated: int
    share: float | None


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The theme's callback for the index page."""
    if not request.user.has_perm("approvals.view_queuedresponse"):
        return context
    now = timezone.now()
    context.update(
        title="Dashboard",
        report=metrics_report(now),
        queue=counts(),
        today=_today(now),
        charts=_two_weeks(now),
        breakers=CircuitBreaker.objects.order_by("name"),
        trouble=_trouble(),
        switch=rulebook.newest_switch(),
        rules=rulebook.current_rules(),
        upstreams=UPSTREAMS,
        set_off=not settings.AUTO_SEND_ENABLED,
        may_turn=request.user.has_perm("approvals.change_rules"),
        may_ask=request.user.has_perm("approvals.retry"),
    )
    return context


@require_POST
def turn_auto_send(request: HttpRequest) -> HttpResponse:
    """Switch automatic sending on or off, with a reason."""
    if not request.user.has_perm("approvals.change_rules"):
        raise PermissionDenied
    on = request.POST.get("on") == "yes"
    rulebook.turn_auto_send(on, by=request.user.get_username(), reason=request.POST.get("reason", "")[:500])
    return HttpResponseRedirect(reverse("admin:index"))


def _midnight(now: datetime) -> datetime:
    return now.astimezone(ZoneInfo(settings.CONTACT_TIME_ZONE)).replace(hour=0, minute=0, second=0, microsecond=0)


def _today(now: datetime) -> Today:
    midnight = _midnight(now)
    since = QueuedResponse.objects.filter(created_at__gte=midnight).aggregate(
        texts=Count("pk"),
        automatic=Count("pk", filter=Q(manager_action=Action.AUTO_APPROVE)),
        edited=Count("pk", filter=Q(manager_action=Action.MODIFY)),
        approved=Count("pk", filter=Q(manager_action=Action.APPROVE)),
    )
    escalated = Escalation.objects.filter(created_at__gte=midnight).count()
    return Today(**since, escalated=escalated, share=since["automatic"] / since["texts"] if since["texts"] else None)


def _trouble() -> dict[str, int]:
    return {
        "replies": counts()["trouble"],
        "workflows": Workflow.objects.filter(status=Workflow.Status.FAILED).count(),
        "overdue_escalations": Escalation.objects.filter(
            status=Escalation.Status.OPEN, due_at__lt=timezone.now()
        ).count(),
    }


def _two_weeks(now: datetime) -> dict[str, Any]:
    known: dict[str, Any] | None = cache.get("two-weeks")
    if known is None:
        since = _midnight(now) - timedelta(days=DAYS - 1)
        days = _days(since)
        known = {
            "charts": [
                _chart("Texts a day", days, lambda day: day.texts, str),
                _chart("Sent automatically", days, lambda day: day.rate, lambda rate: f"{rate * 100:.0f} %", top=1),
                _chart("Median time to the answer", days, lambda day: day.answered_in, _span),
                _chart("Median time to a decision", days, lambda day: day.decided_in, _span),
            ],
            "bands": _bands(since),
        }
        cache.set("two-weeks", known, KEPT_SECONDS)
    return known


def _chart(
    title: str,
    days: list[Day],
    value: Callable[[Day], float | None],
    words: Callable[[Any], str],
    *,
    top: float | None = None,
) -> Chart:
    values = [value(day) for day in days]
    tallest = top or max((known for known in values if known), default=1)
    bars = tuple(
        Bar(
            day=day.day,
            height=round(100 * (known or 0) / tallest),
            text=f"{day.day:%a %d %b}: {'–' if known is None else words(known)}",
        )
        for day, known in zip(days, values, strict=True)
    )
    newest = next((known for known in reversed(values) if known is not None), None)
    return Chart(title=title, newest="–" if newest is None else words(newest), bars=bars)


def _span(seconds: float) -> str:
    return (
        f"{seconds:.0f} s"
        if seconds < 90
        else f"{seconds / 60:.0f} min"
        if seconds < 5400
        else f"{seconds / 3600:.1f} h"
    )


def _days(since: datetime) -> list[Day]:
    with connection.cursor() as cursor:
        cursor.execute(PER_DAY, {"zone": settings.CONTACT_TIME_ZONE, "since": since})
        found = {
            day: Day(day=day, texts=texts, rate=automatic / texts, answered_in=answered, decided_in=decided)
            for day, texts, automatic, answered, decided in cursor.fetchall()
        }
    days = [since.date() + timedelta(days=number) for number in range(DAYS)]
    return [found.get(day, Day(day=day)) for day in days]


def _bands(since: datetime) -> list[Band]:
    with connection.cursor() as cursor:
        cursor.execute(BY_CONFIDENCE, {"since": since})
        return [
            _band(band, approved, modified, refused)
            for band, approved, modified, refused in cursor.fetchall()
            if approved + modified + refused
        ]


def _band(band: int, approved: int, modified: int, refused: int) -> Band:
    of = approved + modified + refused
    return Band(
        label=f"{band * 10}–{band * 10 + 10} %",
        approved=round(approved * 100 / of),
        modified=round(modified * 100 / of),
        refused=round(refused * 100 / of),
        of=of,
    )
