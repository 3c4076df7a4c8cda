"""The assistant over HTTP: shapes, roles, waiting, results, Twilio's signed callbacks, and the end of a user's data."""

import base64
import hmac
from collections.abc import Callable
from io import StringIO
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from calls.models import CallTask, Chat, EarlyReport, Erasure
from tests.builders import everything_stored_with, work
from tests.calls.builders import PIZZA, call_handler_takes
from tests.outside_world import World

pytestmark = pytest.mark.django_db
Api = Callable[[str], APIClient]


def chat(client: APIClient, message: str, **fields: Any) -> dict[str, Any]:
    answer = client.post("/chat", {"message": message, "user_id": "dana", "region": "US", **fields}, format="json")
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def test_an_answer_has_the_shape_that_was_agreed(api: Api, world: World) -> None:
    said = chat(api("chat"), PIZZA)
    assert set(said) == {"user_id", "message_id", "reply", "state", "task", "pending"}
    assert (said["user_id"], said["state"], said["pending"]) == ("dana", "confirming", False)
    assert (said["task"]["type"], said["task"]["missing"], said["task"]["result"]) == ("phone_call", [], None)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "message"),
        ({"message": ""}, "message"),
        ({"message": "\u200b"}, "message"),
        ({"message": "x" * 4001}, "message"),
        ({"message": "hi", "region": "USA"}, "region"),
        ({"message": "hi", "region": "XX"}, "region"),
        ({"message": "hi", "language": "fr"}, "language"),
        ({"message": ["hi"]}, "message"),
    ],
)
def test_a_bad_body_gets_a_clear_error(api: Api, world: World, body: dict[str, Any], field: str) -> None:
    answer = api("chat").post("/chat", body, format="json")
    assert answer.status_code == 400
    assert field in answer.json()["error"]["fields"]


@pytest.mark.parametrize(
    ("method", "path", "role"),
    [
        ("post", "/chat", "sms-agent"),
        ("get", "/chat/messages", "manager"),
        ("delete", "/context", "call-handler"),
        ("post", "/calls/results", "chat"),
        ("post", "/chat", ""),
    ],
)
def test_each_endpoint_is_closed_to_the_wrong_role(api: Api, method: str, path: str, role: str) -> None:
    assert getattr(api(role), method)(path, {}, format="json").status_code == (403 if role else 401)


def test_a_turn_for_the_model_is_pending_and_comes_as_a_message(api: Api, world: World, settings: Settings) -> None:
    settings.CHAT_REPLY_BUDGET_MS = 50
    world.language_model.is_down()
    client = api("chat")
    said = chat(client, "I wonder about things")
    assert (said["pending"], said["reply"]) == (True, None)
    address = f"/chat/messages?user_id=dana&after={said['message_id']}"
    assert client.get(address).json() == {"messages": [], "state": "idle", "pending": True}
    work("reply")
    [line] = client.get(address).json()["messages"]
    assert (line["kind"], line["role"]) == ("reply", "assistant")
    assert client.get(f"/chat/messages?user_id=dana&after={line['id']}").json()["messages"] == []


def test_an_id_that_is_not_there_any_more_starts_from_the_beginning(api: Api, world: World) -> None:
    client = api("chat")
    chat(client, "hi")
    for after in ("00000000-0000-0000-0000-000000000000", ""):
        assert len(client.get(f"/chat/messages?user_id=dana&after={after}").json()["messages"]) == 2


@pytest.mark.parametrize(
    ("method", "address", "field"),
    [
        pytest.param("get", "/chat/messages?user_id=dana&after=rubbish", "after", id="no-id"),
        pytest.param("get", "/chat/messages?user_id=dana&wait=long", "wait", id="no-number"),
        pytest.param("get", "/chat/messages?user_id=dana&wait=-1", "wait", id="negative"),
        pytest.param("delete", "/context?userid=dana", "userid", id="misspelt"),
        pytest.param("delete", "/context?user_id=", "user_id", id="nobody"),
        pytest.param("get", "/context?user_id=" + "x" * 101, "user_id", id="endless"),
        pytest.param("get", "/chat/messages?user_id=", "user_id", id="nobodys-messages"),
    ],
)
def test_an_address_that_means_nobody_is_refused(api: Api, world: World, method: str, address: str, field: str) -> None:
    """Above all, it does not erase the user `default`."""
    client = api("chat")
    client.post("/chat", {"message": "hi"}, format="json")
    answer = getattr(client, method)(address)
    assert answer.status_code == 400
    assert field in answer.json()["error"]["fields"]
    assert Chat.objects.filter(user_id="default").exists()


def test_a_token_that_names_no_user_speaks_for_one_called_default(api: Api, world: World) -> None:
    client = api("chat")
    assert client.post("/chat", {"message": "hi"}, format="json").json()["user_id"] == "default"
    assert client.get("/context").json()["user_id"] == "default"
    assert client.delete("/context").json()["erased"]["messages"] == 2


def test_a_result_from_the_call_handler_ends_the_task(api: Api, world: World) -> None:
    client = api("chat")
    call_handler_takes(world, "CA1")
    chat(client, PIZZA)
    task_id = chat(client, "yes")["task"]["id"]
    work("place")
    result = {"call_sid": "CA1", "status": "voicemail", "summary": "I left a message."}
    reports = api("call-handler")
    assert reports.post("/calls/results", result, format="json").json() == {"status": "accepted", "changed": True}
    assert reports.post("/calls/result", result, format="json").json()["changed"] is False
    task = client.get(f"/calls/tasks/{task_id}").json()
    assert (task["status"], task["result"]["outcome"]) == ("completed", "voicemail")
    assert api("chat").get(f"/calls/tasks/{task_id}").status_code == 404, "another service's users"


@pytest.mark.parametrize("body", [{"status": "busy"}, {"call_sid": "CA1", "status": "exploded"}])
def test_a_result_that_says_nothing_is_refused(api: Api, body: dict[str, Any]) -> None:
    assert api("call-handler").post("/calls/results", body, format="json").status_code == 400


def twilio_tells(settings: Settings, fields: dict[str, str], *, ours: str = "secret", key: str = "secret") -> int:
    settings.TWILIO_AUTH_TOKEN, settings.PUBLIC_URL = ours, "https://rent.example.com"
    text = "https://rent.example.com/calls/twilio/status" + "".join(name + fields[name] for name in sorted(fields))
    signature = base64.b64encode(hmac.digest(key.encode(), text.encode(), "sha1")).decode()
    answer = Client().post(
        "/calls/twilio/status",
        urlencode(fields),
        content_type="application/x-www-form-urlencoded",
        headers={"X-Twilio-Signature": signature},
    )
    return answer.status_code


def test_twilios_signed_callback_tells_the_outcome(api: Api, world: World, settings: Settings) -> None:
    client = api("chat")
    call_handler_takes(world, "CA1")
    chat(client, PIZZA)
    chat(client, "yes")
    work("place")
    fields = {"CallSid": "CA1", "CallStatus": "completed", "AnsweredBy": "machine_start", "CallDuration": "9"}
    assert twilio_tells(settings, {**fields, "CallStatus": "ringing"}) == 204
    assert twilio_tells(settings, fields, key="forged") == 403
    assert CallTask.objects.get().status == "placed"
    assert twilio_tells(settings, fields) == 204
    assert CallTask.objects.get().outcome == "voicemail"


def test_without_credentials_no_callback_is_believed(settings: Settings, db: None) -> None:
    """Without a secret everybody could sign with it."""
    fields = {"CallSid": "CA1", "CallStatus": "completed"}
    assert twilio_tells(settings, fields, ours="", key="") == 403
    assert not EarlyReport.objects.exists()


def test_nothing_about_a_user_survives_but_the_fact_of_the_erasure(api: Api, world: World) -> None:
    client = api("chat")
    call_handler_takes(world, "CA1")
    chat(client, PIZZA, user_id="dana-cohen")
    chat(client, "yes", user_id="dana-cohen")
    work("place")
    chat(client, "call Bob at 212-555-0187 and say hello", user_id="dana-cohen")
    shown = client.get("/context?user_id=dana-cohen").json()
    assert [item["name"] for item in shown["context"]] == ["Pizza Place"]
    assert len(shown["tasks"]) == 2
    erased = client.delete("/context?user_id=dana-cohen").json()
    assert erased["erased"] == {"messages": 6, "context": 1, "tasks": 2, "cancelled": 1}
    assert everything_stored_with("dana-cohen", "Pizza", "7185550123", "2125550187", "margherita") == []
    assert Erasure.objects.get().counts["tasks"] == 2
    assert client.get("/context?user_id=dana-cohen").json()["messages"] == []


def test_a_signed_in_person_is_their_own_user_whatever_they_name(world: World) -> None:
    person = User.objects.create_user("noa")
    person.user_permissions.add(Permission.objects.get(codename="use_assistant"))
    client = Client()
    client.force_login(person)
    client.post("/chat", {"message": "hi", "user_id": "dana"}, content_type="application/json")
    assert Chat.objects.get().owner == f"person:{person.pk}"


def test_a_signed_in_person_sees_their_own_tasks_and_others_only_with_the_right_to(api: Api, world: World) -> None:
    person = User.objects.create_user("noa")
    person.user_permissions.add(Permission.objects.get(codename="use_assistant"))
    client = Client()
    client.force_login(person)
    own = client.post("/chat", {"message": PIZZA}, content_type="application/json").json()["task"]["id"]
    another = chat(api("chat"), PIZZA)["task"]["id"]
    assert client.get(f"/calls/tasks/{own}").status_code == 200
    assert client.get(f"/calls/tasks/{another}").status_code == 404
    person.user_permissions.add(Permission.objects.get(codename="view_calltask"))
    assert client.get(f"/calls/tasks/{another}").status_code == 200


def test_no_person_reports_the_outcome_of_a_call(db: None) -> None:
    """It names no permission: whoever signs in, even with all rights, is no call handler."""
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    result = {"call_sid": "CA1", "status": "completed"}
    assert client.post("/calls/results", result, content_type="application/json").status_code == 403
    assert not EarlyReport.objects.exists()


def test_the_terminal_speaks_the_same_flow(db: None, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = iter([PIZZA, "", "yes"])
    monkeypatch.setattr("builtins.input", lambda prompt: next(lines, None) or _end(lines))
    out = StringIO()
    call_command("chat", stdout=out)
    assert "Confirm?" in out.getvalue()


def _end(lines: Any) -> str:
    raise EOFError


@pytest.mark.parametrize("may", [True, False])
def test_a_person_resolves_an_unknown_call_in_the_admin(api: Api, world: World, may: bool) -> None:
    world.call_handler.will_hang_up(to="GET /order")
    client = api("chat")
    chat(client, PIZZA)
    chat(client, "yes")
    work("place")
    task = CallTask.objects.get()
    person = User.objects.create_user("maria", is_staff=True)
    names = ["view_calltask", "view_callstep", *(["resolve"] if may else [])]
    person.user_permissions.set(Permission.objects.filter(codename__in=names))
    browser = Client()
    browser.force_login(person)
    shown = browser.get(f"/admin/calls/calltask/{task.pk}/change/").content.decode()
    assert ("Say what became of it" in shown) is may
    address = f"/admin/calls/calltask/{task.pk}/resolve/"
    assert browser.get(address).status_code == (200 if may else 403)
    browser.post(address, {"outcome": "no_answer"})
    task.refresh_from_db()
    assert task.status == ("failed" if may else "unknown")
    assert task.resolved_by == ("maria" if may else "")
