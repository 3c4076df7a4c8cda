"""`manage.py simulate`: stand-ins of every upstream on their usual ports, until Ctrl+C."""

import asyncio
import json
from argparse import ArgumentParser
from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from integrations.simulators import PORTS, Simulators


class Command(BaseCommand):
    help = "Runs stand-ins of the upstream services, for the demo and for load tests."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port-base", type=int, help="the first of five ports in a row, instead of the usual ones")
        for name, port in PORTS.items():
            parser.add_argument(f"--{name.replace('_', '-')}-port", type=int, help=f"usually {port}")
        parser.add_argument("--tenants", type=int, default=60, help="how many tenants there are, at most 2,000")
        parser.add_argument(
            "--control",
            action="append",
            default=[],
            metavar="SERVICE.SWITCH=VALUE",
            help="sets a switch from the start, e.g. sms_agent.latency_ms=250; all of them: GET /_control",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        simulators = Simulators.with_tenants(options["tenants"])
        for setting in options["control"]:
            _turn(simulators, setting)
        ports = _ports(options)
        for name, port in ports.items():
            self.stdout.write(f"simulated {name:15} http://{options['host']}:{port}")
        self.stdout.flush()
        with suppress(KeyboardInterrupt):
            asyncio.run(simulators.serve(options["host"], ports))


def _ports(options: dict[str, Any]) -> dict[str, int]:
    base = options["port_base"]
    usual = PORTS if base is None else {name: base + number for number, name in enumerate(PORTS)}
    return {name: options[f"{name}_port"] or port for name, port in usual.items()}


def _turn(simulators: Simulators, setting: str) -> None:
    """`service.switch=value`; a value that is no JSON is taken as text."""
    target, _, text = setting.partition("=")
    name, _, switch = target.partition(".")
    if name not in simulators.services:
        raise CommandError(f"There is no service {name!r}, but {', '.join(simulators.services)}.")
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    try:
        simulators.services[name].switches.set({switch: value})
    except ValueError as error:
        raise CommandError(f"{setting}: {error}.") from None
