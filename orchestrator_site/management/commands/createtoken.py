from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError, ProgrammingError

from orchestrator_site.auth import new_token
from orchestrator_site.models import Role, ServiceToken

# Who decides without being a service or a person.
DECIDERS = frozenset({"policy", "tenant"})


class Command(BaseCommand):
    help = "Make a bearer token for a service and print it, once: only its hash is kept."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="what the service is called in the audit log")
        parser.add_argument("--role", required=True, choices=Role.values)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["name"] in DECIDERS:
            raise CommandError(f"In the audit log {options['name']!r} is somebody else. Choose another name.")
        token, token_hash = new_token()
        try:
            ServiceToken.objects.create(name=options["name"], role=options["role"], token_hash=token_hash)
        except ProgrammingError:
            raise CommandError(
                "This database has no tables yet. Run `manage.py migrate`, or start script/server."
            ) from None
        except IntegrityError:
            raise CommandError(
                f"There is a token named {options['name']!r} already. Revoke it in the admin, or choose another name."
            ) from None
        self.stdout.write(token)
