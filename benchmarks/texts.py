"""Texts at once, from accept to sent, beside the floor: `.venv/bin/python -m benchmarks.texts --texts 100`.

Everything runs on this machine: simulators, Postgres, web, worker and this program, which posts all texts at once. The
model takes 800 ms, every other upstream 10 ms. The floor is the same upstream calls in sequence without us, by as many
threads at once. "Sent" is when the simulated SMS Agent got the text, "accepted" when our 202 reached the caller.
"""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orchestrator_site.settings")
os.environ.setdefault("IGNORE_DOTENV", "1")
os.environ.setdefault("PRIVATE_DATABASE", "benchmark")

import argparse
import resource
import ssl
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path

import django
import httpx2

django.setup()

from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections

from approvals.models import QueuedResponse, Workflow
from conversations.models import Message
from integrations.simulators.people import people
from orchestrator_site import devdb
from orchestrator_site.demo.system import System, running

# Each text in words of its own, so that nothing is quick because it was read a moment before.
QUESTIONS = [
    f"{greeting} {question} {end}"
    for greeting in ("hi", "hello", "good morning", "hey there", "good evening")
    for question in ("how much do I owe you", "what is my balance", "how much is left", "tell me my balance")
    for end in ("now?", "today?", "please?", "as of today, thanks", "at the moment?")
]
MODEL_MS, OTHERS_MS = 800, 10


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--texts", type=int, default=100)
    options.add_argument("--rounds", type=int, default=3)
    asked = options.parse_args()
    prepare()
    log = Path(settings.BASE_DIR) / "var" / "benchmark.log"
    with running({"MANAGER_EMAIL": ""}, tenants=2000, log=log) as system, httpx2.Client(timeout=120) as http:
        slow_down(system, http)
        phones = [person.phone for person in people(2000) if person.language_code == "en"]
        # A system that has worked before: its connections are open.
        warm_up(system, phones[-100:])
        for number in range(asked.rounds):
            mine = phones[number * asked.texts % 600 :][: asked.texts]
            report(f"floor, {asked.texts} at once", floor(system, mine))
            before = cpu_seconds()
            report(f"texts, {asked.texts} at once", texts(system, mine))
            spent = {name: (seconds - before[name]) * 1000 / asked.texts for name, seconds in cpu_seconds().items()}
            print("    CPU per text: " + ", ".join(f"{name} {ms:.1f} ms" for name, ms in sorted(spent.items())))
    connections.close_all()
    if settings.PRIVATE_DATABASE:
        devdb.stop(settings.PRIVATE_DATABASE)


def prepare() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    call_command("migrate", verbosity=0)


def slow_down(system: System, http: httpx2.Client) -> None:
    for name in system.simulators:
        latency = MODEL_MS if name == "language_model" else OTHERS_MS
        http.post(f"{system.simulators['monitor']}/_control/{name}", json={"latency_ms": latency}).raise_for_status()


def warm_up(system: System, phones: list[str]) -> None:
    texts(system, phones)


def texts(system: System, phones: list[str]) -> list[float]:
    """Seconds from the caller's 202 to the SMS Agent, for each text."""
    question = dict(zip(phones, cycle(QUESTIONS), strict=False))
    before = httpx2.get(f"{system.simulators['sms_agent']}/_sent", timeout=60).json()
    headers = {"Authorization": f"Bearer {system.tokens['sms-agent']}"}
    start = time.time()
    with httpx2.Client(timeout=60, headers=headers) as http, ThreadPoolExecutor(min(len(phones), 16)) as callers:

        def send(phone: str) -> tuple[str, float]:
            body = {"phone_number": phone, "content": question[phone], "message_id": f"{start} {phone}"}
            answer = http.post(f"{system.web}/orchestrate/sms-received", json=body)
            if answer.status_code != httpx2.codes.ACCEPTED:
                raise SystemExit(f"not accepted: {answer.status_code} {answer.text}")
            return phone, time.time()

        accepted = dict(callers.map(send, phones))
    sent = wait_for(system, len(before), len(phones))
    last_accepted, last_sent = max(accepted.values()) - start, max(sent.values()) - start
    print(f"    accepted within {last_accepted:.2f} s, all sent after {last_sent:.2f} s")
    return [sent[phone] - accepted[phone] for phone in phones]


def wait_for(system: System, already: int, count: int) -> dict[str, float]:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        time.sleep(0.5)
        if Message.objects.filter(direction="outbound").count() >= already + count:
            break
    else:
        left = QueuedResponse.objects.exclude(status="sent").values_list("status", "reasons")[:5]
        unfinished = Workflow.objects.exclude(status="completed").count()
        raise SystemExit(f"not all were sent: {list(left)}, {unfinished} workflows unfinished")
    sent = httpx2.get(f"{system.simulators['sms_agent']}/_sent", timeout=60).json()[already:]
    if len(sent) != count or len({text["to"] for text in sent}) != count:
        raise SystemExit(f"{len(sent)} texts went out for {count}")
    return {text["to"]: datetime.fromisoformat(text["at"]).replace(tzinfo=UTC).timestamp() for text in sent}


def floor(system: System, phones: list[str]) -> list[float]:
    """The same calls in sequence, by as many threads, without us: what nobody can be faster than."""
    where = system.simulators
    question = {"model": "m", "messages": [{"role": "user", "content": QUESTIONS[0]}]}
    # One context for all: making one takes longer than a call.
    tls = ssl.create_default_context()
    clients = [httpx2.Client(timeout=60, verify=tls) for _ in range(min(len(phones), 200))]

    def one(number: int) -> float:
        http, phone = clients[number % len(clients)], phones[number]
        start = time.perf_counter()
        tenant = http.get(f"{where['monitor']}/tenants/lookup", params={"phone": phone}).json()["tenant_id"]
        http.get(f"{where['monitor']}/monitor/tenant/{tenant}")
        http.get(f"{where['sms_agent']}/conversations/{phone}")
        http.post(f"{where['language_model']}/v1/chat/completions", json=question)
        http.get(f"{where['sms_agent']}/conversations/{phone}")  # in place of the sending, which would be counted
        return time.perf_counter() - start

    start = time.perf_counter()
    with ThreadPoolExecutor(len(clients)) as threads:
        took = list(threads.map(one, range(len(phones))))
    print(f"    floor: all after {time.perf_counter() - start:.2f} s")
    for client in clients:
        client.close()
    return took


def cpu_seconds() -> dict[str, float]:
    """Processor time so far of everything that we started, by what it is, and of our Postgres."""
    spent: dict[str, float] = defaultdict(float)
    ticks = os.sysconf("SC_CLK_TCK")
    for process in _our_processes():
        with suppress(OSError):
            name = _name_of((process / "cmdline").read_bytes().decode(errors="replace"))
            fields = (process / "stat").read_text().rpartition(")")[2].split()
            spent[name] += (int(fields[11]) + int(fields[12])) / ticks
    spent.pop("", None)
    return spent


def _our_processes() -> Iterator[Path]:
    """What runs in this checkout or in its database's folder: another system on this machine is not counted."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if Path(os.readlink(process / "cwd")).is_relative_to(settings.BASE_DIR):
                yield process


def _name_of(command: str) -> str:
    words = {"gunicorn": "web", "runworker": "worker", "simulate": "simulators", "postgres": "postgres"}
    return next((name for word, name in words.items() if word in command), "")


def report(what: str, seconds: list[float]) -> None:
    ordered = sorted(seconds)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"{what:24} median {statistics.median(ordered):5.2f} s  p95 {p95:5.2f} s  max {ordered[-1]:5.2f} s"
        f"  (this program: {memory} MB)",
        flush=True,
    )


if __name__ == "__main__":
    main()
