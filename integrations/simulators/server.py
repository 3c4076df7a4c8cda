"""A very small HTTP/1.1 server for stand-ins: one `asyncio.Protocol`, one process, no tasks per request.

A load test pushes thousands of requests through the stand-ins on the machine of the system under test, so what they
cost counts: about a tenth of a millisecond a request, of which the answer itself is the larger part. It understands
what HTTP clients send (a request line, headers, a body with Content-Length) and nothing more; it is no server for the
outside.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote

REASONS = {status.value: status.phrase for status in HTTPStatus}


@dataclass(kw_only=True)
class Request:
    """What came over the wire. `path` is decoded, `query` holds the last value of each name."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @cached_property
    def path(self) -> str:
        return unquote(self.target.partition("?")[0])

    @cached_property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    @cached_property
    def json(self) -> Any:
        """The body as JSON, or None when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass(kw_only=True)
class Answer:
    """What goes back. `document` is sent as JSON; a `delay` in seconds, and `hang` never answers at all."""

    status: int = 200
    document: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    delay: float = 0.0
    hang: bool = False
    drop: bool = False

    def encode(self) -> bytes:
        body = self.raw if self.raw is not None else json.dumps(self.document).encode()
        if self.status == HTTPStatus.NO_CONTENT:
            body = b""
        lines = [f"HTTP/1.1 {self.status} {REASONS.get(self.status, 'Unknown')}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        lines.append(f"content-type: application/json\r\nx-simulator: true\r\ncontent-length: {len(body)}\r\n\r\n")
        return "\r\n".join(lines).encode() + body


Respond = Callable[[Request], Answer]


class Connection(asyncio.Protocol):
    """One client's connection: requests in, answers out, in order."""

    def __init__(self, respond: Respond, connections: set["Connection"]) -> None:
        self.respond = respond
        self.connections = connections
        self.buffer = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  a TCP server is never given another kind
        self.transport = transport
        self.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.connections.discard(self)

    def break_off(self) -> None:
        if self.transport is not None:
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while self.buffer and (request := self.next_request()) is not None:
            self.reply(self.respond(request))

    def next_request(self) -> Request | None:
        head, found, rest = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _version = first.split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", 0))
        if len(rest) < length:
            return None
        self.buffer = rest[length:]
        return Request(method=method, target=target, headers=headers, body=rest[:length])

    def reply(self, answer: Answer) -> None:
        if answer.hang:
            return
        if answer.delay:
            asyncio.get_running_loop().call_later(answer.delay, self.write, answer)
        else:
            self.write(answer)

    def write(self, answer: Answer) -> None:
        if self.transport is None or self.transport.is_closing():
            return
        if answer.drop:
            self.break_off()
        else:
            self.transport.write(answer.encode())


class Listener:
    """Answers every request on a port by `respond`, while it is open; port 0 takes a free one."""

    def __init__(self, respond: Respond, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.respond = respond
        self.host = host
        self.port = port
        self.connections: set[Connection] = set()
        self.server: asyncio.Server | None = None

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self.server = await loop.create_server(
            lambda: Connection(self.respond, self.connections), self.host, self.port, backlog=1024
        )
        self.port = self.server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """From now on connections are refused, and those that there are broken off."""
        if self.server is not None:
            self.server.close()
            self.server = None
        for connection in list(self.connections):
            connection.break_off()
        while self.connections:
            await asyncio.sleep(0)
