"""What has come between the approval and the sending is asked once more, at the moment of sending."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from approvals.models import QueuedResponse
from approvals.policy.escalation import Category
from approvals.policy.rules import Rules
from approvals.sms_workflow import sending
from approvals.sms_workflow.decisions import Decider, approve, write_by_hand
from approvals.sms_workflow.escalations import open_escalation
from approvals.sms_workflow.sending import Circumstances, Ruling, rule_on
from conversations.models import ContactHold, Message
from tests.builders import (
    PHONE,
    approved,
    make_conversation,
    make_message,
    make_response,
    takes_texts,
    work,
)

pytestmark = pytest.mark.django_db
Status = QueuedResponse.Status


@pytest.fixture(autouse=True)
def _at_once_and_at_any_hour(settings):
    settings.CONTACT_HOURS = "00:00-00:00"
    settings.LOOK_AFTER_SECONDS = 0
    settings.SEND_RETRY_SECONDS = 0
    settings.BREAKER_FAILURES = 100


def posts(world):
    return [request.json for request in world.sms_agent.requests if request.method == "POST"]


@pytest.fixture
def noon():
    return datetime(2026, 11, 20, 12, tzinfo=ZoneInfo("America/Los_Angeles"))


@pytest.fixture
def calm(noon):
    return Circumstances(now=noon, rules=Rules(), holds=(), escalated=False, newest_inbound=None, started_this_week=0)


def test_in_calm_circumstances_it_goes(reply, calm):
    assert rule_on(reply, calm) == Ruling()


def test_a_newer_text_of_the_tenants_withdraws_it(reply, calm):
    newer = replace(calm, newest_inbound=reply.message.created_at + timedelta(seconds=1))
    assert rule_on(reply, newer).withdraw == "stale"


def test_a_manager_who_knew_of_the_newer_text_is_obeyed(reply, calm):
    reply.overridden = ["stale"]
    newer = replace(calm, newest_inbound=reply.message.created_at + timedelta(seconds=1))
    assert rule_on(reply, newer) == Ruling()


def test_an_opt_out_withdraws_even_what_a_manager_approved(reply, calm):
    assert rule_on(reply, replace(calm, holds=("opt_out",))).withdraw == "hold_opt_out"


def test_a_dispute_stops_policy_but_not_a_manager(reply, calm):
    held = replace(calm, holds=("dispute",))
    assert rule_on(reply, held) == Ruling()
    reply.manager_action = "auto_approve"
    assert rule_on(reply, held).take_back == "hold_dispute"


def test_an_escalation_takes_back_what_policy_approved(reply, calm):
    escalated = replace(calm, escalated=True)
    assert rule_on(reply, escalated) == Ruling()
    reply.manager_action = "auto_approve"
    assert rule_on(reply, escalated).take_back == "open_escalation"


def test_a_gate_that_turned_red_takes_it_back(reply, calm):
    reply.final_text = "You owe $999."
    assert rule_on(reply, calm).take_back == "gate_wrong_amount"
    reply.overridden = ["wrong_amount"]
    assert rule_on(reply, calm) == Ruling()


def test_at_night_it_waits_for_the_morning_where_the_tenant_lives(reply, calm, noon):
    reply.message.created_at = noon - timedelta(days=1)
    night = replace(calm, now=noon.replace(hour=22))
    opening = rule_on(reply, night).wait_until
    assert opening == noon.replace(hour=8) + timedelta(days=1)


def test_until_when_it_waits_is_told_in_the_tenants_own_time(reply, calm, noon):
    reply.message.created_at = noon - timedelta(days=1)
    night = noon.replace(hour=22).astimezone(UTC)
    assert not sending._is_cleared(reply, replace(calm, now=night))
    reply.refresh_from_db()
    assert reply.error_message == "waits for the contact window until 08:00 PST"


def test_a_direct_answer_goes_at_any_hour(reply, calm, noon):
    reply.message.created_at = noon.replace(hour=22)
    assert rule_on(reply, replace(calm, now=noon.replace(hour=22, minute=50))) == Ruling()
    assert rule_on(reply, replace(calm, now=noon.replace(hour=23, minute=10))).wait_until is not None


def test_an_old_text_that_reached_us_late_gives_no_right_to_answer_at_night(reply, calm, noon):
    night = noon.replace(hour=22)
    reply.message.created_at, reply.message.written_at = night, night - timedelta(hours=5)
    assert rule_on(reply, replace(calm, now=night)).wait_until is not None


def test_the_eighth_text_that_we_start_in_a_week_goes_back(reply, calm):
    reply.message = None
    assert rule_on(reply, replace(calm, started_this_week=6)) == Ruling()
    assert rule_on(reply, replace(calm, started_this_week=7)).take_back == "too_many_started_texts"


def test_at_night_nothing_leaves_and_the_opening_wakes_the_workers(world, reply, settings):
    now = timezone.now().astimezone(ZoneInfo("America/Los_Angeles"))
    opening = (now + timedelta(hours=2)).replace(second=0, microsecond=0)
    settings.CONTACT_HOURS = f"{opening:%H:%M}-{opening + timedelta(minutes=30):%H:%M}"
    Message.objects.update(created_at=now - timedelta(hours=3))
    OrmQ.objects.all().delete()
    work("send")
    reply.refresh_from_db()
    assert (reply.status, reply.not_before, posts(world)) == (Status.APPROVED, opening, [])
    assert "waits for the contact window" in reply.error_message
    assert OrmQ.objects.get().lock >= opening


def test_what_is_taken_back_waits_for_a_manager_with_the_reason(world, reply):
    QueuedResponse.objects.update(manager_action="auto_approve", actioned_by="policy")
    ContactHold.objects.create(phone=PHONE, reason="dispute", created_by="maria")
    work("send")
    reply.refresh_from_db()
    assert (reply.status, reply.reasons, reply.actioned_by) == (Status.PENDING, ["hold_dispute"], None)


def test_an_escalation_that_comes_after_the_approval_by_policy_stops_the_text(world, reply):
    QueuedResponse.objects.update(manager_action="auto_approve", actioned_by="policy")
    open_escalation(reply.conversation, category=Category.MANUAL, reason="asks for a person", by="maria")
    work("send")
    reply.refresh_from_db()
    assert (reply.status, reply.reasons, posts(world)) == (Status.PENDING, ["open_escalation"], [])


def test_automatic_sending_that_is_switched_off_stops_what_policy_approved_but_no_person(world, reply, settings):
    settings.AUTO_SEND_ENABLED = False
    QueuedResponse.objects.update(manager_action="auto_approve", actioned_by="policy")
    work("send")
    reply.refresh_from_db()
    assert (reply.status, reply.reasons, posts(world)) == (Status.PENDING, ["auto_send_disabled"], [])
    approve(reply.pk, by=Decider(name="maria"))
    takes_texts(world)
    work("send")
    assert len(posts(world)) == 1


@pytest.mark.parametrize(("by", "sent"), [("maria", 1), ("policy", 0)])
def test_two_segments_leave_as_a_persons_words_and_not_by_policy(world, reply, by, sent):
    action = "auto_approve" if by == "policy" else "modify"
    QueuedResponse.objects.update(manager_action=action, actioned_by=by, final_text="Thank you. " * 18)
    takes_texts(world)
    work("send")
    assert len(posts(world)) == sent


def sent_before(conversation, count, *, days_ago, answered=None):
    for number in range(count):
        QueuedResponse.objects.create(
            conversation=conversation,
            message=answered,
            status="sent",
            receipt=f"SM{number}",
            actioned_by="maria",
            actioned_at=timezone.now(),
            sent_at=timezone.now() - timedelta(days=days_ago),
        )


@pytest.mark.parametrize(
    ("days_ago", "answers", "status"),
    [
        pytest.param(6, False, Status.PENDING, id="seven-that-we-started"),
        pytest.param(8, False, Status.SENT, id="more-than-a-week-ago"),
        pytest.param(6, True, Status.SENT, id="answers"),
    ],
)
def test_only_what_we_started_in_the_last_seven_days_counts(world, reply, days_ago, answers, status):
    reply.decide("withdrawn", action="withdraw", by="policy", reason="stale")
    sent_before(reply.conversation, 7, days_ago=days_ago, answered=reply.message if answers else None)
    written = write_by_hand(reply.conversation, by=Decider(name="maria"), text="Please call the office.")
    takes_texts(world)
    work("send")
    written.refresh_from_db()
    assert written.status == status


def test_what_is_taken_back_makes_way_for_a_newer_draft_that_waits(world, reply):
    newer = QueuedResponse.objects.create(conversation=reply.conversation, message=reply.message, ai_response="Hello.")
    ContactHold.objects.create(phone=PHONE, reason="bankruptcy", created_by="maria")
    work("send")
    reply.refresh_from_db(), newer.refresh_from_db()
    assert (reply.status, newer.status, posts(world)) == (Status.WITHDRAWN, Status.PENDING, [])
    assert reply.audit.get().reason == "hold_bankruptcy"


def test_what_is_withdrawn_is_written_into_the_audit_log(world, reply):
    make_message(reply.conversation, "and another thing")
    work("send")
    reply.refresh_from_db()
    assert reply.status == Status.WITHDRAWN
    assert reply.audit.get().reason == "stale"
    assert Message.objects.filter(direction="outbound").count() == 0


def test_a_reply_on_which_our_own_rules_fail_goes_to_a_person_and_stops_nobody(world, monkeypatch):
    broken = approved(make_response(draft="Friday?"))
    approved(make_response(make_conversation(phone="+14155550177"), draft="Monday?"))
    takes_texts(world)
    real = sending.rule_on

    def rule_on(reply, circumstances):
        if reply.pk == broken.pk:
            raise RuntimeError("a fault of ours")
        return real(reply, circumstances)

    monkeypatch.setattr(sending, "rule_on", rule_on)
    work("send")
    broken.refresh_from_db()
    assert (broken.status, broken.reasons[-1]) == ("pending", "check_failed")
    assert [request.json["to"] for request in world.sms_agent.requests] == ["+14155550177"]
