"""The one HTTP client of a process, shared by every upstream and by all threads.

Why `httpx2`: the `openai` package speaks it, so a single client serves the language model and the four services.
Why a transport of our own: the pool that comes with the library looks through all of its connections for each request,
under one lock. With 100 requests in flight that costs a quarter more CPU, with 200 twice the time at the 95th
percentile (`benchmarks/clients.py` measures it; with `httpx`, its predecessor, it is six times the CPU).
"""

import logging
import ssl
from collections import defaultdict, deque
from functools import cache
from urllib.request import getproxies, proxy_bypass

import httpx2

# Servers close idle connections (uvicorn after five seconds). We let go first, so that no text is ever sent into a
# connection that is being closed: that would be an unknown outcome.
KEEP_ALIVE_SECONDS = 4.0

# At their usual levels they log every address, telephone numbers included, and at lower ones the texts themselves.
for talkative in ("httpx2", "httpcore2", "openai"):
    logging.getLogger(talkative).setLevel(logging.WARNING)

Origin = tuple[str, str, int | None]


class SpareConnections(httpx2.BaseTransport):
    """Hands every request a connection that nobody else is using, the most recently used one first.

    There is no limit but the number of threads, and hence no waiting for a free connection. `deque` makes taking and
    giving back safe between threads without a lock.
    """

    def __init__(self) -> None:
        self._spare: defaultdict[Origin, deque[httpx2.HTTPTransport]] = defaultdict(deque)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        spare = self._spare[(request.url.scheme, request.url.host, request.url.port)]
        try:
            connection = spare.pop()
        except IndexError:
            connection = self._connect(request.url)
        try:
            response = connection.handle_request(request)
            response.request = request
            response.read()  # to its end, so that the connection is free again
            return response
        finally:
            spare.append(connection)

    def _connect(self, url: httpx2.URL) -> httpx2.HTTPTransport:
        limits = httpx2.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=KEEP_ALIVE_SECONDS)
        proxy = None if proxy_bypass(url.host) else getproxies().get(url.scheme)
        return httpx2.HTTPTransport(verify=tls_context(), limits=limits, proxy=proxy)

    def close(self) -> None:
        for spare in self._spare.values():
            while spare:
                spare.pop().close()


@cache
def tls_context() -> ssl.SSLContext:
    """Reading the certificates costs tens of milliseconds: once per process, for all connections."""
    return httpx2.create_ssl_context()


def new_client() -> httpx2.Client:
    """A client for every upstream of this process; redirects are never followed, a send must not be repeated."""
    return httpx2.Client(transport=SpareConnections(), follow_redirects=False)
