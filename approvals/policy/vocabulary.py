"""The phrasebooks of the language files, pooled over all languages and compiled once."""

from collections.abc import Iterable
from functools import cache

from approvals.policy import languages
from approvals.policy.phrasebook import Phrasebook


@cache
def phrasebook(section: str, part: str, only: tuple[str, ...] | None = None) -> Phrasebook:
    """The phrases of `[section.part]`, each key of the table being a label; of all languages, or only of some."""
    spoken = only or languages.languages()
    return Phrasebook(list(_labelled(section, part, spoken)), _classes(section, spoken))


def _labelled(section: str, part: str, spoken: tuple[str, ...]) -> Iterable[tuple[str, str]]:
    for language in spoken:
        for label, phrases in languages.section(language, section).get(part, {}).items():
            for phrase in phrases:
                yield label, phrase


@cache
def _classes(section: str, spoken: tuple[str, ...]) -> dict[str, list[str]]:
    """The word classes that every engine shares, and those of this section."""
    pooled: dict[str, list[str]] = {}
    for language in spoken:
        for table in (languages.section(language, "words"), languages.section(language, section).get("words", {})):
            for name, phrases in table.items():
                pooled.setdefault(name, []).extend(phrases)
    return pooled
