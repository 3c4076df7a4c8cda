from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from approvals import people
from approvals.management.commands.exportperson import conversation_of
from conversations.refusals import Conflict


class Command(BaseCommand):
    help = "Erase name, number, account and words of a person; the audit log and an opt-out stay, as the law wants."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("phone")
        parser.add_argument("--yes", action="store_true", help="do it; without it, only say what would be erased")

    def handle(self, *args: Any, phone: str, yes: bool, **options: Any) -> None:
        conversation = conversation_of(phone)
        if not yes:
            kept = {name: len(rows) for name, rows in people.export(conversation).items() if name != "conversation"}
            self.stdout.write(f"Would erase: {', '.join(f'{count} {name}' for name, count in kept.items())}.")
            self.stdout.write("The audit log and an opt-out stay. Run it again with --yes.")
            return
        try:
            counts = people.erase(conversation)
        except Conflict as busy:
            raise CommandError(busy.message) from busy
        self.stdout.write("Erased: " + ", ".join(f"{count} {name}" for name, count in counts.items()) + ".")
