"""A step of a flow as the worker sees it: claim (rows in), act (network), record (rows out)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Facts = TypeVar("Facts")
Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class Step(Generic[Facts, Result]):
    """Three functions; only `act` runs in a thread, and only `act` may take long.

    `claim(limit, worker)` takes up to `limit` pieces of due work for `worker` and returns plain facts. `act(facts)`
    talks to upstreams and to no database. `record(finished)` writes down up to DRAIN_CHUNK of them; where `act` raised,
    the exception stands in the result's place.
    """

    name: str
    claim: Callable[[int, str], list[Facts]]
    act: Callable[[Facts], Result]
    record: Callable[[Sequence[tuple[Facts, Result | Exception]]], None]
    # A step that found nothing is left alone for so long while the others work (seconds).
    pause: float = 0.0
