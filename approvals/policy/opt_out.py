"""Consent to be texted: the provider's stop words in any dress, and the same wish in plain words.

`[opt_out.keywords]` are words that count when they are all the message says; `[opt_out.phrases]` are wordings, and
`[opt_out.innocent]` the wordings that only look like them ("stop by the office") and are taken out first. What none of
them foresees is an opt-out when the whole message is like labelled ones, and a wording is none when it is unlike them.
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from functools import cache

from approvals.policy import languages
from approvals.policy.lexicon import is_spelling, spelt_out
from approvals.policy.likeness import likeness
from approvals.policy.phrasebook import Match
from approvals.policy.text import normalise
from approvals.policy.typing_errors import is_slip
from approvals.policy.vocabulary import phrasebook
from approvals.policy.words import Words, read


class Consent(StrEnum):
    NONE = "none"
    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    HELP = "help"


# Above this share a message without any wording of ours is a wish not to be texted; below the other one a wording is
# taken back ("i opted out of the dental at work"). Likeness never lets anybody in again.
SURE_WITHOUT_WORDS = 0.65
SURELY_NOT_MEANT = 0.02
SHORTEST_SENTENCE = 3
_BY_WEIGHT = (Consent.OPT_OUT, Consent.OPT_IN, Consent.HELP)


def read_consent(message: str) -> Consent:
    """What the message says about being texted; a wish to stop outweighs everything else in it."""
    keyword = _keyword(message)
    return keyword if keyword is not Consent.NONE else _weighed(_wording(message), read(message))


def spoken(message: str) -> Consent:
    """What a keyword or a wording of ours says."""
    keyword = _keyword(message)
    return keyword if keyword is not Consent.NONE else _wording(message)


def _keyword(message: str) -> Consent:
    """A keyword alone: polite words, repetition and whatever is neither letter nor readable sign do not count."""
    said = [word for word in _words(normalise(message)) if word not in _polite()]
    if not said or len(said) > 6:
        return Consent.NONE
    spelt = "".join(said) if all(len(word) == 1 for word in said) else " ".join(dict.fromkeys(said))
    return _keywords().get(spelt) or _mistyped(spelt)


def _words(text: str) -> list[str]:
    """The words of a text, and the signs that stand for one ("🛑")."""
    tokens = re.findall(r"[^\W\d_]+|[^\w\s]", text)
    return [
        token if token.isalpha() else spelt_out(token)[0] for token in tokens if token.isalpha() or is_spelling(token)
    ]


def _mistyped(word: str) -> Consent:
    """ "stopp", "cancle": nothing but one slip of the finger stands between the message and a keyword."""
    return next((consent for keyword, consent in _keywords().items() if is_slip(word, keyword)), Consent.NONE)


def _wording(message: str) -> Consent:
    words = read(message)
    open_words = words.without((match.start, match.end) for match in phrasebook("opt_out", "innocent").find(words))
    matches = list(phrasebook("opt_out", "phrases").find(open_words))
    found = {Consent(match.label) for match in matches if not _taken_back(match, matches)}
    return next((consent for consent in _BY_WEIGHT if consent in found), Consent.NONE)


def _taken_back(said: Match, matches: Iterable[Match]) -> bool:
    """A wish to stop inside a wording that takes it back: "ignore my stop", "keep the texts coming"."""
    return said.label == Consent.OPT_OUT and any(
        other.label == Consent.OPT_IN and other.start <= said.start and said.end <= other.end for other in matches
    )


def _weighed(said: Consent, words: Words) -> Consent:
    """What a wording says, weighed against the likeness of the whole message. One word or two are what they are."""
    if len(words.text.replace(".", " ").split()) < SHORTEST_SENTENCE:
        return said
    share = likeness("opt_out").shares(words)[Consent.OPT_OUT]
    if said is Consent.NONE and share > SURE_WITHOUT_WORDS:
        return Consent.OPT_OUT
    return Consent.NONE if said is Consent.OPT_OUT and share < SURELY_NOT_MEANT else said


@cache
def _keywords() -> dict[str, Consent]:
    return {
        normalise(keyword): Consent(label)
        for language in languages.languages()
        for label, listed in languages.section(language, "opt_out").get("keywords", {}).items()
        for keyword in listed
    }


@cache
def _polite() -> frozenset[str]:
    return frozenset(
        normalise(word)
        for language in languages.languages()
        for word in languages.section(language, "opt_out").get("polite", ())
    )
