"""What a call to an upstream costs us: `python -m benchmarks.clients [threads] [calls]`.

    sharing    how 100 threads can share HTTP connections, on four upstreams that answer after 200 ms
    openai     the ways to call chat completions through the openai package, and the bare HTTP client beside them
    stand-ins  what the simulators cost themselves, for they run beside the system that is measured

CPU is that of the calling process (of the stand-ins' process for the last table); the upstream runs in another one.
"""

import asyncio
import json
import multiprocessing
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx2
import openai

from integrations.http import KEEP_ALIVE_SECONDS, SpareConnections, tls_context
from integrations.simulators import Simulators
from integrations.simulators.server import Answer, Listener

UPSTREAMS = 4
DELAY_SECONDS = 0.2
COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "x" * 200}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 5, "completion_tokens": 5, "total_tokens": 10},
}
QUESTION = {
    "model": "m",
    "messages": [{"role": "system", "content": "x" * 3000}, {"role": "user", "content": "x" * 100}],
    "response_format": {"type": "json_schema", "json_schema": {"name": "reply", "strict": True, "schema": {}}},
    "max_tokens": 300,
}
UNLIMITED = httpx2.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=KEEP_ALIVE_SECONDS)


def main() -> None:
    threads, calls = (int(argument) for argument in (sys.argv[1:] + ["100", "2000"][len(sys.argv) - 1 :])[:2])
    with upstreams() as urls:
        print(f"sharing: {calls} calls, {threads} threads, {UPSTREAMS} upstreams of {DELAY_SECONDS * 1000:.0f} ms")
        for name, call in ways_to_share(urls).items():
            measure(name, call, threads, calls)
        print(f"\nopenai: {calls // 2} calls, {threads} threads")
        for name, call in ways_to_ask(urls[0]).items():
            measure(name, call, threads, calls // 2)
    print("\nstand-ins: CPU per request")
    measure_stand_ins()


def measure(name: str, call: Callable[[int], object], threads: int, calls: int) -> None:
    times: list[float] = []

    def timed(number: int) -> None:
        started = time.perf_counter()
        call(number)
        times.append(time.perf_counter() - started)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(timed, range(threads * UPSTREAMS)))  # connections are made here
        times.clear()
        cpu, wall = time.process_time(), time.perf_counter()
        list(pool.map(timed, range(calls)))
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    times.sort()
    middle, late = (round(times[int(len(times) * share)] * 1000) for share in (0.5, 0.95))
    print(f"  {name:34} {cpu / calls * 1000:6.2f} ms CPU   p50 {middle:5} ms   p95 {late:5} ms   {wall:5.1f} s")


def ways_to_share(urls: list[str]) -> dict[str, Callable[[int], object]]:
    own = threading.local()

    def client_of_thread() -> httpx2.Client:
        if not hasattr(own, "client"):
            own.client = httpx2.Client(limits=UNLIMITED, verify=tls_context())
        client: httpx2.Client = own.client
        return client

    per_upstream = {url: httpx2.HTTPTransport(limits=UNLIMITED, verify=tls_context()) for url in urls}
    one_pool = httpx2.Client(limits=UNLIMITED, verify=tls_context())
    mounted = httpx2.Client(mounts=per_upstream)
    ours = httpx2.Client(transport=SpareConnections())

    def through(client: Callable[[], httpx2.Client]) -> Callable[[int], object]:
        return lambda number: client().post(f"{urls[number % len(urls)]}/x", json=QUESTION, timeout=20).json()

    return {
        "one client, its own pool": through(lambda: one_pool),
        "one client, a pool per upstream": through(lambda: mounted),
        "a client per thread": through(client_of_thread),
        "one client, spare connections": through(lambda: ours),
    }


def ways_to_ask(url: str) -> dict[str, Callable[[int], object]]:
    http = httpx2.Client(transport=SpareConnections())
    usual = openai.OpenAI(api_key="k", base_url=url, max_retries=0)
    ours = openai.OpenAI(api_key="k", base_url=url, max_retries=0, http_client=http)
    question: dict[str, Any] = QUESTION
    return {
        "create, as it comes": lambda _: usual.chat.completions.create(**question),
        "create, spare connections": lambda _: ours.chat.completions.create(**question),
        "raw create, spare connections": lambda _: ours.chat.completions.with_raw_response.create(**question),
        "post, spare connections (ours)": lambda _: ours.post(
            "/chat/completions", body=QUESTION, cast_to=httpx2.Response
        ).json(),
        "no package at all": lambda _: http.post(f"{url}/chat/completions", json=QUESTION, timeout=20).json(),
    }


def measure_stand_ins(requests: int = 4000) -> None:
    simulators = Simulators.with_tenants(60).services
    text = {"to": "+14155550100", "body": "I can pay $50 a week for 8 weeks, is that all right?"}
    prompt = (
        "TENANT CONTEXT:\n- Name: Maria Lopez\n- Amount Owed: $600 (tenant portion: $400)\n- Language: en\n"
        "Respond in English (en)\n" + "Be kind and brief. " * 150
    )
    messages = [{"role": "system", "content": prompt}, {"role": "user", "content": text["body"]}]
    question = {**QUESTION, "messages": messages}
    for service, target, document in (
        ("monitor", "GET /monitor/tenant/12345", None),
        ("sms_agent", "POST /sms/send", text),
        ("sms_agent", "GET /conversations/%2B14155550100?limit=20", None),
        ("language_model", "POST /v1/chat/completions", question),
    ):
        cpu = asyncio.run(cpu_of(Listener(simulators[service].respond), target, document, requests))
        print(f"  {target:50} {cpu:6.3f} ms")


async def cpu_of(listener: Listener, target: str, document: Any, requests: int) -> float:
    """Milliseconds of CPU a request, the bare sockets of 20 clients in the same process included."""
    await listener.open()
    body = b"" if document is None else json.dumps(document).encode()
    request = f"{target} HTTP/1.1\r\nhost: x\r\nx-request-id: r\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        for _ in range(requests // 20):
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.rpartition(b"content-length: ")[2]))
        writer.close()

    started = time.process_time()
    await asyncio.gather(*(client() for _ in range(20)))
    spent = time.process_time() - started
    await listener.close()
    return spent / requests * 1000


@contextmanager
def upstreams() -> Iterator[list[str]]:
    """Upstreams in a process of their own; their addresses."""
    context = multiprocessing.get_context("spawn")
    ports = context.Queue()
    process = context.Process(target=serve, args=(ports,), daemon=True)
    process.start()
    try:
        yield [f"http://127.0.0.1:{ports.get(timeout=10)}" for _ in range(UPSTREAMS)]
    finally:
        process.terminate()
        process.join()


def serve(ports: Any) -> None:
    async def forever() -> None:
        for _ in range(UPSTREAMS):
            listener = Listener(lambda request: Answer(document=COMPLETION, delay=DELAY_SECONDS))
            await listener.open()
            ports.put(listener.port)
        await asyncio.Event().wait()

    asyncio.run(forever())


if __name__ == "__main__":
    main()
