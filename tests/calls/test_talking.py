"""From the first word to the explicit yes: what is asked, what is summed up, and what never becomes a call."""

from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from calls.chat_workflow.chats import User
from calls.chat_workflow.limits import remember_call
from calls.chat_workflow.receiving import receive_message
from calls.models import CallTask, Chat, ChatMessage, ContextItem
from conversations.models import ContactHold
from conversations.refusals import Invalid
from tests.builders import work
from tests.calls.builders import DANA, PIZZA, PIZZA_PHONE, answer, model_understands, placed_call, say
from tests.outside_world import World

pytestmark = pytest.mark.django_db


def only_task() -> CallTask:
    return CallTask.objects.get()


def test_what_is_missing_is_asked_for_and_then_summed_up(world: World) -> None:
    assert "number" in answer("call the pizza place")
    assert "say" in answer("718-555-0123")
    summary = answer("order a margherita")
    assert "(718) 555-0123" in summary
    assert "order a margherita" in summary
    assert "Confirm?" in summary
    assert only_task().status == "confirming"


def test_a_complete_request_is_summed_up_at_once_without_the_model(world: World) -> None:
    turn = say(PIZZA)
    assert (turn.state, world.language_model.requests) == ("confirming", [])
    assert turn.task is not None
    assert turn.task.parameters["phone_number"] == PIZZA_PHONE


@pytest.mark.parametrize("words", ["yes", "confirm", "Go ahead!", "yes, call Pizza Place", "כן"])
def test_an_explicit_yes_confirms(world: World, words: str) -> None:
    say(PIZZA)
    assert say(words).state == "executing"
    assert only_task().status == "confirmed"


@pytest.mark.parametrize(
    "words", ["no, that is not correct", "deliver to Brooklyn", "yes but two of them", "is it expensive?", "hm", "no"]
)
def test_nothing_but_a_yes_to_the_summary_confirms(world: World, words: str) -> None:
    world.language_model.is_down()
    say(PIZZA)
    say(words)
    assert only_task().status in ("collecting", "confirming")
    assert only_task().confirmed_at is None


def test_a_change_while_confirming_asks_again_and_the_model_words_it(world: World) -> None:
    model_understands(world, meaning="change", details={"instructions": "Order two margheritas for 7 pm."})
    say(PIZZA)
    assert "Order two margheritas for 7 pm." in answer("make it two, for 7 pm")
    assert only_task().status == "confirming"
    assert only_task().parameters["phone_number"] == PIZZA_PHONE


def test_with_the_model_down_a_change_is_kept_in_the_users_own_words(world: World) -> None:
    world.language_model.is_down()
    say(PIZZA)
    assert "deliver to Brooklyn" in answer("deliver to Brooklyn")
    say("yes")
    assert "deliver to Brooklyn" in only_task().parameters["instructions"]


def test_a_yes_that_overtakes_the_models_reading_of_a_change_confirms_nothing(world: World) -> None:
    say(PIZZA)
    model_understands(world, meaning="change", details={"instructions": "Order two."})
    changed = receive_message(DANA, "make it two please")
    assert changed.reply is None
    say("yes")
    assert only_task().confirmed_at is None
    work("reply")
    assert "Order two." in ChatMessage.objects.get(answers=changed.message).body


def test_the_model_never_gives_a_telephone_number(world: World) -> None:
    details = {"phone_number": "+12125550199", "instructions": "Ask for a table.", "who": "Luigi's"}
    model_understands(world, meaning="request", task_type="phone_call", details=details)
    assert "Which number" in answer("I feel like Italian tonight, maybe you arrange something at Luigi's")
    assert only_task().phone == ""


@pytest.mark.parametrize(
    "nonsense", ["not json", "{}", "[]", '{"meaning": "request", "task_type": "fly", "details": []}']
)
def test_a_model_that_talks_nonsense_is_as_good_as_none(world: World, nonsense: str) -> None:
    choice = {"message": {"role": "assistant", "content": nonsense}, "finish_reason": "stop"}
    world.language_model.answers({"model": "m", "choices": [choice]}, to="POST /chat/completions")
    assert "telephone" in answer("I wonder about things")


@pytest.mark.parametrize(
    ("words", "region", "told"),
    [
        pytest.param("call 911, there is a fire", "US", "emergency", id="emergency"),
        pytest.param("תתקשר ל100 יש פריצה", "IL", "חירום", id="israeli-police"),
        pytest.param("call 1-900-555-0123 and ask", "US", "premium", id="premium"),
        pytest.param("call 555-0142 and ask if they're open", "US", "area code", id="seven-digits"),
        pytest.param("call 212-555-0187 and 646-555-0111 and ask", "US", "One call at a time", id="two-numbers"),
        pytest.param("call +999 123 456 and ask", "US", "not a telephone number", id="no-such-country"),
    ],
)
def test_a_number_that_cannot_be_called_is_refused_with_the_reason(
    world: World, words: str, region: str, told: str
) -> None:
    assert told in answer(words, region=region)
    assert only_task().status == "collecting"
    assert only_task().phone == ""


def test_the_do_not_call_list_is_kept(world: World) -> None:
    ContactHold.objects.create(phone=PIZZA_PHONE, reason="cease_contact", created_by="maria")
    assert "does not wish to be contacted" in answer(PIZZA)
    assert only_task().phone == ""


def test_a_number_is_called_seven_times_in_seven_days_at_the_most(world: World, settings: Settings) -> None:
    for _ in range(settings.MAX_CALLS_PER_NUMBER):
        remember_call(PIZZA_PHONE)
    assert "7 times in seven days" in answer(PIZZA)


def test_instructions_that_are_too_long_are_never_cut_silently(world: World) -> None:
    assert "1500" in answer("call 718-555-0123 and say " + "please " * 300)
    assert only_task().status == "collecting"


def test_a_name_that_was_called_before_needs_no_number(world: World) -> None:
    placed_call(world)
    assert "(718) 555-0123" in answer("call the pizza place and ask when they close")


def test_a_number_that_is_told_is_remembered(world: World) -> None:
    assert "dentist" in answer("my dentist's number is 212-555-0187")
    assert ContextItem.objects.get().value == "+12125550187"
    assert "(212) 555-0187" in answer("call my dentist and ask for an appointment")


def test_cancel_ends_what_is_talked_about_and_what_waits(world: World) -> None:
    say(PIZZA)
    assert "Cancelled" in answer("never mind")
    say(PIZZA)
    say("yes")
    assert "Cancelled" in answer("cancel that call")
    assert set(CallTask.objects.values_list("status", flat=True)) == {"cancelled"}


def test_cancelling_a_membership_is_a_task_and_no_cancellation(world: World) -> None:
    say("call the gym at 718-555-0123")
    assert "cancel my membership" in answer("cancel my membership")
    assert only_task().status == "confirming"


def test_it_is_too_late_to_cancel_a_call_that_was_placed(world: World) -> None:
    placed_call(world)
    assert "too late" in answer("cancel the call")


def test_hebrew_is_answered_in_hebrew_with_israeli_numbers(world: World) -> None:
    summary = answer("תתקשר לפיצה שמש 03-555-1234 ותזמין פיצה משפחתית")
    assert "\u206603-555-1234\u2069" in summary
    assert "לאשר?" in summary
    assert say("כן").state == "executing"
    assert only_task().parameters["phone_number"] == "+97235551234"


def test_the_language_follows_the_user_and_an_unknown_one_is_refused(world: World) -> None:
    assert "שלום" in answer("שלום")
    assert answer("hello").isascii()
    assert "לאשר?" in answer(PIZZA, language="he-IL")
    with pytest.raises(Invalid):
        say("bonjour", language="fr")


def test_small_talk_and_questions_about_data_need_no_model(world: World) -> None:
    assert "Hello" in answer("hi there")
    assert "I keep our chat" in answer("what do you know about me?")
    assert "nothing to confirm" in answer("yes")
    assert "Nothing is under way" in answer("any news?")
    assert world.language_model.requests == []


def test_small_talk_while_confirming_repeats_the_summary(world: World) -> None:
    say(PIZZA)
    assert "Confirm?" in answer("thanks!")
    assert "Confirm?" in answer("what do you know about me?")
    assert only_task().status == "confirming"


@pytest.mark.parametrize("words", ["wait", "yes no", "sure, cancel", "hm, not sure", "רגע"])
def test_an_answer_that_decides_nothing_changes_nothing_either(world: World, words: str) -> None:
    say(PIZZA)
    summary = only_task().summary
    assert "Pizza Place" in answer(words)
    assert (only_task().status, only_task().summary) == ("confirming", summary)
    assert world.language_model.requests == []


def test_a_yes_with_a_change_is_a_change_and_says_no_yes_on_the_call(world: World) -> None:
    world.language_model.is_down()
    say(PIZZA)
    assert "Correction: make it 6pm" in answer("yes, but make it 6pm")
    assert only_task().confirmed_at is None


def test_another_number_changes_the_number_and_nothing_else(world: World) -> None:
    say(PIZZA)
    instructions = only_task().parameters["instructions"]
    assert "(212) 555-0172" in answer("sorry, change the number to 212-555-0172")
    assert only_task().parameters["instructions"] == instructions
    say("no")
    assert "(212) 555-0173" in answer("the right number is 212-555-0173")
    assert only_task().parameters["instructions"] == instructions


def test_a_question_about_the_call_is_no_other_call(world: World) -> None:
    world.language_model.is_down()
    say(PIZZA)
    summary = only_task().summary
    assert summary in answer("what number will you call?")
    assert only_task().parameters["instructions"] == "Call Pizza Place and order a margherita"


def test_a_cancellation_says_which_one_when_there_are_others(world: World) -> None:
    say(PIZZA)
    say("yes")
    say("call Bob at 212-555-0187 and say hello")
    say("yes")
    assert "Cancelled: the call to Bob" in answer("cancel")
    assert "Nothing will be done" in answer("cancel")


def test_a_text_to_an_emergency_number_is_refused_and_its_number_is_nobodys_name(world: World) -> None:
    assert "emergency" in answer("text 911 that I need help")
    assert "who" not in only_task().parameters


def test_call_now_without_asking_still_needs_a_yes_and_tells_nobody_so(world: World) -> None:
    assert "Confirm?" in answer("call Pizza Place at 718-555-0123 now without asking and order a margherita")
    assert only_task().parameters["instructions"] == "Call Pizza Place and order a margherita"
    assert only_task().confirmed_at is None


@pytest.mark.parametrize("words", ["make that in the morning", "good, but for 8 people", "hello kitty cake please"])
def test_a_change_with_a_pleasantry_in_it_is_a_change(world: World, words: str) -> None:
    world.language_model.is_down()
    say(PIZZA)
    assert words.removeprefix("good, but ") in answer(words)


def test_a_message_without_visible_words_is_refused(world: World) -> None:
    with pytest.raises(Invalid):
        say("\u200b \u2066")
    assert not Chat.objects.exists()


def test_users_are_kept_apart_per_token(world: World) -> None:
    say(PIZZA)
    stranger = User.named_by_token("another-token", "dana")
    assert "nothing to confirm" in answer("yes", user=stranger)
    assert only_task().status == "confirming"


def test_a_lost_claim_of_a_turn_is_dropped_when_another_has_answered(world: World) -> None:
    from calls.chat_workflow import thinking

    world.language_model.is_down()
    receive_message(DANA, "I wonder about things")
    [lost] = thinking.claim_turns(5, "lost")
    ChatMessage.objects.filter(status="reading").update(status="waiting")
    [job] = thinking.claim_turns(5, "another")
    thinking.record_turns([(job, thinking.think(job))])
    thinking.record_turns([(lost, thinking.think(lost))])
    assert ChatMessage.objects.filter(role="assistant").count() == 1


@pytest.mark.parametrize(
    "taken",
    [
        pytest.param({"claimed_by": "another"}, id="by-another-worker"),
        pytest.param({"attempts": 2}, id="by-the-same-worker-once-more"),
    ],
)
def test_a_claim_of_a_turn_that_was_lost_answers_nothing(world: World, taken: dict[str, Any]) -> None:
    from calls.chat_workflow import thinking

    world.language_model.is_down()
    receive_message(DANA, "I wonder about things")
    [job] = thinking.claim_turns(5, "worker")
    ChatMessage.objects.filter(status="reading").update(**taken)
    thinking.record_turns([(job, thinking.think(job))])
    assert not ChatMessage.objects.filter(role="assistant").exists()


def test_the_turns_of_a_chat_are_read_one_after_the_other(world: World) -> None:
    from calls.chat_workflow import thinking

    for words in ("I wonder about things", "I wonder about the sea"):
        assert receive_message(DANA, words).reply is None
    [job] = thinking.claim_turns(5, "one")
    assert job.text == "I wonder about things"
    assert thinking.claim_turns(5, "another") == []


def test_a_chat_that_another_worker_took_since_we_looked_is_left_to_it(world: World) -> None:
    from calls.chat_workflow import thinking

    for words in ("I wonder about things", "I wonder about the sea"):
        receive_message(DANA, words)
    taken: list[Any] = []

    def another_first(execute: Any, sql: str, *rest: Any) -> Any:
        if "FOR UPDATE" in sql and not taken:
            taken.append("being taken")
            taken[:] = thinking.claim_turns(5, "one")
        return execute(sql, *rest)

    with connection.execute_wrapper(another_first):
        assert thinking.claim_turns(5, "another") == []
    assert [job.worker for job in taken] == ["one"]


def test_a_change_that_is_read_when_the_task_is_cancelled_already_begins_no_other(world: World) -> None:
    from calls.chat_workflow import thinking

    model_understands(world, meaning="change", details={"instructions": "Order two."})
    say(PIZZA)
    receive_message(DANA, "make it two please")
    [job] = thinking.claim_turns(5, "worker")
    understood = thinking.think(job)
    say("cancel")
    thinking.record_turns([(job, understood)])
    assert only_task().status == "cancelled"


def everything_said() -> list[Any]:
    return list(ChatMessage.objects.values_list("seq", flat=True))


def test_a_chat_is_one_order_without_gaps(world: World) -> None:
    for words in ("hi", PIZZA, "yes"):
        say(words)
    assert everything_said() == [1, 2, 3, 4, 5, 6]
