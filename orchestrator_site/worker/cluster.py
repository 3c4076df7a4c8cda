"""django-q2's cluster under supervision: started, watched, restarted, stopped, and never left behind.

    runworker                  watches, sweeps
      └─ cluster               in a process group of its own
           └─ sentinel         django-q2 from here on
                ├─ pusher      sleeps in `broker.py` until a wake-up comes
                ├─ monitor
                └─ workers     run `drain.py`

django-q2 can stop in silence. An idle worker that the kernel kills holds the queue's lock for ever: the cluster is
deaf. A signal to the whole group leaves a parent that never ends, the death of a parent leaves orphans. Therefore:

- to stop, one process is asked, which lets the drains finish; when no sign of life comes any more, the group is killed;
- every process is told by the kernel when its parent dies, and ends;
- when the cluster ends by itself, the rest of its group is killed and another one is started;
- when wake-ups were handed out and no worker shows a sign of life (`pulse.py`), likewise.

What was in hand then is given back by its lease, and every start looks for work at once.
"""

import logging
import multiprocessing
import os
import signal
import time
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connections
from django_q.cluster import Cluster
from django_q.signals import post_execute_in_worker, pre_execute

from conversations.wakeups import wake
from orchestrator_site.processes import die_with_parent
from orchestrator_site.worker import pulse

log = logging.getLogger(__name__)

# Workers of whom nobody begins what was handed to them for so long are deaf: idle ones begin within milliseconds. A
# busy one shows life once a second, except in a long wait for the database, and killing it costs what it has in hand.
DEAF_SECONDS = 2.0
DEAF_WHILE_BUSY_SECONDS = 10.0
# A cluster that dies at once is not started more often than that.
RESTART_SECONDS = 1.0


class WatchedCluster:
    """One cluster after the other; `keep_alive` is called again and again."""

    def __init__(self) -> None:
        self._start()

    def keep_alive(self, wait: float) -> None:
        """Watch for `wait` seconds; start another cluster if this one has died or gone deaf."""
        self._process.join(wait)
        if not self._process.is_alive():
            log.critical("the cluster ended (exit code %s): another one is started", self._process.exitcode)
            time.sleep(max(0.0, self._started_at + RESTART_SECONDS - time.monotonic()))
            self._replace()
        elif self._pulse.deaf_seconds() > (DEAF_WHILE_BUSY_SECONDS if self._pulse.busy else DEAF_SECONDS):
            log.critical("no worker takes what was handed to them: the cluster is replaced")
            self._replace()

    def stop(self) -> None:
        """Let the drains finish what is under way, as long as they show life and their leases last."""
        deadline = time.monotonic() + settings.LEASE_SECONDS
        self._process.terminate()
        self._pulse.be_patient()
        while self._process.is_alive() and self._shows_life() and time.monotonic() < deadline:
            self._process.join(0.1)
        self._kill_group()

    def _shows_life(self) -> bool:
        return self._pulse.silence() < DEAF_WHILE_BUSY_SECONDS

    def _replace(self) -> None:
        self._kill_group()
        self._start()

    def _start(self) -> None:
        # A connection must not be used on both sides of a fork.
        connections.close_all()
        self._pulse, self._started_at = pulse.Pulse(), time.monotonic()
        self._process = multiprocessing.get_context("fork").Process(target=_run_cluster, args=(os.getpid(),))
        self._process.start()
        with suppress(ProcessLookupError, PermissionError):
            # Said on both sides of the fork, as nobody knows which comes first.
            os.setpgid(self._process.pid or 0, self._process.pid or 0)
        log.info("%s worker processes with %s threads each", settings.WORKER_PROCESSES, settings.WORKER_THREADS)
        try:
            wake()
        except DatabaseError as error:
            log.warning("the next sweep wakes the workers, the database is not ready: %s", error)

    def _kill_group(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid or 0, signal.SIGKILL)
        self._process.join()


class _Cluster(Cluster):  # type: ignore[misc]  # django-q2 has no types
    def sig_handler(self, signum: int, frame: Any) -> None:
        pulse.stop()


def _run_cluster(parent: int) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with suppress(PermissionError):
        os.setpgid(0, 0)
    die_with_parent(signal.SIGTERM, parent)
    # Whatever django-q2 forks from here on dies with the process that forked it.
    os.register_at_fork(after_in_child=lambda: die_with_parent(signal.SIGKILL))
    pre_execute.connect(_tell_begun)
    post_execute_in_worker.connect(_tell_ended)
    cluster = _Cluster()
    cluster.start()
    while cluster.sentinel.is_alive() and not pulse.stopping():
        cluster.sentinel.join(0.2)
    # A signal that went to all has ended the sentinel by now: then there is nobody to wait for.
    cluster.sentinel.join(0.1)
    cluster.stop()


def _tell_begun(**_: Any) -> None:
    pulse.tell(pulse.BEGUN)


def _tell_ended(**_: Any) -> None:
    pulse.tell(pulse.ENDED)
