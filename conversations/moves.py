"""A status changes only by a named move, checked against a table and made by one UPDATE; a claim has a lease."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeVar

from django.db import models, transaction
from django.db.models.functions import Now
from django.utils import timezone

log = logging.getLogger(__name__)

Finished = TypeVar("Finished")
# A point of time, or the database's own clock.
Moment = datetime | Now


class Overtaken(Exception):
    """Somebody else moved the row first, or the move is not in the table. Nothing was changed."""

    def __init__(self, row: models.Model, to: str) -> None:
        self.row, self.to = row, to
        super().__init__(f"{type(row).__name__} {row.pk} cannot become {to!r}: it is no longer what we thought.")


class Moving(models.Model):
    """A row with a `status` and, beside it, the table of the moves that are allowed."""

    MOVES: ClassVar[Mapping[str, frozenset[str]]]

    status: "models.CharField[str, str]"
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        abstract = True

    def may_become(self, to: str) -> bool:
        """Whether the table has a move from here to `to`."""
        return to in self.MOVES.get(self.status, frozenset())

    def move(self, to: str, *, only_if: Mapping[str, Any] | None = None, **changes: Any) -> None:
        """Make the move if the row still is what this object says, and `only_if` holds; else raise Overtaken.

        `changes` are further columns that are written by the same UPDATE.
        """
        if not self.may_become(to):
            raise Overtaken(self, to)
        changes = {**changes, "status": to, "updated_at": timezone.now()}
        # The status is a column of every row that moves, though not of this abstract one.
        unchanged = type(self)._default_manager.filter(**{"pk": self.pk, "status": self.status, **(only_if or {})})
        if not unchanged.update(**changes):
            raise Overtaken(self, to)
        for name, value in changes.items():
            setattr(self, name, value)


def leased_while(status: str, name: str) -> models.CheckConstraint:
    """Who has claimed a row has it for a while only: without an end nobody would ever look after it again."""
    return models.CheckConstraint(name=name, condition=~models.Q(status=status) | models.Q(lease_until__isnull=False))


class Leased(models.Model):
    """A row that a worker claims for a while. Attempt and worker fence the record: a late one changes nothing."""

    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(default=timezone.now)
    claimed_by = models.CharField(max_length=100, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


def last_moment(taken_at: datetime, *, lease: float, longest: float) -> datetime:
    """When something that takes up to `longest` must begin to be over before the lease is (seconds).

    Later, its answer could come when another worker has taken the row over. A lease that was set too short for the
    time-outs leaves half of itself: it must not keep everything from being done.
    """
    return taken_at + timedelta(seconds=max(lease / 2, lease - longest))


def together_or_each(finished: Sequence[Finished], record: Callable[[Sequence[Finished]], None]) -> None:
    """Record many results in one short transaction; if that fails, each in its own, so that one does not stop all.

    What cannot be recorded even then stays claimed: its lease runs out, and the net under the flow finds it.
    """
    try:
        with transaction.atomic():
            record(finished)
    except Exception:
        # A fault of one result, whatever it is, must cost no other its record.
        if len(finished) == 1:
            log.exception("a result could not be recorded; its lease will run out")
            return
        for one in finished:
            together_or_each([one], record)
