"""Who has the next word on a draft."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from approvals.policy.escalation import Category, Severity, Trigger
from approvals.policy.gates import Gate, Level
from approvals.policy.routing import Route, Verdict, choose_route
from approvals.policy.rules import Rules


@dataclass(frozen=True)
class Plan:
    auto_approvable: bool


def route(**changes: Any) -> Verdict:
    facts: dict[str, Any] = {
        "confidence": Decimal("0.95"),
        "triggers": (),
        "gates": (Gate(code="too_long", level=Level.GREEN),),
        "plan": None,
        "holds": (),
        "tenant_known": True,
        "model_escalates": False,
        "rules": Rules(),
    }
    return choose_route(**(facts | changes))


def trigger(category: Category) -> Trigger:
    return Trigger(category=category, severity=Severity.HIGH, phrase="...")


@pytest.mark.parametrize(
    ("changes", "verdict", "reasons"),
    [
        pytest.param({}, Route.SEND, ("confident",), id="nothing-speaks-against-it"),
        pytest.param({"confidence": Decimal("0.8501")}, Route.SEND, ("confident",), id="just-above-the-threshold"),
        pytest.param({"confidence": Decimal("0.85")}, Route.QUEUE, ("medium_confidence",), id="exactly-0.85"),
        pytest.param({"confidence": Decimal("0.6001")}, Route.QUEUE, ("medium_confidence",), id="just-above-0.60"),
        pytest.param({"confidence": Decimal("0.60")}, Route.ESCALATE, ("low_confidence",), id="exactly-0.60"),
        pytest.param({"confidence": Decimal(0)}, Route.ESCALATE, ("low_confidence",), id="none-at-all"),
        pytest.param({"triggers": (trigger(Category.HOSTILE),)}, Route.ESCALATE, ("hostile",), id="trigger"),
        pytest.param({"model_escalates": True}, Route.ESCALATE, ("model_escalates",), id="the-model-escalates"),
        pytest.param({"tenant_known": False}, Route.ESCALATE, ("unknown_tenant",), id="unknown-tenant"),
        pytest.param(
            {"gates": (Gate(code="wrong_amount", level=Level.RED),)}, Route.QUEUE, ("gate_wrong_amount",), id="red-gate"
        ),
        pytest.param({"gates": (Gate(code="too_long", level=Level.AMBER),)}, Route.SEND, ("confident",), id="amber"),
        pytest.param({"plan": Plan(auto_approvable=True)}, Route.SEND, ("confident",), id="small-plan"),
        pytest.param({"plan": Plan(auto_approvable=False)}, Route.QUEUE, ("plan_needs_a_manager",), id="large-plan"),
        pytest.param({"holds": ("dispute",)}, Route.QUEUE, ("hold_dispute",), id="contact-hold"),
        pytest.param(
            {"rules": Rules(auto_send_enabled=False)}, Route.QUEUE, ("auto_send_disabled",), id="automatic-sending-off"
        ),
    ],
)
def test_a_draft_takes_the_strictest_way_asked_for(
    changes: dict[str, Any], verdict: Route, reasons: tuple[str, ...]
) -> None:
    assert route(**changes) == Verdict(route=verdict, reasons=reasons)


def test_every_reason_is_named_once_and_the_gravest_way_wins() -> None:
    verdict = route(
        triggers=(trigger(Category.LEGAL), trigger(Category.HOSTILE), trigger(Category.LEGAL)),
        gates=(Gate(code="wrong_amount", level=Level.RED),),
        confidence=Decimal("0.5"),
    )
    assert verdict == Verdict(route=Route.ESCALATE, reasons=("legal", "hostile", "low_confidence"))


def test_a_manager_sees_all_that_kept_a_draft_from_leaving() -> None:
    verdict = route(
        gates=(Gate(code="wrong_amount", level=Level.RED), Gate(code="stale", level=Level.RED)),
        plan=Plan(auto_approvable=False),
        holds=("opt_out",),
        confidence=Decimal("0.7"),
    )
    assert verdict.reasons == (
        "hold_opt_out",
        "gate_wrong_amount",
        "gate_stale",
        "plan_needs_a_manager",
        "medium_confidence",
    )
