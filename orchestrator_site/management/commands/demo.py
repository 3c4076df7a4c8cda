"""`manage.py demo`: the whole system on this machine, against simulated upstreams. What `script/demo` runs."""

import os
import secrets
import socket
import sys
import time
from argparse import ArgumentParser
from contextlib import suppress
from typing import Any

import httpx2
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, connections

from integrations.simulators import PORTS
from orchestrator_site import devdb
from orchestrator_site.auth import new_token
from orchestrator_site.demo import once
from orchestrator_site.management.commands.serve import web_command, worker_command
from orchestrator_site.models import Role, ServiceToken
from orchestrator_site.processes import Family

START_SECONDS = 60.0
MANAGER = "maria"
# So that nobody waits a minute to see what happens when something goes wrong.
IMPATIENT = {
    "DRAFT_RETRY_SECONDS": "0.3",
    "SEND_RETRY_SECONDS": "0.3",
    "RETRY_PAUSE_SECONDS": "0.1",
    "LOOK_AFTER_SECONDS": "1",
    "BREAKER_OPEN_SECONDS": "1",
}


class Command(BaseCommand):
    help = "Run the whole system with simulated upstreams; --once shows one text on each path and ends."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--once", action="store_true", help="one text through each path, an account of each, the end"
        )
        parser.add_argument(
            "--port", type=int, default=8000, help="of the web server; the next free one if it is taken"
        )

    def handle(self, *args: Any, once: bool, port: int, **options: Any) -> None:
        if not settings.PRIVATE_DATABASE:
            raise CommandError("The demo writes invented data. Run script/demo, which keeps a database of its own.")
        self._prepare_database(empty=once)
        web, simulators = f"http://127.0.0.1:{_free_port(port)}", _simulator_urls()
        log = open(settings.BASE_DIR / "var" / "demo.log", "wb") if once else None  # noqa: SIM115 closed with us
        try:
            with Family(out=log) as family:
                _start(family, web, simulators, impatient=once)
                self._wait_until_up(family, web, simulators)
                code = self._walk(web, simulators) if once else self._stay(family, web, simulators)
        finally:
            connections.close_all()
            devdb.stop(settings.PRIVATE_DATABASE)
        sys.exit(code)

    def _prepare_database(self, *, empty: bool) -> None:
        self.stdout.write("Preparing the database ...")
        if empty:
            with connection.cursor() as cursor:
                cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        call_command("migrate", verbosity=0)

    def _wait_until_up(self, family: Family, web: str, simulators: dict[str, str]) -> None:
        self.stdout.write("Starting web, worker and simulators ...")
        deadline = time.monotonic() + START_SECONDS
        waiting = [f"{web}/health", *(f"{url}/health" for url in simulators.values())]
        while waiting:
            ended = family.watch(0.1)
            if ended or time.monotonic() > deadline:
                raise CommandError(f"It does not start: {ended or 'no answer from ' + waiting[0]}. See var/demo.log.")
            with suppress(httpx2.HTTPError):
                httpx2.get(waiting[0], timeout=2)
                waiting.pop(0)

    # --- once ---

    def _walk(self, web: str, simulators: dict[str, str]) -> int:
        stage = once.Stage(api=web, tokens=_tokens(), simulators=simulators)
        start = time.perf_counter()
        well = once.walk(stage, once.english_phones(len(once.PATHS)), self.stdout.write)
        call_command("verifyaudit", stdout=self.stdout)
        verdict = "All paths ended as they should" if well else "NOT all paths ended as they should; see var/demo.log"
        self.stdout.write(f"\n{verdict}, {time.perf_counter() - start:.1f} s. All upstreams were simulators.")
        return 0 if well else 1

    # --- until Ctrl+C ---

    def _stay(self, family: Family, web: str, simulators: dict[str, str]) -> int:
        password = _manager_who_signs_in()
        token = _tokens()[Role.SMS_AGENT]
        forward = {"forward_to": f"{web}/orchestrate/sms-received", "forward_token": token}
        httpx2.post(f"{simulators['sms_agent']}/_control", json=forward).raise_for_status()
        self.stdout.write(
            f"\n  {web}/admin/   sign in as {MANAGER} with {password}\n"
            f"  {web}/api/docs/   the API\n"
            f"  All upstreams are simulators. Ctrl+C stops everything.\n"
        )
        return family.run()


def _start(family: Family, web: str, simulators: dict[str, str], *, impatient: bool) -> None:
    ports = {name: url.rpartition(":")[2] for name, url in simulators.items()}
    environment = {
        "SIMULATED_UPSTREAMS": "true",
        "PUBLIC_URL": web,
        "MONITOR_URL": simulators["monitor"],
        "SMS_AGENT_URL": simulators["sms_agent"],
        "NOTIFICATION_URL": simulators["notifications"],
        "CALL_HANDLER_URL": simulators["call_handler"],
        "MANAGER_EMAIL": "maria@example.com",
        **({} if os.environ.get("OPENAI_API_KEY") and not impatient else _simulated_model(simulators)),
        **(IMPATIENT if impatient else {}),
    }
    flags = [f"--{name.replace('_', '-')}-port={port}" for name, port in ports.items()]
    family.start("simulators", [sys.executable, "manage.py", "simulate", *flags])
    family.start("web", web_command(web.removeprefix("http://")), environment)
    family.start("worker", worker_command(), environment)


def _simulated_model(simulators: dict[str, str]) -> dict[str, str]:
    return {
        "OPENAI_BASE_URL": f"{simulators['language_model']}/v1",
        "OPENAI_API_KEY": "simulated",
        "OPENAI_MODEL": "simulated-model",
    }


def _free_port(wanted: int = 0) -> int:
    """The wanted port, or the next one that is free."""
    for port in range(wanted, wanted + 50) if wanted else (0,):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return int(probe.getsockname()[1])
    raise CommandError(f"The ports {wanted} to {wanted + 49} are all taken. Choose another with --port.")


def _simulator_urls() -> dict[str, str]:
    return {name: f"http://127.0.0.1:{_free_port()}" for name in PORTS}


def _tokens() -> dict[str, str]:
    """A fresh token for each role; those of earlier demonstrations are forgotten."""
    ServiceToken.objects.filter(name__startswith="demo ").delete()
    tokens = {}
    for role in Role.values:
        tokens[role], token_hash = new_token()
        ServiceToken.objects.create(name=f"demo {role}", role=role, token_hash=token_hash)
    return tokens


def _manager_who_signs_in() -> str:
    """A supervisor with a new password, who may see everything in the admin."""
    manager, _ = User.objects.get_or_create(
        username=MANAGER, defaults={"first_name": "Maria", "email": "maria@example.com"}
    )
    password = secrets.token_urlsafe(6)
    manager.set_password(password)
    manager.is_staff = True
    manager.save()
    manager.groups.set(Group.objects.filter(name__in=["Supervisors", "Operators"]))
    return password
