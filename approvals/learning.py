"""Learn from managers' decisions how probable it is that a draft of a figure is sent unchanged.

Only `manage.py calibrate` imports this module: scikit-learn stays out of web and worker, which apply nothing but the
points of the curve.

    learn        two kinds of curve are tried; the better one on decisions that it has not seen is returned
    logistic     Platt's way: two numbers, sound from few decisions on
    isotonic     any rising curve; scikit-learn advises against it below a thousand decisions
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss
from sklearn.model_selection import StratifiedKFold

from approvals.policy.confidence import Curve
from approvals.policy.reliability import Drafts, End, calibration_error, reliability

FOLDS = 5
ENOUGH_FOR_ISOTONIC = 1000
# Nobody is ever surer than this: a single surprise would cost an infinite log loss.
SUREST = 0.99
# Log-odds of 0 and 1 do not exist; figures are given to a thousandth.
EDGE = 0.001
POINTS = [Decimal(number) / 100 for number in range(101)]

Figures = np.ndarray[Any, np.dtype[np.float64]]
Fit = Callable[[Figures, Figures], "Curve"]


class CannotLearn(ValueError):
    """The decisions do not suffice, or teach nothing; the sentence says what is missing."""


@dataclass(frozen=True, kw_only=True)
class Quality:
    """How good probabilities are, each the smaller the better: squared error, surprise (nats), distance in the bins."""

    brier: float
    log_loss: float
    calibration_error: float


@dataclass(frozen=True, kw_only=True)
class Learned:
    """A curve, and how the figure does without and with it on decisions that the curve was not learned from.

    `lowest` and `highest` are the figures that were judged: beyond them the curve is a guess.
    """

    method: str
    curve: Curve
    decisions: int
    unchanged: int
    lowest: Decimal
    highest: Decimal
    before: Quality
    after: Quality

    @property
    def is_better(self) -> bool:
        """Whether the curve is worth having: in neither measure worse, and in one of them better than none."""
        brier, surprise = self.after.brier - self.before.brier, self.after.log_loss - self.before.log_loss
        return brier <= 0 and surprise <= 0 and (brier < 0 or surprise < 0)


def learn(drafts: Sequence[Drafts], *, at_least: int) -> Learned:
    """The better of the curves. Raises CannotLearn with fewer than `at_least` decisions, a tenth of them each way."""
    figures, unchanged = _as_arrays(drafts)
    _must_suffice(len(unchanged), int(unchanged.sum()), at_least)
    fits: dict[str, Fit] = {"logistic": _logistic}
    if len(unchanged) >= ENOUGH_FOR_ISOTONIC:
        fits["isotonic"] = _isotonic
    measured = {name: _quality(_cross_validated(fit, figures, unchanged), unchanged) for name, fit in fits.items()}
    best = min(measured, key=lambda name: measured[name].log_loss)
    return Learned(
        method=best,
        curve=fits[best](figures, unchanged),
        decisions=len(unchanged),
        unchanged=int(unchanged.sum()),
        lowest=min(draft.figure for draft in drafts),
        highest=max(draft.figure for draft in drafts),
        before=_quality(figures, unchanged),
        after=measured[best],
    )


def _as_arrays(drafts: Sequence[Drafts]) -> tuple[Figures, Figures]:
    """One figure and one 1 (sent unchanged) or 0 for each decision."""
    judged = [draft for draft in drafts if draft.end in (End.UNCHANGED, End.CHANGED, End.REFUSED)]
    counts = [draft.count for draft in judged]
    figures = np.repeat([float(draft.figure) for draft in judged], counts)
    return figures, np.repeat([float(draft.end is End.UNCHANGED) for draft in judged], counts)


def _must_suffice(decisions: int, unchanged: int, at_least: int) -> None:
    each, changed = max(FOLDS, at_least // 10), decisions - unchanged
    missing = [
        f"{decisions} decisions of managers, of {at_least} that it takes" if decisions < at_least else "",
        f"{unchanged} drafts sent unchanged, of {each} that it takes" if unchanged < each else "",
        f"{changed} drafts changed or not sent, of {each} that it takes" if changed < each else "",
    ]
    if any(missing):
        raise CannotLearn("There is not enough to learn from: " + "; ".join(filter(None, missing)) + ".")


def _logistic(figures: Figures, unchanged: Figures) -> Curve:
    """On log-odds, so that "as it stands" is one of the curves. A touch of regularisation keeps it finite."""
    model = LogisticRegression().fit(_log_odds(figures), unchanged)
    if model.coef_[0][0] <= 0:
        raise CannotLearn("Managers do not send surer drafts unchanged more often: the figure says nothing to them.")
    points = np.array([float(point) for point in POINTS])
    return _curve(points, model.predict_proba(_log_odds(points))[:, 1])


def _isotonic(figures: Figures, unchanged: Figures) -> Curve:
    model = IsotonicRegression(y_min=1 - SUREST, y_max=SUREST, out_of_bounds="clip").fit(figures, unchanged)
    return _curve(model.X_thresholds_, model.y_thresholds_)


def _log_odds(figures: Figures) -> Figures:
    inside = np.clip(figures, EDGE, 1 - EDGE)
    odds: Figures = np.log(inside / (1 - inside)).reshape(-1, 1)
    return odds


def _curve(figures: Figures, probabilities: Figures) -> Curve:
    rounded = [(Decimal(f"{x:.3f}"), Decimal(f"{y:.4f}")) for x, y in zip(figures, probabilities, strict=True)]
    return Curve(points=tuple(rounded))


def _cross_validated(fit: Fit, figures: Figures, unchanged: Figures) -> Figures:
    """What curves say of the decisions that they were not learned from: each fifth by the other four."""
    said = np.zeros_like(figures)
    for seen, unseen in StratifiedKFold(n_splits=FOLDS, shuffle=True, random_state=0).split(figures, unchanged):
        curve = fit(figures[seen], unchanged[seen])
        said[unseen] = [float(curve.at(Decimal(f"{figure:.3f}"))) for figure in figures[unseen]]
    return said


def _quality(said: Figures, unchanged: Figures) -> Quality:
    careful = np.clip(said, 1 - SUREST, SUREST)
    ends = [End.UNCHANGED if one else End.CHANGED for one in unchanged]
    each = [Drafts(figure=Decimal(f"{x:.3f}"), end=end, count=1) for x, end in zip(said, ends, strict=True)]
    return Quality(
        brier=float(brier_score_loss(unchanged, careful)),
        log_loss=float(log_loss(unchanged, careful)),
        calibration_error=calibration_error(reliability(each)) or 0.0,
    )
