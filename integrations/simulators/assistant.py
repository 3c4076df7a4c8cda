"""How the simulated model reads a turn of the assistant's chat: simply, and never with a number of its own."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

SCHEMA = "assistant_turn"
TASK = re.compile(r"^The task that is being talked about: (?P<task>.*)$", re.MULTILINE)
INSTRUCTIONS = re.compile(r'"instructions": "(?P<text>(?:[^"\\]|\\.)*)"')
ERRAND = re.compile(
    r"\b(?:order|book|reserve|ask|tell|schedule|arrange|check)\b|להזמין|תזמין|תקבע|תשאל|תגיד", re.IGNORECASE
)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What is read into a turn."""

    meaning: str
    task_type: str = ""
    details: dict[str, str] = field(default_factory=dict)
    reply: str = ""

    def as_document(self) -> dict[str, Any]:
        details = [{"name": name, "value": value} for name, value in self.details.items()]
        return {"meaning": self.meaning, "task_type": self.task_type, "details": details, "reply": self.reply}

    def as_plain_text(self) -> str:
        return self.reply or self.meaning


def read_turn(messages: Sequence[Mapping[str, Any]]) -> Reading:
    """A change to the task that is talked about, an errand that becomes a call, or small talk."""
    prompt = next((str(message["content"]) for message in messages if message["role"] == "system"), "")
    said = str(messages[-1]["content"]).strip()
    task = TASK.search(prompt)
    if task and task["task"] != "null":
        if said.endswith("?"):
            return Reading(meaning="question", reply="Let me sum it up once more.")
        before = INSTRUCTIONS.search(task["task"])
        changed = f"{before['text']}. {said}" if before else said
        return Reading(meaning="change", task_type="phone_call", details={"instructions": changed.replace("..", ".")})
    if ERRAND.search(said):
        return Reading(meaning="request", task_type="phone_call", details={"instructions": said})
    return Reading(meaning="other", reply="I can call somebody about that, if you give me the number.")
