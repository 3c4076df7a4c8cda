"""`manage.py runworker`: a watched cluster of worker processes, and a sweep once a minute."""

import logging
import signal
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import close_old_connections

import calls.sweeps
from approvals import sweeps
from approvals.warmup import warm_up
from conversations.wakeups import wake
from orchestrator_site.worker.cluster import WatchedCluster

log = logging.getLogger(__name__)

WATCH_SECONDS = 0.5


class Command(BaseCommand):
    help = "Run the worker: it drafts, sends and notifies, and sweeps once a minute."
    # `manage.py check` looks at the pages' configuration; a worker starts without them.
    requires_system_checks: list[str] = []

    stopping = False

    def handle(self, *args: Any, **options: Any) -> None:
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        # Before the first fork: the children share what is read here.
        warm_up()
        cluster, sweep_at = WatchedCluster(), time.monotonic()
        while not self.stopping:
            cluster.keep_alive(WATCH_SECONDS)
            if time.monotonic() >= sweep_at:
                sweep_at = time.monotonic() + settings.SWEEP_SECONDS
                sweep()
        cluster.stop()

    def _stop(self, signum: int, frame: Any) -> None:
        self.stopping = True


def sweep() -> None:
    """Here, and not as a job: the net must not hang on the hook that it secures."""
    close_old_connections()
    # Whatever was missed, for whatever reason: somebody looks once a minute.
    for act in (sweeps.run, calls.sweeps.run, wake):
        try:
            act()
        except Exception:
            # Nothing that a sweep finds may end the process that keeps the workers alive.
            log.exception("the sweep failed; it is tried again in %s seconds", settings.SWEEP_SECONDS)
