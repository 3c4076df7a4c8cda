"""The SMS Agent's wire format: what is sent, and which answers mean that a text may have gone out."""

from datetime import UTC, datetime
from typing import Any

import pytest

from integrations import clients
from integrations.base import OutcomeUnknown, Refused, Unavailable
from integrations.sms_agent import Direction, History, HistoryItem, Receipt
from tests.outside_world import World

SEND = "POST /sms/send"
ACCEPTED = {"id": "2", "twilio_sid": "SM123", "conversation_id": 1}


def send(conversation_id: str | None = None) -> Receipt:
    return clients.sms_agent().send(
        to="+14155550100", body="Hello", conversation_id=conversation_id, request_id="workflow-1"
    )


def history() -> History | None:
    return clients.sms_agent().history("+14155550100", request_id="r")


def failed(category: str, status_code: int) -> dict[str, Any]:
    details = {"category": category, "status_code": status_code}
    return {"error": {"code": "sms.external_failed", "details": details}, "request_id": "x"}


def test_a_text_is_accepted_with_a_receipt(world: World) -> None:
    world.sms_agent.answers(ACCEPTED, to=SEND, status=202)
    assert send() == Receipt(provider_id="SM123", message_id="2", conversation_id="1")
    assert world.sms_agent.requests[0].json == {"to": "+14155550100", "body": "Hello"}


@pytest.mark.parametrize(
    ("ours", "sent"),
    [
        pytest.param("17", {"conversation_id": 17}, id="number"),
        pytest.param("6f1d3c1e-0c8e-4d8e-9d39-3a6b2f1f7c11", {}, id="uuid"),
        pytest.param("²", {}, id="superscript"),
        pytest.param("-1", {}, id="negative"),
        pytest.param("", {}, id="empty"),
        pytest.param(None, {}, id="none"),
    ],
)
def test_a_conversation_id_is_sent_only_when_it_is_a_number(
    world: World, ours: str | None, sent: dict[str, int]
) -> None:
    world.sms_agent.answers(ACCEPTED, to=SEND, status=202)
    send(ours)
    assert world.sms_agent.requests[0].json == {"to": "+14155550100", "body": "Hello"} | sent


@pytest.mark.parametrize(
    ("status", "document", "failure"),
    [
        pytest.param(400, {"detail": "Invalid phone number"}, Refused, id="bad-phone"),
        pytest.param(400, failed("permanent", 400), Refused, id="provider-refused"),
        pytest.param(401, failed("permanent", 401), Refused, id="provider-credentials"),
        pytest.param(404, None, Refused, id="wrong-address"),
        pytest.param(422, {"detail": [{"loc": ["body"]}]}, Refused, id="unprocessable"),
        pytest.param(429, None, Unavailable, id="too-many"),
        pytest.param(400, failed("transient", 500), OutcomeUnknown, id="transient-in-a-4xx"),
        pytest.param(408, None, OutcomeUnknown, id="request-timeout"),
        pytest.param(500, None, OutcomeUnknown, id="server-error"),
        pytest.param(502, failed("transient", 503), OutcomeUnknown, id="tried-three-times"),
        pytest.param(503, None, OutcomeUnknown, id="unavailable"),
        pytest.param(202, [], OutcomeUnknown, id="accepted-without-receipt"),
        pytest.param(202, {"conversation_id": 1}, OutcomeUnknown, id="receipt-without-id"),
    ],
)
def test_what_an_answer_to_a_send_means(world: World, status: int, document: object, failure: type[Exception]) -> None:
    world.sms_agent.answers(document, status=status)
    with pytest.raises(failure) as trouble:
        send()
    assert trouble.type is failure
    assert len(world.sms_agent.requests) == 1


def test_a_broken_answer_to_a_send_is_unknown(world: World) -> None:
    world.sms_agent.answers(raw=b"<html>OK</html>", status=202)
    with pytest.raises(OutcomeUnknown):
        send()


def test_a_refusal_says_what_the_provider_answered(world: World) -> None:
    world.sms_agent.answers(failed("permanent", 21610), status=400)
    with pytest.raises(Refused, match=r"answered 400: sms\.external_failed, the provider answered 21610"):
        send()


def test_a_refusal_keeps_telephone_numbers_to_itself(world: World) -> None:
    world.sms_agent.answers({"detail": "Invalid phone +1 (415) 555-0100 for Twilio 21211"}, status=400)
    with pytest.raises(Refused, match=r"answered 400: Invalid phone \(number\) for Twilio 21211$"):
        send()


@pytest.mark.parametrize("details", [None, "boom", {"category": 5}], ids=["none", "text", "odd-category"])
def test_an_odd_error_is_still_a_refusal(world: World, details: object) -> None:
    world.sms_agent.answers({"error": {"details": details}}, status=400)
    with pytest.raises(Refused):
        send()


def text(direction: str, content: str, at: str, **more: object) -> dict[str, Any]:
    return {"direction": direction, "message_content": content, "content": content, "created_at": at, **more}


def test_a_conversation_is_turned_round_and_its_times_are_utc(world: World) -> None:
    newest_first = [
        text("outbound", "How much?", "2026-11-20T15:02:00.5", twilio_sid="SM2", delivery_status="failed"),
        text("inbound", "I can pay", "2026-11-20T15:01:00", twilio_sid="SM1", delivery_status="received"),
    ]
    document = {"tenant_id": 12345, "messages": newest_first, "page": 1, "limit": 20, "offset": 0, "total": 2}
    world.sms_agent.answers(document, to="GET /conversations/+14155550100")
    assert history() == History(
        tenant_id="12345",
        items=(
            HistoryItem(
                direction=Direction.INBOUND,
                body="I can pay",
                at=datetime(2026, 11, 20, 15, 1, tzinfo=UTC),
                provider_id="SM1",
                delivery_status="received",
            ),
            HistoryItem(
                direction=Direction.OUTBOUND,
                body="How much?",
                at=datetime(2026, 11, 20, 15, 2, 0, 500_000, tzinfo=UTC),
                provider_id="SM2",
                delivery_status="failed",
            ),
        ),
    )
    assert world.sms_agent.requests[0].query == {"limit": "20", "page": "1"}


def test_texts_of_the_same_second_keep_their_order(world: World) -> None:
    same = "2026-11-20T15:01:00"
    world.sms_agent.answers({"messages": [text("inbound", word, same) for word in ("third", "second", "first")]})
    found = history()
    assert found is not None
    assert [item.body for item in found.items] == ["first", "second", "third"]


def test_the_older_guides_shape_is_understood(world: World) -> None:
    messages = [{"direction": "outbound", "content": "Hi", "timestamp": "2026-11-20T10:00:00-05:00"}]
    world.sms_agent.answers({"success": True, "conversation_id": 1, "messages": messages})
    found = history()
    assert found is not None
    assert [(item.body, item.at) for item in found.items] == [("Hi", datetime(2026, 11, 20, 15, tzinfo=UTC))]


def test_a_text_without_a_time_has_no_place(world: World) -> None:
    world.sms_agent.answers({"messages": [text("inbound", "x", "yesterday"), "no text at all"]})
    assert history() == History(tenant_id=None, items=())


@pytest.mark.parametrize("messages", [None, {}, "none"], ids=["null", "object", "text"])
def test_a_conversation_without_a_list_is_empty(world: World, messages: object) -> None:
    world.sms_agent.answers({"messages": messages})
    assert history() == History(tenant_id=None, items=())


def test_no_conversation_yet_is_none(world: World) -> None:
    world.sms_agent.answers({"detail": "Conversation not found"}, status=404)
    assert history() is None


def test_a_look_may_be_repeated(world: World) -> None:
    world.sms_agent.answers(status=502)
    world.sms_agent.answers({"messages": []})
    assert history() == History(tenant_id=None, items=())


def test_a_refused_look_is_a_refusal(world: World) -> None:
    world.sms_agent.answers({"detail": "bad phone"}, status=400)
    with pytest.raises(Refused):
        history()


@pytest.mark.parametrize(("asked", "sent"), [(0, "1"), (50, "50"), (500, "100")])
def test_the_agent_gives_at_most_a_hundred(world: World, asked: int, sent: str) -> None:
    world.sms_agent.answers(status=404)
    clients.sms_agent().history("+14155550100", request_id="r", limit=asked)
    assert world.sms_agent.requests[0].query["limit"] == sent
