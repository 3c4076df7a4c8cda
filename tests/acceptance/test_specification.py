"""The specification, section by section, shown on the running system with nothing but HTTP.

One system is started for the whole walk; each section uses tenants of its own. Read it beside the specification: the
numbers are its numbers.
"""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from integrations.simulators.people import Person, people
from orchestrator_site.demo.once import Stage

pytestmark = pytest.mark.processes
EVERYBODY = people(400)


def tenants(language: str, count: int = 60) -> list[Person]:
    return [person for person in EVERYBODY if person.language_code == language][:count]


def test_the_specification_holds_on_the_running_system(system: Stage):
    english, spanish = iter(tenants("en")), iter(tenants("es"))
    section_1_all_endpoints_answer(system, next(english))
    section_2_a_text_is_identified_answered_and_sent(system, next(english), next(spanish))
    section_3_confidence_chooses_the_way(system, next(english))
    section_4_the_prompt_carries_account_and_rules_but_not_the_tenants_words(system, next(english))
    section_5_payment_plans_are_extracted_and_validated(system, next(english))
    section_6_managers_approve_modify_and_escalate(system, next(english), next(english), next(english))
    section_7_threats_and_disputes_are_escalated(system, next(english), next(english))
    section_8_every_service_reports_its_health(system)
    section_9_failures_are_retried_looked_up_or_broken_off(system, next(english), next(english), next(english))
    section_10_the_figures_count_what_happened(system)
    load_a_hundred_texts_at_once_lose_and_double_nothing(system)


def section_1_all_endpoints_answer(system: Stage, tenant: Person) -> None:
    """POST sms-received, approve-response, payment-plan-detected, escalate, retry; GET status, health, metrics."""
    conversation = system.text(tenant.phone, "hello, how much do I owe?")
    system.until(conversation, "sent")
    plan = system.post(
        "/orchestrate/payment-plan-detected",
        {"conversation_id": conversation, "weekly_amount": 50, "weeks": 4},
        "sms-agent",
    )
    assert plan.json()["status"] == "detected"
    escalation = system.post("/orchestrate/escalate", {"conversation_id": conversation, "reason": "asks"}, "manager")
    assert (escalation.status_code, escalation.json()["status"]) == (201, "created")
    retry = system.post(f"/orchestrate/retry/{system.status(conversation)['workflow_id']}", {}, "manager")
    assert retry.json()["error"]["code"] == "not_failed"
    assert system.get("/orchestrate/metrics")["today"]["total_messages"] >= 2
    assert system.http.get(f"{system.api}/health").json() == {"status": "ok"}


def section_2_a_text_is_identified_answered_and_sent(system: Stage, by_id: Person, by_phone: Person) -> None:
    """Tenant by id or by phone, history, language, answer, evaluation, sending, state; unknown ones are handled."""
    known = system.post(
        "/orchestrate/sms-received",
        {"phone_number": by_id.phone, "content": "what is my balance", "tenant_id": by_id.id, "conversation_id": 4711},
        "sms-agent",
    ).json()
    report = system.until("4711", "sent")
    assert report["conversation_id"] == known["conversation_id"]
    assert [step["name"] for step in report["steps"]] == ["read", "tenant", "thread", "draft", "verdict"]

    conversation = system.text(by_phone.phone, "hola, cuanto debo?")
    answer = system.until(conversation, "sent")["response"]["final_text"]
    assert system.texts_to(by_phone.phone) == [answer]
    assert "saldo" in answer.lower() or "debe" in answer.lower()

    stranger = system.text("+12125559876", "hello about my rent")
    assert system.until(stranger, "escalated")["response"]["reasons"] == ["unknown_tenant"]


def section_3_confidence_chooses_the_way(system: Stage, tenant: Person) -> None:
    """Over 0.85 it is sent, over 0.60 a manager decides, else it is escalated; the figure is reported."""
    sent = system.until(system.text(tenant.phone, "how much is my balance?"), "sent")
    assert sent["ai_confidence"] > 0.85
    unsure = system.until(system.text(tenant.phone, "i lost my job and cant pay"), "awaiting_approval")
    assert 0.60 < unsure["ai_confidence"] <= 0.85
    lost = system.until(system.text(tenant.phone, "banana window"), "escalated")
    assert lost["ai_confidence"] <= 0.60


def section_4_the_prompt_carries_account_and_rules_but_not_the_tenants_words(system: Stage, tenant: Person) -> None:
    """Name, amounts, days late, language, plan rules in the system prompt; the text is a user message."""
    system.until(system.text(tenant.phone, "tell me zebra, how much do I owe?"), "sent", "awaiting_approval")
    asked = system.asked_of("language_model")[-1]["body"]["messages"]
    system_prompt = asked[0]["content"]
    assert f"- Name: {tenant.name}" in system_prompt
    assert f"- Days Late: {tenant.days_late}" in system_prompt
    assert "- Maximum 12 weeks duration" in system_prompt
    assert "- Minimum $25/week payment" in system_prompt
    assert "zebra" not in system_prompt
    assert asked[-1] == {"role": "user", "content": "tell me zebra, how much do I owe?"}


def section_5_payment_plans_are_extracted_and_validated(system: Stage, tenant: Person) -> None:
    """From the tenant's words and from figures; too long, too low and not covering are named."""
    owed = float(tenant.owed)
    conversation = system.text(tenant.phone, f"i can pay {owed / 10:.0f} a week for 10 weeks")
    report = system.until(conversation, "awaiting_approval")
    assert report["payment_plan"]["weeks"] == 10
    assert "plan_needs_a_manager" in report["response"]["reasons"]
    body = {"conversation_id": conversation, "message_content": "I can do $20 weekly over 14 weeks"}
    plan = system.post("/orchestrate/payment-plan-detected", body, "sms-agent").json()["payment_plan"]
    assert {issue["code"] for issue in plan["issues"]} >= {"payment_too_low", "duration_too_long"}
    assert not plan["valid"]


def section_6_managers_approve_modify_and_escalate(system: Stage, first: Person, second: Person, third: Person) -> None:
    """Each decision is taken once, sent as decided, and written into the audit log."""
    approve = system.text(first.phone, "can i pay 60 a week for 10 weeks")
    draft = system.until(approve, "awaiting_approval")["response"]["ai_response"]
    body = {"action": "approve", "conversation_id": approve, "manager_id": "maria"}
    assert system.post("/orchestrate/approve-response", body, "manager").json()["final_response"] == draft
    reply = system.until(approve, "sent")["response"]
    assert system.texts_to(first.phone) == [draft]
    again = {"action": "escalate", "response_queue_id": reply["id"], "escalation_reason": "late"}
    assert system.post("/orchestrate/approve-response", again, "manager").json()["error"]["code"] == "already_decided"

    modify = system.text(second.phone, "can i pay 55 a week for 11 weeks")
    system.until(modify, "awaiting_approval")
    body = {"action": "modify", "conversation_id": modify, "modified_text": "Thank you, I will look at it today."}
    assert system.post("/orchestrate/approve-response", body, "manager").json()["action"] == "modify"
    system.until(modify, "sent")
    assert system.texts_to(second.phone) == ["Thank you, I will look at it today."]

    hand_over = system.text(third.phone, "can i pay 70 a week for 9 weeks")
    system.until(hand_over, "awaiting_approval")
    body = {"action": "escalate", "conversation_id": hand_over, "escalation_reason": "ask the owner"}
    assert system.post("/orchestrate/approve-response", body, "manager").json()["status"] == "processed"
    system.until(hand_over, "escalated")
    assert system.texts_to(third.phone) == []


def section_7_threats_and_disputes_are_escalated(system: Stage, angry: Person, disputing: Person) -> None:
    """Words of law, anger and dispute; the managers are told by the Notification Service."""
    conversation = system.text(angry.phone, "my lawyer will sue you, see you in court")
    assert system.until(conversation, "escalated")["escalation_triggered"]
    conversation = system.text(disputing.phone, "this is the wrong amount, I don't owe that")
    assert "dispute" in system.until(conversation, "escalated")["response"]["reasons"]
    assert system.texts_to(angry.phone) == system.texts_to(disputing.phone) == []
    rows = system.get("/orchestrate/escalations?category=dispute")["results"]
    assert rows[0]["conversation_id"] == conversation
    system.eventually(lambda: any(conversation in str(notice) for notice in system.sent_by("notifications")))


def section_8_every_service_reports_its_health(system: Stage) -> None:
    """One flag for each dependency, and the details behind it."""
    report = system.get("/health/dependencies")
    assert report["status"] == "healthy"
    for name in ("sms_agent", "collections_monitor", "notification_service", "supabase", "openai", "call_handler"):
        assert report[name] is True
    assert report["details"]["openai"]["simulated"] is True


def section_9_failures_are_retried_looked_up_or_broken_off(
    system: Stage, retried: Person, lost: Person, broken: Person
) -> None:
    """A read is retried; a sending whose outcome is lost is looked up; five failures open the circuit for all."""
    system.switch("monitor", fail_next=2, fail_status=503)
    system.until(system.text(retried.phone, "what is my balance"), "sent")

    system.switch("sms_agent", fail_next=1, fail_status=502, after_the_fact=True, spare_reads=True)
    system.until(system.text(lost.phone, "what is my balance"), "sent")
    assert system.asked_of("sms_agent")[-1]["method"] == "GET", "the history was looked into after the sending"
    system.switch("sms_agent", after_the_fact=False, spare_reads=False)
    assert len(system.texts_to(lost.phone)) == 1

    system.switch("language_model", fail_next=100, fail_status=503)
    conversation = system.text(broken.phone, "what is my balance")
    failed = system.until(conversation, "failed")
    assert "circuit open" in failed["error_message"]
    asked_before = len(system.asked_of("language_model"))
    # The report is at most five seconds old.
    system.eventually(lambda: system.get("/health/dependencies")["details"]["openai"]["circuit"] != "closed")
    system.switch("language_model", fail_next=0)
    system.post(f"/orchestrate/retry/{failed['workflow_id']}", {"reason": "it is back"}, "manager")
    system.until(conversation, "sent", "awaiting_approval")
    # One probe, or one attempt of the retried work for each time that the circuit was found open; never a storm.
    assert len(system.asked_of("language_model")) - asked_before <= 3


def section_10_the_figures_count_what_happened(system: Stage) -> None:
    """`last_hour` and `today` of the specification, true across the processes."""
    report = system.get("/orchestrate/metrics")
    assert report["last_hour"]["sms_received"] >= 12
    assert 0 < report["last_hour"]["auto_approval_rate"] < 1
    assert report["last_hour"]["avg_response_time"] > 0
    assert report["today"]["escalations"] >= 4
    assert report["today"]["payment_plans"] >= 4


def load_a_hundred_texts_at_once_lose_and_double_nothing(system: Stage) -> None:
    """A hundred at once are all answered, each once; how fast is measured in benchmarks/, not here."""
    many = [person for person in EVERYBODY if person.language_code == "en"][60:160]
    with ThreadPoolExecutor(16) as callers:
        list(callers.map(lambda person: system.text(person.phone, "how much do I owe you?"), many))
    deadline = time.monotonic() + 60
    waiting = {person.phone for person in many}
    while waiting and time.monotonic() < deadline:
        sent = [text["to"] for text in system.sent_by("sms_agent")]
        waiting -= set(sent)
        time.sleep(0.2)
    assert not waiting
    sent = [text["to"] for text in system.sent_by("sms_agent") if text["to"] in {person.phone for person in many}]
    assert len(sent) == len(set(sent)) == 100
