"""Telephone numbers in words: "two oh three, five five five, oh one three five", "double five", "אפס חמש ארבע ...".

The words are data (`[numbers.spoken]` of the language files): `digits` stand for what is written, `tens` join the digit
after them ("fifty five"), `teens` the digit before them ("שתים עשרה"), `repeats` say the next one again. Digits in
between belong to the number.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from calls.policy.languages import languages, section

# Fewer words or digits in a row are a time, a count or an address: "call me in five".
FEWEST_WORDS, FEWEST_DIGITS = 5, 7
# So many of them must be words where digits stand in between: "two oh three 555-0135".
FEWEST_SPOKEN = 3
MOST_WORDS = 20


COUNTING = "1234567"
# What no comma, full stop or blank parts.
GROUP = re.compile(r"[^\s,.;-](?:[^,.;]*[^\s,.;-])?")


@dataclass(frozen=True, kw_only=True)
class SpokenNumber:
    """A run of digit words: where it stands, the digits that it means, and whether digits stand in it, too."""

    start: int
    end: int
    digits: str
    is_mixed: bool


def spoken_numbers(text: str) -> Iterator[list[SpokenNumber]]:
    """Every run as the readings that it allows, the longest first: the whole, or whole groups between commas."""
    for run in _run().finditer(text):
        groups = list(GROUP.finditer(text, run.start(), run.end()))
        lengths = range(len(groups), 0, -1)
        stretches = [groups[first : first + length] for length in lengths for first in range(len(groups) - length + 1)]
        readings = [_reading(text, stretch[0].start(), stretch[-1].end()) for stretch in stretches]
        if found := [reading for reading in readings if reading is not None]:
            yield found


def _reading(text: str, start: int, end: int) -> SpokenNumber | None:
    """The number in these characters; None for too few words or digits, and for counting."""
    words = re.findall(r"\w+", text[start:end].casefold())
    spoken = sum(not word.isdigit() for word in words)
    is_mixed = spoken < len(words)
    digits = _meant(words)
    is_short = spoken < (FEWEST_SPOKEN if is_mixed else FEWEST_WORDS) or len(digits.lstrip("+")) < FEWEST_DIGITS
    if is_short or digits.startswith(COUNTING):
        return None
    return SpokenNumber(start=start, end=end, digits=digits, is_mixed=is_mixed)


def _meant(words: list[str]) -> str:
    """The digits that the words mean, with a plus sign before them where one is spoken."""
    parts: list[str] = []
    again = 1
    for word in words:
        if word in _spoken("repeats"):
            again = int(_spoken("repeats")[word])
        elif word in _spoken("teens") and parts and re.fullmatch("[1-9]", parts[-1]):
            parts[-1] = "1" + parts[-1]
        elif (digits := _digits(word, parts)) is not None:
            parts.append(digits * again)
            again = 1
    return "".join(parts)


def _digits(word: str, before: list[str]) -> str | None:
    """What one word adds; a digit after a ten takes the place of its zero."""
    if word.isdigit():
        return word
    digits = _spoken("digits").get(word) or _spoken("tens").get(word) or _spoken("signs").get(word)
    # Hebrew writes "and" together with the next word: "חמישים ושתיים".
    digits = digits or (_spoken("digits").get(word[1:]) if word.startswith("ו") else None)
    if digits and before and before[-1] in _spoken("tens").values() and re.fullmatch("[1-9]", digits):
        before[-1] = before[-1][0]
    return digits


@cache
def _run() -> re.Pattern[str]:
    listed = [word for name in ("digits", "tens", "teens", "repeats", "signs") for word in _spoken(name)]
    word = rf"(?:\d+|ו?(?:{'|'.join(sorted(listed, key=len, reverse=True))}))(?!\w)"
    return re.compile(rf"(?:(?<!\w)|(?<=\b[לב])){word}(?:[\s,.;-]{{1,3}}{word}){{2,{MOST_WORDS}}}", re.IGNORECASE)


@cache
def _spoken(name: str) -> dict[str, str]:
    """The words of one kind, of all languages together, and what each means."""
    return {
        word: meant
        for language in languages()
        for meant, written in section(language, "numbers")["spoken"].get(name, {}).items()
        for word in written.split()
    }
