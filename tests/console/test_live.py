"""The live process: who may listen, what is told, and that nothing else is."""

import asyncio
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import connection
from django.utils import timezone

from approvals.console import claims
from conversations.announce import announce
from conversations.models import ContactHold
from orchestrator_site import live
from tests.console.conftest import Card, person
from tests.console.test_desk import make_escalation

ENOUGH = 20.0


def cookie_of(name: str, group: str) -> str:
    user = person(name, group)
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"


@pytest.mark.parametrize(
    ("group", "wanted", "channel"),
    [
        pytest.param("Managers", "console", "console", id="a-manager"),
        pytest.param("Auditors", "console", "console", id="an-auditor"),
        pytest.param("No group", "console", None, id="somebody-else"),
        pytest.param("Managers", "everything", None, id="unknown-channel"),
    ],
)
def test_the_console_is_for_those_who_may_see_replies(db: None, group: str, wanted: str, channel: str | None) -> None:
    assert live.channel_for(cookie_of("maria", group), wanted) == channel


def test_everybody_hears_their_own_chat_only(db: None) -> None:
    cookie = cookie_of("nora", "No group")
    assert live.channel_for(cookie, "chat") == f"chat:{person('nora', 'No group').pk}"


@pytest.mark.parametrize("cookies", ["", "sessionid=made-up", "nonsense; =", "sessionid"])
def test_a_stranger_hears_nothing(db: None, cookies: str) -> None:
    assert live.channel_for(cookies, "console") is None


@pytest.mark.parametrize(
    ("origin", "ours"),
    [
        pytest.param(None, True, id="the-same-origin"),
        pytest.param("http://desk.example:8000", True, id="another-port-of-the-host"),
        pytest.param("https://evil.example", False, id="another-host"),
        pytest.param("null", False, id="a-sandbox"),
    ],
)
def test_only_our_own_pages_may_read(origin: str | None, ours: bool) -> None:
    headers = {"host": "desk.example:8010"} | ({"origin": origin} if origin else {})
    assert (live.allowed_origin(headers) is not None) == ours


def test_a_page_that_missed_something_looks_for_itself_whatever_else_there_was() -> None:
    async def told() -> bytes:
        stream = live.Stream()
        stream.tell("abc")
        stream.tell_missed()
        return stream.take()

    assert asyncio.run(told()) == b"event: missed\ndata: \n\n"


def test_many_changes_at_once_are_told_as_everything() -> None:
    async def told() -> bytes:
        stream = live.Stream()
        for number in range(live.TOO_MANY + 1):
            stream.tell(str(number))
        return stream.take()

    assert asyncio.run(told()) == b"event: changed\ndata: *\n\n"


@pytest.fixture
def heard(transactional_db: None) -> Iterator[Any]:
    """`heard()` are the notifications since the last time."""
    with psycopg.connect(live._address(), autocommit=True) as listener:
        listener.execute(f"LISTEN {live.CHANNEL}")
        yield lambda: [notification.payload for notification in listener.notifies(timeout=0.3)]


def test_open_consoles_are_told_of_what_they_show(heard: Any, card: Card) -> None:
    one = card()
    assert heard() == [f"console {one.conversation_id}"]
    one.decide("approved", action="approve", by="maria", actioned_by="maria", actioned_at=one.created_at)
    assert heard() == [f"console {one.conversation_id}"]
    make_escalation(conversation=one.conversation)
    assert heard() == [f"console {one.conversation_id}"]
    ContactHold.objects.create(phone=one.conversation.phone, reason="dispute", created_by="x")
    assert heard() == ["console *"]


def test_replies_that_go_by_themselves_are_told_to_nobody(heard: Any, card: Card) -> None:
    one = card(status="approved", actioned_by="policy", actioned_at="2026-11-20T12:00Z", manager_action="auto_approve")
    one.move("sending", lease_until=timezone.now())
    one.move("sent", receipt="SM1")
    assert heard() == []


def test_a_renewed_claim_is_told_to_nobody(heard: Any, card: Card) -> None:
    one = card()
    claims.claim(one.pk, by="maria")
    heard()
    claims.claim(one.pk, by="maria")
    assert heard() == []


def test_a_change_reaches_an_open_page_and_another_persons_does_not(transactional_db: None) -> None:
    cookie = cookie_of("maria", "Managers")
    events = asyncio.run(_listen("channel=console", cookie, told=["chat:999 5", "console abc"]))
    assert events[:1] == ["event: ready\ndata: "]
    assert "event: changed\ndata: abc" in events
    assert not any("5" in event for event in events)


def test_without_a_session_the_door_stays_shut(transactional_db: None) -> None:
    assert asyncio.run(_listen("channel=console", "", told=[])) == ["403"]


async def _listen(query: str, cookie: str, *, told: list[str]) -> list[str]:
    """What a page hears while `told` is announced; or the status that it was turned away with."""
    events: list[str] = []
    enough, gone = asyncio.Event(), asyncio.Event()

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start" and message["status"] != 200:
            events.append(str(message["status"]))
            enough.set()
        elif message.get("body") and events[:1] != ["403"]:
            events.extend(
                part for part in message["body"].decode().split("\n\n") if part.startswith(("event", "retry"))
            )
            if any("changed" in event for event in events):
                enough.set()

    async def receive() -> dict[str, Any]:
        await gone.wait()
        return {"type": "http.disconnect"}

    scope = {
        "type": "http",
        "path": "/live/",
        "query_string": query.encode(),
        "headers": [(b"cookie", cookie.encode()), (b"host", b"localhost")],
    }
    live.hub = live.Hub()
    live.hub.start()
    # A page that is there before the listener is told to look for itself, once the listener is there.
    async with asyncio.timeout(ENOUGH):
        while not live.hub.listening:
            await asyncio.sleep(0.01)
    page = asyncio.ensure_future(live.application(scope, receive, send))
    try:
        async with asyncio.timeout(ENOUGH):
            while told and not enough.is_set() and not live.hub.count():
                await asyncio.sleep(0.01)
            if told and not enough.is_set():
                await asyncio.to_thread(_announce, told)
            await enough.wait()
    finally:
        gone.set()
        await page
        await live.hub.stop()
        # The database of the tests is dropped when nobody uses it any more.
        await asyncio.get_running_loop().run_in_executor(live._asker, lambda: connection.close())
    return [event.replace("retry: 2000\n", "") for event in events]


def _announce(told: list[str]) -> None:
    for words in told:
        announce(*words.split(" ", 1))
    connection.close()
