"""manage.py teachreading [PATH]: learn from labelled messages what no phrase foresees (`policy/likeness.py`)."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from approvals.teaching import teach


class Command(BaseCommand):
    help = "Learns the weights of approvals/policy/likeness_weights from a folder of labelled messages."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        ours = Path(settings.BASE_DIR) / "tests" / "corpora" / "development"
        parser.add_argument("path", type=Path, nargs="?", default=ours, help=f"the folder (default: {ours.name})")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["path"].is_dir():
            raise CommandError(f"{options['path']} is no folder")
        for question, examples in teach(options["path"]).items():
            self.stdout.write(f"{question}: learned from {examples} messages")
