"""All replies, to be read; the approvals page stands below them."""

from django.contrib import admin
from django.urls import URLPattern

from approvals.admin.columns import column
from approvals.console import views
from approvals.models import QueuedResponse
from conversations.admin import ReadOnly

LABELS = {
    "sent": "success",
    "pending": "info",
    "approved": "info",
    "sending": "info",
    "failed": "danger",
    "unknown": "danger",
    "escalated": "warning",
    "withdrawn": "warning",
}


@admin.register(QueuedResponse)
class QueuedResponseAdmin(ReadOnly):
    list_display = ["created_at", "conversation", "asked", "answered", "confidence_score", "state", "actioned_by"]
    list_filter = ["status", "language", "manager_action"]
    list_select_related = ["conversation"]
    search_fields = ["conversation__phone", "conversation__tenant_name", "tenant_message", "final_text"]
    ordering = ["-created_at"]
    date_hierarchy = None
    show_full_result_count = False

    @column("Tenant's text")
    def asked(self, reply: QueuedResponse) -> str:
        return reply.tenant_message[:80]

    @column("Reply")
    def answered(self, reply: QueuedResponse) -> str:
        return reply.final_text[:80]

    @column("Status", label=LABELS, ordering="status")
    def state(self, reply: QueuedResponse) -> tuple[str, str]:
        return reply.status, reply.get_status_display()

    def get_urls(self) -> list[URLPattern]:
        return [*views.urls(self), *super().get_urls()]
