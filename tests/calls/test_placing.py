"""A confirmed task is placed once, in its turn; what became of it is told once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from django_q.models import OrmQ
from pytest_django import Settings

from calls import sweeps
from calls.chat_workflow import placing
from calls.chat_workflow.chats import User
from calls.chat_workflow.limits import calls_this_week, opening_for, remember_call
from calls.chat_workflow.looking import claim_call_looks, claim_polls, record_polls
from calls.chat_workflow.results import report_result, resolve
from calls.models import CallStep, CallTask, ChatMessage, EarlyReport, RecentCall
from calls.policy.outcomes import Report
from conversations.models import ContactHold
from conversations.refusals import Conflict
from integrations.errors import Unavailable
from tests.builders import work
from tests.calls.builders import (
    DANA,
    PIZZA,
    PIZZA_PHONE,
    answer,
    call_handler_takes,
    confirmed_call,
    notices,
    placed_call,
    say,
)
from tests.outside_world import World

pytestmark = pytest.mark.django_db

PROVIDER_FAILED = {"detail": "Failed to initiate call via Twilio: HTTP 503 error: Unable to create record"}
PROVIDER_BROKE = {"detail": "Failed to initiate call via Twilio: HTTP 500 error: Unable to create record"}
PROVIDER_REFUSED = {"detail": "Failed to initiate call via Twilio: HTTP 400 error: not a valid number"}


def reported(task: CallTask, status: str, **fields: Any) -> CallTask:
    report_result(Report(reference=task.reference, status=status, **fields), source="test")
    task.refresh_from_db()
    return task


def make_due(task: CallTask, **fields: Any) -> None:
    CallTask.objects.filter(pk=task.pk).update(not_before=timezone.now(), **fields)


def with_twilio(settings: Settings) -> None:
    from integrations import clients

    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = "AC1", "secret"
    settings.LOOK_AFTER_SECONDS = settings.CALL_POLL_SECONDS = 0.0
    clients.forget()


def twilio_call(sid: str, status: str, **fields: Any) -> dict[str, Any]:
    return {
        "sid": sid,
        "to": PIZZA_PHONE,
        "status": status,
        "date_created": format_datetime(datetime.now(UTC)),
        **fields,
    }


def test_the_order_goes_out_as_confirmed_and_once(world: World) -> None:
    task = placed_call(world)
    [order] = world.call_handler.requests
    assert order.query == {"instructions": task.parameters["instructions"], "phone_number": PIZZA_PHONE}
    assert "margherita" in order.query["instructions"]
    work("place")
    assert len(world.call_handler.requests) == 1


def test_the_newer_call_handler_gets_a_post(world: World, settings: Settings) -> None:
    from integrations import clients

    settings.CALL_HANDLER_API = "post"
    clients.forget()
    world.call_handler.answers({"status": "Call initiated", "call_sid": "CA1"}, to="POST /order")
    confirmed_call()
    work("place")
    assert world.call_handler.requests[0].json["target_phone_number"] == PIZZA_PHONE


def test_every_step_leaves_a_row_and_a_line_without_number_or_words(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="calls.steps")
    task = placed_call(world)
    lines = [record.getMessage() for record in caplog.records if record.name == "calls.steps"]
    assert any(f"user=dana task={task.pk}" in line and "upstream=200" in line for line in lines)
    assert not any("margherita" in line or "555" in line for line in lines)
    assert list(CallStep.objects.filter(task=task, name="handed_over").values_list("upstream_status", flat=True)) == [
        "200"
    ]


@pytest.mark.parametrize(
    ("report", "status", "outcome", "told"),
    [
        pytest.param({"status": "completed", "duration": 62}, "completed", "answered", "I spoke with", id="answered"),
        pytest.param(
            {"status": "completed", "answered_by": "machine_end_beep"},
            "completed",
            "voicemail",
            "voicemail",
            id="voicemail",
        ),
        pytest.param({"status": "busy"}, "failed", "busy", "busy", id="busy"),
        pytest.param({"status": "no-answer"}, "failed", "no_answer", "Nobody answered", id="no-answer"),
        pytest.param({"status": "failed"}, "failed", "failed", "failed", id="failed"),
        pytest.param({"status": "canceled"}, "failed", "failed", "failed", id="canceled"),
    ],
)
def test_outcomes_are_told_apart_in_one_message(
    world: World, report: dict[str, Any], status: str, outcome: str, told: str
) -> None:
    task = reported(placed_call(world), **report)
    assert (task.status, task.outcome) == (status, outcome)
    [notice] = notices()
    assert told in notice


def test_a_summary_is_passed_on_and_the_outcome_is_told_in_hebrew(world: World) -> None:
    call_handler_takes(world, "CA1")
    say("תתקשר לפיצה שמש 03-555-1234 ותזמין פיצה")
    say("כן")
    work("place")
    reported(CallTask.objects.get(), "completed", summary="ההזמנה תהיה מוכנה בעוד 20 דקות.", duration=75)
    [notice] = notices()
    assert notice.startswith("בוצע")
    assert "20 דקות" in notice
    assert "1:15" in notice


def test_repeated_late_and_backward_reports_change_nothing(world: World) -> None:
    task = placed_call(world)
    for status in ("ringing", "in-progress", "ringing", "completed", "completed", "busy", "ringing"):
        reported(task, status)
    assert (task.status, task.outcome) == ("completed", "answered")
    assert len(notices()) == 1
    assert report_result(Report(reference="CA-unknown", status="completed"), source="test") is False


def test_a_report_that_comes_before_the_receipt_is_not_lost(world: World) -> None:
    confirmed_call()
    [job] = placing.claim_calls(5, "worker")
    report_result(Report(reference="CA1", status="busy"), source="test")
    call_handler_takes(world, "CA1")
    placing.record_calls([(job, placing.place_call(job))])
    assert CallTask.objects.get().outcome == "busy"
    assert not EarlyReport.objects.exists()


def test_the_database_holds_one_notice_per_task(world: World) -> None:
    task = reported(placed_call(world), "busy")
    with pytest.raises(IntegrityError), transaction.atomic():
        ChatMessage.objects.create(chat=task.chat, seq=99, role="assistant", kind="notice", body="again", task=task)


def test_the_database_refuses_to_place_what_nobody_confirmed(world: World) -> None:
    say(PIZZA)
    with pytest.raises(IntegrityError), transaction.atomic():
        CallTask.objects.update(status="placing")


def test_a_call_that_surely_did_not_ring_is_tried_three_times_and_fails_plainly(world: World) -> None:
    world.call_handler.answers(PROVIDER_FAILED, to="GET /order", status=500, times=3)
    task = confirmed_call()
    work("place")
    task.refresh_from_db()
    assert (task.status, task.attempts, len(world.call_handler.requests)) == ("failed", 3, 3)
    [notice] = notices()
    assert "Something went wrong on our side" in notice
    assert "Twilio" not in notice


def test_a_refused_connection_is_tried_again(world: World) -> None:
    world.call_handler.is_down()
    confirmed_call()
    work("place")
    assert CallTask.objects.get().attempts == 3


def test_a_refusal_is_final(world: World) -> None:
    world.call_handler.answers(PROVIDER_REFUSED, to="GET /order", status=500)
    confirmed_call()
    work("place")
    assert CallTask.objects.get().outcome == "refused"


def test_a_timeout_while_placing_is_never_retried(world: World) -> None:
    world.call_handler.will_time_out(to="GET /order")
    confirmed_call()
    work("place")
    task = CallTask.objects.get()
    assert (task.status, task.outcome, len(world.call_handler.requests)) == ("unknown", "perhaps", 1)
    assert "may have rung" in ChatMessage.objects.get(kind="update").body
    assert notices() == []


@pytest.mark.parametrize(("allowed", "orders", "status"), [(True, 3, "unknown"), (False, 1, "unknown")])
def test_a_5xx_is_retried_only_if_the_setting_says_so(
    world: World, settings: Settings, allowed: bool, orders: int, status: str
) -> None:
    settings.CALL_RETRY_ON_5XX = allowed
    world.call_handler.answers(PROVIDER_BROKE, to="GET /order", status=500, times=orders)
    confirmed_call()
    work("place")
    assert (len(world.call_handler.requests), CallTask.objects.get().status) == (orders, status)


def test_with_twilio_an_unknown_outcome_is_looked_up_and_found(world: World, settings: Settings) -> None:
    world.call_handler.will_hang_up(to="GET /order")
    with_twilio(settings)
    settings.CALL_POLL_SECONDS = 600.0
    world.twilio.answers({"calls": [twilio_call("CA7", "ringing")]}, to="GET */Calls.json")
    confirmed_call()
    work("place", "look_for_call")
    task = CallTask.objects.get()
    assert (task.status, task.reference) == ("placed", "CA7")


def test_with_twilio_a_call_that_is_surely_absent_is_placed_again(world: World, settings: Settings) -> None:
    world.call_handler.will_hang_up(to="GET /order")
    call_handler_takes(world, "CA8")
    with_twilio(settings)
    settings.CALL_POLL_SECONDS = 600.0
    world.twilio.answers({"calls": []}, to="GET */Calls.json", times=2)
    confirmed_call()
    work("place", "look_for_call")
    assert CallTask.objects.get().reference == "CA8"
    assert len(world.twilio.requests) == 2, "a handler that accepts late must not make us call twice"


def test_a_worker_that_slept_over_its_claim_does_not_place_the_call(world: World) -> None:
    confirmed_call()
    [job] = placing.claim_calls(5, "slow")
    slept = replace(job, order=replace(job.order, tried_at=timezone.now() - timedelta(seconds=50)))
    assert isinstance(placing.place_call(slept).result, Unavailable)
    assert world.call_handler.requests == []


def test_with_twilio_the_outcome_is_polled(world: World, settings: Settings) -> None:
    with_twilio(settings)
    call_handler_takes(world, "CA1")
    world.twilio.answers(twilio_call("CA1", "in-progress"), to="GET */Calls/CA1.json")
    world.twilio.answers(twilio_call("CA1", "no-answer"), to="GET */Calls/CA1.json")
    confirmed_call()
    work("place", "poll_call")
    assert CallTask.objects.get().outcome == "no_answer"


def test_what_is_heard_of_an_earlier_call_does_not_end_the_later_one(world: World, settings: Settings) -> None:
    with_twilio(settings)
    task = placed_call(world)
    [poll] = claim_polls(5, "worker")
    CallTask.objects.update(reference="CA2")
    record_polls([(poll, Report(reference="CA1", status="busy"))])
    task.refresh_from_db()
    assert (task.status, notices()) == ("placed", [])


def test_a_worker_killed_while_placing_leaves_a_question_and_no_second_call(world: World) -> None:
    task = confirmed_call()
    assert len(placing.claim_calls(5, "killed")) == 1
    CallTask.objects.update(lease_until=timezone.now())
    work("place", "look_for_call")
    task.refresh_from_db()
    assert (task.status, world.call_handler.requests) == ("unknown", [])


def test_a_person_resolves_what_nobody_else_can(world: World) -> None:
    world.call_handler.will_hang_up(to="GET /order")
    task = confirmed_call()
    work("place")
    resolve(task.pk, by="maria", as_="answered")
    assert len(notices()) == 1
    with pytest.raises(Conflict):
        resolve(task.pk, by="maria", as_="failed")


def test_a_person_who_knows_that_it_did_not_ring_has_it_placed_again(world: World) -> None:
    world.call_handler.will_hang_up(to="GET /order")
    call_handler_takes(world, "CA2")
    task = confirmed_call()
    work("place")
    resolve(task.pk, by="maria", as_="place_again")
    work("place")
    task.refresh_from_db()
    assert (task.status, task.reference, task.resolved_by) == ("placed", "CA2", "maria")


@pytest.mark.parametrize("perhaps", [False, True])
def test_a_call_without_an_outcome_ends_with_an_honest_notice(world: World, perhaps: bool) -> None:
    if perhaps:
        world.call_handler.will_hang_up(to="GET /order")
        confirmed_call()
        work("place")
    else:
        placed_call(world)
    assert sweeps.run()["tell_of_overdue_calls"] == 0
    CallTask.objects.update(placed_at=timezone.now() - timedelta(minutes=16))
    sweeps.run()
    sweeps.run()
    assert len(notices()) == 1
    assert CallTask.objects.get().status == "unknown"
    assert say("any news?").state == "idle"


def test_a_late_outcome_is_kept_but_not_told_twice(world: World) -> None:
    task = placed_call(world)
    CallTask.objects.update(placed_at=timezone.now() - timedelta(minutes=16))
    sweeps.run()
    task = reported(task, "completed", summary="Ready at eight.")
    assert (task.status, task.result["summary"]) == ("completed", "Ready at eight.")
    assert len(notices()) == 1


def test_another_try_is_made_only_after_a_yes(world: World) -> None:
    reported(placed_call(world), "busy")
    assert notices()[0].endswith("Shall I try again in 30 minutes?")
    assert CallTask.objects.count() == 1
    assert "try again at" in answer("yes please")
    again = CallTask.objects.get(status="confirmed")
    assert again.retry_of is not None
    assert timedelta(minutes=29) < again.not_before - timezone.now() <= timedelta(minutes=30)
    work("place")
    assert len(world.call_handler.requests) == 1
    call_handler_takes(world, "CA2")
    make_due(again)
    work("place")
    assert len(world.call_handler.requests) == 2


@pytest.mark.parametrize("words", ["no thanks", "call Bob at 212-555-0187 and say hi"])
def test_anything_else_leaves_it_at_one_try(world: World, words: str) -> None:
    reported(placed_call(world), "busy")
    say(words)
    assert not CallTask.objects.filter(retry_of__isnull=False).exists()


def test_no_offer_is_made_while_another_task_is_talked_about(world: World) -> None:
    task = placed_call(world)
    say("call Bob at 212-555-0187 and say hi")
    reported(task, "busy")
    assert "try again" not in notices()[0]
    say("yes")
    assert CallTask.objects.get(status="confirmed").phone == "+12125550187"


def test_at_most_so_many_calls_are_active_and_the_others_wait_in_line(world: World, settings: Settings) -> None:
    settings.MAX_ACTIVE_CALLS = 2
    call_handler_takes(world, "CA0", "CA1", "CA2")
    for number in range(3):
        confirmed_call(user=User.named_by_token("t", str(number)))
    work("place")
    assert sorted(CallTask.objects.values_list("status", flat=True)) == ["confirmed", "placed", "placed"]
    OrmQ.objects.all().delete()
    reported(CallTask.objects.filter(status="placed")[0], "completed")
    assert OrmQ.objects.exists(), "nobody is told of the free line"
    work("place")
    assert CallTask.objects.filter(status="placed").count() == 2


def test_a_text_does_not_wait_behind_calls_for_which_there_is_no_line(world: World, settings: Settings) -> None:
    settings.MAX_ACTIVE_CALLS = 0
    confirmed_call()
    say("text Bob at 212-555-0187 that I am late")
    say("yes")
    [job] = placing.claim_calls(1, "worker")
    assert job.task_type == "text_message"


def test_outside_the_contact_hours_of_the_numbers_zone_a_call_waits(world: World, settings: Settings) -> None:
    local = timezone.now() + timedelta(hours=4)  # two hours from now in Israel
    settings.CONTACT_HOURS = f"{local:%H:%M}-{local + timedelta(minutes=30):%H:%M}"
    assert opening_for("+97235551234", timezone.now()) > timezone.now()
    say("call my uncle at +972 3-555-1234 and say shalom")
    told = answer("yes")
    assert "Asia/Jerusalem" in told
    work("place")
    assert world.call_handler.requests == []
    assert CallTask.objects.get().status == "confirmed"


@pytest.mark.parametrize("between", ["hold", "cap"])
def test_what_comes_between_the_yes_and_the_call_stops_it(world: World, settings: Settings, between: str) -> None:
    confirmed_call()
    if between == "hold":
        ContactHold.objects.create(phone=PIZZA_PHONE, reason="opt_out", created_by="policy")
    else:
        for _ in range(settings.MAX_CALLS_PER_NUMBER):
            remember_call(PIZZA_PHONE)
    work("place")
    assert (CallTask.objects.get().outcome, world.call_handler.requests) == ("refused", [])
    assert notices()[0].startswith("I did not call")


def test_contact_hours_that_end_between_the_yes_and_the_call_are_waited_for(world: World, settings: Settings) -> None:
    task = confirmed_call()
    opening = (timezone.now() + timedelta(hours=2)).astimezone(ZoneInfo("America/New_York")).replace(second=0)
    settings.CONTACT_HOURS = f"{opening:%H:%M}-{opening + timedelta(minutes=30):%H:%M}"
    OrmQ.objects.all().delete()
    work("place")
    task.refresh_from_db()
    assert (task.status, task.not_before) == ("confirmed", opening.replace(microsecond=0))
    assert OrmQ.objects.get().lock >= task.not_before
    assert world.call_handler.requests == []


def test_two_who_call_one_number_at_the_same_moment_keep_to_its_limit_together(
    world: World, settings: Settings
) -> None:
    call_handler_takes(world, "CA1")
    for name in ("dana", "noa"):
        confirmed_call(user=User.named_by_token("t", name))
    settings.MAX_CALLS_PER_NUMBER = 1
    work("place")
    assert len(world.call_handler.requests) == 1
    assert sorted(CallTask.objects.values_list("status", "outcome")) == [("failed", "refused"), ("placed", "")]


def test_a_call_that_is_tried_again_counts_once_for_its_number(world: World) -> None:
    world.call_handler.answers(PROVIDER_FAILED, to="GET /order", status=500, times=2)
    placed_call(world)
    assert len(world.call_handler.requests) == 3
    assert calls_this_week([PIZZA_PHONE]) == {PIZZA_PHONE: 1}


def test_calls_of_an_earlier_week_do_not_count_and_are_forgotten(world: World) -> None:
    for days in (6, 8):
        remember_call(PIZZA_PHONE)
        newest = RecentCall.objects.latest("pk")
        RecentCall.objects.filter(pk=newest.pk).update(called_at=timezone.now() - timedelta(days=days))
    assert calls_this_week([PIZZA_PHONE]) == {PIZZA_PHONE: 1}
    assert sweeps.forget_counted_calls() == 1
    assert calls_this_week([PIZZA_PHONE]) == {PIZZA_PHONE: 1}


def test_a_report_that_nobody_claims_is_kept_for_an_hour(world: World) -> None:
    report_result(Report(reference="CA-elsewhere", status="busy"), source="test")
    assert sweeps.forget_counted_calls() == 0
    EarlyReport.objects.update(received_at=timezone.now() - timedelta(hours=1, seconds=1))
    assert sweeps.forget_counted_calls() == 1


def test_a_hold_that_was_released_keeps_nobody_from_being_called(world: World) -> None:
    released = {"released_at": timezone.now(), "released_by": "maria"}
    ContactHold.objects.create(phone=PIZZA_PHONE, reason="manual", created_by="maria", **released)
    assert placed_call(world).status == "placed"


def test_a_handler_that_says_when_to_come_back_is_not_asked_before(world: World) -> None:
    world.call_handler.answers({}, to="GET /order", status=429, headers={"Retry-After": "900"})
    task = confirmed_call()
    work("place")
    task.refresh_from_db()
    assert (task.not_before - timezone.now()).total_seconds() == pytest.approx(900, abs=5)
    assert len(world.call_handler.requests) == 1


@pytest.mark.parametrize(
    "taken",
    [
        pytest.param({"claimed_by": "another"}, id="by-another-worker"),
        pytest.param({"attempts": 2}, id="by-the-same-worker-once-more"),
        pytest.param({"status": "unknown", "outcome": "perhaps"}, id="to-a-person"),
    ],
)
def test_a_late_record_of_a_lost_claim_changes_nothing(world: World, taken: dict[str, Any]) -> None:
    call_handler_takes(world, "CA1")
    confirmed_call()
    [job] = placing.claim_calls(5, "worker")
    placed = placing.place_call(job)
    CallTask.objects.update(**taken)
    before = CallTask.objects.values().get()
    placing.record_calls([(job, placed)])
    assert CallTask.objects.values().get() == before


def test_a_call_is_not_looked_for_while_its_worker_may_still_be_placing_it(world: World) -> None:
    confirmed_call()
    assert len(placing.claim_calls(5, "worker")) == 1
    assert claim_call_looks(5, "another") == []
    assert placing.claim_calls(5, "another") == []


def test_with_twilio_somebody_elses_call_to_the_number_is_not_taken_for_this_one(
    world: World, settings: Settings
) -> None:
    placed_call(world, call_sid="CA7", user=User.named_by_token("t", "noa"))
    world.call_handler.will_hang_up(to="GET /order")
    call_handler_takes(world, "CA8")
    with_twilio(settings)
    settings.CALL_POLL_SECONDS = 600.0
    world.twilio.answers({"calls": [twilio_call("CA7", "ringing")]}, to="GET */Calls.json", times=2)
    task = confirmed_call()
    work("place", "look_for_call")
    task.refresh_from_db()
    assert task.reference == "CA8"


def test_with_twilio_an_earlier_call_to_the_number_is_not_taken_for_this_one(world: World, settings: Settings) -> None:
    world.call_handler.will_hang_up(to="GET /order")
    call_handler_takes(world, "CA8")
    with_twilio(settings)
    settings.CALL_POLL_SECONDS = 600.0
    earlier = format_datetime(datetime.now(UTC) - timedelta(minutes=10))
    world.twilio.answers(
        {"calls": [twilio_call("CA7", "completed", date_created=earlier)]}, to="GET */Calls.json", times=2
    )
    confirmed_call()
    work("place", "look_for_call")
    assert CallTask.objects.get().reference == "CA8"


def test_with_twilio_after_every_order_one_empty_look_is_not_enough(world: World, settings: Settings) -> None:
    for _ in range(2):
        world.call_handler.will_hang_up(to="GET /order")
    with_twilio(settings)
    settings.CALL_POLL_SECONDS = 600.0
    world.twilio.answers({"calls": []}, to="GET */Calls.json", times=3)
    world.twilio.answers({"calls": [twilio_call("CA9", "ringing")]}, to="GET */Calls.json")
    confirmed_call()
    work("place", "look_for_call")
    assert (CallTask.objects.get().reference, len(world.call_handler.requests)) == ("CA9", 2)


def test_while_twilio_is_away_nobody_is_called_again_and_the_user_is_told_in_the_end(
    world: World, settings: Settings
) -> None:
    settings.BREAKER_FAILURES = 1000
    world.call_handler.will_hang_up(to="GET /order")
    with_twilio(settings)
    world.twilio.is_down()
    confirmed_call()
    work("place", "look_for_call")
    task = CallTask.objects.get()
    assert (task.status, task.looks, len(world.call_handler.requests)) == ("unknown", 0, 1)
    assert CallStep.objects.filter(task=task, name="looked").count() == settings.MAX_LOOKS


def test_another_try_outside_the_contact_hours_waits_for_the_opening(world: World, settings: Settings) -> None:
    reported(placed_call(world), "busy")
    opening = (timezone.now() + timedelta(hours=2)).astimezone(ZoneInfo("America/New_York")).replace(second=0)
    settings.CONTACT_HOURS = f"{opening:%H:%M}-{opening + timedelta(minutes=30):%H:%M}"
    say("yes please")
    assert CallTask.objects.get(status="confirmed").not_before == opening.replace(microsecond=0)


def test_a_call_is_offered_again_so_many_times_and_no_more(world: World, settings: Settings) -> None:
    settings.MAX_CALLS_AGAIN = 2
    task = placed_call(world)
    for number in range(settings.MAX_CALLS_AGAIN):
        reported(task, "busy")
        call_handler_takes(world, f"CA-again-{number}")
        say("yes please")
        task = CallTask.objects.get(status="confirmed")
        make_due(task)
        work("place")
        task.refresh_from_db()
    reported(task, "busy")
    assert ["Shall I try again" in notice for notice in notices()] == [True, True, False]
    assert "nothing to confirm" in answer("yes please")


def test_what_the_user_was_told_to_be_over_is_not_placed_again_by_a_person(world: World) -> None:
    task = placed_call(world)
    CallTask.objects.update(placed_at=timezone.now() - timedelta(minutes=16))
    sweeps.run()
    with pytest.raises(Conflict) as refusal:
        resolve(task.pk, by="maria", as_="place_again")
    assert refusal.value.code == "already_told"


def test_a_cancelled_call_is_not_placed(world: World) -> None:
    confirmed_call()
    say("cancel")
    work("place")
    assert world.call_handler.requests == []


def test_a_user_who_is_erased_while_the_call_is_ordered_comes_back_with_no_record(world: World) -> None:
    from calls.chat_workflow.context import erase

    call_handler_takes(world, "CA1")
    confirmed_call()
    [job] = placing.claim_calls(5, "worker")
    placed = placing.place_call(job)
    erase(DANA, asked_through="test")
    placing.record_calls([(job, placed)])
    reported_later = report_result(Report(reference="CA1", status="completed", summary="Ready."), source="test")
    assert (CallTask.objects.count(), ChatMessage.objects.count(), reported_later) == (0, 0, False)


def test_the_cap_counts_calls_of_users_who_were_erased(world: World, settings: Settings) -> None:
    from calls.chat_workflow.context import erase

    settings.MAX_CALLS_PER_NUMBER = 1
    placed_call(world)
    erase(DANA, asked_through="test")
    assert "limit" in answer(PIZZA)
