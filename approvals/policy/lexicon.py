"""Which words the language files know, and which languages a message may be written in."""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from approvals.policy import languages
from approvals.policy.text import normalise

_SECTIONS = ("spelling", "words", "numbers", "calendar", "plans", "escalation", "opt_out", "holds")
# A language that knows fewer of the words than this share of what the best one knows is not spoken in the message.
SPOKEN_SHARE = 0.7


@cache
def words_of(language: str) -> frozenset[str]:
    """Every word that stands anywhere in our tables of one language file, in its canonical spelling."""
    tables = [languages.section(language, name) for name in _SECTIONS]
    written = (word for table in [*tables, list(tables[0])] for word in _words_in(table))
    return frozenset(part for word in written for part in spelt_out(word))


def spelt_out(word: str) -> list[str]:
    """The canonical spelling of a word of texting: "ill" is "i will", "we're" is "we are"."""
    bare = word.replace("'", "")
    return (_spelling().get(word) or _spelling().get(bare) or bare).split()


def is_spelling(word: str) -> bool:
    """Is this one of the listed ways to write something else?"""
    return word in _spelling() or word.replace("'", "") in _spelling()


def spoken(words: Iterable[str]) -> frozenset[str]:
    """The languages that know these words about equally well: as a rule one, two if they are mixed, all for "ok"."""
    said = [word for word in words if word.isalpha()]
    known = {language: sum(word in words_of(language) for word in said) for language in languages.languages()}
    least = SPOKEN_SHARE * max(known.values())
    return frozenset(language for language, count in known.items() if count >= least)


@cache
def _spelling() -> dict[str, str]:
    return {
        normalise(written): meant
        for language in languages.languages()
        for meant, variants in languages.section(language, "spelling").items()
        for written in variants
    }


def _words_in(entry: Any) -> Iterator[str]:
    if isinstance(entry, dict):
        for key, value in entry.items():
            # A key is a word only where it has a number ("friday = 4"); the others are names of ours, in English.
            if isinstance(value, int):
                yield from _words_in(key)
            yield from _words_in(value)
    elif isinstance(entry, list):
        for value in entry:
            yield from _words_in(value)
    elif isinstance(entry, str):
        for word in entry.translate(_NOTATION).split():
            written = normalise(word)
            if written.replace("'", "").isalpha():
                yield written


_NOTATION = str.maketrans(dict.fromkeys("()|?<>^$.,#&¿*_+", " "))
