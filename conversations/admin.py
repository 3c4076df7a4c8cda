"""What all lists of the admin have in common. The ledger's pages stand in `approvals.admin`, beside the flow."""

from typing import Any

from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin


class ReadOnly(ModelAdmin):  # type: ignore[misc]
    """Nobody adds, changes or deletes here, whatever their permissions: that would bypass the flow."""

    # On a telephone each row is a small table of its own.
    list_per_page = 50

    def beside(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """What the template of one row's page knows beside its fields."""
        return {}

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Model | None = None, **kwargs: Any
    ) -> HttpResponse:
        context.update(self.beside(request, obj))
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)  # type: ignore[no-any-return]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
