"""Which of our languages a text is written in, also when it is four sloppy words.

General detectors do not know Haitian Creole and stumble over texting, so this one knows only our languages, but from
our kind of text: a list of words per language (`[language]` in `languages/*.toml`) gives the probability of a word that
is on it, and the letters of the same list the probability of every other word. Each word of a text votes, with a limit,
so that a text which mixes two languages has the one of most of its words.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache
from math import exp, log

from approvals.policy.languages import languages, section

# How much more often a common word occurs than another one of the list.
_COMMON_WEIGHT = 12
# In how many running words a listed word occurs about once: the same for every language, however long its list.
_RUNNING_WORDS = 3000
# The share of running words that are on no list.
_UNLISTED = 0.15
# No single word may say more than this against a language: it may be a name or a loan, and what is only known by its
# spelling may be a word that we forgot.
_SURELY_NOT = 0.02
_PROBABLY_NOT = 0.1
# What a word counts that is heard in every language here ("cash app", "ok").
_LENT_WEIGHT = 0.25
# How much more probable the language of the thread is than any other, before a word is read.
_PRIOR_ODDS = 3.0
# Below this nothing is told: five languages share the certainty almost evenly.
_UNDECIDED = 0.3


@dataclass(frozen=True, kw_only=True)
class Detected:
    """The language as a code and its probability; None when the text tells nothing."""

    code: str | None
    certainty: Decimal


def detect(text: str, *, prior: str | None = None) -> Detected:
    """The language of a text; one without words, or with too few to tell, has the `prior` (that of the thread)."""
    words = _words(text)
    if not words:
        return Detected(code=prior, certainty=Decimal(0))
    scores = {code: log(_PRIOR_ODDS) if code == prior else 0.0 for code in _speakers()}
    for word in words:
        for code, vote in _votes(word).items():
            scores[code] += vote
    shares = _shares(scores)
    best = max(shares, key=lambda code: shares[code])
    if shares[best] < _UNDECIDED:
        return Detected(code=prior, certainty=Decimal(0))
    return Detected(code=best, certainty=Decimal(shares[best]).quantize(Decimal("0.001")))


def language_code(name: str | None) -> str | None:
    """The code of a language given by code or by name in any of our languages ("Español", "haitian creole")."""
    wanted = _bare((name or "").strip().casefold())
    for code in languages():
        table = section(code, "language")
        known = {code, *(_bare(known.casefold()) for known in (table.get("name", code), *table.get("names", ())))}
        if wanted in known or wanted.partition("-")[0] == code or wanted.partition("_")[0] == code:
            return code
    return None


def is_listed(word: str) -> bool:
    """Is this an ordinary word of any of our languages?"""
    return any(speaker.knows(word.casefold()) for speaker in _speakers().values())


def language_name(code: str) -> str:
    """The English name of a language ("Haitian Creole"); the code itself when we do not know it."""
    return str(section(code, "language").get("name", code)) if code in languages() else code


# --- a text as words

_LINK = re.compile(r"\S*(?:https?:|www\.|@|\.com\b)\S*")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_STRETCHED = re.compile(r"(.)\1{2,}")


def _words(text: str) -> list[str]:
    letters = unicodedata.normalize("NFC", _LINK.sub(" ", text)).casefold().replace("’", "'")
    return [_STRETCHED.sub(r"\1", word) for word in _WORD.findall(letters)]


def _bare(word: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFD", word) if not unicodedata.combining(letter))


# --- what a word says


@lru_cache(maxsize=8192)
def _votes(word: str) -> Mapping[str, float]:
    """How the word speaks for each language, as a logarithm within the limit."""
    shares = _shares({code: log(speaker.probability(word)) for code, speaker in _speakers().items()})
    weight = _LENT_WEIGHT if word in _lent() else 1.0
    least = _SURELY_NOT if is_listed(word) else _PROBABLY_NOT
    return {code: weight * log(max(share, least)) for code, share in shares.items()}


def _shares(scores: Mapping[str, float]) -> dict[str, float]:
    highest = max(scores.values())
    odds = {code: exp(score - highest) for code, score in scores.items()}
    total = sum(odds.values())
    return {code: value / total for code, value in odds.items()}


class _Speaker:
    """One language: how probable its words are, and how it spells words that are on no list."""

    def __init__(self, weights: Mapping[str, int]) -> None:
        # People leave the accents out, so every word is also known without them.
        spelt = Counter(dict(weights))
        for word, weight in weights.items():
            if _bare(word) != word:
                spelt[_bare(word)] += weight
        self._weights = spelt
        self._spelling = _Spelling(spelt)

    def knows(self, word: str) -> bool:
        return word in self._weights

    def probability(self, word: str) -> float:
        listed = self._weights.get(word, 0) / _RUNNING_WORDS
        return (1 - _UNLISTED) * listed + _UNLISTED * self._spelling.probability(word)


class _Spelling:
    """Letters by the two before them, with every shorter context as a fallback (Witten and Bell's interpolation)."""

    _LETTERS = 200  # letters that could stand anywhere, when nothing is known

    def __init__(self, words: Iterable[str]) -> None:
        self._seen: Counter[str] = Counter()
        self._followed: Counter[str] = Counter()
        self._kinds: Counter[str] = Counter()
        for word in words:
            framed = f"^^{word}$"
            for place in range(2, len(framed)):
                for length in range(3):
                    context = framed[place - length : place]
                    self._kinds[context] += not self._seen[context + framed[place]]
                    self._seen[context + framed[place]] += 1
                    self._followed[context] += 1

    def probability(self, word: str) -> float:
        framed = f"^^{word}$"
        product = 1.0
        for place in range(2, len(framed)):
            product *= self._letter(framed[place - 2 : place], framed[place])
        return product

    def _letter(self, context: str, letter: str) -> float:
        shorter = self._letter(context[1:], letter) if context else 1 / self._LETTERS
        kinds = self._kinds[context]
        if not kinds:
            return shorter
        return (self._seen[context + letter] + kinds * shorter) / (self._followed[context] + kinds)


@cache
def _speakers() -> dict[str, _Speaker]:
    return {code: _Speaker(_weights(code)) for code in languages() if section(code, "language")}


def _weights(code: str) -> dict[str, int]:
    table = section(code, "language")
    weights = dict.fromkeys(str(table.get("words", "")).casefold().split(), 1)
    return weights | dict.fromkeys(str(table["common"]).casefold().split(), _COMMON_WEIGHT)


@cache
def _lent() -> frozenset[str]:
    return frozenset(word for code in languages() for word in section(code, "language").get("lent", "").split())
