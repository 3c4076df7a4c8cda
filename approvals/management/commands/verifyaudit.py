from typing import Any

from django.core.management.base import BaseCommand, CommandError

from approvals.audit import faults
from approvals.models import ApprovalAuditEntry


class Command(BaseCommand):
    help = "Prove that no entry of the audit log was changed or removed. Exits 1 and names the entries if one was."

    def handle(self, *args: Any, **options: Any) -> None:
        found = list(faults())
        for fault in found:
            self.stderr.write(f"entry {fault.seq}: {fault.what}")
        if found:
            raise CommandError(f"{len(found)} faults. The log was tampered with, or restored from a torn backup.")
        newest = ApprovalAuditEntry.objects.order_by("-seq").first()
        if newest is None:
            self.stdout.write("The audit log is empty.")
            return
        # Noted down elsewhere, this line proves later that nothing was cut off at the end.
        self.stdout.write(f"Audit log: {newest.seq} entries, unbroken. Last: {newest.seq} {newest.entry_hash}")
