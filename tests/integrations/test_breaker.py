"""The breaker, with a clock that only we move; two breakers on one store stand for two processes."""

import logging
import threading
from contextlib import suppress

import pytest

from integrations.breaker import Breaker, Circuit, MemoryStore, State, StoreUnavailable
from integrations.errors import CircuitOpen


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class CountingStore(MemoryStore):
    """Notes every operation; `broken` makes all of them fail."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.operations: list[str] = []
        self.broken = False

    def __getattribute__(self, name: str) -> object:
        found = super().__getattribute__(name)
        if name in ("read", "count_failure", "take_probe", "reopen", "close", "reset_failures"):
            self.operations.append(name)
            if self.broken:
                raise StoreUnavailable
        return found


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> CountingStore:
    return CountingStore(clock)


@pytest.fixture
def breaker(store: CountingStore, clock: Clock) -> Breaker:
    return Breaker("monitor", store, clock=clock)


@pytest.fixture
def elsewhere(store: CountingStore, clock: Clock) -> Breaker:
    """The same upstream's breaker in another process."""
    return Breaker("monitor", store, clock=clock)


def fail(breaker: Breaker, times: int = 1) -> None:
    for _ in range(times):
        breaker.admit().failed()


def test_it_opens_at_the_fifth_failure_in_a_row(breaker: Breaker) -> None:
    fail(breaker, 4)
    assert breaker.look().state == State.CLOSED
    fail(breaker)
    with pytest.raises(CircuitOpen, match="circuit open") as refusal:
        breaker.admit()
    assert refusal.value.retry_after == pytest.approx(60.0)


def test_a_success_starts_the_count_anew(breaker: Breaker) -> None:
    fail(breaker, 4)
    breaker.admit().succeeded()
    fail(breaker, 4)
    breaker.admit()


def test_after_a_minute_exactly_one_call_may_probe(breaker: Breaker, elsewhere: Breaker, clock: Clock) -> None:
    fail(breaker, 5)
    clock.now += 59.9
    with pytest.raises(CircuitOpen):
        breaker.admit()
    clock.now += 1.1
    assert breaker.admit().is_probe
    for other in (breaker, elsewhere, elsewhere):
        with pytest.raises(CircuitOpen):
            other.admit()


def test_of_a_hundred_threads_one_is_the_probe(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 5)
    clock.now += 61
    admitted: list[bool] = []

    def try_it() -> None:
        with suppress(CircuitOpen):
            admitted.append(breaker.admit().is_probe)

    threads = [threading.Thread(target=try_it) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert admitted == [True]


def test_a_good_probe_closes_it_everywhere(breaker: Breaker, elsewhere: Breaker, clock: Clock) -> None:
    fail(breaker, 5)
    clock.now += 61
    breaker.admit().succeeded()
    assert not breaker.admit().is_probe
    assert not elsewhere.admit().is_probe
    fail(breaker, 4)
    breaker.admit()


def test_a_bad_probe_opens_it_for_another_minute(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 5)
    clock.now += 61
    breaker.admit().failed()
    clock.now += 59
    with pytest.raises(CircuitOpen):
        breaker.admit()
    clock.now += 2
    assert breaker.admit().is_probe


def test_a_probe_that_is_never_heard_of_is_given_again(breaker: Breaker, elsewhere: Breaker, clock: Clock) -> None:
    fail(breaker, 5)
    clock.now += 61
    breaker.admit()
    clock.now += 29
    with pytest.raises(CircuitOpen):
        elsewhere.admit()
    clock.now += 2
    assert elsewhere.admit().is_probe


def test_another_process_learns_of_it_within_a_second(breaker: Breaker, elsewhere: Breaker, clock: Clock) -> None:
    elsewhere.admit()
    fail(breaker, 5)
    clock.now += 1
    with pytest.raises(CircuitOpen):
        elsewhere.admit()


def test_failures_of_all_processes_add_up(breaker: Breaker, elsewhere: Breaker) -> None:
    fail(breaker, 3)
    fail(elsewhere, 2)
    assert elsewhere.look().state == State.OPEN


def test_calls_that_began_before_it_opened_change_nothing(breaker: Breaker, clock: Clock) -> None:
    early, late = breaker.admit(), breaker.admit()
    fail(breaker, 5)
    early.succeeded()
    clock.now += 30
    late.failed()
    clock.now += 31
    assert breaker.admit().is_probe


def test_a_healthy_call_writes_nothing_and_reads_once_a_second(
    breaker: Breaker, store: CountingStore, clock: Clock
) -> None:
    for _ in range(100):
        breaker.admit().succeeded()
    assert store.operations == ["read"]
    clock.now += 1
    breaker.admit().succeeded()
    assert store.operations == ["read", "read"]


def test_nobody_waits_while_another_thread_reads(store: CountingStore, clock: Clock) -> None:
    breaker = Breaker("monitor", store, clock=clock)
    reading, go_on = threading.Event(), threading.Event()

    class SlowStore(MemoryStore):
        def read(self, name: str, *, open_seconds: float) -> Circuit:
            reading.set()
            assert go_on.wait(5)
            return super().read(name, open_seconds=open_seconds)

    breaker.store = SlowStore(clock)
    slow = threading.Thread(target=breaker.look)
    slow.start()
    assert reading.wait(5)
    breaker.admit()
    go_on.set()
    slow.join()


def test_a_hundred_successes_after_a_failure_write_once(breaker: Breaker, store: CountingStore) -> None:
    fail(breaker)
    for _ in range(100):
        breaker.admit().succeeded()
    assert store.operations.count("reset_failures") == 1


def test_without_its_store_it_lets_everything_pass(
    breaker: Breaker, store: CountingStore, caplog: pytest.LogCaptureFixture
) -> None:
    store.broken = True
    with caplog.at_level(logging.WARNING):
        fail(breaker, 10)
    assert not breaker.admit().is_probe


def test_a_store_that_is_lost_while_open_lets_calls_pass(breaker: Breaker, store: CountingStore, clock: Clock) -> None:
    fail(breaker, 5)
    store.broken = True
    clock.now += 1
    assert not breaker.admit().is_probe


def test_a_store_that_is_lost_at_the_probe_does_not_stop_it(
    breaker: Breaker, store: CountingStore, clock: Clock
) -> None:
    fail(breaker, 5)
    clock.now += 61
    breaker.look()
    store.broken = True
    probe = breaker.admit()
    assert probe.is_probe
    probe.succeeded()
    assert not breaker.admit().is_probe
