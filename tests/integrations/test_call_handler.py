"""The call handler's wire format: above all, which of its 500s mean that a telephone may be ringing."""

from collections.abc import Callable

import pytest

from integrations import clients
from integrations.base import CircuitOpen, OutcomeUnknown, Refused, Unavailable
from integrations.call_handler import CallReceipt, InstructionsTooLong
from tests.outside_world import Service, World

PLACED = {"status": "Call initiated", "call_sid": "CA123"}


def order(instructions: str = "Order a pizza & pay") -> CallReceipt:
    return clients.call_handler().order(phone="+15551230000", instructions=instructions, request_id="task-1")


def twilio_said(sentence: str) -> dict[str, str]:
    return {"detail": f"Failed to initiate call via Twilio: {sentence}"}


def test_a_call_is_ordered_by_get_with_the_plus_encoded(world: World) -> None:
    world.call_handler.answers(PLACED, to="GET /order")
    assert order() == CallReceipt(call_sid="CA123")
    assert world.call_handler.requests[0].query == {
        "instructions": "Order a pizza & pay",
        "phone_number": "+15551230000",
    }


def test_a_newer_version_takes_a_post(world: World) -> None:
    world.call_handler.settings.CALL_HANDLER_API = "post"
    clients.forget()
    world.call_handler.answers(PLACED, to="POST /order")
    assert order() == CallReceipt(call_sid="CA123")
    assert world.call_handler.requests[0].json == {
        "target_phone_number": "+15551230000",
        "task_instruction": "Order a pizza & pay",
        "call_context": {},
    }


@pytest.mark.parametrize(
    ("status", "document", "failure", "told"),
    [
        pytest.param(400, {"detail": "Invalid phone number"}, Refused, 400, id="bad-number"),
        pytest.param(422, {"detail": [{"loc": ["query"]}]}, Refused, 422, id="parameter-missing"),
        pytest.param(408, None, OutcomeUnknown, 408, id="request-timeout"),
        pytest.param(429, None, Unavailable, 429, id="too-many"),
        pytest.param(500, twilio_said("HTTP 400 error: Unable to create record"), Refused, 400, id="provider-400"),
        pytest.param(500, twilio_said("HTTP 401 error: Authenticate"), Refused, 401, id="provider-401"),
        pytest.param(500, twilio_said("HTTP 429 error: Too many"), Unavailable, 429, id="provider-429"),
        pytest.param(500, twilio_said("HTTP 500 error: oops"), OutcomeUnknown, 500, id="provider-500"),
        pytest.param(500, twilio_said("HTTP 503 error: busy"), Unavailable, 503, id="provider-503"),
        pytest.param(500, {"detail": "Internal"}, OutcomeUnknown, 500, id="no-word-of-the-provider"),
        pytest.param(500, None, OutcomeUnknown, 500, id="no-detail"),
        pytest.param(502, None, OutcomeUnknown, 502, id="bad-gateway"),
        pytest.param(503, None, Unavailable, 503, id="unavailable"),
        pytest.param(200, {"status": "Call initiated"}, OutcomeUnknown, 200, id="no-call-sid"),
    ],
)
def test_what_an_answer_means(world: World, status: int, document: object, failure: type[Exception], told: int) -> None:
    world.call_handler.answers(document, status=status)
    with pytest.raises(failure) as trouble:
        order()
    assert trouble.type is failure
    assert getattr(trouble.value, "status", None) == told
    assert len(world.call_handler.requests) == 1


@pytest.mark.parametrize("happens", [Service.will_hang_up, Service.will_time_out], ids=["hangs-up", "times-out"])
def test_a_lost_answer_may_be_a_ringing_telephone(world: World, happens: Callable[[Service], None]) -> None:
    happens(world.call_handler)
    with pytest.raises(OutcomeUnknown):
        order()
    assert len(world.call_handler.requests) == 1


def test_a_refused_connection_rings_nobody(world: World) -> None:
    world.call_handler.is_down()
    with pytest.raises(Unavailable):
        order()


def test_five_bad_numbers_do_not_open_the_circuit(world: World) -> None:
    world.call_handler.answers(twilio_said("HTTP 400 error: bad number"), status=500, times=6)
    for _ in range(6):
        with pytest.raises(Refused):
            order()


def test_a_provider_that_has_too_much_to_do_opens_the_circuit_though_it_comes_as_a_500(world: World) -> None:
    world.call_handler.answers(twilio_said("HTTP 429 error: Too many"), status=500, times=5)
    for _ in range(5):
        with pytest.raises(Unavailable, match="429"):
            order()
    with pytest.raises(CircuitOpen):
        order()


def test_instructions_that_would_break_it_are_not_sent(world: World) -> None:
    world.call_handler.answers(PLACED)
    order("x" * 1500)
    with pytest.raises(InstructionsTooLong, match="1500 characters"):
        order("x" * 1501)


@pytest.mark.parametrize(("status", "ok"), [(200, True), (404, True), (502, False)])
def test_it_is_up_when_its_address_answers(world: World, status: int, ok: bool) -> None:
    world.call_handler.answers(status=status, to="GET /")
    assert clients.call_handler().health().ok is ok
