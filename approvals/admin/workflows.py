"""The work on every text, step by step, and another try for what failed."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern

from approvals.admin.acts import Act, act_url, decider
from approvals.admin.columns import InWords, column
from approvals.models import Workflow
from approvals.sms_workflow import decisions
from approvals.templatetags.console import words
from conversations.admin import ReadOnly

LABELS = {"completed": "success", "failed": "danger", "processing": "info", "received": "info", "superseded": "warning"}


class RetryWorkflow(Act):
    """Draft the reply once more, from the start."""

    permission_required = "approvals.retry"

    def do(self, request: HttpRequest, pk: UUID) -> str:
        decisions.retry(pk, by=decider(request), reason=request.POST.get("reason", "")[:500])
        return "It is tried again."


@admin.register(Workflow)
class WorkflowAdmin(ReadOnly):
    list_display = ["started_at", "conversation", "state", "ended", "attempts", "error_message"]
    list_filter = ["status", ("outcome", InWords)]
    list_select_related = ["conversation"]
    search_fields = ["conversation__phone", "conversation__tenant_name", "error_message"]
    ordering = ["-started_at"]
    show_full_result_count = False
    change_form_outer_before_template = "admin/approvals/workflow/story.html"
    fields = ["said", "attempts", "started_at", "completed_at", "ended"]
    readonly_fields = ["said", "ended"]

    @column("Status", ordering="status", label=LABELS)
    def state(self, workflow: Workflow) -> tuple[str, str]:
        return workflow.status, workflow.get_status_display()

    @column("Outcome", ordering="outcome")
    def ended(self, workflow: Workflow) -> str:
        return words(workflow.outcome or workflow.step)

    @column("Tenant's text")
    def said(self, workflow: Workflow) -> str:
        return workflow.message.body

    def beside(self, request: HttpRequest, workflow: Workflow) -> dict[str, Any]:
        return {
            "workflow": workflow,
            "steps": workflow.steps.all(),
            "replies": workflow.responses.order_by("-created_at"),
            "may_retry": request.user.has_perm("approvals.retry"),
        }

    def get_urls(self) -> list[URLPattern]:
        return [act_url(self, "retry", RetryWorkflow, "retry"), *super().get_urls()]
