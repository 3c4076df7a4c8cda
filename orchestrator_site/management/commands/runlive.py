"""`manage.py runlive`: the live process, which tells open pages what changed."""

from argparse import ArgumentParser
from typing import Any

import uvicorn
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Serves server-sent events to open consoles and chat pages (docs/architecture.md)."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8010)

    def handle(self, *args: Any, **options: Any) -> None:
        # Streams never end by themselves: when the process is asked to stop, they are cut after a second.
        uvicorn.run(
            "orchestrator_site.live:application",
            host=options["host"],
            port=options["port"],
            timeout_graceful_shutdown=1,
            log_level="warning",
            access_log=False,
        )
