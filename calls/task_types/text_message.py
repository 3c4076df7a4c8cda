"""A text message, through the SMS Agent: "text my landlord at 860-555-0110 that I'm late"."""

import re
from datetime import timedelta

from calls.policy.languages import phrases
from calls.policy.outcomes import Outcome, Report
from calls.policy.text import plain
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

CLOCK_SKEW = timedelta(minutes=2)
# Ten parts of an SMS; longer ones are for e-mail.
MOST_CHARACTERS = 1530
ASKS = re.compile(
    r"^(?:(?:hey|hi|please|pls|can you|could you|would you|i want to|i need to|you)\W+)*"
    r"(?:(?:send|write|shoot|drop) (?:an?|the)? ?(?:quick )?(?:text|sms|message|text message) ?(?:message )?(?:to )?"
    r"|text |sms )(?P<whom>.*)$",
    re.IGNORECASE | re.DOTALL,
)
ASKS_IN_HEBREW = re.compile(
    r"^(?:(?:היי|בבקשה|אפשר|תוכל|תוכלי)\W+)*"
    r"(?:ו?(?:תשלח|תשלחי|שלח|שלחי|לשלוח) (?:הודעת טקסט|הודעה|סמס|sms)|ו?תסמסי?|לסמס)"
    r"\s*(?:ל|אל )?-?(?P<whom>.*)$",
    re.DOTALL | re.IGNORECASE,
)
WORDS_BEGIN = re.compile(
    r"\s*(?:[:,]|(?<!\w)(?:that|saying|and say|and tell (?:him|her|them)|ש(?=\S)|ותגיד|לאמור))\s*", re.IGNORECASE
)


class TextMessage(TaskType):
    """Words to a telephone number. It is done as soon as the agent has taken it."""

    code = "text_message"
    ability = {"en": "send text messages", "he": "לשלוח הודעות טקסט"}
    phone_slot = "phone_number"
    slots = (
        Slot(
            name="phone_number",
            ask={"en": "To which number shall I send the text?", "he": "לאיזה מספר לשלוח את ההודעה?"},
        ),
        Slot(name="words", ask={"en": "What shall the text say?", "he": "מה לכתוב בהודעה?"}),
    )
    SUMMARY = {"en": "I will text {whom}: “{words}”.", "he": "אשלח הודעה אל {whom}: „{words}”."}
    BRIEF = {"en": "the text to {whom}", "he": "ההודעה אל {whom}"}
    TOLD = {
        Outcome.DONE: {"en": "The text to {whom} is sent.", "he": "ההודעה אל {whom} נשלחה."},
        Outcome.FAILED: {"en": "The text to {whom} could not be sent.", "he": "לא ניתן היה לשלוח את ההודעה אל {whom}."},
        Outcome.REFUSED: {"en": "The text to {whom} was not accepted.", "he": "ההודעה אל {whom} לא התקבלה."},
    }

    def wants(self, said: Said) -> bool:
        text = plain(said.text)
        return bool(ASKS.match(text) or ASKS_IN_HEBREW.match(text)) and bool(
            phrases("intent", "other_channel").search(text) or ASKS.match(text)
        )

    def read(self, said: Said) -> Parameters:
        found: Parameters = {}
        if said.phone.e164:
            found["phone_number"] = said.phone.e164
        if self.wants(said):
            found |= self._whom_and_words(said)
        elif said.asked == "words":
            found["words"] = said.text
        if "phone_number" not in found:
            name = found.get("who") or (said.text if said.asked == "phone_number" else "")
            found |= contact_named(name, said.known)
        return found

    def _whom_and_words(self, said: Said) -> Parameters:
        rest = said.text
        for one in reversed(said.phone.candidates):
            rest = f"{rest[: one.start].rstrip(' (-')} : {rest[one.end :].lstrip(' )')}"
        match = ASKS.match(rest) or ASKS_IN_HEBREW.match(rest)
        if match is None:
            return {}
        who, *words = WORDS_BEGIN.split(match["whom"], maxsplit=1)
        who = re.sub(r"\s+(?:at|on|to|ב|ל)$", "", who.strip(" ,:-"))
        told = re.sub(r"^[\s:,]*(?:that |saying )?", "", words[0]) if words else ""
        who = who if any(letter.isalpha() for letter in who) else ""
        return {name: value for name, value in (("who", who), ("words", told.strip())) if value}

    def describe(self, parameters: Parameters, language: str, region: str) -> str:
        return in_language(self.SUMMARY, language).format(
            whom=whom(parameters, language, region), words=parameters["words"]
        )

    def brief(self, parameters: Parameters, language: str, region: str) -> str:
        return in_language(self.BRIEF, language).format(whom=whom(parameters, language, region))

    def execute(self, order: Order) -> Receipt:
        receipt = clients.sms_agent().send(
            to=order.parameters["phone_number"],
            body=order.parameters["words"][:MOST_CHARACTERS],
            conversation_id=None,
            request_id=order.request_id,
        )
        return Receipt(reference=receipt.provider_id or receipt.message_id or "", status="sent")

    def can_ask(self) -> bool:
        return True

    def look(self, order: Order) -> Receipt | None:
        history = clients.sms_agent().history(order.parameters["phone_number"], limit=100, request_id=order.request_id)
        for item in history.items if history else ():
            ours = item.direction == "outbound" and item.body.strip() == order.parameters["words"].strip()
            if ours and item.at >= order.tried_at - CLOCK_SKEW and item.provider_id not in order.known_references:
                return Receipt(reference=item.provider_id or f"found for {order.task_id}", status="sent")
        return None

    def tell(self, outcome: Outcome, report: Report | None, parameters: Parameters, language: str, region: str) -> str:
        return in_language(self.TOLD[outcome], language).format(whom=whom(parameters, language, region))
