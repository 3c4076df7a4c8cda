"""The phrasebooks of the language files, pooled over all languages and compiled once."""

from collections.abc import Iterable
from functools import cache

from approvals.policy import languages
from approvals.policy.phrasebook import Phrasebook


@cache
def phrasebook(section: str, part: str) -> Phrasebook:
    """The phrases of `[section.part]`, each key of the table being a label."""
    return Phrasebook(list(_labelled(section, part)), _classes(section))


def _labelled(section: str, part: str) -> Iterable[tuple[str, str, str]]:
    for language in languages.languages():
        for label, phrases in languages.section(language, section).get(part, {}).items():
            for phrase in phrases:
                yield language, label, phrase


@cache
def _classes(section: str) -> dict[str, list[str]]:
    """The word classes that every engine shares, and those of this section."""
    pooled: dict[str, list[str]] = {}
    for language in languages.languages():
        for table in (languages.section(language, "words"), languages.section(language, section).get("words", {})):
            for name, phrases in table.items():
                pooled.setdefault(name, []).extend(phrases)
    return pooled
