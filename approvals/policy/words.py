"""A message as a row of words in one canonical form, which is what every rule about wording looks at.

`read("Ill pay u FIFTY $ a wk starting 4/2!!")` has the text ` . i will pay you 50 a week starting @4/2 . `: the
spelling of texting is written out, numbers in words are digits, money signs have become a property of the number, a
date is one word, and a sentence ends with a full stop. Language files are read by the same rules, so both always agree.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache, cached_property, lru_cache

from approvals.policy import languages
from approvals.policy.lexicon import is_spelling, spelt_out, spoken
from approvals.policy.numbers import Figure, figure_from_digits, number_in_words
from approvals.policy.text import normalise
from approvals.policy.typing_errors import Corrector


@dataclass(frozen=True, kw_only=True)
class Word:
    """One token: its canonical text; for a number also its value and whether a money sign stood beside it."""

    text: str
    figure: Figure | None = None


@dataclass(frozen=True, kw_only=True)
class Words:
    """The tokens of a message and their joined text, in which phrases are searched."""

    tokens: tuple[Word, ...]
    text: str
    starts: tuple[int, ...] = field(repr=False)

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        return frozenset(token.text for token in self.tokens)

    @cached_property
    def spoken(self) -> frozenset[str]:
        """The languages of the message; with every expression of every language we would mistake one for the other."""
        return spoken(token.text for token in self.tokens)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The range of tokens that a range of characters of `text` covers."""
        return bisect_right(self.starts, start) - 1, bisect_right(self.starts, end - 1)

    def without(self, spans: Iterator[tuple[int, int]]) -> "Words":
        """The same row with some tokens blanked out, so that nothing is found in them."""
        blank = {place for start, end in spans for place in range(start, end)}
        rest = _join([Word(text="_") if place in blank else token for place, token in enumerate(self.tokens)])
        rest.__dict__["spoken"] = self.spoken
        return rest


@lru_cache(maxsize=256)
def read(message: str) -> Words:
    """Reads a message once; all rules about one message share the result."""
    return _read(message, _corrector())


@lru_cache(maxsize=256)
def read_as_written(text: str) -> Words:
    """Reads a text of ours, whose unusual words are no typing errors ("changes"); whoever asks knows its language."""
    words = _read(text, None)
    words.__dict__["spoken"] = frozenset(languages.languages())
    return words


def _read(text: str, corrector: Corrector | None) -> Words:
    tokens = _merge_currency(_merge_numbers(_spell(_tokens(normalise(text)), corrector)))
    return _join(_end_sentences(tokens))


def canonical_words(written: str) -> list[str]:
    """The canonical form of an entry of a language file."""
    return [token.text for token in _merge_numbers(_spell(_tokens(normalise(written)), None))]


_TOKEN = re.compile(
    r"""
      (?P<iso>\b\d{4}-\d{2}-\d{2}\b)
    | (?P<phone>\+?\b1?[-. ]?\(?\d{3}\)?[-. ]\d{3}[-. ]?\d{4}\b|\b\d{3}-\d{4}\b|\b\d{7,}\b)
    | (?P<date>\b\d{1,2}/\d{1,2}(?:/\d{2,4})?\b(?!/))
    | (?P<time>\b\d{1,2}:\d{2}(?:\s?[ap]\.?m\b)?|\b\d{1,2}\s?[ap]m\b|\b\d{1,2}h\d{0,2}\b)
    | (?P<ordinal>\b\d{1,2}(?:st|nd|rd|th|ro|do|er|o|a|ye|yem)\b)
    | (?P<money>[a-z]{0,2}\$\s?\d[\d.,]*k?|\b\d[\d.,]*k?\s?\$)
    | (?P<count>\b\d+x\b|\bx\d+\b)
    | (?P<unit>\b\d+[a-z]\b(?<!k))
    | (?P<number>\d+(?:[.,]\d+)*(?:k?(?![a-z\d])|ish\b|))
    | (?P<slash>[a-z]/(?=\s)|/)
    | (?P<dash>(?<=\d)\s?-\s?(?=\$?\d))
    | (?P<word>[^\W\d_](?:[^\W\d_]|['*@$!](?=[^\W\d_*])|[*])*)
    | (?P<end>[.!?\n]+)
    | (?P<pause>[,;:]|\s-+\s)
    | (?P<symbol>[^\w\s'"()\[\]<>~_=+#%&*^|\\{}-])
    | (?P<percent>%)
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class _Raw:
    kind: str
    text: str


def _tokens(text: str) -> list[_Raw]:
    return [_Raw(found.lastgroup or "", found.group()) for found in _TOKEN.finditer(text)]


def _spell(raw: list[_Raw], corrector: Corrector | None) -> list[_Raw]:
    """Writes texting out: "ill" is "i will", "stooop" is "stop", "laywer" is "lawyer", "🛑" is "stop"."""
    spelt: list[_Raw] = []
    for token in raw:
        if token.kind != "word" and not (token.kind == "symbol" and is_spelling(token.text)):
            spelt.append(token)
            continue
        word = corrector.correct(token.text) if corrector is not None else token.text
        spelt.extend(_Raw("word", part) for part in spelt_out(word))
    return spelt


def _merge_numbers(raw: list[_Raw]) -> list[Word]:
    words: list[Word] = []
    place = 0
    while place < len(raw):
        token = raw[place]
        if token.kind == "word":
            number = number_in_words([later.text if later.kind == "word" else "" for later in raw[place : place + 8]])
            if number is not None:
                words.append(_number(Figure(value=number.value)))
                place += number.length
                continue
        words.extend(_words(token))
        place += 1
    return words


def _words(token: _Raw) -> list[Word]:
    if token.kind == "count":
        number = _number(figure_from_digits(token.text))
        return [Word(text="x"), number] if token.text.startswith("x") else [number, Word(text="x")]
    return [_word(token)]


def _word(token: _Raw) -> Word:
    match token.kind:
        case "money" | "number":
            return _number(figure_from_digits(token.text))
        case "iso" | "date":
            return Word(text="@" + token.text)
        case "time":
            return Word(text="~" + token.text.replace(" ", ""))
        case "ordinal":
            return Word(text=re.sub(r"\D", "", token.text) + "th")
        case "phone":
            return Word(text="~phone")
        case "end":
            return Word(text="?" if "?" in token.text else "!" if "!" in token.text else ".")
        case "pause":
            return Word(text=",")
        case "dash":
            return Word(text="-")
        case _:
            return Word(text=token.text)


def _number(figure: Figure) -> Word:
    return Word(text=format(figure.value, "f"), figure=figure)


def _merge_currency(tokens: list[Word]) -> list[Word]:
    """ "50 bucks", "50 dola": the word for money becomes the money sign of its number; "2 hundred" becomes 200."""
    merged: list[Word] = []
    for token in tokens:
        last = merged[-1].figure if merged else None
        if last is not None and token.text in {"$", *_currencies()}:
            merged[-1] = _number(Figure(value=last.value, is_money=True))
        elif last is not None and last.value < 1000 and token.text in _multipliers():
            merged[-1] = _number(Figure(value=last.value * _multipliers()[token.text], is_money=last.is_money))
        else:
            merged.append(token)
    return merged


def _end_sentences(tokens: list[Word]) -> list[Word]:
    stop = Word(text=".")
    ended = [stop, *tokens]
    return ended if ended[-1].text in {".", "?", "!"} else [*ended, stop]


def _join(tokens: list[Word]) -> Words:
    starts: list[int] = []
    length = 1
    for token in tokens:
        starts.append(length)
        length += len(token.text) + 1
    return Words(tokens=tuple(tokens), text=" " + " ".join(token.text for token in tokens) + " ", starts=tuple(starts))


@cache
def _currencies() -> frozenset[str]:
    return frozenset(
        normalise(word)
        for language in languages.languages()
        for word in languages.section(language, "numbers").get("currency", ())
    )


@cache
def _multipliers() -> dict[str, Decimal]:
    return {
        normalise(word): Decimal(value)
        for language in languages.languages()
        for word, value in languages.section(language, "numbers").get("multipliers", {}).items()
    }


@cache
def _corrector() -> Corrector:
    return Corrector(languages.languages())
