"""The system's own tables in the admin, and the accounts in the theme's dress."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from conversations.admin import ReadOnly
from orchestrator_site.models import CircuitBreaker, ServiceToken

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(BaseUserAdmin, ModelAdmin):  # type: ignore[misc,type-arg]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class GroupAdmin(BaseGroupAdmin, ModelAdmin):  # type: ignore[misc]
    pass


@admin.register(ServiceToken)
class ServiceTokenAdmin(ReadOnly):
    """Made by `manage.py createtoken`; revoked here."""

    list_display = ["name", "role", "created_at", "revoked_at"]
    list_filter = ["role"]
    actions = ["revoke"]

    @admin.action(description="Revoke: the service is locked out within half a minute", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ServiceToken]) -> None:
        count = queryset.filter(revoked_at=None).update(revoked_at=timezone.now())
        self.message_user(request, f"{count} tokens revoked.")

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("orchestrator_site.change_servicetoken")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions


@admin.register(CircuitBreaker)
class CircuitBreakerAdmin(ReadOnly):
    list_display = ["name", "state", "failures", "opened_at", "updated_at"]
