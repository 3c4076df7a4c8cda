"""A status changes only by a named move, checked against a table and made by one conditional UPDATE."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone


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
