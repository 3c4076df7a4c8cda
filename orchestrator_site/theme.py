"""What the admin's shell shows: the side bar with its badges, the label of a simulation, the palette's search.

`settings.UNFOLD` names these functions. Nothing else knows the theme: changing it must cost a day, not a month.
"""

from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db.models import Q
from django.http import HttpRequest
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


def waiting_badge(request: HttpRequest) -> str:
    return str(_counted()["waiting"] or "")


def escalations_badge(request: HttpRequest) -> str:
    return str(_counted()["escalations"] or "")


def failed_badge(request: HttpRequest) -> str:
    return str(_counted()["failed"] or "")


def may(permission: str) -> Any:
    """Shows an item to those who may look behind it."""
    return lambda request: request.user.has_perm(permission)


def _item(title: str, icon: str, link: str, permission: str, **more: Any) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{link}"), "permission": may(permission), **more}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The side bar: the daily work first."""
    badge = "orchestrator_site.theme."
    replies = {"badge": f"{badge}waiting_badge", "badge_variant": "info"}
    escalations = {"badge": f"{badge}escalations_badge", "badge_variant": "danger"}
    failed = {"badge": f"{badge}failed_badge", "badge_variant": "danger"}
    numbers = _counted()
    return [
        {
            "title": "Today",
            "items": [
                {"title": "Dashboard", "icon": "monitoring", "link": reverse_lazy("admin:index")},
                _item(
                    "Approvals",
                    "forum",
                    "approvals_console",
                    "approvals.view_queuedresponse",
                    **(replies if numbers["waiting"] else {}),
                ),
                _item(
                    "Escalations",
                    "priority_high",
                    "approvals_escalation_changelist",
                    "approvals.view_escalation",
                    **(escalations if numbers["escalations"] else {}),
                ),
            ],
        },
        {
            "title": "Assistant",
            "items": [
                {
                    "title": "Chat",
                    "icon": "support_agent",
                    "link": reverse_lazy("assistant"),
                    "permission": may("calls.use_assistant"),
                },
                _item("Call tasks", "call", "calls_calltask_changelist", "calls.view_calltask"),
            ],
        },
        {
            "title": "Tenants",
            "items": [
                _item(
                    "Conversations",
                    "chat",
                    "conversations_conversation_changelist",
                    "conversations.view_conversation",
                ),
                _item("Payment plans", "payments", "approvals_paymentplan_changelist", "approvals.view_paymentplan"),
                _item(
                    "Contact holds",
                    "front_hand",
                    "conversations_contacthold_changelist",
                    "conversations.view_contacthold",
                ),
            ],
        },
        {
            "title": "Behind the scenes",
            "separator": True,
            "items": [
                _item(
                    "Workflows",
                    "account_tree",
                    "approvals_workflow_changelist",
                    "approvals.view_workflow",
                    **(failed if numbers["failed"] else {}),
                ),
                _item(
                    "Replies",
                    "outgoing_mail",
                    "approvals_queuedresponse_changelist",
                    "approvals.view_queuedresponse",
                    # The approvals page stands below it and has an item of its own.
                    active=lambda request: "/queuedresponse/" in request.path and "/console/" not in request.path,
                ),
                _item("Confidence", "speed", "approvals_reliability", "approvals.view_queuedresponse"),
                _item(
                    "Audit log",
                    "verified_user",
                    "approvals_approvalauditentry_changelist",
                    "approvals.view_approvalauditentry",
                ),
                _item(
                    "Notices",
                    "notifications",
                    "approvals_notification_changelist",
                    "approvals.view_notification",
                ),
                _item("Rule switches", "toggle_on", "approvals_ruleswitch_changelist", "approvals.view_ruleswitch"),
            ],
        },
        {
            "title": "System",
            "separator": True,
            "items": [
                _item("People", "group", "auth_user_changelist", "auth.view_user"),
                _item("Groups", "badge", "auth_group_changelist", "auth.view_group"),
                _item(
                    "Service tokens",
                    "key",
                    "orchestrator_site_servicetoken_changelist",
                    "orchestrator_site.view_servicetoken",
                ),
                _item(
                    "Upstreams",
                    "hub",
                    "orchestrator_site_circuitbreaker_changelist",
                    "orchestrator_site.view_circuitbreaker",
                ),
            ],
        },
    ]


def styles(request: HttpRequest) -> str:
    return static("console/shell.css")


def favicon(request: HttpRequest) -> str:
    return static("console/favicon.svg")


def scripts(request: HttpRequest) -> str:
    return static("console/shell.js")


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
