"""The vocabularies: one TOML file per language, one table per rule that reads it.

A new language is one new file with the tables of its sisters. People mix languages ("תתקשר ל-Pizza Hut and ask..."),
so understanding always reads all of them at once; only answers are given in one language.
"""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


@cache
def languages() -> tuple[str, ...]:
    """The codes of the languages we know: ("en", "he")."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


@cache
def _document(language: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))


def section(language: str, name: str) -> dict[str, Any]:
    """One table of one language's file; empty when the language says nothing about it."""
    table: dict[str, Any] = _document(language).get(name, {})
    return table


@cache
def words(table: str, name: str) -> frozenset[str]:
    """A list of single words, of all languages together."""
    return frozenset(word for language in languages() for word in section(language, table).get(name, "").split())


@cache
def phrases(table: str, name: str) -> re.Pattern[str]:
    """A list of patterns, of all languages together, as one pattern that matches whole words."""
    listed = [phrase for language in languages() for phrase in section(language, table).get(name, [])]
    return re.compile(rf"(?<!\w)(?:{'|'.join(listed)})(?!\w)" if listed else r"(?!)")
