"""The Collections Monitor's wire format, in both of its shapes."""

from decimal import Decimal
from typing import Any

import pytest

from integrations import clients
from integrations.base import Refused, Unavailable
from integrations.monitor import Tenant
from tests.outside_world import World

RECORDED: dict[str, Any] = {
    "id": 12345,
    "tenant_id": "12345",
    "tenant_name": "Maria Lopez",
    "unit_name": "2B",
    "property_name": "Elm Court",
    "amount_owed": "1250.00",
    "tenant_portion": "600.00",
    "days_late": 12,
    "priority_score": 55.5,
    "status": "delinquent",
    "language_preference": "spanish",
    "created_at": "2024-03-01T09:30:00",
    "phone_numbers": ["+14155550100", None],
    "payment_reliability_score": 7.5,
    "failed_payment_plans": 1,
    "successful_payment_plans": 3,
}


def ask(tenant_id: str = "12345") -> Tenant | None:
    return clients.monitor().tenant(tenant_id, request_id="r")


def test_a_tenant_as_the_running_service_answers(world: World) -> None:
    world.monitor.answers({"success": True, "data": {"tenant": RECORDED}}, to="GET /monitor/tenant/12345")
    assert ask() == Tenant(
        id="12345",
        name="Maria Lopez",
        unit="2B",
        property="Elm Court",
        phones=("+14155550100",),
        amount_owed=Decimal("1250.00"),
        portion=Decimal("600.00"),
        days_late=12,
        language="spanish",
        reliability=Decimal("7.5"),
        failed_plans=1,
        successful_plans=3,
        priority="55.5",
        status="delinquent",
    )


def test_a_tenant_as_the_short_guide_shows_it(world: World) -> None:
    info = {"tenant_id": 12345, "tenant_name": "Maria Lopez", "current_balance": 600.5, "days_late": 3}
    history = {"reliability_score": 4.0, "failed_plans": 2}
    world.monitor.answers({"success": True, "data": {"tenant_info": info, "payment_history": history}})
    assert ask() == Tenant(
        id="12345",
        name="Maria Lopez",
        amount_owed=Decimal("600.5"),
        portion=Decimal("600.5"),
        days_late=3,
        reliability=Decimal("4.0"),
        failed_plans=2,
    )


@pytest.mark.parametrize(
    ("sent", "understood"),
    [
        pytest.param("1,250.00", Decimal("1250.00"), id="thousands"),
        pytest.param("$95", Decimal(95), id="dollar-sign"),
        pytest.param(600, Decimal(600), id="number"),
        pytest.param("0.00", Decimal("0.00"), id="nothing-owed"),
        pytest.param(None, None, id="null"),
        pytest.param("", None, id="empty"),
        pytest.param("unknown", None, id="words"),
        pytest.param("NaN", None, id="not-a-number"),
        pytest.param(True, None, id="boolean"),
    ],
)
def test_money_is_read_exactly_or_not_at_all(sent: object, understood: Decimal | None) -> None:
    tenant = Tenant.from_json({"tenant": {**RECORDED, "amount_owed": sent, "tenant_portion": None}})
    assert (tenant.amount_owed, tenant.portion) == (understood, understood)


def test_a_portion_of_zero_is_not_the_whole_debt() -> None:
    tenant = Tenant.from_json({"tenant": {**RECORDED, "tenant_portion": "0.00"}})
    assert tenant.portion == Decimal(0)


def test_much_may_be_null() -> None:
    empty = dict.fromkeys(RECORDED) | {"id": 7}
    assert Tenant.from_json({"tenant": empty}) == Tenant(id="7", name="")


@pytest.mark.parametrize("status", [400, 404, 422], ids=["malformed-id", "unknown", "unprocessable"])
def test_an_unknown_tenant_is_none(world: World, status: int) -> None:
    world.monitor.answers({"detail": "Tenant not found"}, status=status)
    assert ask() is None


def test_an_id_stays_inside_its_part_of_the_path(world: World) -> None:
    world.monitor.answers(status=404)
    ask("../stats?x=1")
    assert world.monitor.requests[0].path == "/monitor/tenant/../stats?x=1"
    assert world.monitor.requests[0].query == {}


@pytest.mark.parametrize("dots", [".", ".."])
def test_dots_are_nobody_and_not_asked_for(world: World, dots: str) -> None:
    assert clients.monitor().tenant(dots, request_id="r") is None
    assert world.monitor.requests == []


def test_a_forbidden_tenant_is_a_refusal(world: World) -> None:
    world.monitor.answers(status=403)
    with pytest.raises(Refused):
        ask()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({"raw": b"<html>"}, id="no-json"),
        pytest.param({"document": []}, id="a-list"),
        pytest.param({"document": {"success": True, "data": None}}, id="no-data"),
        pytest.param({"document": {"data": {"tenant": {"tenant_name": "Maria"}}}}, id="no-id"),
    ],
)
def test_an_answer_that_names_no_tenant_is_trouble(world: World, answer: dict[str, Any]) -> None:
    world.monitor.answers(**answer)
    with pytest.raises(Unavailable):
        ask()


@pytest.mark.parametrize(
    ("status", "document", "tenant_id"),
    [
        pytest.param(200, {"tenant_id": "12345"}, "12345", id="found"),
        pytest.param(200, {"tenant_id": 12345}, "12345", id="found-number"),
        pytest.param(200, {"tenant_id": None}, None, id="null"),
        pytest.param(404, {"detail": "Not Found"}, None, id="none-or-no-such-call"),
        pytest.param(204, None, None, id="none"),
    ],
)
def test_a_phone_belongs_to_a_tenant_or_to_nobody(
    world: World, status: int, document: object, tenant_id: str | None
) -> None:
    world.monitor.answers(document, to="GET /tenants/lookup", status=status)
    assert clients.monitor().tenant_id_for_phone("+14155550100", request_id="r") == tenant_id
    assert world.monitor.requests[0].query == {"phone": "+14155550100"}
