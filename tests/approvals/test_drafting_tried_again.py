"""With an upstream away: what serves in its place, when it is asked again, and when a person is told."""

from datetime import timedelta

import pytest
from django.utils import timezone

from approvals.models import Escalation, Notification, QueuedResponse, Workflow
from approvals.sms_workflow.decisions import Decider
from tests.builders import (
    knows_tenant,
    make_conversation,
    make_response,
    model_answers,
    model_says,
    plan_a_good_day,
    receive,
    work,
)
from tests.outside_world import ALWAYS

pytestmark = pytest.mark.django_db
Status = QueuedResponse.Status
MARIA = Decider(name="maria")
BOSS = Decider(name="boss", may_override=True)
UNDO = timedelta(seconds=10)


@pytest.fixture(autouse=True)
def _managers(settings):
    settings.MANAGER_EMAIL = ["maria@example.com"]


def test_with_the_monitor_away_our_copy_serves_and_lowers_the_confidence(world):
    make_conversation(account_at=timezone.now() - timedelta(days=3))
    plan_a_good_day(world, confidence=0.9)
    world.monitor.is_down()
    receive("what do I owe you now?")
    work("draft")
    response = QueuedResponse.objects.get()
    assert "stale_account" in [part["code"] for part in response.confidence_parts]
    assert response.status == Status.PENDING


def test_with_the_monitor_away_and_no_copy_the_text_is_tried_again_later(world, settings):
    settings.BREAKER_FAILURES = 100
    world.monitor.is_down()
    accepted = receive("what do I owe you now?")
    work("draft")
    workflow = Workflow.objects.get(pk=accepted.workflow_id)
    assert (workflow.status, workflow.attempts) == ("received", 1)
    assert workflow.not_before > timezone.now()
    assert "collections_monitor" in workflow.error_message


def test_with_the_history_away_our_own_ledger_serves(world):
    conversation = make_conversation()
    make_response(conversation, asked="hello").workflow  # noqa: B018 an earlier text in the ledger
    knows_tenant(world)
    world.sms_agent.answers({"detail": "trouble"}, to="GET /conversations/*", status=500, times=ALWAYS)
    model_says(world, "You owe $600.")
    receive("what do I owe you now?")
    work("draft")
    spoken = [m["content"] for m in world.language_model.requests[0].json["messages"][1:]]
    assert spoken == ["hello", "what do I owe you now?"]


def test_after_the_last_attempt_the_work_has_failed_and_a_person_is_told(world, settings):
    settings.DRAFT_RETRY_SECONDS = 0
    settings.BREAKER_FAILURES = 100
    knows_tenant(world)
    world.sms_agent.answers({"detail": "none"}, to="GET /conversations/*", status=404, times=ALWAYS)
    world.language_model.answers({"error": {"message": "overloaded"}}, status=503, times=ALWAYS)
    accepted = receive("what do I owe you now?")
    work("draft")
    workflow = Workflow.objects.get(pk=accepted.workflow_id)
    assert (workflow.status, workflow.attempts) == ("failed", settings.MAX_DRAFT_ATTEMPTS)
    assert Escalation.objects.get().category == "ai_failed"
    assert Notification.objects.filter(kind="escalation").exists()
    assert workflow.steps.filter(name="draft", outcome="unavailable").count() == settings.MAX_DRAFT_ATTEMPTS


def tried_again(**changes):
    """Another attempt at the text that waits, at once; then its workflow, and the seconds until the next."""
    Workflow.objects.update(not_before=timezone.now(), **changes)
    work("draft")
    workflow = Workflow.objects.get()
    return workflow, (workflow.not_before - timezone.now()).total_seconds()


def test_the_pause_between_drafts_grows_with_every_attempt(world, settings):
    settings.BREAKER_FAILURES = 100
    world.monitor.is_down()
    receive("what do I owe you now?")
    assert tried_again()[1] == pytest.approx(settings.DRAFT_RETRY_SECONDS, abs=3)
    assert tried_again()[1] == pytest.approx(4 * settings.DRAFT_RETRY_SECONDS, abs=3)


def test_an_upstream_that_says_when_to_come_back_is_not_asked_before(world):
    world.monitor.answers({}, status=429, headers={"Retry-After": "900"})
    receive("what do I owe you now?")
    assert tried_again()[1] == pytest.approx(900, abs=5)
    assert len(world.monitor.requests) == 1


def test_while_the_circuit_is_open_no_draft_is_used_up_until_patience_is(world, settings):
    settings.BREAKER_FAILURES = 1
    world.monitor.is_down()
    receive("what do I owe you now?")
    for _ in range(settings.MAX_DRAFT_ATTEMPTS + 1):
        workflow, pause = tried_again()
        assert (workflow.status, workflow.attempts) == ("received", 0)
        assert pause > 0
    long_ago = timezone.now() - timedelta(minutes=settings.OUTAGE_PATIENCE_MINUTES, seconds=1)
    for _ in range(settings.MAX_DRAFT_ATTEMPTS):
        workflow, _ = tried_again(started_at=long_ago)
    assert (workflow.status, workflow.attempts) == ("failed", settings.MAX_DRAFT_ATTEMPTS)
    assert Escalation.objects.get().category == "ai_failed"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", {}, id="empty"),
        pytest.param('{"reply": "Hel', {}, id="cut-off"),
        pytest.param(None, {"refusal": "I cannot help with that."}, id="refusal"),
    ],
)
def test_an_unusable_answer_is_asked_for_once_more(world, text, message):
    plan_a_good_day(world)
    usual = world.language_model.plans.pop()
    model_answers(world, text, times=1, **message)
    world.language_model.plans.append(usual)
    receive("what do I owe you now?")
    work("draft")
    assert len(world.language_model.requests) == 2
    assert QueuedResponse.objects.get().status == Status.APPROVED
