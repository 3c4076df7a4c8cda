"""What was told to the managers, and another try for what could not be sent."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern

from approvals.admin.acts import Act, act_url
from approvals.admin.columns import InWords, column
from approvals.models import Notification
from approvals.sms_workflow import notices
from approvals.templatetags.console import words
from conversations.admin import ReadOnly


class SendAgain(Act):
    """Put a given-up notice on its way once more."""

    permission_required = "approvals.retry"

    def do(self, request: HttpRequest, pk: UUID) -> str:
        notices.send_again(pk)
        return "It is sent again."


@admin.register(Notification)
class NotificationAdmin(ReadOnly):
    list_display = ["created_at", "what", "recipient", "subject", "state", "attempts", "error_message"]
    list_filter = ["status", ("kind", InWords)]
    search_fields = ["recipient", "subject"]
    ordering = ["-created_at"]
    show_full_result_count = False
    fields = ["created_at", "recipient", "subject", "body", "priority", "attempts", "sent_at", "error_message"]
    change_form_outer_before_template = "admin/approvals/notification/again.html"

    @column("About", ordering="kind")
    def what(self, notice: Notification) -> str:
        return words(notice.kind)

    @column("Status", ordering="status", label={"sent": "success", "failed": "danger", "pending": "info"})
    def state(self, notice: Notification) -> tuple[str, str]:
        return notice.status, notice.get_status_display()

    def beside(self, request: HttpRequest, notice: Notification) -> dict[str, Any]:
        return {"notice": notice, "may_retry": request.user.has_perm("approvals.retry")}

    def get_urls(self) -> list[URLPattern]:
        return [act_url(self, "again", SendAgain, "again"), *super().get_urls()]
