"""An act on one row: a POST with a declared permission that calls one function of the flow, then the page again."""

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.auth.mixins import PermissionRequiredMixin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.views import View

from approvals.sms_workflow.decisions import Decider
from conversations.refusals import Invalid, Refusal


class Act(PermissionRequiredMixin, View):
    """One thing that a person does to one row. `permission_required` is asked before anything is looked at."""

    http_method_names = ["get", "post", "options"]
    raise_exception = True
    model_admin: Any = None

    def get(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Who was signed out while the form was open comes here from the sign-in; the page has kept their words."""
        messages.warning(request, "You had been signed out, so nothing was done. What you typed is still here.")
        return HttpResponseRedirect(self.page(pk))

    def post(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        try:
            messages.success(request, self.do(request, pk))
        except Refusal as refusal:
            messages.error(request, refusal.message)
            self.refused(request, pk, refusal)
            return HttpResponseRedirect(self.back(request, pk))
        # The page forgets what was typed into this form: it has arrived.
        return HttpResponseRedirect(f"{self.back(request, pk)}?done={request.path}")

    def do(self, request: HttpRequest, pk: UUID) -> str:
        """Calls the flow; returns the sentence that the person reads."""
        raise NotImplementedError

    def refused(self, request: HttpRequest, pk: UUID, refusal: Refusal) -> None:
        """What is kept for another try, if anything."""

    def back(self, request: HttpRequest, pk: UUID) -> str:
        """The page that the form stood on, if it is one of ours."""
        came_from = urlsplit(request.headers.get("Referer", ""))
        if came_from.netloc == request.get_host() and came_from.path.startswith("/admin/"):
            return came_from.path
        return self.page(pk)

    def page(self, pk: UUID) -> str:
        """The row's own page."""
        opts = self.model_admin.opts
        return reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[pk])


def act_url(admin: "ModelAdmin[Any]", route: str, act: type[Act], name: str) -> URLPattern:
    """`<key>/<route>/`, behind the admin's own door."""
    view = admin.admin_site.admin_view(act.as_view(model_admin=admin))
    return path(f"<uuid:pk>/{route}/", view, name=f"{admin.opts.app_label}_{admin.opts.model_name}_{name}")


def me(request: HttpRequest) -> str:
    return request.user.get_username()


def required_note(request: HttpRequest, otherwise: str) -> str:
    """What the person wrote into `note`, at most 2,000 characters. Raises Invalid, saying `otherwise`, for nothing."""
    note = request.POST.get("note", "").strip()
    if not note:
        raise Invalid("invalid", otherwise)
    return note[:2000]


def decider(request: HttpRequest) -> Decider:
    """The signed-in person, and whether they may send in spite of a red gate."""
    return Decider(name=me(request), may_override=request.user.has_perm("approvals.override_gates"))
