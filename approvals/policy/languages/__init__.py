"""The vocabularies of the tenants' languages: one TOML file per language, one table per engine that reads it.

A new language is one new file, `xx.toml`, with the tables of its sisters; nothing else names the languages.

    [spelling]              how people write what is meant               words.py, lexicon.py
    [numbers]               number words, words for money                numbers.py
    [words]                 word classes that all phrases may use        vocabulary.py
    [calendar]              weekdays, months, expressions for a day      calendar.py
    [plans]                 rhythms, lengths, cues of an offer           plans/
    [escalation] [opt_out] [holds]   what to listen for, what is meant innocently
    [gates] [language] [templates]   what we may not say, frequent words, our fixed texts
"""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


@cache
def languages() -> tuple[str, ...]:
    """The codes of the languages we know, such as ("en", "es", "ht", "pt")."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


@cache
def _document(language: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))


def section(language: str, name: str) -> dict[str, Any]:
    """One table of one language's file; empty when the language says nothing about it."""
    table: dict[str, Any] = _document(language).get(name, {})
    return table
