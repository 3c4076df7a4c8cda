"""Chats for tests: what a user says, what the assistant answers, and what the outside world does about it."""

import json
from typing import Any

from calls.chat_workflow.chats import User
from calls.chat_workflow.receiving import Turn, receive_message, reply_to
from calls.models import CallTask
from tests.builders import work
from tests.outside_world import ALWAYS, World

DANA = User.named_by_token("test-token", "dana")
PIZZA = "Call Pizza Place at (718) 555-0123 and order a margherita"
PIZZA_PHONE = "+17185550123"
STEPS = ("place", "reply", "look_for_call", "poll_call")


def say(text: str, *, user: User = DANA, **fields: Any) -> Turn:
    """What the user says, with the reply once the workers have had their turn; calls are not placed yet."""
    turn = receive_message(user, text, **fields)
    if turn.reply is None:
        work("reply")
        turn = reply_to(turn)
    assert turn.reply is not None
    return turn


def answer(text: str, **fields: Any) -> str:
    """The reply alone."""
    reply = say(text, **fields).reply
    assert reply is not None
    return reply.body


def confirmed_call(*, user: User = DANA) -> CallTask:
    """A task with the user's yes, due now."""
    say(PIZZA, user=user)
    task = say("yes", user=user).task
    assert task is not None
    return task


def placed_call(world: World, *, call_sid: str = "CA1", user: User = DANA) -> CallTask:
    """A call that the call handler has taken."""
    call_handler_takes(world, call_sid)
    task = confirmed_call(user=user)
    work("place")
    task.refresh_from_db()
    assert task.status == "placed"
    return task


def call_handler_takes(world: World, *call_sids: str) -> None:
    for call_sid in call_sids:
        world.call_handler.answers({"status": "Call initiated", "call_sid": call_sid}, to="GET /order")


def model_understands(world: World, *, times: int = ALWAYS, **document: Any) -> None:
    """What the language model makes of the next turns."""
    answer = {"meaning": "other", "task_type": "", "details": [], "reply": "", **document}
    answer["details"] = [{"name": name, "value": value} for name, value in dict(answer["details"]).items()]
    choice = {"message": {"role": "assistant", "content": json.dumps(answer)}, "finish_reason": "stop"}
    world.language_model.answers(
        {"model": "test", "choices": [choice], "usage": {}}, to="POST /chat/completions", times=times
    )


def notices(user: User = DANA) -> list[str]:
    """The completion notices, in order."""
    from calls.models import ChatMessage

    found = ChatMessage.objects.filter(chat__owner=user.owner, kind="notice").order_by("seq")
    return list(found.values_list("body", flat=True))
