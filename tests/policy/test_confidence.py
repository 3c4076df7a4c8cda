"""How sure we are that a manager would send a draft unchanged."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from approvals.policy.confidence import Confidence, Curve, Part, estimate


def confidence(**changes: Any) -> Confidence:
    facts: dict[str, Any] = {
        "model_figure": Decimal("0.9"),
        "account_age": timedelta(minutes=1),
        "account_complete": True,
        "tenant_message": "i can pay friday",
        "language_guessed": False,
        "tenant_known": True,
    }
    return estimate(**(facts | changes))


@pytest.mark.parametrize(
    ("changes", "codes", "score"),
    [
        pytest.param({}, ("model",), "0.9", id="the-models-own-figure"),
        pytest.param({"model_figure": None}, ("plain_text_answer",), "0.75", id="a-plain-text-answer"),
        pytest.param({"model_figure": Decimal(7)}, ("plain_text_answer",), "0.75", id="a-figure-that-is-none"),
        pytest.param({"account_age": timedelta(days=2)}, ("model", "stale_account"), "0.80", id="old-account"),
        pytest.param({"account_age": None}, ("model", "stale_account"), "0.80", id="account-of-unknown-age"),
        pytest.param({"account_complete": False}, ("model", "incomplete_account"), "0.70", id="incomplete-account"),
        pytest.param({"tenant_message": "?"}, ("model", "unclear_message"), "0.80", id="no-words"),
        pytest.param({"tenant_message": "2435"}, ("model", "unclear_message"), "0.80", id="a-bare-number"),
        pytest.param({"language_guessed": True}, ("model", "language_guessed"), "0.85", id="guessed-language"),
        pytest.param(
            {"tenant_known": False, "account_age": None, "account_complete": False},
            ("model", "unknown_tenant"),
            "0.60",
            id="an-unknown-tenant-has-no-account-to-blame",
        ),
    ],
)
def test_weak_facts_lower_it_and_every_part_is_kept(
    changes: dict[str, Any], codes: tuple[str, ...], score: str
) -> None:
    estimated = confidence(**changes)
    assert tuple(part.code for part in estimated.parts) == codes
    assert estimated.score == Decimal(score) == sum(part.value for part in estimated.parts)


def test_it_never_leaves_zero_to_one() -> None:
    weakest = confidence(model_figure=Decimal("0.1"), account_complete=False, tenant_message="?", language_guessed=True)
    assert weakest.score == 0
    assert confidence(model_figure=Decimal(1)).score == 1


CURVE = Curve(
    points=(
        (Decimal("0.2"), Decimal("0.1")),
        (Decimal("0.6"), Decimal("0.1")),
        (Decimal("0.8"), Decimal("0.5")),
        (Decimal("1"), Decimal("0.9")),
    )
)


@pytest.mark.parametrize(
    ("figure", "probability"),
    [
        pytest.param("0", "0.1", id="below-the-first-point-it-is-level"),
        pytest.param("0.2", "0.1", id="the-first-point"),
        pytest.param("0.4", "0.1", id="a-level-stretch"),
        pytest.param("0.7", "0.3", id="half-way-between-two-points"),
        pytest.param("0.8", "0.5", id="on-a-point"),
        pytest.param("0.867", "0.634", id="to-a-thousandth"),
        pytest.param("1", "0.9", id="the-last-point"),
    ],
)
def test_a_curve_is_straight_between_its_points(figure: str, probability: str) -> None:
    assert CURVE.at(Decimal(figure)) == Decimal(probability)


def test_a_surer_draft_never_becomes_less_sure_than_another() -> None:
    figures = [Decimal(number) / 1000 for number in range(1001)]
    probabilities = [CURVE.at(figure) for figure in figures]
    assert probabilities == sorted(probabilities)


@pytest.mark.parametrize(
    "points",
    [
        pytest.param([], id="no-point"),
        pytest.param([("0.1", "0.5"), ("0.9", "0.4")], id="it-falls"),
        pytest.param([("0.5", "0.1"), ("0.5", "0.9")], id="two-answers-for-one-figure"),
        pytest.param([("0.9", "0.1"), ("0.5", "0.9")], id="out-of-order"),
        pytest.param([("0.5", "1.1")], id="more-than-certain"),
        pytest.param([("-0.5", "0.1")], id="less-than-nothing"),
    ],
)
def test_what_is_no_rising_curve_is_refused(points: list[tuple[str, str]]) -> None:
    with pytest.raises(ValueError, match="rise"):
        Curve(points=tuple((Decimal(figure), Decimal(probability)) for figure, probability in points))


def test_what_was_learned_is_the_last_part_and_the_sum_still_fits() -> None:
    learned = confidence(account_age=None, curve=CURVE)
    assert (learned.raw, learned.score) == (Decimal("0.8"), Decimal("0.5"))
    assert learned.parts[-1] == Part(code="learned", value=Decimal("-0.3"))
    assert sum(part.value for part in learned.parts) == learned.score


def test_without_a_curve_the_figure_of_the_rules_stands() -> None:
    assert confidence().raw == confidence().score == Decimal("0.9")
