"""What a draft claims: threats, gifts, promises and other people's affairs, found by the `[gates]` vocabularies.

A rule is a table of phrases: `says` is what must not be said, `unless` is what makes the same words harmless ("I cannot
give legal advice"), `unless_asked` does so in a question. They are looked for in one clause, so that a "but" ends the
harmlessness. A draft is read with the phrases of its own language and with the English ones that slip into every draft.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from approvals.policy.languages import languages, section
from approvals.policy.phrasebook import Match
from approvals.policy.rules import Rules
from approvals.policy.terms import Terms, terms
from approvals.policy.text import normalise
from approvals.policy.vocabulary import phrasebook
from approvals.policy.words import Words, read, read_as_written

_PROMISE = "promise_outside_rules"


@dataclass(frozen=True, kw_only=True)
class _Clause:
    """A stretch of tokens between full stops and turning words."""

    start: int
    end: int
    asks: bool

    def holds(self, place: int) -> bool:
        return self.start <= place < self.end


def found(rule: str, text: str, language: str | None) -> str | None:
    """The words with which a text in this language breaks a rule, in canonical spelling; None when it keeps it."""
    words = read_as_written(text)
    said = _matches(rule, words, language)
    for clause in _clauses(words):
        claims = [match for match in said if match.label == "says" and clause.holds(match.start)]
        if claims and not _harmless(said, clause):
            return max(claims, key=lambda match: len(match.phrase)).phrase
    return None


def promise_outside_rules(text: str, language: str | None, tenant_message: str, rules: Rules) -> str | None:
    """The clause that agrees to more weeks or less money a week than the rules allow.

    Terms outside the rules are a promise unless the clause names a limit, asks, or passes them on; a bare yes agrees to
    what the tenant asked for.
    """
    words = read_as_written(text)
    said, named = _matches(_PROMISE, words, language), terms(words)
    for clause in _clauses(words):
        if _outside(named, rules, clause) and not _harmless(said, clause):
            return " ".join(token.text for token in words.tokens[clause.start : clause.end])
    agreed = next((match for match in said if match.label == "yes"), None)
    evades = named.durations or named.rates or any(match.label == "unless" for match in said)
    return agreed.phrase if agreed and not evades and _asks_too_much(tenant_message, rules) else None


def third_party(
    text: str, language: str | None, *, own_names: Sequence[str], other_names: Iterable[str] = ()
) -> str | None:
    """The words that tell of another person's debt, or name somebody of another account."""
    for name in other_names:
        if name.strip() and re.search(rf"\b{re.escape(normalise(name))}\b", normalise(text)):
            return name
    return found("third_party_disclosure", _names_marked(text, own_names), language)


def without_names(text: str, names: Iterable[str]) -> str:
    """The text without the parts of these names, which say nothing about its language."""
    parts = {part for name in names for part in re.findall(r"\w{2,}", name)}
    return re.sub(rf"\b(?:{'|'.join(map(re.escape, parts))})\b", "", text) if parts else text


# What stands for any person's name in `[gates.words]`; no word of any language.
_SOMEBODY = "somebodysname"
_NAME = re.compile(r"\b[A-Z][a-zà-ÿ]+(?:['’-][A-Z]?[a-zà-ÿ]+)*(?:\s[A-Z](?:[a-zà-ÿ']+|\.))*")


def _names_marked(text: str, own_names: Sequence[str]) -> str:
    """The text with every other person's name replaced by one mark."""
    text = without_names(text, own_names)
    return _NAME.sub(lambda match: _SOMEBODY if _is_name(match, text) else match.group(), text)


def _is_name(match: re.Match[str], text: str) -> bool:
    """A single capital at the beginning of a sentence tells nothing; two in a row, or one inside, is a name."""
    if match.group() in _not_names():
        return False
    before = text[: match.start()].rstrip()
    return " " in match.group() or (bool(before) and before[-1] not in '.!?\n¿¡:"')


def _asks_too_much(tenant_message: str, rules: Rules) -> bool:
    """Does the tenant name terms outside the rules, other than those of their life ("been here 3 years")?"""
    words = read(tenant_message)
    wanted = terms(words)
    tells = [match.start for match in _matches(_PROMISE, words, None) if match.label == "tells"]
    return any(
        _outside(wanted, rules, clause) and not any(clause.holds(place) for place in tells)
        for clause in _clauses(words)
    )


def _matches(rule: str, words: Words, language: str | None) -> list[Match]:
    spoken = tuple(dict.fromkeys((language, "en"))) if language in languages() else None
    return list(phrasebook("gates", rule, spoken).find(words))


def _harmless(said: Iterable[Match], clause: _Clause) -> bool:
    excuses = {"unless", "unless_asked"} if clause.asks else {"unless"}
    return any(match.label in excuses and clause.holds(match.start) for match in said)


def _outside(named: Terms, rules: Rules, clause: _Clause) -> bool:
    too_long = [duration.start for duration in named.durations if duration.weeks > rules.max_weeks]
    too_little = [rate.start for rate in named.rates if rate.weekly < rules.min_weekly]
    return any(clause.holds(place) for place in too_long + too_little)


def _clauses(words: Words) -> Iterator[_Clause]:
    start = 0
    for place, token in enumerate(words.tokens):
        if token.text in {".", "?", "!"} or token.text in _turns():
            if place > start:
                yield _Clause(start=start, end=place, asks=token.text == "?")
            start = place + 1


@cache
def _turns() -> frozenset[str]:
    return frozenset(word for code in languages() for word in section(code, "gates").get("turns", ()))


@cache
def _not_names() -> frozenset[str]:
    return frozenset(name for code in languages() for name in section(code, "gates").get("not_names", ()))
