"""A stand-in of OpenAI's chat completions, without streaming: structured output when asked for, else plain text.

`hostile` makes it answer as no model should, for the next `hostile_next` calls, or for all when that is 0:

    what it says    wrong_amount, threat, control_text_leak, debt_forgiveness, promise, other_tenants, wrong_language,
                    injected_lines (with a plan to match), invisible (words cut up by characters that nobody sees),
                    prompt_leak (its own instructions), echo (the tenant's words, at a confidence of 1.0)
    how it says it  refusal, empty, truncated, garbage, plain_text, no_schemas

`verbatim` is a whole answer, given as it stands to whatever is asked.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import count
from typing import Any, ClassVar

from integrations.simulators import answers
from integrations.simulators.phrases import HOSTILE_REPLIES, NONSENSE, OTHER_LANGUAGE, PHRASES
from integrations.simulators.server import Answer, Request
from integrations.simulators.service import Service, Switches, not_found

MODEL = "simulated-model"


@dataclass
class LanguageModelSwitches(Switches):
    hostile: str = ""
    hostile_next: int = 0
    verbatim: str = ""


@dataclass(frozen=True, kw_only=True)
class Spoken:
    content: str | None
    finish_reason: str = "stop"
    refusal: str | None = None


class LanguageModelSimulator(Service):
    name: ClassVar[str] = "language_model"
    switches_type = LanguageModelSwitches
    switches: LanguageModelSwitches

    def __init__(self) -> None:
        super().__init__()
        self.numbers = count(1)

    def health(self) -> Answer:
        return Answer(document={"object": "list", "data": [{"id": MODEL, "object": "model"}], "simulated": True})

    def answer(self, request: Request) -> Answer:
        if request.method != "POST" or not request.path.endswith("/chat/completions"):
            return not_found()
        asked = request.json
        if not isinstance(asked, dict) or not asked.get("messages"):
            return self.failure(400)
        hostile = self._hostile()
        if hostile == "no_schemas" and asked.get("response_format"):
            return _error(400, "Invalid parameter: 'response_format' of type 'json_schema' is not supported.")
        if self.switches.verbatim:
            return self._completion(asked, Spoken(content=self.switches.verbatim))
        return self._completion(asked, speak(asked["messages"], asked.get("response_format"), hostile))

    def _hostile(self) -> str:
        switches = self.switches
        hostile = switches.hostile
        if switches.hostile_next:
            switches.hostile_next -= 1
            switches.hostile = hostile if switches.hostile_next else ""
        return hostile

    def _completion(self, asked: dict[str, Any], spoken: Spoken) -> Answer:
        prompt_tokens = sum(len(str(message.get("content"))) for message in asked["messages"]) // 4
        completion_tokens = len(spoken.content or spoken.refusal or "") // 4
        message = {"role": "assistant", "content": spoken.content, "refusal": spoken.refusal}
        return Answer(
            document={
                "id": f"chatcmpl-{next(self.numbers)}",
                "object": "chat.completion",
                "created": 1_790_000_000,
                "model": asked.get("model") or MODEL,
                "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": spoken.finish_reason}],
                "usage": {
                    "prompt_tokens": prompt_tokens,
                    "completion_tokens": completion_tokens,
                    "total_tokens": prompt_tokens + completion_tokens,
                },
            }
        )

    def failure(self, status: int) -> Answer:
        return _error(status, "The simulator was told to fail.")


def speak(messages: Sequence[answers.Message], response_format: Any, hostile: str) -> Spoken:
    """What the model says, as it should or as a hostile one would."""
    if hostile == "refusal":
        return Spoken(content=None, refusal="I'm sorry, I can't help with that.")
    if hostile in NONSENSE:
        return Spoken(content=NONSENSE[hostile])
    asked = response_format.get("json_schema", {}) if isinstance(response_format, dict) else {}
    answerer = answers.ANSWERERS.get(asked.get("name", answers.TENANT_SCHEMA))
    if answerer is None:
        return Spoken(content=json.dumps(answers.emptiest(asked.get("schema", {}))))
    answered = _spoilt(answerer(messages), hostile, messages)
    if not asked or hostile == "plain_text":
        return Spoken(content=answered.as_plain_text())
    text = json.dumps(answered.as_document())
    if hostile == "truncated":
        return Spoken(content=text[: len(text) // 2], finish_reason="length")
    return Spoken(content=text)


def _spoilt(draft: answers.Answered, hostile: str, messages: Sequence[answers.Message]) -> answers.Answered:
    if not isinstance(draft, answers.Draft):
        return draft
    if hostile == "echo":
        return replace(draft, reply=str(messages[-1]["content"]), confidence=1.0, escalate=None)
    if hostile == "prompt_leak":
        return replace(draft, reply=str(messages[0]["content"])[:150], confidence=0.95, escalate=None)
    if hostile == "injected_lines":
        plan = answers.Plan(weekly=Decimal(1), weeks=520)
        return replace(draft, reply=HOSTILE_REPLIES[hostile], confidence=0.95, escalate=None, plan=plan)
    if hostile in HOSTILE_REPLIES:
        return replace(draft, reply=HOSTILE_REPLIES[hostile], confidence=0.95, escalate=None)
    if hostile == "wrong_language":
        other = PHRASES[OTHER_LANGUAGE[draft.language]]
        return replace(draft, reply=answers.fold(other.escalated.format(name="")).replace(", .", "."), confidence=0.95)
    return draft


def _error(status: int, message: str) -> Answer:
    return Answer(
        status=status, document={"error": {"message": message, "type": "simulated", "param": None, "code": None}}
    )
