"""A worker is killed with a confirmed call in its hands: the call is neither lost nor placed twice."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from calls.models import CallTask, ChatMessage
from orchestrator_site.demo.once import Stage
from orchestrator_site.demo.system import System, database_url, running
from orchestrator_site.management.commands.serve import worker_command
from orchestrator_site.processes import descendants

pytestmark = pytest.mark.processes

ENVIRONMENT = {
    "CONTACT_HOURS": "00:00-00:00",
    "CALL_LEASE_SECONDS": "2",
    "CALL_RETRY_ON_5XX": "false",
    "SWEEP_SECONDS": "1",
    "LOG_DIR": "",
}


@pytest.fixture
def system(transactional_db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    with running(ENVIRONMENT, log=tmp_path / "system.log", tenants=10) as it:
        yield it


def kill_the_worker(system: System) -> None:
    """With everything that it has started, at once."""
    workers = [pid for pid in descendants(os.getpid()) if b"runworker" in command_of(pid)]
    assert workers
    mine = {pid for worker in workers for pid in (worker, *descendants(worker))}
    for pid in mine:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    until(lambda: not any(command_of(pid) for pid in mine))


def command_of(pid: int) -> bytes:
    """Empty for a process that has ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def start_another(system: System) -> None:
    points = {
        **ENVIRONMENT,
        "CALL_HANDLER_URL": system.simulators["call_handler"],
        "OPENAI_API_KEY": "",
        "IGNORE_DOTENV": "1",
        "DATABASE_URL": database_url(),
    }
    system.family.start("another worker", worker_command(), points)


def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "what should have happened by now has not"
        time.sleep(0.05)


def confirm(stage: Stage) -> None:
    stage.says("dana", "call Pizza Place at 718-555-0123 and order a margherita")
    assert stage.says("dana", "yes")["state"] == "executing"


def test_a_call_in_a_killed_workers_hands_is_not_placed_again(system: System) -> None:
    stage = Stage(api=system.web, tokens=system.tokens, simulators=system.simulators)
    stage.switch("call_handler", latency_ms=5000.0)
    confirm(stage)
    until(lambda: len(stage.asked_of("call_handler")) == 1)
    kill_the_worker(system)
    start_another(system)
    until(lambda: CallTask.objects.get().status == "unknown")
    assert ChatMessage.objects.filter(kind="update").count() == 1
    assert len(stage.asked_of("call_handler")) == 1
    stage.http.close()


def test_a_call_that_is_confirmed_while_no_worker_lives_is_placed_once_when_one_does(system: System) -> None:
    stage = Stage(api=system.web, tokens=system.tokens, simulators=system.simulators)
    kill_the_worker(system)
    confirm(stage)
    assert stage.asked_of("call_handler") == []
    start_another(system)
    until(lambda: CallTask.objects.get().status == "placed")
    assert len(stage.sent_by("call_handler")) == 1
    stage.http.close()
