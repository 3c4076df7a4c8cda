"""Wake the workers: called inside the transaction that commits work for them.

The rows of the ledger are the queue; a wake-up is a django-q2 job that says no more than "look". One that waits and
that nobody has taken serves everybody, so that a thousand texts leave a handful of jobs. What makes that safe is the
row lock: `wake` locks the wake-up which it relies on (or inserts one) until its own transaction ends, and the broker
takes unlocked ones only. So whoever takes it looks after the work was committed, and sees it. A transaction that finds
all of them locked inserts another: there are never more of them than there were transactions at one time.

A wake-up may get lost when a machine dies. No work is lost with it: the sweep finds due rows which nobody takes.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import connection
from django.utils import timezone
from django_q.conf import Conf
from django_q.signing import SignedPackage

# The channel on which the brokers listen.
CHANNEL = "orchestrator_wakeups"
# What a wake-up runs; named, not imported: the worker is composed above this app.
JOB = "orchestrator_site.worker.drain.run"
# Wake-ups for nearly the same moment are one.
NEARLY = timedelta(seconds=1)
# The database's clock shows a wake-up, the worker's clock says what is due: the one may be so much ahead of the other.
CLOCK_SKEW = timedelta(seconds=0.1)

# Only a new wake-up is notified, since Postgres commits notifying transactions one after the other. Reusing one needs
# no notification: a broker that finds it locked looks again in a moment.
ENSURE = f"""
WITH waiting AS (
    SELECT id FROM django_q_ormq
    WHERE key = %(queue)s
      AND lock >= COALESCE(%(due)s::timestamptz, '-infinity')
      AND lock <= COALESCE(%(due)s::timestamptz + %(nearly)s, clock_timestamp())
    ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
), added AS (
    INSERT INTO django_q_ormq (key, payload, lock)
    SELECT %(queue)s, %(payload)s, COALESCE(%(due)s::timestamptz + %(skew)s, clock_timestamp())
    WHERE NOT EXISTS (SELECT FROM waiting)
    RETURNING id
)
SELECT pg_notify('{CHANNEL}', '') FROM added
"""  # noqa: S608 - the channel is a constant


def wake() -> None:
    """Have a worker look for work once the surrounding transaction is committed. One statement."""
    _ensure_wakeup(due=None)


def wake_at(due: datetime) -> None:
    """Have a worker look for work at `due`, or up to a second later. One statement."""
    _ensure_wakeup(due=due if due > timezone.now() else None)


def look_again_soon() -> None:
    """What is due was locked by somebody, who may only have looked at it and will wake nobody. One statement."""
    wake_at(timezone.now() + NEARLY)


def _ensure_wakeup(*, due: datetime | None) -> None:
    parameters = {"queue": Conf.CLUSTER_NAME, "payload": _job(), "due": due, "nearly": NEARLY, "skew": CLOCK_SKEW}
    with connection.cursor() as cursor:
        cursor.execute(ENSURE, parameters)


def _job() -> str:
    """The job as `django_q.tasks.async_task` would pack it, without the statement with which it would insert it."""
    job: dict[str, Any] = {"id": uuid4().hex, "name": "wake-up", "func": JOB, "args": (), "kwargs": {}}
    packed: str = SignedPackage.dumps({**job, "started": timezone.now()})
    return packed
