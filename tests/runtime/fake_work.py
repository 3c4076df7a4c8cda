"""A worker with real processes and invented work: `python -m tests.runtime.fake_work SECONDS`.

Work is a row of the table `fake_work`; doing it takes SECONDS (say: an upstream's answer) in a thread. A row that is
given back by its lease is done again, as the ledger's are; `done` counts how often it was recorded.
"""

import os
import sys
import time
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import django

TABLE = """
CREATE TABLE IF NOT EXISTS fake_work (
    id serial PRIMARY KEY, created_at timestamptz DEFAULT clock_timestamp(), begun_at timestamptz, done_at timestamptz,
    claimed_by text, lease_until timestamptz, done integer NOT NULL DEFAULT 0
)
"""
CLAIM = """
WITH due AS MATERIALIZED (
    SELECT id FROM fake_work
    WHERE done = 0 AND (claimed_by IS NULL OR lease_until < clock_timestamp())
    ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE fake_work SET claimed_by = %(worker)s, lease_until = clock_timestamp() + %(lease)s * interval '1 second',
    begun_at = COALESCE(begun_at, clock_timestamp())
FROM due WHERE fake_work.id = due.id RETURNING fake_work.id
"""
RECORD = "UPDATE fake_work SET done = done + 1, done_at = clock_timestamp() WHERE id = ANY(%s) AND claimed_by = %s"
# Seconds; the sweep of the invented work is a claim.
LEASE = 2


def main(seconds: float) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "orchestrator_site.settings"
    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from orchestrator_site.worker import cluster
    from orchestrator_site.worker.step import Step

    def execute(sql: str, parameters: Any, *, answer: bool = False) -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall() if answer else []

    def claim(limit: int, worker: str) -> list[tuple[int, str]]:
        rows = execute(CLAIM, {"worker": worker, "limit": limit, "lease": seconds + LEASE}, answer=True)
        return [(key, worker) for (key,) in rows]

    def act(facts: tuple[int, str]) -> None:
        time.sleep(seconds)

    def record(finished: Sequence[tuple[tuple[int, str], Any]]) -> None:
        for worker in {worker for (_, worker), _ in finished}:
            execute(RECORD, [[key for (key, name), _ in finished if name == worker], worker])

    replace_module("orchestrator_site.worker.steps", STEPS=(Step(name="fake", claim=claim, act=act, record=record),))
    replace_module("approvals.sweeps", run=lambda: None)
    if "FAKE_DEAF_SECONDS" in os.environ:
        cluster.DEAF_SECONDS = cluster.DEAF_WHILE_BUSY_SECONDS = float(os.environ["FAKE_DEAF_SECONDS"])
    call_command("runworker")


def replace_module(name: str, **contents: Any) -> None:
    module = ModuleType(name)
    vars(module).update(contents)
    sys.modules[name] = module
    package, _, child = name.rpartition(".")
    setattr(__import__(package, fromlist=["_"]), child, module)


if __name__ == "__main__":
    main(float(sys.argv[1]))
