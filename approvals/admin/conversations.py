"""Threads to read, found by name, number or words; a text by hand goes through the same gates as every other."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import URLPattern

from approvals.admin.acts import Act, act_url, decider, me, required_note
from approvals.admin.columns import ByLanguage, column
from approvals.console.card import unsent_words
from approvals.models import QueuedResponse
from approvals.sms_workflow import decisions, holds
from approvals.templatetags.console import ago, language, words
from conversations.admin import ReadOnly
from conversations.models import ContactHold, Conversation, Message
from conversations.refusals import Refusal

SHOWN = 200


class WriteByHand(Act):
    """A text that a person starts."""

    permission_required = "approvals.approve"

    def do(self, request: HttpRequest, pk: UUID) -> str:
        conversation = get_object_or_404(Conversation, pk=pk)
        text = request.POST.get("text", "").replace("\r\n", "\n")
        decisions.write_by_hand(
            conversation, by=decider(request), text=text, override_reason=request.POST.get("override_reason", "")
        )
        return f"Your text goes to {conversation}."

    def refused(self, request: HttpRequest, pk: UUID, refusal: Refusal) -> None:
        # What was typed comes back into the field, with the field for a reason when a gate stood in the way.
        request.session[f"by-hand {pk}"] = {"text": request.POST.get("text", ""), "code": refusal.code}


class PlaceHold(Act):
    """Stop all contact with this telephone."""

    permission_required = "approvals.release_hold"

    def do(self, request: HttpRequest, pk: UUID) -> str:
        conversation = get_object_or_404(Conversation, pk=pk)
        note = required_note(request, "Say why this person must not be contacted.")
        holds.hold_by_hand(conversation, by=me(request), note=note)
        return f"No text goes to {conversation} until the hold is released."


@admin.register(Conversation)
class ConversationAdmin(ReadOnly):
    list_display = ["tenant", "phone", "property_name", "spoken", "wrote", "written_to"]
    list_filter = [("language", ByLanguage), "property_name"]
    search_fields = ["tenant_name"]
    search_help_text = "A name, a number, or words of a text"
    ordering = ["-last_inbound_at"]
    show_full_result_count = False
    fields = ["tenant_id", "external_id", "spoken", "spoken_from", "account_at"]
    readonly_fields = ["spoken", "spoken_from"]
    change_form_outer_before_template = "admin/conversations/conversation/thread.html"

    @column("Tenant", ordering="tenant_name")
    def tenant(self, conversation: Conversation) -> str:
        return str(conversation)

    @column("Language", ordering="language")
    def spoken(self, conversation: Conversation) -> str:
        return language(conversation.language)

    @column("Language known from")
    def spoken_from(self, conversation: Conversation) -> str:
        return words(conversation.language_source) or "nowhere yet"

    @column("Tenant wrote", ordering="last_inbound_at")
    def wrote(self, conversation: Conversation) -> str:
        return ago(conversation.last_inbound_at)

    @column("We wrote", ordering="last_outbound_at")
    def written_to(self, conversation: Conversation) -> str:
        return ago(conversation.last_outbound_at)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Conversation], search_term: str
    ) -> tuple[QuerySet[Conversation], bool]:
        """By name or number anywhere in them, or by whole words of any text (an index finds those)."""
        term = search_term.strip()
        if not term:
            return queryset, False
        digits = "".join(character for character in term if character.isdigit())
        wanted = Q(tenant_name__icontains=term) | Q(tenant_id=term) | Q(external_id=term)
        if len(digits) >= 3:
            wanted |= Q(phone__contains=digits)
        said = Message.objects.annotate(words=SearchVector("body", config="simple")).filter(
            conversation=OuterRef("pk"), words=SearchQuery(term, config="simple")
        )
        return queryset.filter(wanted | Exists(said)), False

    def beside(self, request: HttpRequest, conversation: Conversation) -> dict[str, Any]:
        everything = request.GET.get("all") == "yes"
        thread = list(conversation.messages.order_by("-created_at")[: None if everything else SHOWN + 1])
        person = request.user
        return {
            "conversation": conversation,
            "thread": (thread if everything else thread[:SHOWN])[::-1],
            "earlier": not everything and len(thread) > SHOWN,
            "waiting": conversation.responses.filter(status=QueuedResponse.Status.PENDING).first(),
            "holds": ContactHold.objects.active().filter(phone=conversation.phone),
            "unsent": unsent_words(conversation),
            "kept": request.session.pop(f"by-hand {conversation.pk}", None) or {},
            "may_write": person.has_perm("approvals.approve"),
            "may_override": person.has_perm("approvals.override_gates"),
            "may_hold": person.has_perm("approvals.release_hold"),
        }

    def get_urls(self) -> list[URLPattern]:
        return [
            act_url(self, "write", WriteByHand, "write"),
            act_url(self, "hold", PlaceHold, "hold"),
            *super().get_urls(),
        ]
