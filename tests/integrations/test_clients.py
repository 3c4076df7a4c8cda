"""One client of each kind and one HTTP client per process; connections are lent, never shared."""

import os
import threading

import httpx2
import pytest

from integrations import clients
from integrations.base import Health
from integrations.breaker import MemoryStore
from integrations.http import SpareConnections
from orchestrator_site import health
from tests.outside_world import World


def test_all_clients_share_one_http_client(world: World) -> None:
    assert len({id(upstream.http) for upstream in clients.all_upstreams()}) == 1
    assert clients.monitor() is clients.monitor()


def test_the_health_report_has_every_upstream(world: World) -> None:
    world.twilio.settings.TWILIO_ACCOUNT_SID = "AC1"
    world.twilio.settings.TWILIO_AUTH_TOKEN = "secret"
    assert [upstream.name for upstream in clients.all_upstreams()] == [
        "sms_agent",
        "collections_monitor",
        "notification_service",
        "openai",
        "call_handler",
        "twilio",
    ]


def test_a_change_of_the_settings_needs_new_clients(world: World) -> None:
    old = clients.monitor()
    clients.forget()
    assert clients.monitor() is not old
    assert old.http.is_closed


def test_a_forked_child_makes_its_own_clients(world: World) -> None:
    ours = clients.monitor()
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write_end, b"own" if clients.monitor() is not ours else b"shared")
        os._exit(0)
    os.waitpid(child, 0)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as answer:
        assert answer.read() == b"own"
    assert clients.monitor() is ours
    assert not ours.http.is_closed


def test_the_store_of_the_circuits_is_a_setting(world: World) -> None:
    assert isinstance(clients.monitor().breaker.store, MemoryStore)


def test_a_hundred_threads_talk_at_once(world: World) -> None:
    world.monitor.answers({"tenant_id": "1"}, times=100)
    found: list[str | None] = []
    start = threading.Barrier(100)

    def ask() -> None:
        start.wait()
        found.append(clients.monitor().tenant_id_for_phone("+14155550100", request_id="r"))

    threads = [threading.Thread(target=ask) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["1"] * 100


def test_a_connection_is_used_again(world: World) -> None:
    connects: list[str] = []

    class Counting(SpareConnections):
        def _connect(self, url: httpx2.URL) -> httpx2.HTTPTransport:
            connects.append(url.host)
            return super()._connect(url)

    world.monitor.answers({"tenant_id": "1"}, times=3)
    with httpx2.Client(transport=Counting()) as http:
        for _ in range(3):
            http.get(f"{world.monitor.settings.MONITOR_URL}/tenants/lookup")
    assert connects == ["127.0.0.1"]


def test_a_proxy_of_the_environment_is_honoured(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    address = world.monitor.settings.MONITOR_URL
    monkeypatch.setenv("http_proxy", address.removesuffix("/monitor"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    world.monitor.answers({"tenant_id": "1"}, to="GET /tenants/lookup")
    with httpx2.Client(transport=SpareConnections()) as http:
        assert http.get(f"{address}/tenants/lookup").json() == {"tenant_id": "1"}
        monkeypatch.setenv("no_proxy", "")
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        with pytest.raises(httpx2.ConnectError):
            http.get("http://upstream.invalid/")


def test_while_somebody_asks_the_upstreams_others_get_the_last_answers(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = {"monitor": Health(ok=True, latency_ms=5, circuit="closed")}
    monkeypatch.setattr(health, "_last", (float("-inf"), last))
    with health._lock:
        assert health.upstreams_health() == last
