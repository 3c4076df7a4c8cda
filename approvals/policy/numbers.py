"""Numbers as tenants write them: "1,250.50", "1.250,50", "$1.5k", "fifty", "one fifty", "cento e vinte", "senkant"."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from approvals.policy import languages
from approvals.policy.text import normalise


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A number in a text; `is_money` when a money sign or word stood beside it."""

    value: Decimal
    is_money: bool = False


@dataclass(frozen=True, kw_only=True)
class NumberInWords:
    """A number in words; `length` is how many words it took."""

    value: Decimal
    length: int


def figure_from_digits(written: str) -> Figure:
    """Reads digits with separators: the last one is decimal unless exactly three digits follow it ("1.250" is 1250)."""
    digits = re.sub(r"[^\d.,]", "", written).strip(".,")
    head, mark, tail = _last_separator(digits)
    is_decimal = bool(mark) and (len(tail) != 3 or digits.startswith("0"))
    whole = re.sub(r"[.,]", "", head if is_decimal else digits)
    value = Decimal(f"{whole or 0}.{tail}" if is_decimal else whole or 0)
    return Figure(value=value * 1000 if written.rstrip("$ ").endswith("k") else value, is_money="$" in written)


def number_in_words(words: Sequence[str]) -> NumberInWords | None:
    """The longest number that begins with the first word, in any one language; None when it begins none."""
    readings = [reading for table in _tables() if (reading := table.read(words)) is not None]
    return max(readings, key=lambda reading: reading.length, default=None)


@dataclass(frozen=True, kw_only=True)
class _Table:
    """The number words of one language."""

    values: dict[str, int]
    hundreds: frozenset[str]
    thousands: frozenset[str]
    ones: frozenset[str]
    connectors: frozenset[str]
    ambiguous: frozenset[str]
    units: frozenset[str]

    def read(self, words: Sequence[str]) -> NumberInWords | None:
        total, group, length, last = 0, 0, 0, 0
        is_certain = False
        for place, word in enumerate(words):
            if word in self.connectors and length == place and group + total > 0:
                continue
            value = self._value(words, place, group)
            if value is None:
                break
            if value == 1000:
                total, group = total + max(group, 1) * 1000, 0
            elif value == 100 and word in self.hundreds:
                group = max(group, 1) * 100
            elif _joins(group, last, value):
                group = group * 100 + value if last < 10 <= value and last == group and last else group + value
            else:
                break
            is_certain = is_certain or word not in self.ambiguous
            last, length = value, place + 1
        if length == 0 or not (is_certain or (len(words) > length and words[length] in self.units)):
            return None
        return NumberInWords(value=Decimal(total + group), length=length)

    def _value(self, words: Sequence[str], place: int, group: int) -> int | None:
        word = words[place]
        if word in self.thousands:
            return 1000
        if word in self.hundreds:
            return 100
        if word in self.ones:
            # "a", "un", "one" are numbers only before a hundred ("a hundred") or after a ten ("twenty one").
            following = words[place + 1] if place + 1 < len(words) else ""
            opens = following in self.hundreds | self.thousands or (
                group == 0 and self.values.get(following, 0) >= 10 and word not in self.connectors and word == "one"
            )
            return 1 if opens or (group >= 20 and word != "a") else None
        return self.values.get(word)


def _joins(group: int, last: int, value: int) -> bool:
    """May `value` follow in the same number? "twenty five", "hundred fifty" and "one fifty" may, "five six" may not."""
    if group == 0:
        return True
    if last < 10 <= value < 100 and last == group:
        return True
    return value < last and (
        last >= 100 or (last >= 20 and value < 10) or (last > 10 and value < 10 and last % 10 == 0)
    )


def _last_separator(digits: str) -> tuple[str, str, str]:
    place = max(digits.rfind("."), digits.rfind(","))
    return (digits[:place], digits[place], digits[place + 1 :]) if place >= 0 else (digits, "", "")


@cache
def _tables() -> tuple[_Table, ...]:
    return tuple(_table(languages.section(language, "numbers")) for language in languages.languages())


def _table(section: dict[str, Any]) -> _Table:
    def words(name: str) -> frozenset[str]:
        return frozenset(normalise(word) for word in section.get(name, ()))

    return _Table(
        values={normalise(word): value for word, value in section.get("values", {}).items()},
        hundreds=words("hundreds"),
        thousands=words("thousands"),
        ones=words("ones"),
        connectors=words("connectors"),
        ambiguous=words("ambiguous"),
        units=words("units"),
    )
