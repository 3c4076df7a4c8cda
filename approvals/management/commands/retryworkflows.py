from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from approvals.models import Workflow
from approvals.sms_workflow.decisions import Decider, can_be_retried, retry
from conversations.refusals import Conflict


class Command(BaseCommand):
    help = "Draft the replies of failed workflows once more, such as after an outage of the model."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--limit", type=int, default=100, help="at most so many, the oldest first (100)")
        parser.add_argument("--dry-run", action="store_true", help="only say which")

    def handle(self, *args: Any, **options: Any) -> None:
        failed = can_be_retried().order_by("started_at")[: options["limit"]]
        for workflow in failed:
            self.stdout.write(f"{workflow.pk}  {workflow.started_at:%Y-%m-%d %H:%M}  {workflow.error_message}")
        if options["dry_run"]:
            self.stdout.write(f"{len(failed)} would be retried.")
        else:
            self.stdout.write(f"{sum(map(self._retry, failed))} are retried.")

    def _retry(self, workflow: Workflow) -> bool:
        try:
            retry(workflow.pk, by=Decider(name="retryworkflows"), reason="manage.py retryworkflows")
        except Conflict as conflict:
            self.stdout.write(f"{workflow.pk}  {conflict.message}")
            return False
        return True
