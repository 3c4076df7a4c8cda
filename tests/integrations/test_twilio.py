"""Twilio's Call resource, and its signature over callbacks."""

from datetime import UTC, datetime
from typing import Any

import pytest

from integrations import clients
from integrations.base import Refused, Unavailable
from integrations.twilio import (
    FINAL_STATES,
    MACHINES,
    AnsweredBy,
    CallState,
    CallStatus,
    Twilio,
    answered_by,
    is_signed_by_twilio,
)
from tests.outside_world import World

CALL: dict[str, Any] = {
    "sid": "CA1",
    "status": "completed",
    "answered_by": "machine_end_beep",
    "duration": "42",
    "to": "+15551230000",
    "date_created": "Tue, 31 Aug 2010 20:36:28 +0000",
}
CREATED = datetime(2010, 8, 31, 20, 36, 28, tzinfo=UTC)


@pytest.fixture
def twilio(world: World) -> Twilio:
    world.twilio.settings.TWILIO_ACCOUNT_SID = "AC1"
    world.twilio.settings.TWILIO_AUTH_TOKEN = "secret"
    clients.forget()
    twilio = clients.twilio()
    assert twilio is not None
    return twilio


def test_without_credentials_nobody_can_be_asked(world: World) -> None:
    assert clients.twilio() is None


def test_a_call_as_it_stands(world: World, twilio: Twilio) -> None:
    world.twilio.answers(CALL, to="GET /2010-04-01/Accounts/AC1/Calls/CA1.json")
    call = twilio.call("CA1", request_id="r")
    assert call == CallStatus(
        call_sid="CA1",
        state=CallState.COMPLETED,
        answered_by=AnsweredBy.MACHINE_END_BEEP,
        duration=42,
        to="+15551230000",
        created_at=CREATED,
    )
    assert call.is_final
    assert world.twilio.requests[0].headers["authorization"] == "Basic QUMxOnNlY3JldA=="


def test_a_call_in_the_queue_knows_little(world: World, twilio: Twilio) -> None:
    world.twilio.answers({"sid": "CA1", "status": "queued", "duration": None, "date_created": None})
    call = twilio.call("CA1", request_id="r")
    assert call is not None
    assert (call.is_final, call.duration, call.answered_by, call.created_at) == (False, None, None, None)


def test_an_unknown_call_is_none(world: World, twilio: Twilio) -> None:
    world.twilio.answers({"code": 20404}, status=404)
    assert twilio.call("CA1", request_id="r") is None


def test_wrong_credentials_are_a_refusal(world: World, twilio: Twilio) -> None:
    world.twilio.answers({"code": 20003}, status=401)
    with pytest.raises(Refused):
        twilio.call("CA1", request_id="r")


@pytest.mark.parametrize("broken", [{"sid": "CA1"}, {**CALL, "status": "dreaming"}, {**CALL, "duration": "long"}])
def test_an_answer_that_is_no_call_is_trouble(world: World, twilio: Twilio, broken: dict[str, Any]) -> None:
    world.twilio.answers(broken)
    with pytest.raises(Unavailable):
        twilio.call("CA1", request_id="r")


def test_recent_calls_to_a_number(world: World, twilio: Twilio) -> None:
    earlier = {**CALL, "sid": "CA0", "date_created": "Tue, 31 Aug 2010 20:00:00 +0000"}
    world.twilio.answers({"calls": [CALL, earlier]}, to="GET /2010-04-01/Accounts/AC1/Calls.json")
    calls = twilio.calls_to("+15551230000", since=CREATED, request_id="r")
    assert [call.call_sid for call in calls] == ["CA1"]
    assert world.twilio.requests[0].query == {"To": "+15551230000", "PageSize": "50"}


def test_no_calls_at_all(world: World, twilio: Twilio) -> None:
    world.twilio.answers({"calls": []})
    assert twilio.calls_to("+15551230000", since=CREATED, request_id="r") == ()


def test_the_last_five_statuses_are_final() -> None:
    assert list(CallState)[-5:] == [state for state in CallState if state in FINAL_STATES]


@pytest.mark.parametrize(("word", "who"), [("human", "human"), ("robot", "unknown"), (None, None)])
def test_a_new_word_for_who_answered_is_unknown(word: str | None, who: str | None) -> None:
    assert answered_by(word) == who


def test_a_machine_is_no_human() -> None:
    assert AnsweredBy.HUMAN not in MACHINES
    assert AnsweredBy.MACHINE_START in MACHINES


# The example of Twilio's documentation ("Validating requests are coming from Twilio") and of its own packages' tests.
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
FIELDS = {
    "CallSid": "CA1234567890ABCDE",
    "Digits": "1234",
    "From": "+14158675309",
    "To": "+18005551212",
    "Caller": "+14158675309",
}
SIGNATURE = "RSOYDt4T1cUTdK1PDd93/VVr8B8="


@pytest.mark.parametrize(
    ("change", "valid"),
    [
        pytest.param({}, True, id="documented-example"),
        pytest.param({"url": "https://mycompany.com:443/myapp.php?foo=1&bar=2"}, True, id="port-written-out"),
        pytest.param({"url": "http://mycompany.com/myapp.php?foo=1&bar=2"}, False, id="other-scheme"),
        pytest.param({"url": "https://mycompany.com/myapp.php?foo=1"}, False, id="other-query"),
        pytest.param({"fields": {**FIELDS, "Digits": "1235"}}, False, id="changed-field"),
        pytest.param({"fields": {**FIELDS, "Extra": ""}}, False, id="added-field"),
        pytest.param({"auth_token": "12346"}, False, id="other-token"),
        pytest.param({"signature": ""}, False, id="no-signature"),
        pytest.param({"signature": "ä"}, False, id="signature-outside-ascii"),
    ],
)
def test_only_twilio_signs_like_twilio(change: dict[str, Any], valid: bool) -> None:
    given: dict[str, Any] = {"url": URL, "fields": FIELDS, "signature": SIGNATURE, "auth_token": "12345"}
    assert is_signed_by_twilio(**{**given, **change}) is valid
