"""What the minute's sweeps find, and find once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone
from django_q.models import OrmQ

from approvals import sweeps
from approvals.models import ApprovalAuditEntry, Escalation, Notification, QueuedResponse, Workflow, WorkflowStep
from approvals.sms_workflow.claiming import claim_drafts
from conversations.models import Conversation
from tests.builders import approved, make_conversation, make_response, receive

pytestmark = pytest.mark.django_db


def ago(**time):
    return timezone.now() - timedelta(**time)


def test_a_lost_draft_is_taken_back_and_after_the_last_attempt_told(settings):
    accepted = receive("hello")
    for attempt in range(1, settings.MAX_DRAFT_ATTEMPTS + 1):
        assert len(claim_drafts(25, "w1")) == 1
        Workflow.objects.update(lease_until=ago(seconds=1))
        assert sweeps.take_back_lost_drafts() == 1
        workflow = Workflow.objects.get(pk=accepted.workflow_id)
        assert workflow.status == ("failed" if attempt == settings.MAX_DRAFT_ATTEMPTS else "received")
    assert Escalation.objects.get().category == "ai_failed"


def test_a_draft_within_its_lease_is_left_alone():
    receive("hello")
    claim_drafts(25, "w1")
    assert sweeps.take_back_lost_drafts() == 0


def test_silence_is_escalated_once_per_silence(settings):
    settings.ESCALATION_HOURS = 36
    make_conversation(last_inbound_at=ago(hours=40), last_outbound_at=ago(hours=37))
    assert sweeps.notice_silence() == 1
    assert sweeps.notice_silence() == 0
    Escalation.objects.update(status="resolved")
    assert sweeps.notice_silence() == 0
    assert Escalation.objects.get().category == "no_response"
    assert ApprovalAuditEntry.objects.get().reason == "no_response: no answer for 36 hours"
    told, wrote = ago(hours=37), ago(hours=36, seconds=1)
    Conversation.objects.update(last_inbound_at=ago(hours=39), last_outbound_at=wrote, silence_told_at=told)
    Escalation.objects.update(created_at=ago(hours=37))
    assert sweeps.notice_silence() == 1


@pytest.mark.parametrize(
    "times",
    [
        pytest.param({"last_inbound_at": ago(hours=30), "last_outbound_at": ago(hours=37)}, id="the-tenant-answered"),
        pytest.param({"last_inbound_at": ago(hours=40), "last_outbound_at": ago(hours=35)}, id="not-long-enough"),
        pytest.param({"last_inbound_at": ago(hours=40), "last_outbound_at": None}, id="we-never-wrote"),
    ],
)
def test_what_is_no_silence_is_not_escalated(times):
    make_conversation(**times)
    assert sweeps.notice_silence() == 0


def test_a_text_of_the_tenants_ends_the_silence():
    make_conversation(last_inbound_at=ago(hours=40), last_outbound_at=ago(hours=37))
    receive("hello")
    assert sweeps.notice_silence() == 0


def test_replies_that_nobody_takes_are_announced_once_an_hour(settings):
    settings.MANAGER_EMAIL = ["maria@example.com"]
    make_response(created_at=ago(minutes=90))
    assert sweeps.remind_of_waiting() == 1
    assert sweeps.remind_of_waiting() == 0
    assert Notification.objects.get().kind == "pending_reminder"


def test_a_snoozed_reply_reminds_nobody(settings):
    settings.MANAGER_EMAIL = ["maria@example.com"]
    make_response(created_at=ago(minutes=90), snoozed_until=timezone.now() + timedelta(hours=1))
    assert sweeps.remind_of_waiting() == 0


def test_a_lost_notice_is_sent_again():
    past = ago(seconds=1)
    Notification.objects.create(
        kind="escalation", recipient="m@x.com", subject="s", body="b", status="sending", lease_until=past
    )
    assert sweeps.take_back_lost_notices() == 1
    assert Notification.objects.get().status == "pending"


def test_old_steps_and_notices_are_forgotten(settings):
    response = make_response()
    for age in (1, settings.KEEP_STEPS_DAYS + 1):
        WorkflowStep.objects.create(
            workflow=response.workflow, name="read", started_at=ago(days=age), duration_ms=1, outcome="ok"
        )
        Notification.objects.create(
            kind="escalation", recipient="m@x.com", subject="s", body="b", status="sent", created_at=ago(days=age)
        )
    Notification.objects.create(
        kind="escalation", recipient="m@x.com", subject="s", body="b", created_at=ago(days=settings.KEEP_STEPS_DAYS + 1)
    )
    assert sweeps.forget_old() == 2
    assert WorkflowStep.objects.count() == 1
    assert set(Notification.objects.values_list("status", flat=True)) == {"sent", "pending"}


def a_lost_sending():
    approved(make_response())
    QueuedResponse.objects.update(status="sending", lease_until=ago(seconds=1))


@pytest.mark.parametrize(
    "make_ready",
    [
        pytest.param(lambda: receive("hello"), id="a-text-to-answer"),
        pytest.param(lambda: approved(make_response(), not_before=ago(seconds=1)), id="a-reply-to-send"),
        pytest.param(a_lost_sending, id="a-sending-to-look-for"),
        pytest.param(lambda: Notification.objects.create(kind="escalation", recipient="m@x.com"), id="a-notice"),
    ],
)
def test_a_ready_row_without_a_wakeup_gets_one(make_ready):
    assert sweeps.wake_for_ready() == 0
    make_ready()
    OrmQ.objects.all().delete()
    assert sweeps.wake_for_ready() == 1
    assert OrmQ.objects.count() == 1


def test_a_sweep_that_fails_does_not_stop_the_next(monkeypatch, caplog):
    def broken() -> int:
        raise ValueError("a fault of our own")

    monkeypatch.setattr(sweeps, "SWEEPS", (broken, sweeps.wake_for_ready))
    assert list(sweeps.run()) == ["wake_for_ready"]
    assert "broken failed" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_while_another_machine_is_at_a_sweep_it_is_left_alone():
    make_conversation(last_inbound_at=ago(hours=40), last_outbound_at=ago(hours=37))

    def sweep_elsewhere():
        try:
            return sweeps.run()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as another:
        with transaction.atomic():
            assert sweeps._only_here("notice_silence")
            assert another.submit(sweep_elsewhere).result()["notice_silence"] == 0
        assert another.submit(sweep_elsewhere).result()["notice_silence"] == 1


def test_all_sweeps_run_and_say_what_they_found():
    receive("hello")
    claim_drafts(25, "w1")
    Workflow.objects.update(lease_until=ago(seconds=1))
    found = sweeps.run()
    assert found["take_back_lost_drafts"] == 1
    assert set(found) == {sweep.__name__ for sweep in sweeps.SWEEPS}
