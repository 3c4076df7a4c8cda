"""A user's chat: found or made, locked by whoever writes into it, and its messages in one order."""

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db.models import F
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
    home = region or HOME_OF.get(spoken, settings.DEFAULT_REGION)
    changed = {"region": region, "language": spoken}
    updates = [name for name, value in changed.items() if value]
    new = Chat(owner=user.owner, user_id=user.user_id, language=spoken or "en", region=home)
    # An upsert locks the row in the same statement; without a change it writes the same user_id again.
    Chat.objects.bulk_create(
        [new], update_conflicts=True, unique_fields=["owner"], update_fields=updates or ["user_id"]
    )
    return Chat.objects.get(owner=user.owner)


def lock(chat_id: UUID) -> Chat | None:
    """The chat, locked; None when it has been erased meanwhile."""
    return Chat.objects.select_for_update().filter(pk=chat_id).first()


def user_says(chat: Chat, text: str, *, waits: bool) -> ChatMessage:
    """Writes down a turn of the user's; `waits`: for the language model."""
    status = ChatMessage.Status.WAITING if waits else ChatMessage.Status.SETTLED
    return _write(chat, role=Role.USER, kind=Kind.TURN, body=text, status=status)


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
    return _write(
        chat, role=Role.ASSISTANT, kind=kind, body=text, task=task, answers=answers, offers_retry=offers_retry
    )


def _write(chat: Chat, **fields: object) -> ChatMessage:
    # The chat is locked: its messages get their places one after the other, in the order of their commits.
    Chat.objects.filter(pk=chat.pk).update(last_seq=F("last_seq") + 1)
    chat.last_seq += 1
    message = ChatMessage.objects.create(
        chat=chat, seq=chat.last_seq, language=chat.language, created_at=timezone.now(), **fields
    )
    kind, _, key = chat.owner.partition(":")
    if kind == PERSON:
        announce(f"chat:{key}", str(message.pk))
    return message


def open_task(chat: Chat) -> CallTask | None:
    """The task that is being talked about."""
    return chat.tasks.filter(status__in=OPEN).first()


def state_of(chat: Chat | None) -> tuple[str, CallTask | None]:
    """(idle, collecting, confirming or executing; the task that it is about)."""
    if chat is None:
        return "idle", None
    tasks = list(chat.tasks.filter(status__in=[*OPEN, *UNDER_WAY]).order_by("-created_at"))
    for task in tasks:
        if task.status in OPEN:
            return task.status, task
    # An unknown one of which the user was told is a matter for a person.
    executing = [task for task in tasks if task.status != CallTask.Status.UNKNOWN or task.finished_at is None]
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
