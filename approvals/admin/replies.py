"""All replies, to be read; the approvals page stands below them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern

from approvals.admin.columns import ByLanguage, InWords, column
from approvals.console import views
from approvals.models import QueuedResponse
from approvals.templatetags.console import percent, words
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
    list_display = ["created_at", "conversation", "asked", "answered", "sure", "state", "decided_by"]
    list_filter = ["status", ("language", ByLanguage), ("manager_action", InWords)]
    list_select_related = ["conversation"]
    search_fields = ["conversation__phone", "conversation__tenant_name", "tenant_message", "final_text"]
    ordering = ["-created_at"]
    show_full_result_count = False
    change_form_outer_before_template = "admin/approvals/queuedresponse/reply.html"
    fields = [
        "tenant_message",
        "ai_response",
        "final_text",
        "sure",
        "why",
        "decided_by",
        "actioned_at",
        "sent_at",
        "error_message",
        "created_at",
    ]
    readonly_fields = ["sure", "why", "decided_by"]

    @column("Tenant's text")
    def asked(self, reply: QueuedResponse) -> str:
        return reply.tenant_message[:80]

    @column("Reply")
    def answered(self, reply: QueuedResponse) -> str:
        return reply.final_text[:80]

    @column("Status", label=LABELS, ordering="status")
    def state(self, reply: QueuedResponse) -> tuple[str, str]:
        return reply.status, reply.get_status_display()

    @column("Confidence", ordering="confidence_score")
    def sure(self, reply: QueuedResponse) -> str:
        return percent(reply.confidence_score) if reply.ai_response else "–"

    @column("Decided by", ordering="actioned_by")
    def decided_by(self, reply: QueuedResponse) -> str:
        return words(reply.actioned_by) if reply.actioned_by else "nobody yet"

    @column("Reasons")
    def why(self, reply: QueuedResponse) -> str:
        return ", ".join(map(words, reply.reasons)) or "–"

    def beside(self, request: HttpRequest, reply: QueuedResponse) -> dict[str, Any]:
        return {"reply": reply}

    def get_urls(self) -> list[URLPattern]:
        return [*views.urls(self), *super().get_urls()]
