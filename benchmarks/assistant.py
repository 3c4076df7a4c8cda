"""The assistant: how fast it answers, and a hundred calls at once: `.venv/bin/python -m benchmarks.assistant`.

Everything runs on this machine: simulators, Postgres, web, worker and this program. The model takes 800 ms, the call
handler 500 ms. Answers are timed at the caller, over a script in which every fourth turn needs the model. Our own share
is the time of the turns that words settle. The hundred calls are confirmed at once; "placed" is when the simulated call
handler got the order.
"""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orchestrator_site.settings")
os.environ.setdefault("IGNORE_DOTENV", "1")
os.environ.setdefault("PRIVATE_DATABASE", "benchmark")

import argparse
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import django
import httpx2

django.setup()

from django.conf import settings
from django.db import connections

from benchmarks.texts import cpu_seconds, prepare
from calls.models import CallTask
from orchestrator_site import devdb
from orchestrator_site.demo.system import System, running

MODEL_MS, CALL_HANDLER_MS = 800, 500
# (what is said, whether it needs the model)
SCRIPT = (
    ("hi", False),
    ("call Pizza Place at {phone} and order a margherita", False),
    ("make it two, and ask how long it takes", True),
    ("no, that is not correct", False),
    ("just one, with olives, for seven o'clock", True),
    ("yes, go ahead", False),
    ("any news?", False),
    ("תודה רבה", False),
    ("my dentist's number is 212-555-0187", False),
    ("call my dentist and ask for an appointment", False),
    ("in the afternoon if possible", True),
    ("never mind", False),
)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--users", type=int, default=20)
    options.add_argument("--calls", type=int, default=100)
    asked = options.parse_args()
    prepare()
    log = Path(settings.BASE_DIR) / "var" / "benchmark.log"
    environment = {"CONTACT_HOURS": "00:00-00:00", "MAX_ACTIVE_CALLS": "100"}
    with running(environment, log=log) as system, httpx2.Client(timeout=60) as http:
        control = system.simulators["monitor"]
        http.post(f"{control}/_control/language_model", json={"latency_ms": MODEL_MS}).raise_for_status()
        http.post(f"{control}/_control/call_handler", json={"latency_ms": CALL_HANDLER_MS}).raise_for_status()
        talk(system, http, "warm-up", 0)
        turns = [turn for number in range(asked.users) for turn in talk(system, http, f"user-{number}", number)]
        report("all turns", [took for took, _, _ in turns])
        report("turns that words settle", [took for took, needs_model, _ in turns if not needs_model])
        report("turns for the model", [took for took, needs_model, _ in turns if needs_model])
        pending = sum(is_pending for _, _, is_pending in turns)
        print(f"{len(turns)} turns, {pending} of them answered by a message later (pending)")
        hang_up(system, http)
        calls_at_once(system, http, asked.calls)
    connections.close_all()
    if settings.PRIVATE_DATABASE:
        devdb.stop(settings.PRIVATE_DATABASE)


def talk(system: System, http: httpx2.Client, user: str, number: int) -> list[tuple[float, bool, bool]]:
    """(milliseconds, whether the model is needed, whether the reply came later) of each turn of one conversation."""
    turns = []
    for words, needs_model in SCRIPT:
        started = time.perf_counter()
        said = say(system, http, user, words.format(phone=phone(number)))
        turns.append(((time.perf_counter() - started) * 1000, needs_model, bool(said["pending"])))
        if said["pending"]:
            wait_for_reply(system, http, user, said["message_id"])
    return turns


def phone(number: int) -> str:
    return f"+1212555{number % 10_000:04}"


def say(system: System, http: httpx2.Client, user: str, words: str) -> dict[str, Any]:
    answer = http.post(
        f"{system.web}/chat",
        json={"message": words, "user_id": user, "region": "US"},
        headers={"Authorization": f"Bearer {system.tokens['chat']}"},
    )
    said: dict[str, Any] = answer.raise_for_status().json()
    return said


def wait_for_reply(system: System, http: httpx2.Client, user: str, after: str) -> None:
    headers = {"Authorization": f"Bearer {system.tokens['chat']}"}
    address = f"{system.web}/chat/messages?user_id={user}&after={after}&wait=20"
    while not http.get(address, headers=headers).raise_for_status().json()["messages"]:
        pass


def hang_up(system: System, http: httpx2.Client) -> None:
    """The calls of the conversations end, so that all lines are free."""
    until(lambda: not CallTask.objects.filter(status__in=["confirmed", "placing"]).exists())
    headers = {"Authorization": f"Bearer {system.tokens['call-handler']}"}
    for call_sid in CallTask.objects.filter(status="placed").values_list("reference", flat=True):
        http.post(f"{system.web}/calls/results", json={"call_sid": call_sid, "status": "completed"}, headers=headers)


def calls_at_once(system: System, http: httpx2.Client, count: int) -> None:
    """So many users say yes at once; all calls are in flight together, and then all outcomes come in together."""
    with ThreadPoolExecutor(16) as people:
        for words in ("call Pizza Place at {phone} and order a margherita", "yes"):
            started = time.perf_counter()
            spoken = words.format
            list(
                people.map(lambda n, w=spoken: say(system, http, f"caller-{n}", w(phone=phone(1000 + n))), range(count))
            )
        print(f"{count} calls confirmed within {time.perf_counter() - started:.2f} s")
        mine = CallTask.objects.filter(chat__user_id__startswith="caller-")
        until(lambda: mine.filter(status="placed").count() == count)
        print(f"{count} calls in flight {time.perf_counter() - started:.2f} s after the first yes")
        before, begun = cpu_seconds(), time.perf_counter()
        headers = {"Authorization": f"Bearer {system.tokens['call-handler']}"}
        reports = [
            {"call_sid": sid, "status": "completed", "duration": 30} for sid in mine.values_list("reference", flat=True)
        ]
        list(people.map(lambda body: http.post(f"{system.web}/calls/results", json=body, headers=headers), reports))
        until(lambda: mine.filter(status="completed").count() == count)
        print(f"{count} outcomes told within {time.perf_counter() - begun:.2f} s")
    spent = {name: (seconds - before[name]) * 1000 / count for name, seconds in cpu_seconds().items()}
    print("    CPU per outcome: " + ", ".join(f"{name} {ms:.1f} ms" for name, ms in sorted(spent.items())))
    ordered = http.get(f"{system.simulators['call_handler']}/_sent").json()
    numbers = [call["to"] for call in ordered if call["to"] >= phone(1000)]
    if len(numbers) != count or len(set(numbers)) != count:
        raise SystemExit(f"{len(numbers)} calls, {len(set(numbers))} of them different, were placed for {count}")


def until(holds: Any) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        if time.monotonic() > deadline:
            raise SystemExit("this does not come to an end")
        time.sleep(0.05)


def report(what: str, milliseconds: list[float]) -> None:
    ordered = sorted(milliseconds)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
    mean, median = statistics.mean(ordered), statistics.median(ordered)
    print(f"{what:26} mean {mean:6.1f} ms  median {median:6.1f} ms  p95 {p95:6.1f} ms")


if __name__ == "__main__":
    main()
