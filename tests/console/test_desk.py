"""Around the page: escalations, texts by hand, holds, retries, the audit log's export, the dashboard and its switch."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from approvals.models import (
    ApprovalAuditEntry,
    Escalation,
    Notification,
    PaymentPlan,
    QueuedResponse,
    RuleSwitch,
    Workflow,
)
from approvals.rulebook import auto_send_switched_on
from conversations.models import ContactHold, Conversation
from orchestrator_site.theme import search
from tests.builders import make_conversation, make_message
from tests.console.conftest import Card, SignedIn, person


def make_escalation(**fields: object) -> Escalation:
    defaults = {
        "conversation": fields.pop("conversation", None) or make_conversation(),
        "category": "dispute",
        "severity": "medium",
        "created_by": "policy",
        "due_at": timezone.now() + timedelta(hours=1),
    }
    return Escalation.objects.create(**{**defaults, **fields})


def post(browser: Client, name: str, key: object, **data: str) -> int:
    return browser.post(reverse(f"admin:{name}", args=[key]), data).status_code


def test_an_escalation_is_taken_noted_and_resolved(signed_in: SignedIn) -> None:
    browser, escalation = signed_in(), make_escalation()
    post(browser, "approvals_escalation_assign", escalation.pk)
    post(browser, "approvals_escalation_note", escalation.pk, note="Called, no answer")
    post(browser, "approvals_escalation_note", escalation.pk, note="Called again")
    post(browser, "approvals_escalation_resolve", escalation.pk, note="It was paid")
    escalation.refresh_from_db()
    assert (escalation.assigned_to, escalation.status, escalation.resolved_by) == ("maria", "resolved", "maria")
    assert [line.rpartition(": ")[2] for line in escalation.notes.splitlines()] == [
        "Called, no answer",
        "Called again",
        "It was paid",
    ]
    post(browser, "approvals_escalation_note", escalation.pk, note="Too late")
    escalation.refresh_from_db()
    assert "Too late" not in escalation.notes


def test_resolving_wants_to_know_what_was_done(signed_in: SignedIn) -> None:
    escalation = make_escalation()
    post(signed_in(), "approvals_escalation_resolve", escalation.pk, note="  ")
    escalation.refresh_from_db()
    assert escalation.status == "open"


def test_a_text_by_hand_goes_through_the_same_gates(signed_in: SignedIn) -> None:
    browser, conversation = signed_in(), make_conversation()
    post(browser, "conversations_conversation_write", conversation.pk, text="We will sue you over $77.")
    assert not QueuedResponse.objects.exists()
    page = browser.get(reverse("admin:conversations_conversation_change", args=[conversation.pk])).content.decode()
    assert "We will sue you over $77." in page
    post(browser, "conversations_conversation_write", conversation.pk, text="Thank you, Maria.")
    reply = QueuedResponse.objects.get()
    assert (reply.status, reply.final_text, reply.actioned_by) == ("approved", "Thank you, Maria.", "maria")


def test_a_hold_is_placed_and_released_on_record(signed_in: SignedIn) -> None:
    browser, conversation = signed_in("sam", "Supervisors"), make_conversation()
    post(browser, "conversations_conversation_hold", conversation.pk, note="In hospital")
    hold = ContactHold.objects.get()
    assert (hold.reason, hold.created_by, hold.released_at) == ("manual", "sam", None)
    post(browser, "conversations_contacthold_release", hold.pk, note="")
    hold.refresh_from_db()
    assert hold.released_at is None
    post(browser, "conversations_contacthold_release", hold.pk, note="Well again")
    hold.refresh_from_db()
    assert hold.released_by == "sam"
    assert [entry.reason for entry in ApprovalAuditEntry.objects.order_by("seq")] == [
        "manual: In hospital",
        "manual: Well again",
    ]


def test_an_opt_out_is_lifted_by_its_tenant_only(signed_in: SignedIn) -> None:
    hold = ContactHold.objects.create(phone=make_conversation().phone, reason="opt_out", created_by="policy")
    post(signed_in("sam", "Supervisors"), "conversations_contacthold_release", hold.pk, note="please")
    hold.refresh_from_db()
    assert hold.released_at is None


def test_a_failed_draft_is_tried_again(signed_in: SignedIn) -> None:
    conversation = make_conversation()
    message = make_message(conversation)
    failed = Workflow.objects.create(conversation=conversation, message=message, status="failed", error_message="away")
    post(signed_in("otto", "Operators"), "approvals_workflow_retry", failed.pk)
    failed.refresh_from_db()
    assert failed.status == "received"


def test_a_plan_is_declined_with_a_reason_or_accepted(signed_in: SignedIn) -> None:
    browser, conversation = signed_in(), make_conversation()
    plan = PaymentPlan.objects.create(conversation=conversation, weekly_amount=50, weeks=4, source="tenant")
    post(browser, "approvals_paymentplan_decline", plan.pk, note=" ")
    plan.refresh_from_db()
    assert plan.status == "proposed"
    post(browser, "approvals_paymentplan_accept", plan.pk, note="as last year")
    post(browser, "approvals_paymentplan_decline", plan.pk, note="changed my mind")
    plan.refresh_from_db()
    entry = ApprovalAuditEntry.objects.get()
    assert (plan.status, entry.action, entry.approved_by) == ("accepted", "accept_plan", "maria")


def test_a_notice_that_was_given_up_is_sent_again_by_an_operator(signed_in: SignedIn) -> None:
    notice = Notification.objects.create(kind="escalation", recipient="m@example.com", status="failed", attempts=8)
    assert post(signed_in(), "approvals_notification_again", notice.pk) == 403
    post(signed_in("otto", "Operators"), "approvals_notification_again", notice.pk)
    notice.refresh_from_db()
    assert (notice.status, notice.attempts) == ("pending", 0)


@pytest.mark.parametrize(
    ("name", "make", "group"),
    [
        pytest.param("approvals_escalation_assign", make_escalation, "Auditors", id="assign"),
        pytest.param("approvals_escalation_note", make_escalation, "Auditors", id="note"),
        pytest.param("approvals_escalation_resolve", make_escalation, "Auditors", id="resolve"),
        pytest.param("conversations_conversation_write", make_conversation, "Auditors", id="write"),
        pytest.param("conversations_conversation_hold", make_conversation, "Managers", id="hold"),
        pytest.param(
            "conversations_contacthold_release",
            lambda: ContactHold.objects.create(phone="+14155550100", reason="dispute", created_by="x"),
            "Managers",
            id="release",
        ),
        pytest.param(
            "approvals_workflow_retry",
            lambda: Workflow.objects.create(
                conversation=(one := make_conversation()), message=make_message(one), status="failed"
            ),
            "Managers",
            id="retry",
        ),
    ],
)
def test_an_act_needs_its_permission_and_a_post(
    signed_in: SignedIn, name: str, make: Callable[[], object], group: str
) -> None:
    row = make()
    before = (*Escalation.objects.values(), *ContactHold.objects.values(), *Workflow.objects.values("status"))
    browser = signed_in("somebody", group)
    address = reverse(f"admin:{name}", args=[row.pk])  # type: ignore[attr-defined]
    assert browser.post(address, {"note": "x", "text": "x"}).status_code == 403
    # Who comes back from the sign-in is told that nothing was done.
    assert signed_in("root", "Supervisors").get(address).status_code in (302, 403)
    after = (*Escalation.objects.values(), *ContactHold.objects.values(), *Workflow.objects.values("status"))
    assert (after, QueuedResponse.objects.count()) == (before, 0)


@pytest.mark.parametrize("group", ["Auditors", "Managers", "Supervisors", "Operators"])
@pytest.mark.parametrize(
    "name",
    [
        "index",
        "approvals_console",
        "approvals_escalation_changelist",
        "conversations_conversation_changelist",
        "conversations_contacthold_changelist",
        "approvals_paymentplan_changelist",
        "approvals_workflow_changelist",
        "approvals_approvalauditentry_changelist",
        "approvals_notification_changelist",
        "approvals_ruleswitch_changelist",
        "approvals_queuedresponse_changelist",
    ],
)
def test_everybody_of_the_house_may_look(signed_in: SignedIn, card: Card, group: str, name: str) -> None:
    make_escalation(conversation=card().conversation)
    assert signed_in("somebody", group).get(reverse(f"admin:{name}")).status_code == 200


def test_a_conversation_is_found_by_name_number_and_words(signed_in: SignedIn) -> None:
    ana = make_conversation(phone="+14155550111", tenant_name="Ana Silva")
    make_conversation(phone="+14155550222", tenant_name="Tom Reed")
    make_message(ana, "the boiler is broken")
    browser, page = signed_in(), reverse("admin:conversations_conversation_changelist")
    for term in ("silva", "555-0111", "boiler broken"):
        found = browser.get(page, {"q": term}).context["cl"].queryset
        assert [conversation.pk for conversation in found] == [ana.pk], term


def test_the_palette_finds_tenants_for_those_who_may_see_them(db: None, rf: object) -> None:
    make_conversation(tenant_name="Ana Silva")
    request = rf.get("/")  # type: ignore[attr-defined]
    request.user = person("maria", "Managers")
    assert [found.title for found in search(request, "silva")] == ["Ana Silva"]
    request.user = person("nora", "No group")
    assert search(request, "silva") == []


def test_the_audit_log_is_exported_as_listed_and_runs_nothing_in_a_spreadsheet(signed_in: SignedIn) -> None:
    for reason, by in (("=HYPERLINK(1)", "maria"), ("fine", "james")):
        ApprovalAuditEntry(action="approve", reason=reason, approved_by=by).save(force_insert=True)
    answer = signed_in("audrey", "Auditors").get(reverse("admin:approvals_approvalauditentry_export"), {"q": "maria"})
    lines = b"".join(answer.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert len(lines) == 2
    assert ",'=HYPERLINK(1)," in lines[1]


def test_the_dashboard_asks_the_same_whatever_there_is(signed_in: SignedIn, card: Card) -> None:
    browser = signed_in()

    def asked() -> int:
        cache.clear()
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(reverse("admin:index")).status_code == 200
        return len(queries)

    asked()
    few = asked()
    for _ in range(20):
        make_escalation(conversation=card(waits=200).conversation)
    assert asked() == few


def test_automatic_sending_is_turned_by_those_who_may_with_a_reason_on_record(signed_in: SignedIn, db: None) -> None:
    address = reverse("turn-auto-send")
    assert signed_in("maria").post(address, {"on": "no"}).status_code == 403
    assert auto_send_switched_on()
    signed_in("sam", "Supervisors").post(address, {"on": "no", "reason": "New rules"})
    assert not auto_send_switched_on()
    switch = RuleSwitch.objects.get()
    assert (switch.turned_by, switch.reason) == ("sam", "New rules")
    assert b"New rules" in signed_in("maria").get(reverse("admin:index")).content


def test_a_simulation_is_marked_on_every_page(signed_in: SignedIn, settings: object) -> None:
    settings.SIMULATED_UPSTREAMS = True  # type: ignore[attr-defined]
    assert b"Simulated" in signed_in().get(reverse("admin:index")).content
    assert Conversation.objects.count() == 0
