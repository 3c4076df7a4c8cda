"""A turn costs few statements and comes to an end: what keeps an answer of the chat short."""

import time
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from calls.chat_workflow import thinking
from calls.chat_workflow.receiving import receive_message
from calls.models import ChatMessage
from calls.sweeps import take_back_lost_turns
from integrations import clients
from tests.calls.builders import DANA, PIZZA, model_understands, say
from tests.outside_world import ALWAYS, World

pytestmark = pytest.mark.django_db
MANY = 40


@pytest.mark.parametrize(
    ("words", "statements"),
    [
        pytest.param("thanks", 6, id="pleasantries"),
        pytest.param("any news?", 7, id="status"),
        pytest.param("yes", 7, id="nothing-to-confirm"),
        pytest.param("my dentist's number is 212-555-0187", 7, id="somebody-to-remember"),
        pytest.param(PIZZA, 11, id="a-request"),
    ],
)
def test_a_turn_that_words_settle_takes_few_statements(
    api: Callable[[str], APIClient], world: World, words: str, statements: int
) -> None:
    client = api("chat")
    client.post("/chat", {"message": "hi", "user_id": "dana"}, format="json")
    with CaptureQueriesContext(
        connection,
    ) as seen:
        client.post("/chat", {"message": words, "user_id": "dana"}, format="json")
    told = [query["sql"][:90] for query in seen if "SAVEPOINT" not in query["sql"]]
    assert len(told) <= statements, told


def test_the_length_of_a_chat_costs_no_statements(world: World) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as seen:
            say("thanks")
        return len(seen)

    say("hi")
    short = statements()
    for _ in range(MANY):
        say("hello")
    assert statements() == short


def test_a_model_that_takes_too_long_is_not_waited_for(world: World, settings: Settings) -> None:
    world.language_model.will_time_out(to="POST /chat/completions", times=ALWAYS)
    settings.OPENAI_TIMEOUT_SECONDS, settings.CHAT_MODEL_SECONDS = 20.0, 0.3
    clients.forget()
    say(PIZZA)
    started = time.monotonic()
    turn = say("deliver to Brooklyn")
    assert time.monotonic() - started < 3
    assert turn.reply is not None
    assert "deliver to Brooklyn" in turn.reply.body
    assert len(world.language_model.requests) == 1


def test_a_turn_whose_workers_are_lost_is_read_without_the_model_in_the_end(world: World) -> None:
    model_understands(world, meaning="change", details={"instructions": "Order two."})
    say(PIZZA)
    receive_message(DANA, "make it two please")
    for _ in range(thinking.MOST_READINGS):
        assert thinking.claim_turns(5, "lost")
        ChatMessage.objects.filter(status="reading").update(lease_until=timezone.now())
        assert take_back_lost_turns() == 1
    [job] = thinking.claim_turns(5, "last")
    thinking.record_turns([(job, thinking.think(job))])
    assert "make it two please" in ChatMessage.objects.latest("seq").body
    assert world.language_model.requests == []
