"""Several texts of one tenant: who works on them, what is answered together, and what a newer one overtakes."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone
from django_q.models import OrmQ

from approvals.models import ApprovalAuditEntry, Escalation, Notification, QueuedResponse, Workflow
from approvals.sms_workflow import claiming
from approvals.sms_workflow.claiming import claim_drafts
from approvals.sms_workflow.decisions import Decider, approve, modify, write_by_hand
from approvals.sms_workflow.recording import record_drafts
from approvals.sms_workflow.writing import write_draft
from conversations.models import Conversation
from tests.builders import (
    knows_tenant,
    make_response,
    plan_a_good_day,
    receive,
    work,
)

pytestmark = pytest.mark.django_db
Status = QueuedResponse.Status
MARIA = Decider(name="maria")
BOSS = Decider(name="boss", may_override=True)
UNDO = timedelta(seconds=10)


@pytest.fixture(autouse=True)
def _managers(settings):
    settings.MANAGER_EMAIL = ["maria@example.com"]


def test_texts_within_seconds_are_answered_together(world):
    plan_a_good_day(world)
    first = receive("hello")
    second = receive("what do I owe you now?")
    work("draft", "send")

    assert Workflow.objects.get(pk=first.workflow_id).status == "superseded"
    assert str(Workflow.objects.get(pk=first.workflow_id).superseded_by_id) == str(second.workflow_id)
    response = QueuedResponse.objects.get()
    assert response.tenant_message == "hello\nwhat do I owe you now?"
    assert len([request for request in world.sms_agent.requests if request.method == "POST"]) == 1


def test_an_emergency_is_not_buried_by_the_text_after_it(world):
    knows_tenant(world)
    receive("there is a fire in my kitchen")
    receive("can I pay on friday")
    work("draft")
    assert Escalation.objects.get().category == "self_harm_or_emergency"


def test_a_text_that_comes_while_we_draft_is_answered_with_the_first_one(world):
    plan_a_good_day(world)
    first = receive("hello there my friend")
    [job] = claim_drafts(25, "w1")
    receive("what do I owe you now?")
    assert claim_drafts(25, "w2") == []  # one draft at a time
    record_drafts([(job, write_draft(job))])
    assert not QueuedResponse.objects.exists()
    work("draft")
    assert QueuedResponse.objects.get().tenant_message == "hello there my friend\nwhat do I owe you now?"
    assert Workflow.objects.get(pk=first.workflow_id).status == "superseded"


def test_a_text_that_waits_for_another_attempt_is_answered_with_the_newer_one(world, settings):
    settings.BREAKER_FAILURES = 100
    # The client tries three times by itself.
    world.monitor.answers({}, status=503, times=3)
    first = receive("hello there my friend")
    work("draft")
    plan_a_good_day(world)
    receive("what do I owe you now?")
    work("draft", "send")

    reply = QueuedResponse.objects.get()
    assert (reply.status, reply.tenant_message) == ("sent", "hello there my friend\nwhat do I owe you now?")
    assert Workflow.objects.get(pk=first.workflow_id).status == "superseded"


def test_texts_that_were_answered_together_stay_together_when_another_comes_while_we_draft(world):
    plan_a_good_day(world)
    receive("hello there my friend")
    receive("good morning to you")
    [job] = claim_drafts(25, "w1")
    receive("what do I owe you now?")
    record_drafts([(job, write_draft(job))])
    work("draft")
    together = "hello there my friend\ngood morning to you\nwhat do I owe you now?"
    assert QueuedResponse.objects.get().tenant_message == together
    assert world.language_model.requests[-1].json["messages"][-1] == {"role": "user", "content": together}


def test_texts_that_wait_together_for_another_attempt_are_answered_with_the_newer_one(world, settings):
    settings.BREAKER_FAILURES = 100
    world.monitor.answers({}, status=503, times=3)
    receive("hello there my friend")
    receive("good morning to you")
    work("draft")
    plan_a_good_day(world)
    receive("what do I owe you now?")
    work("draft")
    together = "hello there my friend\ngood morning to you\nwhat do I owe you now?"
    assert QueuedResponse.objects.get().tenant_message == together


def test_a_conversation_that_another_worker_took_since_we_looked_is_left_to_it(monkeypatch):
    receive("hello there my friend")
    take = claiming.take_conversations

    def take_after_another(candidates, limit):
        monkeypatch.setattr(claiming, "take_conversations", take)
        assert len(claim_drafts(25, "w1")) == 1
        receive("what do I owe you now?")
        return take(candidates, limit)

    monkeypatch.setattr(claiming, "take_conversations", take_after_another)
    assert claim_drafts(25, "w2") == []


@pytest.mark.django_db(transaction=True)
def test_who_finds_a_conversation_locked_looks_again_soon():
    """Whoever holds it may only have looked at it, and wakes nobody."""
    receive("hello there my friend")
    OrmQ.objects.all().delete()

    def claim_elsewhere():
        try:
            return claim_drafts(25, "w2")
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as another, transaction.atomic():
        Conversation.objects.locked().get()
        assert another.submit(claim_elsewhere).result() == []
    assert OrmQ.objects.get().lock - timezone.now() < timedelta(seconds=2)


def test_an_older_text_is_never_taken_for_a_newer_one(world):
    plan_a_good_day(world)
    older = receive("hello there my friend")
    Workflow.objects.update(status="failed")
    newer = receive("what do I owe you now?")
    [job] = claim_drafts(25, "w1")
    Workflow.objects.filter(pk=older.workflow_id).update(status="received")
    record_drafts([(job, write_draft(job))])
    assert str(QueuedResponse.objects.get().workflow_id) == str(newer.workflow_id)


def test_a_newer_text_withdraws_the_waiting_draft(world):
    plan_a_good_day(world, confidence=0.7)
    receive("what do I owe you now?")
    work("draft")
    receive("sorry I meant the late fee")
    work("draft")
    old, new = QueuedResponse.objects.order_by("created_at")
    assert (old.status, new.status) == (Status.WITHDRAWN, Status.PENDING)
    entry = ApprovalAuditEntry.objects.get(response=old, action="withdraw")
    assert (entry.approved_by, entry.reason) == ("policy", "stale")


def test_a_newer_text_tells_the_manager_whose_words_it_withdraws(world):
    modify(make_response().pk, by=MARIA, text="Please call the office.", after=UNDO)
    knows_tenant(world)
    receive("STOP")
    work("draft")
    [told] = Notification.objects.filter(kind="words_not_sent")
    assert told.subject == "A manager's text was not sent: stale"
    assert "written by maria" in told.body


def test_a_reply_that_was_approved_in_spite_of_a_newer_text_leaves_although_that_one_is_drafted(world):
    response = make_response(draft="We are here to help.")
    plan_a_good_day(world, confidence=0.7)
    receive("sorry I meant the late fee")
    approve(response.pk, by=BOSS, override_reason="both are answered by it")
    work("draft")
    work("send")
    sent = [request.json["body"] for request in world.sms_agent.requests if request.method == "POST"]
    assert sent == ["We are here to help."]
    assert QueuedResponse.objects.get(status=Status.PENDING).tenant_message == "sorry I meant the late fee"


def test_what_a_manager_wrote_after_the_newest_text_leaves_although_that_one_is_drafted(world, settings):
    settings.CONTACT_HOURS = "00:00-00:00"
    plan_a_good_day(world, confidence=0.7)
    receive("what do I owe you now?")
    write_by_hand(Conversation.objects.get(), by=MARIA, text="Please call the office.")
    work("draft")
    work("send")
    sent = [request.json["body"] for request in world.sms_agent.requests if request.method == "POST"]
    assert sent == ["Please call the office."]


@pytest.mark.parametrize(
    "taken",
    [
        pytest.param({"claimed_by": "w2"}, id="by-another-worker"),
        pytest.param({"attempts": 2}, id="by-the-same-worker-once-more"),
        pytest.param({"status": "received"}, id="back-by-the-sweep"),
    ],
)
def test_a_draft_whose_claim_was_lost_changes_nothing(world, taken):
    plan_a_good_day(world)
    receive("what do I owe you now?")
    [job] = claim_drafts(25, "w1")
    Workflow.objects.update(**taken)
    record_drafts([(job, write_draft(job))])
    assert not QueuedResponse.objects.exists()
    assert Workflow.objects.get().outcome == ""


def test_who_waits_longest_is_drafted_first_whatever_the_keys_are():
    phones = [f"+1415555010{number}" for number in range(8)]
    for phone in phones:
        receive("hello", phone)
    taken = [job.phone for _ in phones for job in claim_drafts(1, "w1")]
    assert taken == phones
