"""What stops all automatic contact with a person, and its release by somebody with the right."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import URLPattern

from approvals.admin.acts import Act, act_url, me, required_note
from approvals.admin.columns import InWords, column
from approvals.sms_workflow import holds
from approvals.templatetags.console import ago, words
from conversations.admin import ReadOnly
from conversations.models import ContactHold, Conversation


class ReleaseHold(Act):
    """Contact may go on."""

    permission_required = "approvals.release_hold"

    def do(self, request: HttpRequest, pk: UUID) -> str:
        note = required_note(request, "Say why contact may go on; it goes into the audit log.")
        holds.release_hold(get_object_or_404(ContactHold, pk=pk), by=me(request), note=note)
        return "Released. Texts to this person may go on, if nothing else stops them."


@admin.register(ContactHold)
class ContactHoldAdmin(ReadOnly):
    list_display = ["phone", "why", "placed_by", "since", "state"]
    list_filter = [("released_at", admin.EmptyFieldListFilter), ("reason", InWords)]
    search_fields = ["phone", "note"]
    ordering = ["-created_at"]
    show_full_result_count = False
    change_form_outer_before_template = "admin/approvals/contacthold/release.html"
    fields = ["phone", "why", "note", "placed_by", "created_at"]
    readonly_fields = ["why", "placed_by"]

    @column("Why", ordering="reason")
    def why(self, hold: ContactHold) -> str:
        return words(hold.reason)

    @column("Placed by", ordering="created_by")
    def placed_by(self, hold: ContactHold) -> str:
        return words(hold.created_by)

    @column("Since", ordering="created_at")
    def since(self, hold: ContactHold) -> str:
        return ago(hold.created_at)

    @column("State", ordering="released_at", label={"active": "danger", "released": "success"})
    def state(self, hold: ContactHold) -> tuple[str, str]:
        return ("released", f"released by {hold.released_by}") if hold.released_at else ("active", "active")

    def beside(self, request: HttpRequest, hold: ContactHold) -> dict[str, Any]:
        return {
            "hold": hold,
            "conversation": Conversation.objects.filter(phone=hold.phone).first(),
            "may_release": request.user.has_perm("approvals.release_hold"),
        }

    def get_urls(self) -> list[URLPattern]:
        return [act_url(self, "release", ReleaseHold, "release"), *super().get_urls()]
