"""No accepted text is lost and none is sent twice, whatever dies: real processes, killed while they work."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from approvals.audit import faults
from approvals.models import QueuedResponse, Workflow
from integrations.simulators.people import people
from orchestrator_site.demo.once import Stage
from orchestrator_site.demo.system import System, running
from orchestrator_site.processes import descendants
from tests.acceptance.conftest import IMPATIENT

pytestmark = pytest.mark.processes
PHONES = [person.phone for person in people(450) if person.language_code == "en"][:180]


@pytest.fixture
def busy(transactional_db: None, tmp_path: Path) -> Iterator[tuple[System, Stage]]:
    """A running system whose model takes its time, so that something is always under way."""
    with running(IMPATIENT, log=tmp_path / "system.log", tenants=450) as system:
        stage = Stage(api=system.web, tokens=system.tokens, simulators=system.simulators)
        stage.switch("language_model", latency_ms=300, jitter_ms=200)
        stage.switch("sms_agent", latency_ms=150, jitter_ms=100)
        try:
            yield system, stage
        finally:
            stage.http.close()
            print((tmp_path / "system.log").read_text()[-6000:])  # noqa: T201 shown when a test fails


def processes_of(word: str) -> list[int]:
    """Our own children and theirs whose command line names `word`, parents before children."""
    found = []
    for pid in descendants(os.getpid()):
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if word in command:
            found.append(pid)
    return found


def wait_until_all_are_answered(stage: Stage, phones: list[str], seconds: float = 90) -> Counter[str]:
    deadline = time.monotonic() + seconds
    sent: Counter[str] = Counter()
    while time.monotonic() < deadline:
        sent = Counter(text["to"] for text in stage.sent_by("sms_agent"))
        if set(phones) <= set(sent) and not QueuedResponse.objects.filter(status__in=["approved", "sending"]).exists():
            break
        time.sleep(0.2)
    return sent


def all_is_well(stage: Stage, phones: list[str]) -> None:
    sent = wait_until_all_are_answered(stage, phones)
    states = Counter(QueuedResponse.objects.values_list("status", flat=True))
    unfinished = Counter(Workflow.objects.exclude(status="completed").values_list("status", "error_message"))
    assert not set(phones) - set(sent), f"lost: {states} {unfinished}"
    assert max(sent.values()) == 1, f"sent twice: {[phone for phone, times in sent.items() if times > 1]}"
    assert states == {"sent": len(phones)}
    assert list(faults()) == []


def kill_one(chance: random.Random) -> None:
    """One of the worker's processes; a moment after the last kill there may be none yet."""
    while True:
        # The watcher itself belongs to the family and ends it.
        if victims := processes_of("runworker")[1:]:
            with suppress(ProcessLookupError):
                os.kill(chance.choice(victims), signal.SIGKILL)
                return
        time.sleep(0.05)


def test_workers_killed_at_random_moments_lose_and_double_nothing(busy: tuple[System, Stage]):
    """The kernel kills any process of the worker, the parent included, fifteen times while texts are under way."""
    _, stage = busy
    for seed in (1, 2, 3):
        chance = random.Random(seed)
        # Sixty other tenants each time: the same ones would be answered together with their earlier texts.
        mine = PHONES[(seed - 1) * 60 : seed * 60]
        for number, phone in enumerate(mine):
            stage.text(phone, "how much do I owe you?")
            if number % 12 == 6:
                time.sleep(chance.uniform(0, 0.4))
                kill_one(chance)
        all_is_well(stage, PHONES[: seed * 60])


def test_a_database_that_drops_every_connection_loses_and_doubles_nothing(busy: tuple[System, Stage]):
    """As when Postgres is restarted: all connections but ours end while texts are under way."""
    from django.db import connection

    _, stage = busy
    answered = []
    for number, phone in enumerate(PHONES[:30]):
        answered.append(phone)
        send_until_accepted(stage, phone)
        if number % 10 == 5:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE pid <> pg_backend_pid() AND datname = current_database()"
                )
    all_is_well(stage, answered)


def send_until_accepted(stage: Stage, phone: str) -> None:
    """As every careful caller does: the same id again until it is accepted."""
    body = {"phone_number": phone, "content": "how much do I owe you?", "message_sid": f"SM{phone}"}
    for _ in range(20):
        answer = stage.post("/orchestrate/sms-received", body, "sms-agent")
        if answer.status_code in (200, 202):
            return
        assert answer.status_code == 503, answer.text
        time.sleep(0.1)
    raise AssertionError("the text was never accepted")


def test_an_agent_that_sends_and_then_hangs_is_looked_up_and_sent_once(busy: tuple[System, Stage]):
    """Four of twenty sendings get no answer although the text went out."""
    _, stage = busy
    stage.switch("sms_agent", hang_next=4, after_the_fact=True, spare_reads=True)
    for phone in PHONES[:20]:
        stage.text(phone, "how much do I owe you?")
    sent = wait_until_all_are_answered(stage, PHONES[:20])
    states = Counter(QueuedResponse.objects.values_list("status", flat=True))
    assert set(sent.values()) == {1}, states
    assert states["sent"] + states["unknown"] == 20
    assert QueuedResponse.objects.filter(looks__gt=0).count() == 4
