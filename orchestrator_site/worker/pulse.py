"""Signs of life, from the processes of a worker to the one that watches over them; and its word to stop.

A pipe and a byte of shared memory, no lock: whoever is killed while it holds a lock stops all others, and that is just
what we watch for.
"""

import os
import time
from collections import Counter
from contextlib import suppress
from multiprocessing.sharedctypes import RawValue

HANDED = b"h"  # the pusher took a job and hands it to the workers
BEGUN = b"b"  # a worker has begun a job
ALIVE = b"."  # a drain goes on
ENDED = b"e"  # a worker has ended a job

ALIVE_EVERY = 1.0  # seconds

_pipe: tuple[int, int] | None = None
_stop = RawValue("b", 0)
_told_alive_at = 0.0


def tell(sign: bytes) -> None:
    """Never blocks and never fails: without anybody who listens, nothing is said."""
    if _pipe:
        with suppress(BlockingIOError, BrokenPipeError):
            os.write(_pipe[1], sign)


def alive() -> None:
    """For loops: said once in a second however often it is called."""
    global _told_alive_at
    if time.monotonic() - _told_alive_at >= ALIVE_EVERY:
        _told_alive_at = time.monotonic()
        tell(ALIVE)


def stop() -> None:
    """Ask the drains of all processes to claim no more."""
    _stop.value = 1


def stopping() -> bool:
    return bool(_stop.value)


def close() -> None:
    """The end of a generation: its pipe goes with it."""
    global _pipe
    for end in _pipe or ():
        os.close(end)
    _pipe = None


class Pulse:
    """The listening end, for one generation of worker processes, which must be forked after it was made."""

    def __init__(self) -> None:
        global _pipe
        close()
        _pipe = os.pipe()
        for end in _pipe:
            os.set_blocking(end, False)
        _stop.value = 0
        self._seen: Counter[bytes] = Counter()
        self._life_at = time.monotonic()

    def deaf_seconds(self) -> float:
        """For how long jobs were handed to workers of whom none has begun one or goes on with one."""
        self._listen()
        if self._seen[HANDED] <= self._seen[BEGUN]:
            self.be_patient()
        return time.monotonic() - self._life_at

    @property
    def busy(self) -> bool:
        """Whether a worker has begun what it has not ended; one that was killed meanwhile counts for ever."""
        return self._seen[BEGUN] > self._seen[ENDED]

    def silence(self) -> float:
        """Seconds since the last sign of life, or since `be_patient`."""
        self._listen()
        return time.monotonic() - self._life_at

    def be_patient(self) -> None:
        """Nobody has to show life before now."""
        self._life_at = time.monotonic()

    def _listen(self) -> None:
        assert _pipe  # noqa: S101 - made by __init__
        try:
            said = os.read(_pipe[0], 65_536)
        except BlockingIOError:
            return
        self._seen.update(said[place : place + 1] for place in range(len(said)))
        if said.strip(HANDED):
            self._life_at = time.monotonic()
