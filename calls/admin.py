"""The assistant's tasks in the admin: to be read step by step, and resolved where nobody else can know."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.timezone import localtime
from unfold.admin import TabularInline

from calls.chat_workflow.results import resolve
from calls.models import CallStep, CallTask, Erasure
from calls.policy.outcomes import Outcome
from conversations.admin import ReadOnly
from conversations.refusals import Refusal

CHOICES = [
    (Outcome.ANSWERED, "It rang and somebody answered"),
    (Outcome.VOICEMAIL, "A voicemail picked up"),
    (Outcome.NO_ANSWER, "It rang and nobody answered"),
    (Outcome.BUSY, "The line was busy"),
    (Outcome.FAILED, "It failed"),
    ("place_again", "It surely did not ring: place it again"),
]


class StepInline(TabularInline):  # type: ignore[misc]
    model = CallStep
    fields = ["when", "name", "upstream_status", "duration_ms", "detail"]
    readonly_fields = fields
    extra = 0
    can_delete = False
    hide_title = True

    @admin.display(description="At")
    def when(self, step: CallStep) -> str:
        """To the second: the order of what happened is what is looked for here."""
        return f"{localtime(step.at):%Y-%m-%d %H:%M:%S}"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class Resolution(forms.Form):
    """What became of it, in the words of the person who found out."""

    outcome = forms.ChoiceField(choices=CHOICES, widget=forms.RadioSelect, label="What became of it?")


@admin.register(CallTask)
class CallTaskAdmin(ReadOnly):
    list_display = ["created_at", "task_type", "chat", "phone", "status", "outcome", "attempts", "finished_at"]
    list_filter = ["status", "outcome", "task_type", "language"]
    list_select_related = ["chat"]
    search_fields = ["phone", "chat__user_id", "summary", "reference", "error_message"]
    ordering = ["-created_at"]
    inlines = [StepInline]
    fieldsets = [
        (None, {"fields": ["summary", "status", "outcome", "phone", "chat", "result", "error_message", "resolved_by"]}),
        ("When", {"fields": ["created_at", "confirmed_at", "not_before", "tried_at", "placed_at", "finished_at"]}),
        (
            "Behind the scenes",
            {
                "classes": ["collapse"],
                "fields": [
                    "task_type",
                    "parameters",
                    "language",
                    "reference",
                    "upstream_status",
                    "attempts",
                    "looks",
                    "retry_of",
                    "claimed_by",
                    "lease_until",
                    "updated_at",
                ],
            },
        ),
    ]
    show_full_result_count = False
    change_form_template = "admin/calls/calltask/change_form.html"

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.resolve_view)
        return [path("<uuid:task_id>/resolve/", view, name="calls_calltask_resolve"), *super().get_urls()]

    def beside(self, request: HttpRequest, task: CallTask) -> dict[str, Any]:
        may = task.status == CallTask.Status.UNKNOWN and request.user.has_perm("calls.resolve")
        return {"resolve_url": self._url(task) if may else ""}

    def _url(self, task: CallTask) -> str:
        return reverse("admin:calls_calltask_resolve", args=[task.pk])

    def resolve_view(self, request: HttpRequest, task_id: UUID) -> HttpResponse:
        """A page that asks first; only its POST decides."""
        if not request.user.has_perm("calls.resolve"):
            raise PermissionDenied
        form = Resolution(request.POST or None)
        back = reverse("admin:calls_calltask_change", args=[task_id])
        if request.method == "POST" and form.is_valid():
            try:
                resolve(task_id, by=request.user.get_username(), as_=form.cleaned_data["outcome"])
                messages.success(request, "Noted; the user has been told.")
            except Refusal as refusal:
                messages.error(request, refusal.message)
            return HttpResponseRedirect(back)
        task = CallTask.objects.filter(pk=task_id).first()
        context = {**self.admin_site.each_context(request), "title": "What became of this call?", "form": form}
        return TemplateResponse(
            request, "admin/calls/calltask/resolve.html", {**context, "task": task, "back": back, "opts": self.opts}
        )


@admin.register(Erasure)
class ErasureAdmin(ReadOnly):
    list_display = ["erased_at", "asked_through", "counts"]
    ordering = ["-erased_at"]
