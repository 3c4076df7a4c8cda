"""A drain takes the work that is due and does it until none is left: what a wake-up runs.

    claim    main thread   rows are leased to this drain and become plain facts; one short transaction
    act      a thread      talks to upstreams; a hundred at once, and not one database connection among them
    record   main thread   what has finished meanwhile is written down, many at a time

All database work is in the main thread: this does 1,000 texts in 6 s where ORM in the threads takes 13 s.
"""

import logging
import os
import socket
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import cache
from queue import Empty, SimpleQueue
from secrets import token_hex
from typing import Any, NoReturn

from django.conf import settings
from django.db import Error, close_old_connections, connection, connections
from django.db.models.functions import Now
from django.utils import timezone

from conversations.wakeups import wake, wake_at
from orchestrator_site.middleware import request_id
from orchestrator_site.worker import pulse
from orchestrator_site.worker.step import Step

log = logging.getLogger(__name__)

AnyStep = Step[Any, Any]
Finished = tuple[AnyStep, Any, Any]

# How long to wait for a thread before looking for new rows (seconds): doubled while nothing happens.
SHORTEST_WAIT, LONGEST_WAIT = 0.06, 0.16
# Where many are under way, the first to finish waits for others (seconds): 25 rows are written as fast as one.
CROWD, GATHER_SECONDS = 10, 0.04
# A step that could not claim or record is left alone for so long (seconds).
REST_SECONDS = 5.0


def run() -> None:
    """Drain every step of every flow. The job of a wake-up."""
    from orchestrator_site.worker.steps import STEPS

    Drain(STEPS).run()


class Drain:
    """One drain: from a wake-up until nothing is left, or until its time is over and a successor is woken."""

    def __init__(self, steps: Sequence[AnyStep]) -> None:
        """What stands first in `steps` gets free threads first."""
        self.steps = tuple(steps)
        self.worker = f"{socket.gethostname()}:{os.getpid()}:{token_hex(4)}"
        self._in_flight = 0
        self._finished: SimpleQueue[Finished] = SimpleQueue()
        self._rests_until: dict[str, float] = {}
        self._called = False

    def run(self) -> None:
        deadline, wait = time.monotonic() + settings.DRAIN_SECONDS, SHORTEST_WAIT
        while not (over := pulse.stopping() or time.monotonic() >= deadline):
            started, more = self._start(self._steps_with_work())
            if not self._in_flight:
                # The last look is a claim at every step: what the database's clock finds too early may be due by ours.
                started, more = self._start(self.steps)
            if not self._in_flight:
                break
            if more:
                self._call_for_help()
            recorded = self._record_what_finished(wait=0 if more else wait)
            wait = SHORTEST_WAIT if started or recorded else min(2 * wait, LONGEST_WAIT)
        while self._in_flight:
            self._record_what_finished(wait=LONGEST_WAIT)
        self._wake_successor(over=over)

    # --- claim ---

    def _steps_with_work(self) -> Sequence[AnyStep]:
        """What may have rows that are due, by one statement for all steps."""
        asked = tuple(step for step in self.steps if step.due)
        if not asked:
            return self.steps
        try:
            with connection.cursor() as cursor:
                cursor.execute(*_what_is_due(asked))
                idle = {step.name for step, is_due in zip(asked, cursor.fetchone(), strict=True) if not is_due}
        except Error:
            # Each step's own claim says what is wrong, and is left alone for a while.
            return self.steps
        return [step for step in self.steps if step.name not in idle]

    def _start(self, steps: Sequence[AnyStep]) -> tuple[bool, bool]:
        """Whether anything was started, and whether there is probably more."""
        pulse.alive()
        started = more = False
        for step in steps:
            limit = min(settings.DRAIN_CHUNK, settings.WORKER_THREADS - self._in_flight)
            if limit <= 0:
                return started, False
            claimed = self._claim(step, limit)
            for facts in claimed:
                self._in_flight += 1
                _threads().submit(self._act, step, facts)
            started, more = started or bool(claimed), more or len(claimed) == limit
        return started, more

    def _claim(self, step: AnyStep, limit: int) -> list[Any]:
        if self._rests_until.get(step.name, 0) > time.monotonic():
            return []
        try:
            return step.claim(limit, self.worker)
        except Exception:
            # One step's fault must not keep the others from their work.
            log.exception("%s: nothing could be claimed", step.name)
            self._let_rest(step)
            return []

    def _call_for_help(self) -> None:
        """Rows may have come with a single wake-up, however many: the first full chunk wakes one drain more."""
        if not self._called:
            self._called = True
            self._wake(wake)

    # --- act: the only part that runs in a thread ---

    def _act(self, step: AnyStep, facts: Any) -> None:
        request_id.set(getattr(facts, "request_id", "-"))
        try:
            result = step.act(facts)
        except BaseException as error:
            # Whatever it is, `record` must hear of it: only there it is known what becomes of the work.
            log.exception("%s: failed unexpectedly", step.name)
            result = error
        self._finished.put((step, facts, result))

    # --- record ---

    def _record_what_finished(self, wait: float) -> bool:
        """Wait up to `wait` seconds for a first result and record it with all others that are there."""
        pulse.alive()
        by_step: dict[str, list[Finished]] = defaultdict(list)
        for finished in self._take_finished(wait):
            by_step[finished[0].name].append(finished)
        for batch in by_step.values():
            for start in range(0, len(batch), settings.DRAIN_CHUNK):
                self._record(batch[start : start + settings.DRAIN_CHUNK])
        return bool(by_step)

    def _take_finished(self, wait: float) -> list[Finished]:
        taken: list[Finished] = []
        try:
            taken.append(self._finished.get(timeout=wait) if wait else self._finished.get_nowait())
            if self._in_flight >= CROWD:
                time.sleep(GATHER_SECONDS)
            while True:
                taken.append(self._finished.get_nowait())
        except Empty:
            self._in_flight -= len(taken)
            return taken

    def _record(self, batch: Sequence[Finished]) -> None:
        step = batch[0][0]
        try:
            step.record([(facts, result) for _, facts, result in batch])
        except Exception:
            # The leases of these rows run out, and the sweep finds out what became of them.
            log.exception("%s: %s results could not be recorded", step.name, len(batch))
            self._let_rest(step)

    # --- the end ---

    def _let_rest(self, step: AnyStep) -> None:
        self._rests_until[step.name] = time.monotonic() + REST_SECONDS
        # A connection that broke is opened again by the next query.
        close_old_connections()

    def _wake_successor(self, *, over: bool) -> None:
        """There may be more when the time was over, and there is when a step could not do its part."""
        if over:
            self._wake(wake)
        if self._rests_until:
            self._wake(lambda: wake_at(timezone.now() + timedelta(seconds=REST_SECONDS)))

    @staticmethod
    def _wake(how: Callable[[], None]) -> None:
        try:
            how()
        except Error:
            # The database is away: the sweep wakes somebody when it is back.
            log.exception("nobody could be woken")


@cache
def _what_is_due(steps: tuple[AnyStep, ...]) -> tuple[str, tuple[Any, ...]]:
    """The statement that answers with one boolean for each step; put together once for each process."""
    asked = [step.due(Now()).query.exists().sql_with_params() for step in steps if step.due]
    columns = ", ".join(f"EXISTS ({sql})" for sql, _ in asked)
    return f"SELECT {columns}", tuple(value for _, values in asked for value in values)


@cache
def _threads() -> ThreadPoolExecutor:
    """The process's threads, which keep their HTTP clients from drain to drain."""
    return ThreadPoolExecutor(settings.WORKER_THREADS, thread_name_prefix="act", initializer=_forbid_database)


def _forbid_database() -> None:
    """A query in a thread would open one connection per thread, unseen until Postgres has no more: it fails instead."""
    for unused in connections.all():
        unused.connect = _refuse  # type: ignore[method-assign]


def _refuse() -> NoReturn:
    raise RuntimeError("`act` talks to upstreams only: read rows in `claim`, write them in `record`.")
