"""django-q2's queue table, read without contention and without polling.

Two changes to the ORM broker: jobs are taken with SKIP LOCKED, many clusters beside each other, and an idle pusher
sleeps until Postgres tells it of a new job or the next one is due. `benchmarks/worker.py` measures both.

A job is deleted when it is taken. Jobs are wake-ups (`conversations/wakeups.py`): one that dies with its machine is
made up for by the next start or the next sweep, long before django-q2 would deliver it again.
"""

import logging
import time

from django.conf import settings
from django.db import Error, connections
from django_q.brokers.orm import ORM
from django_q.conf import Conf

from conversations.wakeups import CHANNEL
from orchestrator_site.worker import pulse

log = logging.getLogger(__name__)

# The longest sleep (seconds): so soon an idle pusher hears that it shall stop.
LONGEST_NAP = 1.0
# The shortest: the job that is due is locked by a transaction which relies on it and is about to end.
SHORTEST_NAP = 0.01

# Materialized: a plan that runs the inner query for every row would take more than LIMIT.
TAKE = """
WITH due AS MATERIALIZED (
    SELECT id FROM django_q_ormq WHERE key = %s AND lock <= clock_timestamp()
    ORDER BY lock LIMIT %s FOR UPDATE SKIP LOCKED
)
DELETE FROM django_q_ormq USING due WHERE django_q_ormq.id = due.id RETURNING payload
"""
SECONDS_TO_NEXT = "SELECT extract(epoch FROM min(lock) - clock_timestamp())::float FROM django_q_ormq WHERE key = %s"


class NotifyingBroker(ORM):  # type: ignore[misc]  # django-q2 has no types
    """Takes jobs with FOR UPDATE SKIP LOCKED; sleeps on LISTEN, or polls where a pooler forbids LISTEN."""

    _listening: object = None

    def enqueue(self, task: str) -> int:
        key: int = super().enqueue(task)
        with connections[Conf.ORM].cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])
        return key

    def dequeue(self) -> list[tuple[None, str]]:
        """Jobs that are due, or none after a nap. Without the id that django-q2 would acknowledge: they are gone."""
        try:
            # Listening begins before the look: what is committed between look and nap ends the nap at once.
            self._listen()
            jobs = self._take()
            if not jobs:
                self._nap()
        except Error as error:
            log.warning("wake-ups wait, the database is not ready: %s", error)
            connections[Conf.ORM].close()
            time.sleep(LONGEST_NAP)
            return []
        return jobs

    def _listen(self) -> None:
        connection = connections[Conf.ORM]
        connection.ensure_connection()
        if connection.connection is not self._listening and not settings.DATABASE_TRANSACTION_POOLER:
            with connection.cursor() as cursor:
                cursor.execute(f"LISTEN {CHANNEL}")
            self._listening = connection.connection

    def _take(self) -> list[tuple[None, str]]:
        with connections[Conf.ORM].cursor() as cursor:
            cursor.execute(TAKE, [self.list_key, Conf.BULK])
            jobs = [(None, payload) for (payload,) in cursor.fetchall()]
        pulse.tell(pulse.HANDED * len(jobs))
        return jobs

    def _nap(self) -> None:
        connection = connections[Conf.ORM]
        with connection.cursor() as cursor:
            cursor.execute(SECONDS_TO_NEXT, [self.list_key])
            [seconds] = cursor.fetchone()
        longest = Conf.POLL if settings.DATABASE_TRANSACTION_POOLER else LONGEST_NAP
        nap = longest if seconds is None else min(longest, max(SHORTEST_NAP, seconds))
        if settings.DATABASE_TRANSACTION_POOLER:
            time.sleep(nap)
        else:
            with connection.wrap_database_errors:
                list(connection.connection.notifies(timeout=nap, stop_after=1))
