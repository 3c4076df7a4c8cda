"""The one fake of the outside world: a real HTTP server on a free port, so that no client knows that it is tested.

    def test_a_refused_text_is_not_repeated(world):
        world.sms_agent.answers({"detail": "bad phone"}, to="POST /sms/send", status=400)
        ...
        assert world.sms_agent.requests[0].json == {"to": "+14155550100", "body": "Hello"}

Every answer is planned before it is needed and used once (or `times=...`); of several plans that fit, the oldest goes
first. A request that nobody planned fails the test when it ends, with the plans that were there.
"""

import asyncio
import socket
import threading
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import pytest
from pytest_django import Settings

from integrations import clients
from integrations.simulators.server import Answer, Listener, Request

ALWAYS = 1_000_000
# For a client that is meant to run out of patience (seconds); all others wait longer than any test lasts.
TINY_TIMEOUT = 0.2


@dataclass
class Plan:
    to: str
    answer: Answer
    times: int


@dataclass(frozen=True)
class Seen:
    """One request as it came over the wire; header names in lower case."""

    method: str
    path: str
    query: dict[str, str]
    json: Any
    headers: dict[str, str]

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.query or ''} {self.json or ''}".strip()


@dataclass
class Service:
    """One upstream. `setting` is the setting that holds its address."""

    name: str
    setting: str
    settings: Settings
    plans: list[Plan] = field(default_factory=list)
    requests: list[Seen] = field(default_factory=list)
    unplanned: list[str] = field(default_factory=list)

    def answers(
        self,
        document: Any = None,
        *,
        to: str = "*",
        status: int = 200,
        headers: dict[str, str] | None = None,
        raw: bytes | None = None,
        times: int = 1,
    ) -> None:
        """Plans an answer to requests such as `to="GET /monitor/tenant/*"`; `raw` is sent instead of a document."""
        self._plan(to, times, Answer(status=status, document=document, headers=headers or {}, raw=raw))

    def will_time_out(self, *, to: str = "*", times: int = 1) -> None:
        """It takes the request and never answers."""
        timeout = (
            self.setting.replace("_BASE_URL", "_URL").replace("_API_URL", "_URL").replace("_URL", "_TIMEOUT_SECONDS")
        )
        setattr(self.settings, timeout, TINY_TIMEOUT)
        clients.forget()
        self._plan(to, times, Answer(hang=True))

    def will_hang_up(self, *, to: str = "*", times: int = 1) -> None:
        """It takes the request and closes the connection."""
        self._plan(to, times, Answer(drop=True))

    def is_down(self) -> None:
        """Nobody listens: connections are refused."""
        with socket.socket() as vacant:
            vacant.bind(("127.0.0.1", 0))
            setattr(self.settings, self.setting, f"http://127.0.0.1:{vacant.getsockname()[1]}")
        clients.forget()

    def _plan(self, to: str, times: int, answer: Answer) -> None:
        self.plans.append(Plan(to=to, answer=answer, times=times))

    def respond(self, seen: Seen) -> Answer:
        self.requests.append(seen)
        for plan in self.plans:
            if plan.times and fnmatchcase(f"{seen.method} {seen.path}", plan.to):
                plan.times -= 1
                return plan.answer
        plans = ", ".join(f"{plan.to} ({plan.times} left)" for plan in self.plans) or "nothing"
        self.unplanned.append(f"{self.name} got {seen}\n    planned: {plans}")
        return Answer(status=501, document={"detail": "this request was not planned by the test"})


class World:
    """Every upstream, each under a path of its own on one port."""

    def __init__(self, settings: Settings) -> None:
        self.monitor = Service("monitor", "MONITOR_URL", settings)
        self.sms_agent = Service("sms_agent", "SMS_AGENT_URL", settings)
        self.notifications = Service("notifications", "NOTIFICATION_URL", settings)
        self.language_model = Service("language_model", "OPENAI_BASE_URL", settings)
        self.call_handler = Service("call_handler", "CALL_HANDLER_URL", settings)
        self.twilio = Service("twilio", "TWILIO_API_URL", settings)
        everyone = (
            self.monitor,
            self.sms_agent,
            self.notifications,
            self.language_model,
            self.call_handler,
            self.twilio,
        )
        self.services = {service.name: service for service in everyone}

    def respond(self, request: Request) -> Answer:
        _, name, path = request.path.split("/", 2)
        seen = Seen(request.method, f"/{path}", request.query, request.json, request.headers)
        return self.services[name].respond(seen)

    def unplanned(self) -> list[str]:
        return [request for service in self.services.values() for request in service.unplanned]


class LoopThread:
    """An event loop in a thread of its own, for servers that a test talks to."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


class Server:
    """Answers for whichever world is the current one."""

    def __init__(self) -> None:
        self.world: World | None = None
        self.listener = Listener(self.respond)
        self.loop = LoopThread()
        self.loop.run(self.listener.open())

    def respond(self, request: Request) -> Answer:
        if self.world is None:  # a straggler of a test that is over
            return Answer(drop=True)
        return self.world.respond(request)

    def close(self) -> None:
        self.loop.run(self.listener.close())
        self.loop.close()


@pytest.fixture(scope="session")
def outside_server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def world(outside_server: Server, settings: Settings) -> Iterator[World]:
    """The outside world with nothing planned; every client is pointed at it."""
    world = World(settings)
    for service in world.services.values():
        setattr(settings, service.setting, f"http://127.0.0.1:{outside_server.listener.port}/{service.name}")
    settings.OPENAI_API_KEY = "test-key"
    settings.RETRY_PAUSE_SECONDS = 0.0
    settings.BREAKER_STORE = "integrations.breaker.MemoryStore"
    clients.forget()
    outside_server.world = world
    yield world
    outside_server.world = None
    clients.forget()
    unplanned = world.unplanned()
    assert not unplanned, "Requests that the test did not plan:\n  " + "\n  ".join(unplanned)
