"""A step of a flow as the worker sees it: claim (rows in), act (network), record (rows out)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import QuerySet

from conversations.moves import Moment

Facts = TypeVar("Facts")
Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class Step(Generic[Facts, Result]):
    """Three functions; only `act` runs in a thread, and only `act` may take long.

    `claim(limit, worker)` takes up to `limit` pieces of due work for `worker` and returns plain facts. `act(facts)`
    talks to upstreams and to no database. `record(finished)` writes down up to DRAIN_CHUNK of them; where `act` raised,
    the exception stands in the result's place.

    `due(now)` are the rows that `claim` chooses from. While work is under way, one statement asks for all steps whether
    there are any, and `claim` is called where there are some; without `due`, always.
    """

    name: str
    claim: Callable[[int, str], list[Facts]]
    act: Callable[[Facts], Result]
    record: Callable[[Sequence[tuple[Facts, Result | Exception]]], None]
    due: Callable[[Moment], QuerySet[Any]] | None = None
