"""Payment plans: what tenants offer, what the rules say of it, and a person's yes or no."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern

from approvals.admin.acts import Act, act_url, me, required_note
from approvals.admin.columns import column
from approvals.models import PaymentPlan
from approvals.sms_workflow import plans
from approvals.templatetags.console import money, words
from conversations.admin import ReadOnly


class AcceptPlan(Act):
    """Agree to it."""

    permission_required = "approvals.approve"

    def do(self, request: HttpRequest, pk: UUID) -> str:
        plan = plans.accept_plan(pk, by=me(request), note=request.POST.get("note", "").strip()[:2000])
        return f"Accepted: {plan}. No text was sent; write to {plan.conversation} if they should know."


class DeclinePlan(Act):
    """Do not agree to it."""

    permission_required = "approvals.approve"

    def do(self, request: HttpRequest, pk: UUID) -> str:
        note = required_note(request, "Say why; it goes into the audit log.")
        plan = plans.decline_plan(pk, by=me(request), note=note)
        return f"Declined: {plan}. No text was sent; write to {plan.conversation} if they should know."


@admin.register(PaymentPlan)
class PaymentPlanAdmin(ReadOnly):
    list_display = ["created_at", "conversation", "terms", "sum", "verdict", "state"]
    list_filter = ["status", "valid", "auto_approvable", "source"]
    list_select_related = ["conversation"]
    search_fields = ["conversation__phone", "conversation__tenant_name"]
    ordering = ["-created_at"]
    show_full_result_count = False
    change_form_outer_before_template = "admin/approvals/paymentplan/decide.html"
    fields = ["terms", "start_date", "source", "created_at"]
    readonly_fields = ["terms"]

    @column("Terms", ordering="weekly_amount")
    def terms(self, plan: PaymentPlan) -> str:
        return str(plan)

    @column("Total", ordering="total")
    def sum(self, plan: PaymentPlan) -> str:
        return money(plan.total or plan.one_off_amount)

    @column("Rules", label={"auto": "success", "valid": "warning", "outside": "danger", "": ""})
    def verdict(self, plan: PaymentPlan) -> tuple[str, str]:
        if plan.weekly_amount is None:
            return "", "one payment"
        if plan.auto_approvable:
            return "auto", "within the rules"
        issues = ", ".join(words(issue["code"]) for issue in plan.issues)
        return ("valid", "needs a manager") if plan.valid else ("outside", issues or "incomplete")

    @column(
        "Status",
        ordering="status",
        label={"accepted": "success", "proposed": "info", "declined": "danger", "replaced": ""},
    )
    def state(self, plan: PaymentPlan) -> tuple[str, str]:
        return plan.status, plan.get_status_display()

    def beside(self, request: HttpRequest, plan: PaymentPlan) -> dict[str, Any]:
        proposed = plan.status == PaymentPlan.Status.PROPOSED
        return {
            "plan": plan,
            "verdict": self.verdict(plan),
            "may_decide": proposed and request.user.has_perm("approvals.approve"),
        }

    def get_urls(self) -> list[URLPattern]:
        return [
            act_url(self, "accept", AcceptPlan, "accept"),
            act_url(self, "decline", DeclinePlan, "decline"),
            *super().get_urls(),
        ]
