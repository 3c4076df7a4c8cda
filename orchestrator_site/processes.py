"""Processes that belong together: started together, stopped together, none left behind.

with Family() as family:
    family.start("web", [sys.executable, "-m", "gunicorn", ...])
    family.start("worker", [sys.executable, "manage.py", "runworker"])
    return family.run()
"""

import ctypes
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import BinaryIO, Self

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
COLOURS = (36, 33, 35, 32, 34)


def die_with_parent(signum: signal.Signals = signal.SIGKILL, parent: int | None = None) -> None:
    """Have the kernel send `signum` to this process when its parent dies (Linux; elsewhere nothing is done).

    `parent` is the expected one: if it is gone already, the signal is sent here.
    """
    _prctl(PR_SET_PDEATHSIG, int(signum))
    if parent is not None and os.getppid() != parent:
        os.kill(os.getpid(), signum)


class Family:
    """Named children whose output appears line by line behind their names. Ctrl+C or SIGTERM stops all of them.

    When one of them ends, the others are stopped, too: half a system is worse than a clear end. Children that do not
    stop within `grace` seconds are killed, with all that they have started. If this process is killed itself, the
    kernel asks the children to stop.
    """

    def __init__(self, *, grace: float = 30.0, out: BinaryIO | None = None) -> None:
        self._grace = grace
        self._out = out or sys.stdout.buffer
        self._members: dict[str, subprocess.Popen[bytes]] = {}
        self._selector = selectors.DefaultSelector()
        self._ended_by = ""

    def __enter__(self) -> Self:
        # What a child leaves behind when it dies becomes ours, so that we can end it.
        _prctl(PR_SET_CHILD_SUBREAPER, 1)
        self._former_handlers = {
            signum: signal.signal(signum, self._on_signal) for signum in (signal.SIGINT, signal.SIGTERM)
        }
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        for signum, handler in self._former_handlers.items():
            signal.signal(signum, handler)

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """Start `command` as `name`, with `environment` on top of our own."""
        me = os.getpid()
        member = subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
            # A group of its own: Ctrl+C reaches this process alone, which stops the others in order.
            process_group=0,
            preexec_fn=lambda: die_with_parent(signal.SIGTERM, me),
        )
        self._members[name] = member
        assert member.stdout  # noqa: S101 - it is a pipe
        os.set_blocking(member.stdout.fileno(), False)
        colour = COLOURS[len(self._members) % len(COLOURS)] if self._out.isatty() else 0
        self._selector.register(member.stdout, selectors.EVENT_READ, _Lines(name, colour))

    def watch(self, seconds: float) -> str:
        """Pass on output for so long. Returns why the family has to end, "" while it lives."""
        until = time.monotonic() + seconds
        while not self._ended_by and (left := until - time.monotonic()) > 0:
            self._pass_on_output(min(left, 0.2))
            for name, member in self._members.items():
                if member.poll() is not None:
                    self._ended_by = self._ended_by or f"{name} ended with exit code {member.returncode}"
        return self._ended_by

    def run(self) -> int:
        """Until a signal comes (0) or a child ends by itself (1)."""
        while not self.watch(60):
            pass
        self._write(f"{self._ended_by}: stopping all\n".encode())
        return 0 if self._ended_by in signal.Signals.__members__ else 1

    def stop(self) -> None:
        for member in self._members.values():
            if member.poll() is None:
                member.terminate()
        begun = time.monotonic()
        while (
            any(member.poll() is None for member in self._members.values()) and time.monotonic() < begun + self._grace
        ):
            self._pass_on_output(0.1)
        for pid in descendants(os.getpid()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for member in self._members.values():
            member.kill()
            member.wait()
        self._pass_on_output(0)
        self._selector.close()
        for member in self._members.values():
            if member.stdout:
                member.stdout.close()

    def _on_signal(self, signum: int, frame: FrameType | None) -> None:
        if self._ended_by in signal.Signals.__members__:
            # Asked twice: somebody is in a hurry.
            self._grace = 0.0
        self._ended_by = signal.Signals(signum).name

    def _pass_on_output(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            assert not isinstance(key.fileobj, int)  # noqa: S101 - registered above
            try:
                chunk = os.read(key.fd, 65_536)
            except BlockingIOError:
                # Readiness is a hint: seen on a busy machine, where it took down the whole family.
                continue
            if chunk:
                self._write(key.data.take(chunk))
            else:
                self._write(key.data.take(b"", last=True))
                self._selector.unregister(key.fileobj)

    def _write(self, lines: bytes) -> None:
        try:
            self._out.write(lines)
            self._out.flush()
        except BrokenPipeError:
            # Nobody reads any more, as behind `| head`.
            self._ended_by = self._ended_by or signal.SIGPIPE.name


class _Lines:
    """Cuts a child's output into lines with its name in front."""

    def __init__(self, name: str, colour: int) -> None:
        self._head = (f"\033[{colour}m{name:>10} |\033[0m " if colour else f"{name:>10} | ").encode()
        self._rest = b""

    def take(self, chunk: bytes, *, last: bool = False) -> bytes:
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if last and self._rest:
            lines.append(self._rest)
        return b"".join(self._head + line + b"\n" for line in lines)


def descendants(pid: int) -> list[int]:
    """All living descendants of `pid`, children first (Linux; elsewhere none are known)."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):
            for child in map(int, task.read_text().split()):
                found += [child, *descendants(child)]
    return found


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
