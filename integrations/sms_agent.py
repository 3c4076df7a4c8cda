"""The SMS Agent: sends a text, and knows what was texted before.

Source: the recorded answers of the running service (port 8002). Its document calls `conversation_id` a UUID; the
service wants an integer and answers a UUID with 422. It is not idempotent, and it does not forward inbound texts by
itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Any, ClassVar
from urllib.parse import quote

import httpx2

from integrations.base import OutcomeUnknown, Upstream, json_object, text_of


class Direction(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """Proof that the agent took a text. At least one of the first two is there."""

    provider_id: str | None
    message_id: str | None
    conversation_id: str | None


@dataclass(frozen=True, kw_only=True)
class HistoryItem:
    """One text of a conversation; `at` is in UTC. `delivery_status` is the provider's word; failed ones are in it."""

    direction: Direction
    body: str
    at: datetime
    provider_id: str | None
    delivery_status: str | None


@dataclass(frozen=True, kw_only=True)
class History:
    """A conversation, oldest text first. The text being answered may already be in it."""

    tenant_id: str | None
    items: tuple[HistoryItem, ...]


class SmsAgent(Upstream):
    """A text is sent once and never repeated; looking at a conversation may be."""

    name: ClassVar[str] = "sms_agent"

    def send(self, *, to: str, body: str, conversation_id: str | None, request_id: str) -> Receipt:
        """Sends one text to a number in E.164. `conversation_id` is the agent's own, if we know it.

        Raises Refused (it will never go out), Unavailable (it surely did not), OutcomeUnknown (it may have, even
        several times: after a 502 the agent has tried three times itself).
        """
        message: dict[str, str | int] = {"to": to, "body": body}
        if conversation_id is not None and conversation_id.isascii() and conversation_id.isdigit():
            message["conversation_id"] = int(conversation_id)
        # Never repeated: the agent is not idempotent, and a tenant who gets a text twice has been told twice to pay.
        response = self.ask("POST", "/sms/send", json=message, retry=False, request_id=request_id)
        if response.is_success:
            return self._receipt(response)
        raise self._failure(response)

    def _receipt(self, response: httpx2.Response) -> Receipt:
        document = json_object(response) or {}
        receipt = Receipt(
            provider_id=text_of(document.get("twilio_sid")),
            message_id=text_of(document.get("id")),
            conversation_id=text_of(document.get("conversation_id")),
        )
        if receipt.provider_id is None and receipt.message_id is None:
            raise OutcomeUnknown(self.name, "took the text but gave no receipt", status=response.status_code)
        return receipt

    def _failure(self, response: httpx2.Response) -> Exception:
        status = response.status_code
        why, category = _explanation(json_object(response) or {})
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            return self.unavailable(response)
        if (
            status < HTTPStatus.INTERNAL_SERVER_ERROR
            and status != HTTPStatus.REQUEST_TIMEOUT
            and category != "transient"
        ):
            return self.refused(response, why)
        return OutcomeUnknown(self.name, f"answered {status}, the text may have gone out", status=status)

    def history(self, phone: str, *, request_id: str, limit: int = 20) -> History | None:
        """The last `limit` texts (at most 100) with a number, None when there is no conversation yet.

        Raises Unavailable, Refused.
        """
        path = f"/conversations/{quote(phone, safe='')}"
        params = {"limit": max(1, min(limit, 100)), "page": 1}
        response = self.ask("GET", path, params=params, retry=True, request_id=request_id)  # reads only
        if response.status_code == HTTPStatus.NOT_FOUND:
            return None
        if not response.is_success:
            raise self.refused(response)
        document = self.document(response)
        texts = document.get("messages")
        items = [_item(text) for text in texts if isinstance(text, dict)] if isinstance(texts, list) else []
        # They come newest first; turned round before sorting, texts of the same second keep their order.
        known = [item for item in reversed(items) if item is not None]
        return History(
            tenant_id=text_of(document.get("tenant_id")), items=tuple(sorted(known, key=lambda item: item.at))
        )


def _explanation(document: Mapping[str, Any]) -> tuple[str, str | None]:
    """(what the agent says is wrong, "permanent" or "transient" or None), from either of its two error shapes."""
    error = document.get("error")
    if not isinstance(error, dict):
        detail = document.get("detail")
        return (detail if isinstance(detail, str) else ""), None
    details = error.get("details")
    if not isinstance(details, dict):
        details = {}
    inner = text_of(details.get("status_code"))
    code = text_of(error.get("code")) or "error"
    return (f"{code}, the provider answered {inner}" if inner else code), text_of(details.get("category"))


def _item(text: Mapping[str, Any]) -> HistoryItem | None:
    """One message of a conversation; None when it carries no time, for then it has no place in it."""
    try:
        at = datetime.fromisoformat(str(text.get("created_at") or text.get("timestamp")))
    except ValueError:
        return None
    outbound = str(text.get("direction", "")).lower().startswith("out")
    return HistoryItem(
        direction=Direction.OUTBOUND if outbound else Direction.INBOUND,
        body=str(text.get("message_content") or text.get("content") or ""),
        at=at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC),  # recorded as UTC without a zone
        provider_id=text_of(text.get("twilio_sid")),
        delivery_status=text_of(text.get("delivery_status")),
    )
