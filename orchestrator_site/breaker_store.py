"""The circuits of all processes in one table, `circuit_breakers`: each operation is one statement.

Threads that talk to an upstream must not touch the ORM (each would open a connection of its own). So every process
keeps one dedicated connection for its breakers, made at first use, guarded by a lock and made anew when it breaks. It
holds no session state and no prepared statements, so it works through a transaction pooler. Times are the database's
own: the clocks of the machines need not agree.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import psycopg
from django.db import connections

from integrations.breaker import Circuit, State, StoreUnavailable

log = logging.getLogger(__name__)

# A database that does not answer is left alone for a while: a hundred threads must not wait for it one after the other.
PAUSE_SECONDS = 5.0

# Seconds until a call may be the probe.
PROBE_IN = """
    GREATEST(0, EXTRACT(EPOCH FROM CASE state
        WHEN 'open' THEN opened_at + make_interval(secs => %(open_seconds)s) - clock_timestamp()
        WHEN 'half_open' THEN probe_until - clock_timestamp()
        ELSE make_interval() END))::float
"""
READ = f"SELECT state, failures, {PROBE_IN} FROM circuit_breakers WHERE name = %(name)s"  # noqa: S608  constants only
COUNT_FAILURE = f"""
    INSERT INTO circuit_breakers AS circuit (name, state, failures, opened_at, updated_at)
    VALUES (
        %(name)s,
        CASE WHEN %(threshold)s <= 1 THEN 'open' ELSE 'closed' END,
        1,
        CASE WHEN %(threshold)s <= 1 THEN clock_timestamp() END,
        clock_timestamp()
    )
    ON CONFLICT (name) DO UPDATE SET
        failures = circuit.failures + CASE WHEN circuit.state = 'closed' THEN 1 ELSE 0 END,
        opened_at = CASE WHEN circuit.state = 'closed' AND circuit.failures + 1 >= %(threshold)s
                         THEN clock_timestamp() ELSE circuit.opened_at END,
        state = CASE WHEN circuit.state = 'closed' AND circuit.failures + 1 >= %(threshold)s
                     THEN 'open' ELSE circuit.state END,
        updated_at = clock_timestamp()
    RETURNING state, failures, {PROBE_IN}
"""  # noqa: S608  constants only
TAKE_PROBE = """
    UPDATE circuit_breakers
    SET state = 'half_open', probe_until = clock_timestamp() + make_interval(secs => %(lease_seconds)s),
        updated_at = clock_timestamp()
    WHERE name = %(name)s AND (
        state = 'open' AND opened_at + make_interval(secs => %(open_seconds)s) <= clock_timestamp()
        OR state = 'half_open' AND probe_until <= clock_timestamp())
    RETURNING name
"""
REOPEN = """
    UPDATE circuit_breakers
    SET state = 'open', opened_at = clock_timestamp(), probe_until = NULL, updated_at = clock_timestamp()
    WHERE name = %(name)s
"""
CLOSE = """
    UPDATE circuit_breakers
    SET state = 'closed', failures = 0, opened_at = NULL, probe_until = NULL, updated_at = clock_timestamp()
    WHERE name = %(name)s
"""
RESET_FAILURES = """
    UPDATE circuit_breakers SET failures = 0, updated_at = clock_timestamp()
    WHERE name = %(name)s AND state = 'closed' AND failures > 0
"""


class PostgresStore:
    """The `Store` of `integrations.breaker` that all processes share."""

    def __init__(
        self, conninfo: Mapping[str, Any] | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`conninfo`: where the database is; usually the default one of the settings."""
        self._conninfo = conninfo
        self._clock = clock
        self._connection: psycopg.Connection | None = None
        self._lock = threading.Lock()
        self._silent_until = float("-inf")

    def read(self, name: str, *, open_seconds: float) -> Circuit:
        return _circuit(self._execute(READ, {"name": name, "open_seconds": open_seconds}))

    def count_failure(self, name: str, *, threshold: int, open_seconds: float) -> Circuit:
        facts = {"name": name, "threshold": threshold, "open_seconds": open_seconds}
        return _circuit(self._execute(COUNT_FAILURE, facts))

    def take_probe(self, name: str, *, open_seconds: float, lease_seconds: float) -> bool:
        facts = {"name": name, "open_seconds": open_seconds, "lease_seconds": lease_seconds}
        return self._execute(TAKE_PROBE, facts) is not None

    def reopen(self, name: str) -> None:
        self._execute(REOPEN, {"name": name})

    def close(self, name: str) -> None:
        self._execute(CLOSE, {"name": name})

    def reset_failures(self, name: str) -> None:
        self._execute(RESET_FAILURES, {"name": name})

    def hang_up(self) -> None:
        with self._lock:
            self._hang_up()

    def _execute(self, statement: str, facts: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """The first row of one statement, tried on a fresh connection when the kept one turns out to be dead."""
        with self._lock:
            if self._clock() < self._silent_until:
                raise StoreUnavailable
            try:
                if self._connection is not None:
                    with suppress(psycopg.OperationalError):
                        return self._run(statement, facts)
                    self._hang_up()
                return self._run(statement, facts)
            except psycopg.Error as error:
                self._hang_up()
                self._silent_until = self._clock() + PAUSE_SECONDS
                log.warning("The circuit breakers cannot use the database: %s", type(error).__name__)
                raise StoreUnavailable from error

    def _run(self, statement: str, facts: Mapping[str, Any]) -> tuple[Any, ...] | None:
        if self._connection is None:
            self._connection = self._connect()
        cursor = self._connection.execute(statement, facts)
        return cursor.fetchone() if cursor.description else None

    def _connect(self) -> psycopg.Connection:
        facts = self._conninfo or connections["default"].get_connection_params()
        names = ("dbname", "host", "port", "user", "password", "sslmode", "sslrootcert", "sslcert", "sslkey")
        known = {name: facts[name] for name in names if facts.get(name)}
        return psycopg.connect(
            **known, autocommit=True, prepare_threshold=None, connect_timeout=2, tcp_user_timeout=3000
        )

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _circuit(row: tuple[Any, ...] | None) -> Circuit:
    if row is None:
        return Circuit()
    state, failures, probe_in = row
    return Circuit(state=State(state), failures=failures, probe_in=probe_in)
