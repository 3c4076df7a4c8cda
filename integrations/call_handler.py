"""The call handler: rings a telephone and lets an assistant speak.

Source: the recorded answers of the running service (port 5002). `GET /order` places the call; a newer version takes
`POST /order`. Every error of its provider comes as 500 with the provider's own status inside a sentence. It reports
nothing after the call has been placed.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import ClassVar

import httpx2

from integrations.base import OutcomeUnknown, Refused, Unavailable, Upstream, json_object, text_of

# Instructions become TwiML of at most about 4,000 characters, with a preamble of the call handler's own.
MAX_INSTRUCTIONS = 1500
PROVIDER_STATUS = re.compile(r"HTTP (\d{3})\b")
# The provider surely rang nobody.
NOT_PLACED = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


class Api(StrEnum):
    """Which version of `/order` the service speaks."""

    GET = "get"
    POST = "post"


class InstructionsTooLong(Refused, ValueError):
    """More than MAX_INSTRUCTIONS characters: the call handler would break on them."""


@dataclass(frozen=True, kw_only=True)
class CallReceipt:
    """The provider's id of the call."""

    call_sid: str


@dataclass(frozen=True, kw_only=True)
class CallHandler(Upstream):
    """A call is ordered once: whether to order again is for the caller to decide, who can look for the call first."""

    name: ClassVar[str] = "call_handler"
    health_path: ClassVar[str] = "/"

    api: Api = Api.GET

    def order(self, *, phone: str, instructions: str, request_id: str) -> CallReceipt:
        """Rings a number in E.164. Raises Refused, Unavailable, OutcomeUnknown (it may be ringing).

        `status` of the error is the provider's own status wherever the call handler tells it.
        """
        if len(instructions) > MAX_INSTRUCTIONS:
            raise InstructionsTooLong(self.name, f"the instructions are longer than {MAX_INSTRUCTIONS} characters")
        response = self._place(phone, instructions, request_id)
        if response.is_success:
            return self._receipt(response)
        raise self._failure(response)

    def _place(self, phone: str, instructions: str, request_id: str) -> httpx2.Response:
        # Never repeated here: a second order rings a second time.
        if self.api == Api.POST:
            order = {"target_phone_number": phone, "task_instruction": instructions, "call_context": {}}
            return self.ask("POST", "/order", json=order, retry=False, request_id=request_id)
        query = {"instructions": instructions, "phone_number": phone}
        return self.ask("GET", "/order", params=query, retry=False, request_id=request_id)

    def _receipt(self, response: httpx2.Response) -> CallReceipt:
        call_sid = text_of((json_object(response) or {}).get("call_sid"))
        if call_sid is None:
            raise OutcomeUnknown(self.name, "took the order but named no call", status=response.status_code)
        return CallReceipt(call_sid=call_sid)

    def _failure(self, response: httpx2.Response) -> Exception:
        inner = provider_status(response)
        status = inner or response.status_code
        told = f"the provider answered {inner}" if inner else f"answered {status}"
        if status in NOT_PLACED:
            return Unavailable(self.name, told, status=status, retry_after=self.unavailable(response).retry_after)
        if status < HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.REQUEST_TIMEOUT:
            return Refused(self.name, told, status=status)
        return OutcomeUnknown(self.name, f"{told}, the telephone may be ringing", status=status)

    def is_failure(self, response: httpx2.Response) -> bool:
        """A number that the provider does not like is no trouble of the call handler's, though it comes as a 500."""
        inner = provider_status(response)
        if inner is not None and inner < HTTPStatus.INTERNAL_SERVER_ERROR and inner != HTTPStatus.TOO_MANY_REQUESTS:
            return False
        return super().is_failure(response)

    def ailment(self, response: httpx2.Response) -> str | None:
        return None if response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR else super().ailment(response)


def provider_status(response: httpx2.Response) -> int | None:
    """The provider's status inside "Failed to initiate call via Twilio: HTTP 400 error: ...", or None."""
    if response.status_code != HTTPStatus.INTERNAL_SERVER_ERROR:
        return None
    found = PROVIDER_STATUS.search(str((json_object(response) or {}).get("detail", "")))
    return int(found[1]) if found else None
