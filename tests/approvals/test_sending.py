"""An approved text is handed over once; what is not known is looked up, never repeated blindly."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from approvals.models import ApprovalAuditEntry, Escalation, Notification, QueuedResponse
from approvals.sms_workflow import sending
from approvals.sms_workflow.decisions import Decider, approve, write_by_hand
from approvals.sms_workflow.looking import claim_looks
from approvals.sms_workflow.sending import claim_sends, record_sends, send_text
from approvals.sweeps import notice_silence
from conversations.models import ContactHold, Conversation, Message
from tests.builders import (
    PHONE,
    approved,
    make_conversation,
    make_message,
    make_response,
    takes_texts,
    until_somebody_waits_for_a_lock,
    work,
)
from tests.outside_world import ALWAYS

pytestmark = pytest.mark.django_db
Status = QueuedResponse.Status


@pytest.fixture(autouse=True)
def _at_once_and_at_any_hour(settings):
    settings.CONTACT_HOURS = "00:00-00:00"
    settings.LOOK_AFTER_SECONDS = 0
    settings.SEND_RETRY_SECONDS = 0
    settings.BREAKER_FAILURES = 100


def history(*texts, status="sent", at=None):
    at = (at or timezone.now()).astimezone(UTC).replace(tzinfo=None).isoformat()
    return {
        "phone_number_canonical": PHONE,
        "messages": [
            {
                "id": "9",
                "direction": "outbound",
                "content": text,
                "twilio_sid": "SM9",
                "delivery_status": status,
                "created_at": at,
            }
            for text in texts
        ],
    }


def posts(world):
    return [request.json for request in world.sms_agent.requests if request.method == "POST"]


def test_the_text_goes_out_with_its_receipt(world, reply):
    takes_texts(world)
    work("send", "look")
    reply.refresh_from_db()
    assert (reply.status, reply.receipt) == (Status.SENT, "SM123")
    assert posts(world) == [{"to": PHONE, "body": "Could you pay $50 a week?"}]
    assert reply.conversation.messages.get(direction="outbound").provider_id == "SM123"


def test_with_the_text_that_leaves_the_silence_begins(world, reply, settings):
    takes_texts(world)
    work("send")
    settings.ESCALATION_HOURS = 0
    assert notice_silence() == 1
    assert Escalation.objects.get().category == "no_response"


def test_a_numeric_conversation_id_is_handed_on_as_a_number(world):
    approved(make_response(make_conversation(external_id="7")))
    takes_texts(world)
    work("send")
    assert posts(world)[0]["conversation_id"] == 7


def test_a_refused_text_fails_and_is_never_sent_again(world, reply):
    error = {"error": {"code": "sms.external_failed", "details": {"category": "permanent", "status_code": 400}}}
    world.sms_agent.answers(error, to="POST /sms/send", status=400)
    work("send", "look")
    reply.refresh_from_db()
    assert reply.status == Status.FAILED
    assert Escalation.objects.get().category == "send_failed"
    assert ApprovalAuditEntry.objects.latest("seq").reason.startswith("send_failed: ")


def test_a_refused_connection_is_surely_unsent_and_tried_again(world, reply, settings):
    settings.SEND_RETRY_SECONDS = 60
    world.sms_agent.is_down()
    work("send", "look")
    reply.refresh_from_db()
    assert (reply.status, reply.attempts) == (Status.APPROVED, 1)
    assert reply.not_before > timezone.now()


def test_after_the_last_attempt_the_text_has_failed(world, reply, settings):
    world.sms_agent.is_down()
    work("send", "look")
    reply.refresh_from_db()
    assert (reply.status, reply.attempts) == (Status.FAILED, settings.MAX_SEND_ATTEMPTS)


def seconds_until_due(reply):
    reply.refresh_from_db()
    return (reply.not_before - timezone.now()).total_seconds()


def due_again(reply):
    assert reply.status == Status.APPROVED
    QueuedResponse.objects.update(not_before=timezone.now())


def test_the_pause_grows_with_every_attempt(world, reply, settings):
    settings.SEND_RETRY_SECONDS = 15
    world.sms_agent.is_down()
    work("send")
    assert seconds_until_due(reply) == pytest.approx(15, abs=3)
    due_again(reply)
    work("send")
    assert seconds_until_due(reply) == pytest.approx(60, abs=3)


def test_an_agent_that_says_when_to_come_back_is_not_asked_before(world, reply):
    world.sms_agent.answers({}, to="POST /sms/send", status=429, headers={"Retry-After": "900"})
    work("send")
    assert seconds_until_due(reply) == pytest.approx(900, abs=5)
    assert len(posts(world)) == 1


def test_while_the_circuit_is_open_no_attempt_is_used_up_until_patience_is(world, reply, settings):
    settings.BREAKER_FAILURES = 1
    world.sms_agent.is_down()
    work("send")
    for _ in range(settings.MAX_SEND_ATTEMPTS + 1):
        assert seconds_until_due(reply) > 0
        assert (reply.status, reply.attempts) == (Status.APPROVED, 1)
        due_again(reply)
        work("send")
    long_ago = timezone.now() - timedelta(minutes=settings.OUTAGE_PATIENCE_MINUTES, seconds=1)
    QueuedResponse.objects.update(actioned_at=long_ago)
    for _ in range(settings.MAX_SEND_ATTEMPTS - 1):
        reply.refresh_from_db()
        due_again(reply)
        work("send")
    reply.refresh_from_db()
    assert (reply.status, reply.attempts) == (Status.FAILED, settings.MAX_SEND_ATTEMPTS)
    assert Escalation.objects.get().category == "send_failed"


TRANSIENT = {"error": {"code": "sms.external_failed", "details": {"category": "transient", "status_code": 503}}}


def lose_the_outcome(world, how):
    if how == "502":
        world.sms_agent.answers(TRANSIENT, to="POST /sms/send", status=502)
    elif how == "time-out":
        world.sms_agent.will_time_out(to="POST /sms/send")
    else:
        world.sms_agent.will_hang_up(to="POST /sms/send")


@pytest.mark.parametrize("how", ["502", "time-out", "hang-up"])
def test_a_lost_outcome_that_is_found_is_sent_and_not_repeated(world, reply, how):
    lose_the_outcome(world, how)
    world.sms_agent.answers(history("Hello", reply.final_text, "Bye"), to="GET /conversations/*")
    work("send", "look")
    reply.refresh_from_db()
    assert (reply.status, reply.receipt) == (Status.SENT, "SM9")
    assert len(posts(world)) == 1
    assert world.sms_agent.requests[-1].query["limit"] == "100"


def test_a_lost_outcome_without_a_trace_is_sent_again(world, reply):
    lose_the_outcome(world, "502")
    world.sms_agent.answers({"detail": "none"}, to="GET /conversations/*", status=404, times=2)
    takes_texts(world)
    work("send", "look")
    reply.refresh_from_db()
    assert (reply.status, reply.receipt) == (Status.SENT, "SM123")
    assert len(posts(world)) == 2


def test_a_text_that_leaves_no_trace_again_and_again_is_sent_three_times_at_the_most(world, reply, settings):
    world.sms_agent.answers(TRANSIENT, to="POST /sms/send", status=502, times=ALWAYS)
    world.sms_agent.answers({"detail": "none"}, to="GET /conversations/*", status=404, times=ALWAYS)
    work("send", "look", rounds=20)
    reply.refresh_from_db()
    assert (reply.status, len(posts(world))) == (Status.FAILED, settings.MAX_SEND_ATTEMPTS)
    assert Escalation.objects.get().category == "send_failed"


def test_a_history_that_is_written_late_makes_nobody_send_twice(world, reply):
    lose_the_outcome(world, "502")
    world.sms_agent.answers({"detail": "none"}, to="GET /conversations/*", status=404)
    world.sms_agent.answers(history(reply.final_text), to="GET /conversations/*")
    work("send", "look")
    reply.refresh_from_db()
    assert (reply.status, reply.receipt) == (Status.SENT, "SM9")
    assert len(posts(world)) == 1


def test_after_every_sending_one_empty_look_is_not_enough(world, reply):
    """The looks after the first sending say nothing about the second."""
    world.sms_agent.answers(TRANSIENT, to="POST /sms/send", status=502, times=2)
    world.sms_agent.answers({"detail": "none"}, to="GET /conversations/*", status=404, times=3)
    world.sms_agent.answers(history(reply.final_text), to="GET /conversations/*")
    work("send", "look")
    reply.refresh_from_db()
    assert (reply.status, reply.receipt, len(posts(world))) == (Status.SENT, "SM9", 2)


@pytest.mark.parametrize("word", ["failed", "pending", "undelivered"])
def test_a_trace_that_does_not_say_sent_is_for_a_person(world, reply, word):
    lose_the_outcome(world, "502")
    world.sms_agent.answers(history(reply.final_text, status=word), to="GET /conversations/*")
    work("send", "look")
    reply.refresh_from_db()
    assert reply.status == Status.UNKNOWN
    assert "may have gone out" in Escalation.objects.get().reason
    assert len(posts(world)) == 1


def test_while_the_history_is_away_nothing_is_sent_and_a_person_is_asked_in_the_end(world, reply, settings):
    lose_the_outcome(world, "502")
    world.sms_agent.answers({"detail": "trouble"}, to="GET /conversations/*", status=500, times=ALWAYS)
    work("send", "look")
    reply.refresh_from_db()
    assert (reply.status, reply.looks) == (Status.UNKNOWN, settings.MAX_LOOKS)
    assert len(posts(world)) == 1


def test_the_tenants_own_words_are_not_this_text(world, reply):
    lose_the_outcome(world, "502")
    echo = history(reply.final_text)
    echo["messages"][0]["direction"] = "inbound"
    world.sms_agent.answers(echo, to="GET /conversations/*", times=2)
    takes_texts(world)
    work("send", "look")
    reply.refresh_from_db()
    assert reply.receipt == "SM123"


def test_a_text_is_not_looked_for_while_its_worker_may_still_be_sending_it(world, reply):
    [job] = claim_sends(25, "w1")
    assert claim_looks(25, "w2") == []
    work("look")
    takes_texts(world)
    record_sends([(job, send_text(job))])
    reply.refresh_from_db()
    assert (reply.status, reply.looks, len(posts(world))) == (Status.SENT, 0, 1)


def test_a_text_that_is_looked_for_is_looked_for_by_one_worker(world, reply):
    claim_sends(25, "w1")
    QueuedResponse.objects.update(lease_until=timezone.now())
    assert len(claim_looks(25, "w2")) == 1
    assert claim_looks(25, "w3") == []


def test_what_a_person_sends_again_has_all_its_attempts_and_looks_and_leaves_at_once(world, reply, settings):
    QueuedResponse.objects.update(
        status="unknown", attempts=settings.MAX_SEND_ATTEMPTS, looks=settings.MAX_LOOKS, error_message="no answer"
    )
    approve(reply.pk, by=Decider(name="maria"), after=timedelta(seconds=10))
    lose_the_outcome(world, "502")
    world.sms_agent.answers({"detail": "trouble"}, to="GET /conversations/*", status=500)
    world.sms_agent.answers({"detail": "none"}, to="GET /conversations/*", status=404, times=2)
    takes_texts(world)
    work("send", "look")
    reply.refresh_from_db()
    assert (reply.status, reply.error_message, len(posts(world))) == (Status.SENT, "", 2)


def test_the_same_words_sent_earlier_are_not_this_text(world, reply):
    make_message(
        reply.conversation, reply.final_text, direction="outbound", author="ai", delivery="sent", provider_id="SM9"
    )
    lose_the_outcome(world, "502")
    world.sms_agent.answers(history(reply.final_text), to="GET /conversations/*", times=2)
    takes_texts(world)
    work("send", "look")
    reply.refresh_from_db()
    assert reply.receipt == "SM123"


def test_the_same_words_from_yesterday_are_not_this_text(world, reply):
    lose_the_outcome(world, "502")
    yesterday = timezone.now() - timedelta(days=1)
    world.sms_agent.answers(history(reply.final_text, at=yesterday), to="GET /conversations/*", times=2)
    takes_texts(world)
    work("send", "look")
    reply.refresh_from_db()
    assert reply.receipt == "SM123"


def test_a_worker_that_died_after_sending_leaves_a_text_that_is_looked_for(world, reply):
    takes_texts(world)
    [job] = claim_sends(25, "w1")
    send_text(job)  # and here the process dies
    QueuedResponse.objects.update(lease_until=timezone.now())
    world.sms_agent.answers(history(reply.final_text), to="GET /conversations/*")
    work("look")
    reply.refresh_from_db()
    assert (reply.status, reply.receipt) == (Status.SENT, "SM9")
    assert len(posts(world)) == 1


def test_a_worker_that_slept_over_its_claim_sends_nothing(world, reply):
    [job] = claim_sends(25, "w1")
    result = send_text(replace(job, tried_at=job.tried_at - timedelta(seconds=40)))
    record_sends([(job, result)])
    reply.refresh_from_db()
    assert (reply.status, posts(world)) == (Status.APPROVED, [])


def test_a_lease_that_is_shorter_than_the_time_outs_keeps_no_text_from_being_sent(world, reply, settings):
    settings.SEND_LEASE_SECONDS = 4
    takes_texts(world)
    work("send")
    assert len(posts(world)) == 1


@pytest.mark.django_db(transaction=True)
def test_a_receipt_waits_for_the_conversation_before_it_locks_the_reply(world, reply):
    takes_texts(world)
    [job] = claim_sends(25, "w1")
    receipt = send_text(job)

    def record():
        try:
            record_sends([(job, receipt)])
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as worker:
        with transaction.atomic():
            Conversation.objects.locked().get()
            recorded = worker.submit(record)
            until_somebody_waits_for_a_lock()
            # Held by the worker, this would be the two of them waiting for each other.
            QueuedResponse.objects.select_for_update(nowait=True).get()
        recorded.result()
    assert QueuedResponse.objects.get().status == Status.SENT


@pytest.mark.parametrize(
    "taken",
    [
        pytest.param({"claimed_by": "w2"}, id="by-another-worker"),
        pytest.param({"attempts": 2}, id="by-the-same-worker-once-more"),
        pytest.param({"status": "unknown"}, id="to-a-person"),
    ],
)
def test_a_late_record_of_a_lost_claim_changes_nothing(world, reply, taken):
    takes_texts(world)
    [job] = claim_sends(25, "w1")
    receipt = send_text(job)
    QueuedResponse.objects.update(**taken)
    before = QueuedResponse.objects.values().get()
    record_sends([(job, receipt)])
    assert QueuedResponse.objects.values().get() == before
    assert not Message.objects.filter(direction="outbound").exists()


def test_a_managers_words_that_the_tenant_overtakes_are_not_dropped_in_silence(settings, reply):
    settings.MANAGER_EMAIL = ["maria@example.com"]
    reply.decide("withdrawn", action="withdraw", by="policy", reason="stale")
    written = write_by_hand(reply.conversation, by=Decider(name="maria"), text="Please call the office.")
    make_message(reply.conversation, "wait, I paid")
    assert claim_sends(25, "w1") == []
    written.refresh_from_db()
    assert (written.status, written.final_text) == ("withdrawn", "Please call the office.")
    notice = Notification.objects.get()
    assert (notice.kind, notice.subject) == ("words_not_sent", "A manager's text was not sent: stale")
    assert "written by maria" in notice.body


def test_a_managers_words_that_come_back_are_announced(settings, reply):
    settings.MANAGER_EMAIL = ["maria@example.com"]
    reply.decide("withdrawn", action="withdraw", by="policy", reason="stale")
    written = write_by_hand(reply.conversation, by=Decider(name="maria"), text="Please call the office.")
    QueuedResponse.objects.filter(pk=written.pk).update(overridden=["stale"])
    ContactHold.objects.create(phone=PHONE, reason="bankruptcy", created_by="policy")
    assert claim_sends(25, "w1") == []
    written.refresh_from_db()
    assert (written.status, Notification.objects.get().kind) == ("pending", "words_not_sent")
    assert written.overridden == [], "who decides anew overrides anew"


def test_a_draft_that_the_tenant_overtakes_tells_nobody(settings, reply):
    settings.MANAGER_EMAIL = ["maria@example.com"]
    make_message(reply.conversation, "wait, I paid")
    assert claim_sends(25, "w1") == []
    reply.refresh_from_db()
    assert (reply.status, Notification.objects.count()) == ("withdrawn", 0)


def test_one_text_of_a_conversation_is_in_flight(world, reply):
    second = write_by_hand(reply.conversation, by=Decider(name="maria"), text="Please call the office.")
    assert len(claim_sends(25, "w1")) == 1
    assert claim_sends(25, "w2") == []
    with pytest.raises(IntegrityError, match="one_text_in_flight_per_conversation"), transaction.atomic():
        QueuedResponse.objects.filter(pk=second.pk).update(status="sending", lease_until=timezone.now())


def test_a_text_in_flight_has_a_lease(reply):
    with pytest.raises(IntegrityError, match="a_text_in_flight_has_a_lease"), transaction.atomic():
        QueuedResponse.objects.filter(pk=reply.pk).update(status="sending")


def test_a_text_that_another_worker_took_since_we_looked_leaves_no_second_beside_it(reply, monkeypatch):
    write_by_hand(reply.conversation, by=Decider(name="maria"), text="Please call the office.")
    take = sending.take_conversations

    def take_after_another(candidates, limit):
        monkeypatch.setattr(sending, "take_conversations", take)
        assert len(claim_sends(25, "w1")) == 1
        return take(candidates, limit)

    monkeypatch.setattr(sending, "take_conversations", take_after_another)
    assert claim_sends(25, "w2") == []


def test_of_two_texts_the_one_that_was_decided_first_leaves_first(world, reply):
    write_by_hand(reply.conversation, by=Decider(name="maria"), text="Please call the office.")
    takes_texts(world)
    work("send")
    assert [post["body"] for post in posts(world)] == ["Could you pay $50 a week?", "Please call the office."]
