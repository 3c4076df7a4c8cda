"""A folder with one TOML file per language, each read once: what the rules of both halves know of words. Pure."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any


@cache
def languages_in(folder: Path) -> tuple[str, ...]:
    """The codes of the languages that have a file, such as ("en", "es", "ht", "pt")."""
    return tuple(sorted(path.stem for path in folder.glob("*.toml")))


@cache
def document(folder: Path, language: str) -> dict[str, Any]:
    """All of one language's file. Raises FileNotFoundError for a language without one."""
    return tomllib.loads((folder / f"{language}.toml").read_text(encoding="utf-8"))


def section_of(folder: Path, language: str, name: str) -> dict[str, Any]:
    """One table of one language's file; empty when the language says nothing about it."""
    table: dict[str, Any] = document(folder, language).get(name, {})
    return table
