"""What every stand-in shares: the switches that make it misbehave, and the record of what went over the wire.

    GET    /_control    the switches as they are
    POST   /_control    {"latency_ms": 840, "fail_next": 3, "fail_status": 502} sets those
    DELETE /_control    all switches back, all records empty
    GET    /_requests   what came in, oldest first
    GET    /_sent       what was done: texts, e-mails, calls

With the name of a sibling behind it (`/_control/sms_agent`) each of them works for that one: one that refuses
connections cannot be reached in another way.
"""

import asyncio
import json
import logging
import random
from collections import deque
from dataclasses import asdict, dataclass, fields, replace
from http import HTTPStatus
from typing import Any, ClassVar

import httpx2

from integrations.simulators.server import Answer, Listener, Request

log = logging.getLogger(__name__)

KEPT_REQUESTS = 20_000
# The last parts of addresses that are asked for health: they are not recorded, and no switch touches them.
HEALTH_CHECKS = ("", "health", "models")


@dataclass
class Switches:
    """How a stand-in misbehaves. Times in milliseconds, except `retry_after`, which is a header in seconds."""

    latency_ms: float = 0.0
    jitter_ms: float = 0.0
    # The next so many calls fail, or never get an answer. `after_the_fact`: what they asked for is done all the same.
    fail_next: int = 0
    fail_status: int = 503
    retry_after: float | None = None
    hang_next: int = 0
    after_the_fact: bool = False
    # What only reads (GET) is answered all the same, and does not count as one of those calls.
    spare_reads: bool = False
    # What the next so many calls ask for is done twice.
    duplicate_next: int = 0
    # Nobody listens: connections are refused.
    refuse: bool = False
    # The shapes that the older guides show.
    older_shape: bool = False

    def set(self, values: dict[str, Any]) -> None:
        """Raises ValueError for an unknown name or a value of another kind."""
        usual = type(self)()
        for name, value in values.items():
            if not hasattr(usual, name):
                known = ", ".join(field.name for field in fields(self))
                raise ValueError(f"there is no switch {name!r}, but {known}")
            kind = type(getattr(usual, name))
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not (isinstance(value, kind) if kind in (str, bool) else number):
                raise ValueError(f"{name} cannot be {value!r}")
        for name, value in values.items():
            setattr(self, name, value)

    def take(self, name: str) -> bool:
        """Uses up one of a number of times."""
        left: int = getattr(self, name)
        if left > 0:
            setattr(self, name, left - 1)
        return left > 0


class Service:
    """One stand-in. A subclass says how it answers (`answer`) and how it words a failure (`failure`)."""

    name: ClassVar[str]
    switches_type: ClassVar[type[Switches]] = Switches

    def __init__(self) -> None:
        self.switches = self.switches_type()
        self.requests: deque[Request] = deque(maxlen=KEPT_REQUESTS)
        self.sent: list[dict[str, Any]] = []
        self.siblings: dict[str, Service] = {}
        self.listener: Listener | None = None

    def answer(self, request: Request) -> Answer:
        raise NotImplementedError

    def failure(self, status: int) -> Answer:
        return Answer(status=status, document={"detail": HTTPStatus(status).phrase})

    def respond(self, request: Request) -> Answer:
        """One request, through the switches."""
        if request.path.startswith("/_"):
            return self.control(request)
        if request.path.rpartition("/")[2] in HEALTH_CHECKS:
            return self.health()
        self.requests.append(request)
        answer = self._misbehave(request)
        answer.delay = self._delay()
        return answer

    def health(self) -> Answer:
        return Answer(document={"ok": True, "status": "healthy", "simulated": True, "version": "0", "checks": {}})

    def _misbehave(self, request: Request) -> Answer:
        switches = self.switches
        spared = switches.spare_reads and request.method == "GET"
        fails = not spared and switches.take("fail_next")
        hangs = not (spared or fails) and switches.take("hang_next")
        done = None
        if switches.after_the_fact or not (fails or hangs):
            done = self.answer(request)
            if switches.take("duplicate_next"):
                done = self.answer(request)
        if fails:
            done = self.failure(switches.fail_status)
            if switches.retry_after is not None:
                done.headers["retry-after"] = str(switches.retry_after)
        return Answer(hang=True) if hangs or done is None else done

    def _delay(self) -> float:
        switches = self.switches
        jitter = random.uniform(-switches.jitter_ms, switches.jitter_ms) if switches.jitter_ms else 0.0  # noqa: S311
        return max(0.0, switches.latency_ms + jitter) / 1000

    def control(self, request: Request) -> Answer:
        _, verb, *sibling = request.path.split("/")
        if sibling:
            other = self.siblings.get(sibling[0])
            return not_found() if other is None else other.control(replace(request, target=f"/{verb}"))
        match request.method, request.path:
            case "GET", "/_requests":
                return Answer(document=[as_document(kept) for kept in self.requests])
            case "GET", "/_sent":
                return Answer(document=self.sent)
            case "DELETE", "/_control":
                self.reset()
            case "POST", "/_control":
                try:
                    self.switches.set(request.json if isinstance(request.json, dict) else {"": None})
                except ValueError as error:
                    return Answer(status=400, document={"detail": str(error)})
            case "GET", "/_control":
                pass
            case _:
                return not_found()
        return Answer(document=asdict(self.switches), delay=self._listen_or_refuse())

    def _listen_or_refuse(self) -> float:
        """Opens or closes the door if need be; returns the seconds after which that has surely happened."""
        listener = self.listener
        if listener is None or self.switches.refuse == (listener.server is None):
            return 0.0
        turning = listener.close() if self.switches.refuse else listener.open()
        self.turning = asyncio.get_running_loop().create_task(turning)  # kept, else it may be collected before it ran
        return 0.05

    def reset(self) -> None:
        self.switches = self.switches_type()
        self.requests.clear()
        self.sent.clear()

    def tell(self, url: str, document: dict[str, Any], token: str, after_ms: float = 0.0) -> None:
        """Posts a document to somebody else, a little later and without waiting for it."""
        loop = asyncio.get_running_loop()
        loop.call_later(after_ms / 1000, lambda: loop.run_in_executor(None, _post, url, document, token))


def as_document(request: Request) -> dict[str, Any]:
    body = request.json if request.json is not None else request.body.decode(errors="replace")
    headers = {name: value for name, value in request.headers.items() if name != "authorization"}
    return {"method": request.method, "path": request.path, "query": request.query, "headers": headers, "body": body}


def not_found() -> Answer:
    return Answer(status=404, document={"detail": "Not Found"})


def missing(*names: str, where: str = "body", kind: str = "missing") -> Answer:
    """A 422 as FastAPI words it."""
    detail = [{"type": kind, "loc": [where, name], "msg": "Field required", "input": None} for name in names]
    return Answer(status=422, document={"detail": detail})


def encoded(document: Any) -> bytes:
    return json.dumps(document).encode()


def _post(url: str, document: dict[str, Any], token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        response = httpx2.post(url, json=document, headers=headers, timeout=10)
        log.info("Told %s: %s", url, response.status_code)
    except httpx2.HTTPError as error:
        log.warning("Could not tell %s: %s", url, error)
