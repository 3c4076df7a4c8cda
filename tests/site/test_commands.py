"""The operators' commands say what they did, and what to do when they cannot."""

import socket

import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from approvals.models import Workflow
from orchestrator_site import health
from orchestrator_site.demo.system import free_ports
from orchestrator_site.management.commands import runworker
from orchestrator_site.models import ServiceToken
from tests.builders import make_response, receive

pytestmark = pytest.mark.django_db


def test_a_token_is_printed_once_and_works(capsys):
    call_command("createtoken", "monitoring", "--role", "dashboard")
    token = capsys.readouterr().out.strip()
    assert token not in ServiceToken.objects.get().token_hash
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    assert client.get("/orchestrate/metrics").status_code == 200


def test_a_name_is_given_once():
    call_command("createtoken", "monitoring", "--role", "dashboard")
    with pytest.raises(CommandError, match="already"):
        call_command("createtoken", "monitoring", "--role", "manager")


def test_the_queue_is_shown_without_whole_numbers(capsys):
    response = make_response()
    call_command("showqueue")
    shown = capsys.readouterr().out
    assert str(response.pk) in shown
    assert response.conversation.phone not in shown


def test_failed_workflows_are_retried_or_only_listed(capsys):
    receive("hello")
    Workflow.objects.update(status="failed", error_message="the model was away")
    call_command("retryworkflows", "--dry-run")
    assert "1 would be retried" in capsys.readouterr().out
    assert Workflow.objects.get().status == "failed"
    call_command("retryworkflows")
    assert "1 are retried" in capsys.readouterr().out
    assert Workflow.objects.get().status == "received"


@pytest.mark.parametrize("name", ["policy", "tenant"])
def test_no_service_is_called_like_another_decider(name):
    with pytest.raises(CommandError, match="somebody else"):
        call_command("createtoken", name, "--role", "manager")


def test_what_was_answered_since_takes_no_place_among_the_retried(capsys):
    for words in ("hello", "are you there"):
        receive(words)
        Workflow.objects.filter(status="received").update(status="failed" if words == "hello" else "completed")
    receive("what do I owe?", "+14155550142")
    Workflow.objects.filter(status="received").update(status="failed")
    call_command("retryworkflows", "--limit", "1")
    assert "1 are retried" in capsys.readouterr().out


def test_the_sweep_says_what_it_found(capsys):
    receive("hello")
    call_command("sweep")
    assert "take back lost drafts: 0" in capsys.readouterr().out


def test_an_upstream_that_is_away_is_named(world, capsys):
    health._last = (float("-inf"), {})
    for service in (world.monitor, world.call_handler, world.language_model, world.notifications):
        service.answers({"ok": True}, to="GET *")
    world.sms_agent.is_down()
    with pytest.raises(CommandError, match="sms_agent"):
        call_command("pingupstreams")
    assert "supabase" in capsys.readouterr().out
    health._last = (float("-inf"), {})


def test_no_two_processes_of_the_demo_are_given_the_same_port():
    assert len(set(free_ports(200))) == 200


def test_nothing_that_a_sweep_finds_ends_the_process_that_keeps_the_workers_alive(monkeypatch):
    def fails():
        raise RuntimeError("a fault of ours")

    woken = []
    monkeypatch.setattr(runworker.sweeps, "run", fails)
    monkeypatch.setattr(runworker, "wake", lambda: woken.append("now"))
    runworker.sweep()
    assert woken == ["now"]


def test_an_address_that_is_taken_is_said_before_anything_starts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=rf"127.0.0.1:{port} is taken: .* with --bind"):
            call_command("serve", bind=f"127.0.0.1:{port}", live_port=free_ports(1)[0])
        with pytest.raises(CommandError, match=r"is taken: .* with --live-port"):
            call_command("serve", bind=f"127.0.0.1:{free_ports(1)[0]}", live_port=port)
