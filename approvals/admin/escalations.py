"""The escalation desk: what a person must take over, by its clock; assign, note, resolve."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern
from django.utils import timezone

from approvals.admin.acts import Act, act_url, me, required_note
from approvals.admin.columns import InWords, column
from approvals.models import Escalation
from approvals.sms_workflow import escalations
from approvals.templatetags.console import ago, codes, words
from conversations.admin import ReadOnly

# The three clocks of the written rules.
CLOCKS = {"critical": "at once", "high": "same day", "medium": "same day", "low": "next business day"}

WHAT_WAS_DONE = "Say in a sentence what was done; the next person needs it."


class AssignEscalation(Act):
    """Say who takes care of it."""

    permission_required = "approvals.escalate"

    def do(self, request: HttpRequest, pk: UUID) -> str:
        to = request.POST.get("to", "").strip() or me(request)
        escalations.assign(pk, to=to, by=me(request))
        return f"{to} takes care of it."


class NoteEscalation(Act):
    """Write down what was done so far."""

    permission_required = "approvals.escalate"

    def do(self, request: HttpRequest, pk: UUID) -> str:
        escalations.add_note(pk, by=me(request), note=required_note(request, WHAT_WAS_DONE))
        return "The note is kept."


class ResolveEscalation(Act):
    """It is taken care of: automatic texts may go on, if nothing else stops them."""

    permission_required = "approvals.escalate"

    def do(self, request: HttpRequest, pk: UUID) -> str:
        escalations.resolve(pk, by=me(request), note=required_note(request, WHAT_WAS_DONE))
        return "Resolved. Automatic texts to this tenant may go on, if nothing else stops them."


@admin.register(Escalation)
class EscalationAdmin(ReadOnly):
    list_display = ["tenant", "why", "clock", "due", "opened", "assigned", "state"]
    list_filter = ["status", "severity", ("category", InWords), "assigned_to"]
    list_select_related = ["conversation"]
    search_fields = ["conversation__phone", "conversation__tenant_name", "reason"]
    ordering = ["status", "due_at"]
    show_full_result_count = False
    fields = ["said", "opened_by", "created_at", "due_at", "resolved_by", "resolved_at"]
    readonly_fields = ["said", "opened_by"]
    change_form_outer_before_template = "admin/approvals/escalation/desk.html"

    @column("Tenant", ordering="conversation__tenant_name")
    def tenant(self, escalation: Escalation) -> str:
        return str(escalation.conversation)

    @column("Reason")
    def said(self, escalation: Escalation) -> str:
        return codes(escalation.reason)

    @column("Opened by")
    def opened_by(self, escalation: Escalation) -> str:
        return words(escalation.created_by)

    @column("Why")
    def why(self, escalation: Escalation) -> str:
        return words(escalation.category)

    @column(
        "Clock",
        ordering="severity",
        label={"critical": "danger", "high": "warning", "medium": "info", "low": ""},
    )
    def clock(self, escalation: Escalation) -> tuple[str, str]:
        return escalation.severity, CLOCKS[escalation.severity]

    @column("Due", ordering="due_at", label={"late": "danger", "in time": "success", "": ""})
    def due(self, escalation: Escalation) -> tuple[str, str]:
        if escalation.status == Escalation.Status.RESOLVED:
            return "", "–"
        late = escalation.due_at < timezone.now()
        return ("late", f"late, {ago(escalation.due_at)}") if late else ("in time", ago(escalation.due_at))

    @column("Opened", ordering="created_at")
    def opened(self, escalation: Escalation) -> str:
        return ago(escalation.created_at)

    @column("With", ordering="assigned_to")
    def assigned(self, escalation: Escalation) -> str:
        return escalation.assigned_to or "nobody"

    @column("State", ordering="status", label={"open": "warning", "resolved": "success"})
    def state(self, escalation: Escalation) -> tuple[str, str]:
        return escalation.status, escalation.get_status_display()

    def beside(self, request: HttpRequest, escalation: Escalation) -> dict[str, Any]:
        return {
            "escalation": escalation,
            "clock": CLOCKS[escalation.severity],
            "thread": list(escalation.conversation.messages.order_by("-created_at")[:6])[::-1],
            "may_escalate": request.user.has_perm("approvals.escalate"),
        }

    def get_urls(self) -> list[URLPattern]:
        return [
            act_url(self, "assign", AssignEscalation, "assign"),
            act_url(self, "note", NoteEscalation, "note"),
            act_url(self, "resolve", ResolveEscalation, "resolve"),
            *super().get_urls(),
        ]
