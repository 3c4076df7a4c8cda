"""Does the tenant offer a figure, or only mention it? The cues around it decide, by the tables `[plans.before]`,
`[plans.framing]` and `[plans.after]` of the language files.

    before    the nearest cue to the left counts: "i paid 100 and now i can do 55"
    framing   rules its whole clause, whatever else stands there: "you said i can do 50 a week"
    after     what follows: "150 a week is too much", "100 biweekly works for me"; an `aside` ("you asked") only speaks
              against a figure that nothing else offers, a `promise` ("when my check comes") offers it
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property

from approvals.policy.phrasebook import Match
from approvals.policy.vocabulary import phrasebook
from approvals.policy.words import Words


class Stance(StrEnum):
    OFFERED = "offered"
    MENTIONED = "mentioned"
    REFUSED = "refused"
    UNSAID = "unsaid"  # no cue either way


STRANGE_WORDS = 2  # so many words without a meaning to us may stand before or after a figure that is offered
_FRAMING = frozenset({"question", "quote", "past", "wish", "sarcasm", "condition", "refuse"})
_FAR_FRAMING = frozenset({"question", "quote", "bill"})
_TOLD = frozenset({"paid", "other_person"})
_REFUSALS = frozenset({"refuse", "too_much"})
_NEXT_CLAUSE = frozenset({"too_much", "alternative", "promise"})
_SENTENCE_ENDS = frozenset(".?!")


@dataclass(frozen=True)
class Cues:
    """The cues of one message, and what they say about a stretch of it."""

    words: Words
    rhythms: tuple[tuple[int, int], ...] = ()  # the tokens of "every other week", in which "other week" is no cue
    terms: frozenset[int] = frozenset()  # the tokens of rhythms, lengths and days, which are no strange words

    @cached_property
    def _leading(self) -> list[Match]:
        """Cues that stand before a figure; one that is part of a longer one ("i can" in "you said i can") is no cue."""
        return [
            cue
            for cue in self._found
            if not any(_contains(other, cue) for other in self._found) and not self._is_in_a_rhythm(cue)
        ]

    @cached_property
    def _found(self) -> list[Match]:
        found = [match for part in ("before", "framing") for match in phrasebook("plans", part).find(self.words)]
        corrections = phrasebook("plans", "corrections").find(self.words)
        return found + [replace(match, label="offer") for match in corrections]

    @cached_property
    def _after(self) -> list[Match]:
        return [cue for cue in phrasebook("plans", "after").find(self.words) if not self._is_in_a_rhythm(cue)]

    def _is_in_a_rhythm(self, cue: Match) -> bool:
        """Whether it begins inside one: the "no" of "semana sim, semana não" refuses nothing."""
        return any(start <= cue.start < end for start, end in self.rhythms)

    @cached_property
    def _definite(self) -> list[Match]:
        return list(phrasebook("plans", "definite").find(self.words))

    @cached_property
    def _turns(self) -> set[int]:
        return {match.start for match in phrasebook("plans", "turns").find(self.words)}

    @cached_property
    def _fillers(self) -> set[int]:
        return {
            place
            for part in ("fillers", "starts")
            for match in phrasebook("plans", part).find(self.words)
            for place in range(match.start, match.end)
        }

    def stance(self, start: int, end: int) -> Stance:
        """What is said of the figure that covers these tokens."""
        clause = self.clause_start(start)
        framing = self._framing(clause, start)
        if framing:
            return Stance.REFUSED if framing == "refuse" else Stance.MENTIONED
        follows = self._following(end)
        left = self._nearest(clause, start)
        if self._is_joke(start) or (left is None and follows != "offer" and self._is_framed_from_afar(start)):
            return Stance.MENTIONED
        if left is None and follows is None and self._is_strange(clause, start, end):
            return Stance.MENTIONED
        return _verdict(left, follows)

    def is_told_between(self, start: int, end: int) -> bool:
        """Is another payment told of between these tokens? "every 75 i paid each week", "1000 de renta al mes"."""
        told = [cue for cue in self._leading if cue.label in _TOLD]
        told += [cue for cue in self._after if cue.label == "mention"]
        return any(start < cue.start and cue.end <= end for cue in told)

    def is_asked_about(self, start: int) -> bool:
        """ "are the 75 a week on top of rent?": a figure spoken of as known, in a question that does not offer it."""
        known = [
            match for match in phrasebook("plans", "definite").find(self.words) if match.start <= start < match.end
        ]
        if not known or self.words.tokens[self.sentence(start)[1]].text != "?":
            return False
        first = min(match.start for match in known)
        return not any(cue.label == "offer" and cue.start < first <= cue.end for cue in self._leading)

    def clause_start(self, place: int) -> int:
        """The first token of the clause: after a sentence end, a comma or a turn such as "but"."""
        while place > 0 and self.words.tokens[place - 1].text not in {".", "?", "!", ","} and place not in self._turns:
            place -= 1
        return place

    def clause_end(self, place: int) -> int:
        """The end (excluded) of the clause."""
        while place < len(self.words.tokens) and self.words.tokens[place].text not in {".", "?", "!", ","}:
            if place in self._turns:
                break
            place += 1
        return place

    def sentence(self, place: int) -> tuple[int, int]:
        """The range of tokens of the sentence in which the token stands."""
        tokens = self.words.tokens
        start, end = place, place
        while start > 0 and tokens[start - 1].text not in _SENTENCE_ENDS:
            start -= 1
        while end < len(tokens) and tokens[end].text not in _SENTENCE_ENDS:
            end += 1
        return start, end

    def _framing(self, clause: int, start: int) -> str | None:
        """The cue that rules the clause, up to the figure it comes to first: "not 150, 70"."""
        for cue in self._leading:
            reaches = clause <= cue.start < start and not any(
                token.figure for token in self.words.tokens[cue.end : start]
            )
            if cue.label in _FRAMING and reaches:
                return cue.label
        return None

    def _is_framed_from_afar(self, start: int) -> bool:
        """ "how long would it take, 50 a week": a question, quotation or bill rules the clauses after it, too."""
        sentence, _ = self.sentence(start)
        return any(cue.label in _FAR_FRAMING and sentence <= cue.start < start for cue in self._leading)

    def _is_joke(self, place: int) -> bool:
        """A joke in the sentence of the figure, or after its question mark: "100 a week? you must be kidding"."""
        start, end = self.sentence(place)
        if self.words.tokens[end].text == "?" and end + 1 < len(self.words.tokens):
            _, end = self.sentence(end + 1)
        return any(cue.label == "absurd" and start <= cue.start < end for cue in self._found)

    def _nearest(self, clause: int, start: int) -> str | None:
        """The label of the cue that ends nearest to the figure; of two the longer."""
        cues = [cue for cue in self._leading if clause <= cue.start < start]
        nearest = max(cues, key=lambda cue: (min(cue.end, start), -cue.start, cue.label != "offer"), default=None)
        return nearest.label if nearest else None

    def _following(self, end: int) -> str | None:
        """The first cue after the figure; of the next clause only "? no way", "or monthly", "when i get paid" count."""
        figures = [place for place, token in enumerate(self.words.tokens) if place >= end and token.figure]
        limit = min([self.clause_end(end), *figures])
        cues = [
            cue
            for cue in self._after
            if end <= cue.start < limit or (limit <= cue.start <= limit + 1 and cue.label in _NEXT_CLAUSE)
        ]
        first = min(cues, key=lambda cue: (cue.start, -cue.end, cue.label != "offer"), default=None)
        return first.label.replace("promise", "offer") if first else None

    def _is_strange(self, clause: int, start: int, end: int) -> bool:
        """Do many words say something of the figure that we have no word for? "75 a week doesnt grow on trees"."""
        return (
            self._strange_words(clause, start) > STRANGE_WORDS
            or self._strange_words(end, self.clause_end(end)) > STRANGE_WORDS
        )

    def _strange_words(self, start: int, end: int) -> int:
        return sum(
            place not in self._fillers and place not in self.terms and token.text[0].isalpha()
            for place, token in enumerate(self.words.tokens[start:end], start)
        )


def _verdict(left: str | None, follows: str | None) -> Stance:
    if follows in _REFUSALS or (left in _REFUSALS and follows != "offer"):
        return Stance.REFUSED
    if left == "copula" and follows == "offer":
        return Stance.OFFERED  # "is 30 a week ok"
    if follows in {"mention", "alternative"} or (left or follows) not in {None, "offer", "aside"}:
        return Stance.MENTIONED
    if "offer" in {left, follows}:
        return Stance.OFFERED
    return Stance.UNSAID if follows is None else Stance.MENTIONED


def _contains(outer: Match, inner: Match) -> bool:
    longer = outer.end - outer.start > inner.end - inner.start
    return longer and outer.start <= inner.start and inner.end <= outer.end
