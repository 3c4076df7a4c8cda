"""The engine of the worker, with steps that are lists instead of tables."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django_q.models import OrmQ
from pytest_django import Settings

from conversations.moves import Moment
from orchestrator_site.middleware import request_id
from orchestrator_site.worker import drain, pulse
from orchestrator_site.worker.drain import Drain
from orchestrator_site.worker.step import Step


@dataclass
class Table:
    """Rows that wait, and what became of them."""

    name: str
    waiting: list[Any]
    act: Callable[[Any], Any] = lambda facts: f"{facts} done"
    then: Callable[[Any, Any], None] = lambda facts, result: None
    recorded: list[tuple[Any, Any]] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    claims: list[int] = field(default_factory=list)
    workers: set[str] = field(default_factory=set)

    @property
    def step(self) -> Step[Any, Any]:
        return Step(name=self.name, claim=self._claim, act=self.act, record=self._record)

    def _claim(self, limit: int, worker: str) -> list[Any]:
        assert threading.current_thread() is threading.main_thread()
        taken, self.waiting = self.waiting[:limit], self.waiting[limit:]
        self.claims.append(limit)
        self.workers.add(worker)
        return taken

    def _record(self, finished: Sequence[tuple[Any, Any]]) -> None:
        assert threading.current_thread() is threading.main_thread()
        self.batches.append(len(finished))
        self.recorded.extend(finished)
        for facts, result in finished:
            self.then(facts, result)


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    woken: list[str] = []
    monkeypatch.setattr(drain, "wake", lambda: woken.append("now"))
    monkeypatch.setattr(drain, "wake_at", lambda due: woken.append("later"))
    return woken


@pytest.fixture(autouse=True)
def _small_pool(settings: Settings, woken: list[str]) -> Iterator[None]:
    settings.WORKER_THREADS = 8
    drain._threads.cache_clear()
    yield
    drain._threads().shutdown()
    drain._threads.cache_clear()


def test_everything_that_waits_is_done_and_recorded_once(woken: list[str]) -> None:
    table = Table("draft", list(range(7)))
    Drain([table.step]).run()
    assert sorted(table.recorded) == [(number, f"{number} done") for number in range(7)]
    assert woken == [], "nothing is left for a successor"


def test_a_full_chunk_calls_for_one_drain_more(settings: Settings, woken: list[str]) -> None:
    settings.DRAIN_CHUNK = 5
    Drain([Table("draft", list(range(20))).step]).run()
    assert woken == ["now"]


def test_no_more_is_claimed_than_threads_are_free(settings: Settings) -> None:
    settings.WORKER_THREADS = 3
    running, most, lock = 0, 0, threading.Lock()

    def act(facts: int) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.002)
        with lock:
            running -= 1

    table = Table("draft", list(range(20)), act=act)
    Drain([table.step]).run()
    assert len(table.recorded) == 20
    assert most <= 3
    assert max(table.claims) == 3


def test_rows_are_claimed_and_recorded_in_chunks(settings: Settings) -> None:
    settings.DRAIN_CHUNK, settings.WORKER_THREADS = 5, 40
    table = Table("draft", list(range(40)))
    Drain([table.step]).run()
    assert max(table.claims) == 5
    assert max(table.batches) <= 5


def test_work_that_a_record_makes_is_done_by_the_same_drain() -> None:
    send = Table("send", [])
    draft = Table("draft", ["a", "b"], then=lambda facts, result: send.waiting.append(result))
    Drain([send.step, draft.step]).run()
    assert sorted(facts for facts, _ in send.recorded) == ["a done", "b done"]


def test_rows_that_come_while_something_is_under_way_do_not_wait_for_it() -> None:
    second_done = threading.Event()

    def act(facts: str) -> str:
        if facts == "first":
            table.waiting.append("second")
            assert second_done.wait(10), "the second waited for the first"
        else:
            second_done.set()
        return facts

    table = Table("draft", ["first"], act=act)
    Drain([table.step]).run()
    # What fails in a thread is recorded as its result: there the first would say that the second waited.
    assert sorted(table.recorded) == [("first", "first"), ("second", "second")]


def nothing_is_due(now: Moment) -> QuerySet[OrmQ]:
    return OrmQ.objects.filter(key="nobody")


@pytest.mark.django_db
def test_what_the_database_finds_too_early_is_done_before_the_drain_ends() -> None:
    """Its clock may be behind ours: nothing is due for the one, and something for the other."""
    table = Table("draft", [1])
    Drain([replace(table.step, due=nothing_is_due)]).run()
    assert table.recorded == [(1, "1 done")]


@pytest.mark.django_db
def test_a_step_that_cannot_say_what_is_due_is_asked_beside_those_that_can() -> None:
    silent = Table("silent", [])

    def act(facts: str) -> str:
        if facts == "first":
            silent.waiting.append("second")
            assert done.wait(10), "it waited for the end of the other's work"
        else:
            done.set()
        return facts

    done = threading.Event()
    silent.act = act
    busy = Table("busy", ["first"], act=act)
    Drain([silent.step, replace(busy.step, due=nothing_is_due)]).run()
    assert busy.recorded == [("first", "first")]
    assert silent.recorded == [("second", "second")]


def test_what_stands_first_gets_the_free_threads_first(settings: Settings) -> None:
    settings.WORKER_THREADS = 1
    order: list[str] = []
    tables = [Table(name, [name] * 2, act=order.append) for name in ("send", "draft")]
    Drain([table.step for table in tables]).run()
    assert order == ["send", "send", "draft", "draft"]


def test_an_exception_while_acting_is_recorded_as_the_result(caplog: pytest.LogCaptureFixture) -> None:
    def act(facts: int) -> str:
        if facts == 1:
            raise ValueError("no such tenant")
        return "done"

    table = Table("draft", [0, 1, 2], act=act)
    Drain([table.step]).run()
    results = dict(table.recorded)
    assert isinstance(results[1], ValueError)
    assert results[0] == results[2] == "done"
    assert "no such tenant" in caplog.text


@pytest.mark.django_db
@pytest.mark.parametrize("part", ["claim", "record"])
def test_a_step_that_fails_rests_and_does_not_stop_the_others(
    part: str, woken: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    calls = []

    def fail(*arguments: Any) -> list[Any]:
        calls.append(arguments)
        raise RuntimeError("the disk is full")

    rows = Table("broken", ["x"])
    parts: dict[str, Any] = {"claim": rows.step.claim, "record": rows.step.record, part: fail}
    healthy = Table("healthy", list(range(5)))
    Drain([Step(name="broken", act=str, **parts), healthy.step]).run()
    assert len(healthy.recorded) == 5
    assert len(calls) == 1, "it was asked again at once"
    assert "the disk is full" in caplog.text
    assert woken == ["later"]


def test_when_its_time_is_over_a_drain_finishes_what_it_began_and_wakes_a_successor(
    settings: Settings, woken: list[str]
) -> None:
    settings.DRAIN_SECONDS = 0.05

    def act(facts: int) -> None:
        time.sleep(0.02)
        table.waiting.append(facts)

    table = Table("endless", [1, 2], act=act)
    begun = time.monotonic()
    Drain([table.step]).run()
    assert time.monotonic() - begun < 5
    assert table.waiting, "there was more to do"
    assert len(table.recorded) >= 2
    assert woken == ["now"]


def test_a_drain_that_is_asked_to_stop_claims_no_more(monkeypatch: pytest.MonkeyPatch, woken: list[str]) -> None:
    monkeypatch.setattr(pulse, "stopping", lambda: True)
    table = Table("draft", [1])
    Drain([table.step]).run()
    assert table.waiting == [1]
    assert woken == ["now"], "somebody else shall do it"


def test_each_drain_claims_under_a_name_of_its_own() -> None:
    table = Table("draft", [1])
    Drain([table.step]).run()
    Drain([table.step]).run()
    assert len(table.workers) == 2


@pytest.mark.django_db
def test_the_database_is_out_of_reach_for_threads() -> None:
    def act(facts: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    table = Table("draft", [1], act=act)
    Drain([table.step]).run()
    [(_, error)] = table.recorded
    assert isinstance(error, RuntimeError)
    assert "`act` talks to upstreams only" in str(error)


def test_the_logs_of_a_thread_carry_the_id_of_its_work() -> None:
    @dataclass(frozen=True)
    class Text:
        request_id: str

    table = Table("draft", [Text("one"), Text("two")], act=lambda facts: request_id.get())
    Drain([table.step]).run()
    assert {facts.request_id: said for facts, said in table.recorded} == {"one": "one", "two": "two"}
