"""The Notification Service's wire format."""

import pytest

from integrations import clients
from integrations.base import Refused, Unavailable
from integrations.notifications import Channel, Priority
from tests.outside_world import World


def send() -> str:
    return clients.notifications().send(
        channel=Channel.EMAIL,
        recipient="maria@example.com",
        subject="A reply waits",
        body="Please decide.",
        priority=Priority.HIGH,
        metadata={"response": "r1"},
        request_id="r",
    )


def test_an_email_gets_a_tracking_id(world: World) -> None:
    world.notifications.answers({"tracking_id": "t1"}, to="POST /notifications/send")
    assert send() == "t1"
    assert world.notifications.requests[0].json == {
        "channel": "email",
        "recipient": "maria@example.com",
        "content": {"subject": "A reply waits", "body": "Please decide."},
        "priority": "high",
        "metadata": {"response": "r1"},
    }


def test_the_answer_for_several_recipients_is_understood(world: World) -> None:
    world.notifications.answers({"tracking_ids": ["t1", "t2"], "count": 2})
    assert send() == "t1"


def test_it_is_sent_again_because_twice_does_no_harm(world: World) -> None:
    world.notifications.answers(status=500)
    world.notifications.will_hang_up()
    world.notifications.answers({"tracking_id": "t1"})
    assert send() == "t1"


def test_a_bad_request_is_refused(world: World) -> None:
    world.notifications.answers({"detail": []}, status=422)
    with pytest.raises(Refused):
        send()


def test_an_answer_without_a_tracking_id_is_trouble(world: World) -> None:
    world.notifications.answers({"tracking_ids": []})
    with pytest.raises(Unavailable):
        send()


@pytest.mark.parametrize("status", [200, 404, 500])
def test_any_answer_means_that_it_is_up(world: World, status: int) -> None:
    world.notifications.answers(status=status, to="GET /")
    assert clients.notifications().health().ok
