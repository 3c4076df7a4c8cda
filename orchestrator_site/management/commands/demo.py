"""`manage.py demo`: the whole system on this machine, against simulated upstreams. What `script/demo` runs."""

import secrets
import sys
import time
from argparse import ArgumentParser
from typing import Any

import httpx2
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, connections

from integrations.simulators.people import people
from orchestrator_site import devdb
from orchestrator_site.demo import once
from orchestrator_site.demo.fill import FIRST_PERSON, coming_texts, fill_queue
from orchestrator_site.demo.system import DoesNotStart, System, real_model_wanted, running
from orchestrator_site.models import Role

MANAGER = "maria"
# Seconds.
PAUSE_BETWEEN_TEXTS = 12.0
# Who reads the README writes as one of these; nobody else does in their name.
FOR_THE_READER = 3
# So that nobody waits a minute to see what happens when something goes wrong.
IMPATIENT = {
    "DRAFT_RETRY_SECONDS": "0.3",
    "SEND_RETRY_SECONDS": "0.3",
    "RETRY_PAUSE_SECONDS": "0.1",
    "LOOK_AFTER_SECONDS": "1",
    "BREAKER_OPEN_SECONDS": "1",
    "OUTAGE_PATIENCE_MINUTES": "0",
}
# The demonstration calls at any hour of the day: nobody's telephone rings.
ROUND_THE_CLOCK = {"CONTACT_HOURS": "00:00-00:00"}


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
        self.stdout.write("Starting web, worker and simulators ...")
        try:
            code = self._once() if once else self._until_ctrl_c(port)
        except DoesNotStart as error:
            raise CommandError(f"It does not start: {error}. Look at var/demo.log.") from error
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
        if not empty:
            fill_queue()

    def _once(self) -> int:
        with running({**IMPATIENT, **ROUND_THE_CLOCK}, log=settings.BASE_DIR / "var" / "demo.log") as system:
            stage = once.Stage(api=system.web, tokens=system.tokens, simulators=system.simulators)
            start = time.perf_counter()
            well = once.walk(stage, once.english_phones(len(once.PATHS)), self.stdout.write)
            self.stdout.write("")
            call_command("verifyaudit", stdout=self.stdout)
        verdict = "All paths ended as they should" if well else "NOT all paths ended as they should; see var/demo.log"
        self.stdout.write(f"\n{verdict}, {time.perf_counter() - start:.1f} s. All upstreams were simulators.")
        return 0 if well else 1

    def _until_ctrl_c(self, port: int) -> int:
        with running(ROUND_THE_CLOCK, port=port, simulated_model=not real_model_wanted()) as system:
            self._welcome(system, password=_manager_who_signs_in())
            return _with_texts_coming(system)

    def _welcome(self, system: System, password: str) -> None:
        model = "the real model" if real_model_wanted() else "a simulated model"
        self.stdout.write(
            f"\n  {system.web}/admin/        the managers' console: sign in as {MANAGER} with {password}\n"
            f"  {system.web}/assistant/    the assistant that places calls (the same sign-in)\n"
            f"  {system.web}/api/docs/     the API\n"
            f"  Tenants, SMS Agent, notifications and calls are simulated; drafts come from {model}.\n"
            f"  Be a tenant yourself:\n"
            f"    curl {system.simulators['sms_agent']}/_inbound --json"
            f' \'{{"from": "{people(1)[0].phone}", "body": "How much do I owe?"}}\'\n'
            f"  Ctrl+C stops everything.\n"
        )


def _with_texts_coming(system: System) -> int:
    """A tenant writes now and then, as the SMS Agent hands it over, until somebody stops us."""
    forward = {
        "forward_to": f"{system.web}/orchestrate/sms-received",
        "forward_token": system.tokens[Role.SMS_AGENT],
        "latency_ms": 80,
    }
    agent = system.simulators["sms_agent"]
    httpx2.post(f"{agent}/_control", json=forward).raise_for_status()
    httpx2.post(f"{system.simulators['language_model']}/_control", json={"latency_ms": 800}).raise_for_status()
    outcomes = {
        "report_to": f"{system.web}/calls/results",
        "report_token": system.tokens[Role.CALL_HANDLER],
        "report_after_ms": 6000.0,
    }
    httpx2.post(f"{system.simulators['call_handler']}/_control", json=outcomes).raise_for_status()
    coming, writers = coming_texts(), people(60)[FOR_THE_READER:FIRST_PERSON]
    while not system.family.watch(PAUSE_BETWEEN_TEXTS):
        person = secrets.choice(writers)
        words = secrets.choice(coming[person.language_code])
        httpx2.post(f"{agent}/_inbound", json={"from": person.phone, "body": words})
    return system.family.run()


def _manager_who_signs_in() -> str:
    """A supervisor with a new password, who may see everything in the admin."""
    manager, _ = User.objects.get_or_create(username=MANAGER, defaults={"email": "maria@example.com"})
    password = secrets.token_urlsafe(6)
    manager.set_password(password)
    manager.is_staff = True
    manager.save()
    manager.groups.set(Group.objects.filter(name__in=["Supervisors", "Operators"]))
    return password
