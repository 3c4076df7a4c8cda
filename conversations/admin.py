"""The ledger in the admin: to be read. What changes it goes through the flow."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from conversations.models import ContactHold, Conversation, Message


class ReadOnly(ModelAdmin):  # type: ignore[misc]
    """Nobody adds, changes or deletes here, whatever their permissions: that would bypass the flow."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class MessageInline(TabularInline):  # type: ignore[misc]
    model = Message
    fields = ["created_at", "direction", "author", "body", "delivery"]
    readonly_fields = fields
    ordering = ["-created_at"]
    extra = 0
    can_delete = False
    show_change_link = False
    per_page = 50

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Conversation)
class ConversationAdmin(ReadOnly):
    list_display = ["phone", "tenant_name", "property_name", "language", "last_inbound_at", "last_outbound_at"]
    list_filter = ["language", "property_name"]
    search_fields = ["phone", "tenant_name", "tenant_id", "external_id", "messages__body"]
    ordering = ["-last_inbound_at"]
    inlines = [MessageInline]
    show_full_result_count = False


@admin.register(ContactHold)
class ContactHoldAdmin(ReadOnly):
    list_display = ["phone", "reason", "created_by", "created_at", "released_by", "released_at"]
    list_filter = ["reason", ("released_at", admin.EmptyFieldListFilter)]
    search_fields = ["phone", "note"]
    ordering = ["-created_at"]
    show_full_result_count = False
