"""Wake-ups: few, never before their transaction, never lost; and the broker that sleeps until one comes."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone
from django_q.models import OrmQ
from django_q.signing import SignedPackage
from pytest_django import DjangoAssertNumQueries, Settings

from conversations.wakeups import CLOCK_SKEW, JOB, wake, wake_at
from orchestrator_site.worker import broker as broker_module
from orchestrator_site.worker.broker import NotifyingBroker

# Committed for real: several connections must see the rows. Only the queue is emptied afterwards.
pytestmark = pytest.mark.django_db(transaction=True, available_apps=["django_q"])


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> NotifyingBroker:
    monkeypatch.setattr(broker_module, "LONGEST_NAP", 0.05)
    return NotifyingBroker()


@pytest.fixture
def elsewhere() -> Iterator["Elsewhere"]:
    other = Elsewhere()
    yield other
    other.close()


class Elsewhere:
    """A second connection with a transaction of its own, in a thread, as another web process would have."""

    def __init__(self) -> None:
        self._begun, self._finish = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run)

    def wake_without_commit(self) -> None:
        self._thread.start()
        assert self._begun.wait(10)

    def commit(self) -> None:
        self._finish.set()
        self._thread.join(10)

    close = commit

    def _run(self) -> None:
        with transaction.atomic():
            wake()
            self._begun.set()
            self._finish.wait(10)
        connections.close_all()


def test_a_thousand_texts_leave_one_wakeup() -> None:
    for _ in range(1000):
        wake()
    assert OrmQ.objects.count() == 1


def test_waking_costs_one_statement(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        wake()
    with django_assert_num_queries(1):
        wake()


def test_a_wakeup_names_the_drain(broker: NotifyingBroker) -> None:
    wake()
    [(acknowledge, payload)] = broker.dequeue()
    assert SignedPackage.loads(payload)["func"] == JOB
    assert acknowledge is None
    assert not OrmQ.objects.exists()


def test_a_wakeup_relied_on_by_an_open_transaction_is_not_taken(broker: NotifyingBroker, elsewhere: Elsewhere) -> None:
    wake()
    elsewhere.wake_without_commit()
    assert broker.dequeue() == []
    elsewhere.commit()
    assert len(broker.dequeue()) == 1


def test_a_transaction_does_not_wait_for_anothers_wakeup(elsewhere: Elsewhere) -> None:
    wake()
    elsewhere.wake_without_commit()
    wake()
    assert OrmQ.objects.count() == 2


def test_work_that_is_rolled_back_wakes_nobody(broker: NotifyingBroker) -> None:
    with transaction.atomic():
        wake()
        transaction.set_rollback(True)
    assert broker.dequeue() == []


def test_a_taken_wakeup_does_not_serve_later_work(broker: NotifyingBroker) -> None:
    wake()
    assert len(broker.dequeue()) == 1
    wake()
    assert len(broker.dequeue()) == 1


def test_a_wakeup_for_later_is_not_taken_before(broker: NotifyingBroker) -> None:
    due = timezone.now() + timedelta(seconds=0.3)
    wake_at(due)
    assert broker.dequeue() == []
    while not (taken := broker.dequeue()):
        assert timezone.now() < due + timedelta(seconds=5)
    assert timezone.now() >= due
    assert len(taken) == 1


def test_wakeups_for_nearly_the_same_moment_are_one() -> None:
    due = timezone.now() + timedelta(minutes=10)
    for milliseconds in (0, 1, 400):
        wake_at(due - timedelta(milliseconds=milliseconds))
    wake_at(due + timedelta(seconds=30))
    assert OrmQ.objects.count() == 2


def test_a_wakeup_for_later_does_not_serve_present_work(broker: NotifyingBroker) -> None:
    wake_at(timezone.now() + timedelta(minutes=10))
    wake()
    assert len(broker.dequeue()) == 1


def test_a_moment_that_has_passed_wakes_at_once_and_nobody_twice(broker: NotifyingBroker) -> None:
    wake()
    for minutes in (10, 20):
        wake_at(timezone.now() - timedelta(minutes=minutes))
    assert OrmQ.objects.count() == 1
    assert len(broker.dequeue()) == 1


def test_a_wakeup_shows_itself_when_the_work_is_due_by_a_slower_clock_too() -> None:
    due = timezone.now() + timedelta(minutes=10)
    wake_at(due)
    assert OrmQ.objects.get().lock == due + CLOCK_SKEW


def test_a_sleeping_broker_hears_of_a_wakeup_at_once(monkeypatch: pytest.MonkeyPatch, elsewhere: Elsewhere) -> None:
    monkeypatch.setattr(broker_module, "LONGEST_NAP", 10.0)
    broker = NotifyingBroker()
    elsewhere.wake_without_commit()
    threading.Timer(0.05, elsewhere.commit).start()
    begun = time.monotonic()
    assert broker.dequeue() == []
    assert len(broker.dequeue()) == 1
    assert time.monotonic() - begun < 5


def test_behind_a_pooler_the_broker_polls(settings: Settings, broker: NotifyingBroker) -> None:
    settings.DATABASE_TRANSACTION_POOLER = True
    begun = time.monotonic()
    assert broker.dequeue() == []
    assert time.monotonic() - begun >= 0.1
    wake()
    assert len(broker.dequeue()) == 1


def test_a_lost_database_connection_is_opened_again(broker: NotifyingBroker) -> None:
    broker.dequeue()
    connection.connection.close()
    assert broker.dequeue() == []
    wake()
    assert len(broker.dequeue()) == 1
