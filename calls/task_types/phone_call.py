"""A telephone call: the call handler rings a number and lets an assistant speak."""

from datetime import timedelta

from calls.policy.intents import Intent, Words, asks_for_a_call
from calls.policy.outcomes import Outcome, Report
from calls.task_types.base import (
    Order,
    Parameters,
    Receipt,
    Said,
    Slot,
    TaskType,
    contact_named,
    in_language,
    whom,
)
from integrations import clients
from integrations.errors import Unavailable
from integrations.twilio import Twilio

# Twilio's clock and ours may differ by so much.
CLOCK_SKEW = timedelta(minutes=1)


class PhoneCall(TaskType):
    """Who is called is optional; a number and something to say are not."""

    code = "phone_call"
    ability = {"en": "make telephone calls for you", "he": "לבצע בשבילכם שיחות טלפון"}
    phone_slot = "phone_number"
    takes_a_line = True
    reports_later = True
    slots = (
        Slot(
            name="phone_number",
            ask={
                "en": "Which number shall I call? Please include the area code.",
                "he": "לאיזה מספר להתקשר? נא לציין גם קידומת.",
            },
        ),
        Slot(
            name="instructions",
            ask={"en": "What shall I say or ask on the call?", "he": "מה לומר או לשאול בשיחה?"},
        ),
    )
    SUMMARY = {
        "en": "I will call {whom}. The task: “{instructions}”.",
        "he": "אתקשר אל {whom}. המשימה: „{instructions}”.",
    }
    BRIEF = {"en": "the call to {whom}", "he": "השיחה אל {whom}"}
    TOLD = {
        Outcome.ANSWERED: {"en": "Done: I spoke with {whom}.", "he": "בוצע: דיברתי עם {whom}."},
        Outcome.VOICEMAIL: {
            "en": "{whom} did not answer in person; a voicemail picked up.",
            "he": "לא ענה אדם אצל {whom}; ענה תא קולי.",
        },
        Outcome.BUSY: {"en": "The line was busy: {whom}.", "he": "הקו היה תפוס: {whom}."},
        Outcome.NO_ANSWER: {"en": "Nobody answered: {whom}.", "he": "אין תשובה: {whom}."},
        Outcome.FAILED: {
            "en": "The call to {whom} failed; nobody was reached.",
            "he": "השיחה אל {whom} נכשלה; לא הושג איש.",
        },
        Outcome.REFUSED: {
            "en": "The call to {whom} could not be placed: the telephone service does not accept it.",
            "he": "לא ניתן היה להתקשר אל {whom}: שירות הטלפון אינו מקבל את השיחה.",
        },
    }
    LASTED = {"en": "It lasted {minutes}:{seconds:02} minutes.", "he": "משך השיחה {minutes}:{seconds:02} דקות."}

    def wants(self, said: Said) -> bool:
        if said.about not in ("", self.code) and not asks_for_a_call(Words.of(said.text)):
            return False  # a number is given for something else
        return said.request.intent is Intent.PLACE_CALL

    def read(self, said: Said) -> Parameters:
        if said.asked == "instructions" and not said.phone.candidates:
            # Whatever is said now is to be said there: "tell her to call Dana" calls nobody but her.
            return {"instructions": said.text}
        found: Parameters = {"phone_number": said.phone.e164} if said.phone.e164 else {}
        if self.wants(said):
            found |= {"who": said.request.who} if said.request.who else {}
            found |= {"instructions": said.request.instructions} if said.request.says_what else {}
        elif said.asked == "instructions":
            found["instructions"] = said.request.instructions
        if not said.phone.candidates:
            found |= contact_named(found.get("who") or (said.text if said.asked == "phone_number" else ""), said.known)
        return found

    def describe(self, parameters: Parameters, language: str, region: str) -> str:
        text = in_language(self.SUMMARY, language)
        return text.format(whom=whom(parameters, language, region), instructions=parameters["instructions"])

    def brief(self, parameters: Parameters, language: str, region: str) -> str:
        return in_language(self.BRIEF, language).format(whom=whom(parameters, language, region))

    def execute(self, order: Order) -> Receipt:
        receipt = clients.call_handler().order(
            phone=order.parameters["phone_number"],
            instructions=order.parameters["instructions"],
            request_id=order.request_id,
        )
        return Receipt(reference=receipt.call_sid, status="queued")

    def can_ask(self) -> bool:
        return clients.twilio() is not None

    def look(self, order: Order) -> Receipt | None:
        since = order.tried_at - CLOCK_SKEW
        calls = _twilio().calls_to(order.parameters["phone_number"], since=since, request_id=order.request_id)
        ours = [call for call in calls if call.call_sid not in order.known_references]
        return Receipt(reference=ours[-1].call_sid, status=ours[-1].state) if ours else None

    def poll(self, reference: str, request_id: str) -> Report | None:
        call = _twilio().call(reference, request_id=request_id)
        if call is None:
            return None
        return Report(
            reference=reference, status=call.state, answered_by=call.answered_by or "", duration=call.duration
        )

    def tell(self, outcome: Outcome, report: Report | None, parameters: Parameters, language: str, region: str) -> str:
        told = [in_language(self.TOLD[outcome], language).format(whom=whom(parameters, language, region))]
        if report and report.summary and outcome in (Outcome.ANSWERED, Outcome.VOICEMAIL):
            told.append(report.summary if report.summary[-1] in ".!?…" else f"{report.summary}.")
        if report and report.duration and outcome is Outcome.ANSWERED:
            minutes, seconds = divmod(report.duration, 60)
            told.append(in_language(self.LASTED, language).format(minutes=minutes, seconds=seconds))
        return " ".join(told)


def _twilio() -> Twilio:
    twilio = clients.twilio()
    if twilio is None:
        raise Unavailable("twilio", "no credentials")
    return twilio
