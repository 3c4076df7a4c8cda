"""How the simulated language model answers: one answerer per schema, chosen by the schema's name.

The one for tenants reads the labelled lines of the system prompt (`- Amount Owed: $600 (tenant portion: $400)`) and
the tenant's last words, and answers as a sensible collector would, in the tenant's language. It is a simulator: it
knows the common ways of saying things, not all of them.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from integrations.simulators import assistant
from integrations.simulators.phrases import (
    AMOUNT,
    ESCALATED,
    EVERY_MONTH,
    EVERY_TWO_WEEKS,
    EVERY_WEEK,
    MONTHS,
    PHRASES,
    SIGNS,
    SOON,
    WEEKS,
    YES,
    Phrases,
    Says,
)

Message = Mapping[str, Any]
# Letters with accents that a single text message has; all others are folded.
SINGLE_TEXT_ACCENTS = "èéùìòÇØøÅåÆæßÉÄÖÑÜ§äöñüà¿¡"


class Answered(Protocol):
    """What an answerer gives: the same answer by its schema, and as plain text."""

    def as_document(self) -> dict[str, Any]: ...

    def as_plain_text(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the system prompt says. Without `owed` the tenant is unknown."""

    name: str
    owed: Decimal | None
    portion: Decimal
    suggest: Decimal
    minimum: Decimal
    most: int
    language: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    weekly: Decimal
    weeks: int | None


@dataclass(frozen=True, kw_only=True)
class Draft:
    """An answer before it is put into the schema's words."""

    reply: str
    confidence: float
    language: str
    escalate: str | None = None
    plan: Plan | None = None

    def as_document(self) -> dict[str, Any]:
        plan = self.plan and {"weekly_amount": float(self.plan.weekly), "weeks": self.plan.weeks, "start_date": None}
        return {
            "reply": self.reply,
            "confidence": self.confidence,
            "language": self.language,
            "escalate": self.escalate,
            "escalate_reason": self.escalate.replace("_", " ") if self.escalate else "",
            "payment_plan": plan,
        }

    def as_plain_text(self) -> str:
        """As a gateway without structured output answers, with the control lines of the specification."""
        if self.escalate:
            return f"ESCALATE: {self.escalate}\n{self.reply}"
        if self.plan:
            weeks = f", weeks={self.plan.weeks}" if self.plan.weeks else ""
            return f"{self.reply}\nPAYMENT_PLAN: weekly={self.plan.weekly}{weeks}"
        return self.reply


def reply_to_tenant(messages: Sequence[Message]) -> Draft:
    facts = read_facts(_last(messages, "system"))
    said = _last(messages, "user")
    phrases = PHRASES[facts.language]
    about = next((about for about, sign in SIGNS.items() if sign.search(said)), None)
    if about in ESCALATED:
        return _draft(facts, phrases.escalated, 0.4, escalate=about)
    if facts.owed is None:
        return _draft(facts, phrases.unknown, 0.5)
    plan = read_plan(said) or _accepted(said, _last(messages, "assistant"))
    if plan is not None:
        return _about_plan(facts, phrases, plan)
    if SOON.search(said) and about not in (Says.BALANCE, Says.HARDSHIP):
        return _about_promise(facts, phrases, said)
    return _about_the_rest(facts, phrases, about, said)


def _about_plan(facts: Facts, phrases: Phrases, plan: Plan) -> Draft:
    weeks = plan.weeks or math.ceil(facts.portion / plan.weekly)
    if plan.weekly < facts.minimum or weeks > facts.most:
        return _draft(facts, phrases.too_little, 0.72, plan=plan)
    template, confidence = (phrases.plan, 0.93) if plan.weeks else (phrases.plan_for, 0.89)
    return _draft(facts, template, confidence, plan=plan, weekly=dollars(plan.weekly), weeks=weeks)


def _about_promise(facts: Facts, phrases: Phrases, said: str) -> Draft:
    amount = read_amount(said)
    if amount is None:
        return _draft(facts, phrases.promise_open, 0.82)
    return _draft(facts, phrases.promise, 0.91, amount=dollars(amount))


def _about_the_rest(facts: Facts, phrases: Phrases, about: Says | None, said: str) -> Draft:
    match about:
        case Says.BALANCE:
            return _draft(facts, phrases.balance, 0.94)
        case Says.HARDSHIP:
            return _draft(facts, phrases.hardship, 0.78)
        case Says.THANKS:
            return _draft(facts, phrases.thanks, 0.92)
        case Says.GREETING:
            return _draft(facts, phrases.question, 0.88)
    # Nothing understood: the less was said, the less sure.
    return _draft(facts, phrases.question, 0.68 if len(said.split()) > 2 else 0.55)


def _draft(
    facts: Facts,
    template: str,
    confidence: float,
    *,
    escalate: str | None = None,
    plan: Plan | None = None,
    **more: object,
) -> Draft:
    words = {
        "name": facts.name,
        "owed": dollars(facts.owed or Decimal(0)),
        "portion": dollars(facts.portion),
        "suggest": dollars(facts.suggest),
        "minimum": dollars(facts.minimum),
        "most": facts.most,
    }
    reply = fold(template.format(**words, **more)).replace(", .", ".")
    return Draft(reply=reply, confidence=confidence, language=facts.language, escalate=escalate, plan=plan)


def read_facts(prompt: str) -> Facts:
    """The labelled lines of the system prompt, with sensible figures where one is missing."""
    owed = _money(prompt, r"- Amount Owed: \$([\d.,]+)")
    portion = _money(prompt, r"tenant portion: \$([\d.,]+)") or owed or Decimal(0)
    minimum = _money(prompt, r"- Minimum \$([\d.,]+)/week") or Decimal(25)
    most = int(_found(prompt, r"- Maximum (\d+) weeks") or 12)
    suggest = _money(prompt, r"suggest \$([\d.,]+)/week") or max(minimum, Decimal(math.ceil(portion / most)))
    language = _found(prompt, r"Respond in [\w ]+\((\w\w)\)") or _found(prompt, r"- Language: (\w\w)")
    return Facts(
        name=(_found(prompt, r"- Name: (\S+)") or "")[:20],
        owed=owed,
        portion=portion,
        suggest=suggest,
        minimum=minimum,
        most=most,
        language=language if language in PHRASES else "en",
    )


def read_plan(said: str) -> Plan | None:
    """A repeated payment in the tenant's words, as dollars a week."""
    amount, weeks = read_amount(said), _weeks(said)
    if amount is None or amount == 0:
        return None
    if EVERY_TWO_WEEKS.search(said):
        return Plan(weekly=_cents(amount / 2), weeks=weeks)
    if EVERY_WEEK.search(said):
        return Plan(weekly=amount, weeks=weeks)
    if EVERY_MONTH.search(said):
        return Plan(weekly=_cents(amount * 12 / 52), weeks=weeks)
    return Plan(weekly=_cents(amount / weeks), weeks=weeks) if weeks else None


def read_amount(said: str) -> Decimal | None:
    found = AMOUNT.search(said)
    return Decimal((found[1] or found[2]).replace(",", "")) if found else None


def _accepted(said: str, our_last: str) -> Plan | None:
    """A yes to the plan in our last text."""
    return read_plan(our_last) if YES.search(said) and our_last else None


def _weeks(said: str) -> int | None:
    if found := WEEKS.search(EVERY_TWO_WEEKS.sub("", said)):
        return int(found[1]) or None
    if found := MONTHS.search(said):
        return round(int(found[1]) * 52 / 12) or None
    return None


def fold(text: str) -> str:
    """Takes off the accents that would turn one text message into two or three."""
    if text.isascii():
        return text
    return "".join(
        letter if letter in SINGLE_TEXT_ACCENTS else unicodedata.normalize("NFD", letter)[0] for letter in text
    )


def dollars(amount: Decimal) -> str:
    return f"${amount:.0f}" if amount == amount.to_integral_value() else f"${amount:.2f}"


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"))


def _money(prompt: str, pattern: str) -> Decimal | None:
    found = _found(prompt, pattern)
    return Decimal(found.strip(".,").replace(",", "")) if found else None


def _found(prompt: str, pattern: str) -> str | None:
    found = re.search(pattern, prompt)
    return found[1] if found else None


def _last(messages: Sequence[Message], role: str) -> str:
    return next((str(message["content"]) for message in reversed(messages) if message["role"] == role), "")


def emptiest(schema: Mapping[str, Any]) -> Any:
    """The least that a JSON schema allows: the answer to a question that this simulator does not know."""
    kinds = schema.get("type", "null")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if "null" in kinds:
        return None
    if "object" in kinds:
        return {name: emptiest(part) for name, part in schema.get("properties", {}).items()}
    if "enum" in schema:
        return schema["enum"][0]
    return {"array": [], "boolean": False, "integer": 0, "number": 0}.get(kinds[0], "")


TENANT_SCHEMA = "reply_to_tenant"
# By the schema's name. A schema without an answerer gets the emptiest answer that fits it.
ANSWERERS: dict[str, Callable[[Sequence[Message]], Answered]] = {
    TENANT_SCHEMA: reply_to_tenant,
    assistant.SCHEMA: assistant.read_turn,
}
