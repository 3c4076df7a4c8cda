"""The one engine that finds expressions in a text, and the notation in which the language files write them.

A phrase is words separated by blanks, written in any spelling the reader understands ("don't", "dont", "do not"):

    word        that word                          (a b|c)     either "a b" or "c"
    <name>      any phrase of that class           x?          x or nothing, x being a word, class or group
    word*       words that begin so                (a|b)*      up to four of them in a row, or none
    #           a number, in digits or in words
    &           an ordinal number ("15th")         ..          at most four words, none a negation or number
    _           any one word
    ^  $  ¿     start, end of the sentence; "?"    ...         at most twelve words, within the sentence
    x + y       x and y in one sentence, in whatever order, at most twelve words apart

A class has the words of the phrase's own language and those that the caller adds, because people mix them ("mi lawyer
te va a llamar"); a phrase counts only where its language is spoken.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations

from approvals.policy.words import Words, canonical_words

_ITEM = re.compile(r"<[\w]+>|\.\.\.|\.\.|[()|?^$#&]|[^\s()|?<>]+")
_FIXED = {
    "...": r"(?:[^ .?!]+ ){0,12}?",
    "_": r"[^ .?,!]+ ",
    "#": r"[0-9]+(?:\.[0-9]+)? ",
    "&": r"[0-9]+th ",
    "^": r"(?<=[.?!] )",
    "$": r"(?=[.?!] )",
    "¿": r"\? ",
}


@dataclass(frozen=True, kw_only=True)
class Match:
    """One expression found: its label, and the tokens it covers (`end` excluded)."""

    label: str
    start: int
    end: int
    phrase: str


@dataclass(frozen=True, kw_only=True)
class _Phrase:
    label: str
    language: str
    pattern: re.Pattern[str]


class Phrasebook:
    """Phrases under labels, ready to be found in a text; made of (language, label, phrase) and classes by language."""

    def __init__(
        self, labelled: Iterable[tuple[str, str, str]], classes: Mapping[str, Mapping[str, Iterable[str]]]
    ) -> None:
        notations: dict[str, _Notation] = {}
        self._needing: dict[str, list[_Phrase]] = {}
        self._always: list[_Phrase] = []
        for language, label, order in ((*named, order) for *named, source in labelled for order in _orders(source)):
            if language not in notations:
                notations[language] = _Notation(classes.get(language, {}))
            source_pattern, needs = notations[language].compile(order)
            phrase = _Phrase(label=label, language=language, pattern=re.compile(r"(?<= )" + source_pattern))
            for word in needs:
                self._needing.setdefault(word, []).append(phrase)
            if not needs:
                self._always.append(phrase)

    def find(self, words: Words) -> Iterator[Match]:
        """Every place where a phrase fits, in no particular order; overlaps are the caller's affair."""
        for phrase in self._candidates(words):
            if phrase.language not in words.spoken:
                continue
            for found in phrase.pattern.finditer(words.text):
                start, end = words.span(found.start(), found.end())
                yield Match(label=phrase.label, start=start, end=end, phrase=found.group().strip())

    def longest(self, words: Words) -> list[Match]:
        """The matches from left to right without overlaps, the longer before the shorter."""
        chosen: list[Match] = []
        taken: set[int] = set()
        for match in sorted(self.find(words), key=lambda match: (match.start - match.end, match.start)):
            covered = range(match.start, match.end)
            if taken.isdisjoint(covered):
                taken.update(covered)
                chosen.append(match)
        return sorted(chosen, key=lambda match: match.start)

    def _candidates(self, words: Words) -> Iterator[_Phrase]:
        """Only phrases one of whose necessary words stands in the text are worth trying."""
        seen: set[int] = set()
        for word in self._needing.keys() & words.vocabulary:
            for phrase in self._needing[word]:
                if id(phrase) not in seen:
                    seen.add(id(phrase))
                    yield phrase
        yield from self._always


def _orders(source: str) -> Iterator[str]:
    """Every order in which the parts of "x + y" may stand."""
    return (" ... ".join(order) for order in permutations(re.split(r"\s\+\s", source)))


class _Notation:
    """Turns the notation into a regular expression and the set of words of which one must be present."""

    def __init__(self, classes: Mapping[str, Iterable[str]]) -> None:
        self._classes = classes
        self._compiled: dict[str, tuple[str, frozenset[str]]] = {}
        # A gap over "not" would turn the meaning round.
        self._negations = "(?:" + "|".join(sorted(classes.get("negation", ("not",)))) + ") "

    def compile(self, source: str) -> tuple[str, frozenset[str]]:
        items = _ITEM.findall(source)
        compiled = self._alternatives(items)
        if items:
            raise ValueError(f"cannot read the phrase {source!r} at {items[0]!r}")
        return compiled

    def _alternatives(self, items: list[str]) -> tuple[str, frozenset[str]]:
        branches = [self._sequence(items)]
        while items and items[0] == "|":
            items.pop(0)
            branches.append(self._sequence(items))
        if len(branches) == 1:
            return branches[0]
        if any(re.fullmatch(pattern, "") for pattern, _ in branches):
            raise ValueError(
                "one of the alternatives before " + repr(items[:3]) + " is empty: put the ? after the bracket"
            )
        needs = frozenset().union(*(need for _, need in branches)) if all(need for _, need in branches) else frozenset()
        # The longest first, so that "a week" is not cut short by "a".
        patterns = sorted((pattern for pattern, _ in branches), key=len, reverse=True)
        return "(?:" + "|".join(patterns) + ")", needs

    def _sequence(self, items: list[str]) -> tuple[str, frozenset[str]]:
        patterns: list[str] = []
        rarest: frozenset[str] = frozenset()
        while items and items[0] not in "|)":
            pattern, needs = self._item(items)
            if items and items[0] == "?":
                items.pop(0)
                pattern, needs = f"(?:{pattern})?", frozenset()
            elif items and items[0] == "*":
                items.pop(0)
                pattern, needs = f"(?:{pattern}){{0,4}}", frozenset()
            patterns.append(pattern)
            rarest = max(rarest, needs, key=_rarity)
        return "".join(patterns), rarest

    def _item(self, items: list[str]) -> tuple[str, frozenset[str]]:
        item = items.pop(0)
        if item == "(":
            compiled = self._alternatives(items)
            items.pop(0)
            return compiled
        if item.startswith("<"):
            return self._class(item[1:-1])
        if item == "..":
            return rf"(?:(?!{self._negations})[^ .?,!0-9][^ .?,!]* ){{0,4}}?", frozenset()
        if item in _FIXED:
            return _FIXED[item], frozenset()
        if item.endswith("*"):
            return re.escape(item[:-1]) + "[^ ]* ", frozenset()
        words = canonical_words(item) or [item]
        return "".join(re.escape(word) + " " for word in words), max((frozenset({word}) for word in words), key=_rarity)

    def _class(self, name: str) -> tuple[str, frozenset[str]]:
        if name not in self._compiled:
            if name not in self._classes:
                raise ValueError(f"no language file has the class <{name}>")
            members = [self.compile(source) for source in self._classes[name]]
            needs = (
                frozenset().union(*(need for _, need in members)) if all(need for _, need in members) else frozenset()
            )
            patterns = sorted({pattern for pattern, _ in members}, key=len, reverse=True)
            self._compiled[name] = "(?:" + "|".join(patterns) + ")", needs
        return self._compiled[name]


def _rarity(words: frozenset[str]) -> tuple[bool, int, int]:
    """Long words are rare words, and a small set is rarer than a large one: a cheap guess that needs no statistics."""
    return bool(words), min((len(word) for word in words), default=0), -len(words)
