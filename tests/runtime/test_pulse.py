"""When workers count as deaf, told by their signs of life and a clock."""

from collections.abc import Iterator

import pytest

from orchestrator_site.worker import pulse
from orchestrator_site.worker.pulse import ALIVE, BEGUN, ENDED, HANDED, Pulse


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(pulse, "time", clock)
    monkeypatch.setattr(pulse, "_told_alive_at", 0.0)
    return clock


@pytest.fixture
def listener(clock: Clock) -> Iterator[Pulse]:
    yield Pulse()
    pulse.close()


def hear(listener: Pulse, clock: Clock, *events: bytes | float) -> float:
    """Signs, and seconds that pass with a look every half second, as `runworker` does."""
    deaf = 0.0
    for event in events:
        if isinstance(event, bytes):
            pulse.tell(event)
            continue
        for _ in range(int(event * 2)):
            clock.now += 0.5
            deaf = listener.deaf_seconds()
    return deaf


@pytest.mark.parametrize(
    ("events", "deaf", "busy"),
    [
        pytest.param((60.0,), 0.0, False, id="nothing-to-do"),
        pytest.param((60.0, HANDED, BEGUN, 5.0), 0.0, True, id="begun-at-once"),
        pytest.param((60.0, HANDED, 5.0), 5.0, False, id="idle-and-not-begun"),
        pytest.param(
            (60.0, HANDED, 1.0, HANDED, 1.0, HANDED, 1.0, HANDED, 1.0), 4.0, False, id="more-comes-none-begins"
        ),
        pytest.param((HANDED, BEGUN, HANDED, ALIVE, 1.0, ALIVE, 1.0, ALIVE, 0.5), 0.5, True, id="waits-behind-a-drain"),
        pytest.param((HANDED, BEGUN, HANDED, ALIVE, 1.0, ENDED, 4.0), 4.0, False, id="deaf-after-a-drain"),
        pytest.param((HANDED, BEGUN, HANDED, 7.0), 7.0, True, id="killed-while-busy-and-nobody-else"),
        pytest.param((HANDED, BEGUN, ENDED, HANDED, BEGUN, ENDED, 9.0), 0.0, False, id="all-done"),
    ],
)
def test_deaf_is_who_does_not_begin(
    listener: Pulse, clock: Clock, events: tuple[bytes | float, ...], deaf: float, busy: bool
) -> None:
    heard = hear(listener, clock, *events)
    assert heard == pytest.approx(deaf, abs=0.5)
    assert listener.busy is busy


def test_life_is_told_once_a_second(listener: Pulse, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[bytes] = []
    monkeypatch.setattr(pulse, "tell", told.append)
    for _ in range(100):
        clock.now += 0.05
        pulse.alive()
    assert len(told) == 5


def test_without_a_listener_nothing_is_told() -> None:
    pulse.tell(ALIVE)


def test_a_listener_that_is_slow_blocks_nobody(listener: Pulse) -> None:
    for _ in range(100):
        pulse.tell(ALIVE * 4096)


def test_a_new_generation_is_not_asked_to_stop(listener: Pulse) -> None:
    pulse.stop()
    assert pulse.stopping()
    Pulse()
    assert not pulse.stopping()
