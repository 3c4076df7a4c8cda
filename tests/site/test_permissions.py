"""Every address of the system with every method: who may only look changes nothing, whatever they send."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from approvals.models import Escalation, Notification, PaymentPlan, RuleSwitch, Workflow
from calls.models import CallTask, Chat
from conversations.models import ContactHold
from orchestrator_site.models import CircuitBreaker, Role, ServiceToken
from tests.builders import make_conversation, make_message, make_response

pytestmark = pytest.mark.django_db
METHODS = ("get", "post", "put", "patch", "delete")
WRITES = re.compile(r'\b(?:INSERT INTO|DELETE FROM|UPDATE)\s+"?(\w+)"?(?:\s+SET|\s*\(|\s+WHERE|\s)', re.IGNORECASE)
LOCKS = re.compile(r"\bFOR (?:NO KEY )?UPDATE\b", re.IGNORECASE)
# A person's own sign-in and own habits are not the system's data.
OWN = {"django_session", "console_preferences"}
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
# What a service's token is for: everywhere else it changes nothing.
MAY_CHANGE = {
    Role.SMS_AGENT: ("/orchestrate/sms-received", "/orchestrate/payment-plan-detected", "/orchestrate/escalate"),
    Role.MANAGER: (
        "/orchestrate/approve-response",
        "/orchestrate/payment-plan-detected",
        "/orchestrate/escalate",
        "/orchestrate/retry/",
    ),
    Role.DASHBOARD: (
        "/orchestrate/approve-response",
        "/orchestrate/payment-plan-detected",
        "/orchestrate/escalate",
        "/orchestrate/retry/",
    ),
    Role.CHAT: ("/chat", "/context"),
    Role.CALL_HANDLER: ("/calls/result",),
}


@contextmanager
def writes_noticed() -> Iterator[set[str]]:
    """The tables that are written to meanwhile, whether or not it is undone afterwards."""
    tables: set[str] = set()

    def notice(execute: Callable[..., Any], sql: str, *args: Any) -> Any:
        tables.update(name.lower() for name in WRITES.findall(LOCKS.sub("", str(sql))))
        return execute(sql, *args)

    with connection.execute_wrapper(notice):
        yield tables


def patterns(resolver: URLResolver, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in resolver.url_patterns:
        path = before + re.sub(r"\\(.)|[\^$]|\(\?:\|/\)", r"\1", str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from patterns(pattern, path)
        else:
            yield path, pattern


def rows_by_url_name() -> dict[str, object]:
    """A row for every kind of address, in a state in which something could be done to it."""
    response = make_response()
    conversation = response.conversation
    failed = make_conversation(phone="+14155550177", external_id="1")
    task = CallTask.objects.create(chat=Chat.objects.create(user_id="dana"), task_type="phone_call")
    return {
        "approvals_queuedresponse": response.pk,
        "approvals_console": response.pk,
        "approvals_escalation": Escalation.objects.create(
            conversation=conversation, category="dispute", severity="low", created_by="x", due_at=timezone.now()
        ).pk,
        "approvals_paymentplan": PaymentPlan.objects.create(
            conversation=conversation, weekly_amount=50, source="tenant"
        ).pk,
        "approvals_workflow": Workflow.objects.create(
            conversation=failed, message=make_message(failed), status="failed"
        ).pk,
        "approvals_notification": Notification.objects.create(
            kind="escalation", recipient="m@x.org", status="failed"
        ).pk,
        "approvals_ruleswitch": RuleSwitch.objects.create(name="auto_send", value=True, turned_by="x").pk,
        "conversations_conversation": conversation.pk,
        "conversations_contacthold": ContactHold.objects.create(
            phone="+14155550166", reason="dispute", created_by="x"
        ).pk,
        "calls_calltask": task.pk,
        "orchestrator_site_servicetoken": ServiceToken.objects.create(name="t", role="manager", token_hash="h").pk,
        "orchestrator_site_circuitbreaker": CircuitBreaker.objects.create(name="openai").pk,
        "auth_user": User.objects.create_user("victim").pk,
        "auth_group": Group.objects.first().pk,  # type: ignore[union-attr]
    }


def addresses(rows: dict[str, object]) -> list[str]:
    """Every address, with a row's key where it wants one."""
    found = []
    for path, pattern in patterns(get_resolver()):
        key = next((rows[name] for name in rows if (pattern.name or "").startswith(name)), None)
        if "retry/" in path:
            key = rows["approvals_workflow"]
        filled = [path]
        if "<slug:decision>" in path:
            filled = [
                path.replace("<slug:decision>", name)
                for name in ("approve", "escalate", "redraft", "snooze", "wake", "close", "undo")
            ]
        for one in filled:
            found.append("/" + PARAMETER.sub(lambda _, key=key: str(key or rows["conversations_conversation"]), one))
    known = [address for address in dict.fromkeys(found) if "(?P" not in address and "static" not in address]
    # Who leaves first walks the rest as a stranger.
    return sorted(known, key=lambda address: "logout" in address)


def body(rows: dict[str, object]) -> dict[str, object]:
    """Everything that any form or endpoint asks for, so that a request fails by its permission and nothing else."""
    response, conversation = rows["approvals_queuedresponse"], rows["conversations_conversation"]
    return {
        "action": "approve",
        "response_queue_id": str(response),
        "conversation_id": str(conversation),
        "response": str(response),
        "text": "Thank you.",
        "approved_text": "Thank you.",
        "modified_text": "Thank you.",
        "escalation_reason": "asks for a person",
        "reason": "asks for a person",
        "category": "manual",
        "note": "a note",
        "until": "hour",
        "to": "maria",
        "on": "no",
        "only": "1",
        "outcome": "failed",
        "weekly_amount": "50",
        "message": "call the pizza place",
        "message_content": "50 a week",
        "phone_number": "+14155550199",
        "content": "hello",
        "call_sid": "CA1",
        "status": "completed",
        "username": "nobody",
        "password": "nothing",
        "post": "yes",
        "_selected_action": str(response),
    }


def walk(browser: Client, rows: dict[str, object], *, without: tuple[str, ...] = ()) -> dict[tuple[str, str], set[str]]:
    """The tables that each address and method wrote to, where it wrote to any but the person's own."""
    wrote = {}
    for address in addresses(rows):
        if address.startswith(without):
            continue
        for method in METHODS:
            kind = {} if address.startswith("/admin/") and method == "post" else {"content_type": "application/json"}
            data = body(rows) if method != "get" else None
            with writes_noticed() as tables:
                getattr(browser, method)(address, data, **kind)
            if tables - OWN:
                wrote[address, method] = tables - OWN
    return wrote


@pytest.fixture(autouse=True)
def _no_upstream_is_asked(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator_site.health.upstreams_health", dict)
    settings.CHAT_REPLY_BUDGET_MS = 0


def browser_of(group: str = "", *, superuser: bool = False) -> Client:
    # An error of ours is an answer of 500 here: what is asked is what was written.
    browser = Client(raise_request_exception=False)
    person = User.objects.create_user("somebody", is_staff=True, is_superuser=superuser)
    person.groups.set(Group.objects.filter(name=group))
    browser.force_login(person)
    return browser


def test_the_walk_covers_everything_and_would_notice() -> None:
    rows = rows_by_url_name()
    # These ask services, or go on in a thread of their own.
    without = ("/chat", "/assistant", "/orchestrate/payment-plan-detected")
    wrote = {address for address, _ in walk(browser_of(superuser=True), rows, without=without)}
    assert len(addresses(rows)) > 100
    acts = ("/write/", "/hold/", "/assign/", "/note/", "/resolve/", "/release/", "/accept/", "/again/")
    assert [act for act in acts if not any(address.endswith(act) for address in wrote)] == []
    assert {"/admin/auto-send/", "/orchestrate/escalate", "/orchestrate/approve-response"} <= wrote


def test_an_auditor_changes_nothing_by_any_request() -> None:
    assert walk(browser_of("Auditors"), rows_by_url_name()) == {}


def test_a_person_without_a_group_changes_nothing_by_any_request() -> None:
    assert walk(browser_of(), rows_by_url_name()) == {}


def test_a_stranger_changes_nothing_by_any_request() -> None:
    assert walk(Client(raise_request_exception=False), rows_by_url_name()) == {}


@pytest.mark.parametrize("role", Role.values)
def test_a_token_changes_nothing_outside_what_it_is_for(api: Callable[[str], Any], role: str) -> None:
    rows = rows_by_url_name()
    service = Client(
        raise_request_exception=False, headers={"Authorization": api(role)._credentials["HTTP_AUTHORIZATION"]}
    )
    assert walk(service, rows, without=MAY_CHANGE[Role(role)]) == {}
