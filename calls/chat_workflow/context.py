"""Everything that is stored about a user, to be seen; and its end."""

from typing import Any

from django.db import transaction

from calls.chat_workflow.chats import User, chat_of, lock
from calls.models import CallTask, Chat, Erasure
from conversations.wakeups import wake

Status = CallTask.Status
# Not placed yet: erasing stops these.
STILL_STOPPABLE = (Status.COLLECTING, Status.CONFIRMING, Status.CONFIRMED)


def context_of(user: User) -> dict[str, Any]:
    """All that we keep of a user, as plain values; empty lists for somebody we do not know."""
    chat = chat_of(user)
    nothing: dict[str, Any] = {"language": None, "region": None, "context": [], "tasks": [], "messages": []}
    return {"user_id": user.user_id, **(_everything(chat) if chat else nothing)}


def _everything(chat: Chat) -> dict[str, Any]:
    return {
        "language": chat.language,
        "region": chat.region,
        "context": list(chat.context.order_by("kind", "name").values("kind", "name", "value", "updated_at")),
        "tasks": [task_as_json(task) for task in chat.tasks.order_by("created_at")],
        "messages": list(chat.messages.order_by("seq").values("id", "role", "kind", "body", "created_at")),
    }


def task_as_json(task: CallTask) -> dict[str, Any]:
    """A task with all that it stores."""
    return {
        "id": task.pk,
        "type": task.task_type,
        "status": task.status,
        "parameters": task.parameters,
        "summary": task.summary,
        "outcome": task.outcome,
        "result": task.result,
        "call_sid": task.reference,
        "created_at": task.created_at,
        "finished_at": task.finished_at,
    }


def erase(user: User, *, asked_through: str) -> dict[str, int]:
    """Erases a user: what was not placed is cancelled by it; that an erasure happened is all that stays."""
    with transaction.atomic():
        found = chat_of(user)
        chat = lock(found.pk) if found else None
        counts = _counts(chat)
        if chat is not None:
            chat.delete()
        Erasure.objects.create(asked_through=asked_through[:100], counts=counts)
        wake()  # lines and claims of what is gone are free
    return counts


def _counts(chat: Chat | None) -> dict[str, int]:
    if chat is None:
        return {"messages": 0, "context": 0, "tasks": 0, "cancelled": 0}
    return {
        "messages": chat.messages.count(),
        "context": chat.context.count(),
        "tasks": chat.tasks.count(),
        "cancelled": chat.tasks.filter(status__in=STILL_STOPPABLE).count(),
    }
