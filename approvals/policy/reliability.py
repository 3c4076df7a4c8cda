"""Whether the confidence keeps its word, and what another threshold would have done: counts in, counts out."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from math import sqrt

from approvals.policy.confidence import Curve

BINS = 10
# Two-sided 95 %: so many standard errors.
Z = 1.96


class End(StrEnum):
    """What became of a draft. Only the first three are a person's judgement of its words."""

    UNCHANGED = "unchanged"
    CHANGED = "changed"
    REFUSED = "refused"
    WENT_OUT = "went_out"
    UNDECIDED = "undecided"


@dataclass(frozen=True, kw_only=True)
class Drafts:
    """So many drafts of one figure (0..1) that ended in the same way. REFUSED: escalated, closed or drafted anew."""

    figure: Decimal
    end: End
    count: int


# --- does the figure keep its word?


@dataclass(frozen=True, kw_only=True)
class Bin:
    """The judged drafts whose figure lies in `low`..`high`: what was foretold on average, and what managers did.

    `between` is where the true share lies with 95 % certainty (Wilson's interval); shares are None without a draft.
    """

    low: Decimal
    high: Decimal
    of: int
    unchanged: int
    foretold: float | None
    between: tuple[float, float] | None

    @property
    def share(self) -> float | None:
        return self.unchanged / self.of if self.of else None

    @property
    def honest(self) -> bool | None:
        """Whether what was foretold is compatible with what happened; None without a draft."""
        if self.between is None or self.foretold is None:
            return None
        return self.between[0] <= self.foretold <= self.between[1]


def reliability(drafts: Sequence[Drafts]) -> tuple[Bin, ...]:
    """Ten bins of equal width; a figure on a border belongs to the upper one, and 1 to the last."""
    return tuple(_bin(number, [draft for draft in drafts if _place(draft.figure) == number]) for number in range(BINS))


def calibration_error(bins: Sequence[Bin]) -> float | None:
    """How far foretold and found lie apart on average, weighted by the drafts (0..1); None without a draft."""
    total = sum(one.of for one in bins)
    if not total:
        return None
    return sum(abs((one.share or 0) - (one.foretold or 0)) * one.of for one in bins) / total


def _place(figure: Decimal) -> int:
    return min(int(figure * BINS), BINS - 1)


def _bin(number: int, drafts: Sequence[Drafts]) -> Bin:
    judged = [draft for draft in drafts if draft.end in (End.UNCHANGED, End.CHANGED, End.REFUSED)]
    of = sum(draft.count for draft in judged)
    unchanged = sum(draft.count for draft in judged if draft.end is End.UNCHANGED)
    foretold = float(sum(draft.figure * draft.count for draft in judged)) / of if of else None
    low, high = Decimal(number) / BINS, Decimal(number + 1) / BINS
    return Bin(low=low, high=high, of=of, unchanged=unchanged, foretold=foretold, between=_wilson(unchanged, of))


def _wilson(hits: int, of: int) -> tuple[float, float] | None:
    if not of:
        return None
    share, doubt = hits / of, Z * Z / of
    middle = share + doubt / 2
    reach = Z * sqrt(share * (1 - share) / of + doubt / (4 * of))
    return max(0.0, (middle - reach) / (1 + doubt)), min(1.0, (middle + reach) / (1 + doubt))


# --- what if the threshold were another one?


@dataclass(frozen=True, kw_only=True)
class WhatIf:
    """What would have gone out by itself above a threshold, and what is known of it.

    `went_out` did leave by themselves, so nobody judged them; a manager sent `unchanged`, `changed` or `refused`
    the others; of `undecided` nobody has said anything (they wait, or the tenant wrote again). `kept` would have waited
    for a manager; the `escalated` ones are not even sure enough for that.
    """

    threshold: Decimal
    went_out: int
    unchanged: int
    changed: int
    refused: int
    undecided: int
    kept: int
    escalated: int

    @property
    def by_itself(self) -> int:
        return self.went_out + self.unchanged + self.changed + self.refused + self.undecided

    @property
    def judged(self) -> int:
        return self.unchanged + self.changed + self.refused

    @property
    def wrong(self) -> int:
        """What a manager would not have sent as it was."""
        return self.changed + self.refused

    @property
    def wrong_share(self) -> float | None:
        return self.wrong / self.judged if self.judged else None


def what_if(
    drafts: Sequence[Drafts], *, threshold: Decimal, lower: Decimal = Decimal(0), curve: Curve | None = None
) -> WhatIf:
    """Counts drafts that nothing but the threshold keeps back, as if it had been `threshold` (strictly above goes).

    Strictly above `lower` a draft waits for a manager, else it is escalated; no `threshold` is below that.
    `drafts` carry the figure of the written rules when a `curve` is given: it is applied to them here, so that drafts
    of the time before it count as they would today.
    """
    ends, kept, escalated = dict.fromkeys(End, 0), 0, 0
    for draft in drafts:
        figure = curve.at(draft.figure) if curve else draft.figure
        if figure > threshold:
            ends[draft.end] += draft.count
        elif figure > lower:
            kept += draft.count
        else:
            escalated += draft.count
    counts = {str(end): count for end, count in ends.items()}
    return WhatIf(threshold=threshold, kept=kept, escalated=escalated, **counts)
