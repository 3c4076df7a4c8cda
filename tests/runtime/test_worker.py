"""The worker with its real processes: whatever is killed, all work ends, and no process is left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection
from django_q.models import OrmQ

from conversations.wakeups import wake
from tests.runtime.fake_work import TABLE

pytestmark = [
    pytest.mark.processes,
    pytest.mark.django_db(transaction=True, available_apps=["django_q"]),
]


class Worker:
    """A running `fake_work`, seen from outside: its processes by what they do."""

    def __init__(self, seconds: float, **settings: str) -> None:
        database = connection.settings_dict
        url = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**database)
        self.started = subprocess.Popen(
            [sys.executable, "-m", "tests.runtime.fake_work", str(seconds)],
            env={**os.environ, "DATABASE_URL": url, "IGNORE_DOTENV": "1", **settings},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.pid = self.started.pid

    @property
    def cluster(self) -> int:
        return children(self.pid)[0]

    @property
    def sentinel(self) -> int:
        return children(self.cluster)[0]

    @property
    def workers(self) -> list[int]:
        # django-q2 starts the workers first, then the monitor and the pusher.
        return children(self.sentinel)[:2]

    @property
    def all(self) -> list[int]:
        return [self.pid, self.cluster, self.sentinel, *children(self.sentinel)]

    def log(self) -> str:
        return self.started.communicate()[1]


@pytest.fixture
def start() -> Iterator[Callable[..., Worker]]:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS fake_work")
        cursor.execute(TABLE)
    started: list[Worker] = []

    def _start(seconds: float = 0.01, **settings: str) -> Worker:
        worker = Worker(seconds, **settings)
        started.append(worker)
        wait_until(lambda: len(descendants(worker.pid)) == 6, "the worker did not start")
        wait_until(lambda: not OrmQ.objects.exists(), "the first wake-up was not taken")
        return worker

    yield _start
    for worker in started:
        for pid in [*descendants(worker.pid), worker.pid]:
            if worker.started.poll() is None:
                os.kill(pid, signal.SIGKILL)
        worker.started.communicate()


def children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def descendants(pid: int) -> list[int]:
    return [one for child in children(pid) for one in (child, *descendants(child))]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(condition: Callable[[], object], failure: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, failure
        time.sleep(0.02)


def add_work(count: int = 1) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO fake_work SELECT FROM generate_series(1, %s)", [count])
    wake()


def count(condition: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM fake_work WHERE {condition}")
        [number] = cursor.fetchone()
    return int(number)


def wait_until_done(seconds: float = 30) -> None:
    wait_until(lambda: not count("done = 0"), "work was left undone", seconds)
    assert not count("done > 1"), "work was recorded twice"


def test_work_is_done_within_a_moment(start: Callable[..., Worker]) -> None:
    start()
    add_work(300)
    wait_until_done()
    assert not OrmQ.objects.exists()


def test_a_killed_idle_worker_leaves_nobody_deaf(start: Callable[..., Worker]) -> None:
    worker = start()
    # Idle they must be: the first wake-up is done with.
    time.sleep(1)
    for pid in worker.workers:
        os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)
    before = worker.cluster
    add_work()
    wait_until_done()
    assert worker.cluster != before, "it was not deaf: this test proves nothing"


def test_the_work_of_a_killed_busy_worker_is_done_by_another(start: Callable[..., Worker]) -> None:
    worker = start(1.0, SWEEP_SECONDS="1")
    add_work(40)
    wait_until(lambda: count("claimed_by IS NOT NULL") == 40, "nothing was begun")
    for pid in worker.workers:
        os.kill(pid, signal.SIGKILL)
    wait_until_done()


def test_connections_that_the_database_drops_are_opened_again(start: Callable[..., Worker]) -> None:
    worker = start(0.5, SWEEP_SECONDS="1")
    before = worker.all
    add_work(40)
    wait_until(lambda: count("claimed_by IS NOT NULL") == 40, "nothing was begun")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    wait_until_done()
    assert worker.all == before, "processes ended because of it"


def test_a_killed_sentinel_takes_its_cluster_along_and_a_new_one_starts(start: Callable[..., Worker]) -> None:
    worker = start()
    before = worker.all[1:]
    os.kill(worker.sentinel, signal.SIGKILL)
    wait_until(lambda: not any(alive(pid) for pid in before), "processes were left behind")
    add_work()
    wait_until_done()


def test_a_killed_parent_leaves_no_process_behind(start: Callable[..., Worker]) -> None:
    worker = start()
    processes = worker.all
    os.kill(worker.pid, signal.SIGKILL)
    wait_until(lambda: not any(alive(pid) for pid in processes), "processes were left behind")


def test_a_killed_parent_lets_the_work_in_hand_finish(start: Callable[..., Worker]) -> None:
    worker = start(1.0)
    processes = worker.all
    add_work(3)
    wait_until(lambda: count("claimed_by IS NOT NULL") == 3, "nothing was begun")
    os.kill(worker.pid, signal.SIGKILL)
    wait_until(lambda: not any(alive(pid) for pid in processes), "processes were left behind")
    assert count("done = 1") == 3


def test_a_stopped_worker_finishes_what_it_began_and_no_more(start: Callable[..., Worker]) -> None:
    worker = start(1.0, WORKER_THREADS="4")
    processes = worker.all
    add_work(40)
    wait_until(lambda: count("claimed_by IS NOT NULL") >= 4, "nothing was begun")
    worker.started.terminate()
    assert worker.started.wait(30) == 0
    assert not any(alive(pid) for pid in processes)
    assert count("claimed_by IS NOT NULL") == count("done = 1")
    assert count("claimed_by IS NULL"), "it went on until all was done"
    assert OrmQ.objects.exists(), "nobody is told of what is left"


@pytest.mark.parametrize("whom", ["workers", "all"])
def test_a_signal_to_every_process_ends_the_worker_cleanly(start: Callable[..., Worker], whom: str) -> None:
    worker = start(FAKE_DEAF_SECONDS="1")
    processes = worker.all
    begun = time.monotonic()
    for pid in processes if whom == "all" else [*worker.workers, worker.pid]:
        os.kill(pid, signal.SIGTERM)
    assert worker.started.wait(30) == 0
    assert not any(alive(pid) for pid in processes)
    assert time.monotonic() - begun < 15


def test_work_left_by_a_dead_machine_is_done_by_the_next_start(start: Callable[..., Worker]) -> None:
    add_work(3)
    OrmQ.objects.all().delete()
    start()
    wait_until_done()
