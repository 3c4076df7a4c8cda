"""The whole system on this machine with simulated upstreams: for the demo, the acceptance walk and the benchmarks."""

import os
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import httpx2
from django.conf import settings

from integrations.simulators import PORTS
from orchestrator_site.auth import new_token
from orchestrator_site.management.commands.serve import live_command, web_command, worker_command
from orchestrator_site.models import Role, ServiceToken
from orchestrator_site.processes import Family

START_SECONDS = 60.0


class DoesNotStart(RuntimeError):
    """A process ended, or does not answer in time."""


@dataclass(frozen=True, kw_only=True)
class System:
    """Where everything answers, with a token for each role."""

    family: Family
    web: str
    simulators: dict[str, str]
    tokens: dict[str, str]


@contextmanager
def running(
    environment: Mapping[str, str] | None = None,
    *,
    port: int = 0,
    tenants: int = 90,
    simulated_model: bool = True,
    log: Path | None = None,
) -> Iterator[System]:
    """Simulators, web, worker and live process on free ports against the current database; all stopped at the end.

    `environment` comes on top of what points the system at its simulators. `log` takes the output of all processes;
    without it, it is shown. Raises DoesNotStart.
    """
    out: BinaryIO | None = log.open("wb") if log else None
    any_port, live, *ports = free_ports(2 + len(PORTS))
    web = f"http://127.0.0.1:{free_port(port) if port else any_port}"
    simulators = {name: f"http://127.0.0.1:{found}" for name, found in zip(PORTS, ports, strict=True)}
    points = {
        **_environment(web, simulators, simulated_model=simulated_model),
        "LIVE_URL": f":{live}/live/",
        **(environment or {}),
    }
    try:
        with Family(out=out) as family:
            flags = [f"--{name.replace('_', '-')}-port={url.rpartition(':')[2]}" for name, url in simulators.items()]
            family.start("simulators", [sys.executable, "manage.py", "simulate", *flags, f"--tenants={tenants}"])
            family.start("web", web_command(web.removeprefix("http://")), points)
            family.start("worker", worker_command(), points)
            family.start("live", live_command(live), points)
            _wait_until_up(family, web, simulators)
            with _passing_on_output(family) if log else nullcontext():
                yield System(family=family, web=web, simulators=simulators, tokens=fresh_tokens())
    finally:
        if out:
            out.close()


@contextmanager
def _passing_on_output(family: Family) -> Iterator[None]:
    """Somebody must read what the processes write while their caller does something else: a full pipe stops them."""
    over = threading.Event()

    def pass_on() -> None:
        while not over.is_set() and not family.watch(0.2):
            pass

    reader = threading.Thread(target=pass_on, daemon=True)
    reader.start()
    try:
        yield
    finally:
        over.set()
        reader.join()


def _environment(web: str, simulators: Mapping[str, str], *, simulated_model: bool) -> dict[str, str]:
    model = {
        "OPENAI_BASE_URL": f"{simulators['language_model']}/v1",
        "OPENAI_API_KEY": "simulated",
        "OPENAI_MODEL": "simulated-model",
    }
    return {
        "DATABASE_URL": database_url(),
        "IGNORE_DOTENV": "1",
        "SIMULATED_UPSTREAMS": "true",
        "PUBLIC_URL": web,
        "MONITOR_URL": simulators["monitor"],
        "SMS_AGENT_URL": simulators["sms_agent"],
        "NOTIFICATION_URL": simulators["notifications"],
        "CALL_HANDLER_URL": simulators["call_handler"],
        "MANAGER_EMAIL": "maria@example.com",
        **(model if simulated_model else {}),
    }


def database_url() -> str:
    """The database that this process uses, which in a test is another one than the settings' own."""
    name = settings.DATABASES["default"]["NAME"]
    base, _, own = settings.DATABASE_URL.rpartition("/")
    _, mark, options = own.partition("?")
    return f"{base}/{name}{mark}{options}"


def _wait_until_up(family: Family, web: str, simulators: Mapping[str, str]) -> None:
    deadline = time.monotonic() + START_SECONDS
    waiting = [f"{web}/health", *(f"{url}/health" for url in simulators.values())]
    while waiting:
        ended = family.watch(0.1)
        if ended or time.monotonic() > deadline:
            raise DoesNotStart(ended or f"no answer from {waiting[0]}")
        with suppress(httpx2.HTTPError):
            httpx2.get(waiting[0], timeout=2)
            waiting.pop(0)


def free_ports(count: int) -> list[int]:
    """Free ports, no two the same: each is held until all are found."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def free_port(wanted: int) -> int:
    """The wanted port, or one of the next that is free; raises DoesNotStart when fifty are taken."""
    for port in range(wanted, wanted + 50):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    raise DoesNotStart(f"the ports {wanted} to {wanted + 49} are all taken: choose another with --port")


def fresh_tokens() -> dict[str, str]:
    """A token for each role; those of earlier runs are forgotten."""
    ServiceToken.objects.filter(name__startswith="demo ").delete()
    tokens = {}
    for role in Role.values:
        tokens[role], token_hash = new_token()
        ServiceToken.objects.create(name=f"demo {role}", role=role, token_hash=token_hash)
    return tokens


def real_model_wanted() -> bool:
    """Whether the environment brings a key for a real model."""
    return bool(os.environ.get("OPENAI_API_KEY"))
