"""The assistant in a terminal: the same flow as the page, as the user `terminal` or as the one who is named."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from calls.chat_workflow.chats import User, chat_of
from calls.chat_workflow.receiving import receive_message
from calls.models import ChatMessage
from conversations.refusals import Refusal

LOOK_EVERY_SECONDS = 0.2
PATIENCE_SECONDS = 30.0


class Command(BaseCommand):
    help = "Talk to the assistant here. An empty line looks for news, Ctrl+D leaves. A worker must be running."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", default="terminal", help="whose chat; `person:KEY` is the page's user KEY")
        parser.add_argument("--region", help="of telephone numbers without a country code: US, IL")
        parser.add_argument("--language", help="en or he; else the one that you write in")

    def handle(self, *args: Any, **options: Any) -> None:
        kind, _, key = options["user"].partition(":")
        user = User.signed_in(key) if kind == "person" and key else User.named_by_token("terminal", options["user"])
        seen = self._news(user, 0)
        while True:
            try:
                text = input("> ")
            except (EOFError, KeyboardInterrupt):
                return
            seen = self._turn(user, text, seen, options)

    def _turn(self, user: User, text: str, seen: int, options: dict[str, Any]) -> int:
        if text.strip():
            try:
                turn = receive_message(user, text, region=options["region"], language=options["language"])
            except Refusal as refusal:
                self.stderr.write(refusal.message)
                return seen
            self._wait_for_reply(turn.message)
        return self._news(user, seen)

    def _wait_for_reply(self, message: ChatMessage) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline and not ChatMessage.objects.filter(answers=message).exists():
            time.sleep(LOOK_EVERY_SECONDS)

    def _news(self, user: User, seen: int) -> int:
        """Shows what the assistant has said since; returns the place of the last line."""
        chat = chat_of(user)
        for line in chat.messages.filter(seq__gt=seen).order_by("seq") if chat else ():
            if line.role == ChatMessage.Role.ASSISTANT:
                self.stdout.write(f"  {line.body}")
            seen = line.seq
        return seen
