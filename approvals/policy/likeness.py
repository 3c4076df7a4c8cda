"""How like the labelled messages of a kind a message is: for the wordings that no phrase foresees.

The phrases of the language files say what they hear and why, and they come first. People find other words all the same,
so a linear model (multinomial logistic regression over words, pairs of words and groups of letters) is learned from our
own labelled messages by `manage.py teachreading`. Here it is only read: a line of `likeness_weights/*.tsv` is one
feature with its weight for each label. Nothing is asked of any service, and the same text always has the same shares.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import exp, sqrt
from pathlib import Path

from approvals.policy.words import Words

FOLDER = Path(__file__).parent / "likeness_weights"
# The weights stand in the files as whole hundredths.
UNIT = 100
_GROUPS = (3, 4)


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """What has been learned for one question: the possible labels, and what each feature says for each of them."""

    labels: tuple[str, ...]
    bias: tuple[int, ...]
    weights: Mapping[str, tuple[int, ...]]

    def shares(self, words: Words) -> dict[str, float]:
        """The probability of every label; together they are 1."""
        known = [self.weights[feature] for feature in features(words) if feature in self.weights]
        length = sqrt(len(known)) or 1.0
        sums = [sum(column) / length for column in zip(*known, strict=True)] or [0.0] * len(self.labels)
        odds = [exp((bias + said) / UNIT) for bias, said in zip(self.bias, sums, strict=True)]
        return {label: value / sum(odds) for label, value in zip(self.labels, odds, strict=True)}

    def telling(self, words: Words, label: str) -> str:
        """The word or pair of words that speaks most for the label."""
        place = self.labels.index(label)
        said = [feature for feature in features(words) if feature in self.weights and not feature.startswith("#")]
        return max(said, key=lambda feature: self.weights[feature][place], default=words.text.strip()).replace("_", " ")


@cache
def likeness(question: str) -> Likeness:
    """What has been learned for `escalation`, `opt_out` or `plans`; loaded once per process."""
    labels, bias, *rest = (line.split("\t") for line in _lines(question))
    return Likeness(
        labels=tuple(labels[1:]),
        bias=tuple(map(int, bias[1:])),
        weights={feature: tuple(map(int, values)) for feature, *values in rest},
    )


def features(words: Words) -> tuple[str, ...]:
    """Every word ("stop"), every pair ("stop_texting") and every group of letters ("#top$"), each once."""
    said = words.text.split()
    pairs = [f"{one}_{other}" for one, other in pairwise(said)]
    return tuple(dict.fromkeys([*said, *pairs, *_groups(said)]))


def _groups(said: list[str]) -> Iterator[str]:
    for word in said:
        framed = f"^{word}$" if word.isalpha() else ""
        for length in _GROUPS:
            yield from (f"#{framed[place : place + length]}" for place in range(len(framed) - length + 1))


def _lines(question: str) -> list[str]:
    return (FOLDER / f"{question}.tsv").read_text(encoding="utf-8").splitlines()
