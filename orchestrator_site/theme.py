"""What the admin's shell shows: the side bar with its badges, the label of a simulation, the palette's search.

`settings.UNFOLD` names these functions. Nothing else knows the theme: changing it must cost a day, not a month.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.templatetags.static import static
from django.urls import reverse, reverse_lazy
from unfold.dataclasses import SearchResult

from approvals.console.queue import counts
from approvals.models import Escalation, Workflow
from conversations.models import Conversation

# Badges are on every page; they are counted at most so often (seconds).
COUNTED_EVERY = 5
# How many tenants the palette shows.
SHOWN = 12


def environment(request: HttpRequest) -> list[str] | None:
    """A label on every page where the upstreams are stand-ins: nobody takes the demonstration for the real thing."""
    return ["Simulated", "warning"] if settings.SIMULATED_UPSTREAMS else None


def _counted() -> dict[str, int]:
    known: dict[str, int] | None = cache.get("side-bar")
    if known is None:
        known = {
            **counts(),
            "escalations": Escalation.objects.filter(status=Escalation.Status.OPEN).count(),
            "failed": Workflow.objects.filter(status=Workflow.Status.FAILED).count(),
        }
        cache.set("side-bar", known, COUNTED_EVERY)
    return known


@dataclass(frozen=True, kw_only=True)
class Item:
    """A line of the side bar: where it leads, who sees it, and which count stands behind it in which colour."""

    title: str
    icon: str
    link: str
    permission: str = ""
    counted: str = ""
    colour: str = "danger"
    # A page of its own that stands below this one's address.
    besides: str = ""


def _list(title: str, icon: str, model: str, **more: str) -> Item:
    """A list of the admin, named by `app_model`, for those who may look at its rows."""
    app, _, name = model.rpartition("_")
    return Item(title=title, icon=icon, link=f"admin:{model}_changelist", permission=f"{app}.view_{name}", **more)


# The side bar: the daily work first.
NAVIGATION: Mapping[str, Sequence[Item]] = {
    "Today": (
        Item(title="Dashboard", icon="monitoring", link="admin:index"),
        Item(
            title="Approvals",
            icon="forum",
            link="admin:approvals_console",
            permission="approvals.view_queuedresponse",
            counted="waiting",
            colour="info",
        ),
        _list("Escalations", "priority_high", "approvals_escalation", counted="escalations"),
    ),
    "Tenants": (
        _list("Conversations", "chat", "conversations_conversation"),
        _list("Payment plans", "payments", "approvals_paymentplan"),
        _list("Contact holds", "front_hand", "conversations_contacthold"),
    ),
    "Assistant": (
        Item(title="Chat", icon="support_agent", link="assistant", permission="calls.use_assistant"),
        _list("Call tasks", "call", "calls_calltask"),
    ),
    "Behind the scenes": (
        _list("Workflows", "account_tree", "approvals_workflow", counted="failed"),
        _list("Replies", "outgoing_mail", "approvals_queuedresponse", besides="/console/"),
        Item(
            title="Confidence",
            icon="speed",
            link="admin:approvals_reliability",
            permission="approvals.view_queuedresponse",
        ),
        _list("Audit log", "verified_user", "approvals_approvalauditentry"),
        _list("Notices", "notifications", "approvals_notification"),
        _list("Rule switches", "toggle_on", "approvals_ruleswitch"),
    ),
    "System": (
        _list("People", "group", "auth_user"),
        _list("Groups", "badge", "auth_group"),
        _list("Service tokens", "key", "orchestrator_site_servicetoken"),
        _list("Upstreams", "hub", "orchestrator_site_circuitbreaker"),
    ),
}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The side bar as the theme wants it."""
    numbers = _counted()
    return [
        {"title": title, "separator": title == "Behind the scenes", "items": [_shown(item, numbers) for item in items]}
        for title, items in NAVIGATION.items()
    ]


def _shown(item: Item, numbers: Mapping[str, int]) -> dict[str, Any]:
    shown: dict[str, Any] = {"title": item.title, "icon": item.icon, "link": reverse_lazy(item.link)}
    if item.permission:
        shown["permission"] = lambda request: request.user.has_perm(item.permission)
    if numbers.get(item.counted):
        shown |= {"badge": str(numbers[item.counted]), "badge_variant": item.colour}
    if item.besides:
        shown["active"] = lambda request: (
            request.path.startswith(str(shown["link"])) and item.besides not in request.path
        )
    return shown


def styles(request: HttpRequest) -> str:
    return static("site/shell.css")


def favicon(request: HttpRequest) -> str:
    return static("site/favicon.svg")


def favicon_ico(request: HttpRequest) -> HttpResponse:
    """Where browsers look for it on a page that names none, such as the API's."""
    return HttpResponseRedirect(favicon(request))


def scripts(request: HttpRequest) -> str:
    return static("site/shell.js")


def search(request: HttpRequest, term: str) -> list[SearchResult]:
    """The command palette's tenants: by name or number, the most recent first."""
    if not request.user.has_perm("conversations.view_conversation"):
        return []
    found = Conversation.objects.filter(Q(tenant_name__icontains=term) | Q(phone__contains=term))
    return [
        SearchResult(
            title=str(conversation),
            description=f"{conversation.phone} {conversation.property_name}",
            link=reverse("admin:conversations_conversation_change", args=[conversation.pk]),
            icon="chat",
        )
        for conversation in found.order_by("-last_inbound_at")[:SHOWN]
    ]
