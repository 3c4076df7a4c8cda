"""A stand-in of the SMS Agent, with its odd ways.

A conversation id must be a number (a UUID gets 422). Times are UTC without a zone, newest text first. It is not
idempotent. A 502 comes after three tries of its own: with `after_the_fact` the text has gone out. `POST /_inbound
{"from", "body"}` lets a tenant text; with `forward_to` the text is also handed to us, which the real one leaves to
somebody else.
"""

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from itertools import count
from secrets import token_hex
from typing import Any, ClassVar

from integrations.simulators.server import Answer, Request
from integrations.simulators.service import Service, Switches, missing, not_found

PHONE = re.compile(r"\+[1-9]\d{7,14}")
OUR_NUMBER = "+14155550000"


@dataclass
class SmsAgentSwitches(Switches):
    """`forward_to`: the address (`.../orchestrate/sms-received`) that inbound texts are posted to, with its token."""

    forward_to: str = ""
    forward_token: str = ""


class SmsAgentSimulator(Service):
    name: ClassVar[str] = "sms_agent"
    switches_type = SmsAgentSwitches
    switches: SmsAgentSwitches

    def __init__(self, tenant_ids: dict[str, str]) -> None:
        super().__init__()
        self.tenant_ids = tenant_ids
        self.threads: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        self.numbers = count(1)
        # No id comes twice, also not after a new start: callers keep them as keys.
        self.run = token_hex(12)
        self.conversation_ids: dict[str, int] = {}

    def answer(self, request: Request) -> Answer:
        if request.method == "POST" and request.path == "/sms/send":
            return self.send(request.json)
        if request.method == "GET" and request.path.startswith("/conversations/"):
            return self.conversation(request.path.removeprefix("/conversations/"), request.query)
        return not_found()

    def send(self, message: Any) -> Answer:
        if not isinstance(message, dict) or "to" not in message or "body" not in message:
            return missing("to", "body")
        conversation_id = message.get("conversation_id")
        if conversation_id is not None and not str(conversation_id).isdigit():
            return missing("conversation_id", kind="int_parsing")
        phone, body = str(message["to"]), str(message["body"])
        if not body.strip():
            return Answer(status=400, document={"detail": "Message body cannot be empty"})
        if not PHONE.fullmatch(phone):
            return Answer(status=400, document={"detail": "Invalid phone number"})
        text = self.note(phone, body, "outbound")
        self.sent.append({"to": phone, "body": body, "twilio_sid": text["twilio_sid"], "at": text["created_at"]})
        receipt = {
            "id": text["id"],
            "twilio_sid": text["twilio_sid"],
            "conversation_id": int(conversation_id or self.conversation_ids[phone]),
        }
        return Answer(status=202, document=receipt)

    def note(self, phone: str, body: str, direction: str) -> dict[str, Any]:
        """Adds a text to a conversation."""
        number = next(self.numbers)
        self.conversation_ids.setdefault(phone, len(self.conversation_ids) + 1)
        inbound = direction == "inbound"
        text = {
            "id": str(number),
            "direction": direction,
            "from_number": phone if inbound else OUR_NUMBER,
            "to_number": OUR_NUMBER if inbound else phone,
            "message_content": body,
            "content": body,
            "twilio_sid": f"SM{self.run}{number:08x}",
            "delivery_status": "received" if inbound else "sent",
            "created_at": datetime.now(UTC).replace(tzinfo=None).isoformat(),
        }
        self.threads[phone].append(text)
        return text

    def conversation(self, phone: str, query: dict[str, str]) -> Answer:
        texts = self.threads.get(phone)
        if not texts:
            return Answer(status=404, document={"detail": "Conversation not found"})
        limit = min(int(query.get("limit", 20)), 100)
        newest_first = texts[: -limit - 1 : -1]
        if self.switches.older_shape:
            older = [
                {"direction": text["direction"], "content": text["content"], "timestamp": text["created_at"] + "Z"}
                for text in newest_first
            ]
            return Answer(
                document={"success": True, "conversation_id": self.conversation_ids[phone], "messages": older}
            )
        return Answer(
            document={
                "phone_number_canonical": phone,
                "phone_number_original": phone,
                "tenant_id": self.tenant_ids.get(phone),
                "workflow_type": "collections",
                "last_message_at": texts[-1]["created_at"],
                "messages": newest_first,
                "page": 1,
                "limit": limit,
                "offset": 0,
                "total": len(texts),
            }
        )

    def failure(self, status: int) -> Answer:
        """As it words what its provider answered."""
        transient = status >= HTTPStatus.INTERNAL_SERVER_ERROR
        details = {"category": "transient" if transient else "permanent", "status_code": 503 if transient else status}
        error = {"code": "sms.external_failed", "message": "Failed to send", "details": details}
        return Answer(status=status, document={"error": error, "request_id": "simulated"})

    def control(self, request: Request) -> Answer:
        if request.path != "/_inbound":
            return super().control(request)
        if request.method != "POST" or not isinstance(request.json, dict) or not {"from", "body"} <= set(request.json):
            return missing("from", "body")
        phone, body = str(request.json["from"]), str(request.json["body"])
        text = self.note(phone, body, "inbound")
        if self.switches.forward_to:
            handed = {
                "tenant_id": self.tenant_ids.get(phone),
                "phone_number": phone,
                "content": body,
                "conversation_id": self.conversation_ids[phone],
                "message_sid": text["twilio_sid"],
            }
            self.tell(self.switches.forward_to, handed, self.switches.forward_token)
        return Answer(status=201, document=text)

    def reset(self) -> None:
        super().reset()
        self.threads.clear()
