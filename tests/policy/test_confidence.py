"""How sure we are that a manager would send a draft unchanged."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from approvals.policy.confidence import Confidence, estimate


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
