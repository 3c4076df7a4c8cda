"""`script/demo --once`: one text through each path, over HTTP, against the running processes and the simulators.

Every path is a function that plays the outside world and returns what it saw; the last line of each says how the text
ended and how long it took.
"""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx2

from approvals.templatetags.console import codes, words
from integrations.simulators.people import people

ENOUGH_SECONDS = 40.0


class WentWrong(AssertionError):
    """A path did not end as it should."""


@dataclass
class Stage:
    """The running system as an outsider sees it: our API with a token, and the simulators' controls."""

    api: str
    tokens: dict[str, str]
    simulators: dict[str, str]
    http: httpx2.Client = field(default_factory=lambda: httpx2.Client(timeout=15))

    def post(self, path: str, body: dict[str, Any], role: str) -> httpx2.Response:
        return self.http.post(f"{self.api}{path}", json=body, headers={"Authorization": f"Bearer {self.tokens[role]}"})

    def get(self, path: str, role: str = "manager") -> dict[str, Any]:
        answer = self.http.get(f"{self.api}{path}", headers={"Authorization": f"Bearer {self.tokens[role]}"})
        document: dict[str, Any] = answer.raise_for_status().json()
        return document

    def text(self, phone: str, content: str) -> str:
        """A tenant's text comes in; returns the conversation's id."""
        body = {"phone_number": phone, "content": content, "message_sid": f"SM{uuid.uuid4().hex}"}
        answer = self.post("/orchestrate/sms-received", body, "sms-agent")
        if answer.status_code != httpx2.codes.ACCEPTED:
            raise WentWrong(f"the text was not accepted: {answer.status_code} {answer.text}")
        return str(answer.json()["conversation_id"])

    def status(self, conversation: str) -> dict[str, Any]:
        return self.get(f"/orchestrate/workflow/{conversation}/status")

    def until(self, conversation: str, *wanted: str) -> dict[str, Any]:
        """Waits until the conversation's newest text stands where it should."""
        deadline = time.monotonic() + ENOUGH_SECONDS
        report: dict[str, Any] = {"status": "nothing yet"}
        while time.monotonic() < deadline:
            report = self.status(conversation)
            if report["status"] in wanted:
                return report
            time.sleep(0.05)
        raise WentWrong(f"it should be {' or '.join(wanted)}, and is {report['status']}: {report.get('error_message')}")

    def switch(self, simulator: str, **switches: Any) -> None:
        self.http.post(self._control(simulator), json=switches).raise_for_status()

    def reset(self, *simulators: str) -> None:
        """Everything well again, for the named ones or for all."""
        for name in simulators or self.simulators:
            self.http.delete(self._control(name)).raise_for_status()

    def _control(self, simulator: str) -> str:
        """By way of a sibling: one that refuses connections could not be told to take them again."""
        return f"{self.simulators['monitor']}/_control/{simulator}"

    def sent_by(self, simulator: str) -> list[dict[str, Any]]:
        """What a simulated service really did: texts, e-mails, calls."""
        done: list[dict[str, Any]] = self.http.get(f"{self.simulators[simulator]}/_sent").raise_for_status().json()
        return done

    def asked_of(self, simulator: str) -> list[dict[str, Any]]:
        """Every request that a simulated service got."""
        asked: list[dict[str, Any]] = self.http.get(f"{self.simulators[simulator]}/_requests").raise_for_status().json()
        return asked

    def texts_to(self, phone: str) -> list[str]:
        """What really went over the wire to a tenant."""
        return [text["body"] for text in self.sent_by("sms_agent") if text["to"] == phone]

    def report_calls(self) -> None:
        """The simulated call handler tells us how each call ended, as the real one may."""
        token = self.tokens["call-handler"]
        self.switch("call_handler", report_to=f"{self.api}/calls/results", report_token=token, report_after_ms=300.0)

    def says(self, user_id: str, typed: str) -> dict[str, Any]:
        """What a user of the assistant says, with the reply, waited for."""
        answer = self.post("/chat", {"message": typed, "user_id": user_id, "region": "US"}, "chat").raise_for_status()
        said: dict[str, Any] = answer.json()
        if said["pending"]:
            said["reply"] = self._line(user_id, said["message_id"], "reply")["text"]
        return said

    def hears_outcome(self, user_id: str, after: str) -> str:
        """The completion notice of a task."""
        return str(self._line(user_id, after, "notice")["text"])

    def _line(self, user_id: str, after: str, kind: str) -> dict[str, Any]:
        deadline = time.monotonic() + ENOUGH_SECONDS
        while time.monotonic() < deadline:
            news = self.get(f"/chat/messages?user_id={user_id}&after={after}&wait=5", "chat")["messages"]
            for line in news:
                if line["kind"] == kind:
                    return dict(line)
        raise WentWrong(f"no {kind} came")

    def eventually(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + ENOUGH_SECONDS
        while not holds():
            if time.monotonic() > deadline:
                raise WentWrong("what should have happened by now has not")
            time.sleep(0.05)


Path = Callable[[Stage, str], list[str]]


def sent_by_itself(stage: Stage, phone: str) -> list[str]:
    """A harmless question, a sure answer: it goes out without anybody."""
    conversation = stage.text(phone, "Hi, how much do I owe right now?")
    report = stage.until(conversation, "sent")
    must(stage.texts_to(phone) == [report["response"]["final_text"]], "exactly this text went out")
    return story(report)


def queued_then_approved(stage: Stage, phone: str) -> list[str]:
    """A plan longer than four weeks: a manager approves the draft as it stands."""
    conversation = stage.text(phone, "can i pay 60 a week for 10 weeks")
    report = stage.until(conversation, "awaiting_approval")
    decided = stage.post(
        "/orchestrate/approve-response",
        {"action": "approve", "conversation_id": conversation, "manager_id": "maria"},
        "manager",
    )
    must(decided.status_code == httpx2.codes.OK, f"the approval was taken: {decided.text}")
    report = stage.until(conversation, "sent")
    must(stage.texts_to(phone) == [report["response"]["ai_response"]], "exactly the draft went out")
    return story(report)


def queued_then_modified(stage: Stage, phone: str) -> list[str]:
    """The manager says it in her own words."""
    conversation = stage.text(phone, "i could do 55 a week for 11 weeks")
    stage.until(conversation, "awaiting_approval")
    own_words = "Thank you! I will look at your plan today and text you."
    decided = stage.post(
        "/orchestrate/approve-response",
        {"action": "modify", "conversation_id": conversation, "modified_text": own_words, "manager_id": "maria"},
        "manager",
    )
    must(decided.status_code == httpx2.codes.OK, f"the modification was taken: {decided.text}")
    report = stage.until(conversation, "sent")
    must(stage.texts_to(phone) == [own_words], "exactly her words went out")
    return story(report)


def escalated(stage: Stage, phone: str) -> list[str]:
    """A dispute: nothing is sent, a person takes over."""
    conversation = stage.text(phone, "I already paid this, I don't owe that money!")
    report = stage.until(conversation, "escalated")
    must(not stage.texts_to(phone), "nothing went out")
    must(report["escalation_triggered"], "an escalation is open")
    return story(report)


def opted_out(stage: Stage, phone: str) -> list[str]:
    """STOP: held at once, and the model is never asked."""
    conversation = stage.text(phone, "STOP")
    report = stage.until(conversation, "held")
    must(not stage.texts_to(phone), "nothing went out")
    must("draft" not in [step["name"] for step in report["steps"] if step["outcome"] == "ok"], "no model was asked")
    return story(report)


def unknown_tenant(stage: Stage, _phone: str) -> list[str]:
    """A number that the Monitor does not know: escalated, with no account fact in any draft."""
    stranger = "+12125559876"
    conversation = stage.text(stranger, "hello, can i talk about my rent")
    report = stage.until(conversation, "escalated")
    must(report["response"]["reasons"] == ["unknown_tenant"], "because the tenant is unknown")
    must(not stage.texts_to(stranger), "nothing went out")
    return story(report)


def model_down(stage: Stage, phone: str) -> list[str]:
    """The model is away: after a few tries a person is told; a retry brings the reply when it is back."""
    stage.switch("language_model", refuse=True)
    conversation = stage.text(phone, "How much is my balance please?")
    failed = stage.until(conversation, "failed")
    stage.reset("language_model")
    retried = stage.post(f"/orchestrate/retry/{failed['workflow_id']}", {"reason": "the model is back"}, "manager")
    must(retried.status_code == httpx2.codes.ACCEPTED, f"the retry was taken: {retried.text}")
    report = stage.until(conversation, "sent", "awaiting_approval")
    given_up = _line("A person was told", f"{failed['error_message']}; then a manager had it tried again")
    return [*story(report), given_up]


def outcome_unknown(stage: Stage, phone: str) -> list[str]:
    """The SMS Agent sends the text, then answers 502: it is found in the agent's history and not sent again."""
    stage.switch("sms_agent", fail_next=1, fail_status=502, after_the_fact=True, spare_reads=True)
    conversation = stage.text(phone, "what is my balance")
    report = stage.until(conversation, "sent")
    must(stage.texts_to(phone) == [report["response"]["final_text"]], "it went out once")
    must(stage.asked_of("sms_agent")[-1]["method"] == "GET", "the agent's history was looked into after the sending")
    return [
        *story(report),
        _line("The SMS Agent", "answered 502; the text stood in its history, and was not sent again"),
    ]


def call_by_chat(stage: Stage, _phone: str) -> list[str]:
    """The assistant: a chat message becomes a confirmed call, and the outcome is told in the chat."""
    stage.report_calls()
    lines = []
    for typed in (
        "Call Pizza Place and order a margherita",
        "718-555-0123",
        "no, that is not correct",
        "make it two",
        "yes",
    ):
        said = stage.says("demo", typed)
        lines += [_line("The user", typed), _line("The assistant", said["reply"])]
    notice = stage.hears_outcome("demo", said["message_id"])
    [call] = [call for call in stage.sent_by("call_handler") if call["to"] == "+17185550123"]
    must("make it two" in call["instructions"], "the call is about what was confirmed last")
    return [*lines, _line("The outcome", notice)]


# Each with a tenant of its own among the simulated ones, all English speaking.
PATHS: tuple[Path, ...] = (
    sent_by_itself,
    queued_then_approved,
    queued_then_modified,
    escalated,
    opted_out,
    unknown_tenant,
    outcome_unknown,
    call_by_chat,
    model_down,
)


def must(holds: bool, what: str) -> None:
    if not holds:
        raise WentWrong(f"it should be true that {what}")


def story(report: dict[str, Any]) -> list[str]:
    """A workflow for a reader: its steps with times, the reply, the reasons, and the sending."""
    lines = _steps(report["steps"])
    reply = report["response"]
    if reply and reply["final_text"]:
        lines.append(_line("The reply", f"“{reply['final_text']}”"))
    if reply:
        lines.append(_line("Because", ", ".join(words(reason) for reason in reply["reasons"])))
    if reply and reply["sent_at"]:
        took = _instant(reply["sent_at"]) - _instant(report["started_at"])
        lines.append(_line("Sent", f"receipt {reply['receipt']}, {took.total_seconds():.2f} s after the text came in"))
    return lines


def _steps(steps: list[dict[str, Any]]) -> list[str]:
    """A line a step; every try begins with reading the words."""
    several = sum(step["name"] == "read" for step in steps) > 1
    lines, tries = list[str](), 0
    for step in steps:
        if several and step["name"] == "read":
            tries += 1
            lines.append(f"try {tries}")
        ended = ": ".join(filter(None, [words(step["outcome"]), codes(step["detail"])]))
        lines.append(_line(words(step["name"]), f"{ended} ({step['duration_ms']} ms)"))
    return lines


def _line(what: str, how: str) -> str:
    return f"{what:27}{how}"


def _instant(written: str) -> datetime:
    return datetime.fromisoformat(written)


def walk(stage: Stage, phones: list[str], say: Callable[[str], None]) -> bool:
    """All paths in turn; True when every one of them ended as it should."""
    well = True
    for path, phone in zip(PATHS, phones, strict=False):
        say(f"\n{path.__name__.replace('_', ' ').upper()}  {(path.__doc__ or '').strip()}")
        start = time.perf_counter()
        try:
            for line in path(stage, phone):
                say(f"  {line}")
            say(f"  ✓ as it should be, after {time.perf_counter() - start:.2f} s")
        except (WentWrong, httpx2.HTTPError) as error:
            well = False
            say(f"  ✗ {error}")
        finally:
            stage.reset()
    return well


def english_phones(count: int) -> list[str]:
    """Simulated tenants who are written to in English, from the end of the list."""
    found = [person.phone for person in people(60) if person.language_code == "en"]
    return found[::-1][:count]
