"""A text is taken in once, whatever its caller repeats."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ

from approvals.models import Workflow
from conversations.models import Conversation, Message
from conversations.refusals import Invalid
from tests.builders import PHONE, make_conversation, receive

pytestmark = pytest.mark.django_db


def test_a_text_becomes_conversation_message_workflow_and_a_wakeup():
    accepted = receive("Hello", tenant_id="12345", conversation_id="7", message_id="SM1")

    message = Message.objects.get()
    workflow = Workflow.objects.get(pk=accepted.workflow_id)
    assert (message.body, message.direction, message.provider_id) == ("Hello", "inbound", "SM1")
    assert workflow.message == message
    assert workflow.status == "received"
    conversation = Conversation.objects.get(pk=accepted.conversation_id)
    assert (conversation.phone, conversation.tenant_id, conversation.external_id) == (PHONE, "12345", "7")
    assert OrmQ.objects.count() == 1


@pytest.mark.parametrize(
    "written",
    [
        pytest.param("(415) 555-0100", id="national"),
        pytest.param("+1 415 555 0100", id="international"),
        pytest.param("415.555.0100", id="with-dots"),
        pytest.param("14155550100", id="country-code-without-plus"),
    ],
)
def test_one_phone_has_one_conversation_however_it_is_written(written):
    make_conversation(phone=PHONE)
    receive("Hello", phone=written)
    assert Conversation.objects.get().phone == PHONE


@pytest.mark.parametrize("written", ["", "hello", "123", "+1 000 000 0000", "911", "+99912345678901234567890"])
def test_an_impossible_phone_is_refused_and_changes_nothing(written):
    with pytest.raises(Invalid) as refusal:
        receive("Hello", phone=written)
    assert refusal.value.code == "invalid_phone"
    assert "phone_number" in refusal.value.fields
    assert not Conversation.objects.exists()


def test_a_text_of_invisible_characters_is_refused():
    with pytest.raises(Invalid):
        receive("\u200b\u2060\u202e ")
    assert not Message.objects.exists()


def test_the_same_message_id_is_a_duplicate_with_the_same_keys():
    first = receive("Hello", message_id="SM1")
    again = receive("Hello", message_id="SM1")
    assert again.duplicate
    assert (again.workflow_id, again.conversation_id) == (first.workflow_id, first.conversation_id)
    assert Message.objects.count() == 1


def test_the_same_message_id_from_another_phone_is_another_text():
    receive("Hello", message_id="1")
    assert not receive("Hello", message_id="1", phone="+12125550100").duplicate
    assert Message.objects.count() == 2


def test_the_same_words_within_the_window_are_one_text_when_no_id_is_given():
    first = receive("Hello")
    assert receive("Hello").workflow_id == first.workflow_id
    assert receive("Hello!").workflow_id != first.workflow_id


def test_the_same_words_after_the_window_are_a_new_text(settings):
    receive("Hello")
    Message.objects.update(created_at=timezone.now() - timedelta(seconds=settings.DUPLICATE_WINDOW_SECONDS + 1))
    assert not receive("Hello").duplicate


def test_what_the_caller_does_not_know_is_not_forgotten():
    receive("One", tenant_id="12345", conversation_id="7")
    receive("Two")
    conversation = Conversation.objects.get()
    assert (conversation.tenant_id, conversation.external_id) == ("12345", "7")


def test_a_text_from_the_future_was_written_now():
    receive("Hello", received_at=timezone.now() + timedelta(days=1))
    assert Message.objects.get().written_at <= timezone.now()


def test_a_text_costs_few_statements(django_assert_max_num_queries):
    with django_assert_max_num_queries(6):  # begin, conversation, message, workflow, wake-up, commit
        receive("Hello", message_id="SM1")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("message_id", [pytest.param("SM1", id="with-an-id"), pytest.param(None, id="by-its-words")])
def test_eight_callers_at_once_bring_one_text(message_id):
    def bring(_: int) -> bool:
        try:
            return receive("Hello", message_id=message_id).duplicate
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as callers:
        duplicates = list(callers.map(bring, range(8)))
    assert sorted(duplicates) == [False] + [True] * 7
    assert Message.objects.count() == Workflow.objects.count() == 1


def test_of_stop_start_stop_within_a_moment_the_last_counts():
    taken = [receive(words) for words in ("STOP", "START", "STOP", "STOP")]
    assert [one.duplicate for one in taken] == [False, False, False, True]
