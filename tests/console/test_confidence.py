"""The page about the confidence: who may see it, what it counts, and that an address made up by hand does no harm."""

import re
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from approvals.models import ConfidenceCurve, QueuedResponse
from tests.console.conftest import Card, SignedIn

PAGE = reverse("admin:approvals_reliability")


@pytest.fixture
def decided(card: Card) -> Any:
    """A draft that was kept back by the threshold alone, and what a manager made of it."""

    def make(figure: str, action: str | None, **fields: object) -> QueuedResponse:
        by = {"manager_action": action, "actioned_by": "maria", "actioned_at": timezone.now(), "status": "closed"}
        reasons = {"confidence_score": figure, "reasons": ["medium_confidence"]}
        return card(**{**reasons, **(by if action else {}), **fields})

    return make


def in_service(**fields: object) -> ConfidenceCurve:
    measured = {"brier_before": 0.2, "brier_after": 0.1, "log_loss_before": 0.6, "log_loss_after": 0.5}
    errors = {"calibration_error_before": 0.2, "calibration_error_after": 0.03}
    return ConfidenceCurve.objects.create(
        **{
            "method": "logistic",
            "points": [["0", "0"], ["1", "0.8"]],
            "turned_by": "sam",
            "reason": "Three months",
            **measured,
            **errors,
            **fields,
        }
    )


def read(browser: Client, **asked: str) -> str:
    """The page's words, without its markup."""
    answer = browser.get(PAGE, asked)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_who_may_see_replies_sees_the_page_and_nobody_else(signed_in: SignedIn, client: Client) -> None:
    for name, group in (("maria", "Managers"), ("audrey", "Auditors"), ("sam", "Supervisors"), ("olga", "Operators")):
        assert signed_in(name, group).get(PAGE).status_code == 200
        assert signed_in(name, group).get(reverse("admin:approvals_confidencecurve_changelist")).status_code == 200
    assert signed_in("nora", "No group").get(PAGE).status_code == 403
    assert client.get(PAGE).status_code == 302


def test_nothing_can_be_changed_there(signed_in: SignedIn) -> None:
    assert signed_in("sam", "Supervisors").post(PAGE, {"threshold": "10"}).status_code == 405


def test_another_threshold_is_held_against_todays(signed_in: SignedIn, decided: Any) -> None:
    for figure, action in (("0.840", "approve"), ("0.820", "modify"), ("0.810", "close"), ("0.700", "modify")):
        decided(figure, action)
    automatic = {"reasons": ["confident"], "actioned_by": "policy"}
    decided("0.900", "auto_approve", **automatic)
    decided("0.830", "approve", reasons=["medium_confidence", "gate_wrong_amount"])
    page = read(signed_in(), threshold="80")
    assert "Today above 85 % 1 texts by themselves" in page
    assert "With this threshold above 80 % 4 texts by themselves 3 more than today" in page
    assert "managers sent as they were 1 managers changed 1 managers escalated, closed or had drafted anew 1" in page
    assert "80 % 4 3 1 1 67 %" in page


def test_what_only_the_switch_kept_back_is_told_apart(signed_in: SignedIn, decided: Any) -> None:
    decided("0.900", "modify", reasons=["auto_send_disabled"])
    page = read(signed_in())
    assert "Today above 85 % 0 texts by themselves" in page
    assert "Not counted: 1 texts above this threshold" in page
    assert "changed or refused 1" in page


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        pytest.param("82.5", "82.5", id="half-a-per-cent"),
        pytest.param("10", "60", id="below-the-lower-threshold"),
        pytest.param("900", "100", id="more-than-certain"),
        pytest.param("", "85", id="nothing"),
        pytest.param("<b>", "85", id="no-number"),
        pytest.param("NaN", "85", id="not-a-number"),
        pytest.param("-Infinity", "60", id="less-than-everything"),
        pytest.param("1e999999999", "85", id="too-large-to-count"),
        pytest.param("80." + "1" * 400, "80.1", id="too-exact"),
    ],
)
def test_an_address_made_up_by_hand_is_read_as_well_as_can_be(signed_in: SignedIn, asked: str, shown: str) -> None:
    page = signed_in().get(PAGE, {"threshold": asked}).content.decode()
    assert f'value="{shown}"> %' in page
    assert "<b>%" not in page


def test_the_table_says_where_the_figure_is_too_sure(signed_in: SignedIn, decided: Any) -> None:
    for action in ("modify",) * 8 + ("approve",) * 2:
        decided("0.800", action)
    page = read(signed_in())
    assert "80–90 % 10 80 % 20 % 6 % to 51 %" in page
    assert "too sure" in page
    assert "60 points off on average" in page


def test_the_figure_of_the_rules_and_the_learned_one_are_looked_at_apart(signed_in: SignedIn, decided: Any) -> None:
    in_service()
    decided("0.640", "approve", raw_confidence="0.800")
    decided("0.720", "approve", raw_confidence="0.900", actioned_at=timezone.now() - timezone.timedelta(days=2))
    assert "60–70 % 1" in read(signed_in())
    assert "80–90 % 1" in read(signed_in(), view="rules")
    assert "1 decisions of managers since" in read(signed_in(), view="curve")
    ConfidenceCurve.objects.update(turned_at=timezone.now() - timezone.timedelta(days=3))
    cache.clear()
    assert "2 decisions of managers since" in read(signed_in(), view="curve")


def test_the_curve_in_service_counts_in_what_if(signed_in: SignedIn, decided: Any) -> None:
    decided("0.900", "auto_approve", reasons=["confident"], actioned_by="policy", raw_confidence="0.900")
    in_service()
    page = read(signed_in())
    assert "above 85 % 0 texts by themselves" in page
    assert "In service" in page
    assert "put into service by sam just now: “Three months”" in page
    in_service(method="off", points=[], reason="New model")
    assert "above 85 % 1 texts by themselves" in read(signed_in())
    assert "took the curve out of service just now: “New model”" in read(signed_in())


def test_the_page_asks_the_same_whatever_there_is(signed_in: SignedIn, decided: Any) -> None:
    browser = signed_in()

    def asked() -> int:
        cache.clear()
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(PAGE, {"threshold": "70"}).status_code == 200
        return len(queries)

    in_service()
    asked()
    few = asked()
    for number in range(40):
        decided(str(Decimal(600 + 9 * number) / 1000), ("approve", "modify", "close", None)[number % 4])
    assert asked() == few


def test_the_card_says_what_the_figure_was_before_the_decisions_had_their_say(signed_in: SignedIn, card: Card) -> None:
    parts = [{"code": "model", "value": "0.900"}, {"code": "learned", "value": "-0.180"}]
    one = card(confidence_score="0.720", raw_confidence="0.900", confidence_parts=parts)
    page = signed_in().get(reverse("admin:approvals_console_card", args=[one.pk])).content.decode()
    assert "Learned from decisions" in page
    assert "90 % by the written rules; of such drafts managers sent 72 % as they were." in page
