"""What is kept: rule switches, and the audit log, which nobody changes and everybody may export."""

import csv
from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.urls import URLPattern, path

from approvals.admin.columns import InWords, column
from approvals.models import ApprovalAuditEntry, RuleSwitch
from approvals.templatetags.console import codes, words
from conversations.admin import ReadOnly

COLUMNS = [
    "seq",
    "created_at",
    "action",
    "approved_by",
    "conversation_id",
    "response_id",
    "original_response",
    "final_response",
    "reason",
    "entry_hash",
]


@admin.register(ApprovalAuditEntry)
class ApprovalAuditEntryAdmin(ReadOnly):
    list_display = ["seq", "created_at", "what", "who", "conversation", "text", "why"]
    list_filter = [("action", InWords), "created_at"]
    list_select_related = ["conversation"]
    search_fields = ["approved_by", "reason", "final_response", "conversation__tenant_name", "conversation__phone"]
    ordering = ["-seq"]
    show_full_result_count = False
    list_before_template = "admin/approvals/approvalauditentry/export.html"
    fields = [
        "seq",
        "created_at",
        "what",
        "who",
        "conversation",
        "original_response",
        "final_response",
        "reason_in_full",
        "entry_hash",
    ]
    readonly_fields = ["seq", "what", "who", "reason_in_full", "entry_hash"]

    @column("Decision", ordering="action")
    def what(self, entry: ApprovalAuditEntry) -> str:
        return words(entry.action)

    @column("By", ordering="approved_by")
    def who(self, entry: ApprovalAuditEntry) -> str:
        return words(entry.approved_by)

    @column("Reason")
    def reason_in_full(self, entry: ApprovalAuditEntry) -> str:
        return codes(entry.reason) or "–"

    @column("Text")
    def text(self, entry: ApprovalAuditEntry) -> str:
        return entry.final_response[:80]

    @column("Reason")
    def why(self, entry: ApprovalAuditEntry) -> str:
        return codes(entry.reason)[:80]

    def get_urls(self) -> list[URLPattern]:
        export = self.admin_site.admin_view(self.export)
        return [path("export/", export, name="approvals_approvalauditentry_export"), *super().get_urls()]

    def export(self, request: HttpRequest) -> StreamingHttpResponse:
        """The filtered log as CSV, row by row: the whole log fits, however long it is."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            entries: QuerySet[ApprovalAuditEntry] = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters as error:
            raise BadRequest("The audit log has no such filter.") from error
        return StreamingHttpResponse(
            _csv(entries),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="audit-log.csv"'},
        )


class _Echo:
    """Hands back what is written, for a writer that wants a file."""

    def write(self, line: str) -> str:
        return line


def _csv(entries: QuerySet[ApprovalAuditEntry]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow(COLUMNS)
    for entry in entries.select_related(None).iterator(chunk_size=1000):
        yield writer.writerow([_cell(getattr(entry, column)) for column in COLUMNS])


def _cell(value: Any) -> str:
    """A cell that a spreadsheet shows and does not run: tenants write what they like."""
    text = value.isoformat() if hasattr(value, "isoformat") else str(value if value is not None else "")
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


@admin.register(RuleSwitch)
class RuleSwitchAdmin(ReadOnly):
    list_display = ["turned_at", "what", "state", "turned_by", "reason"]
    ordering = ["-turned_at"]
    fields = ["turned_at", "what", "state", "turned_by", "reason"]
    readonly_fields = ["what", "state"]

    @column("Rule", ordering="name")
    def what(self, switch: RuleSwitch) -> str:
        return words(switch.name).capitalize()

    @column("Turned", label={"on": "success", "off": "danger"})
    def state(self, switch: RuleSwitch) -> str:
        return "on" if switch.value else "off"
