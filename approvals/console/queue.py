"""The left pane: which replies are shown, in which order, and what a row says of each.

Overdue cards come first because the oldest do. A page is found by keyset (`after`), so the ten-thousandth card costs as
much as the first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, cast
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from approvals.console import claims
from approvals.models import Escalation, PaymentPlan, QueuedResponse
from conversations.models import ContactHold, Direction, Message

Status = QueuedResponse.Status
PAGE = 40
# A card is worth a second look from here on (minutes); overdue ones are announced again by the sweep.
SOON_MINUTES = 15
DECIDED_FOR = timedelta(hours=24)


# What a row tells beside the reply itself; each is asked for the shown rows only.
PLAN = PaymentPlan.objects.filter(response=OuterRef("pk"))
HOLD = ContactHold.objects.filter(phone=OuterRef("conversation__phone"), released_at=None)
ESCALATION = Escalation.objects.filter(conversation=OuterRef("conversation"), status=Escalation.Status.OPEN)
NEWER = Message.objects.filter(
    conversation=OuterRef("conversation"), direction=Direction.INBOUND, created_at__gt=OuterRef("message__created_at")
)


class View(StrEnum):
    """The four lists of the left pane."""

    WAITING = "waiting"
    TROUBLE = "trouble"
    SNOOZED = "snoozed"
    DECIDED = "decided"


class Band(StrEnum):
    """Confidence as the router sees it: above the automatic limit, between the limits, below."""

    HIGH = "high"
    MIDDLE = "middle"
    LOW = "low"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the manager looks at; every field comes from the address, so a view can be kept and shared."""

    view: View = View.WAITING
    property_name: str = ""
    language: str = ""
    confidence: Band | None = None
    plan: bool = False
    words: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Wanted":
        """Reads a query string; what is not known counts as not asked for."""
        view, band = query.get("view", ""), query.get("confidence", "")
        return cls(
            view=View(view) if view in set(View) else View.WAITING,
            property_name=query.get("property", "")[:200],
            language=query.get("language", "")[:8],
            confidence=Band(band) if band in set(Band) else None,
            plan=query.get("plan") == "yes",
            words=query.get("q", "").strip()[:100],
        )

    @property
    def narrowed(self) -> bool:
        """Whether a filter hides some of the view."""
        return bool(self.property_name or self.language or self.confidence or self.plan or self.words)

    def address(self) -> str:
        """The query string of this view, without what is not asked for."""
        asked = {
            "view": self.view if self.view is not View.WAITING else "",
            "property": self.property_name,
            "language": self.language,
            "confidence": self.confidence or "",
            "plan": "yes" if self.plan else "",
            "q": self.words,
        }
        return urlencode({name: value for name, value in asked.items() if value})


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the list. `urgency` is fresh, soon or overdue; `holder` is somebody else who has the card open."""

    reply: QueuedResponse
    waiting: timedelta
    urgency: str
    holder: str
    plan: bool
    held: bool
    stale: bool
    red: bool


@dataclass(frozen=True, kw_only=True)
class Queue:
    """The left pane as it is now. `more` is the key after the last row, empty when there is nothing below."""

    wanted: Wanted
    rows: Sequence[Row]
    counts: Mapping[str, int]
    more: str = ""
    properties: Sequence[str] = field(default=())


def queue(wanted: Wanted, *, me: str, after: str = "", size: int = PAGE) -> Queue:
    """The first `size` rows behind `after`, with the counts of all views; five queries, however long the queue is."""
    replies = list(_page(wanted, after)[: size + 1])
    shown = replies[:size]
    return Queue(
        wanted=wanted,
        rows=[_row(reply, me) for reply in shown],
        counts=counts(),
        more=_key(shown[-1], wanted) if len(replies) > size else "",
        properties=properties(),
    )


def matching(wanted: Wanted) -> QuerySet[QueuedResponse]:
    """Every reply of a view, filtered, in its order."""
    narrowed = _view(wanted.view)
    if wanted.property_name:
        narrowed = narrowed.filter(conversation__property_name=wanted.property_name)
    if wanted.language:
        narrowed = narrowed.filter(language=wanted.language)
    if wanted.confidence:
        narrowed = narrowed.filter(_band(wanted.confidence))
    if wanted.plan:
        narrowed = narrowed.filter(Exists(PLAN))
    if wanted.words:
        found = Q(tenant_message__icontains=wanted.words) | Q(ai_response__icontains=wanted.words)
        who = Q(conversation__tenant_name__icontains=wanted.words) | Q(conversation__phone__contains=wanted.words)
        narrowed = narrowed.filter(found | who)
    return narrowed


def next_after(wanted: Wanted, *, me: str, candidates: Sequence[UUID]) -> UUID | None:
    """The card to show next: the first of `candidates` that still waits and that nobody has, else the view's first."""
    if wanted.view is View.DECIDED:
        return None
    free = claims.free_for(me).filter(_waits(wanted.view))
    still = set(free.filter(pk__in=candidates).values_list("pk", flat=True))
    chosen = next((candidate for candidate in candidates if candidate in still), None)
    return chosen or (matching(wanted) & claims.free_for(me)).values_list("pk", flat=True).first()


def counts() -> dict[str, int]:
    """How many cards each view holds; only rows that partial indexes cover are counted."""
    now = timezone.now()
    awake = Q(snoozed_until=None) | Q(snoozed_until__lte=now)
    long_ago = now - timedelta(minutes=settings.PENDING_REMINDER_MINUTES)
    open_now = QueuedResponse.objects.filter(status=Status.PENDING).aggregate(
        waiting=Count("pk", filter=awake),
        overdue=Count("pk", filter=awake & Q(created_at__lt=long_ago)),
        snoozed=Count("pk", filter=Q(snoozed_until__gt=now)),
    )
    return {**open_now, "trouble": QueuedResponse.objects.filter(_waits(View.TROUBLE)).count()}


def properties() -> list[str]:
    """The properties of which something waits."""
    waiting = QueuedResponse.objects.filter(status=Status.PENDING).exclude(conversation__property_name="")
    names = waiting.order_by("conversation__property_name").values_list("conversation__property_name", flat=True)
    return list(names.distinct()[:200])


# --- helpers


def _waits(view: View) -> Q:
    now = timezone.now()
    if view is View.TROUBLE:
        return Q(status__in=[Status.FAILED, Status.UNKNOWN])
    if view is View.SNOOZED:
        return Q(status=Status.PENDING, snoozed_until__gt=now)
    if view is View.DECIDED:
        return Q(actioned_at__gte=now - DECIDED_FOR, actioned_by__isnull=False) & ~Q(actioned_by="policy")
    return Q(status=Status.PENDING) & (Q(snoozed_until=None) | Q(snoozed_until__lte=now))


def _view(view: View) -> QuerySet[QueuedResponse]:
    replies = QueuedResponse.objects.filter(_waits(view))
    return replies.order_by("-actioned_at", "pk") if view is View.DECIDED else replies.order_by("created_at", "pk")


class _Told(Protocol):
    """What the annotations add to a reply."""

    has_plan: bool
    has_hold: bool
    is_stale: bool


def _told(replies: QuerySet[QueuedResponse]) -> QuerySet[QueuedResponse]:
    """With what a row tells beside the reply itself; asked for the shown rows only."""
    return replies.select_related("conversation").annotate(
        has_plan=Exists(PLAN),
        has_hold=Exists(HOLD) | Exists(ESCALATION),
        is_stale=Exists(NEWER),
    )


def _page(wanted: Wanted, after: str) -> QuerySet[QueuedResponse]:
    replies = matching(wanted)
    at, key = _place(after)
    if at:
        column = "actioned_at" if wanted.view is View.DECIDED else "created_at"
        side = "lt" if wanted.view is View.DECIDED else "gt"
        replies = replies.filter(Q(**{f"{column}__{side}": at}) | Q(**{column: at, "pk__gt": key}))
    return _told(replies)


def _place(after: str) -> tuple[datetime | None, UUID | None]:
    """Where a page begins, from what `_key` wrote; anything else is the beginning."""
    at, _, key = after.partition("_")
    try:
        return datetime.fromisoformat(at), UUID(key)
    except ValueError:
        return None, None


def _key(reply: QueuedResponse, wanted: Wanted) -> str:
    moment = reply.actioned_at if wanted.view is View.DECIDED else reply.created_at
    return f"{moment.isoformat()}_{reply.pk}" if moment else ""


def _band(band: Band) -> Q:
    automatic, manual = settings.AUTO_APPROVAL_CONFIDENCE, settings.MANUAL_APPROVAL_CONFIDENCE
    if band is Band.HIGH:
        return Q(confidence_score__gt=automatic)
    if band is Band.LOW:
        return Q(confidence_score__lte=manual)
    return Q(confidence_score__gt=manual, confidence_score__lte=automatic)


def _row(reply: QueuedResponse, me: str) -> Row:
    waiting = timezone.now() - reply.created_at
    told = cast(_Told, reply)
    return Row(
        reply=reply,
        waiting=waiting,
        urgency=urgency(waiting),
        holder=claims.holder(reply, besides=me),
        plan=told.has_plan,
        held=told.has_hold,
        stale=told.is_stale and reply.status == Status.PENDING,
        red=any(gate["level"] == "red" for gate in reply.gates),
    )


def urgency(waiting: timedelta) -> str:
    """fresh, soon or overdue."""
    minutes = waiting.total_seconds() / 60
    return "overdue" if minutes >= settings.PENDING_REMINDER_MINUTES else "soon" if minutes >= SOON_MINUTES else "fresh"
