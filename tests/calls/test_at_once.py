"""What comes at the same moment, from two tabs or two machines: each thing happens once, and none is lost."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

import pytest
from django.db import connections, transaction
from pytest_django import Settings

from calls import sweeps
from calls.chat_workflow.chats import User
from calls.chat_workflow.placing import CallToPlace, claim_calls
from calls.chat_workflow.receiving import receive_message
from calls.chat_workflow.results import report_result
from calls.models import CallTask, Chat, ChatMessage, EarlyReport
from calls.policy.outcomes import Report
from tests.builders import until_somebody_waits_for_a_lock
from tests.calls.builders import DANA, PIZZA, confirmed_call, notices, placed_call, say
from tests.outside_world import World

pytestmark = pytest.mark.django_db(transaction=True)
TABS = 6


def at_once(*acts: Callable[[], object]) -> None:
    def act(one: Callable[[], object]) -> None:
        try:
            one()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as people:
        list(people.map(act, acts))


def test_a_yes_from_many_tabs_places_one_call(world: World) -> None:
    say(PIZZA)
    at_once(*[lambda: receive_message(DANA, "yes")] * TABS)
    assert CallTask.objects.filter(status="confirmed").count() == 1
    assert ChatMessage.objects.filter(body__startswith="I am on it").count() == 1


def test_the_first_words_from_many_tabs_make_one_chat_and_one_task(world: World) -> None:
    at_once(*[lambda: receive_message(DANA, PIZZA)] * TABS)
    assert (Chat.objects.count(), CallTask.objects.count()) == (1, 1)
    places = list(ChatMessage.objects.order_by("seq").values_list("seq", flat=True))
    assert places == list(range(1, 2 * TABS + 1))


def test_a_yes_and_a_cancellation_at_once_leave_no_call_that_was_called_off(world: World) -> None:
    say(PIZZA)
    at_once(lambda: receive_message(DANA, "yes"), lambda: receive_message(DANA, "cancel"))
    assert CallTask.objects.get().status == "cancelled"


def test_two_machines_that_place_at_once_do_not_share_the_last_line(world: World, settings: Settings) -> None:
    settings.MAX_ACTIVE_CALLS = 1
    for name in ("dana", "noa"):
        confirmed_call(user=User.named_by_token("t", name))
    claimed: list[CallToPlace] = []
    with ThreadPoolExecutor(1) as another:
        with transaction.atomic():
            assert len(claim_calls(1, "one")) == 1
            other = another.submit(at_once, lambda: claimed.extend(claim_calls(5, "another")))
            until_somebody_waits_for_a_lock()
        other.result()
    assert claimed == []
    assert claim_calls(5, "one") == [], "a call that is being placed has its line"


def test_an_outcome_that_is_reported_many_times_at_once_is_told_once(world: World) -> None:
    placed_call(world)
    report = Report(reference="CA1", status="completed", duration=30)
    at_once(*[lambda: report_result(report, source="test")] * TABS)
    assert len(notices()) == 1


def test_a_report_that_passes_the_receipt_unseen_is_taken_in_by_the_sweep(world: World) -> None:
    """Each is written in a transaction of its own, and neither sees the other."""
    task = confirmed_call()
    EarlyReport.objects.create(reference="CA1", report=asdict(Report(reference="CA1", status="busy")))
    with transaction.atomic():
        CallTask.objects.filter(pk=task.pk).update(status="placed", reference="CA1")
    assert sweeps.take_in_early_reports() == 1
    assert "busy" in notices()[0]
    assert sweeps.take_in_early_reports() == 0
