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

from approvals.admin.columns import column
from approvals.templatetags.console import upstream
from conversations.admin import ReadOnly
from orchestrator_site.models import CircuitBreaker, ServiceToken

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(BaseUserAdmin, ModelAdmin):  # type: ignore[misc,type-arg]
    """Who signs in. What they may do comes from their groups."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "first_name", "last_name", "email", "in_groups", "is_active", "last_login"]
    list_filter = ["groups", "is_active"]
    filter_horizontal = []
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        ("Person", {"fields": ["first_name", "last_name", "email"]}),
        ("Rights", {"fields": ["is_active", "is_staff", "is_superuser", "groups"]}),
    ]

    @admin.display(description="Groups")
    def in_groups(self, user: User) -> str:
        return ", ".join(sorted(group.name for group in user.groups.all())) or (
            "all rights" if user.is_superuser else "–"
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        people: QuerySet[User] = super().get_queryset(request).prefetch_related("groups")
        return people


@admin.register(Group)
class GroupAdmin(BaseGroupAdmin, ModelAdmin):  # type: ignore[misc]
    filter_horizontal = []


@admin.register(ServiceToken)
class ServiceTokenAdmin(ReadOnly):
    """Made by `manage.py createtoken`; revoked here."""

    list_display = ["name", "role", "created_at", "state"]
    fields = ["name", "role", "created_at", "revoked_at"]
    readonly_fields = ["created_at"]
    list_filter = ["role"]
    actions = ["revoke"]

    @column("State", ordering="revoked_at", label={"valid": "success", "revoked": "danger"})
    def state(self, token: ServiceToken) -> str:
        return "revoked" if token.revoked_at else "valid"

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
    list_display = ["known_as", "answers", "failures", "opened_at", "updated_at"]
    fields = ["known_as", "answers", "failures", "opened_at", "updated_at"]
    readonly_fields = ["known_as", "answers"]

    @column("Upstream", ordering="name")
    def known_as(self, breaker: CircuitBreaker) -> str:
        return upstream(breaker.name)

    @column("State", ordering="state", label={"closed": "success", "open": "danger", "half_open": "warning"})
    def answers(self, breaker: CircuitBreaker) -> tuple[str, str]:
        return breaker.state, {"closed": "answers", "open": "away, left in peace"}.get(breaker.state, "being tried")
