"""Does the tenant offer a figure, or only mention it? The cues around it decide, by the tables `[plans.before]`,
`[plans.framing]` and `[plans.after]` of the language files.

    before    the nearest cue to the left counts: "i paid 100 and now i can do 55"
    framing   rules its whole clause, whatever else stands there: "you said i can do 50 a week"
    after     what follows: "150 a week is too much", "100 biweekly works for me"
"""

from dataclasses import dataclass
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


_FRAMING = frozenset({"question", "quote", "wish", "sarcasm", "condition", "refuse"})
_REFUSALS = frozenset({"refuse", "too_much"})
_SENTENCE_ENDS = frozenset(".?!")


@dataclass(frozen=True)
class Cues:
    """The cues of one message, and what they say about a stretch of it."""

    words: Words

    @cached_property
    def _leading(self) -> list[Match]:
        """Cues that stand before a figure; one that is part of a longer one ("i can" in "you said i can") is no cue."""
        found = [match for part in ("before", "framing") for match in phrasebook("plans", part).find(self.words)]
        return [cue for cue in found if not any(_contains(other, cue) for other in found)]

    @cached_property
    def _after(self) -> list[Match]:
        return list(phrasebook("plans", "after").find(self.words))

    @cached_property
    def _turns(self) -> set[int]:
        return {match.start for match in phrasebook("plans", "turns").find(self.words)}

    @cached_property
    def _fillers(self) -> set[int]:
        return {
            place
            for match in phrasebook("plans", "fillers").find(self.words)
            for place in range(match.start, match.end)
        }

    def stance(self, start: int, end: int) -> Stance:
        """What is said of the figure that covers these tokens."""
        clause = self.clause_start(start)
        framing = self._framing(clause, start)
        if framing:
            return Stance.REFUSED if framing == "refuse" else Stance.MENTIONED
        follows = self._following(end)
        left = self._nearest(clause, start, end)
        if left is None and follows is None and self._strange_words(clause, start) > 2:
            return Stance.MENTIONED
        return _verdict(left, follows)

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
        """The cue that rules the clause. A refusal rules only the figure it comes to first: "not 150, 70"."""
        for cue in self._leading:
            if cue.label in _FRAMING and clause <= cue.start < start:
                between = self.words.tokens[cue.end : start]
                if cue.label != "refuse" or not any(token.figure for token in between):
                    return cue.label
        return None

    def _nearest(self, clause: int, start: int, end: int) -> str | None:
        """The label of the cue that ends nearest to the figure; of two the longer."""
        cues = [cue for cue in self._leading if clause <= cue.start < start and cue.end <= end]
        nearest = max(cues, key=lambda cue: (min(cue.end, start), -cue.start), default=None)
        return nearest.label if nearest else None

    def _following(self, end: int) -> str | None:
        """The first cue after the figure, in its clause or opening the next one."""
        limit = self.clause_end(end)
        cues = [cue for cue in self._after if cue.start >= end and (cue.start <= limit or cue.start == limit + 1)]
        first = min(cues, key=lambda cue: (cue.start, -cue.end), default=None)
        return first.label if first else None

    def _strange_words(self, start: int, end: int) -> int:
        """How many words before the figure say something we have no word for."""
        return sum(
            place not in self._fillers and token.text[0].isalpha()
            for place, token in enumerate(self.words.tokens[start:end], start)
        )


def _verdict(left: str | None, follows: str | None) -> Stance:
    if follows in _REFUSALS or (left in _REFUSALS and follows != "offer"):
        return Stance.REFUSED
    if left == "offer" or (left is None and follows == "offer"):
        return Stance.MENTIONED if follows == "mention" else Stance.OFFERED
    if left is not None:
        return Stance.MENTIONED
    return Stance.UNSAID if follows is None else Stance.MENTIONED


def _contains(outer: Match, inner: Match) -> bool:
    longer = outer.end - outer.start > inner.end - inner.start
    return longer and outer.start <= inner.start and inner.end <= outer.end
