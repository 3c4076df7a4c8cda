"""The page in a browser, driven by keys: the main paths and the conflicts that people see."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from approvals.models import Escalation, PaymentPlan, QueuedResponse
from approvals.sms_workflow import claiming
from approvals.sms_workflow.decisions import Decider, write_by_hand
from tests.builders import make_message
from tests.console.browser import Desk, chromium, desk_of, live_process
from tests.console.conftest import Card

__all__ = ["chromium", "desk_of", "live_process"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DeskOf = Callable[..., Desk]


def test_a_reply_is_approved_by_one_key_and_the_next_card_is_there(desk_of: DeskOf, card: Card) -> None:
    one, _ = card(tenant="Ana", waits=9), card(tenant="Tom", waits=5)
    desk = desk_of().open()
    assert desk.name() == "Ana"
    desk.keys("a")
    desk.until("document.querySelector('.who h2')?.innerText === 'Tom'")
    desk.sees("Approved. It goes to Ana.", ".toasts")
    one.refresh_from_db()
    assert (one.status, one.manager_action, one.actioned_by) == ("approved", "approve", "maria")


def test_an_edit_shows_parts_gates_and_difference_and_exactly_it_is_sent(desk_of: DeskOf, card: Card) -> None:
    one = card(draft="Could you pay $50 a week?", asked="can i pay 50 a week")
    desk = desk_of().open()
    desk.keys("e")
    desk.page.keyboard.type(" Or $77 más?")
    desk.sees("no source", "#checked")
    desk.sees("UCS-2", "#checked")
    assert desk.page.locator("#marks mark.unsourced").inner_text() == "$77"
    assert desk.page.locator(".difference ins").inner_text().strip().endswith("más?")
    desk.page.fill("#words", "Thank you. Could you pay $50 a week?")
    desk.until("!document.querySelector('#checked .gate-red')")
    desk.keys("Control+Enter")
    desk.sees("Your words go to", ".toasts")
    one.refresh_from_db()
    assert (one.manager_action, one.final_text) == ("modify", "Thank you. Could you pay $50 a week?")


def test_a_red_gate_wants_a_reason_from_a_supervisor(desk_of: DeskOf, card: Card) -> None:
    one = card(draft="We will take you to court over $77.", gates=[])
    desk = desk_of("sam", "Supervisors").open()
    desk.keys("a")
    desk.page.locator("#override-reason").wait_for()
    desk.page.keyboard.type("Agreed with counsel")
    desk.keys("Enter")
    desk.sees("Approved. It goes to", ".toasts")
    one.refresh_from_db()
    assert (one.status, set(one.overridden)) == ("approved", {"wrong_amount", "legal_threat"})


def test_a_manager_who_may_not_override_is_told_what_to_do(desk_of: DeskOf, card: Card) -> None:
    one = card(draft="We will take you to court.", gates=[])
    desk = desk_of().open()
    desk.keys("a")
    desk.sees("only they can send in spite of a red check", "#override")
    one.refresh_from_db()
    assert one.status == "pending"


def test_escalating_by_keys(desk_of: DeskOf, card: Card) -> None:
    card()
    desk = desk_of().open()
    desk.keys("x")
    desk.page.select_option("#dialog-escalate select", "dispute")
    desk.page.focus("#dialog-escalate textarea")
    desk.page.keyboard.type("Says it is paid; adjust")
    desk.keys("Control+Enter")
    desk.sees("Escalated:", ".toasts")
    assert Escalation.objects.get().reason == "Says it is paid; adjust"


def test_another_draft_is_asked_for(desk_of: DeskOf, card: Card) -> None:
    one = card()
    desk = desk_of().open()
    desk.keys("r")
    desk.page.keyboard.type("Friendlier")
    desk.keys("Control+Enter")
    desk.sees("A new draft for", ".toasts")
    one.workflow.refresh_from_db()
    assert one.workflow.metadata["manager_note"] == "Friendlier"


def test_undo_brings_the_card_back(desk_of: DeskOf, card: Card) -> None:
    one, _ = card(tenant="Ana", waits=9), card(tenant="Tom")
    desk = desk_of().open()
    desk.keys("a")
    desk.until("document.querySelector('.who h2')?.innerText === 'Tom'")
    desk.keys("u")
    desk.until("document.querySelector('.who h2')?.innerText === 'Ana'")
    desk.sees("Taken back", ".toasts")
    one.refresh_from_db()
    assert one.status == "pending"


def test_snoozing_by_two_keys_and_closing_by_two(desk_of: DeskOf, card: Card) -> None:
    one, two = card(tenant="Ana", waits=9), card(tenant="Tom")
    desk = desk_of().open()
    desk.keys("s", "1")
    desk.sees("Snoozed: Ana", ".toasts")
    desk.until("document.querySelector('.who h2')?.innerText === 'Tom'")
    desk.keys("d")
    desk.page.locator("#dialog-close input").wait_for()
    desk.keys("Enter")
    desk.sees("Nothing waits for you")
    one.refresh_from_db(), two.refresh_from_db()
    assert one.snoozed_until > timezone.now() + timedelta(minutes=58)
    assert two.status == "closed"


def test_the_counter_offer_is_inserted_by_a_key(desk_of: DeskOf, card: Card) -> None:
    one = card(draft="Thank you, Maria.")
    PaymentPlan.objects.create(conversation=one.conversation, response=one, weekly_amount=10)
    desk = desk_of().open()
    desk.keys("c")
    desk.until("document.getElementById('words').value.includes('Could you pay $50 a week for 12 weeks?')")
    assert desk.page.evaluate("document.activeElement.id") == "words"


def test_keys_do_nothing_while_typing_or_when_switched_off(desk_of: DeskOf, card: Card) -> None:
    one = card()
    desk = desk_of().open()
    desk.keys("e")
    desk.page.keyboard.type(" axsudr")
    assert desk.page.input_value("#words").endswith(" axsudr")
    desk.keys("Escape", "?")
    desk.page.uncheck("#keys-on")
    desk.keys("Escape", "a", "x", "s")
    desk.page.reload()
    desk.page.wait_for_selector("#words")
    desk.keys("a")
    one.refresh_from_db()
    assert one.status == "pending"


def test_two_managers_on_one_card(desk_of: DeskOf, card: Card) -> None:
    one = card(tenant="Ana")
    desk_of("maria").open()
    james = desk_of("james").open()
    james.sees("maria", ".notices")
    james.keys("a")
    assert not james.page.locator(".actions").is_visible()
    one.refresh_from_db()
    assert (one.status, one.viewer) == ("pending", "maria")


def test_what_somebody_else_decided_meanwhile_is_said_and_nothing_is_lost(desk_of: DeskOf, card: Card) -> None:
    one = card(tenant="Ana")
    maria = desk_of("maria").open()
    maria.keys("e")
    maria.page.keyboard.type(" My own words")
    one.decide("closed", action="close", by="james", manager_action="close", actioned_by="james")
    maria.until("document.getElementById('middle').dataset.status === 'closed'")
    assert maria.page.evaluate("Object.values(localStorage).some(kept => kept.includes('My own words'))")


def test_a_tenant_who_writes_while_the_manager_types_loses_nobodys_words(desk_of: DeskOf, card: Card) -> None:
    one = card(tenant="Ana", draft="Could you pay on Friday?")
    desk = desk_of().open()
    desk.keys("e")
    desk.page.keyboard.type(" Or on Monday?")
    make_message(one.conversation, "I can pay today!")
    claiming.withdraw_overtaken([_newer_work(one)])
    desk.sees("has written again, so this draft was withdrawn", ".notices")
    newer = card(conversation=one.conversation, draft="Wonderful, thank you!", asked="I can pay today!")
    desk.until(f"document.getElementById('middle').dataset.id === '{newer.pk}'")
    assert desk.page.input_value("#words") == "Wonderful, thank you!"
    desk.sees("Could you pay on Friday? Or on Monday?", "#kept")
    desk.page.click("[data-do=use-kept]")
    assert desk.page.input_value("#words") == "Could you pay on Friday? Or on Monday?"


def _newer_work(one: QueuedResponse) -> object:
    return type("Newer", (), {"conversation_id": one.conversation_id})()


def test_a_lost_session_keeps_the_words_and_says_what_to_do(desk_of: DeskOf, card: Card) -> None:
    one = card()
    desk = desk_of().open()
    desk.keys("e")
    desk.page.keyboard.type(" My own words")
    Session.objects.all().delete()
    desk.keys("Control+Enter")
    desk.sees("You have been signed out", "#problem")
    one.refresh_from_db()
    assert one.status == "pending"
    assert desk.page.input_value("#words").endswith("My own words")


def test_a_server_that_is_away_keeps_the_words_and_a_reload_brings_them_back(desk_of: DeskOf, card: Card) -> None:
    one = card()
    desk = desk_of().open()
    desk.keys("e")
    desk.page.keyboard.type(" My own words")
    desk.page.context.set_offline(True)
    desk.keys("Control+Enter")
    desk.sees("The server does not answer", "#problem")
    desk.page.context.set_offline(False)
    desk.page.reload()
    desk.page.wait_for_selector("#words")
    assert desk.page.input_value("#words").endswith("My own words")
    desk.keys("e", "Control+Enter")
    desk.sees("Your words go to", ".toasts")
    one.refresh_from_db()
    assert one.final_text.endswith("My own words")


def test_a_server_that_dies_after_the_decision_sends_nothing_twice(desk_of: DeskOf, card: Card) -> None:
    one = card(tenant="Ana")
    desk = desk_of().open()
    # It has done it, and its answer is lost.
    desk.page.route("**/approve/", lambda route: (route.fetch(), route.abort()))
    desk.keys("a")
    desk.sees("maria decided it", ".notices")
    desk.page.unroute("**/approve/")
    desk.keys("a", "a")
    desk.page.wait_for_timeout(300)
    one.refresh_from_db()
    assert (one.status, one.audit.filter(action="approve").count()) == ("approved", 1)


def test_what_was_typed_into_a_dialog_survives_a_server_that_is_away(desk_of: DeskOf, card: Card) -> None:
    one = card()
    desk = desk_of().open()
    desk.keys("x")
    desk.page.keyboard.type("Says it is paid")
    desk.page.context.set_offline(True)
    desk.keys("Control+Enter")
    desk.sees("The server does not answer", "#problem")
    desk.page.context.set_offline(False)
    desk.keys("x")
    assert desk.page.input_value("#dialog-escalate textarea") == "Says it is paid"
    desk.keys("Control+Enter")
    desk.sees("Escalated:", ".toasts")
    one.refresh_from_db()
    assert one.status == "escalated"


def test_a_text_by_hand_survives_a_lost_session(desk_of: DeskOf, card: Card) -> None:
    conversation = card().conversation
    desk = desk_of()
    desk.page.goto(f"{desk.address}/admin/conversations/conversation/{conversation.pk}/change/")
    desk.page.fill("#by-hand", "Thank you, Maria.")
    Session.objects.all().delete()
    desk.page.click("button.primary")
    desk.page.fill("[name=username]", "maria")
    desk.page.fill("[name=password]", "secret")
    desk.page.press("[name=password]", "Enter")
    desk.sees("You had been signed out, so nothing was done")
    assert not QueuedResponse.objects.filter(workflow=None).exists()
    assert desk.page.input_value("#by-hand") == "Thank you, Maria."
    desk.page.click("button.primary")
    desk.sees("Your text goes to")
    assert desk.page.input_value("#by-hand") == ""
    assert QueuedResponse.objects.get(workflow=None).final_text == "Thank you, Maria."


def test_words_that_the_tenant_overtook_are_shown_beside_the_new_draft(desk_of: DeskOf, card: Card) -> None:
    conversation = card(status="escalated").conversation
    written = write_by_hand(conversation, by=Decider(name="maria"), text="Please call the office.")
    written.decide("withdrawn", action="withdraw", by="policy", reason="stale")
    card(conversation=conversation, draft="Thank you for writing.")
    desk = desk_of().open()
    desk.sees("Maria's text was not sent, because the tenant wrote first", "#unsent")
    desk.page.click("[data-do=use-unsent]")
    assert desk.page.input_value("#words") == "Please call the office."
    desk.page.goto(f"{desk.address}/admin/conversations/conversation/{conversation.pk}/change/")
    desk.page.click("[data-take]")
    assert desk.page.input_value("#by-hand") == "Please call the office."


def test_new_cards_appear_within_two_seconds_without_a_reload(desk_of: DeskOf, card: Card) -> None:
    card(tenant="Ana")
    desk = desk_of().open()
    desk.until("document.getElementById('live').dataset.state === 'live'")
    card(tenant="Tom")
    desk.until("[...document.querySelectorAll('.row .name')].some(name => name.innerText === 'Tom')", timeout=2000)
    assert desk.page.locator("#announcer").inner_text() == "A new reply waits."


def test_without_the_live_process_the_page_asks_every_two_seconds(
    desk_of: DeskOf, card: Card, settings: object
) -> None:
    settings.LIVE_URL = ":9/live/"  # type: ignore[attr-defined]
    card(tenant="Ana")
    desk = desk_of().open()
    desk.until("document.getElementById('live').dataset.state === 'polling'")
    card(tenant="Tom")
    desk.until("[...document.querySelectorAll('.row .name')].some(name => name.innerText === 'Tom')", timeout=4000)


def test_the_queue_is_searched(desk_of: DeskOf, card: Card) -> None:
    card(tenant="Ana", waits=9), card(tenant="Tom", asked="the boiler is broken")
    desk = desk_of().open()
    desk.keys("/")
    desk.page.keyboard.type("boiler")
    desk.until(
        "document.querySelectorAll('.row').length === 1 && document.querySelector('.who h2').innerText === 'Tom'"
    )
    assert desk.page.evaluate("document.activeElement.id") == "search"


def test_several_are_approved_at_once(desk_of: DeskOf, card: Card) -> None:
    made = [card(tenant="Ana"), card(tenant="Tom"), card(tenant="Eve")]
    desk = desk_of().open()
    desk.page.click("text=Approve several")
    desk.page.locator("li", has_text="Tom").locator("[type=checkbox]").uncheck()
    desk.page.click("text=Approve the ticked ones")
    desk.sees("2 approved")
    states = {one.conversation.tenant_name: QueuedResponse.objects.get(pk=one.pk).status for one in made}
    assert states == {"Ana": "approved", "Tom": "pending", "Eve": "approved"}


def test_an_auditor_looks_at_everything_and_is_offered_nothing(desk_of: DeskOf, card: Card) -> None:
    one = card(tenant="Ana")
    desk = desk_of("audrey", "Auditors").open()
    desk.sees("change nothing")
    desk.keys("a", "e", "x", "s", "d", "c")
    assert desk.page.locator(".actions, dialog[open]").count() == 0
    one.refresh_from_db()
    assert (one.status, one.viewer) == ("pending", "")


def test_a_text_that_may_have_arrived_wants_a_second_key(desk_of: DeskOf, card: Card) -> None:
    one = card(status="unknown", actioned_by="maria", actioned_at=timezone.now(), manager_action="approve")
    desk = desk_of().open("?view=trouble")
    desk.keys("a")
    desk.sees("The tenant may have this text already", ".toasts")
    one.refresh_from_db()
    assert one.status == "unknown"
    desk.keys("a")
    desk.sees("Approved", ".toasts")


def test_the_first_key_on_a_card_that_is_not_in_view_only_shows_it(desk_of: DeskOf, card: Card) -> None:
    one = card(tenant="Ana", asked="long words " * 60)
    desk = desk_of(width=390).open(f"?card={one.pk}")
    desk.page.evaluate("scrollTo(0, 0)")
    desk.keys("a")
    desk.sees("Read it first", ".toasts")
    one.refresh_from_db()
    assert one.status == "pending"
    desk.keys("a")
    desk.sees("Approved", ".toasts")
