"""A person's data can be handed out and erased; what the law wants stays."""

import json

import pytest
from django.core.management import CommandError, call_command

from approvals.audit import faults
from approvals.models import Notification, PaymentPlan, QueuedResponse, Workflow, WorkflowStep
from approvals.sms_workflow import decisions
from approvals.sms_workflow.decisions import Decider
from approvals.sms_workflow.holds import place_hold
from conversations.models import ContactHold, Conversation, Message
from tests.builders import (
    PHONE,
    everything_stored_with,
    make_conversation,
    make_response,
    plan_a_good_day,
    receive,
    work,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def person():
    response = make_response(draft="Could you pay $50 a week?", asked="my secret words")
    Message.objects.update(dedupe_key=f"{PHONE} SM1", provider_id="SM1")
    PaymentPlan.objects.create(conversation=response.conversation, weekly_amount="50", source="tenant")
    place_hold(PHONE, reason="dispute", by="policy")
    place_hold(PHONE, reason="opt_out", by="policy")
    decisions.close(response.pk, by=Decider(name="maria"), reason="moved out")
    return response.conversation


def test_everything_about_a_person_is_exported(person, capsys):
    call_command("exportperson", "(415) 555-0100")
    document = json.loads(capsys.readouterr().out)
    assert document["conversation"]["tenant_name"] == "Maria Lopez"
    assert document["messages"][0]["body"] == "my secret words"
    assert document["audit_log"][0]["reason"] == "moved out"
    assert {hold["reason"] for hold in document["contact_holds"]} == {"dispute", "opt_out"}


def test_erasing_takes_name_number_and_words_and_keeps_audit_log_and_opt_out(person, capsys):
    call_command("eraseperson", PHONE)
    assert "Would erase" in capsys.readouterr().out
    assert Message.objects.get().body == "my secret words"

    call_command("eraseperson", PHONE, "--yes")
    conversation = Conversation.objects.get()
    assert (conversation.tenant_name, conversation.account, conversation.tenant_id) == ("", {}, None)
    assert PHONE not in conversation.phone
    assert PHONE not in Message.objects.get().dedupe_key
    assert Message.objects.get().body == QueuedResponse.objects.get().tenant_message == "[erased]"
    assert PHONE not in Message.objects.get().dedupe_key
    assert not PaymentPlan.objects.exists()
    assert ContactHold.objects.get().reason == "opt_out"
    assert conversation.audit.count() == 1
    assert list(faults()) == []


def test_a_person_with_something_under_way_is_not_erased():
    make_response()
    with pytest.raises(CommandError, match="under way"):
        call_command("eraseperson", PHONE, "--yes")


@pytest.mark.parametrize("number", ["nonsense", "+12125550100"])
def test_who_is_not_known_is_not_found(number):
    with pytest.raises(CommandError):
        call_command("exportperson", number)


def test_what_the_person_asked_for_outlives_the_erasure_and_our_notices_do_not(person):
    place_hold(PHONE, reason="cease_contact", by="policy", note="wrote it by hand")
    place_hold(PHONE, reason="attorney_represented", by="policy")
    someone_else = make_conversation(phone="+14155550199", external_id="8")
    for conversation in (person, someone_else):
        Notification.objects.create(kind="escalation", metadata={"conversation_id": str(conversation.pk)})
    call_command("eraseperson", PHONE, "--yes")
    kept = dict(ContactHold.objects.values_list("reason", "note"))
    assert kept == {"opt_out": "", "cease_contact": "", "attorney_represented": ""}
    assert Notification.objects.get().metadata == {"conversation_id": str(someone_else.pk)}


def test_nothing_a_person_said_or_was_told_survives_but_the_audit_log_and_the_numbers_own_wish(world, settings):
    settings.MANAGER_EMAIL = ["maria@example.com"]
    plan_a_good_day(world, reply="You owe $600, dear quokka.")
    receive("what do I owe you now, my little wombat?", message_id="SM-platypus", conversation_id="echidna")
    work("draft", "send")
    receive("I don't owe that, ask the wombat. STOP texting me")
    work("draft", "send")
    Workflow.objects.update(error_message="numbat", metadata={"manager_note": "bilby"})
    WorkflowStep.objects.update(detail="quoll")
    traces = ("quokka", "wombat", "numbat", "bilby", "quoll", "platypus", "echidna", PHONE, "Maria Lopez", "Elm Court")
    before = everything_stored_with(*traces)
    assert {trace for trace in traces if any(found.endswith(trace) for found in before)} == set(traces)
    call_command("eraseperson", PHONE, "--yes")
    kept = set(everything_stored_with(*traces))
    assert kept <= {"approval_audit_log: quokka", f"contact_holds: {PHONE}"}
