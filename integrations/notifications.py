"""The Notification Service: e-mail (and text, webhook, push) to the managers.

Source: the recorded answers of the running service (port 8003). It has no /health: any HTTP answer means that it is up.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar

import httpx2

from integrations.base import Unavailable, Upstream, text_of


class Channel(StrEnum):
    EMAIL = "email"
    SMS = "sms"
    WEBHOOK = "webhook"
    PUSH = "push"


class Priority(StrEnum):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    CRITICAL = "critical"


class Notifications(Upstream):
    """Sends at least once: a manager who gets the same e-mail twice is not harmed, one who gets none may be."""

    name: ClassVar[str] = "notification_service"
    health_path: ClassVar[str] = "/"

    def send(
        self,
        *,
        channel: Channel,
        recipient: str,
        subject: str,
        body: str,
        priority: Priority,
        metadata: Mapping[str, str],
        request_id: str,
    ) -> str:
        """Sends one message and returns its tracking id. Raises Refused, Unavailable."""
        message = {
            "channel": channel,
            "recipient": recipient,
            "content": {"subject": subject, "body": body},
            "priority": priority,
            "metadata": dict(metadata),
        }
        # Repeated: see the class.
        response = self.ask("POST", "/notifications/send", json=message, retry=True, request_id=request_id)
        if not response.is_success:
            raise self.refused(response)
        document = self.document(response)
        several = document.get("tracking_ids")
        tracking_id = text_of(document.get("tracking_id")) or text_of(several[0] if several else None)
        if tracking_id is None:
            raise Unavailable(self.name, "its answer has no tracking id", status=response.status_code)
        return tracking_id

    def ailment(self, response: httpx2.Response) -> str | None:
        return None
