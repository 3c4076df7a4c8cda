"""Who has a card open. A claim lapses by itself, so a closed laptop blocks nobody for longer than CLAIM_SECONDS.

It keeps two people from working on the same card; it does not decide who wins: that is the flow's conditional move.
"""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from approvals.models import QueuedResponse
from conversations.refusals import Conflict


def claim(response_id: UUID, *, by: str) -> bool:
    """Open a card, or keep it open; False when somebody else has it. One statement, so two cannot both get it."""
    until = timezone.now() + timedelta(seconds=settings.CLAIM_SECONDS)
    return bool(free_for(by).filter(pk=response_id).update(viewer=by, viewer_until=until))


def release(response_ids: Iterable[UUID], *, by: str) -> None:
    """Close cards; those of other people stay as they are."""
    QueuedResponse.objects.filter(pk__in=response_ids, viewer=by).update(viewer="", viewer_until=None)


def free_for(name: str) -> QuerySet[QueuedResponse]:
    """The cards that nobody else has open."""
    return QueuedResponse.objects.filter(Q(viewer__in=["", name]) | Q(viewer_until__lt=timezone.now()))


def holder(response: QueuedResponse, *, besides: str) -> str:
    """Who else has the card open; empty when nobody."""
    lapsed = response.viewer_until is None or response.viewer_until < timezone.now()
    return "" if lapsed or response.viewer == besides else response.viewer


def must_be_free(response_id: UUID, *, by: str) -> None:
    """Raises Conflict (claimed) when somebody else works on the card."""
    response = QueuedResponse.objects.only("viewer", "viewer_until").filter(pk=response_id).first()
    other = holder(response, besides=by) if response else ""
    if other:
        raise Conflict("claimed", f"{other} has this card open. Nothing was done; take another one, or wait a moment.")
