"""Replies, workflows, plans, escalations and the audit log in the admin: to be read. Decisions go through the flow."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import TabularInline

from approvals.models import (
    ApprovalAuditEntry,
    Escalation,
    Notification,
    PaymentPlan,
    QueuedResponse,
    RuleSwitch,
    Workflow,
    WorkflowStep,
)
from conversations.admin import ReadOnly


class StepInline(TabularInline):  # type: ignore[misc]
    model = WorkflowStep
    fields = ["started_at", "name", "attempt", "duration_ms", "outcome", "detail"]
    readonly_fields = fields
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Workflow)
class WorkflowAdmin(ReadOnly):
    list_display = ["started_at", "conversation", "status", "step", "outcome", "attempts", "error_message"]
    list_filter = ["status", "outcome"]
    list_select_related = ["conversation"]
    search_fields = ["conversation__phone", "conversation__tenant_name", "error_message"]
    ordering = ["-started_at"]
    inlines = [StepInline]
    show_full_result_count = False


@admin.register(QueuedResponse)
class QueuedResponseAdmin(ReadOnly):
    list_display = ["created_at", "conversation", "tenant_message", "final_text", "confidence_score", "status"]
    list_filter = ["status", "language", "manager_action"]
    list_select_related = ["conversation"]
    search_fields = ["conversation__phone", "conversation__tenant_name", "tenant_message", "final_text"]
    ordering = ["-created_at"]
    show_full_result_count = False


@admin.register(ApprovalAuditEntry)
class ApprovalAuditEntryAdmin(ReadOnly):
    list_display = ["seq", "created_at", "action", "approved_by", "conversation", "final_response", "reason"]
    list_filter = ["action"]
    list_select_related = ["conversation"]
    search_fields = ["approved_by", "reason", "final_response"]
    ordering = ["-seq"]
    show_full_result_count = False


@admin.register(PaymentPlan)
class PaymentPlanAdmin(ReadOnly):
    list_display = [
        "created_at",
        "conversation",
        "weekly_amount",
        "weeks",
        "total",
        "valid",
        "auto_approvable",
        "status",
    ]
    list_filter = ["status", "valid", "auto_approvable", "source"]
    list_select_related = ["conversation"]
    ordering = ["-created_at"]
    show_full_result_count = False


@admin.register(Escalation)
class EscalationAdmin(ReadOnly):
    list_display = ["created_at", "conversation", "category", "severity", "status", "due_at", "assigned_to"]
    list_filter = ["status", "severity", "category"]
    list_select_related = ["conversation"]
    search_fields = ["conversation__phone", "conversation__tenant_name", "reason"]
    ordering = ["status", "due_at"]
    show_full_result_count = False


@admin.register(Notification)
class NotificationAdmin(ReadOnly):
    list_display = ["created_at", "kind", "recipient", "subject", "status", "attempts", "error_message"]
    list_filter = ["status", "kind"]
    ordering = ["-created_at"]
    show_full_result_count = False


@admin.register(RuleSwitch)
class RuleSwitchAdmin(ReadOnly):
    list_display = ["turned_at", "name", "value", "turned_by", "reason"]
    ordering = ["-turned_at"]
