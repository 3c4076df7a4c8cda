"""A stand-in of the Notification Service. It has no /health: its base address answers 404, so it is up."""

import uuid
from typing import Any, ClassVar

from integrations.simulators.server import Answer, Request
from integrations.simulators.service import Service, missing, not_found

CHANNELS = {"email", "sms", "webhook", "push"}
PRIORITIES = {"low", "normal", "high", "critical"}


class NotificationsSimulator(Service):
    name: ClassVar[str] = "notifications"

    def health(self) -> Answer:
        return not_found()

    def answer(self, request: Request) -> Answer:
        if (request.method, request.path) != ("POST", "/notifications/send"):
            return not_found()
        message = request.json if isinstance(request.json, dict) else {}
        wrong = _wrong(message)
        if wrong:
            return missing(*wrong)
        several = message.get("recipients")
        ids = [str(uuid.uuid4()) for _ in several or (1,)]
        self.sent.append({**message, "tracking_ids": ids})
        return Answer(document={"tracking_ids": ids, "count": len(ids)} if several else {"tracking_id": ids[0]})


def _wrong(message: dict[str, Any]) -> list[str]:
    """The fields that the service would complain of."""
    content = message.get("content")
    checks = {
        "channel": message.get("channel") in CHANNELS,
        "recipient": bool(message.get("recipient") or message.get("recipients")),
        "content": isinstance(content, dict) and bool(content.get("body")),
        "priority": message.get("priority", "normal") in PRIORITIES,
    }
    return [name for name, is_right in checks.items() if not is_right]
