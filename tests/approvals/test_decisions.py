"""What people decide: one conditional move each, and no text sent twice."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from approvals.models import ApprovalAuditEntry, Escalation, Notification, PaymentPlan, QueuedResponse, Workflow
from approvals.policy.escalation import Category, Severity
from approvals.sms_workflow import decisions
from approvals.sms_workflow.decisions import Decider
from approvals.sms_workflow.escalations import add_note, assign, hand_over, open_escalation, resolve
from approvals.sms_workflow.holds import place_hold, release_hold
from approvals.sms_workflow.plans import accept_plan, decline_plan, keep_plans
from conversations.models import ContactHold, Conversation
from conversations.refusals import Conflict, Invalid, NotFound, Refusal
from tests.builders import (
    PHONE,
    approved,
    make_conversation,
    make_message,
    make_response,
    plan_a_good_day,
    receive,
    takes_texts,
    work,
)

pytestmark = pytest.mark.django_db
Status = QueuedResponse.Status
MARIA = Decider(name="maria")
BOSS = Decider(name="boss", may_override=True)
UNDO = timedelta(seconds=10)


def test_an_approval_sends_the_draft_as_it_stands(world):
    takes_texts(world)
    response = make_response(draft="Could you pay $50 a week?")
    decisions.approve(response.pk, by=MARIA)
    work("send")
    response.refresh_from_db()
    assert (response.status, response.manager_action, response.actioned_by) == ("sent", "approve", "maria")
    assert world.sms_agent.requests[0].json["body"] == "Could you pay $50 a week?"
    assert response.conversation.messages.get(direction="outbound").author == "ai"


def test_an_approval_with_other_words_is_recorded_as_a_modification():
    response = decisions.approve(make_response().pk, by=MARIA, text="Let us talk on Friday.")
    assert (response.manager_action, response.modified_response) == ("modify", "Let us talk on Friday.")


def test_changed_words_stand_in_the_thread_as_the_managers(world):
    takes_texts(world)
    response = make_response()
    decisions.modify(response.pk, by=MARIA, text="Let us talk on Friday.")
    work("send")
    said = response.conversation.messages.get(direction="outbound")
    assert (said.author, said.body) == ("manager", "Let us talk on Friday.")


def test_an_unchanged_modification_is_recorded_as_an_approval():
    response = make_response(draft="Could you pay $50 a week?")
    decided = decisions.modify(response.pk, by=MARIA, text="Could you pay $50 a week? ")
    assert (decided.manager_action, decided.modified_response) == ("approve", None)


def test_the_audit_entry_says_who_sent_what_instead_of_what():
    response = make_response(draft="Could you pay $50 a week?")
    decisions.modify(response.pk, by=MARIA, text="Let us talk on Friday.")
    entry = ApprovalAuditEntry.objects.get()
    assert (entry.action, entry.approved_by) == ("modify", "maria")
    assert (entry.original_response, entry.final_response) == ("Could you pay $50 a week?", "Let us talk on Friday.")


def test_the_second_of_two_decisions_is_told_who_was_first():
    response = make_response()
    decisions.approve(response.pk, by=MARIA)
    with pytest.raises(Conflict) as refusal:
        decisions.escalate(response.pk, by=Decider(name="tom"), reason="no")
    assert refusal.value.code == "already_decided"
    assert "maria" in refusal.value.message
    assert not Escalation.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_eight_managers_at_once_one_decides():
    response = make_response()

    def decide(number: int) -> str:
        try:
            decisions.approve(response.pk, by=Decider(name=f"manager {number}"))
            return "approved"
        except Conflict as refusal:
            return refusal.code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as managers:
        outcomes = sorted(managers.map(decide, range(8)))
    assert outcomes == ["already_decided"] * 7 + ["approved"]
    assert ApprovalAuditEntry.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_four_who_retry_at_once_one_does():
    failed = receive("hello").workflow_id
    Workflow.objects.update(status="failed")

    def retry(number):
        try:
            return decisions.retry(failed, by=Decider(name=f"manager {number}")).status
        except Conflict as refusal:
            return refusal.code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as managers:
        assert sorted(managers.map(retry, range(4))) == ["not_failed"] * 3 + ["received"]


def test_a_draft_that_answers_an_older_text_is_stale():
    response = make_response()
    make_message(response.conversation, "one more thing")
    with pytest.raises(Conflict) as refusal:
        decisions.approve(response.pk, by=MARIA)
    assert refusal.value.code == "stale"
    response.refresh_from_db()
    assert response.status == Status.PENDING


@pytest.mark.parametrize("reason", ["opt_out", "attorney_represented", "bankruptcy", "cease_contact", "manual"])
def test_a_hold_stops_a_manager_as_well(reason):
    response = make_response()
    place_hold(PHONE, reason=reason, by="policy")
    with pytest.raises(Conflict) as refusal:
        decisions.approve(response.pk, by=BOSS, override_reason="I insist")
    assert refusal.value.code == "contact_hold"


@pytest.mark.parametrize("reason", ["dispute", "emergency", "wrong_number"])
def test_a_person_may_answer_where_only_the_machine_must_not(reason):
    response = make_response()
    place_hold(PHONE, reason=reason, by="policy")
    assert decisions.approve(response.pk, by=MARIA).status == Status.APPROVED


def test_a_hold_that_was_released_stops_nobody_any_more(world):
    takes_texts(world)
    response = make_response()
    place_hold(PHONE, reason="manual", by="maria")
    release_hold(ContactHold.objects.get(), by="boss", note="settled")
    decisions.approve(response.pk, by=MARIA)
    work("send")
    response.refresh_from_db()
    assert response.status == Status.SENT


def test_a_red_gate_needs_a_reason_and_the_right():
    words = "You owe $999."
    response = make_response()
    for by, reason in [(MARIA, ""), (MARIA, "I know"), (BOSS, "")]:
        with pytest.raises(Invalid) as refusal:
            decisions.modify(response.pk, by=by, text=words, override_reason=reason)
        assert refusal.value.code == "gate_failed"
        assert "wrong_amount" in refusal.value.fields
    decided = decisions.modify(response.pk, by=BOSS, text=words, override_reason="the fee of $399 is new")
    assert decided.overridden == ["wrong_amount"]
    assert ApprovalAuditEntry.objects.get().reason == "the fee of $399 is new"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        pytest.param(" ", "empty", id="nothing"),
        pytest.param("PAYMENT_PLAN: weekly=50", "control_text_leak", id="control-text"),
    ],
)
def test_a_hard_gate_is_overridden_by_nobody(words, code):
    with pytest.raises(Invalid) as refusal:
        decisions.modify(make_response().pk, by=BOSS, text=words, override_reason="I insist")
    assert code in refusal.value.fields


def test_a_decision_can_be_undone_until_it_has_left(world):
    response = make_response()
    decisions.approve(response.pk, by=MARIA, after=UNDO)
    work("send")
    assert decisions.undo(response.pk, by=MARIA).status == Status.PENDING
    decisions.approve(response.pk, by=MARIA)
    takes_texts(world)
    work("send")
    with pytest.raises(Conflict):
        decisions.undo(response.pk, by=MARIA)
    assert list(ApprovalAuditEntry.objects.order_by("seq").values_list("action", flat=True)) == [
        "approve",
        "undo",
        "approve",
    ]


def test_an_undone_modification_brings_the_draft_back():
    response = make_response(draft="Could you pay $50 a week?")
    decisions.modify(response.pk, by=MARIA, text="Let us talk.", after=UNDO)
    undone = decisions.undo(response.pk, by=MARIA)
    assert (undone.final_text, undone.manager_action) == ("Could you pay $50 a week?", None)


def test_what_was_overridden_is_forgotten_with_the_undo():
    response = make_response()
    decisions.modify(response.pk, by=BOSS, text="You owe $999.", override_reason="a new fee", after=UNDO)
    assert decisions.undo(response.pk, by=BOSS).overridden == []


def test_a_draft_that_was_overtaken_by_a_newer_one_does_not_come_back():
    response = make_response()
    decisions.approve(response.pk, by=MARIA, after=UNDO)
    make_response(response.conversation, asked="and the late fee?")
    with pytest.raises(Conflict) as refusal:
        decisions.undo(response.pk, by=MARIA)
    assert refusal.value.code == "stale"


def test_an_escalation_sends_nothing_and_tells_the_managers(settings):
    settings.MANAGER_EMAIL = ["boss@example.com"]
    response = decisions.escalate(make_response().pk, by=MARIA, reason="asks for the owner")
    assert response.status == Status.ESCALATED
    escalation = Escalation.objects.get()
    assert (escalation.category, escalation.reason, escalation.created_by) == ("manual", "asks for the owner", "maria")
    notice = Notification.objects.get()
    assert "manual" in notice.body
    assert "owner" not in notice.subject + notice.body, "a person's own words stay with us"
    work("send")


def test_a_closed_reply_is_not_sent():
    response = decisions.close(make_response().pk, by=MARIA, reason="spoke on the phone")
    assert response.status == Status.CLOSED
    assert ApprovalAuditEntry.objects.get().reason == "spoke on the phone"


def test_a_redraft_carries_the_managers_note_to_the_model(world):
    plan_a_good_day(world, confidence=0.7)
    receive("what do I owe you now?")
    work("draft")
    first = QueuedResponse.objects.get()
    Workflow.objects.update(attempts=3)
    decisions.redraft(first.pk, by=MARIA, note="offer 40 a week")
    work("draft")
    assert Workflow.objects.get().attempts == 1, "another draft has all its attempts"
    first.refresh_from_db()
    assert first.status == Status.WITHDRAWN
    assert QueuedResponse.objects.filter(status=Status.PENDING).count() == 1
    assert "offer 40 a week" in world.language_model.requests[-1].json["messages"][0]["content"]


def test_a_text_by_hand_goes_through_the_same_gates(world):
    conversation = make_conversation()
    with pytest.raises(Invalid):
        decisions.write_by_hand(conversation, by=MARIA, text="We will evict you.")
    response = decisions.write_by_hand(conversation, by=MARIA, text="Please call the office.")
    assert (response.status, response.message, response.manager_action) == (Status.APPROVED, None, "modify")
    assert ApprovalAuditEntry.objects.get().final_response == "Please call the office."


def test_a_failed_text_can_be_sent_again_by_a_person():
    response = approved(make_response())
    QueuedResponse.objects.update(status="failed")
    assert decisions.approve(response.pk, by=MARIA).status == Status.APPROVED


def test_a_failed_modification_is_sent_again_in_the_persons_words():
    response = make_response(draft="Could you pay $50 a week?")
    decisions.modify(response.pk, by=MARIA, text="Please call the office.")
    QueuedResponse.objects.update(status="failed")
    again = decisions.approve(response.pk, by=BOSS)
    assert (again.final_text, again.manager_action) == ("Please call the office.", "modify")


def test_a_text_by_hand_can_be_undone_until_it_leaves(world):
    response = decisions.write_by_hand(make_conversation(), by=MARIA, text="Please call the office.", after=UNDO)
    assert timedelta(0) < response.not_before - timezone.now() <= UNDO
    work("send")
    assert decisions.undo(response.pk, by=MARIA).status == Status.PENDING


def test_an_undone_text_by_hand_keeps_its_words():
    response = decisions.write_by_hand(make_conversation(), by=MARIA, text="Please call the office.")
    assert decisions.undo(response.pk, by=MARIA).final_text == "Please call the office."
    assert decisions.approve(response.pk, by=MARIA).final_text == "Please call the office."


def test_a_text_by_hand_that_came_back_makes_room_for_the_draft_on_a_newer_text(world):
    plan_a_good_day(world, confidence=0.7)
    by_hand = decisions.write_by_hand(make_conversation(), by=MARIA, text="Please call the office.")
    decisions.undo(by_hand.pk, by=MARIA)
    receive("what do I owe you now?")
    work("draft")
    assert QueuedResponse.objects.get(status=Status.PENDING).tenant_message == "what do I owe you now?"
    by_hand.refresh_from_db()
    assert by_hand.status == Status.WITHDRAWN
    assert ApprovalAuditEntry.objects.filter(response=by_hand, action="withdraw", reason="stale").exists()


def test_a_failed_workflow_is_drafted_again_from_the_start(world):
    plan_a_good_day(world)
    accepted = receive("what do I owe you now?")
    Workflow.objects.update(status="failed", attempts=3)
    decisions.retry(accepted.workflow_id, by=MARIA, reason="the model is back")
    work("draft")
    workflow = Workflow.objects.get()
    assert (workflow.status, workflow.attempts) == ("completed", 1)
    assert workflow.metadata["retries"][0]["by"] == "maria"


def test_what_has_not_failed_is_not_retried():
    with pytest.raises(Conflict) as refusal:
        decisions.retry(receive("hello").workflow_id, by=MARIA)
    assert refusal.value.code == "not_failed"


def test_texts_that_failed_one_after_the_other_are_retried_together(world):
    plan_a_good_day(world)
    older = receive("hello there my friend")
    receive("what do I owe you now?")
    Workflow.objects.update(status="failed", attempts=3)
    decisions.retry(older.workflow_id, by=MARIA)
    work("draft", "send")
    reply = QueuedResponse.objects.get()
    assert (reply.status, reply.tenant_message) == ("sent", "hello there my friend\nwhat do I owe you now?")


def test_what_failed_is_not_retried_once_a_newer_text_has_its_answer(world):
    plan_a_good_day(world, confidence=0.7)
    older = receive("hello there my friend")
    Workflow.objects.update(status="failed", attempts=3)
    receive("what do I owe you now?")
    work("draft")
    with pytest.raises(Conflict) as refusal:
        decisions.retry(older.workflow_id, by=MARIA)
    assert refusal.value.code == "stale"
    assert QueuedResponse.objects.get().status == Status.PENDING


def test_what_does_not_exist_is_not_found():
    import uuid

    for decide in (decisions.approve, decisions.close, decisions.undo):
        with pytest.raises(NotFound):
            decide(uuid.uuid4(), by=MARIA)
    with pytest.raises(NotFound):
        decisions.waiting_reply(make_conversation())


def test_a_resolved_escalation_frees_the_conversation_once():
    response = decisions.escalate(make_response().pk, by=MARIA, reason="asks for the owner")
    escalation = Escalation.objects.get()
    resolve(escalation.pk, by="boss", note="called back")
    with pytest.raises(Conflict):
        resolve(escalation.pk, by="maria", note="me too")
    escalation.refresh_from_db()
    assert (escalation.status, escalation.resolved_by) == ("resolved", "boss")
    assert response.audit.filter(action="resolve").exists()


@pytest.mark.django_db(transaction=True)
def test_the_end_of_the_audit_log_is_not_held_while_somebody_waits_for_a_conversation():
    """Two workers would wait in a circle: one for the conversation, the other for the end of the chain."""
    escalation = open_escalation(make_conversation(), category="manual", reason="rude", by="policy")

    def resolve_elsewhere():
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '2s'")
            return resolve(escalation.pk, by="maria", note="spoke with him")
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as manager, transaction.atomic():
        Conversation.objects.locked().get()
        assert manager.submit(resolve_elsewhere).result().status == "resolved"


def test_a_second_escalation_of_the_same_kind_is_the_same_one():
    conversation = make_conversation()
    first = decisions.escalate(make_response(conversation).pk, by=MARIA, reason="one")
    second = decisions.escalate(make_response(conversation).pk, by=MARIA, reason="two")
    assert first.pk != second.pk
    assert Escalation.objects.count() == 1


def test_a_second_cause_is_noted_and_makes_the_escalation_as_urgent_as_itself(settings):
    settings.MANAGER_EMAIL = ["boss@example.com"]
    conversation = make_conversation()
    for reason, severity in [("asks for the owner", "low"), ("smells gas", "critical"), ("smells gas", "medium")]:
        open_escalation(conversation, category=Category.MANUAL, reason=reason, by="desk", severity=Severity(severity))
    escalation = Escalation.objects.get()
    assert (escalation.reason, escalation.severity) == ("asks for the owner", "critical")
    assert escalation.notes.count("desk: smells gas") == 1
    assert escalation.due_at <= timezone.now()
    assert list(Notification.objects.values_list("priority", flat=True)) == ["low", "critical"]


def test_a_hold_is_released_with_a_note_but_an_opt_out_only_by_its_tenant():
    make_conversation()
    place_hold(PHONE, reason="dispute", by="policy")
    place_hold(PHONE, reason="opt_out", by="policy")
    place_hold(PHONE, reason="opt_out", by="policy")
    dispute, opt_out = ContactHold.objects.order_by("reason")
    release_hold(dispute, by="boss", note="settled on the phone")
    with pytest.raises(Refusal):
        release_hold(dispute, by="boss", note="again")
    with pytest.raises(Conflict, match="START"):
        release_hold(opt_out, by="boss", note="please")
    assert ApprovalAuditEntry.objects.get().reason == "dispute: settled on the phone"


# --- what is never false, said by the database


def test_nothing_is_sent_unapproved():
    response = make_response()
    for status in ("approved", "sending", "sent", "failed", "unknown"):
        with pytest.raises(IntegrityError, match="nothing_is_sent_unapproved"), transaction.atomic():
            QueuedResponse.objects.filter(pk=response.pk).update(
                status=status, receipt="SM1", lease_until=timezone.now()
            )


def test_a_sent_text_has_a_receipt():
    response = approved(make_response())
    with pytest.raises(IntegrityError, match="a_sent_text_has_a_receipt"), transaction.atomic():
        QueuedResponse.objects.filter(pk=response.pk).update(status="sent")


def test_one_draft_of_a_conversation_waits():
    response = make_response()
    with pytest.raises(IntegrityError, match="one_waiting_draft_per_conversation"):
        make_response(response.conversation)


def test_snoozing_leaves_the_reply_waiting():
    until = timezone.now() + timedelta(hours=1)
    response = decisions.snooze(make_response().pk, by=MARIA, until=until)
    assert (response.status, response.snoozed_until) == (Status.PENDING, until)


def recorded():
    return [(entry.action, entry.approved_by, entry.reason) for entry in ApprovalAuditEntry.objects.order_by("seq")]


def test_a_snooze_and_its_end_are_on_record():
    until = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
    response = decisions.snooze(make_response().pk, by=MARIA, until=until)
    response = decisions.wake_up(response.pk, by=BOSS)
    assert response.snoozed_until is None
    assert recorded() == [("snooze", "maria", "until 2026-11-20 14:30 UTC"), ("wake", "boss", "")]


def test_every_step_of_an_escalation_is_on_record():
    conversation = make_conversation()
    escalation, is_new = hand_over(conversation, category=Category.MANUAL, reason="asks for the owner", by="desk")
    assign(escalation.pk, to="tom", by="maria")
    add_note(escalation.pk, by="tom", note="called, no answer")
    resolve(escalation.pk, by="tom", note="he was right")
    assert is_new
    assert recorded() == [
        ("escalate", "desk", "manual: asks for the owner"),
        ("assign", "maria", "manual: to tom"),
        ("note", "tom", "manual: called, no answer"),
        ("resolve", "tom", "manual: he was right"),
    ]


def test_what_a_retry_resolves_is_on_record():
    receive("hello")
    Workflow.objects.update(status="failed", attempts=3)
    workflow = Workflow.objects.get()
    open_escalation(workflow.conversation, category=Category.AI_FAILED, reason="away", by="policy")
    decisions.retry(workflow.pk, by=MARIA, reason="the model is back")
    assert recorded() == [("resolve", "maria", "ai_failed: tried again. the model is back")]
    assert Escalation.objects.get().resolved_by == "maria"


def test_the_next_plan_replaces_the_one_before_and_a_person_settles_it():
    conversation = make_conversation()
    older, newer = (PaymentPlan(conversation=conversation, weekly_amount=amount, weeks=4) for amount in (50, 60))
    keep_plans([older]), keep_plans([newer])
    decline_plan(newer.pk, by="maria", note="too long")
    older.refresh_from_db(), newer.refresh_from_db()
    assert (older.status, newer.status) == ("replaced", "declined")
    with pytest.raises(Conflict, match="already declined"):
        accept_plan(newer.pk, by="tom")
    assert recorded() == [("decline_plan", "maria", "$60.00 a week for 4 weeks: too long")]
