"""The HTTP API: what it takes, what it answers, and what it refuses, in one envelope."""

import json

import pytest
from django.contrib.auth.models import Group, Permission, User
from rest_framework.test import APIClient

from approvals.models import ApprovalAuditEntry, Escalation, PaymentPlan, QueuedResponse, Workflow
from conversations.endpoints import Pages
from conversations.models import Conversation, Message
from orchestrator_site.models import ServiceToken
from tests.builders import PHONE, knows_tenant, make_conversation, make_response, plan_a_good_day, work

pytestmark = pytest.mark.django_db

TEXT = {"phone_number": PHONE, "content": "what do I owe you now?"}


def is_envelope(answer, status, code):
    body = answer.json()
    assert answer.status_code == status, body
    assert body["error"]["code"] == code
    assert body["error"]["message"]
    assert body["request_id"] == answer.headers["X-Request-ID"]
    return body["error"]


def test_a_text_is_accepted_with_keys_to_follow_it_by(api):
    answer = api("sms-agent").post("/orchestrate/sms-received", {**TEXT, "conversation_id": 7, "message_sid": "SM1"})
    assert answer.status_code == 202
    body = answer.json()
    assert (body["status"], body["duplicate"]) == ("accepted", False)
    followed = api("manager").get("/orchestrate/workflow/7/status").json()
    assert followed["workflow_id"] == body["workflow_id"]
    assert followed["conversation_id"] == body["conversation_id"]
    assert followed["status"] == "received"


def test_a_repeat_is_answered_with_the_same_keys(api):
    client = api("sms-agent")
    first = client.post("/orchestrate/sms-received", {**TEXT, "message_id": 17})
    again = client.post("/orchestrate/sms-received", {**TEXT, "message_id": 17})
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json() == {**first.json(), "duplicate": True}


def test_the_same_id_as_number_and_as_text_is_the_same(api):
    client = api("sms-agent")
    client.post("/orchestrate/sms-received", {**TEXT, "message_id": 17})
    assert client.post("/orchestrate/sms-received", {**TEXT, "message_id": "17"}).json()["duplicate"]


def test_a_caller_who_prefers_to_wait_gets_the_verdict(api, world):
    plan_a_good_day(world)
    client = api("sms-agent")
    client.post("/orchestrate/sms-received", {**TEXT, "message_id": 17})
    work("draft")
    answer = client.post("/orchestrate/sms-received", {**TEXT, "message_id": 17}, headers={"Prefer": "wait=5"})
    assert (answer.status_code, answer.json()["status"], answer.json()["outcome"]) == (200, "processed", "sent")


def test_a_caller_who_waits_in_vain_is_told_to_look_later(api, monkeypatch):
    from approvals.api import texts as views

    monkeypatch.setattr(views, "_seconds_to_wait", lambda request: 0.01)
    assert api("sms-agent").post("/orchestrate/sms-received", TEXT).status_code == 202


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param({}, "phone_number", id="nothing"),
        pytest.param({**TEXT, "content": ""}, "content", id="no-words"),
        pytest.param({**TEXT, "content": "x" * 1601}, "content", id="too-many-words"),
        pytest.param({**TEXT, "content": ["a"]}, "content", id="a-list-for-a-text"),
        pytest.param({**TEXT, "content": {"a": 1}}, "content", id="an-object-for-a-text"),
        pytest.param({**TEXT, "content": "a\x00b"}, "content", id="a-nul-character"),
        pytest.param({**TEXT, "content": "\ud800"}, "content", id="half-a-character"),
        pytest.param({**TEXT, "phone_number": 5}, "phone_number", id="an-impossible-phone"),
        pytest.param({**TEXT, "phone_number": "+1 415 555"}, "phone_number", id="half-a-phone"),
        pytest.param({**TEXT, "tenant_id": True}, "tenant_id", id="a-boolean-for-an-id"),
        pytest.param({**TEXT, "message_id": "x" * 101}, "message_id", id="an-endless-id"),
        pytest.param({**TEXT, "received_at": "yesterday"}, "received_at", id="no-time"),
    ],
)
def test_bad_input_is_named_and_changes_nothing(api, body, field):
    answer = api("sms-agent").post("/orchestrate/sms-received", json.dumps(body), content_type="application/json")
    error = answer.json()["error"]
    assert answer.status_code == 400
    assert field in error["fields"]
    assert not Conversation.objects.exists()


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        pytest.param("{", "application/json", 400, "not_json", id="broken-json"),
        pytest.param("[]", "application/json", 400, "invalid", id="a-list"),
        pytest.param('"x"', "application/json", 400, "invalid", id="a-string"),
        pytest.param("", "application/json", 400, "invalid", id="an-empty-body"),
        pytest.param("NaN", "application/json", 400, "not_json", id="no-number"),
        pytest.param("a=b", "application/x-www-form-urlencoded", 415, "unsupported_media_type", id="a-form"),
        pytest.param(
            '{"content": "' + "x" * 10_000_000 + '"}', "application/json", 413, "too_large", id="ten-megabytes"
        ),
        pytest.param(b"\xff\xfe", "application/json", 400, "not_json", id="no-utf-8"),
        pytest.param("[" * 100_000, "application/json", 400, "not_json", id="a-hundred-thousand-brackets"),
    ],
)
def test_a_bad_body_is_refused_in_the_envelope(api, body, kind, status, code):
    answer = api("sms-agent").post("/orchestrate/sms-received", body, content_type=kind)
    is_envelope(answer, status, code)
    assert not Message.objects.exists()


def test_a_body_of_unsaid_length_is_not_taken_for_an_empty_one(api):
    answer = api("sms-agent").post(
        "/orchestrate/sms-received", TEXT, headers={"Transfer-Encoding": "chunked"}, CONTENT_LENGTH=""
    )
    is_envelope(answer, 411, "length_required")


@pytest.mark.parametrize("wish", ["wait=\xb2", "wait=-1", "wait=1.5", "wait", "wait=", "=", "a;b,,c"])
def test_an_odd_wish_to_wait_is_no_wish(api, wish):
    assert api("sms-agent").post("/orchestrate/sms-received", TEXT, headers={"Prefer": wish}).status_code == 202


def test_other_words_under_a_known_message_id_are_a_conflict_and_not_a_repeat(api):
    client = api("sms-agent")
    client.post("/orchestrate/sms-received", {**TEXT, "message_id": 17})
    answer = client.post("/orchestrate/sms-received", {**TEXT, "message_id": 17, "content": "STOP"})
    is_envelope(answer, 409, "id_used_before")
    assert Message.objects.count() == 1


ENDPOINTS = [
    ("post", "/orchestrate/sms-received", {"sms-agent"}),
    ("post", "/orchestrate/approve-response", {"manager", "dashboard"}),
    ("post", "/orchestrate/payment-plan-detected", {"sms-agent", "manager", "dashboard"}),
    ("post", "/orchestrate/escalate", {"sms-agent", "manager", "dashboard"}),
    ("get", "/orchestrate/workflow/1/status", {"sms-agent", "manager", "dashboard"}),
    ("post", "/orchestrate/retry/5a3f7b3e-0000-4000-8000-000000000000", {"manager", "dashboard"}),
    ("get", "/orchestrate/metrics", {"manager", "dashboard"}),
    ("get", "/orchestrate/responses", {"manager", "dashboard"}),
    ("get", "/orchestrate/escalations", {"manager", "dashboard"}),
    ("get", "/orchestrate/payment-plans", {"manager", "dashboard"}),
    ("get", "/metrics", {"manager", "dashboard"}),
]


@pytest.mark.parametrize(("method", "path", "roles"), ENDPOINTS, ids=[path for _, path, _ in ENDPOINTS])
@pytest.mark.parametrize("role", ["sms-agent", "manager", "dashboard", "chat", "call-handler"])
def test_each_endpoint_is_open_to_its_roles_only(api, method, path, roles, role):
    status = getattr(api(role), method)(path).status_code
    assert (status == 403) == (role not in roles)


@pytest.mark.parametrize(("method", "path", "roles"), ENDPOINTS, ids=[path for _, path, _ in ENDPOINTS])
def test_without_a_token_nothing_is_open(api, method, path, roles):
    answer = getattr(api(""), method)(path)
    is_envelope(answer, 401, "not_authenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_an_unknown_and_a_revoked_token_are_refused(api):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION="Bearer nonsense")
    is_envelope(client.get("/orchestrate/metrics"), 401, "not_authenticated")
    known = api("manager")
    ServiceToken.objects.update(revoked_at="2026-01-01T00:00:00Z")
    is_envelope(known.get("/orchestrate/metrics"), 401, "not_authenticated")


def test_a_managers_session_counts_by_its_group_and_needs_csrf(api):
    maria = User.objects.create_user("maria", password="x")
    browser = APIClient(enforce_csrf_checks=True)
    browser.force_login(maria)
    is_envelope(browser.get("/orchestrate/responses"), 403, "forbidden")
    maria.groups.add(Group.objects.get(name="Managers"))
    assert browser.get("/orchestrate/responses").status_code == 200
    is_envelope(browser.post("/orchestrate/approve-response", {}, format="json"), 403, "forbidden")


def test_a_person_who_was_shut_out_is_out_at_once_whatever_their_rights(client):
    person = User.objects.create_superuser("ann")
    client.force_login(person)
    assert client.get("/orchestrate/responses").status_code == 200
    person.is_active = False
    person.save()
    is_envelope(client.get("/orchestrate/responses"), 401, "not_authenticated")


@pytest.mark.parametrize(
    ("group", "may"),
    [("Managers", {"approve"}), ("Supervisors", {"approve", "retry"}), ("Auditors", set()), ("Operators", {"retry"})],
)
def test_the_groups_may_what_they_should(group, may):
    person = User.objects.create_user("p")
    person.groups.add(Group.objects.get(name=group))
    browser = APIClient()
    browser.force_login(person)
    approve = browser.post("/orchestrate/approve-response", {}, format="json").status_code
    retry = browser.post("/orchestrate/retry/5a3f7b3e-0000-4000-8000-000000000000", {}, format="json").status_code
    assert {"approve": approve != 403, "retry": retry != 403} == {"approve": "approve" in may, "retry": "retry" in may}
    assert browser.get("/orchestrate/responses").status_code == 200


def test_the_request_id_is_taken_or_made(api):
    given = api("manager").get("/orchestrate/metrics", headers={"X-Request-ID": "abc-1"})
    assert given.headers["X-Request-ID"] == "abc-1"
    odd = api("manager").get("/orchestrate/metrics", headers={"X-Request-ID": "a b\tc"})
    assert len(odd.headers["X-Request-ID"]) == 32


def test_an_approval_by_api_names_the_manager(api):
    response = make_response(draft="Could you pay $50 a week?")
    answer = api("manager").post(
        "/orchestrate/approve-response",
        {"action": "approve", "response_queue_id": str(response.pk), "manager_id": "maria"},
    )
    assert answer.json() == {
        "status": "processed",
        "response_queue_id": str(response.pk),
        "action": "approve",
        "final_response": "Could you pay $50 a week?",
    }
    response.refresh_from_db()
    assert response.actioned_by.startswith("maria via test manager")


def test_a_conversation_id_that_two_telephones_share_decides_about_neither(api):
    """The caller gave it twice: whose draft is meant, only our own id can say."""
    for phone in ("+14155550101", "+14155550102"):
        make_response(make_conversation(phone=phone, external_id="7"))
    answer = api("manager").post("/orchestrate/approve-response", {"action": "approve", "conversation_id": "7"})
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "ambiguous_conversation"
    assert QueuedResponse.objects.filter(status="pending").count() == 2


def test_a_reply_and_a_conversation_that_do_not_belong_together_decide_nothing(api):
    response = make_response(make_conversation(external_id="7"))
    make_conversation(phone="+14155550177", external_id="8")
    body = {"action": "approve", "response_queue_id": str(response.pk), "conversation_id": "8"}
    client = api("manager")
    error = is_envelope(client.post("/orchestrate/approve-response", body), 400, "invalid")
    assert "response_queue_id" in error["fields"]
    assert QueuedResponse.objects.get().status == "pending"
    assert client.post("/orchestrate/approve-response", {**body, "conversation_id": "7"}).status_code == 200


def test_the_waiting_draft_is_found_by_its_conversation(api):
    response = make_response(make_conversation(external_id="7"))
    answer = api("manager").post(
        "/orchestrate/approve-response",
        {"action": "modify", "conversation_id": 7, "modified_text": "Let us talk on Friday."},
    )
    assert answer.json()["response_queue_id"] == str(response.pk)
    assert answer.json()["action"] == "modify"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param({"action": "send"}, "action", id="an-unknown-action"),
        pytest.param({"action": "approve"}, "response_queue_id", id="nobody-named"),
        pytest.param({"action": "approve", "response_queue_id": "7"}, "response_queue_id", id="no-uuid"),
        pytest.param({"action": "modify", "conversation_id": "7"}, "modified_text", id="no-words"),
        pytest.param({"action": "escalate", "conversation_id": "7"}, "escalation_reason", id="no-reason"),
    ],
)
def test_half_a_decision_is_refused(api, body, field):
    assert field in is_envelope(api("manager").post("/orchestrate/approve-response", body), 400, "invalid")["fields"]


def test_decisions_that_come_too_late_are_conflicts(api):
    response = make_response()
    body = {"action": "approve", "response_queue_id": str(response.pk)}
    client = api("manager")
    client.post("/orchestrate/approve-response", body)
    is_envelope(client.post("/orchestrate/approve-response", body), 409, "already_decided")


def test_a_red_gate_is_named(api):
    response = make_response()
    body = {"action": "modify", "response_queue_id": str(response.pk), "modified_text": "You owe $999."}
    error = is_envelope(api("manager").post("/orchestrate/approve-response", body), 400, "gate_failed")
    assert "wrong_amount" in error["fields"]
    assert QueuedResponse.objects.get().status == "pending"


OVERRIDE = {"action": "modify", "modified_text": "You owe $999.", "override_reason": "the fee is new"}


@pytest.mark.parametrize(("role", "status"), [("manager", 200), ("dashboard", 400)])
def test_of_the_services_only_a_managers_overrides_a_red_gate(api, role, status):
    response = make_response()
    body = {**OVERRIDE, "response_queue_id": str(response.pk)}
    assert api(role).post("/orchestrate/approve-response", body).status_code == status
    response.refresh_from_db()
    assert response.overridden == (["wrong_amount"] if status == 200 else [])


@pytest.mark.parametrize(("group", "status"), [("Supervisors", 200), ("Managers", 400)])
def test_a_person_overrides_a_red_gate_with_the_right_to_it_only(client, group, status):
    person = User.objects.create_user("ann")
    person.groups.add(Group.objects.get(name=group))
    client.force_login(person)
    response = make_response()
    body = {**OVERRIDE, "response_queue_id": str(response.pk)}
    answer = client.post("/orchestrate/approve-response", body, content_type="application/json")
    assert answer.status_code == status
    response.refresh_from_db()
    assert response.status == ("approved" if status == 200 else "pending")


def test_what_does_not_exist_is_not_found(api):
    is_envelope(api("manager").get("/orchestrate/workflow/nobody/status"), 404, "not_found")
    body = {"action": "approve", "conversation_id": "nobody"}
    is_envelope(api("manager").post("/orchestrate/approve-response", body), 404, "not_found")
    is_envelope(api("manager").get("/nowhere"), 404, "not_found")
    is_envelope(api("manager").get("/orchestrate/sms-received"), 403, "forbidden")
    is_envelope(api("sms-agent").get("/orchestrate/sms-received"), 405, "method_not_allowed")


def test_a_plan_in_figures_is_checked(api, world):
    knows_tenant(world)
    make_conversation(external_id="7")
    body = {"conversation_id": 7, "weekly_amount": "150", "weeks": 4, "start_date": "2026-12-01"}
    plan = api("sms-agent").post("/orchestrate/payment-plan-detected", body).json()
    assert plan["status"] == "detected"
    assert plan["payment_plan"]["weekly_amount"] == "150.00"
    assert plan["payment_plan"]["total"] == "600.00"
    assert (plan["payment_plan"]["valid"], plan["payment_plan"]["auto_approvable"]) == (True, True)


def test_the_same_plan_once_more_is_the_one_that_is_known(api, world):
    knows_tenant(world)
    make_conversation(external_id="7")

    def report(weeks):
        body = {"conversation_id": 7, "weekly_amount": "150", "weeks": weeks}
        return api("sms-agent").post("/orchestrate/payment-plan-detected", body).json()["payment_plan"]["id"]

    first = report(4)
    assert report(4) == first
    assert report(5) != first


def test_a_plan_in_words_is_found_with_its_issues(api, world):
    world.monitor.answers({"detail": "trouble"}, status=500, times=3)
    make_conversation(external_id="7")
    body = {"conversation_id": 7, "message_content": "I can pay $20 a week for 15 weeks"}
    plan = api("sms-agent").post("/orchestrate/payment-plan-detected", body).json()["payment_plan"]
    assert {issue["code"] for issue in plan["issues"]} == {
        "duration_too_long",
        "payment_too_low",
        "does_not_cover_debt",
    }
    assert (plan["valid"], plan["auto_approvable"]) == (False, False)


@pytest.mark.parametrize(
    "figures",
    [
        pytest.param({"weekly_amount": 0}, id="nothing-a-week"),
        pytest.param({"weekly_amount": -5}, id="less-than-nothing"),
        pytest.param({"weekly_amount": "NaN"}, id="no-number"),
        pytest.param({"weekly_amount": 1e30}, id="more-than-there-is"),
        pytest.param({"weekly_amount": 50, "weeks": 0}, id="no-weeks"),
        pytest.param({"weekly_amount": 50, "weeks": 10**30}, id="weeks-without-end"),
        pytest.param({"weekly_amount": 50, "start_date": "2026-02-30"}, id="no-day"),
    ],
)
def test_a_plan_in_impossible_figures_is_refused(api, figures):
    make_conversation(external_id="7")
    answer = api("sms-agent").post("/orchestrate/payment-plan-detected", {"conversation_id": 7, **figures})
    is_envelope(answer, 400, "invalid")
    assert not PaymentPlan.objects.exists()


def test_no_plan_is_no_plan(api):
    make_conversation(external_id="7")
    body = {"conversation_id": 7, "message_content": "my rent is 900 a month"}
    answer = api("sms-agent").post("/orchestrate/payment-plan-detected", body).json()
    assert answer == {"status": "none", "payment_plan": None}
    assert not PaymentPlan.objects.exists()


def test_without_a_known_debt_no_plan_is_valid(api, world):
    make_conversation(external_id="7", account={}, tenant_id=None)
    body = {"conversation_id": 7, "weekly_amount": 100, "weeks": 4}
    plan = api("sms-agent").post("/orchestrate/payment-plan-detected", body).json()["payment_plan"]
    assert [issue["code"] for issue in plan["issues"]] == ["debt_unknown"]
    assert not plan["valid"]


@pytest.mark.parametrize(
    ("body", "category", "severity", "reason"),
    [
        pytest.param({"reason": "asks"}, "manual", "low", "asks", id="the-least"),
        pytest.param({"escalation_reason": "asks", "severity": "high"}, "manual", "high", "asks", id="with-severity"),
        pytest.param({"reason": "asks", "priority": "urgent"}, "manual", "critical", "asks", id="with-priority"),
        pytest.param({"reason": "r", "escalation_type": "dispute"}, "dispute", "medium", "r", id="a-known-type"),
        pytest.param({"reason": "r", "escalation_type": "odd"}, "manual", "low", "odd: r", id="an-unknown-type"),
    ],
)
def test_an_escalation_by_api(api, body, category, severity, reason):
    make_conversation(external_id="7")
    answer = api("sms-agent").post("/orchestrate/escalate", {"conversation_id": 7, **body})
    assert answer.status_code == 201
    escalation = Escalation.objects.get(pk=answer.json()["escalation_id"])
    assert (escalation.category, escalation.severity, escalation.reason) == (category, severity, reason)


@pytest.mark.parametrize("wish", ["xml", "api", "csv"])
def test_the_api_speaks_json_whatever_format_is_asked_for(api, wish):
    assert api("manager").get(f"/orchestrate/metrics?format={wish}").json()["today"]["total_messages"] == 0


@pytest.mark.parametrize("path", ["/health", "/", "/admin/login/", "/api/docs/"])
def test_a_probe_by_head_is_answered_like_a_get(client, path):
    probed, got = client.head(path), client.get(path)
    assert (probed.status_code, probed.content) == (got.status_code, b"")


def test_a_repeat_for_an_open_escalation_says_so_and_names_it(api):
    make_conversation(external_id="7")
    body = {"conversation_id": 7, "reason": "asks for the owner"}
    first = api("sms-agent").post("/orchestrate/escalate", body)
    again = api("sms-agent").post("/orchestrate/escalate", body)
    assert (first.status_code, again.status_code, again.json()["status"]) == (201, 200, "open")
    assert again.json()["escalation_id"] == first.json()["escalation_id"]
    assert ApprovalAuditEntry.objects.filter(action="escalate").count() == 2


def test_a_person_who_may_approve_but_not_escalate_does_not_escalate_by_the_other_door(client):
    person = User.objects.create_user("ann")
    person.user_permissions.add(Permission.objects.get(codename="approve"))
    response = make_response()
    client.force_login(person)
    body = {"action": "escalate", "response_queue_id": str(response.pk), "escalation_reason": "no"}
    answer = client.post("/orchestrate/approve-response", body, content_type="application/json")
    is_envelope(answer, 403, "forbidden")
    response.refresh_from_db()
    assert response.status == "pending"


def test_an_escalation_needs_a_reason(api):
    make_conversation(external_id="7")
    answer = api("sms-agent").post("/orchestrate/escalate", {"conversation_id": 7})
    assert "escalation_reason" in is_envelope(answer, 400, "invalid")["fields"]


def test_the_status_tells_the_whole_story(api, world):
    plan_a_good_day(world, confidence=0.95)
    accepted = api("sms-agent").post("/orchestrate/sms-received", TEXT).json()
    work("draft", "send")
    report = api("dashboard").get(f"/orchestrate/workflow/{accepted['conversation_id']}/status").json()
    assert (report["status"], report["ai_confidence"], report["escalation_triggered"]) == ("sent", 0.95, False)
    assert [step["name"] for step in report["steps"]] == ["read", "tenant", "thread", "draft", "verdict"]
    assert report["response"]["receipt"] == "SM123"
    assert report["workflow_type"] == "sms_reply"


def test_a_retry_by_api(api):
    accepted = api("sms-agent").post("/orchestrate/sms-received", TEXT).json()
    path = f"/orchestrate/retry/{accepted['workflow_id']}"
    is_envelope(api("manager").post(path), 409, "not_failed")
    Workflow.objects.update(status="failed")
    answer = api("manager").post(path, {"reason": "it is back"})
    assert (answer.status_code, answer.json()["status"]) == (202, "retrying")


def test_the_figures_are_the_specifications(api, world):
    plan_a_good_day(world, confidence=0.95)
    api("sms-agent").post("/orchestrate/sms-received", TEXT)
    work("draft", "send")
    report = api("dashboard").get("/orchestrate/metrics").json()
    assert report["last_hour"]["sms_received"] == 1
    assert report["last_hour"]["ai_responses"] == 1
    assert report["last_hour"]["auto_approval_rate"] == 1.0
    assert 0 <= report["last_hour"]["avg_response_time"] < 60
    assert report["today"] == {"total_messages": 2, "escalations": 0, "payment_plans": 0}
    assert report["now"]["pending"] == 0


def test_prometheus_reads_the_same_figures(api):
    make_response()
    text = api("dashboard").get("/metrics").content.decode()
    assert "orchestrator_now_pending 1.0" in text


def test_lists_are_narrowed_and_paginated(api):
    first = make_response(make_conversation(external_id="7"))
    make_response(make_conversation(phone="+12125550100"), status="closed")
    client = api("dashboard")
    assert client.get("/orchestrate/responses").json()["count"] == 2
    assert [row["id"] for row in client.get("/orchestrate/responses?status=pending").json()["results"]] == [
        str(first.pk)
    ]
    assert client.get("/orchestrate/responses?conversation_id=7&limit=1").json()["count"] == 1
    is_envelope(client.post("/orchestrate/responses", {}), 405, "method_not_allowed")


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/orchestrate/responses?status=%00", id="a-nul-in-a-filter"),
        pytest.param("/orchestrate/responses?conversation_id=%00", id="a-nul-in-an-id"),
        pytest.param("/orchestrate/workflow/%00/status", id="a-nul-in-the-path"),
        pytest.param("/orchestrate/escalations?severity=nope", id="a-severity-that-is-none"),
        pytest.param("/orchestrate/payment-plans?status=pending", id="a-status-of-something-else"),
    ],
)
def test_a_list_or_a_status_that_cannot_be_looked_up_is_refused(api, path):
    is_envelope(api("manager").get(path), 400, "invalid")


@pytest.mark.parametrize(
    "page", ["limit=99999999999999999999999", "offset=99999999999999999999999", "limit=-1&offset=x"]
)
def test_no_page_is_too_odd_to_be_answered(api, page):
    make_response()
    assert api("manager").get(f"/orchestrate/responses?{page}").json()["count"] == 1


@pytest.mark.parametrize("query", ["conversation_id=%00", "status=%00"], ids=["nul-id", "nul-filter"])
def test_a_query_that_no_column_takes_is_the_callers_fault(api, query):
    make_response()
    is_envelope(api("dashboard").get(f"/orchestrate/responses?{query}"), 400, "invalid")


def test_nobody_gets_a_whole_table_in_one_answer(api, monkeypatch):
    monkeypatch.setattr(Pages, "max_limit", 1)
    make_response(make_conversation())
    make_response(make_conversation(phone="+12125550100"))
    assert len(api("dashboard").get("/orchestrate/responses?limit=100000").json()["results"]) == 1


def test_a_wait_that_is_no_number_is_no_wish_to_wait(api):
    assert api("sms-agent").post("/orchestrate/sms-received", TEXT, headers={"Prefer": "wait=²"}).status_code == 202


def test_a_list_costs_the_same_however_long_it_is(api, django_assert_num_queries):
    client = api("dashboard")
    client.get("/orchestrate/responses")
    for number in range(30):
        make_response(make_conversation(phone=f"+141555501{number:02d}"))
    with django_assert_num_queries(2):
        client.get("/orchestrate/responses")


def test_the_liveness_is_open_to_all(client):
    assert client.get("/health").json() == {"status": "ok"}


def test_the_description_of_the_api_is_valid(client):
    from openapi_spec_validator import validate

    document = client.get("/api/schema/?format=json").json()
    validate(document)
    documented = set(document["paths"])
    assert {"/orchestrate/sms-received", "/orchestrate/workflow/{conversation_id}/status", "/health"} <= documented
    assert client.get("/api/docs/").status_code == 200


def test_an_unforeseen_fault_shows_no_trace(api, monkeypatch):
    from approvals.sms_workflow import intake

    def broken(text):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(intake, "receive_sms", broken)
    client = api("sms-agent")
    client.raise_request_exception = False
    answer = client.post("/orchestrate/sms-received", TEXT)
    is_envelope(answer, 500, "internal")
    assert "secret" not in answer.content.decode()


def test_a_database_that_is_away_is_a_503(api, monkeypatch):
    from django.db import OperationalError

    from approvals.sms_workflow import intake

    def away(text):
        raise OperationalError("the connection is closed")

    monkeypatch.setattr(intake, "receive_sms", away)
    is_envelope(api("sms-agent").post("/orchestrate/sms-received", TEXT), 503, "unavailable")


def test_a_figure_that_nobody_can_mean_is_no_plan(api):
    make_conversation(external_id="7", tenant_id=None)
    line = "PAYMENT_PLAN: weekly=99999999999999, weeks=4"
    body = {"conversation_id": 7, "message_content": "ok", "ai_response": line}
    answer = api("sms-agent").post("/orchestrate/payment-plan-detected", body)
    assert answer.json() == {"status": "none", "payment_plan": None}


def test_health_names_every_dependency(api, world):
    from orchestrator_site import health

    health._last = (float("-inf"), {})
    for service in (world.monitor, world.sms_agent, world.call_handler, world.language_model):
        service.answers({"ok": True}, to="GET *")
    world.notifications.answers({"detail": "Not Found"}, to="GET *", status=404)
    report = api("dashboard").get("/health/dependencies").json()
    assert report["status"] == "healthy", report
    flags = ("sms_agent", "collections_monitor", "notification_service", "supabase", "openai", "call_handler")
    assert all(report[name] is True for name in flags)
    assert report["details"]["sms_agent"]["circuit"] == "closed"
    again = api("dashboard").get("/health/dependencies").json()
    assert again == {**report, "details": {**report["details"], "supabase": again["details"]["supabase"]}}
    health._last = (float("-inf"), {})


def test_one_ill_upstream_is_a_degraded_system(api, world):
    from orchestrator_site import health

    health._last = (float("-inf"), {})
    for service in (world.monitor, world.call_handler, world.language_model, world.notifications):
        service.answers({"ok": True}, to="GET *")
    world.sms_agent.is_down()
    answer = api("dashboard").get("/health/dependencies")
    assert (answer.status_code, answer.json()["status"], answer.json()["sms_agent"]) == (200, "degraded", False)
    health._last = (float("-inf"), {})
