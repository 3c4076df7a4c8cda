"""The words in the editor, looked at as they are typed: gates, figures with their sources, parts, difference."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from approvals.models import QueuedResponse
from approvals.policy.figures import Figure
from approvals.policy.gates import Gate, Level, check_gates, figures
from approvals.policy.rules import Rules
from approvals.policy.segments import Segments, fold_accents, measure
from approvals.policy.text import strip_invisible
from approvals.rulebook import current_rules
from approvals.sms_workflow.decisions import facts_by_hand

_WORDS = re.compile(r"\s+|[^\s]+")


@dataclass(frozen=True, kw_only=True)
class Change:
    """A run of words: `kind` is kept, added or taken (out)."""

    kind: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What is known of the words. `folded` is the same text without accents, empty unless that saves a part."""

    words: str
    gates: Sequence[Gate]
    figures: Sequence[Figure]
    segments: Segments
    folded: str
    changes: Sequence[Change]

    @property
    def reds(self) -> list[Gate]:
        return [gate for gate in self.gates if gate.level is Level.RED]

    @property
    def ambers(self) -> list[Gate]:
        return [gate for gate in self.gates if gate.level is Level.AMBER]

    @property
    def green(self) -> bool:
        return not self.reds and not self.ambers

    @property
    def edited(self) -> bool:
        return bool(self.changes)


def check_words(
    response: QueuedResponse, text: str, *, holds: Sequence[str] | None = None, rules: Rules | None = None
) -> Checked:
    """The same gates as at the decision, on the bytes that would be sent. Changes nothing."""
    words, rules = strip_invisible(text).strip(), rules or current_rules()
    facts = facts_by_hand(response, holds=holds)
    return Checked(
        words=words,
        gates=check_gates(words, facts, rules),
        figures=figures(words, facts, rules),
        segments=measure(words),
        folded=_folded(words),
        changes=difference(response.ai_response, words) if words != response.ai_response else (),
    )


def _folded(words: str) -> str:
    folded = fold_accents(words)
    return folded if measure(folded).parts < measure(words).parts else ""


def difference(before: str, after: str) -> tuple[Change, ...]:
    """Word by word, in reading order; what was taken out stands before what came in its place."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    changes: list[Change] = []
    for kind, start, end, new_start, new_end in difflib.SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        if kind == "equal":
            changes.append(Change(kind="kept", text="".join(old[start:end])))
            continue
        if start < end:
            changes.append(Change(kind="taken", text="".join(old[start:end])))
        if new_start < new_end:
            changes.append(Change(kind="added", text="".join(new[new_start:new_end])))
    return tuple(changes)
