import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder

from approvals import people
from conversations.models import Conversation
from conversations.phones import NotAPhone, to_e164


class Command(BaseCommand):
    help = "Print everything that is kept about the person with this telephone number, as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("phone")

    def handle(self, *args: Any, phone: str, **options: Any) -> None:
        self.stdout.write(json.dumps(people.export(conversation_of(phone)), cls=DjangoJSONEncoder, indent=2))


def conversation_of(phone: str) -> Conversation:
    """By the number as it is written; CommandError when there is none."""
    try:
        return Conversation.objects.get(phone=to_e164(phone, region=settings.DEFAULT_REGION))
    except NotAPhone as error:
        raise CommandError(f"{phone!r} is no telephone number: {error}.") from error
    except Conversation.DoesNotExist:
        raise CommandError("Nothing is kept about this number.") from None
