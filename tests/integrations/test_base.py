"""What all clients share, shown on the Monitor (may be repeated) and on the SMS Agent (must not be)."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx2
import pytest

from integrations import clients
from integrations.base import CircuitOpen, OutcomeUnknown, Refused, Unavailable, no_try_after, retry_after, text_of
from tests.outside_world import ALWAYS, Service, World

LOOKUP = "GET /tenants/lookup"
FOUND = {"tenant_id": "12345"}


def look_up() -> str | None:
    return clients.monitor().tenant_id_for_phone("+14155550100", request_id="workflow-1")


def send() -> object:
    return clients.sms_agent().send(to="+14155550100", body="Hello", conversation_id=None, request_id="workflow-1")


def test_every_call_carries_the_request_id(world: World) -> None:
    world.monitor.answers(FOUND)
    look_up()
    assert world.monitor.requests[0].headers["x-request-id"] == "workflow-1"


def test_no_telephone_number_gets_into_the_logs(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.monitor.answers(status=503)
    world.monitor.answers(FOUND)
    world.sms_agent.answers(status=404)
    with caplog.at_level(logging.DEBUG):
        look_up()
        clients.sms_agent().history("+14155550100", request_id="r")
    assert "attempt 1 of 3" in caplog.text
    assert "4155550100" not in caplog.text


@pytest.mark.parametrize("ending", ["", "/", "//"])
def test_no_slash_is_doubled_however_the_address_ends(world: World, ending: str) -> None:
    world.monitor.settings.MONITOR_URL += ending
    clients.forget()
    world.monitor.answers(FOUND, to=LOOKUP)
    assert look_up() == "12345"


@pytest.mark.parametrize(("header", "seconds"), [("inf", 3600), ("99999999999999", 3600), ("nan", None), ("-5", 0)])
def test_nobody_is_asked_to_come_back_next_year(header: str, seconds: float | None) -> None:
    assert retry_after(httpx2.Response(503, headers={"Retry-After": header})) == seconds


def test_no_try_begins_after_the_time_for_it(world: World) -> None:
    world.monitor.answers(status=503, times=ALWAYS)
    monitor = clients.monitor()
    slow = replace(monitor, retry_pause=0.5, sleep=lambda pause: time.sleep(0.05))
    with no_try_after(0.04), pytest.raises(Unavailable, match="no time"):
        slow.tenant_id_for_phone("+14155550100", request_id="workflow-1")
    assert len(world.monitor.requests) == 1
    with pytest.raises(Unavailable, match="503"):
        slow.tenant_id_for_phone("+14155550100", request_id="workflow-1")
    assert len(world.monitor.requests) == 4, "outside, all three tries are made"


def test_whoever_has_more_time_inside_has_no_more_than_outside(world: World) -> None:
    with no_try_after(-1), no_try_after(60), pytest.raises(Unavailable, match="no time"):
        look_up()
    assert world.monitor.requests == []


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_does_no_harm_twice_is_tried_again(world: World, status: int) -> None:
    world.monitor.answers(status=status, times=2)
    world.monitor.answers(FOUND)
    assert look_up() == "12345"
    assert len(world.monitor.requests) == 3


def test_there_are_three_tries_in_all(world: World) -> None:
    world.monitor.answers(status=503, times=ALWAYS)
    with pytest.raises(Unavailable) as trouble:
        look_up()
    assert len(world.monitor.requests) == 3
    assert (trouble.value.upstream, trouble.value.status) == ("collections_monitor", 503)


@pytest.mark.parametrize("happens", [Service.will_hang_up, Service.will_time_out], ids=["hangs-up", "times-out"])
def test_a_lost_answer_is_asked_for_again(world: World, happens: Callable[[Service], None]) -> None:
    happens(world.monitor)
    world.monitor.answers(FOUND)
    assert look_up() == "12345"


def test_the_pause_doubles_with_jitter_and_honours_retry_after(world: World) -> None:
    pauses: list[float] = []
    monitor = replace(clients.monitor(), retry_pause=1.0, sleep=pauses.append)
    world.monitor.answers(status=503)
    world.monitor.answers(status=429, headers={"retry-after": "4"})
    world.monitor.answers(FOUND)
    assert monitor.tenant_id_for_phone("+1", request_id="r") == "12345"
    assert 0.5 <= pauses[0] <= 1.5
    assert pauses[1] == 4.0


def test_the_pause_of_the_second_try_is_twice_the_first(world: World) -> None:
    pauses: list[float] = []
    monitor = replace(clients.monitor(), retry_pause=1.0, sleep=pauses.append)
    world.monitor.answers(status=503, times=3)
    with pytest.raises(Unavailable):
        monitor.tenant_id_for_phone("+1", request_id="r")
    assert 1.0 <= pauses[1] <= 3.0
    assert len(pauses) == 2


def test_a_thread_does_not_sleep_through_a_long_retry_after(world: World) -> None:
    world.monitor.answers(status=429, headers={"retry-after": "60"})
    with pytest.raises(Unavailable) as trouble:
        look_up()
    assert trouble.value.retry_after == 60.0
    assert len(world.monitor.requests) == 1


def test_a_refusal_is_not_repeated(world: World) -> None:
    world.monitor.answers(status=403)
    with pytest.raises(Refused) as trouble:
        look_up()
    assert trouble.value.status == 403


@pytest.mark.parametrize("happens", [Service.will_hang_up, Service.will_time_out], ids=["hangs-up", "times-out"])
def test_a_send_whose_answer_is_lost_is_never_repeated(world: World, happens: Callable[[Service], None]) -> None:
    happens(world.sms_agent)
    with pytest.raises(OutcomeUnknown):
        send()
    assert len(world.sms_agent.requests) == 1


def test_a_send_that_nobody_took_is_surely_unsent(world: World) -> None:
    world.sms_agent.is_down()
    with pytest.raises(Unavailable):
        send()


@pytest.mark.parametrize(
    ("what", "failure"),
    [
        pytest.param(httpx2.ConnectError, Unavailable, id="refused"),
        pytest.param(httpx2.ConnectTimeout, Unavailable, id="no-connection-in-time"),
        pytest.param(httpx2.PoolTimeout, Unavailable, id="no-connection-free"),
        pytest.param(httpx2.ReadTimeout, OutcomeUnknown, id="no-answer-in-time"),
        pytest.param(httpx2.WriteTimeout, OutcomeUnknown, id="half-sent"),
        pytest.param(httpx2.ReadError, OutcomeUnknown, id="cut-off"),
        pytest.param(httpx2.RemoteProtocolError, OutcomeUnknown, id="nonsense"),
    ],
)
def test_only_what_broke_before_the_first_byte_is_surely_unsent(
    world: World, what: type[httpx2.HTTPError], failure: type[Exception]
) -> None:
    def send() -> httpx2.Response:
        raise what("broken")

    with pytest.raises(failure):
        clients.sms_agent().once(send)


def test_a_wrong_address_is_named_and_nothing_is_sent(world: World) -> None:
    world.sms_agent.settings.SMS_AGENT_URL = "localhost:8002"
    clients.forget()
    with pytest.raises(Unavailable, match="UnsupportedProtocol"):
        send()


@pytest.mark.parametrize("status", [500, 429], ids=["trouble", "too-many"])
def test_five_failures_in_a_row_open_the_circuit_and_retries_count(world: World, status: int) -> None:
    world.monitor.answers(status=status, times=5)
    with pytest.raises(Unavailable):
        look_up()
    with pytest.raises(CircuitOpen) as trouble:
        look_up()
    assert len(world.monitor.requests) == 5
    assert trouble.value.retry_after is not None
    with pytest.raises(CircuitOpen):
        look_up()


def test_refused_connections_open_the_circuit(world: World) -> None:
    world.sms_agent.is_down()
    for _ in range(5):
        with pytest.raises(Unavailable, match="cannot be reached"):
            send()
    with pytest.raises(CircuitOpen):
        send()


def test_what_is_said_about_our_request_is_no_failure(world: World) -> None:
    world.monitor.answers(status=404, times=ALWAYS)
    for _ in range(6):
        assert look_up() is None


def test_a_success_forgives_the_failures_before_it(world: World) -> None:
    for _ in range(4):
        world.monitor.answers(status=500, times=2)
        world.monitor.answers(FOUND)
        assert look_up() == "12345"


def test_one_upstream_in_trouble_leaves_the_others_alone(world: World) -> None:
    world.monitor.answers(status=500, times=5)
    for _ in range(2):
        with pytest.raises(Unavailable):
            look_up()
    world.sms_agent.answers({"id": "2"}, status=202)
    send()


def test_health_is_asked_past_the_breaker(world: World) -> None:
    world.monitor.answers(status=500, times=5)
    for _ in range(2):
        with pytest.raises(Unavailable):
            look_up()
    world.monitor.answers({"ok": True}, to="GET /health")
    health = clients.monitor().health()
    assert (health.ok, health.circuit, health.error) == (True, "open", None)


def test_a_stand_in_is_known_by_its_answer(world: World) -> None:
    world.monitor.answers({"ok": True}, to="GET /health")
    assert clients.monitor().health().simulated


@pytest.mark.parametrize(
    ("address", "error"),
    [
        pytest.param("http://127.0.0.1:1", "no answer (ConnectError)", id="nobody-there"),
        pytest.param("http://[::1", "its address is wrong", id="no-address"),
    ],
)
def test_a_health_check_never_raises(world: World, address: str, error: str) -> None:
    world.monitor.settings.MONITOR_URL = address
    clients.forget()
    health = clients.monitor().health()
    assert not health.ok
    assert str(health.error).startswith(error)


def test_a_sick_service_says_what_it_answered(world: World) -> None:
    world.monitor.answers(status=503, to="GET /health")
    assert clients.monitor().health().error == "answered 503"


def test_a_redirect_is_not_followed(world: World) -> None:
    world.monitor.answers(status=307, headers={"location": "http://127.0.0.1:1/"})
    with pytest.raises(Refused):
        look_up()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        pytest.param("7", 7.0, id="seconds"),
        pytest.param("0.5", 0.5, id="fraction"),
        pytest.param("-3", 0.0, id="negative"),
        pytest.param("Wed, 21 Oct 2015 07:28:00 GMT", 0.0, id="past-date"),
        pytest.param("soon", None, id="nonsense"),
        pytest.param("", None, id="absent"),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(header: str, seconds: float | None) -> None:
    assert retry_after(httpx2.Response(503, headers={"retry-after": header})) == seconds


def test_retry_after_in_the_future_is_counted_from_now() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    assert retry_after(httpx2.Response(503, headers={"retry-after": soon})) == pytest.approx(29.5, abs=1.5)


@pytest.mark.parametrize(
    ("value", "text"),
    [(12, "12"), ("12", "12"), (" a ", "a"), ("", None), (None, None), (True, None), ([], None), (0, "0")],
    ids=repr,
)
def test_ids_may_be_numbers_or_strings(value: object, text: str | None) -> None:
    assert text_of(value) == text
