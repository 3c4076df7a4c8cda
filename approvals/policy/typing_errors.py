"""Typing errors in the words that matter: a stretched, swapped, missing or doubled letter.

A replaced letter is forgiven in long words only, because short words become other words by it ("court", "count").
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby

from approvals.policy.lexicon import is_spelling, words_of

_SHORTEST = 5
_SHORTEST_FOR_A_REPLACED_LETTER = 7
# Of a word that is all the message says there is less to mistake.
_SHORTEST_ALONE = 4
_SHORTEST_FOR_A_LOST_LETTER = 6


class Corrector:
    """Brings a mistyped word back to the word of our language files that it was meant to be."""

    def __init__(self, codes: Iterable[str]) -> None:
        self._known = frozenset(word for code in codes for word in words_of(code))
        self._shortened: dict[str, set[str]] = {}
        for word in self._known:
            if len(word) >= _SHORTEST:
                for shorter in _without_a_letter(word):
                    self._shortened.setdefault(shorter, set()).add(word)
        self.correct = lru_cache(maxsize=4096)(self._correct)

    def _correct(self, word: str) -> str:
        if word in self._known or is_spelling(word):
            return word
        word = word.replace("'", "")
        for squeezed in _squeezed(word):
            if squeezed in self._known:
                return squeezed
        if len(word) < _SHORTEST:
            return word
        return min(self._neighbours(word), default=word)

    def _neighbours(self, word: str) -> Iterator[str]:
        candidates = set(self._shortened.get(word, ()))
        for shorter in _without_a_letter(word):
            if shorter in self._known and len(shorter) >= _SHORTEST:
                candidates.add(shorter)
            candidates |= self._shortened.get(shorter, set())
        return (known for known in candidates if known[0] == word[0] and _is_slip(word, known))


def is_slip(word: str, meant: str) -> bool:
    """One slip away from a word that stands alone: a doubled letter, two swapped ones or, in long words, a lost one."""
    if len(word) < _SHORTEST_ALONE or word == meant or word[0] not in meant[:2]:
        return False
    if len(word) == len(meant):
        return any(word[:at] + word[at + 1] + word[at] + word[at + 2 :] == meant for at in range(len(word) - 1))
    if len(meant) >= _SHORTEST_FOR_A_LOST_LETTER and word in _without_a_letter(meant):
        return True
    return len(word) > len(meant) and _single(word) == _single(meant)


def _single(word: str) -> str:
    return "".join(letter for letter, _ in groupby(word))


def _is_slip(word: str, known: str) -> bool:
    """Is `known` one slip of the finger away from `word`?"""
    if len(word) != len(known):
        # A lost or added last letter is more often another form of the word than a slip.
        return word[-1] == known[-1]
    places = [place for place, (one, other) in enumerate(zip(word, known, strict=True)) if one != other]
    if len(places) == 1:
        return len(word) >= _SHORTEST_FOR_A_REPLACED_LETTER and 0 < places[0] < len(word) - 1
    return len(places) == 2 and word[places[0]] == known[places[1]] and word[places[1]] == known[places[0]]


def _squeezed(word: str) -> Iterator[str]:
    if all(len(list(run)) < 3 for _, run in groupby(word)):
        return
    for longest in (2, 1):
        yield "".join(letter * min(longest, len(list(run))) for letter, run in groupby(word))


def _without_a_letter(word: str) -> Iterator[str]:
    return (word[:place] + word[place + 1 :] for place in range(len(word)))
