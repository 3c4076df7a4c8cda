"""How probable it is that a manager would send a draft unchanged, with the parts that the console shows.

The figure of the written rules is a sum. Where managers have decided often enough, a curve that was learned from their
decisions (`manage.py calibrate`) makes a probability of it.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

PLAIN_TEXT_ANSWER = Decimal("0.75")
FRESH_FOR = timedelta(hours=24)
STALE_ACCOUNT = Decimal("-0.10")
INCOMPLETE_ACCOUNT = Decimal("-0.20")
UNCLEAR_MESSAGE = Decimal("-0.10")
GUESSED_LANGUAGE = Decimal("-0.05")
UNKNOWN_TENANT = Decimal("-0.30")
# What the curve adds to the sum, or takes from it; the last of the parts.
LEARNED = "learned"
THOUSANDTH = Decimal("0.001")


@dataclass(frozen=True, kw_only=True)
class Part:
    """One summand: the model's own figure, or what a weak fact takes away (negative)."""

    code: str
    value: Decimal


@dataclass(frozen=True, kw_only=True)
class Confidence:
    """`score` is the sum of the parts, kept within 0..1."""

    score: Decimal
    parts: tuple[Part, ...]

    @property
    def raw(self) -> Decimal:
        """The figure of the written rules, before the managers' decisions had their say."""
        return self.score - sum((part.value for part in self.parts if part.code == LEARNED), Decimal(0))


@dataclass(frozen=True, kw_only=True)
class Curve:
    """How probable a draft of a figure turned out to be sent unchanged: points (figure, probability), all in 0..1.

    Both rise from point to point (the probability may stay as it is); ValueError where they do not.
    """

    points: tuple[tuple[Decimal, Decimal], ...]

    def __post_init__(self) -> None:
        figures = [figure for figure, _ in self.points]
        probabilities = [probability for _, probability in self.points]
        rising = figures == sorted(set(figures)) and probabilities == sorted(probabilities)
        if not (self.points and rising and all(0 <= value <= 1 for value in figures + probabilities)):
            raise ValueError("a curve is made of points that rise within 0..1")

    def at(self, figure: Decimal) -> Decimal:
        """The probability, to a thousandth: a straight line between two points, and level beyond the last ones."""
        place = bisect_right(self.points, figure, key=lambda point: point[0])
        if place == 0:
            return self.points[0][1].quantize(THOUSANDTH)
        if place == len(self.points):
            return self.points[-1][1].quantize(THOUSANDTH)
        (left, low), (right, high) = self.points[place - 1 : place + 1]
        return (low + (high - low) * (figure - left) / (right - left)).quantize(THOUSANDTH)


def estimate(
    *,
    model_figure: Decimal | None,
    account_age: timedelta | None,
    account_complete: bool,
    tenant_message: str,
    language_guessed: bool,
    tenant_known: bool,
    curve: Curve | None = None,
) -> Confidence:
    """The confidence in a draft. `model_figure` (0..1) is None for a plain-text answer; `account_age` is None when the
    account could not be fetched and nobody knows how old our copy is; without a `curve` the sum stands as it is."""
    parts = [_start(model_figure)]
    if not tenant_known:
        parts.append(Part(code="unknown_tenant", value=UNKNOWN_TENANT))
    else:
        parts.extend(_weak_account(account_age, account_complete))
    if is_unclear(tenant_message):
        parts.append(Part(code="unclear_message", value=UNCLEAR_MESSAGE))
    if language_guessed:
        parts.append(Part(code="language_guessed", value=GUESSED_LANGUAGE))
    total = sum((part.value for part in parts), Decimal(0))
    raw = min(max(total, Decimal(0)), Decimal(1))
    if curve is None:
        return Confidence(score=raw, parts=tuple(parts))
    score = curve.at(raw)
    return Confidence(score=score, parts=(*parts, Part(code=LEARNED, value=score - raw)))


def is_unclear(message: str) -> bool:
    """Nothing much to go by: no two words of letters ("?", "ok", "👍", "2435")."""
    words = [word for word in message.split() if any(character.isalpha() for character in word)]
    return len(words) < 2


def _start(model_figure: Decimal | None) -> Part:
    if model_figure is None or not 0 <= model_figure <= 1:
        return Part(code="plain_text_answer", value=PLAIN_TEXT_ANSWER)
    return Part(code="model", value=model_figure)


def _weak_account(age: timedelta | None, complete: bool) -> Iterator[Part]:
    if age is None or age > FRESH_FOR:
        yield Part(code="stale_account", value=STALE_ACCOUNT)
    if not complete:
        yield Part(code="incomplete_account", value=INCOMPLETE_ACCOUNT)
