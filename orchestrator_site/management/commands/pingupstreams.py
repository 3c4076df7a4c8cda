from typing import Any

from django.core.management.base import BaseCommand, CommandError

from orchestrator_site.health import database_health, upstreams_health


class Command(BaseCommand):
    help = "Ask every upstream and the database whether they are well. Exits 1 if one is not."

    def handle(self, *args: Any, **options: Any) -> None:
        ill = []
        for name, health in {**upstreams_health(), "supabase": database_health()}.items():
            word = "well" if health.ok else f"NOT WELL: {health.error}"
            stand_in = " (simulated)" if health.simulated else ""
            self.stdout.write(f"{name:22} {health.latency_ms:5} ms  circuit {health.circuit:9} {word}{stand_in}")
            if not health.ok:
                ill.append(name)
        if ill:
            raise CommandError(f"Not well: {', '.join(ill)}. Look at its URL in .env, and at its own log.")
