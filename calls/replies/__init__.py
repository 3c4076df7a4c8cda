"""What the assistant says, one TOML file per language, one line per occasion.

    say("ask_number", "he")                      what is missing
    say("confirmed", "en", who="the bank")       what has been done

A line may name values in braces. Numbers are given in the form that the user's own country writes them.
"""

from functools import partial
from pathlib import Path

import phonenumbers
from phonenumbers import PhoneNumberFormat

from conversations.vocabularies import document, languages_in

FOLDER = Path(__file__).parent
# Left to right in the middle of right to left; invisible, and harmless where it is not needed.
ISOLATE, END = "\u2066", "\u2069"
RIGHT_TO_LEFT = frozenset({"he"})
# The codes of the languages that the assistant speaks: ("en", "he").
languages = partial(languages_in, FOLDER)
_lines = partial(document, FOLDER)


def say(line: str, language: str, **values: object) -> str:
    """The line of that name in a language, with its values."""
    told: str = _lines(language)[line].format(**values)
    return told


def phone_as_written(phone_e164: str, *, region: str, language: str) -> str:
    """ "+97235551234" for somebody in Israel: 03-555-1234; for everybody else: +972 3-555-1234."""
    number = phonenumbers.parse(phone_e164)
    at_home = phonenumbers.region_code_for_number(number) == region
    shape = PhoneNumberFormat.NATIONAL if at_home else PhoneNumberFormat.INTERNATIONAL
    written = phonenumbers.format_number(number, shape)
    return f"{ISOLATE}{written}{END}" if language in RIGHT_TO_LEFT else written


def page_words(language: str) -> dict[str, str]:
    """The words of the chat page in a language, without the `page_` before their names."""
    return {name.removeprefix("page_"): line for name, line in _lines(language).items() if name.startswith("page_")}
