"""The vocabularies: one TOML file per language, one table per rule that reads it.

A new language is one new file with the tables of its sisters. People mix languages ("תתקשר ל-Pizza Hut and ask..."),
so understanding always reads all of them at once; only answers are given in one language.
"""

import re
from functools import cache, partial
from pathlib import Path

from conversations.vocabularies import languages_in, section_of

languages = partial(languages_in, Path(__file__).parent)
section = partial(section_of, Path(__file__).parent)


@cache
def words(table: str, name: str) -> frozenset[str]:
    """A list of single words, of all languages together."""
    return frozenset(word for language in languages() for word in section(language, table).get(name, "").split())


@cache
def phrases(table: str, name: str) -> re.Pattern[str]:
    """A list of patterns, of all languages together, as one pattern that matches whole words."""
    listed = [phrase for language in languages() for phrase in section(language, table).get(name, [])]
    return re.compile(rf"(?<!\w)(?:{'|'.join(listed)})(?!\w)" if listed else r"(?!)")
