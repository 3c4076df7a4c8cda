"""The circuits in Postgres: two stores stand for two processes."""

import gc
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import LiteralString

import psycopg
import pytest
from django.db import connection
from pytest_django import Settings

from integrations import clients
from integrations.breaker import Breaker, Circuit, State, StoreUnavailable
from orchestrator_site.breaker_store import PostgresStore
from orchestrator_site.models import CircuitBreaker

pytestmark = pytest.mark.django_db

NAME = "monitor"
CONNECTION = ("dbname", "host", "port", "user", "password")
PassSeconds = Callable[[int], None]


@pytest.fixture
def database(db: None) -> Iterator[psycopg.Connection]:
    """A connection of our own: the stores commit, so what they write is seen by all and must be taken away again."""
    facts = {name: value for name, value in connection.get_connection_params().items() if name in CONNECTION}
    with psycopg.connect(**facts, autocommit=True) as database:
        database.execute("DELETE FROM circuit_breakers")
        yield database
        database.execute("DELETE FROM circuit_breakers")


@pytest.fixture
def stores(database: psycopg.Connection) -> Iterator[tuple[PostgresStore, PostgresStore]]:
    stores = PostgresStore(), PostgresStore()
    yield stores
    for store in stores:
        store.hang_up()


@pytest.fixture
def store(stores: tuple[PostgresStore, PostgresStore]) -> PostgresStore:
    return stores[0]


def count(store: PostgresStore, times: int = 1) -> Circuit:
    for _ in range(times):
        circuit = store.count_failure(NAME, threshold=5, open_seconds=60)
    return circuit


@pytest.fixture
def pass_seconds(database: psycopg.Connection) -> PassSeconds:
    """Moves what has happened into the past: the clock is the database's."""

    def move(seconds: int) -> None:
        database.execute(
            "UPDATE circuit_breakers SET opened_at = opened_at - make_interval(secs => %(seconds)s), "
            "probe_until = probe_until - make_interval(secs => %(seconds)s)",
            {"seconds": seconds},
        )

    return move


def take(store: PostgresStore) -> bool:
    return store.take_probe(NAME, open_seconds=60, lease_seconds=30)


def read(store: PostgresStore) -> Circuit:
    return store.read(NAME, open_seconds=60)


def test_an_unknown_circuit_is_closed(store: PostgresStore) -> None:
    assert read(store) == Circuit()
    assert not take(store)


def test_failures_of_all_processes_add_up_and_the_fifth_opens(stores: tuple[PostgresStore, PostgresStore]) -> None:
    here, there = stores
    count(here, 4)
    assert read(there) == Circuit(failures=4)
    circuit = count(there)
    assert (circuit.state, circuit.failures) == (State.OPEN, 5)
    assert circuit.probe_in == pytest.approx(60, abs=1)


def test_the_first_failure_opens_when_one_is_enough(store: PostgresStore) -> None:
    assert store.count_failure(NAME, threshold=1, open_seconds=60).state == State.OPEN
    assert read(store).probe_in == pytest.approx(60, abs=1)


def test_a_late_failure_does_not_prolong_it(store: PostgresStore, pass_seconds: PassSeconds) -> None:
    count(store, 5)
    pass_seconds(40)
    assert count(store).probe_in == pytest.approx(20, abs=1)


def test_one_of_many_gets_the_probe(stores: tuple[PostgresStore, PostgresStore], pass_seconds: PassSeconds) -> None:
    count(stores[0], 5)
    assert not take(stores[0])
    pass_seconds(60)
    taken: list[bool] = []
    threads = [threading.Thread(target=lambda store=store: taken.append(take(store))) for store in stores * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [False] * 7 + [True]
    assert read(stores[0]).state == State.HALF_OPEN


def test_a_lost_probe_is_given_again_after_its_lease(
    stores: tuple[PostgresStore, PostgresStore], pass_seconds: PassSeconds
) -> None:
    count(stores[0], 5)
    pass_seconds(60)
    assert take(stores[0])
    pass_seconds(29)
    assert not take(stores[1])
    pass_seconds(1)
    assert take(stores[1])


def test_a_good_probe_closes_it(store: PostgresStore, pass_seconds: PassSeconds) -> None:
    count(store, 5)
    pass_seconds(60)
    take(store)
    store.close(NAME)
    assert read(store) == Circuit()


def test_a_bad_probe_opens_it_for_another_term(store: PostgresStore, pass_seconds: PassSeconds) -> None:
    count(store, 5)
    pass_seconds(60)
    take(store)
    store.reopen(NAME)
    assert not take(store)
    assert read(store).probe_in == pytest.approx(60, abs=1)


def test_a_success_forgets_failures_but_never_closes_an_open_circuit(store: PostgresStore) -> None:
    count(store, 2)
    store.reset_failures(NAME)
    assert read(store) == Circuit()
    count(store, 5)
    store.reset_failures(NAME)
    assert read(store).state == State.OPEN


def test_a_broken_connection_is_made_anew(store: PostgresStore, database: psycopg.Connection) -> None:
    count(store)
    database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND query LIKE '%circuit_breakers AS circuit%' AND pid <> pg_backend_pid()"
    )
    assert read(store) == Circuit(failures=1)


def test_a_store_without_a_database_is_left_alone_for_a_while() -> None:
    now = [100.0]
    store = PostgresStore({"host": "127.0.0.1", "port": 1, "dbname": "x", "user": "x"}, clock=lambda: now[0])
    for seconds in (0, 4, 2):  # asked, left alone, asked again
        now[0] += seconds
        with pytest.raises(StoreUnavailable):
            read(store)


def test_a_database_without_the_table_is_no_worse_than_none(database: psycopg.Connection) -> None:
    facts = {**connection.get_connection_params(), "dbname": "postgres"}
    store = PostgresStore(facts)
    with pytest.raises(StoreUnavailable):
        read(store)
    Breaker(NAME, store).admit().failed()


def test_a_breaker_on_it_opens_and_recovers(
    stores: tuple[PostgresStore, PostgresStore], pass_seconds: PassSeconds
) -> None:
    here, there = (Breaker(NAME, store, view_seconds=0) for store in stores)
    for _ in range(5):
        here.admit().failed()
    assert there.look().state == State.OPEN
    pass_seconds(60)
    there.admit().succeeded()
    assert not here.admit().is_probe
    assert CircuitBreaker.objects.get(name=NAME).state == CircuitBreaker.State.CLOSED


def test_clients_that_are_forgotten_hang_up(database: psycopg.Connection, settings: Settings) -> None:
    settings.BREAKER_STORE = "orchestrator_site.breaker_store.PostgresStore"
    clients.forget()
    clients.monitor().breaker.look()
    mine = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT state, failures%'"
    assert one(database, mine) == 1
    clients.forget()
    wait_until(lambda: one(database, mine) == 0)


def test_a_forked_child_leaves_our_connection_alone(database: psycopg.Connection, settings: Settings) -> None:
    settings.BREAKER_STORE = "orchestrator_site.breaker_store.PostgresStore"
    clients.forget()
    store = clients.monitor().breaker.store
    store.read(NAME, open_seconds=60)
    whose = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'SELECT state, failures%'"
    before = one(database, whose)
    child = os.fork()
    if child == 0:
        gc.collect()
        os._exit(0)
    os.waitpid(child, 0)
    store.read(NAME, open_seconds=60)
    assert one(database, whose) == before is not None
    clients.forget()


def one(database: psycopg.Connection, query: LiteralString) -> object:
    row = database.execute(query).fetchone()
    return row and row[0]


def wait_until(come_true: Callable[[], bool]) -> None:
    """The server notices a moment later that a client has gone."""
    deadline = time.monotonic() + 5
    while not come_true():
        assert time.monotonic() < deadline
