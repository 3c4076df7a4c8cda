from typing import Any

from django.core.management.base import BaseCommand

from approvals import sweeps


class Command(BaseCommand):
    help = "Run the minute's sweeps once, now: lost claims, silence, reminders, old rows."

    def handle(self, *args: Any, **options: Any) -> None:
        for name, count in sweeps.run().items():
            self.stdout.write(f"{name.replace('_', ' ')}: {count}")
