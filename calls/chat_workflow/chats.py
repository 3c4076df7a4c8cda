"""A user's chat: found or made, locked by whoever writes into it, and its messages in one order."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from calls.models import OPEN, UNDER_WAY, CallTask, Chat, ChatMessage
from calls.policy.text import language_of
from conversations.announce import announce
from conversations.refusals import Invalid

Role, Kind = ChatMessage.Role, ChatMessage.Kind
# A Hebrew speaker whose region nobody told is taken to be in Israel.
HOME_OF = {"he": "IL"}
# Before the key of a signed-in person, who has the page open, perhaps.
PERSON = "person"


@dataclass(frozen=True, kw_only=True)
class User:
    """Whose chat it is. `owner` is unique among all callers, `user_id` the caller's own name for the user."""

    owner: str
    user_id: str

    @classmethod
    def named_by_token(cls, token_id: str, user_id: str) -> "User":
        """A user whom a service speaks for: kept apart per token."""
        return cls(owner=f"token:{token_id}:{user_id}", user_id=user_id)

    @classmethod
    def signed_in(cls, key: int | str) -> "User":
        """A signed-in person is their own user."""
        return cls(owner=f"{PERSON}:{key}", user_id=str(key))


def chat_of(user: User) -> Chat | None:
    """The user's chat, not locked; None when there is none."""
    return Chat.objects.filter(owner=user.owner).first()


def locked_chat(user: User, *, text: str, region: str | None, language: str | None) -> Chat:
    """The user's chat, made if need be, locked until the transaction ends, with the language that is spoken now."""
    spoken = language or language_of(text, "")
    rows = Chat.objects.filter(owner=user.owner)
    chat = rows.select_for_update().first()
    if chat is None:
        home = region or HOME_OF.get(spoken, settings.DEFAULT_REGION)
        new = Chat(owner=user.owner, user_id=user.user_id, language=spoken or "en", region=home)
        # Two first messages at once: the second waits here for the first, and finds its row.
        Chat.objects.bulk_create([new], ignore_conflicts=True)
        chat = rows.select_for_update().get()
    changed = {"region": region or chat.region, "language": spoken or chat.language}
    if changed != {"region": chat.region, "language": chat.language}:
        rows.update(**changed)
        chat.region, chat.language = changed["region"], changed["language"]
    return chat


def lock(chat_id: UUID) -> Chat | None:
    """The chat, locked; None when it has been erased meanwhile."""
    return Chat.objects.select_for_update().filter(pk=chat_id).first()


def lock_all(chats: "QuerySet[Any] | Collection[UUID]") -> None:
    """Several, in the one order in which everybody locks several: two workers never wait for each other."""
    list(Chat.objects.select_for_update().filter(pk__in=chats).order_by("pk").values_list("pk"))


def user_says(chat: Chat, text: str) -> ChatMessage:
    """Writes down a turn of the user's that waits for the language model."""
    turn = _line(chat, role=Role.USER, kind=Kind.TURN, body=text, status=ChatMessage.Status.WAITING)
    return _write(chat, turn)[0]


def said_and_answered(chat: Chat, text: str, reply: str, task: CallTask | None) -> tuple[ChatMessage, ChatMessage]:
    """Writes down a turn together with its reply."""
    turn = _line(chat, role=Role.USER, kind=Kind.TURN, body=text)
    answer = _line(chat, role=Role.ASSISTANT, kind=Kind.REPLY, body=reply, task=task, answers=turn)
    _write(chat, turn, answer)
    return turn, answer


def assistant_says(
    chat: Chat,
    text: str,
    *,
    kind: str = Kind.REPLY,
    task: CallTask | None = None,
    answers: ChatMessage | None = None,
    offers_retry: bool = False,
) -> ChatMessage:
    """Writes down what the assistant says: a reply to a turn, an update, or a task's one completion notice."""
    line = _line(chat, role=Role.ASSISTANT, kind=kind, body=text, task=task, answers=answers, offers_retry=offers_retry)
    return _write(chat, line)[0]


def _line(chat: Chat, **fields: Any) -> ChatMessage:
    return ChatMessage(chat=chat, language=chat.language, created_at=timezone.now(), **fields)


def _write(chat: Chat, *lines: ChatMessage) -> list[ChatMessage]:
    """The chat is locked: its lines get their places one after the other, in the order of their commits."""
    for place, line in enumerate(lines, chat.last_seq + 1):
        line.seq = place
    chat.last_seq += len(lines)
    Chat.objects.filter(pk=chat.pk).update(last_seq=chat.last_seq)
    written = ChatMessage.objects.bulk_create(lines)
    kind, _, key = chat.owner.partition(":")
    if kind == PERSON:
        announce(f"chat:{key}", str(lines[-1].pk))
    return written


def begin(task: CallTask) -> None:
    """A new task of a locked chat."""
    task.chat.tasks_at_hand.insert(0, task)
    task.save(force_insert=True)


def open_task(chat: Chat) -> CallTask | None:
    """The task that is being talked about."""
    return next((task for task in chat.tasks_at_hand if task.status in OPEN), None)


def state_of(chat: Chat | None) -> tuple[str, CallTask | None]:
    """(idle, collecting, confirming or executing; the task that it is about)."""
    if chat is None:
        return "idle", None
    task = open_task(chat)
    if task is not None:
        return task.status, task
    # An unknown one of which the user was told is a matter for a person.
    under_way = [task for task in chat.tasks_at_hand if task.status in UNDER_WAY]
    executing = [task for task in under_way if task.status != CallTask.Status.UNKNOWN or task.finished_at is None]
    return ("executing", executing[0]) if executing else ("idle", None)


def checked_language(language: str | None) -> str | None:
    """The language that a caller asked for, as we know it ("he-IL" is "he"); Invalid for one that we do not speak."""
    if not language:
        return None
    code = language.lower().replace("_", "-").partition("-")[0].replace("iw", "he")
    if code not in {"en", "he"}:
        message = f"The assistant speaks en and he, not {language!r}."
        raise Invalid("invalid", message, fields={"language": [message]})
    return code
