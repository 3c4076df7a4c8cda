"""`manage.py serve`: web, worker and live with the settings of `.env`, until Ctrl+C. What `script/server` runs."""

import errno
import socket
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from orchestrator_site.processes import Family

# Two processes with four threads each: more threads only queue.
GUNICORN = [
    "--workers=2",
    "--threads=4",
    "--worker-class=gthread",
    "--keep-alive=75",
    "--graceful-timeout=30",
    # The rules' vocabularies are read once, and shared.
    "--preload",
    "--no-control-socket",
    "--log-level=warning",
]


def web_command(bind: str) -> list[str]:
    return [sys.executable, "-m", "gunicorn", "orchestrator_site.wsgi", f"--bind={bind}", *GUNICORN]


def worker_command() -> list[str]:
    return [sys.executable, "manage.py", "runworker"]


def live_command(port: int) -> list[str]:
    return [sys.executable, "manage.py", "runlive", f"--port={port}"]


def _must_be_free(address: str, *, choose: str) -> None:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_server((host, int(port))):
            return
    except (OSError, ValueError) as error:
        if isinstance(error, ValueError) or error.errno != errno.EADDRINUSE:
            # A name or a kind of address that only the server understands: the server says what is wrong with it.
            return
    raise CommandError(f"{address} is taken: stop what listens there, or choose another address with {choose}.")


class Command(BaseCommand):
    help = "Run web, worker and live with the settings of .env."
    # The web process checks what concerns it, and the worker can do without.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--bind", default="127.0.0.1:8000", help="address of the web server (%(default)s)")
        parser.add_argument("--live-port", type=int, default=8010, help="of the live process (%(default)s)")

    def handle(self, *args: Any, bind: str, live_port: int, **options: Any) -> None:
        _must_be_free(bind, choose="--bind")
        _must_be_free(f"127.0.0.1:{live_port}", choose="--live-port")
        call_command("migrate", verbosity=0)
        if settings.PRODUCTION:
            call_command("collectstatic", interactive=False, verbosity=0)
        connections.close_all()
        with Family() as family:
            family.start("web", web_command(bind))
            family.start("worker", worker_command())
            family.start("live", live_command(live_port))
            self.stdout.write(f"Starting on http://{bind}; Ctrl+C stops everything.")
            code = family.run()
        sys.exit(code)
