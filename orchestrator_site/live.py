"""The live process: server-sent events and nothing else, fed by one connection that LISTENs.

    Postgres --NOTIFY live 'console <id>'--> Hub --changed: <id>--> every open console
                                                 '-'chat:7 <id>'--> the chat page of user 7

Events carry ids only; a page fetches what it needs, with its own permissions. A page that was away is told so
(`missed`) or simply reconnects, and refetches. 200 idle pages cost next to nothing here,
and nothing at all in the web processes (`benchmarks/console.py`).

    GET /live/?channel=console      staff who may see replies
    GET /live/?channel=chat         the signed-in person's own chat
    GET /live/health
"""

import asyncio
import json
import logging
import os
from collections import defaultdict
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs, urlsplit

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orchestrator_site.settings")
django.setup(set_prefix=False)

import psycopg  # noqa: E402 - Django first
from django.conf import settings  # noqa: E402
from django.contrib import auth  # noqa: E402
from django.contrib.auth.models import AbstractBaseUser  # noqa: E402
from django.db import DatabaseError, close_old_connections, connection  # noqa: E402
from django.http import HttpRequest  # noqa: E402

log = logging.getLogger(__name__)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

CHANNEL = "live"
# Signs of life, so that proxies keep a quiet stream open and pages notice a dead one (seconds).
BEAT = 15.0
# Then a page comes back by itself and shows its session again (seconds).
LONGEST_STREAM = 900.0
# Changes within this time are told together (seconds).
TOGETHER = 0.05
# More changes than this at once are told as "everything".
TOO_MANY = 20
MAX_STREAMS = 5_000


class Stream:
    """What one page has not been told yet."""

    def __init__(self) -> None:
        self.news: set[str] = set()
        self.missed = False
        self.stirred = asyncio.Event()

    def tell(self, what: str) -> None:
        self.news.add(what)
        self.stirred.set()

    def tell_missed(self) -> None:
        self.missed = True
        self.stirred.set()

    def take(self) -> bytes:
        """The events since the last time, as they go over the wire."""
        news, missed = self.news, self.missed
        self.news, self.missed = set(), False
        self.stirred.clear()
        if missed:
            return b"event: missed\ndata: \n\n"
        if len(news) > TOO_MANY or "*" in news:
            news = {"*"}
        return "".join(f"event: changed\ndata: {what}\n\n" for what in sorted(news)).encode()


class Hub:
    """All open pages by channel, and the one connection that feeds them."""

    def __init__(self) -> None:
        self.streams: dict[str, set[Stream]] = defaultdict(set)
        self.listening = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._listen_for_ever())

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def count(self) -> int:
        return sum(map(len, self.streams.values()))

    def tell(self, payload: str) -> None:
        """`payload` is a channel's name, a space, and an id."""
        channel, _, what = payload.partition(" ")
        for stream in self.streams.get(channel, ()):
            stream.tell(what)

    async def _listen_for_ever(self) -> None:
        pause = 0.5
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(_address(), autocommit=True) as listener:
                    await listener.execute(f"LISTEN {CHANNEL}")
                    self._tell_all_missed()
                    self.listening, pause = True, 0.5
                    async for notification in listener.notifies():
                        self.tell(notification.payload)
            except psycopg.Error as error:
                log.warning("live: the database is away (%s), trying again in %.1f s", type(error).__name__, pause)
            self.listening = False
            await asyncio.sleep(pause)
            pause = min(pause * 2, 10.0)

    def _tell_all_missed(self) -> None:
        """Whatever happened while nobody listened: every page looks for itself."""
        for streams in self.streams.values():
            for stream in streams:
                stream.tell_missed()


def _address() -> str:
    """The default database as libpq wants it."""
    wanted = ("dbname", "user", "password", "host", "port", "sslmode", "sslrootcert", "options")
    parameters = connection.get_connection_params()
    return psycopg.conninfo.make_conninfo(**{name: parameters[name] for name in wanted if parameters.get(name)})


hub = Hub()
# One thread asks who somebody is: pages come rarely, and one database connection is enough.
_asker = ThreadPoolExecutor(1, thread_name_prefix="who")


async def application(scope: Message, receive: Receive, send: Send) -> None:
    """The ASGI entry point."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    elif scope["type"] == "http":
        hub.start()
        await _answer(scope, receive, send)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            hub.start()
            await send({"type": "lifespan.startup.complete"})
        else:
            await hub.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return


async def _answer(scope: Message, receive: Receive, send: Send) -> None:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    if scope["path"].rstrip("/").endswith("health"):
        health = {"status": "ok" if hub.listening else "degraded", "listening": hub.listening, "streams": hub.count()}
        return await _reply(send, 200, health)
    cors = allowed_origin(headers)
    if cors is None:
        return await _reply(send, 403, {"error": "This page may not listen here."})
    if hub.count() >= MAX_STREAMS:
        return await _reply(send, 503, {"error": "Too many pages listen."}, cors)
    wanted = parse_qs(scope["query_string"].decode("latin-1")).get("channel", [""])[0]
    try:
        loop = asyncio.get_running_loop()
        channel = await loop.run_in_executor(_asker, _look_up, headers.get("cookie", ""), wanted)
    except DatabaseError:
        return await _reply(send, 503, {"error": "The database does not answer."}, cors)
    if channel is None:
        return await _reply(send, 403, {"error": "Sign in first, with the right to see this."}, cors)
    return await _stream(channel, receive, send, cors)


def allowed_origin(headers: dict[str, str]) -> list[tuple[bytes, bytes]] | None:
    """The headers that let a page of ours read, None for any other page. Another port of the same host is ours."""
    origin = headers.get("origin")
    if origin is None:
        return []
    ours = {settings.PUBLIC_URL, *settings.CSRF_TRUSTED_ORIGINS}
    if origin not in ours and urlsplit(origin).hostname != urlsplit(f"//{headers.get('host', '')}").hostname:
        return None
    return [
        (b"access-control-allow-origin", origin.encode()),
        (b"access-control-allow-credentials", b"true"),
        (b"vary", b"Origin"),
    ]


def _look_up(cookies: str, wanted: str) -> str | None:
    close_old_connections()
    return channel_for(cookies, wanted)


def channel_for(cookies: str, wanted: str) -> str | None:
    """The channel that the session's person gets for what the page asks; None when it may not be."""
    person = _person(cookies)
    if person is None or not person.is_active:
        return None
    if wanted == "console":
        may = getattr(person, "is_staff", False) and person.has_perm("approvals.view_queuedresponse")  # type: ignore[attr-defined]
        return "console" if may else None
    return f"chat:{person.pk}" if wanted == "chat" else None


def _person(cookies: str) -> AbstractBaseUser | None:
    try:
        key = SimpleCookie(cookies).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return None
    if key is None:
        return None
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(key.value)
    person = auth.get_user(request)
    return person if person.is_authenticated else None


async def _stream(channel: str, receive: Receive, send: Send, cors: list[tuple[bytes, bytes]]) -> None:
    headers = [
        (b"content-type", b"text/event-stream; charset=utf-8"),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
        *cors,
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    stream = Stream()
    hub.streams[channel].add(stream)
    gone = asyncio.ensure_future(_until_gone(receive))
    try:
        await _tell(send, b"retry: 2000\nevent: ready\ndata: \n\n")
        await _tell_news(stream, gone, send)
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        gone.cancel()
        hub.streams[channel].discard(stream)
        if not hub.streams[channel]:
            del hub.streams[channel]


async def _tell_news(stream: Stream, gone: asyncio.Future[None], send: Send) -> None:
    """Until the page is gone, or has been here so long that it shows its session again."""
    loop = asyncio.get_running_loop()
    until = loop.time() + LONGEST_STREAM
    while not gone.done() and loop.time() < until:
        stirred: asyncio.Future[Any] = asyncio.ensure_future(stream.stirred.wait())
        waited: set[asyncio.Future[Any]] = {stirred, gone}
        await asyncio.wait(waited, timeout=BEAT, return_when=asyncio.FIRST_COMPLETED)
        stirred.cancel()
        if stream.stirred.is_set():
            await asyncio.sleep(TOGETHER)
            await _tell(send, stream.take())
        elif not gone.done():
            await _tell(send, b"event: beat\ndata: \n\n")


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _tell(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _reply(
    send: Send, status: int, document: dict[str, Any], headers: list[tuple[bytes, bytes]] | None = None
) -> None:
    body = json.dumps(document).encode()
    start = [(b"content-type", b"application/json"), *(headers or [])]
    await send({"type": "http.response.start", "status": status, "headers": start})
    await send({"type": "http.response.body", "body": body})
