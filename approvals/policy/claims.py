"""What a draft claims: threats, gifts, promises and other people's affairs, found by the `[gates]` vocabularies.

A rule is a table of phrases: `says` is what must not be said, `about` and `does` are what must not be said together;
`denied` before a claim takes it back ("we are not taking you to"), `unless` anywhere in the clause makes it harmless
("I cannot give legal advice"), `unless_asked` does so in a question; nothing excuses `always`. A clause ends at a full
stop and before a "but". A claim is excused only in the language it is made in: "no" denies in English and is a place in
Portuguese.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from approvals.policy.language import is_listed
from approvals.policy.languages import languages, section
from approvals.policy.phrasebook import Match, Phrasebook
from approvals.policy.rules import Rules
from approvals.policy.terms import Terms, terms
from approvals.policy.text import normalise
from approvals.policy.words import Words, read, read_as_written

_PROMISE = "promise_outside_rules"


@dataclass(frozen=True, kw_only=True)
class _Clause:
    """A stretch of tokens between full stops and turning words, and the phrases found in it."""

    start: int
    end: int
    asks: bool
    matches: tuple[Match, ...]

    def said(self, *labels: str) -> list[Match]:
        return [match for match in self.matches if match.label in labels]

    @property
    def is_excused(self) -> bool:
        return bool(self.said("unless", "unless_asked") if self.asks else self.said("unless"))

    def holds(self, place: int) -> bool:
        return self.start <= place < self.end


def found(rule: str, text: str, spoken: Iterable[str]) -> str | None:
    """The words with which a text in one of these languages breaks a rule; None when it keeps it."""
    words = read_as_written(text)
    clauses = (clause for code in spoken for clause in _clauses(words, _book(rule, code).find(words)))
    return next((claim for clause in clauses if (claim := _claim(clause))), None)


def promise_outside_rules(text: str, spoken: Iterable[str], tenant_message: str, rules: Rules) -> str | None:
    """The clause that agrees to more weeks or less money a week than the rules allow.

    Terms outside the rules are a promise unless the clause names a limit, passes them on, or asks about what the tenant
    has said; a bare yes agrees to what the tenant asked for.
    """
    words = read_as_written(text)
    named, asked = terms(words), _asked_outside(tenant_message, rules)
    clauses = _clauses(words, _about_promises(words, spoken))
    for clause in clauses:
        if _promises(clause, _outside(named, rules, clause), asked):
            return " ".join(token.text for token in words.tokens[clause.start : clause.end])
    agreed = [match for clause in clauses for match in clause.said("yes")]
    evades = named.durations or named.rates or any(clause.said("unless", "mentions") for clause in clauses)
    return agreed[0].phrase if agreed and asked and not evades else None


def third_party(
    text: str, spoken: Iterable[str], *, own_names: Sequence[str], other_names: Iterable[str] = ()
) -> str | None:
    """The words that tell of another person's debt, or name somebody of another account."""
    for name in other_names:
        if name.strip() and re.search(rf"\b{re.escape(normalise(name))}\b", normalise(text)):
            return name
    return found("third_party_disclosure", _names_marked(text, own_names), spoken)


def without_names(text: str, names: Iterable[str]) -> str:
    """The text without the parts of these names, which say nothing about its language."""
    parts = {part for name in names for part in re.findall(r"\w{2,}", name)}
    return re.sub(rf"\b(?:{'|'.join(map(re.escape, parts))})\b", "", text) if parts else text


# --- clauses and what they claim


def _claim(clause: _Clause) -> str | None:
    """The words of a clause that must not be said and that nothing in it excuses."""
    always = clause.said("always")
    if always or clause.is_excused:
        return always[0].phrase if always else None
    says, about, does = ([match.phrase for match in _undenied(clause, label)] for label in ("says", "about", "does"))
    if says:
        return max(says, key=len)
    return f"{about[0]} ... {does[0]}" if about and does else None


def _undenied(clause: _Clause, label: str) -> list[Match]:
    denials = clause.said("denied")
    return [match for match in clause.said(label) if not any(no.start < match.start <= no.end for no in denials)]


def _clauses(words: Words, found: Iterable[Match]) -> list[_Clause]:
    matches = list(found)
    clauses = []
    start = 0
    for place, token in enumerate(words.tokens):
        if token.text in {".", "?", "!"} or token.text in _turns():
            if place > start:
                here = tuple(match for match in matches if start <= match.start < place)
                clauses.append(_Clause(start=start, end=place, asks=token.text == "?", matches=here))
            start = place + 1
    return clauses


@cache
def _turns() -> frozenset[str]:
    return frozenset(word for code in languages() for word in section(code, "gates").get("turns", ()))


@cache
def _book(rule: str, language: str) -> Phrasebook:
    phrases = section(language, "gates").get(rule, {})
    labelled = [(language, label, phrase) for label in phrases for phrase in phrases[label]]
    return Phrasebook(labelled, {language: _classes(language)})


@cache
def _classes(language: str) -> dict[str, list[str]]:
    """The word classes: those that every engine shares from all languages, ours from this one, else from English."""
    pooled: dict[str, list[str]] = {}
    for code in languages():
        for name, phrases in section(code, "words").items():
            pooled.setdefault(name, []).extend(phrases)
    for code in ("en", language):
        pooled.update(section(code, "gates").get("words", {}))
    return pooled


# --- promises


def _about_promises(words: Words, spoken: Iterable[str]) -> Iterator[Match]:
    for code in spoken:
        yield from _book(_PROMISE, code).find(words)


def _promises(clause: _Clause, outside: set[Decimal], asked: set[Decimal]) -> bool:
    if not outside or clause.said("unless"):
        return False
    only_mentions = clause.said("mentions") and not clause.said("yes")
    only_asks_back = clause.asks and clause.said("unless_asked") and outside <= asked
    return not (only_mentions or only_asks_back)


def _asked_outside(tenant_message: str, rules: Rules) -> set[Decimal]:
    """The terms outside the rules that the tenant names, other than those of their life ("been here 3 years")."""
    words = read(tenant_message)
    wanted = terms(words)
    clauses = [clause for clause in _clauses(words, _about_promises(words, languages())) if not clause.said("tells")]
    return {term for clause in clauses for term in _outside(wanted, rules, clause)}


def _outside(named: Terms, rules: Rules, clause: _Clause) -> set[Decimal]:
    """The numbers of weeks that are too many and the weekly amounts that are too small, within one clause."""
    long = [(term.start, Decimal(term.weeks)) for term in named.durations if term.weeks > rules.max_weeks]
    small = [(term.start, term.weekly) for term in named.rates if term.weekly < rules.min_weekly]
    return {value for start, value in long + small if clause.holds(start)}


# --- names

# What stands for a person's name in `[gates.words]`, surely or perhaps; no words of any language.
_SOMEBODY = "somebodysname"
_PERHAPS = "perhapsaname"
_NAME = re.compile(
    r"\b(?:(?:Mrs?|Ms|Dr|Sra?|Sr|Srta|Don|Doña|Dona|Mme)\.?\s)?"
    r"[A-Z][a-zà-ÿ]+(?:['’-][A-Z]?[a-zà-ÿ]+)*(?:\s[A-Z](?:[a-zà-ÿ']+|\.))*"
)


def _names_marked(text: str, own_names: Sequence[str]) -> str:
    """The text with every other person's name replaced by one mark."""
    text = without_names(text, own_names)
    return _NAME.sub(lambda match: _marked(match, text), text)


def _marked(match: re.Match[str], text: str) -> str:
    """Two capitals in a row, or one inside a sentence, are a name; an unknown word that begins a sentence may be."""
    name = match.group()
    if name in _not_names():
        return name
    before = text[: match.start()].rstrip()
    if " " in name or (before and not _ends_a_sentence(before[-1])):
        return _SOMEBODY
    return name if is_listed(re.split(r"['’]", name)[0]) else f"{_PERHAPS} {name}"


def _ends_a_sentence(sign: str) -> bool:
    """Full stops and their like, and the smile that often stands instead: ":)", "🙂"."""
    return sign in '.!?\n¿¡:")' or unicodedata.category(sign) == "So"


@cache
def _not_names() -> frozenset[str]:
    return frozenset(name for code in languages() for name in section(code, "gates").get("not_names", ()))
