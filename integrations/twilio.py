"""Twilio: what became of a call, and whether a callback really is Twilio's.

Source: Twilio's "Call resource" (2010-04-01) and "Validating requests". The `twilio` package is left out: it brings
three further packages for two reads and one HMAC.
"""

import base64
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Any, ClassVar
from urllib.parse import urlsplit

from integrations.base import Unavailable, Upstream, text_of


class CallState(StrEnum):
    """Twilio's call statuses, in the order in which they happen; the last five are final."""

    QUEUED = "queued"
    INITIATED = "initiated"
    RINGING = "ringing"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    BUSY = "busy"
    FAILED = "failed"
    NO_ANSWER = "no-answer"
    CANCELED = "canceled"


FINAL_STATES = frozenset(
    {CallState.COMPLETED, CallState.BUSY, CallState.FAILED, CallState.NO_ANSWER, CallState.CANCELED}
)


class AnsweredBy(StrEnum):
    """Twilio's answering machine detection. A voicemail, too, ends as `completed`."""

    HUMAN = "human"
    MACHINE = "machine"
    MACHINE_START = "machine_start"
    MACHINE_END_BEEP = "machine_end_beep"
    MACHINE_END_SILENCE = "machine_end_silence"
    MACHINE_END_OTHER = "machine_end_other"
    FAX = "fax"
    UNKNOWN = "unknown"


MACHINES = frozenset(who for who in AnsweredBy if who.startswith("machine"))


@dataclass(frozen=True, kw_only=True)
class CallStatus:
    """A call as it stands. `duration` in seconds, None until it has ended."""

    call_sid: str
    state: CallState
    answered_by: AnsweredBy | None
    duration: int | None
    to: str
    created_at: datetime | None

    @property
    def is_final(self) -> bool:
        return self.state in FINAL_STATES

    @classmethod
    def from_json(cls, call: Mapping[str, Any]) -> "CallStatus":
        """Raises KeyError or ValueError when it is no call."""
        duration = text_of(call.get("duration"))
        created_at = text_of(call.get("date_created"))
        return cls(
            call_sid=str(call["sid"]),
            state=CallState(call["status"]),
            answered_by=answered_by(text_of(call.get("answered_by"))),
            duration=int(duration) if duration else None,
            to=str(call.get("to", "")),
            created_at=parsedate_to_datetime(created_at).astimezone(UTC) if created_at else None,
        )


@dataclass(frozen=True, kw_only=True)
class Twilio(Upstream):
    """Reads only, so every call may be repeated."""

    name: ClassVar[str] = "twilio"

    account_sid: str
    auth_token: str

    def call(self, call_sid: str, *, request_id: str) -> CallStatus | None:
        """The call with this id, None when Twilio knows none. Raises Unavailable, Refused."""
        document = self._read(f"Calls/{call_sid}.json", {}, request_id)
        return None if document is None else self._calls([document])[0]

    def calls_to(self, phone: str, *, since: datetime, request_id: str) -> tuple[CallStatus, ...]:
        """The latest calls to a number since then, newest first (of at most 50). Raises Unavailable, Refused.

        Twilio filters by the start of a call only, which a call in the queue does not have yet: filtered here by
        creation.
        """
        document = self._read("Calls.json", {"To": phone, "PageSize": 50}, request_id) or {}
        calls = self._calls(document.get("calls") or [])
        return tuple(call for call in calls if call.created_at is not None and call.created_at >= since)

    def _read(self, path: str, params: Mapping[str, str | int], request_id: str) -> dict[str, Any] | None:
        response = self.ask(
            "GET",
            f"/2010-04-01/Accounts/{self.account_sid}/{path}",
            params=params,
            retry=True,
            request_id=request_id,
            auth=(self.account_sid, self.auth_token),
        )
        if response.status_code == HTTPStatus.NOT_FOUND:
            return None
        if not response.is_success:
            raise self.refused(response)
        return self.document(response)

    def _calls(self, documents: Sequence[Mapping[str, Any]]) -> list[CallStatus]:
        try:
            return [CallStatus.from_json(call) for call in documents]
        except (KeyError, ValueError) as error:
            raise Unavailable(self.name, f"its answer is no call ({error})") from None


def answered_by(word: str | None) -> AnsweredBy | None:
    """Twilio's word for who answered; a word it may add one day is `unknown`."""
    if word is None:
        return None
    try:
        return AnsweredBy(word)
    except ValueError:
        return AnsweredBy.UNKNOWN


def is_signed_by_twilio(*, url: str, fields: Mapping[str, str], signature: str, auth_token: str) -> bool:
    """Whether the X-Twilio-Signature of a form-encoded callback is right.

    `url` is the public address that Twilio called, with its query. The signature is the base64 of HMAC-SHA1, keyed
    with the auth token, over the address followed by each field's name and value, sorted by name. Twilio's own
    validator tries the address with and without its standard port, and so do we.
    """
    text = "".join(name + fields[name] for name in sorted(fields))
    return any(
        hmac.compare_digest(_sign(address + text, auth_token), signature.encode())
        for address in (url, _other_spelling(url))
    )


def _sign(text: str, auth_token: str) -> bytes:
    return base64.b64encode(hmac.digest(auth_token.encode(), text.encode(), "sha1"))


def _other_spelling(url: str) -> str:
    """The same address with its standard port written out, or without it."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    standard = {"https": 443, "http": 80}.get(parts.scheme)
    if parts.port is None:
        return parts._replace(netloc=f"{host}:{standard}").geturl()
    return parts._replace(netloc=host).geturl()
