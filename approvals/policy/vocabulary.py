"""The phrasebooks of the language files, pooled over all languages and compiled once."""

from collections.abc import Iterable
from functools import cache

from approvals.policy import languages
from approvals.policy.phrasebook import Phrasebook


@cache
def phrasebook(section: str, part: str) -> Phrasebook:
    """The phrases of `[section.part]`, each key of the table being a label."""
    classes = {language: _classes(section, language) for language in languages.languages()}
    return Phrasebook(list(_labelled(section, part)), classes)


def _labelled(section: str, part: str) -> Iterable[tuple[str, str, str]]:
    for language in languages.languages():
        for label, phrases in languages.section(language, section).get(part, {}).items():
            for phrase in phrases:
                yield language, label, phrase


# A kinship word of one language is a pronoun of another ("se", "yo", "li"), so these borrow from English alone.
_KEPT_APART = frozenset({"plans"})


@cache
def _classes(section: str, language: str) -> dict[str, list[str]]:
    """The word classes that every engine shares, and those of this section: of all languages, or of two."""
    lenders = (language, "en") if section in _KEPT_APART else languages.languages()
    pooled: dict[str, list[str]] = {}
    for lender in dict.fromkeys(lenders):
        for table in (languages.section(lender, "words"), languages.section(lender, section).get("words", {})):
            for name, phrases in table.items():
                pooled.setdefault(name, []).extend(phrases)
    return pooled
