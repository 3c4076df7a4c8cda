"""A turn comes in: one transaction with its answer, wherever words are enough; else it waits for the model."""

from dataclasses import dataclass

from django.db import transaction

from calls.chat_workflow.answering import answer, situation_of
from calls.chat_workflow.chats import (
    User,
    checked_language,
    locked_chat,
    open_task,
    said_and_answered,
    state_of,
    user_says,
)
from calls.chat_workflow.reading import read_turn
from calls.chat_workflow.steps import step
from calls.models import CallTask, Chat, ChatMessage
from conversations.refusals import Invalid
from conversations.visible import strip_invisible
from conversations.wakeups import wake


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What POST /chat answers from: the turn, its reply (None while the model thinks), the state and its task."""

    chat: Chat
    message: ChatMessage
    reply: ChatMessage | None
    state: str
    task: CallTask | None


def receive_message(user: User, text: str, *, region: str | None = None, language: str | None = None) -> Turn:
    """Takes a turn in and answers it if words are enough. Raises Invalid for a message without visible words."""
    words = strip_invisible(text).strip()
    if not words:
        message = "The message has no visible characters."
        raise Invalid("invalid", message, fields={"message": [message]})
    with transaction.atomic():
        chat = locked_chat(user, text=words, region=region, language=checked_language(language))
        understood = read_turn(words, situation_of(chat))
        if understood is None:
            _hand_to_model(chat)
            return _turn(chat, user_says(chat, words), None)
        reply = answer(chat, understood)
        return _turn(chat, *said_and_answered(chat, words, reply.text, reply.task))


def _turn(chat: Chat, message: ChatMessage, reply: ChatMessage | None) -> Turn:
    state, task = state_of(chat)
    return Turn(chat=chat, message=message, reply=reply, state=state, task=(reply.task if reply else None) or task)


def _hand_to_model(chat: Chat) -> None:
    """The summary no longer stands: a yes that comes before the model's reading must not confirm it."""
    task = open_task(chat)
    if task is not None and task.status == CallTask.Status.CONFIRMING:
        task.move(CallTask.Status.COLLECTING)
        step(task, "changed")
    wake()


def reply_to(turn: Turn) -> Turn:
    """The turn as it stands now: with the reply, if it has come."""
    reply = ChatMessage.objects.filter(answers=turn.message).select_related("task").first()
    now = Chat.objects.filter(pk=turn.chat.pk).first()
    return _turn(now or turn.chat, turn.message, reply)
