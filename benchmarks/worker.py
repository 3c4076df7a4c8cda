"""What the worker costs and how fast it starts: `python -m benchmarks.worker`, with nothing else on the machine.

The work is invented (`tests/runtime/fake_work.py`): 840 ms in a thread each, as long as the upstreams of a text take
one after the other. Everything else is the real worker, in a database of its own beside the one of the settings.

    idle        CPU of all seven processes together while nothing is to be done, in % of a core
    start       from the commit of a row to its claim by a worker
    throughput  so many rows at once; nothing can be faster than rows / 200 threads x 840 ms
    restart     after a kill, until new work is done
"""

import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import django

SECONDS = 0.84
DATABASE = "orchestrator_benchmark"
Query = Callable[..., list[Any]]
Worker = subprocess.Popen[bytes]


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orchestrator_site.settings")
    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    from conversations.wakeups import wake
    from tests.runtime.fake_work import TABLE

    query = make_query(connection)
    query(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
    query(f"CREATE DATABASE {DATABASE}")
    connection.close()
    url = settings.DATABASE_URL.rpartition("/")[0] + f"/{DATABASE}"
    connection.settings_dict["NAME"] = DATABASE
    call_command("migrate", verbosity=0, skip_checks=True)
    query(TABLE)

    worker = start(url)
    try:
        # What starting costs is not what idling costs.
        time.sleep(2)
        idle(worker.pid)
        start_latency(query, wake)
        throughput(query, wake, worker.pid, 100)
        throughput(query, wake, worker.pid, 1_000)
        worker = restarts(query, wake, worker, url)
    finally:
        stop(worker)


def make_query(connection: Any) -> Query:
    def query(sql: str, *parameters: Any) -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters or None)
            return cursor.fetchall() if cursor.description else []

    return query


def start(url: str) -> Worker:
    command = [sys.executable, "-m", "tests.runtime.fake_work", str(SECONDS)]
    worker = subprocess.Popen(command, env={**os.environ, "DATABASE_URL": url, "LOG_LEVEL": "ERROR"})
    while len(tree(worker.pid)) < 7:
        time.sleep(0.05)
    return worker


def stop(worker: Worker) -> None:
    begun = time.monotonic()
    worker.terminate()
    worker.wait()
    print(f"stop        {time.monotonic() - begun:6.1f} s")


def idle(pid: int, seconds: float = 30) -> None:
    before = cpu_seconds(pid)
    time.sleep(seconds)
    print(f"idle        {(cpu_seconds(pid) - before) / seconds:8.2%} of a core")


def start_latency(query: Query, wake: Callable[[], None], rows: int = 30) -> None:
    latencies = []
    for _ in range(rows):
        [(key,)] = query("INSERT INTO fake_work DEFAULT VALUES RETURNING id")
        wake()
        # Idle again before the next: the wake-up is measured, not the tick of a busy drain.
        time.sleep(SECONDS + 0.4)
        [(seconds,)] = query(
            "SELECT extract(epoch FROM begun_at - created_at)::float FROM fake_work WHERE id = %s", key
        )
        latencies.append(seconds * 1000)
    print(f"start       {statistics.median(latencies):6.1f} ms median, {max(latencies):.1f} ms at most, of {rows}")


def throughput(query: Query, wake: Callable[[], None], pid: int, rows: int) -> None:
    query("DELETE FROM fake_work")
    before = cpu_seconds(pid)
    query("INSERT INTO fake_work SELECT FROM generate_series(1, %s)", rows)
    wake()
    wait_until_done(query)
    [(done, p95)] = query(
        "SELECT max(took), percentile_cont(0.95) WITHIN GROUP (ORDER BY took) FROM"
        " (SELECT extract(epoch FROM done_at - created_at)::float AS took FROM fake_work) AS each"
    )
    cpu = (cpu_seconds(pid) - before) / rows * 1000
    floor = -(-rows // 200) * SECONDS
    print(f"throughput  {rows:,} rows in {done:.2f} s (floor {floor:.2f} s), p95 {p95:.2f} s, {cpu:.2f} ms CPU a row")


def restarts(query: Query, wake: Callable[[], None], worker: Worker, url: str) -> Worker:
    killed = {
        # One of the two holds the queue's lock, so that the cluster is deaf.
        "both idle workers": slice(3, 5),
        "the sentinel": slice(2, 3),
        "everything": slice(None),
    }
    for name, victims in killed.items():
        time.sleep(1)
        for pid in tree(worker.pid)[victims]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        begun = time.monotonic()
        query("INSERT INTO fake_work DEFAULT VALUES")
        wake()
        if name == "everything":
            worker.wait()
            worker = start(url)
        wait_until_done(query)
        print(f"restart     {time.monotonic() - begun - SECONDS:6.1f} s after the kill of {name}")
    return worker


def wait_until_done(query: Query) -> None:
    while query("SELECT count(*) FROM fake_work WHERE done = 0") != [(0,)]:
        time.sleep(0.05)


def tree(pid: int) -> list[int]:
    """A process and its descendants: runworker, cluster, sentinel, the workers, monitor, pusher."""
    with suppress(FileNotFoundError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *(one for child in children for one in tree(int(child)))]
    return []


def cpu_seconds(pid: int) -> float:
    """Of all threads, in nanoseconds as the scheduler counts them."""
    stats = [path for one in tree(pid) for path in Path(f"/proc/{one}/task").glob("*/schedstat")]
    return sum(int(path.read_text().split()[0]) for path in stats) / 1e9


if __name__ == "__main__":
    main()
