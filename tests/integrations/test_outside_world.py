"""The fake of the outside world itself: a surprise must not go unnoticed."""

import pytest

from integrations import clients
from integrations.base import Unavailable
from tests.outside_world import World


def look_up() -> str | None:
    return clients.monitor().tenant_id_for_phone("+14155550100", request_id="r")


def test_an_unplanned_request_is_reported_with_the_plans(world: World) -> None:
    world.monitor.answers(to="POST /sms/send")
    with pytest.raises(Unavailable):
        look_up()
    (surprise, *_), world.monitor.unplanned = world.monitor.unplanned, []
    assert "monitor got GET /tenants/lookup {'phone': '+14155550100'}" in surprise
    assert "planned: POST /sms/send (1 left)" in surprise


def test_plans_are_used_in_order_and_once(world: World) -> None:
    world.monitor.answers({"tenant_id": 1})
    world.monitor.answers({"tenant_id": 2}, times=2)
    assert [look_up() for _ in range(3)] == ["1", "2", "2"]


def test_a_plan_for_another_call_is_kept(world: World) -> None:
    world.monitor.answers(status=404, to="GET /monitor/tenant/*")
    world.monitor.answers({"tenant_id": 2}, to="GET /tenants/lookup")
    assert look_up() == "2"
    assert clients.monitor().tenant("1", request_id="r") is None
