"""The stand-ins, asked by our own clients: they speak the same wire formats as the real services."""

import threading
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx2
import phonenumbers
import pytest
from pytest_django import Settings

from integrations import clients
from integrations.base import OutcomeUnknown, Refused, Unavailable
from integrations.call_handler import CallReceipt
from integrations.notifications import Channel, Priority
from integrations.simulators import Service, Simulators
from integrations.simulators.people import people
from integrations.simulators.server import Answer, Listener, Request
from integrations.sms_agent import Receipt
from integrations.twilio import AnsweredBy, CallState
from tests.outside_world import LoopThread

# Without the environment's certificates, which nothing here needs.
HTTP = httpx2.Client(verify=False, trust_env=False)
MARIA = "+14155550100"
SETTINGS = {
    "monitor": "MONITOR_URL",
    "sms_agent": "SMS_AGENT_URL",
    "notifications": "NOTIFICATION_URL",
    "call_handler": "CALL_HANDLER_URL",
    "language_model": "OPENAI_BASE_URL",
}


class StandIns:
    """The stand-ins as a test sees them: their addresses, and their switches."""

    def __init__(self, services: dict[str, Service]) -> None:
        self.services = services

    def address(self, name: str) -> str:
        listener = self.services[name].listener
        assert listener is not None
        return f"http://127.0.0.1:{listener.port}"

    def control(self, name: str, **switches: Any) -> httpx2.Response:
        return HTTP.post(f"{self.address('monitor')}/_control/{name}", json=switches)

    def get(self, name: str, path: str) -> Any:
        return HTTP.get(self.address(name) + path).json()


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[StandIns, LoopThread]]:
    simulators, loop = Simulators.with_tenants(60), LoopThread()
    loop.run(simulators.open("127.0.0.1", dict.fromkeys(SETTINGS, 0)))
    yield StandIns(simulators.services), loop
    loop.run(simulators.close())
    loop.close()


@pytest.fixture
def stand_ins(running: tuple[StandIns, LoopThread], settings: Settings) -> Iterator[StandIns]:
    """All switches off, all records empty, and our clients pointed at them."""
    stand_ins, _ = running
    for name, setting in SETTINGS.items():
        setattr(settings, setting, stand_ins.address(name))
        HTTP.delete(f"{stand_ins.address('monitor')}/_control/{name}")
    settings.OPENAI_API_KEY = "any"
    settings.RETRY_PAUSE_SECONDS = 0.0
    settings.SMS_AGENT_TIMEOUT_SECONDS = 5.0
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = "AC1", "secret"
    settings.TWILIO_API_URL = stand_ins.address("call_handler")
    settings.BREAKER_STORE = "integrations.breaker.MemoryStore"
    clients.forget()
    yield stand_ins
    clients.forget()


def send(body: str = "Hello", to: str = MARIA, conversation_id: str | None = None) -> Receipt:
    return clients.sms_agent().send(to=to, body=body, conversation_id=conversation_id, request_id="r")


def order(phone: str = "+15551230000", instructions: str = "Order a pizza") -> CallReceipt:
    return clients.call_handler().order(phone=phone, instructions=instructions, request_id="r")


def texts() -> list[str]:
    history = clients.sms_agent().history(MARIA, request_id="r")
    return [] if history is None else [item.body for item in history.items]


def test_invented_tenants_have_invented_numbers_that_are_valid() -> None:
    everybody = people(2000)
    assert len({person.phone for person in everybody}) == len({person.id for person in everybody}) == 2000
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(person.phone)) for person in everybody)
    assert all("55501" in person.phone for person in everybody)
    assert {person.language_code for person in everybody[:60]} == {"en", "es", "pt", "ht"}


def test_they_say_that_they_are_stand_ins(stand_ins: StandIns) -> None:
    health = {upstream.name: upstream.health() for upstream in clients.all_upstreams()}
    assert all(report.ok and report.simulated for report in health.values()), health
    assert stand_ins.get("sms_agent", "/health")["simulated"] is True


@pytest.mark.parametrize("older_shape", [False, True], ids=["as-recorded", "short-guide"])
def test_the_monitor_knows_its_tenants(stand_ins: StandIns, older_shape: bool) -> None:
    stand_ins.control("monitor", older_shape=older_shape)
    tenant_id = clients.monitor().tenant_id_for_phone(MARIA, request_id="r")
    assert tenant_id == "12345"
    tenant = clients.monitor().tenant(tenant_id, request_id="r")
    assert tenant is not None
    assert (tenant.name, tenant.amount_owed) == ("Maria Lopez", Decimal(600))


@pytest.mark.parametrize("status", [404, 204])
def test_an_unknown_number_is_nobodys(stand_ins: StandIns, status: int) -> None:
    stand_ins.control("monitor", lookup_miss_status=status)
    assert clients.monitor().tenant_id_for_phone("+14155559999", request_id="r") is None
    assert clients.monitor().tenant("99999", request_id="r") is None
    assert clients.monitor().tenant("no tenant", request_id="r") is None


def test_the_monitor_lists_and_counts(stand_ins: StandIns) -> None:
    assert stand_ins.get("monitor", "/monitor/delinquent?page=1")["data"]["total"] == 60
    assert stand_ins.get("monitor", "/monitor/stats")["data"]["total_tenants"] == 60


def test_a_text_is_kept_and_read_back(stand_ins: StandIns) -> None:
    receipt = send("First", conversation_id="7")
    send("Second")
    assert receipt.provider_id is not None
    assert receipt.conversation_id == "7"
    assert texts() == ["First", "Second"]
    assert [sent["body"] for sent in stand_ins.get("sms_agent", "/_sent")] == ["First", "Second"]


def test_the_older_history_is_understood(stand_ins: StandIns) -> None:
    send("First")
    send("Second")
    stand_ins.control("sms_agent", older_shape=True)
    assert texts() == ["First", "Second"]


@pytest.mark.parametrize(
    ("message", "status"),
    [
        pytest.param({"to": MARIA, "body": "x", "conversation_id": "a-uuid"}, 422, id="conversation-id-no-number"),
        pytest.param({"to": MARIA}, 422, id="no-body"),
        pytest.param([], 422, id="no-object"),
        pytest.param({"to": MARIA, "body": " "}, 400, id="empty"),
        pytest.param({"to": "555", "body": "x"}, 400, id="bad-phone"),
    ],
)
def test_the_sms_agent_complains_as_the_real_one(stand_ins: StandIns, message: Any, status: int) -> None:
    answer = HTTP.post(f"{stand_ins.address('sms_agent')}/sms/send", json=message)
    assert answer.status_code == status
    assert stand_ins.get("sms_agent", "/_sent") == []


@pytest.mark.parametrize(
    ("switches", "failure", "sent"),
    [
        pytest.param({"fail_next": 1, "fail_status": 400}, Refused, [], id="refused"),
        pytest.param({"fail_next": 1, "fail_status": 502, "after_the_fact": True}, OutcomeUnknown, ["Hello"], id="502"),
        pytest.param({"fail_next": 1, "fail_status": 502}, OutcomeUnknown, [], id="502-without-the-text"),
        pytest.param({"fail_next": 1, "fail_status": 429, "retry_after": 3}, Unavailable, [], id="too-many"),
    ],
)
def test_a_send_that_fails(
    stand_ins: StandIns, switches: dict[str, Any], failure: type[Exception], sent: list[str]
) -> None:
    stand_ins.control("sms_agent", **switches)
    with pytest.raises(failure) as trouble:
        send()
    assert texts() == sent
    assert getattr(trouble.value, "retry_after", None) == switches.get("retry_after")


def test_a_send_that_is_done_and_never_answered(stand_ins: StandIns, settings: Settings) -> None:
    settings.SMS_AGENT_TIMEOUT_SECONDS = 0.2
    clients.forget()
    stand_ins.control("sms_agent", hang_next=1, after_the_fact=True)
    with pytest.raises(OutcomeUnknown):
        send()
    assert texts() == ["Hello"]


def test_a_failure_can_be_kept_for_what_does_something(stand_ins: StandIns) -> None:
    stand_ins.control("sms_agent", fail_next=1, fail_status=502, spare_reads=True)
    assert clients.sms_agent().history(MARIA, limit=5, request_id="r") is None
    with pytest.raises(OutcomeUnknown):
        send()


def test_a_send_that_is_done_twice(stand_ins: StandIns) -> None:
    stand_ins.control("sms_agent", duplicate_next=1)
    send()
    assert texts() == ["Hello", "Hello"]


def test_a_service_refuses_connections_and_comes_back(stand_ins: StandIns) -> None:
    send("Before")
    assert stand_ins.control("sms_agent", refuse=True).json()["refuse"] is True
    with pytest.raises(Unavailable):
        send("Lost")
    stand_ins.control("sms_agent", refuse=False)
    send("After")
    assert texts() == ["Before", "After"]


def test_latency_is_waited_for(stand_ins: StandIns) -> None:
    stand_ins.control("monitor", latency_ms=60, jitter_ms=10)
    assert clients.monitor().tenant_id_for_phone(MARIA, request_id="r") == "12345"
    answer = HTTP.get(f"{stand_ins.address('monitor')}/monitor/tenant/12345")
    assert answer.elapsed.total_seconds() >= 0.05


@pytest.mark.parametrize(
    "switches",
    [{"speed": 3}, {"latency_ms": "fast"}, {"refuse": 1}, {"fail_next": True}],
    ids=["unknown", "text-for-number", "number-for-yes", "yes-for-number"],
)
def test_a_wrong_switch_is_refused(stand_ins: StandIns, switches: dict[str, Any]) -> None:
    answer = stand_ins.control("sms_agent", **switches)
    assert answer.status_code == 400
    assert next(iter(switches)) in answer.json()["detail"]


def test_what_came_in_is_shown_without_keys(stand_ins: StandIns) -> None:
    send()
    (request,) = stand_ins.get("monitor", "/_requests/sms_agent")
    assert (request["path"], request["body"]) == ("/sms/send", {"to": MARIA, "body": "Hello"})
    assert request["headers"]["x-request-id"] == "r"
    assert "authorization" not in request["headers"]


@pytest.mark.parametrize("path", ["/_nothing", "/_control/nobody"])
def test_there_is_nothing_else_to_control(stand_ins: StandIns, path: str) -> None:
    assert HTTP.get(stand_ins.address("monitor") + path).status_code == 404


@pytest.mark.parametrize("name", SETTINGS)
def test_other_addresses_are_not_found(stand_ins: StandIns, name: str) -> None:
    assert HTTP.get(f"{stand_ins.address(name)}/nothing/here").status_code == 404


class Listening:
    """Somebody who is told things."""

    def __init__(self) -> None:
        self.told: list[Request] = []
        self.heard = threading.Event()

    def respond(self, request: Request) -> Answer:
        self.told.append(request)
        self.heard.set()
        return Answer(status=202, document={})


@pytest.fixture
def listening(running: tuple[StandIns, LoopThread]) -> Iterator[tuple[str, Listening]]:
    listening, (_, loop) = Listening(), running
    listener = Listener(listening.respond)
    loop.run(listener.open())
    yield f"http://127.0.0.1:{listener.port}/told", listening
    loop.run(listener.close())


def test_an_inbound_text_is_handed_on(stand_ins: StandIns, listening: tuple[str, Listening]) -> None:
    address, somebody = listening
    stand_ins.control("sms_agent", forward_to=address, forward_token="secret")
    text = {"from": MARIA, "body": "I can pay"}
    assert HTTP.post(f"{stand_ins.address('sms_agent')}/_inbound", json=text).status_code == 201
    assert somebody.heard.wait(5)
    (told,) = somebody.told
    assert told.headers["authorization"] == "Bearer secret"
    assert {key: told.json[key] for key in ("tenant_id", "phone_number", "content")} == {
        "tenant_id": "12345",
        "phone_number": MARIA,
        "content": "I can pay",
    }
    assert texts() == ["I can pay"]


def test_an_inbound_text_needs_words_and_a_sender(stand_ins: StandIns) -> None:
    assert HTTP.post(f"{stand_ins.address('sms_agent')}/_inbound", json={}).status_code == 422


def test_the_outcome_of_a_call_is_reported(stand_ins: StandIns, listening: tuple[str, Listening]) -> None:
    address, somebody = listening
    stand_ins.control("call_handler", report_to=address, report_after_ms=1, outcome="busy")
    placed = order()
    assert somebody.heard.wait(5)
    assert somebody.told[0].json == {
        "call_sid": placed.call_sid,
        "status": "busy",
        "duration": 0,
        "answered_by": None,
        "summary": "",
    }


def test_nobody_to_tell_harms_nobody(stand_ins: StandIns) -> None:
    stand_ins.control("call_handler", report_to="http://127.0.0.1:1/", report_after_ms=0)
    assert order().call_sid


@pytest.mark.parametrize("api", ["get", "post"])
def test_a_call_is_placed_and_twilio_knows_of_it(stand_ins: StandIns, settings: Settings, api: str) -> None:
    settings.CALL_HANDLER_API = api
    clients.forget()
    placed = order()
    twilio = clients.twilio()
    assert twilio is not None
    call = twilio.call(placed.call_sid, request_id="r")
    assert call is not None
    assert (call.state, call.answered_by, call.duration) == (CallState.COMPLETED, AnsweredBy.HUMAN, 42)
    assert call.created_at is not None
    assert twilio.calls_to("+15551230000", since=call.created_at, request_id="r")[0] == call
    assert twilio.call("CA0", request_id="r") is None


@pytest.mark.parametrize(
    ("switches", "phone", "instructions", "failure"),
    [
        pytest.param({}, "5", "Order", Refused, id="bad-number"),
        pytest.param({}, "+15551230000", " ", Refused, id="no-instructions"),
        pytest.param({"fail_next": 1, "fail_status": 400}, "+15551230000", "Order", Refused, id="provider-400"),
        pytest.param({"fail_next": 1, "fail_status": 429}, "+15551230000", "Order", Unavailable, id="provider-429"),
        pytest.param({"fail_next": 1, "fail_status": 500}, "+15551230000", "Order", OutcomeUnknown, id="provider-500"),
    ],
)
def test_an_order_that_fails(
    stand_ins: StandIns, switches: dict[str, Any], phone: str, instructions: str, failure: type[Exception]
) -> None:
    stand_ins.control("call_handler", **switches)
    with pytest.raises(failure):
        order(phone, instructions)
    assert stand_ins.get("call_handler", "/_sent") == []


def test_a_raw_plus_arrives_as_a_space(stand_ins: StandIns) -> None:
    address = stand_ins.address("call_handler")
    assert HTTP.get(f"{address}/order?instructions=x&phone_number=+15551230000").status_code == 400
    assert HTTP.get(f"{address}/order?instructions=x").status_code == 422


def test_an_email_is_tracked(stand_ins: StandIns) -> None:
    tracking_id = clients.notifications().send(
        channel=Channel.EMAIL,
        recipient="maria@example.com",
        subject="A reply waits",
        body="Please decide.",
        priority=Priority.NORMAL,
        metadata={},
        request_id="r",
    )
    (sent,) = stand_ins.get("notifications", "/_sent")
    assert sent["tracking_ids"] == [tracking_id]


@pytest.mark.parametrize("several", [True, False])
def test_the_notification_service_takes_several_recipients_and_no_nonsense(stand_ins: StandIns, several: bool) -> None:
    message = {"channel": "email", "content": {"body": "x"}} | ({"recipients": ["a", "b"]} if several else {})
    answer = HTTP.post(f"{stand_ins.address('notifications')}/notifications/send", json=message)
    assert answer.status_code == (200 if several else 422)
    assert answer.json().get("count") == (2 if several else None)
