"""How well requests for calls are read: the facts that the scorer of labelled messages asks for."""

from collections.abc import Mapping
from typing import Any

from calls.policy.requests import read_request


def read(row: Mapping[str, Any]) -> dict[str, Any]:
    """What our rules make of a row of `call_requests.jsonl`: its `expect` as we would have written it."""
    request = read_request(row["message"], row["region"])
    got = {
        "intent": request.intent.value,
        "phone_e164": request.phone_e164,
        "phone_problem": request.phone_problem and request.phone_problem.value,
        # One string that contains all that was asked for: the instructions themselves.
        "instructions_contains": [request.instructions] if request.instructions else [],
    }
    return {"got": got, "instructions": request.instructions}


def intent_is_right(row: Mapping[str, Any], prediction: Mapping[str, Any]) -> bool:
    return bool(prediction["got"]["intent"] == row["expect"]["intent"])


def phone_is_right(row: Mapping[str, Any], prediction: Mapping[str, Any]) -> bool:
    """The number, or what is wrong with it."""
    keys = ("phone_e164", "phone_problem")
    return all(prediction["got"][key] == row["expect"][key] for key in keys)


def instructions_are_complete(row: Mapping[str, Any], prediction: Mapping[str, Any]) -> bool:
    told = prediction["instructions"].casefold()
    return all(part.casefold() in told for part in row["expect"]["instructions_contains"])
