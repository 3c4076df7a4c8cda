"""Managers are told at least once: a notice is tried again later and later, and given up where everybody sees it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from approvals.models import Notification
from approvals.sms_workflow.notices import MAX_ATTEMPTS, claim_notices, record_notices, send_again, send_notice
from conversations.refusals import Conflict, NotFound
from tests.builders import work

pytestmark = pytest.mark.django_db
SEND = "POST /notifications/send"


@pytest.fixture
def notice():
    return Notification.objects.create(kind="escalation", recipient="m@example.com", subject="s", body="b")


@pytest.fixture(autouse=True)
def _patient_circuit(settings):
    settings.BREAKER_FAILURES = 1000


def due_again():
    Notification.objects.update(not_before=timezone.now())


def test_a_notice_goes_out_once_and_keeps_its_tracking_id(world, notice):
    world.notifications.answers({"tracking_id": "t1"}, to=SEND)
    work("notify")
    notice.refresh_from_db()
    assert (notice.status, notice.tracking_id, notice.lease_until) == ("sent", "t1", None)
    [told] = world.notifications.requests
    assert told.json["recipient"] == "m@example.com"


def test_a_notice_that_nobody_took_is_tried_again_later_and_later(world, notice):
    world.notifications.is_down()
    for seconds in (30, 60, 120):
        work("notify")
        notice.refresh_from_db()
        assert notice.status == "pending"
        assert notice.not_before - timezone.now() == pytest.approx(timedelta(seconds=seconds), abs=timedelta(seconds=3))
        due_again()


def test_after_its_last_attempt_a_notice_is_given_up_until_a_person_sends_it_again(world, notice):
    world.notifications.is_down()
    for _ in range(MAX_ATTEMPTS):
        due_again()
        work("notify")
    notice.refresh_from_db()
    assert (notice.status, notice.attempts) == ("failed", MAX_ATTEMPTS)
    send_again(notice.pk)
    work("notify")
    notice.refresh_from_db()
    assert (notice.status, notice.attempts) == ("pending", 1)
    with pytest.raises(Conflict):
        send_again(notice.pk)


def test_a_notice_that_does_not_exist_is_not_sent_again(notice):
    notice.delete()
    with pytest.raises(NotFound):
        send_again("5a3f7b3e-0000-4000-8000-000000000000")


def test_a_notice_is_claimed_by_one_worker(notice):
    assert len(claim_notices(25, "w1")) == 1
    assert claim_notices(25, "w2") == []


@pytest.mark.parametrize(
    "taken",
    [
        pytest.param({"claimed_by": "w2"}, id="by-another-worker"),
        pytest.param({"attempts": 2}, id="by-the-same-worker-once-more"),
        pytest.param({"status": "sent"}, id="and-sent-meanwhile"),
    ],
)
def test_a_late_record_of_a_lost_claim_changes_nothing(world, notice, taken):
    world.notifications.is_down()
    [job] = claim_notices(25, "w1")
    failure = send_notice(job)
    Notification.objects.update(**taken)
    before = Notification.objects.values().get()
    record_notices([(job, failure)])
    assert Notification.objects.values().get() == before
