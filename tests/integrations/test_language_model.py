"""Chat completions through the openai package: the tries, the fallback to plain text, and every odd answer."""

from typing import Any

import pytest

from integrations import clients
from integrations.base import CircuitOpen, Refused, Unavailable
from integrations.language_model import Completion, Schema
from tests.outside_world import ALWAYS, World

COMPLETIONS = "POST /chat/completions"
MESSAGES = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hello"}]
SCHEMA = Schema(name="reply", schema={"type": "object", "properties": {}})
NO_SCHEMAS = {"error": {"message": "Invalid parameter: 'response_format'", "type": "invalid_request_error"}}


def answer(content: Any = "Hi", finish_reason: str = "stop", **message: Any) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "model": "gpt-test-2026",
        "choices": [{"index": 0, "message": {"content": content, **message}, "finish_reason": finish_reason}],
        "usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15},
    }


def complete(schema: Schema | None = SCHEMA) -> Completion:
    return clients.language_model().complete(
        MESSAGES, schema=schema, max_tokens=300, temperature=0.2, request_id="workflow-1"
    )


def test_a_completion_with_structured_output(world: World) -> None:
    world.language_model.answers(answer('{"reply": "Hi"}'), to=COMPLETIONS)
    assert complete() == Completion(
        text='{"reply": "Hi"}',
        refusal=None,
        finish_reason="stop",
        model="gpt-test-2026",
        prompt_tokens=12,
        completion_tokens=3,
        attempts=1,
    )
    (request,) = world.language_model.requests
    assert request.headers["authorization"] == "Bearer test-key"
    assert request.headers["x-request-id"] == "workflow-1"
    assert request.json == {
        "model": world.language_model.settings.OPENAI_MODEL,
        "messages": MESSAGES,
        "max_tokens": 300,
        "temperature": 0.2,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "reply", "strict": True, "schema": {"type": "object", "properties": {}}},
        },
    }


def test_without_a_schema_plain_text_is_asked_for(world: World) -> None:
    world.language_model.answers(answer())
    complete(schema=None)
    assert "response_format" not in world.language_model.requests[0].json


def test_a_gateway_without_schemas_is_asked_in_plain_text_and_remembered(world: World) -> None:
    world.language_model.answers(NO_SCHEMAS, status=400)
    world.language_model.answers(answer("Hi"), times=2)
    assert complete().attempts == 2
    assert complete().attempts == 1
    asked = ["response_format" in request.json for request in world.language_model.requests]
    assert asked == [True, False, False]


def test_what_was_not_the_trouble_is_asked_for_again(world: World) -> None:
    world.language_model.answers(NO_SCHEMAS, status=400)
    world.language_model.answers({"error": {"message": "These words are not allowed."}}, status=400)
    with pytest.raises(Refused):
        complete()
    world.language_model.answers(answer())
    complete()
    assert "response_format" in world.language_model.requests[-1].json


def test_another_400_is_a_refusal_and_not_remembered(world: World) -> None:
    world.language_model.answers({"error": {"message": "too many tokens"}}, status=400)
    with pytest.raises(Refused):
        complete()
    world.language_model.answers(answer())
    complete()
    assert "response_format" in world.language_model.requests[1].json


def test_a_newer_model_gets_the_parameters_it_takes(world: World) -> None:
    refusals = ("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens'.", "'temperature' must be 1.")
    for refusal in refusals:
        world.language_model.answers({"error": {"message": refusal}}, status=400)
    world.language_model.answers(answer(), times=2)
    complete()
    complete()
    asked = world.language_model.requests[-1].json
    assert asked["max_completion_tokens"] == 300
    assert not {"max_tokens", "temperature"} & set(asked)
    assert len(world.language_model.requests) == 4


def test_a_refusal_of_what_we_left_out_already_is_final(world: World) -> None:
    world.language_model.answers({"error": {"message": "temperature"}}, status=400, times=2)
    with pytest.raises(Refused):
        complete()


@pytest.mark.parametrize("status", [429, 500, 503])
def test_there_are_three_tries_in_all_and_none_of_the_packages_own(world: World, status: int) -> None:
    world.language_model.answers(status=status, times=ALWAYS)
    with pytest.raises(Unavailable) as trouble:
        complete()
    assert trouble.value.status == status
    assert len(world.language_model.requests) == 3


def test_the_plain_text_try_counts_among_the_three(world: World) -> None:
    world.language_model.answers(NO_SCHEMAS, status=400)
    world.language_model.answers(status=500, times=ALWAYS)
    with pytest.raises(Unavailable):
        complete()
    assert len(world.language_model.requests) == 3


def test_a_lost_answer_is_asked_for_again(world: World) -> None:
    world.language_model.will_hang_up()
    world.language_model.answers(answer())
    assert complete().attempts == 2


def test_a_timeout_is_asked_again(world: World) -> None:
    world.language_model.will_time_out()
    world.language_model.answers(answer())
    assert complete().attempts == 2


def test_a_long_wait_is_left_to_the_caller(world: World) -> None:
    world.language_model.answers(status=429, headers={"retry-after": "20"})
    with pytest.raises(Unavailable) as trouble:
        complete()
    assert trouble.value.retry_after == 20.0


def test_every_attempt_counts_for_the_breaker(world: World) -> None:
    world.language_model.answers(status=500, times=5)
    with pytest.raises(Unavailable):
        complete()
    with pytest.raises(CircuitOpen):
        complete()
    assert len(world.language_model.requests) == 5


@pytest.mark.parametrize("status", [401, 402, 403, 404], ids=["key", "payment", "region", "model-withdrawn"])
def test_trouble_with_our_account_may_pass(world: World, status: int) -> None:
    world.language_model.answers({"error": {"message": "x"}}, status=status)
    with pytest.raises(Unavailable) as trouble:
        complete()
    assert trouble.value.status == status


def test_without_a_key_nothing_is_asked(world: World) -> None:
    world.language_model.settings.OPENAI_API_KEY = ""
    clients.forget()
    with pytest.raises(Unavailable, match="no OPENAI_API_KEY"):
        complete()


@pytest.mark.parametrize(
    ("document", "text", "refusal", "finish_reason"),
    [
        pytest.param(answer(None, refusal="I can't."), "", "I can't.", "stop", id="refusal"),
        pytest.param(answer(""), "", None, "stop", id="empty"),
        pytest.param(answer(None), "", None, "stop", id="null"),
        pytest.param(answer('{"reply": "Hi', "length"), '{"reply": "Hi', None, "length", id="cut-off"),
        pytest.param(answer([{"type": "text", "text": "Hi"}, {"type": "x"}, 5]), "Hi", None, "stop", id="parts"),
        pytest.param(answer(5), "", None, "stop", id="number"),
        pytest.param({"choices": [{"message": {"content": "Hi"}}]}, "Hi", None, "", id="bare-gateway"),
    ],
)
def test_odd_answers_are_handed_on_as_they_are(
    world: World, document: object, text: str, refusal: str | None, finish_reason: str
) -> None:
    world.language_model.answers(document)
    completion = complete()
    assert (completion.text, completion.refusal, completion.finish_reason) == (text, refusal, finish_reason)


@pytest.mark.parametrize(
    "answered",
    [
        pytest.param({"document": {"choices": []}}, id="no-choice"),
        pytest.param({"document": {"choices": None}}, id="null"),
        pytest.param({"document": {"choices": [{"message": None}]}}, id="no-message"),
        pytest.param({"raw": b"<html>"}, id="no-json"),
    ],
)
def test_an_answer_without_a_message_is_trouble(world: World, answered: dict[str, Any]) -> None:
    world.language_model.answers(**answered)
    with pytest.raises(Unavailable):
        complete()


def test_health_asks_for_the_models_with_the_key(world: World) -> None:
    world.language_model.answers({"data": []}, to="GET /models")
    assert clients.language_model().health().ok
    assert world.language_model.requests[0].headers["authorization"] == "Bearer test-key"


def test_without_a_key_it_is_not_healthy(world: World) -> None:
    world.language_model.settings.OPENAI_API_KEY = ""
    clients.forget()
    world.language_model.answers({"data": []}, to="GET /models")
    assert clients.language_model().health().error == "no OPENAI_API_KEY"
