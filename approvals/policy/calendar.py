"""The day a tenant means: "friday", "the 15th", "4/2", "el 3 de noviembre", "dia 25", "nan 2 semèn"."""

import calendar as months
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from approvals.policy import languages
from approvals.policy.phrasebook import Match, Phrasebook
from approvals.policy.text import normalise
from approvals.policy.words import Words, canonical_words

LONGEST_ARTICLE = 3  # letters: "the", "dia", "le", or a comma


@dataclass(frozen=True, kw_only=True)
class Day:
    """A day named in a text: the tokens it covers and the date, always after `today` unless it is today."""

    start: int
    end: int
    date: date


def days_named(words: Words, today: date) -> list[Day]:
    """Every calendar day named in the text, from left to right; "next week", "payday" and "for now" name none."""
    found = [
        Day(start=match.start, end=match.end, date=day)
        for match in _phrasebook().longest(words)
        if (day := _day_of(match, today)) is not None
    ]
    written = [
        Day(start=place, end=place + 1, date=day)
        for place, token in enumerate(words.tokens)
        if token.text.startswith("@") and (day := date_in_digits(token.text[1:], today)) is not None
    ]
    return _merged(sorted(found + written, key=lambda day: day.start), words)


def date_in_digits(written: str, today: date) -> date | None:
    """Reads "2026-12-01", "12/1", "12/01/26" (US order); without a year the next such day; None if no real date."""
    parts = [int(part) for part in re.split(r"[-/]", written)]
    if parts[0] > 31:
        return _real(parts[0], parts[1], parts[2])
    if len(parts) == 3:
        return _real(parts[2] + (2000 if parts[2] < 100 else 0), parts[0], parts[1])
    return _next_month_day(parts[0], parts[1], today)


def _merged(days: list[Day], words: Words) -> list[Day]:
    """ "friday the 15th", "friday 12/4": the weekday only decorates the date; not in "friday starting 12/4"."""
    merged: list[Day] = []
    for day in days:
        gap = words.tokens[merged[-1].end : day.start] if merged else ()
        if merged and len(gap) <= 1 and all(len(token.text) <= LONGEST_ARTICLE for token in gap):
            merged[-1] = Day(start=merged[-1].start, end=day.end, date=day.date)
        else:
            merged.append(day)
    return merged


def _day_of(match: Match, today: date) -> date | None:
    if match.label in _HOLIDAYS:
        return _next_month_day(*_HOLIDAYS[match.label], today)
    return _MEANINGS[match.label](match.phrase.split(), today) if match.label in _MEANINGS else None


def _weekday(words: list[str], today: date) -> date | None:
    wanted = next(_weekdays()[word] for word in words if word in _weekdays())
    return today + timedelta(days=(wanted - today.weekday() - 1) % 7 + 1)


def _month_day(words: list[str], today: date) -> date | None:
    month = next(_month_numbers()[word] for word in words if word in _month_numbers())
    return _next_month_day(month, _day_number(words), today)


def _day(words: list[str], today: date) -> date | None:
    return next(
        (day for month in _months_from(today) if (day := _real(*month, _day_number(words))) and day > today), None
    )


def _day_next_month(words: list[str], today: date) -> date | None:
    return _real(*list(_months_from(today))[1], _day_number(words))


def _month_end(words: list[str], today: date) -> date | None:
    return date(today.year, today.month, months.monthrange(today.year, today.month)[1])


def _in_days(words: list[str], today: date) -> date | None:
    return today + timedelta(days=_count(words))


def _in_weeks(words: list[str], today: date) -> date | None:
    return today + timedelta(weeks=_count(words))


def _in_months(words: list[str], today: date) -> date | None:
    year, month = list(_months_from(today, 24))[min(_count(words), 23)]
    return _real(year, month, min(today.day, months.monthrange(year, month)[1]))


_MEANINGS: dict[str, Callable[[list[str], date], date | None]] = {
    "today": lambda words, today: today,
    "tomorrow": lambda words, today: today + timedelta(days=1),
    "day_after_tomorrow": lambda words, today: today + timedelta(days=2),
    "weekday": _weekday,
    "month_day": _month_day,
    "day_month": _month_day,
    "day": _day,
    "day_next_month": _day_next_month,
    "month_end": _month_end,
    "in_days": _in_days,
    "in_weeks": _in_weeks,
    "in_months": _in_months,
}
_HOLIDAYS = {
    "new_years_day": (1, 1),
    "valentines": (2, 14),
    "july_4": (7, 4),
    "halloween": (10, 31),
    "christmas_eve": (12, 24),
    "christmas": (12, 25),
    "new_years_eve": (12, 31),
}


def _count(words: list[str]) -> int:
    return next((int(float(word)) for word in words if word[0].isdigit()), 1)


def _day_number(words: list[str]) -> int:
    """The number in "the 15th" or "dia 25"; "the first" and its sisters have none and mean 1."""
    return next((int(re.match(r"\d+", word).group()) for word in words if word[0].isdigit()), 1)  # type: ignore[union-attr]


def _next_month_day(month: int, day: int, today: date) -> date | None:
    years = (today.year, today.year + 1)
    return next((found for year in years if (found := _real(year, month, day)) and found > today), None)


def _months_from(today: date, count: int = 3) -> Iterator[tuple[int, int]]:
    for ahead in range(count):
        year, month = divmod(today.year * 12 + today.month - 1 + ahead, 12)
        yield year, month + 1


def _real(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


@cache
def _weekdays() -> dict[str, int]:
    return _numbered("weekdays")


@cache
def _month_numbers() -> dict[str, int]:
    return _numbered("months")


def _numbered(part: str) -> dict[str, int]:
    return {
        " ".join(canonical_words(name)): number
        for language in languages.languages()
        for name, number in languages.section(language, "calendar").get(part, {}).items()
    }


@cache
def _phrasebook() -> Phrasebook:
    labelled = [
        (language, label, phrase)
        for language in languages.languages()
        for label, phrases in languages.section(language, "calendar").get("phrases", {}).items()
        for phrase in phrases
    ]
    return Phrasebook(labelled, {language: _classes(language) for language in languages.languages()})


def _classes(language: str) -> dict[str, list[str]]:
    """The names of days and months, ours and the English ones: "me" is May in one language alone."""
    tables = [languages.section(lender, "calendar") for lender in dict.fromkeys((language, "en"))]
    classes: dict[str, list[str]] = {"day_number": [str(day) for day in range(1, 32)]}
    for table in tables:
        classes.setdefault("weekday_name", []).extend(
            " ".join(canonical_words(name)) for name in table.get("weekdays", {})
        )
        classes.setdefault("month_name", []).extend(" ".join(canonical_words(name)) for name in table.get("months", {}))
        for name, members in table.get("words", {}).items():
            classes.setdefault(name, []).extend(normalise(member) for member in members)
    return classes
