"""What the managers' console costs: `.venv/bin/python -m benchmarks.console --waiting 10000 --messages 100000`.

    decisions  approve with the next card, and the page itself, with 10,000 waiting and 100,000 messages (ms)
    idle       200 open consoles for 20 s: CPU of the web processes and of the live process
    delivery   from the commit of a change to its arrival at each of them (ms)

Web and live are the real processes on free ports, the client is plain HTTP beside them on the same machine.
"""

import argparse
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from statistics import quantiles
from threading import Event

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orchestrator_site.settings")
os.environ.setdefault("PRIVATE_DATABASE", "bench")
django.setup()

import httpx2
from django.contrib.auth.models import Group, User
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command
from django.db import connection

from approvals.models import QueuedResponse
from orchestrator_site.demo.system import database_url, free_ports
from orchestrator_site.management.commands.serve import live_command, web_command
from orchestrator_site.processes import Family

CONSOLE = "/admin/approvals/queuedresponse/console/"
PAGES, IDLE_SECONDS, DECISIONS = 200, 20.0, 200
FILL = """
INSERT INTO sms_conversations (id, phone, channel, tenant_name, property_name, language, language_source, tenant_id,
                               account, account_at, created_at, last_inbound_at)
SELECT gen_random_uuid(), '+1' || (2000000000 + n), 'sms', 'Tenant ' || n, 'Property ' || n %% 40, 'en', 'monitor', n,
       '{"tenant_id": "1", "name": "Tenant", "amount_owed": "600.00", "portion": "600.00", "days_late": 12}',
       now(), now() - interval '9 days', now() - n * interval '20 seconds'
FROM generate_series(1, %(waiting)s) n;
INSERT INTO sms_messages (id, conversation_id, direction, author, body, dedupe_key, provider_id, delivery, created_at)
SELECT gen_random_uuid(), c.id, CASE WHEN k %% 2 = 1 THEN 'inbound' ELSE 'outbound' END,
       CASE WHEN k %% 2 = 1 THEN 'tenant' ELSE 'ai' END, 'Words about the rent, number ' || k, c.phone || ' ' || k, '',
       'received', c.last_inbound_at - (k - 1) * interval '1 hour'
FROM sms_conversations c, generate_series(1, %(each)s) k;
INSERT INTO ai_response_queue (id, conversation_id, message_id, tenant_message, ai_response, final_text,
    language, confidence_score, confidence_parts, gates, reasons, status, overridden, viewer, looks, receipt,
    error_message, model,
        prompt_version, created_at, updated_at, attempts, not_before, claimed_by)
SELECT gen_random_uuid(), m.conversation_id, m.id, m.body, 'Thank you. Could you pay $50 a week?', '', 'en', 0.8,
       '[{"code": "model", "value": "0.80"}]', '[]', '["medium_confidence"]', 'pending', '[]', '', 0, '', '', '', '',
       m.created_at, m.created_at, 0, now(), ''
FROM sms_messages m JOIN sms_conversations c ON c.id = m.conversation_id AND m.created_at = c.last_inbound_at;
ANALYZE;
"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--waiting", type=int, default=10_000, help="replies that wait (10000)")
    options.add_argument("--messages", type=int, default=100_000, help="texts in all (100000)")
    asked = options.parse_args()
    call_command("migrate", verbosity=0)
    fill(asked.waiting, asked.messages)
    web, live = (f"127.0.0.1:{port}" for port in free_ports(2))
    points = {"DATABASE_URL": database_url(), "IGNORE_DOTENV": "1", "LIVE_URL": f":{live.rpartition(':')[2]}/live/"}
    cookie = f"sessionid={session()}; csrftoken={'x' * 32}"
    with open(os.devnull, "wb") as nowhere, Family(out=nowhere) as family:
        family.start("web", web_command(web), points)
        family.start("live", live_command(int(live.rpartition(":")[2])), points)
        with httpx2.Client(base_url=f"http://{web}", headers=headers(web, cookie), timeout=30) as http:
            until_up(http, live)
            pages(http)
            decisions(http)
        idle(family, live, cookie)


def fill(waiting: int, messages: int) -> None:
    """Rows for an ordinary bad morning, once: one waiting card for each tenant, and their threads."""
    if QueuedResponse.objects.filter(status="pending").count() < waiting - DECISIONS * 5:
        with connection.cursor() as cursor:
            cursor.execute(FILL, {"waiting": waiting, "each": max(1, messages // waiting)})
    print(f"{QueuedResponse.objects.filter(status='pending').count()} wait")


def session() -> str:
    user, _ = User.objects.get_or_create(username="bench", defaults={"is_staff": True})
    user.groups.set(Group.objects.filter(name="Supervisors"))
    store = SessionStore()
    store["_auth_user_id"] = str(user.pk)
    store["_auth_user_backend"] = "django.contrib.auth.backends.ModelBackend"
    store["_auth_user_hash"] = user.get_session_auth_hash()
    store.save()
    return str(store.session_key)


def headers(web: str, cookie: str) -> dict[str, str]:
    return {"Cookie": cookie, "X-CSRFToken": "x" * 32, "Origin": f"http://{web}", "Referer": f"http://{web}/admin/"}


def until_up(http: httpx2.Client, live: str) -> None:
    for url in ("/health", f"http://{live}/live/health"):
        for _ in range(300):
            try:
                if http.get(url).status_code == httpx2.codes.OK:
                    break
            except httpx2.HTTPError:
                pass
            time.sleep(0.1)
    for _ in range(8):  # each process reads its phrase books at the first card
        http.get(CONSOLE)


def pages(http: httpx2.Client) -> None:
    for name, url in (("page", CONSOLE), ("queue", f"{CONSOLE}queue/"), ("searched", f"{CONSOLE}queue/?q=Tenant+77")):
        show(name, [timed(lambda url=url: http.get(url)) for _ in range(40)])


def decisions(http: httpx2.Client) -> None:
    cards = list(QueuedResponse.objects.filter(status="pending").order_by("created_at")[: DECISIONS + 1])
    times = []
    for one, following in pairwise(cards):
        form = {"text": "Thank you. Could you pay $50 a week?", "next": str(following.pk)}
        times.append(timed(lambda one=one, form=form: http.post(f"{CONSOLE}{one.pk}/approve/", data=form)))
    show("approve with the next card", times)


def timed(ask: object) -> float:
    start = time.perf_counter()
    answer = ask()  # type: ignore[operator]
    if answer.status_code != httpx2.codes.OK:
        raise SystemExit(f"{answer.status_code}: {answer.text[:300]}")
    return (time.perf_counter() - start) * 1000


def show(name: str, times: list[float]) -> None:
    cuts = quantiles(times, n=100)
    print(f"{name:28} p50 {cuts[49]:5.0f} ms   p95 {cuts[94]:5.0f} ms   max {max(times):5.0f} ms")


def idle(family: Family, live: str, cookie: str) -> None:
    heard: list[float] = []
    with open_consoles(live, cookie, heard):
        before = cpu(family)
        time.sleep(IDLE_SECONDS)
        after = cpu(family)
        for name in before:
            print(
                f"{PAGES} idle consoles: {name:5} {100 * (after[name] - before[name]) / IDLE_SECONDS:.2f} % of a core"
            )
        start = time.perf_counter()
        card = QueuedResponse.objects.filter(status="pending").order_by("created_at").values("pk")[:1]
        QueuedResponse.objects.filter(pk__in=card).update(viewer=f"somebody {start}")
        time.sleep(2)
        show("delivery of a change", [(moment - start) * 1000 for moment in heard if moment > start])


@contextmanager
def open_consoles(live: str, cookie: str, heard: list[float]) -> Iterator[None]:
    stop, url = Event(), f"http://{live}/live/?channel=console"
    opened: list[bool] = []

    def listen() -> None:
        with httpx2.Client(timeout=60) as http, http.stream("GET", url, headers={"Cookie": cookie}) as stream:
            for line in stream.iter_lines():
                if line == "event: ready":
                    opened.append(True)
                if line == "event: changed":
                    heard.append(time.perf_counter())
                if stop.is_set():
                    return

    pool = ThreadPoolExecutor(PAGES)
    for _ in range(PAGES):
        pool.submit(listen)
    while len(opened) < PAGES:
        time.sleep(0.05)
    yield
    stop.set()
    pool.shutdown(wait=False, cancel_futures=True)


def cpu(family: Family) -> dict[str, float]:
    """Seconds of processor time of each member and its children so far."""
    ticks = os.sysconf("SC_CLK_TCK")
    parents: dict[int, int] = {}
    used: dict[int, float] = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat") as stat:
                fields = stat.read().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(entry)], used[int(entry)] = int(fields[1]), (int(fields[11]) + int(fields[12])) / ticks
    members = {name: process.pid for name, process in family._members.items()}
    return {
        name: sum(spent for key, spent in used.items() if pid in (key, parents[key])) for name, pid in members.items()
    }


if __name__ == "__main__":
    main()
