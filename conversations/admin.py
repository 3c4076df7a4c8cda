"""What all lists of the admin have in common. The ledger's pages stand in `approvals.admin`, beside the flow."""

from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin


class ReadOnly(ModelAdmin):  # type: ignore[misc]
    """Nobody adds, changes or deletes here, whatever their permissions: that would bypass the flow."""

    # On a telephone each row is a small table of its own.
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
