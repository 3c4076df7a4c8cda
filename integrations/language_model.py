"""The language model: OpenAI, or any gateway that speaks its chat completions.

Source: the API reference of chat completions. Through the `openai` package, by its documented way to call an endpoint
and get the bare response (`client.post(..., cast_to=httpx2.Response)`): the typed `create` costs nearly twice as much
and gives nothing that we use (`benchmarks/clients.py`). Its own retries are switched off: three tries are three tries.
"""

import json
import logging
import math
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from typing import Any, ClassVar

import httpx2
import openai

from integrations.base import TRIES, Unavailable, Upstream, json_object

# About our key, our model or our purse, and not about this request: it may well work later.
OUR_ACCOUNT = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.PAYMENT_REQUIRED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
)
# Without the first the answer is plain text; the second has a new name in newer models; the third is a wish.
DISPENSABLE = ("response_format", "max_tokens", "temperature")

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Schema:
    """A JSON schema for the answer (strict: every property required, no others), and its name."""

    name: str
    schema: Mapping[str, Any]

    def response_format(self) -> dict[str, Any]:
        return {"type": "json_schema", "json_schema": {"name": self.name, "strict": True, "schema": dict(self.schema)}}


@dataclass(frozen=True, kw_only=True)
class Completion:
    """What the model answered, uninterpreted.

    `text` is JSON by the schema, or plain text from a gateway that knows no schemas; empty when the model said nothing.
    `refusal` is the model's own words when it declines. `finish_reason` "length" means that the text is cut off.
    `attempts` counts the tries that it took.
    """

    text: str
    refusal: str | None
    finish_reason: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    attempts: int


@dataclass(frozen=True, kw_only=True)
class LanguageModel(Upstream):
    """Drafting a text twice does no harm, so every call may be repeated."""

    name: ClassVar[str] = "openai"
    health_path: ClassVar[str] = "/models"

    api_key: str
    model: str
    # Parameters that this model or gateway has refused; finding out again would cost a call each time.
    _refused: set[str] = field(default_factory=set, init=False, repr=False, compare=False)

    def complete(
        self,
        messages: Sequence[Mapping[str, str]],
        *,
        schema: Schema | None,
        max_tokens: int,
        temperature: float,
        request_id: str,
        patience: float = math.inf,
    ) -> Completion:
        """The model's answer to a conversation: `role` (system, user, assistant) and `content`, oldest first.

        `patience`: seconds for a try, where that is less than usual. Raises Refused, Unavailable.
        """
        if not self.api_key:
            raise Unavailable(self.name, "no OPENAI_API_KEY")
        body: dict[str, Any] = {
            "model": self.model,
            "messages": list(messages),
            "max_tokens": max_tokens,
            "temperature": temperature,
        }
        if schema is not None:
            body["response_format"] = schema.response_format()
        response, attempts = self._ask(body, request_id, min(self.timeout, patience))
        if response.status_code in OUR_ACCOUNT:
            raise self.unavailable(response)
        if not response.is_success:
            raise self.refused(response)
        return self._completion(response, attempts)

    def _ask(self, body: Mapping[str, Any], request_id: str, timeout: float) -> tuple[httpx2.Response, int]:
        """Asks, and asks again without a parameter that is refused: newer models and older gateways take less."""
        without = set(self._refused)
        response, attempts = self._post(_without(without, body), request_id, timeout)
        while (name := _refused_parameter(response)) and name in body and name not in without:
            without.add(name)
            response, attempts = self._post(_without(without, body), request_id, timeout, made=min(attempts, TRIES - 1))
        if response.is_success and not without <= self._refused:
            # Only now it is known that the parameter was the trouble, and not these very words.
            log.warning("The model %s refuses %s: asked without from now on", self.model, ", ".join(sorted(without)))
            self._refused.update(without)
        return response, attempts

    def _post(
        self, body: dict[str, Any], request_id: str, timeout: float, *, made: int = 0
    ) -> tuple[httpx2.Response, int]:
        limits = httpx2.Timeout(timeout, connect=min(self.connect_timeout, timeout))

        def send() -> httpx2.Response:
            try:
                return self._client.post(
                    "/chat/completions",
                    body=body,
                    cast_to=httpx2.Response,
                    options={"headers": {"X-Request-ID": request_id}, "timeout": limits},
                )
            except openai.APIStatusError as error:
                return error.response
            except openai.APIConnectionError as error:
                # What the transport raised says whether it was a time-out; one kind of error for all upstreams.
                raise error.__cause__ if isinstance(error.__cause__, httpx2.HTTPError) else _no_answer(error) from error

        return self.at_most_three_times(send, made=made)

    @cached_property
    def _client(self) -> openai.OpenAI:
        return openai.OpenAI(
            api_key=self.api_key,
            base_url=self.base_url,
            http_client=self.http,
            max_retries=0,
        )

    def _completion(self, response: httpx2.Response, attempts: int) -> Completion:
        document = self.document(response)
        try:
            choice = document["choices"][0]
            message = choice["message"]
            return Completion(
                text=_text(message.get("content")),
                refusal=message.get("refusal") or None,
                finish_reason=str(choice.get("finish_reason") or ""),
                model=str(document.get("model") or self.model),
                prompt_tokens=_count(document, "prompt_tokens"),
                completion_tokens=_count(document, "completion_tokens"),
                attempts=attempts,
            )
        except (KeyError, IndexError, TypeError, AttributeError):
            raise Unavailable(self.name, "its answer holds no message", status=response.status_code) from None

    def health_headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}

    def ailment(self, response: httpx2.Response) -> str | None:
        return super().ailment(response) if self.api_key else "no OPENAI_API_KEY"


def _without(refused: Set[str], body: Mapping[str, Any]) -> dict[str, Any]:
    accepted = {name: value for name, value in body.items() if name not in refused}
    if "max_tokens" in refused:
        accepted["max_completion_tokens"] = body["max_tokens"]
    return accepted


def _refused_parameter(response: httpx2.Response) -> str | None:
    """The parameter that a 400 complains of, if it is one of those that we can do without."""
    if response.status_code not in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY):
        return None
    complaint = json.dumps(json_object(response) or {}).replace("json_schema", "response_format")
    return next((name for name in DISPENSABLE if name in complaint), None)


def _no_answer(error: openai.APIConnectionError) -> httpx2.HTTPError:
    return httpx2.ConnectError(str(error), request=error.request)


def _text(content: object) -> str:
    """Gateways give the content as a string, as null, or as a list of parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, Iterable):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return ""


def _count(document: Mapping[str, Any], key: str) -> int:
    usage = document.get("usage")
    return int(usage.get(key) or 0) if isinstance(usage, dict) else 0
