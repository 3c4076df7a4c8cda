"""One message read as a request for a call: what is wanted, the number or its problem, whom, and what to say."""

import re
from dataclasses import dataclass

from calls.policy.intents import Intent, Words, asks_for_a_call, intent_of
from calls.policy.languages import languages, section, words
from calls.policy.phone_numbers import Candidate, PhoneFound, PhoneProblem, find_number
from calls.policy.text import clean, tokens

NAME_LENGTH = 60


@dataclass(frozen=True, kw_only=True)
class CallRequest:
    """A message read alone. The phone fields belong to `place_call` only; `instructions` is the message without it."""

    intent: Intent
    phone_e164: str | None
    phone_problem: PhoneProblem | None
    instructions: str
    who: str
    says_what: bool
    found: PhoneFound

    @property
    def says_what_beside_the_number(self) -> bool:
        """Whether more is said than a number and the words that go with one."""
        rest = [token for token in tokens(self.instructions) if token[0].isalnum()]
        return any(token not in words("request", "no_task") | words("yes", "no") for token in rest)


def read_request(message: str, region: str) -> CallRequest:
    """Reads a message; `region` (ISO 3166) is the home of numbers without a country code."""
    text = clean(message)
    found = find_number(text, region)
    intent = intent_of(_without_numbers(text, found), has_number=bool(found.candidates))
    instructions = instructions_of(text, found)
    wanted = intent is Intent.PLACE_CALL
    return CallRequest(
        intent=intent,
        phone_e164=found.e164 if wanted else None,
        phone_problem=found.problem if wanted else None,
        instructions=instructions,
        who=whom(instructions) if wanted else "",
        says_what=says_what(instructions, whom(instructions)) if wanted else False,
        found=found,
    )


def _without_numbers(text: str, found: PhoneFound) -> str:
    """Digits of a telephone number are no words: a placeholder keeps the place."""
    for one in reversed(found.candidates):
        text = f"{text[: one.start]} 0 {text[one.end :]}"
    return text


def instructions_of(text: str, found: PhoneFound) -> str:
    """What is to be said: without the telephone numbers, the politeness before it, and what is said to us alone."""
    for one in reversed(found.candidates):
        text = _cut(text, one)
    text = re.sub(rf"(?<!\w)(?:{_either('without_asking')})", "", text, flags=re.IGNORECASE)
    text = re.sub(r"\s+([,.;:!?])", r"\1", re.sub(r"[ \t]+", " ", text))
    text = re.sub(r"([,;:])(?:\s*[,.;:])+", r"\1", text)
    text = re.sub(rf"^(?:{_either('politeness')})(?=\S)", "", text.strip(), flags=re.IGNORECASE) or text
    text = text.strip(" ,;:-\n")
    return text[:1].upper() + text[1:]


def _cut(text: str, one: Candidate) -> str:
    """Takes a number out, with the "at" or "במספר" before it and its extension after it."""
    before = re.sub(rf"(?<!\w)(?:{_either('number_lead')})$", "", text[: one.start], flags=re.IGNORECASE)
    after = re.sub(rf"^(?:{_either('extension')})", "", text[one.end :], count=1, flags=re.IGNORECASE)
    # "ל03-555-1234": the preposition goes with its number.
    before = re.sub(r"(?<!\w)[לב]-? ?$", "", before)
    before = before.rstrip(" (") if before.rstrip().endswith("(") and after.lstrip().startswith(")") else before
    return f"{before} {after.lstrip(' )')}" if before.endswith(" ") or after[:1].isalnum() else f"{before}{after}"


def whom(instructions: str) -> str:
    """Whom to call, as the user names them: "the pizza place"; empty when nobody is named."""
    lead = re.match(rf"(?:{_either('politeness')})(?:{_either('call_lead')})\s+", instructions, re.IGNORECASE)
    if not lead:
        lead = re.search(rf"(?<!\w)(?:{_either('call_lead')})\s+", instructions, re.IGNORECASE)
    if not lead:
        return ""
    rest = instructions[lead.end() :]
    end = re.search(_either("task_begins"), rest, re.IGNORECASE)
    name = (rest[: end.start()] if end else rest).strip(" ,.;:!?-\"'")
    name = re.sub(r"^ל-?(?=\S)", "", name)
    return name if len(name) <= NAME_LENGTH and tokens(name) and not _is_pronoun(name) else ""


def _is_pronoun(name: str) -> bool:
    return all(token in words("request", "no_task") for token in tokens(name))


def says_what(instructions: str, who: str) -> bool:
    """Whether the words tell more than whom to call."""
    rest = instructions.replace(who, " ") if who else instructions
    return any(
        token[0].isalnum() and not token.isdigit() and token not in words("request", "no_task")
        for token in tokens(rest)
    )


@dataclass(frozen=True, kw_only=True)
class Remembered:
    """A name and the number that the user gave it."""

    name: str
    e164: str


def contact_told(message: str, region: str) -> Remembered | None:
    """ "My dentist's number is 03-555-1234": somebody to remember, and no wish to call now."""
    text = clean(message)
    found = find_number(text, region)
    if found.e164 is None or asks_for_a_call(Words.of(text)):
        return None
    owns = re.match(rf"\W*(?:{_either('owns')})", text[: found.candidates[0].start].strip() + " ", re.IGNORECASE)
    name = next((group for group in owns.groups() if group), "") if owns else ""
    return Remembered(name=name.strip(), e164=found.e164) if name.strip() else None


def same_name(one: str, other: str) -> bool:
    """Whether two names mean the same: "my Pizza Place" and "the pizza place"."""
    mine, theirs = _essence(one), _essence(other)
    return bool(mine and theirs) and (mine <= theirs or theirs <= mine)


def _essence(name: str) -> frozenset[str]:
    kept = [token for token in tokens(name) if token[0].isalnum() and token not in words("request", "articles")]
    # Hebrew writes "the" and "to" together with the noun.
    return frozenset(re.sub(r"^[הל](?=[א-ת]{3,})", "", token).removesuffix("'s") for token in kept)


def _either(name: str) -> str:
    """The pattern of that name in any of the languages."""
    return "|".join(section(language, "request")[name] for language in languages())
