"""The family of processes behind `script/server` and `script/demo`, with real children."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.processes

FAMILY = """
import sys
from orchestrator_site.processes import Family
with Family(grace={grace}) as family:
    {starts}
    sys.exit(family.run())
"""
SLEEPS = "import time; print('ready', flush=True); time.sleep(60)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
# A child with a child of its own in another process group, as a worker has.
PARENT = (
    "import subprocess, sys, time;"
    f"p = subprocess.Popen([sys.executable, '-c', {SLEEPS!r}], start_new_session=True);"
    "print('grandchild', p.pid, flush=True); time.sleep(60)"
)


class Running:
    def __init__(self, *children: str, grace: float = 10.0) -> None:
        starts = "\n    ".join(
            f"family.start('child{number}', [sys.executable, '-c', {code!r}])" for number, code in enumerate(children)
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", FAMILY.format(starts=starts, grace=grace)], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout
        self.lines = iter(self.process.stdout)
        self.said = [next(self.lines) for _ in children]
        [self.children] = [
            [int(pid) for pid in path.read_text().split()]
            for path in Path(f"/proc/{self.process.pid}/task").glob("*/children")
        ]

    def end(self) -> int:
        self.said += self.lines
        assert self.process.stdout
        self.process.stdout.close()
        return self.process.wait(20)


@pytest.fixture
def gone() -> Iterator[list[int]]:
    """Processes that must have ended when the test is over."""
    pids: list[int] = []
    yield pids
    deadline = time.monotonic() + 10
    while left := [pid for pid in pids if alive(pid)]:
        assert time.monotonic() < deadline, f"{left} were left behind"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_all_of_them(signum: signal.Signals, gone: list[int]) -> None:
    family = Running(SLEEPS, SLEEPS)
    gone += family.children
    family.process.send_signal(signum)
    assert family.end() == 0


def test_each_line_stands_behind_the_name_of_its_process() -> None:
    family = Running("import time; print('one\\ntwo', flush=True); time.sleep(60)", SLEEPS)
    family.said.append(next(family.lines))
    family.process.terminate()
    family.end()
    assert "    child0 | one\n" in family.said
    assert "    child0 | two\n" in family.said
    assert "    child1 | ready\n" in family.said


READS_IN_VAIN = """
import os, sys
from orchestrator_site.processes import Family
in_vain, read = iter([BlockingIOError]), os.read

def sometimes_nothing(fd, size):
    for nothing in in_vain:
        raise nothing
    return read(fd, size)

with Family() as family:
    family.start("child", [sys.executable, "-c", "print('said')"])
    os.read = sometimes_nothing
    family.watch(10)
"""


def test_a_pipe_that_only_seemed_readable_ends_nobody() -> None:
    run = subprocess.run([sys.executable, "-c", READS_IN_VAIN], capture_output=True, text=True, check=True)
    assert "child | said\n" in run.stdout


def test_when_one_ends_the_others_are_stopped_and_it_is_said_why(gone: list[int]) -> None:
    family = Running(SLEEPS, "import time; print('x', flush=True); time.sleep(.2); raise SystemExit(7)")
    gone += family.children
    assert family.end() == 1
    assert "child1 ended with exit code 7: stopping all\n" in family.said


def test_one_that_does_not_stop_is_killed(gone: list[int]) -> None:
    family = Running(DEAF, SLEEPS, grace=0.2)
    gone += family.children
    family.process.terminate()
    assert family.end() == 0


def test_who_asks_twice_does_not_wait(gone: list[int]) -> None:
    family = Running(DEAF, grace=60)
    gone += family.children
    family.process.terminate()
    assert next(family.lines) == "SIGTERM: stopping all\n"
    family.process.terminate()
    family.end()


def test_what_a_child_leaves_behind_is_ended(gone: list[int]) -> None:
    family = Running(PARENT)
    gone += [*family.children, int(family.said[0].split()[-1])]
    os.kill(family.children[0], signal.SIGKILL)
    assert family.end() == 1


def test_a_killed_family_leaves_nobody(gone: list[int]) -> None:
    family = Running(SLEEPS, SLEEPS)
    gone += family.children
    family.process.kill()
    family.end()
