"""What every client of an upstream shares: one call with its tries, health, and the tree of errors (`errors.py`).

`retry=True` says that doing it twice does no harm. Such a call is made at most three times in all, and when it fails
in the end it is `Unavailable`. `retry=False` says that it must not be done twice: it is made once, and what is not
known for sure is `OutcomeUnknown`.
"""

import logging
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from math import isnan
from typing import Any, ClassVar

import httpx2

from integrations.breaker import Breaker
from integrations.errors import CircuitOpen, OutcomeUnknown, Refused, Unavailable, UpstreamError

__all__ = ["CircuitOpen", "Health", "OutcomeUnknown", "Refused", "Unavailable", "Upstream", "UpstreamError"]

log = logging.getLogger(__name__)

TRIES = 3
# A thread does not sleep longer than this for a Retry-After (seconds): the caller comes back later instead.
PATIENCE_SECONDS = 5.0
# And the caller comes back after so long at the latest (seconds), whatever was asked for.
LONGEST_RETRY_AFTER = 3600.0
HEALTH_TIMEOUT_SECONDS = 2.0
# No id or label is longer; what is would not fit the columns, and a receipt must never be lost for that (characters).
LONGEST_LABEL = 100
LONG_NUMBER = re.compile(r"\+?\d[\d() -]{5,}\d")
# Raised before the first byte of the request was sent.
NEVER_SENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
    httpx2.LocalProtocolError,
)


_deadline: ContextVar[float] = ContextVar("deadline", default=float("inf"))


@contextmanager
def no_try_after(seconds: float) -> Iterator[None]:
    """In here, what may be repeated is not tried any more when so much time is over: it is Unavailable then.

    For whoever has claimed something for a while, or keeps somebody waiting.
    """
    token = _deadline.set(min(_deadline.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _deadline.reset(token)


@dataclass(frozen=True, kw_only=True)
class Health:
    """One upstream as the health report shows it. `simulated`: a stand-in answered, not the real service."""

    ok: bool
    latency_ms: int
    circuit: str
    error: str | None = None
    simulated: bool = False


@dataclass(frozen=True, kw_only=True)
class Upstream:
    """One upstream service. Time-outs and pauses in seconds."""

    name: ClassVar[str]
    health_path: ClassVar[str] = "/health"

    base_url: str
    http: httpx2.Client
    breaker: Breaker
    timeout: float
    connect_timeout: float = 3.0
    retry_pause: float = 0.5
    sleep: Callable[[float], None] = time.sleep

    def ask(
        self,
        method: str,
        path: str,
        *,
        retry: bool,
        request_id: str,
        params: Mapping[str, str | int] | None = None,
        json: Any = None,
        auth: tuple[str, str] | None = None,
    ) -> httpx2.Response:
        """The answer, whatever its status; with `retry`, never one that says "try again" (that is Unavailable then)."""

        def send() -> httpx2.Response:
            return self.http.request(
                method,
                self.url(path),
                params=params,
                json=json,
                headers={"X-Request-ID": request_id},
                timeout=httpx2.Timeout(self.timeout, connect=self.connect_timeout),
                auth=auth,
            )

        if not retry:
            return self.once(send)
        return self.at_most_three_times(send)[0]

    def url(self, path: str) -> str:
        """Every upstream answers a doubled slash with a 404."""
        return f"{self.base_url.rstrip('/')}/{path.lstrip('/')}"

    def once(self, send: Callable[[], httpx2.Response]) -> httpx2.Response:
        """One attempt of something that must not be done twice."""
        try:
            return self._attempt(send)
        except NEVER_SENT as error:
            raise Unavailable(self.name, f"cannot be reached ({type(error).__name__})") from error
        except httpx2.HTTPError as error:
            raise OutcomeUnknown(self.name, f"no answer ({type(error).__name__})") from error

    def at_most_three_times(self, send: Callable[[], httpx2.Response], *, made: int = 0) -> tuple[httpx2.Response, int]:
        """The first answer that is not "try again", and how many attempts it took in all. Raises Unavailable.

        `made`: attempts that were already made for the same purpose; they count.
        """
        for attempt in range(made + 1, TRIES + 1):
            if time.monotonic() > _deadline.get():
                raise Unavailable(self.name, "no time is left to ask it")
            try:
                response = self._attempt(send)
            except httpx2.HTTPError as error:
                trouble = self._no_answer(error)
            else:
                if not self.is_failure(response):
                    return response, attempt
                trouble = self.unavailable(response)
            pause = self._pause_before_next(attempt, trouble.retry_after)
            if pause is None:
                raise trouble
            log.info("%s; attempt %s of %s, again in %.1f s", trouble, attempt, TRIES, pause)
            self.sleep(pause)
        raise AssertionError("the last attempt either returns or raises")

    def _attempt(self, send: Callable[[], httpx2.Response]) -> httpx2.Response:
        """One attempt, counted once by the breaker."""
        attempt = self.breaker.admit()
        try:
            response = send()
        except httpx2.HTTPError:
            attempt.failed()
            raise
        if self.is_failure(response):
            attempt.failed()
        else:
            attempt.succeeded()
        return response

    def is_failure(self, response: httpx2.Response) -> bool:
        """Whether an answer tells of trouble of the upstream's own. What it says about our request is no failure."""
        return response.status_code in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS) or (
            response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
        )

    def _pause_before_next(self, attempt: int, retry_after: float | None) -> float | None:
        """Seconds until the next try, doubled each time, with jitter; None when there is no next try in this call."""
        if attempt == TRIES or (retry_after or 0.0) > PATIENCE_SECONDS:
            return None
        pause: float = self.retry_pause * 2 ** (attempt - 1) * random.uniform(0.5, 1.5)  # noqa: S311  no secret
        return max(pause, retry_after or 0.0)

    def _no_answer(self, error: httpx2.HTTPError) -> Unavailable:
        trouble = Unavailable(self.name, f"no answer ({type(error).__name__})")
        trouble.__cause__ = error
        return trouble

    def unavailable(self, response: httpx2.Response) -> Unavailable:
        status = response.status_code
        return Unavailable(self.name, f"answered {status}", status=status, retry_after=retry_after(response))

    def refused(self, response: httpx2.Response, why: str = "") -> Refused:
        """`why`: the upstream's own words, of which telephone numbers are taken out."""
        status = response.status_code
        words = LONG_NUMBER.sub("(number)", why)[:200]
        return Refused(self.name, f"answered {status}: {words}" if words else f"answered {status}", status=status)

    def document(self, response: httpx2.Response) -> dict[str, Any]:
        """The JSON object of an answer that was only read; anything else is trouble of the upstream's own."""
        document = json_object(response)
        if document is None:
            raise Unavailable(self.name, "its answer is no JSON object", status=response.status_code)
        return document

    def health(self) -> Health:
        """Asks the upstream, past the breaker: a health check neither opens nor closes a circuit. Never raises."""
        started = time.perf_counter()
        error, simulated = None, False
        try:
            response = self.http.get(
                self.url(self.health_path), timeout=HEALTH_TIMEOUT_SECONDS, headers=self.health_headers()
            )
            simulated = "x-simulator" in response.headers
            error = self.ailment(response)
        except httpx2.HTTPError as trouble:
            error = f"no answer ({type(trouble).__name__})"
        except httpx2.InvalidURL as trouble:
            error = f"its address is wrong: {trouble}"
        return Health(
            ok=error is None,
            latency_ms=round((time.perf_counter() - started) * 1000),
            circuit=self.breaker.look().state,
            error=error,
            simulated=simulated,
        )

    def health_headers(self) -> dict[str, str]:
        return {}

    def ailment(self, response: httpx2.Response) -> str | None:
        """What is wrong according to the answer to a health check, or None."""
        return None if response.is_success else f"answered {response.status_code}"


def json_object(response: httpx2.Response) -> dict[str, Any] | None:
    """The answer's JSON object, or None when it is something else."""
    try:
        document = response.json()
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def retry_after(response: httpx2.Response) -> float | None:
    """The Retry-After header in seconds (RFC 9110, 10.2.3: seconds or a date), or None."""
    value = response.headers.get("retry-after", "")
    seconds = _seconds(value)
    # Nobody is asked to come back next year, and "inf" and "nan" are floats, too.
    return min(max(0.0, seconds), LONGEST_RETRY_AFTER) if seconds is not None and not isnan(seconds) else None


def _seconds(value: str) -> float | None:
    try:
        return float(value)
    except ValueError:
        pass
    try:
        when = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds()


def text_of(value: object) -> str | None:
    """An id or a label as text; ids may be numbers or strings. Empty and null are None."""
    if value is None or isinstance(value, bool | dict | list):
        return None
    return str(value).strip()[:LONGEST_LABEL] or None
