"""Kinds of tasks plug in by one class in one file: the two that are there, and a booking that a test adds."""

import re
from collections.abc import Iterator

import pytest

from calls import task_types
from calls.models import CallTask
from calls.policy.outcomes import Outcome, Report
from calls.task_types.base import Order, Parameters, Receipt, Said, Slot, TaskType
from integrations.errors import Refused
from tests.builders import takes_texts, work
from tests.calls.builders import answer, notices, say
from tests.outside_world import World

pytestmark = pytest.mark.django_db


class Booking(TaskType):
    """Books a meeting room with a service of our own: everything that a new kind of task needs."""

    code = "room_booking"
    ability = {"en": "book meeting rooms"}
    slots = (
        Slot(name="room", ask={"en": "Which room?"}),
        Slot(name="hour", ask={"en": "At what hour?"}),
    )
    booked: list[Parameters] = []

    def wants(self, said: Said) -> bool:
        return said.text.lower().startswith("book")

    def read(self, said: Said) -> Parameters:
        found = re.search(r"room (?P<room>\w+)", said.text)
        hour = re.search(r"at (?P<hour>\d+)", said.text)
        read = {**(found.groupdict() if found else {}), **(hour.groupdict() if hour else {})}
        return read or ({said.asked: said.text} if said.asked else {})

    def describe(self, parameters: Parameters, language: str, region: str) -> str:
        return f"I will book {self.brief(parameters, language, region)}."

    def brief(self, parameters: Parameters, language: str, region: str) -> str:
        return f"room {parameters['room']} at {parameters['hour']}"

    def execute(self, order: Order) -> Receipt:
        if order.parameters["room"] == "13":
            raise Refused("rooms", "there is no such room", status=404)
        self.booked.append(order.parameters)
        return Receipt(reference=f"booking {order.task_id}")

    def tell(self, outcome: Outcome, report: Report | None, parameters: Parameters, language: str, region: str) -> str:
        return f"Booked: room {parameters['room']}." if outcome is Outcome.DONE else "The room could not be booked."


@pytest.fixture
def booking() -> Iterator[Booking]:
    kind = Booking()
    kind.booked = []
    task_types.add(kind)
    yield kind
    task_types.remove(kind.code)


def test_the_two_kinds_are_found_without_being_listed() -> None:
    assert [kind.code for kind in task_types.all_types()] == ["phone_call", "text_message"]


def test_a_booking_asks_sums_up_waits_for_the_yes_and_is_told(booking: Booking, world: World) -> None:
    assert answer("book room 7") == "At what hour?"
    assert answer("at 10").startswith("I will book room 7 at 10. Confirm?")
    assert booking.booked == []
    say("yes")
    work("place")
    assert booking.booked == [{"room": "7", "hour": "10"}]
    assert notices() == ["Booked: room 7."]
    assert CallTask.objects.get().status == "completed"


def test_a_booking_that_is_refused_fails_with_its_own_words(booking: Booking, world: World) -> None:
    say("book room 13 at 9")
    say("yes")
    work("place")
    assert notices() == ["The room could not be booked."]


def test_the_help_names_what_every_kind_can_do(booking: Booking, world: World) -> None:
    world.language_model.is_down()
    assert "book meeting rooms" in answer("I wonder what you are good at, my friend")


def test_a_text_message_goes_out_through_the_sms_agent_once(world: World) -> None:
    takes_texts(world)
    assert "I will text my landlord, (860) 555-0110: “the heating is broken”." in answer(
        "text my landlord at 860-555-0110 that the heating is broken"
    )
    say("yes")
    work("place")
    assert [sent.json for sent in world.sms_agent.requests] == [{"to": "+18605550110", "body": "the heating is broken"}]
    assert notices() == ["The text to my landlord, (860) 555-0110 is sent."]


def test_a_text_in_hebrew_asks_for_what_is_missing(world: World) -> None:
    assert "לאיזה מספר" in answer("תשלח הודעה לאמא שאני בדרך")
    summary = answer("054-555-0112")
    assert "אני בדרך" in summary
    assert CallTask.objects.get().task_type == "text_message"


def test_a_text_whose_outcome_is_unknown_is_looked_for_and_not_sent_again(world: World, settings: object) -> None:
    settings.LOOK_AFTER_SECONDS = 0.0  # type: ignore[attr-defined]
    world.sms_agent.answers({"error": {}}, to="POST /sms/send", status=502)
    from django.utils import timezone

    found = {
        "direction": "outbound",
        "content": "hello",
        "twilio_sid": "SM9",
        "created_at": timezone.now().replace(tzinfo=None).isoformat(),
    }
    world.sms_agent.answers({"messages": [found]}, to="GET /conversations/*")
    say("text 860-555-0110: hello")
    say("yes")
    work("place", "look_for_call")
    assert CallTask.objects.get().reference == "SM9"
    assert len([one for one in world.sms_agent.requests if one.method == "POST"]) == 1
