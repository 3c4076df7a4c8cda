"""Decisions from the page: each through the flow, once, by whoever may."""

from datetime import datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from approvals.console import bulk, claims
from approvals.console.decide import DECISIONS, wake_up_time
from approvals.console.queue import Wanted
from approvals.models import ApprovalAuditEntry, Escalation, QueuedResponse, Workflow
from approvals.sms_workflow.decisions import Decider
from conversations.models import ContactHold, Conversation
from tests.builders import make_message
from tests.console.conftest import Card, SignedIn

PAGE = reverse("admin:approvals_console")
RED = "Hi, we will take you to court over your $77."


def decide(browser: Client, card: QueuedResponse, decision: str, **data: str) -> tuple[int, dict[str, object]]:
    answer = browser.post(f"{PAGE}{card.pk}/{decision}/", data)
    card.refresh_from_db()
    return answer.status_code, answer.json() if answer["Content-Type"].startswith("application/json") else {}


def test_an_approved_text_leaves_after_the_time_to_undo(signed_in: SignedIn, card: Card, settings: object) -> None:
    one = card()
    status, said = decide(signed_in(), one, "approve", text=one.ai_response)
    assert (status, one.status, one.manager_action, one.actioned_by) == (200, "approved", "approve", "maria")
    assert timedelta(seconds=8) < one.not_before - timezone.now() <= timedelta(seconds=10)
    assert said["undo_seconds"] == 10


def test_changed_words_are_a_modification_and_exactly_they_are_sent(signed_in: SignedIn, card: Card) -> None:
    one = card()
    decide(signed_in(), one, "approve", text="Thank you!\r\nSee you on Friday.")
    assert (one.manager_action, one.final_text) == ("modify", "Thank you!\nSee you on Friday.")


def test_a_decision_is_taken_back_until_the_text_has_left(signed_in: SignedIn, card: Card) -> None:
    browser, one = signed_in(), card()
    decide(browser, one, "approve", text="My own words.")
    status, _ = decide(browser, one, "undo")
    assert (status, one.status, one.final_text) == (200, "pending", one.ai_response)
    decide(browser, one, "approve", text=one.ai_response)
    QueuedResponse.objects.filter(pk=one.pk).update(status="sending", lease_until=timezone.now())
    status, said = decide(browser, one, "undo")
    assert (status, said["code"]) == (409, "already_decided")


def test_the_answer_brings_the_next_card_of_the_list_along(signed_in: SignedIn, card: Card) -> None:
    one, taken, following = card(), card(), card()
    claims.claim(taken.pk, by="james")
    _, said = decide(signed_in(), one, "approve", text=one.ai_response, next=f"{taken.pk},{following.pk}")
    assert said["card_id"] == str(following.pk)
    following.refresh_from_db()
    assert following.viewer == "maria"


def test_the_second_of_two_decisions_is_told_and_nothing_is_sent_twice(signed_in: SignedIn, card: Card) -> None:
    one = card()
    decide(signed_in("maria"), one, "approve", text=one.ai_response)
    status, said = decide(signed_in("james"), one, "approve", text="Other words")
    assert (status, said["code"]) == (409, "already_decided")
    assert "maria" in str(said["message"])
    assert one.final_text == one.ai_response


def test_a_card_that_somebody_has_open_cannot_be_decided_by_another(signed_in: SignedIn, card: Card) -> None:
    one = card()
    maria, james = signed_in("maria"), signed_in("james")
    maria.post(f"{PAGE}{one.pk}/claim/")
    status, said = decide(james, one, "approve", text=one.ai_response)
    assert (status, said["code"], one.status) == (409, "claimed", "pending")
    assert "maria has this card open" in str(said["message"])
    maria.post(f"{PAGE}{one.pk}/release/")
    assert decide(james, one, "approve", text=one.ai_response)[0] == 200


def test_a_claim_lapses_by_itself(card: Card) -> None:
    one = card()
    assert claims.claim(one.pk, by="maria")
    assert not claims.claim(one.pk, by="james")
    QueuedResponse.objects.update(viewer_until=timezone.now() - timedelta(seconds=1))
    assert claims.claim(one.pk, by="james")


def test_nobody_closes_the_card_of_another(card: Card) -> None:
    one = card()
    claims.claim(one.pk, by="maria")
    claims.release([one.pk], by="james")
    assert not claims.claim(one.pk, by="james")


def test_a_draft_that_was_withdrawn_cannot_be_sent(signed_in: SignedIn, card: Card) -> None:
    one = card()
    QueuedResponse.objects.filter(pk=one.pk).update(status="withdrawn")
    status, said = decide(signed_in(), one, "approve", text=one.ai_response)
    assert (status, said["code"]) == (409, "stale")


def test_a_tenant_who_has_written_again_makes_the_draft_stale(signed_in: SignedIn, card: Card) -> None:
    one = card()
    make_message(one.conversation, "wait, one more thing")
    status, said = decide(signed_in(), one, "approve", text=one.ai_response)
    assert (status, said["code"], one.status) == (409, "stale", "pending")


def test_a_red_gate_is_overridden_by_a_supervisor_with_a_reason_only(signed_in: SignedIn, card: Card) -> None:
    one = card()
    manager, supervisor = signed_in("maria"), signed_in("sam", "Supervisors")
    for browser, reason in ((manager, ""), (manager, "I know"), (supervisor, "")):
        status, said = decide(browser, one, "approve", text=RED, override_reason=reason)
        assert (status, said["code"], one.status) == (400, "gate_failed", "pending")
    assert decide(supervisor, one, "approve", text=RED, override_reason="Agreed with counsel")[0] == 200
    assert set(one.overridden) == {"wrong_amount", "legal_threat"}
    assert ApprovalAuditEntry.objects.latest("seq").reason == "Agreed with counsel"


def test_nothing_goes_to_somebody_who_opted_out_whoever_asks(signed_in: SignedIn, card: Card) -> None:
    one = card()
    ContactHold.objects.create(phone=one.conversation.phone, reason="opt_out", created_by="policy")
    status, said = decide(
        signed_in("sam", "Supervisors"), one, "approve", text=one.ai_response, override_reason="please"
    )
    assert (status, said["code"], one.status) == (409, "contact_hold", "pending")


def test_escalating_sends_nothing_and_opens_an_escalation(signed_in: SignedIn, card: Card) -> None:
    one = card()
    decide(signed_in(), one, "escalate", category="dispute", reason="Says it is paid")
    assert one.status == "escalated"
    assert Escalation.objects.get().category == "dispute"


def test_another_draft_is_asked_for_with_a_note(signed_in: SignedIn, card: Card) -> None:
    one = card()
    decide(signed_in(), one, "redraft", note="Friendlier")
    assert one.status == "withdrawn"
    assert Workflow.objects.get().metadata["manager_note"] == "Friendlier"


def test_a_card_is_snoozed_and_taken_back(signed_in: SignedIn, card: Card) -> None:
    browser, one = signed_in(), card()
    decide(browser, one, "snooze", until="hour")
    assert timedelta(minutes=59) < one.snoozed_until - timezone.now() <= timedelta(hours=1)
    decide(browser, one, "wake")
    assert one.snoozed_until is None


def test_closing_sends_nothing(signed_in: SignedIn, card: Card) -> None:
    one = card()
    decide(signed_in(), one, "close", reason="Answered on the phone")
    assert (one.status, one.manager_action) == ("closed", "close")


@pytest.mark.parametrize(
    ("decision", "data"),
    [
        pytest.param("escalate", {"category": "dispute"}, id="escalate-without-a-reason"),
        pytest.param("escalate", {"category": "weather", "reason": "x"}, id="unknown-category"),
        pytest.param("redraft", {}, id="redraft-without-a-note"),
        pytest.param("snooze", {"until": "christmas"}, id="unknown-time"),
        pytest.param("approve", {"text": "x" * 1601}, id="too-many-characters"),
        pytest.param("approve", {"text": "   "}, id="nothing-to-send"),
    ],
)
def test_a_decision_with_something_missing_changes_nothing(
    signed_in: SignedIn, card: Card, decision: str, data: dict[str, str]
) -> None:
    one = card()
    status, said = decide(signed_in(), one, decision, **data)
    assert status == 400
    assert said["message"]
    assert one.status == "pending"


def test_an_unknown_decision_is_not_found(signed_in: SignedIn, card: Card) -> None:
    assert decide(signed_in(), card(), "teleport")[0] == 404


@pytest.mark.parametrize("decision", list(DECISIONS))
@pytest.mark.parametrize("group", ["Auditors", "Operators"])
def test_who_may_only_look_decides_nothing(signed_in: SignedIn, card: Card, group: str, decision: str) -> None:
    one = card()
    data = {"text": "x", "category": "dispute", "reason": "x", "note": "x", "until": "hour"}
    status, _ = decide(signed_in("audrey", group), one, decision, **data)
    assert (status, one.status, ApprovalAuditEntry.objects.count()) == (403, "pending", 0)


@pytest.mark.parametrize("address", ["claim/", "release/"])
def test_who_may_only_look_claims_nothing(signed_in: SignedIn, card: Card, address: str) -> None:
    one = card()
    browser = signed_in("audrey", "Auditors")
    assert browser.post(f"{PAGE}{one.pk}/{address}").status_code == 403
    assert browser.post(f"{PAGE}bulk/", {"response": str(one.pk)}).status_code == 403
    assert browser.get(f"{PAGE}{one.pk}/").status_code == 200
    one.refresh_from_db()
    assert (one.viewer, one.status) == ("", "pending")


@pytest.mark.parametrize("address", ["claim/", "release/", "check/", *(f"{name}/" for name in DECISIONS)])
def test_nothing_changes_by_a_link(signed_in: SignedIn, card: Card, address: str) -> None:
    assert signed_in().get(f"{PAGE}{card().pk}/{address}").status_code == 405


@pytest.mark.parametrize("address", ["claim/", "approve/", "escalate/", "undo/"])
def test_nothing_changes_without_the_token_of_the_page(signed_in: SignedIn, card: Card, address: str) -> None:
    browser = signed_in(enforce_csrf_checks=True)
    assert browser.post(f"{PAGE}{card().pk}/{address}", {"text": "x"}).status_code == 403


def test_several_are_approved_at_once_only_when_every_check_is_green(signed_in: SignedIn, card: Card) -> None:
    good, red = card(), card(draft=RED)
    browser = signed_in("sam", "Supervisors")
    shown = {f"shown {one.pk}": bulk.fingerprint(one) for one in (good, red)}
    browser.post(f"{PAGE}bulk/", {"response": [str(good.pk), str(red.pk), str(uuid4())], **shown})
    good.refresh_from_db(), red.refresh_from_db()
    assert (good.status, red.status) == ("approved", "pending")


def test_a_text_of_two_parts_is_not_approved_in_bulk(card: Card) -> None:
    long = card(draft="We will text you today. " * 8)
    done = bulk.approve_all({long.pk: bulk.fingerprint(long)}, by=Decider(name="sam", may_override=True))
    assert (done.approved, len(done.left)) == ([], 1)


def test_bulk_checks_and_shows_the_words_that_are_sent_not_the_draft(signed_in: SignedIn, card: Card) -> None:
    red, other = card(final_text=RED), card(final_text="Thank you. Call us any time.")
    by = Decider(name="maria")
    done = bulk.approve_all({red.pk: bulk.fingerprint(red), other.pk: bulk.fingerprint(other)}, by=by)
    red.refresh_from_db(), other.refresh_from_db()
    assert [reply.pk for reply in done.approved] == [other.pk]
    assert (red.status, other.final_text) == ("pending", "Thank you. Call us any time.")
    one = card(final_text="Words of a person.")
    assert "Words of a person." in signed_in().get(f"{PAGE}bulk/").content.decode()
    QueuedResponse.objects.filter(pk=one.pk).update(final_text="Thank you, really.")
    done = bulk.approve_all({one.pk: bulk.fingerprint(one)}, by=by)
    assert (done.approved, done.left[0][1]) == ([], "Its text is another one now. Look at this one by itself.")


def test_keys_that_are_none_are_left_alone(signed_in: SignedIn, card: Card) -> None:
    one, browser = card(), signed_in()
    assert browser.post(f"{PAGE}bulk/", {"response": ["nonsense", "-" * 36]}).status_code == 200
    assert decide(browser, one, "approve", text=one.ai_response, next="a,b,,-")[0] == 200


def test_bulk_shows_nobodys_open_card_and_nobody_on_hold(card: Card) -> None:
    shown, open_elsewhere, held, escalated = card(), card(), card(), card()
    red = card(gates=[{"code": "too_long", "level": "amber", "message": "", "hard": False}])
    claims.claim(open_elsewhere.pk, by="james")
    ContactHold.objects.create(phone=held.conversation.phone, reason="dispute", created_by="policy")
    Escalation.objects.create(
        conversation=escalated.conversation, category="legal", severity="high", created_by="x", due_at=timezone.now()
    )
    assert [reply.pk for reply in bulk.all_green(Wanted(), me="maria")] == [shown.pk]
    assert red.status == "pending"


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        pytest.param("hour", "2026-11-20 16:30", id="in-an-hour"),
        pytest.param("tomorrow", "2026-11-21 09:00", id="tomorrow-morning"),
        pytest.param("monday", "2026-11-23 09:00", id="on-monday"),
    ],
)
def test_a_snoozed_card_comes_back_in_the_houses_morning(choice: str, expected: str) -> None:
    zone = ZoneInfo("America/New_York")
    friday = datetime(2026, 11, 20, 15, 30, tzinfo=zone)
    assert f"{wake_up_time(choice, friday, zone).astimezone(zone):%Y-%m-%d %H:%M}" == expected


def test_what_failed_on_its_way_is_sent_again_by_a_person(signed_in: SignedIn, card: Card) -> None:
    one = card(status="failed", actioned_by="maria", actioned_at=timezone.now(), manager_action="approve")
    decide(signed_in(), one, "approve", text=one.ai_response)
    assert one.status == "approved"


def test_the_pages_permission_is_asked_before_the_row(signed_in: SignedIn) -> None:
    nobody = signed_in("nora", "No group")
    assert nobody.get(PAGE).status_code == 403
    assert nobody.get(f"{PAGE}{uuid4()}/").status_code == 403
    assert Conversation.objects.count() == 0
