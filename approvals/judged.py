"""What managers made of the drafts, counted by the database: at most a thousand figures, however many drafts."""

from datetime import datetime
from typing import Any

from django.db.models import Case, Count, F, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce

from approvals.models import QueuedResponse
from approvals.policy.reliability import Drafts, End

Action = QueuedResponse.Action
NOTES = ("prompt_injection",)
# Nothing but the threshold decided about a draft with these reasons and no other.
BY_THRESHOLD = ("confident", "medium_confidence", *NOTES)
# A manager was free to send such a draft as it was. A red gate or most holds leave no choice, and what left by itself
# was judged by nobody, whoever tried again when it could not be sent.
FREE_TO_SEND = (
    "medium_confidence",
    "plan_needs_a_manager",
    "auto_send_disabled",
    "hold_open_escalation",
    "hold_phone_not_on_file",
    *NOTES,
)
RAW = Coalesce(F("raw_confidence"), F("confidence_score"))
SHOWN = F("confidence_score")
END = Case(
    When(reasons__contains=["confident"], then=Value(End.WENT_OUT)),
    When(manager_action=Action.APPROVE, then=Value(End.UNCHANGED)),
    When(manager_action=Action.MODIFY, then=Value(End.CHANGED)),
    When(manager_action__in=[Action.ESCALATE, Action.CLOSE, Action.REDRAFT], then=Value(End.REFUSED)),
    default=Value(End.UNDECIDED),
)


def decided(since: datetime, *, figure: Any = SHOWN) -> tuple[Drafts, ...]:
    """The drafts since then that a manager judged: `figure` as it was shown, or RAW."""
    return _counted(_judged(since), figure)


def kept_by_threshold(since: datetime, *, switched_off: bool = False) -> tuple[Drafts, ...]:
    """The drafts since then that went out, or waited for nothing but the threshold; figures before the learned curve.

    What was escalated is not among them: nobody knows what else would have kept it back.
    `switched_off`: those instead that waited because automatic sending was off, and for nothing else but the threshold.
    """
    drafted = QueuedResponse.objects.filter(created_at__gte=since).exclude(ai_response="").exclude(reasons=[])
    if switched_off:
        allowed = drafted.filter(reasons__contained_by=[*BY_THRESHOLD, "auto_send_disabled"])
        return _counted(allowed.filter(reasons__contains=["auto_send_disabled"]), RAW)
    return _counted(drafted.filter(reasons__contained_by=[*BY_THRESHOLD]), RAW)


def _judged(since: datetime) -> QuerySet[QueuedResponse]:
    recent = QueuedResponse.objects.filter(created_at__gte=since, actioned_at__gte=since)
    by_a_person = recent.filter(actioned_by__isnull=False).exclude(actioned_by="policy")
    drafts = by_a_person.exclude(ai_response="").exclude(reasons=[]).filter(reasons__contained_by=[*FREE_TO_SEND])
    # Whoever gives up a text that could not be sent has approved it before; which words they found is not known.
    given_up = Q(manager_action__in=[Action.ESCALATE, Action.CLOSE], tried_at__isnull=False)
    return drafts.exclude(given_up)


def _counted(responses: QuerySet[QueuedResponse], figure: Any) -> tuple[Drafts, ...]:
    groups = responses.annotate(figure=figure, end=END).values("figure", "end")
    rows = groups.annotate(count=Count("pk")).order_by("figure", "end")
    return tuple(Drafts(figure=row["figure"], end=End(row["end"]), count=row["count"]) for row in rows)
