"""`manage.py simulate`: ports and switches from the command line."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from integrations.simulators import PORTS, Simulators

Served = list[tuple[Simulators, str, dict[str, int]]]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Served:
    """Notes what would be served, and ends at once as after Ctrl+C."""
    calls: Served = []

    async def serve(self: Simulators, host: str, ports: dict[str, int]) -> None:
        calls.append((self, host, ports))
        raise KeyboardInterrupt

    monkeypatch.setattr(Simulators, "serve", serve)
    return calls


def simulate(*arguments: str) -> str:
    out = StringIO()
    call_command("simulate", *arguments, stdout=out)
    return out.getvalue()


def test_the_usual_ports_are_those_of_the_real_services(served: Served) -> None:
    assert "simulated sms_agent       http://127.0.0.1:8002" in simulate()
    assert served[0][1:] == ("127.0.0.1", PORTS)


@pytest.mark.parametrize(
    ("arguments", "ports"),
    [
        (["--port-base", "9001"], dict(zip(PORTS, range(9001, 9006), strict=True))),
        (["--sms-agent-port", "9100"], {**PORTS, "sms_agent": 9100}),
    ],
    ids=["in-a-row", "one-of-them"],
)
def test_other_ports(served: Served, arguments: list[str], ports: dict[str, int]) -> None:
    simulate(*arguments)
    assert served[0][2] == ports


def test_switches_and_tenants_from_the_start(served: Served) -> None:
    simulate("--tenants", "1000", "--control", "sms_agent.latency_ms=250", "--control", "sms_agent.forward_to=http://x")
    services: Any = served[0][0].services
    assert len(services["monitor"].people) == 1000
    assert (services["sms_agent"].switches.latency_ms, services["sms_agent"].switches.forward_to) == (250, "http://x")


@pytest.mark.parametrize("setting", ["nobody.latency_ms=1", "sms_agent.speed=1", "sms_agent.latency_ms=fast", "x"])
def test_a_wrong_switch_is_named(served: Served, setting: str) -> None:
    with pytest.raises(CommandError):
        simulate("--control", setting)
    assert not served
