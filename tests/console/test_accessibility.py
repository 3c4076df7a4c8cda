"""Every page as a checker sees it: axe finds nothing, and nothing scrolls sideways, wide and narrow, light and dark."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.utils import timezone

from approvals.models import (
    ApprovalAuditEntry,
    Escalation,
    Notification,
    PaymentPlan,
    QueuedResponse,
    RuleSwitch,
    WorkflowStep,
)
from conversations.models import ContactHold
from orchestrator_site.models import CircuitBreaker, ServiceToken
from tests.console.browser import AXE, Desk, chromium, desk_of, live_process
from tests.console.conftest import Card

__all__ = ["chromium", "desk_of", "live_process"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DeskOf = Callable[..., Desk]
WIDTHS = (1280, 390)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_checker_finds_nothing_to_complain_of(desk_of: DeskOf, card: Card, dark: bool) -> None:
    one = card(tenant="Ana", waits=90, draft="Could you pay $50 a week, or $77?", asked="can i pay 50")
    card(tenant="Tom", waits=20), card(tenant="Eve", viewer="james", viewer_until=timezone.now() + timedelta(minutes=2))
    for figure, action in (("0.750", "approve"), ("0.840", "modify"), ("0.650", None)):
        decided = {"manager_action": action, "actioned_by": "maria", "actioned_at": timezone.now(), "status": "closed"}
        card(confidence_score=figure, reasons=["medium_confidence"], **(decided if action else {}))
    rows = _rows_to_look_at(one)
    desk = desk_of("sam", "Supervisors", dark=dark)
    User.objects.filter(username="sam").update(is_superuser=True)
    assert [complaint for address in _pages(rows) for complaint in _complaints_of_a_page(desk, address)] == []


def _rows_to_look_at(one: QueuedResponse) -> list[Model]:
    """One of each kind that has a page."""
    conversation = one.conversation
    ApprovalAuditEntry.of(one, action="queue", by="policy", reason="medium_confidence").save(force_insert=True)
    WorkflowStep.objects.create(workflow=one.workflow, name="draft", started_at=timezone.now(), duration_ms=640)
    return [
        one,
        one.workflow,
        conversation,
        ApprovalAuditEntry.objects.get(),
        PaymentPlan.objects.create(conversation=conversation, response=one, weekly_amount=50, weeks=12, total=600),
        Escalation.objects.create(
            conversation=conversation, category="dispute", severity="high", created_by="x", due_at=timezone.now()
        ),
        ContactHold.objects.create(phone=conversation.phone, reason="dispute", created_by="policy"),
        Notification.objects.create(kind="escalation", recipient="m@example.com", status="failed"),
        RuleSwitch.objects.create(name="auto_send", value=False, turned_by="sam"),
        ServiceToken.objects.create(name="desk", role="manager", token_hash="x"),
        CircuitBreaker.objects.create(name="openai"),
        User.objects.create_user("ann"),
        Group.objects.get_or_create(name="Managers")[0],
    ]


def _pages(rows: list[Model]) -> Iterator[str]:
    yield from ("/admin/", "/admin/password_change/", "/admin/nothing/")
    yield "/admin/approvals/confidencecurve/reliability/?threshold=70"
    yield from (f"/admin/approvals/queuedresponse/console/{page}" for page in ("", "bulk/", "?view=decided"))
    for row in rows:
        opts = row._meta
        yield from (f"/admin/{opts.app_label}/{opts.model_name}/{page}" for page in ("", f"{row.pk}/change/"))


def _complaints_of_a_page(desk: Desk, address: str) -> Iterator[str]:
    """What there is to complain of, wide and narrow. The console is another page on a phone and is opened anew."""
    for width in WIDTHS:
        desk.page.set_viewport_size({"width": width, "height": 900})
        if width == WIDTHS[0] or "console" in address:
            desk.page.goto(f"{desk.address}{address}")
            desk.page.add_script_tag(path=AXE)
        desk.page.wait_for_timeout(150)
        yield from (f"{address} at {width}: {complaint}" for complaint in _complaints(desk))


def _complaints(desk: Desk) -> list[str]:
    """What axe finds on the page as it is, and whether it scrolls sideways."""
    found = desk.page.evaluate(
        """async () => (await axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa'] }))
            .violations.map(one => `${one.id}: ${one.nodes.map(node => node.target.join(' ')).slice(0, 3)}`)"""
    )
    if not desk.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"):
        found.append("it scrolls sideways")
    return list(found)
