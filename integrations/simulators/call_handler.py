"""A stand-in of the call handler, and of the one corner of Twilio that knows what became of a call.

Every error of its provider comes as 500 with the provider's status in a sentence (`fail_status`). With `report_to` it
posts the outcome of each call to us afterwards, which the real one does not. TWILIO_API_URL can point here.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from itertools import count
from typing import Any, ClassVar

from integrations.simulators.server import Answer, Request
from integrations.simulators.service import Service, Switches, missing, not_found

PHONE = re.compile(r"\+?[1-9]\d{6,14}|0\d{8,9}")
TWILIO = re.compile(r"/2010-04-01/Accounts/[^/]+/Calls(?:/(?P<sid>[^/]+))?\.json")


@dataclass
class CallHandlerSwitches(Switches):
    """What becomes of the calls: `outcome` (a call status of Twilio's), who answers, for how many seconds, what was
    said.

    `report_to`: the address (`.../calls/results`) that outcomes are posted to, with its token, `report_after_ms` later.
    """

    report_to: str = ""
    report_token: str = ""
    report_after_ms: float = 2000.0
    outcome: str = "completed"
    answered_by: str = "human"
    duration: int = 42
    summary: str = "The order was taken and will be ready in 20 minutes."


class CallHandlerSimulator(Service):
    name: ClassVar[str] = "call_handler"
    switches_type = CallHandlerSwitches
    switches: CallHandlerSwitches

    def __init__(self) -> None:
        super().__init__()
        self.numbers = count(1)

    def answer(self, request: Request) -> Answer:
        if request.path == "/order":
            return self.order(request)
        if twilio := TWILIO.fullmatch(request.path):
            return self.calls(twilio["sid"], request.query.get("To"))
        return not_found()

    def order(self, request: Request) -> Answer:
        post = request.method == "POST"
        given = (request.json if isinstance(request.json, dict) else {}) if post else request.query
        names = ("target_phone_number", "task_instruction") if post else ("phone_number", "instructions")
        absent = [name for name in names if name not in given]
        if absent:
            return missing(*absent, where="body" if post else "query")
        phone, instructions = str(given[names[0]]), str(given[names[1]])
        if not instructions.strip():
            return Answer(status=400, document={"detail": "Instructions cannot be empty"})
        if not PHONE.fullmatch(phone) or (post and not phone.startswith("+")):
            return Answer(status=400, document={"detail": "Invalid phone number format"})
        return Answer(document={"status": "Call initiated", "call_sid": self.place(phone, instructions)})

    def place(self, phone: str, instructions: str) -> str:
        switches = self.switches
        call_sid = f"CA{next(self.numbers):032x}"
        created = datetime.now(UTC)
        self.sent.append({"call_sid": call_sid, "to": phone, "instructions": instructions, "at": created.isoformat()})
        if switches.report_to:
            self.tell(switches.report_to, self.result(call_sid), switches.report_token, switches.report_after_ms)
        return call_sid

    def result(self, call_sid: str) -> dict[str, Any]:
        switches = self.switches
        completed = switches.outcome == "completed"
        return {
            "call_sid": call_sid,
            "status": switches.outcome,
            "duration": switches.duration if completed else 0,
            "answered_by": switches.answered_by if completed else None,
            "summary": switches.summary if completed else "",
        }

    def calls(self, call_sid: str | None, to: str | None) -> Answer:
        found = [self.as_twilio(call) for call in reversed(self.sent) if to in (None, call["to"])]
        if call_sid is None:
            return Answer(document={"calls": found})
        one = [call for call in found if call["sid"] == call_sid]
        return Answer(document=one[0]) if one else Answer(status=404, document={"code": 20404, "status": 404})

    def as_twilio(self, call: dict[str, Any]) -> dict[str, Any]:
        result = self.result(call["call_sid"])
        return {
            "sid": call["call_sid"],
            "to": call["to"],
            "status": result["status"],
            "answered_by": result["answered_by"],
            "duration": str(result["duration"]),
            "date_created": format_datetime(datetime.fromisoformat(call["at"])),
        }

    def failure(self, status: int) -> Answer:
        """`status` is the provider's; the call handler makes a 500 of all of them."""
        sentence = f"Failed to initiate call via Twilio: HTTP {status} error: Unable to create record"
        return Answer(status=500, document={"detail": sentence})
