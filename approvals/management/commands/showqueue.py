from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from approvals.models import QueuedResponse
from approvals.reports import metrics_report
from conversations.phones import masked


class Command(BaseCommand):
    help = "Show what waits: the figures of this moment and the oldest waiting replies."

    def handle(self, *args: Any, **options: Any) -> None:
        for name, value in metrics_report()["now"].items():
            self.stdout.write(f"{name.replace('_', ' '):>24}  {value if value is not None else '-'}")
        waiting = QueuedResponse.objects.filter(status=QueuedResponse.Status.PENDING).select_related("conversation")
        for response in waiting.order_by("created_at")[:20]:
            minutes = (timezone.now() - response.created_at).total_seconds() / 60
            phone, reasons = masked(response.conversation.phone), ", ".join(response.reasons)
            self.stdout.write(f"{response.pk}  {minutes:6.1f} min  {phone:12}  {reasons}")
