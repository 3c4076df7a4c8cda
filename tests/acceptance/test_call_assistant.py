"""The user flow of the call assistant's specification, shown on the running system with nothing but HTTP.

Read it beside the specification: the requirements are named as there.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator_site.demo.once import Stage
from orchestrator_site.demo.system import running

pytestmark = pytest.mark.processes

ENVIRONMENT = {
    "CONTACT_HOURS": "00:00-00:00",
    "CALL_RETRY_SECONDS": "0.1",
    "RETRY_PAUSE_SECONDS": "0.05",
    "CALL_HANDLER_TIMEOUT_SECONDS": "1",
    "BREAKER_OPEN_SECONDS": "1",
    "SWEEP_SECONDS": "1",
}
PIZZA = "Call Pizza Place and order a margherita for pickup at 7"


class Person:
    """Somebody who talks to the assistant through a service with a token."""

    def __init__(self, stage: Stage, user_id: str, region: str = "US") -> None:
        self.stage, self.user_id, self.region, self.last = stage, user_id, region, ""

    def says(self, words: str) -> dict[str, Any]:
        answer = self.stage.post("/chat", {"message": words, "user_id": self.user_id, "region": self.region}, "chat")
        assert answer.status_code == 200, answer.text
        said: dict[str, Any] = answer.json()
        if said["pending"]:
            said["reply"] = self.hears("reply", after=said["message_id"])["text"]
        self.last = said["message_id"]
        return said

    def hears(self, kind: str, after: str = "") -> dict[str, Any]:
        """The next line of that kind, waited for."""
        after, deadline = after or self.last, time.monotonic() + 20
        while time.monotonic() < deadline:
            found = self.stage.get(f"/chat/messages?user_id={self.user_id}&after={after}&wait=5", "chat")["messages"]
            for line in found:
                if line["kind"] == kind:
                    return dict(line)
        raise AssertionError(f"no {kind} came")

    def knows(self) -> dict[str, Any]:
        return self.stage.get(f"/context?user_id={self.user_id}", "chat")


@pytest.fixture
def stage(transactional_db: None, tmp_path: Path) -> Iterator[Stage]:
    environment = {**ENVIRONMENT, "LOG_DIR": str(tmp_path / "logs")}
    with running(environment, log=tmp_path / "system.log", tenants=10) as it:
        stage = Stage(api=it.web, tokens=it.tokens, simulators=it.simulators)
        stage.logs = tmp_path / "logs"  # type: ignore[attr-defined]
        try:
            yield stage
        finally:
            stage.http.close()
            print((tmp_path / "system.log").read_text()[-4000:])  # noqa: T201 shown when a test fails


def test_the_specification_of_the_call_assistant_holds_on_the_running_system(stage: Stage) -> None:
    dana = Person(stage, "dana")
    fr_1_2_3_the_chat_asks_remembers_and_confirms(stage, dana)
    fr_4_5_the_call_is_ordered_and_its_end_told_once(stage, dana)
    fr_5_hebrew_and_a_busy_line(stage, Person(stage, "noa", region="IL"))
    fr_6_failures_are_told_plainly_and_logged_in_full(stage, Person(stage, "ron"))
    fr_7_every_step_has_its_line(stage, dana)
    fr_8_another_kind_of_task(stage, Person(stage, "gil"))
    the_model_down_and_the_call_still_placed(stage, Person(stage, "tal"))
    context_is_seen_and_erased(stage, dana)


def fr_1_2_3_the_chat_asks_remembers_and_confirms(stage: Stage, dana: Person) -> None:
    first = dana.says(PIZZA)
    assert (first["state"], first["task"]["missing"]) == ("collecting", ["phone_number"])
    summary = dana.says("it's 718-555-0123")
    assert summary["state"] == "confirming"
    assert "(718) 555-0123" in summary["reply"]
    assert "margherita" in summary["reply"]
    assert dana.says("no, that is not correct")["state"] != "executing"
    assert "for two people" in dana.says("make it for two people")["reply"]
    assert not stage.sent_by("call_handler"), "nobody has confirmed yet"


def fr_4_5_the_call_is_ordered_and_its_end_told_once(stage: Stage, dana: Person) -> None:
    report_to = {"report_to": f"{stage.api}/calls/results", "report_token": stage.tokens["call-handler"]}
    stage.switch("call_handler", **report_to, report_after_ms=200.0)
    confirmed = dana.says("confirm")
    assert confirmed["state"] == "executing"
    notice = dana.hears("notice")
    [call] = stage.sent_by("call_handler")
    assert call["to"] == "+17185550123"
    assert "margherita" in call["instructions"]
    assert "The order was taken" in notice["text"]
    task = stage.get(f"/calls/tasks/{confirmed['task']['id']}", "chat")
    assert (task["status"], task["call_sid"], task["result"]["outcome"]) == ("completed", call["call_sid"], "answered")
    repeated = {"call_sid": call["call_sid"], "status": "completed"}
    assert stage.post("/calls/results", repeated, "call-handler").json()["changed"] is False
    lines = stage.get("/chat/messages?user_id=dana", "chat")["messages"]
    assert [line["kind"] for line in lines].count("notice") == 1


def fr_5_hebrew_and_a_busy_line(stage: Stage, noa: Person) -> None:
    stage.switch("call_handler", outcome="busy")
    assert "03-555-1234" in noa.says("תתקשר לפיצה שמש 03-555-1234 ותזמין פיצה משפחתית")["reply"]
    noa.says("כן, תתקשר")
    notice = noa.hears("notice")
    assert "תפוס" in notice["text"]
    assert notice["offers_retry"]
    assert "אנסה שוב" in noa.says("כן")["reply"]


def fr_6_failures_are_told_plainly_and_logged_in_full(stage: Stage, ron: Person) -> None:
    stage.switch("call_handler", outcome="completed", fail_next=1, fail_status=400)
    ron.says("call the bank at 212-555-0187 and ask for the balance")
    ron.says("yes")
    notice = ron.hears("notice")
    assert "Traceback" not in notice["text"]
    assert "Twilio" not in notice["text"]
    logged = "".join(path.read_text() for path in stage.logs.glob("*.log"))  # type: ignore[attr-defined]
    assert "Refused" in logged


def fr_7_every_step_has_its_line(stage: Stage, dana: Person) -> None:
    [task] = dana.knows()["tasks"]
    [log] = stage.logs.glob("????-??-??.log")  # type: ignore[attr-defined]
    lines = [line for line in log.read_text().splitlines() if f"user=dana task={task['id']}" in line]
    assert any("step=handed_over" in line and "upstream=200" in line for line in lines)
    assert any("step=finished" in line and "upstream=completed" in line for line in lines)
    assert "7185550123" not in log.read_text()


def fr_8_another_kind_of_task(stage: Stage, gil: Person) -> None:
    assert "I will text" in gil.says("text my landlord at 860-555-0110 that the heating is broken")["reply"]
    gil.says("yes")
    assert "is sent" in gil.hears("notice")["text"]
    assert [text["body"] for text in stage.sent_by("sms_agent")] == ["the heating is broken"]


def the_model_down_and_the_call_still_placed(stage: Stage, tal: Person) -> None:
    stage.switch("language_model", refuse=True)
    tal.says("please phone my dentist")
    tal.says("212-555-0143")
    assert "Confirm?" in tal.says("ask for an appointment on Monday")["reply"]
    assert "in the morning" in tal.says("make that in the morning")["reply"]
    tal.says("yes")
    assert "Done" in tal.hears("notice")["text"]
    stage.reset("language_model")


def context_is_seen_and_erased(stage: Stage, dana: Person) -> None:
    assert dana.knows()["context"][0]["value"] == "+17185550123"
    dana.says("call my uncle at 212-555-0111 and say hello")
    erased = stage.http.delete(
        f"{stage.api}/context?user_id=dana", headers={"Authorization": f"Bearer {stage.tokens['chat']}"}
    ).json()["erased"]
    assert (erased["tasks"], erased["cancelled"]) == (2, 1)
    assert (dana.knows()["context"], dana.knows()["messages"], dana.knows()["tasks"]) == ([], [], [])
