"""Whether the confidence keeps its word, and what another threshold would have done."""

from decimal import Decimal
from itertools import pairwise

import pytest

from approvals.policy.confidence import Curve
from approvals.policy.reliability import Bin, Drafts, End, calibration_error, reliability, what_if


def drafts(*rows: tuple[str, str, int]) -> list[Drafts]:
    return [Drafts(figure=Decimal(figure), end=End(end), count=count) for figure, end, count in rows]


def filled(*rows: tuple[str, str, int]) -> list[Bin]:
    return [one for one in reliability(drafts(*rows)) if one.of]


def test_bins_say_what_was_foretold_and_what_managers_did() -> None:
    (one,) = filled(("0.72", "unchanged", 6), ("0.78", "changed", 2), ("0.78", "refused", 1), ("0.78", "undecided", 50))
    assert (one.low, one.high, one.of, one.unchanged) == (Decimal("0.7"), Decimal("0.8"), 9, 6)
    assert one.foretold == pytest.approx(0.74)
    assert one.share == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("figure", "low"), [("0", "0"), ("0.099", "0"), ("0.1", "0.1"), ("0.85", "0.8"), ("0.999", "0.9"), ("1", "0.9")]
)
def test_a_figure_on_a_border_belongs_to_the_upper_bin_and_certainty_to_the_last(figure: str, low: str) -> None:
    assert [one.low for one in filled((figure, "unchanged", 1))] == [Decimal(low)]


def test_what_left_by_itself_was_judged_by_nobody() -> None:
    assert filled(("0.9", "went_out", 100)) == []
    assert calibration_error(reliability(drafts(("0.9", "went_out", 100)))) is None


def test_the_interval_is_wilsons() -> None:
    # Nine of ten, and none of ten, as statistical tables have them.
    (nine,) = filled(("0.9", "unchanged", 9), ("0.9", "changed", 1))
    assert nine.between == pytest.approx((0.596, 0.982), abs=0.001)
    (none,) = filled(("0.9", "refused", 10))
    assert none.between == pytest.approx((0.0, 0.278), abs=0.001)
    assert (nine.honest, none.honest) == (True, False)


def test_the_error_is_the_mean_distance_weighted_by_drafts() -> None:
    honest = ("0.5", "unchanged", 1), ("0.5", "changed", 1)
    too_sure = ("0.9", "unchanged", 1), ("0.9", "changed", 1)
    assert calibration_error(reliability(drafts(*honest))) == pytest.approx(0)
    assert calibration_error(reliability(drafts(*honest, *too_sure))) == pytest.approx(0.2)


SOME = (
    ("0.95", "went_out", 40),
    ("0.86", "went_out", 10),
    ("0.85", "unchanged", 8),
    ("0.80", "changed", 3),
    ("0.75", "refused", 2),
    ("0.70", "undecided", 1),
)


@pytest.mark.parametrize(
    ("threshold", "by_itself", "wrong", "kept"),
    [
        pytest.param("0.85", 50, 0, 14, id="today-exactly-the-threshold-waits"),
        pytest.param("0.84", 58, 0, 6, id="a-little-lower"),
        pytest.param("0.74", 63, 5, 1, id="with-what-managers-changed-and-refused"),
        pytest.param("0.60", 64, 5, 0, id="everything"),
        pytest.param("0.90", 40, 0, 24, id="stricter-than-today"),
        pytest.param("1", 0, 0, 64, id="nothing-is-surer-than-certain"),
    ],
)
def test_another_threshold_counts_what_goes_and_what_managers_had_changed(
    threshold: str, by_itself: int, wrong: int, kept: int
) -> None:
    then = what_if(drafts(*SOME), threshold=Decimal(threshold))
    assert (then.by_itself, then.wrong, then.kept) == (by_itself, wrong, kept)


def test_what_is_not_sure_enough_for_a_manager_is_escalated() -> None:
    then = what_if(drafts(*SOME), threshold=Decimal("0.85"), lower=Decimal("0.75"))
    assert (then.by_itself, then.kept, then.escalated) == (50, 11, 3)


def test_the_share_that_was_wrong_is_of_what_managers_saw() -> None:
    then = what_if(drafts(*SOME), threshold=Decimal("0.6"))
    assert (then.judged, then.wrong_share) == (13, pytest.approx(5 / 13))
    assert what_if(drafts(*SOME), threshold=Decimal("0.9")).wrong_share is None


def test_a_lower_threshold_never_sends_less() -> None:
    counts = [what_if(drafts(*SOME), threshold=Decimal(step) / 100).by_itself for step in range(60, 101)]
    assert all(lower >= higher for lower, higher in pairwise(counts))


def test_drafts_of_earlier_days_count_as_the_learned_curve_would_see_them_today() -> None:
    doubtful = Curve(points=((Decimal(0), Decimal(0)), (Decimal(1), Decimal("0.9"))))
    then = what_if(drafts(*SOME), threshold=Decimal("0.85"), curve=doubtful)
    assert (then.by_itself, then.went_out) == (40, 40)
    assert doubtful.at(Decimal("0.95")) == Decimal("0.855")
