"""A circuit breaker per upstream, shared by every process.

    closed ----- five failures in a row -----> open
    open ------- after 60 seconds -----------> half open: exactly one call, the probe, may pass
    half open -- the probe succeeded --------> closed
    half open -- the probe failed -----------> open
    half open -- the probe was never heard of again: after its lease another call may be the probe

Every attempt counts once, a retry too. What the upstream says about our request (a 404, a 422) is no failure of the
upstream.

It must cost a healthy call nothing. Each process therefore keeps a *view* of the circuit, read from the store at most
once a second; while the circuit is closed and without failures nothing is written. Another process's failures are so
seen up to a second late, which lets a few calls more through and no harm done.

When the store cannot be reached, calls pass as if the circuit were closed: the breaker protects, it must never be
what is broken. (Without the database nothing new is claimed for sending anyway.)
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from integrations.errors import CircuitOpen

log = logging.getLogger(__name__)


class State(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, kw_only=True)
class Circuit:
    """What the store knows. `probe_in`: seconds until a call may be the probe, 0 when it may be now."""

    state: State = State.CLOSED
    failures: int = 0
    probe_in: float = 0.0


class StoreUnavailable(Exception):
    """The store of the circuits cannot be reached."""


class Store(Protocol):
    """Where circuits are kept. Each operation is atomic between processes; any may raise StoreUnavailable."""

    def read(self, name: str, *, open_seconds: float) -> Circuit:
        """The circuit as it is; an unknown name is a closed circuit."""

    def count_failure(self, name: str, *, threshold: int, open_seconds: float) -> Circuit:
        """One failure more of a closed circuit; the `threshold`th opens it. A circuit that is not closed stays as it
        is.
        """

    def take_probe(self, name: str, *, open_seconds: float, lease_seconds: float) -> bool:
        """True for one caller only, once `open_seconds` have passed, and again when its lease has run out."""

    def reopen(self, name: str) -> None:
        """The probe failed: open for another full term."""

    def close(self, name: str) -> None:
        """Closed, no failures."""

    def reset_failures(self, name: str) -> None:
        """A success of a closed circuit: its failures are no longer in a row. An open circuit stays open."""

    def hang_up(self) -> None:
        """Lets go of whatever connection it holds; the next operation makes a new one."""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One call that was let through. Its maker says exactly once how it ended."""

    breaker: "Breaker"
    is_probe: bool

    def succeeded(self) -> None:
        self.breaker.note_success(is_probe=self.is_probe)

    def failed(self) -> None:
        self.breaker.note_failure(is_probe=self.is_probe)


class Breaker:
    """The breaker of one upstream in one process."""

    def __init__(
        self,
        name: str,
        store: Store,
        *,
        failures: int = 5,
        open_seconds: float = 60.0,
        # Above the longest time-out of an upstream, else a slow probe is joined by a second one.
        probe_lease_seconds: float = 30.0,
        view_seconds: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.store = store
        self.failures = failures
        self.open_seconds = open_seconds
        self.probe_lease_seconds = probe_lease_seconds
        self.view_seconds = view_seconds
        self.clock = clock
        self._view = Circuit()
        self._view_until = float("-inf")
        self._refreshing = threading.Lock()

    def admit(self) -> Attempt:
        """Lets a call through, or raises CircuitOpen with the seconds to wait."""
        circuit = self.look()
        if circuit.state == State.CLOSED:
            return Attempt(breaker=self, is_probe=False)
        if circuit.probe_in <= 0:
            if self._take_probe():
                log.info("Circuit %s: probing", self.name)
                self._keep(Circuit(state=State.HALF_OPEN, probe_in=self.probe_lease_seconds))
                return Attempt(breaker=self, is_probe=True)
            self._keep(replace(circuit, probe_in=self.view_seconds))  # another process is probing
        raise CircuitOpen(self.name, retry_after=max(circuit.probe_in, self.view_seconds))

    def look(self) -> Circuit:
        """The circuit as this process knows it, at most `view_seconds` old. One thread refreshes, none waits."""
        if self.clock() >= self._view_until and self._refreshing.acquire(blocking=False):
            try:
                self._keep(self.store.read(self.name, open_seconds=self.open_seconds))
            except StoreUnavailable:
                self._keep(Circuit())
            finally:
                self._refreshing.release()
        return self._view

    def note_success(self, *, is_probe: bool) -> None:
        if is_probe:
            log.info("Circuit %s: closed", self.name)
            self._write(lambda: self.store.close(self.name))
            self._keep(Circuit())
        elif self._view.state == State.CLOSED and self._view.failures:
            self._view = replace(self._view, failures=0)  # first, so that 100 threads do not all write it
            self._write(lambda: self.store.reset_failures(self.name))

    def note_failure(self, *, is_probe: bool) -> None:
        if is_probe:
            log.warning("Circuit %s: the probe failed, open again", self.name)
            self._write(lambda: self.store.reopen(self.name))
            self._keep(Circuit(state=State.OPEN, failures=self.failures, probe_in=self.open_seconds))
            return
        try:
            circuit = self.store.count_failure(self.name, threshold=self.failures, open_seconds=self.open_seconds)
        except StoreUnavailable:
            return
        if circuit.state == State.OPEN and self._view.state == State.CLOSED:
            log.warning("Circuit %s: open after %s failures", self.name, circuit.failures)
        self._keep(circuit)

    def _keep(self, circuit: Circuit) -> None:
        self._view = circuit
        self._view_until = self.clock() + self.view_seconds

    def _take_probe(self) -> bool:
        try:
            return self.store.take_probe(
                self.name, open_seconds=self.open_seconds, lease_seconds=self.probe_lease_seconds
            )
        except StoreUnavailable:
            return True

    def _write(self, change: Callable[[], None]) -> None:
        try:
            change()
        except StoreUnavailable:
            log.warning("Circuit %s: the store cannot be reached, its state is kept in this process only", self.name)


@dataclass(kw_only=True)
class _Row:
    state: State = State.CLOSED
    failures: int = 0
    opened_at: float = 0.0
    probe_until: float = 0.0


class MemoryStore:
    """Circuits of one process: for tests, and for a command that runs without a database."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._rows: dict[str, _Row] = {}
        self._lock = threading.Lock()

    def read(self, name: str, *, open_seconds: float) -> Circuit:
        with self._lock:
            return self._circuit(self._row(name), open_seconds)

    def count_failure(self, name: str, *, threshold: int, open_seconds: float) -> Circuit:
        with self._lock:
            row = self._row(name)
            if row.state == State.CLOSED:
                row.failures += 1
                if row.failures >= threshold:
                    row.state, row.opened_at = State.OPEN, self._clock()
            return self._circuit(row, open_seconds)

    def take_probe(self, name: str, *, open_seconds: float, lease_seconds: float) -> bool:
        with self._lock:
            row = self._row(name)
            if row.state == State.CLOSED or self._circuit(row, open_seconds).probe_in > 0:
                return False
            row.state, row.probe_until = State.HALF_OPEN, self._clock() + lease_seconds
            return True

    def reopen(self, name: str) -> None:
        with self._lock:
            row = self._row(name)
            row.state, row.opened_at = State.OPEN, self._clock()

    def close(self, name: str) -> None:
        with self._lock:
            self._rows[name] = _Row()

    def reset_failures(self, name: str) -> None:
        with self._lock:
            row = self._row(name)
            if row.state == State.CLOSED:
                row.failures = 0

    def hang_up(self) -> None:
        """There is no connection."""

    def _row(self, name: str) -> _Row:
        return self._rows.setdefault(name, _Row())

    def _circuit(self, row: _Row, open_seconds: float) -> Circuit:
        due = {State.CLOSED: 0.0, State.OPEN: row.opened_at + open_seconds, State.HALF_OPEN: row.probe_until}[row.state]
        probe_in = 0.0 if row.state == State.CLOSED else max(0.0, due - self._clock())
        return Circuit(state=row.state, failures=row.failures, probe_in=probe_in)
