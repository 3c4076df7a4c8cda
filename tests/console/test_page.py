"""The page as the server sees it: what is shown, in which order, and how much it asks the database."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from approvals.console.queue import Wanted, counts, queue
from approvals.models import PaymentPlan, QueuedResponse
from tests.builders import make_message
from tests.console.conftest import Card, SignedIn

PAGE = reverse("admin:approvals_console")


def url(card: QueuedResponse, what: str = "") -> str:
    return f"{PAGE}{card.pk}/{what}"


def asked(act: Callable[[], object]) -> int:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        act()
    return len(queries)


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("", id="page"),
        pytest.param("queue/", id="queue"),
        pytest.param("bulk/", id="bulk"),
        pytest.param("queue/?q=maria&plan=yes&language=en&confidence=middle", id="filtered"),
    ],
)
def test_the_number_of_queries_does_not_grow_with_the_queue(signed_in: SignedIn, card: Card, address: str) -> None:
    browser = signed_in()
    for _ in range(3):
        PaymentPlan.objects.create(
            conversation=(one := card()).conversation, response=one, weekly_amount=50, weeks=4, auto_approvable=True
        )
    browser.get(PAGE + address)
    few = asked(lambda: browser.get(PAGE + address))
    for _ in range(25):
        make_message(card().conversation)
    assert asked(lambda: browser.get(PAGE + address)) == few


def test_a_card_costs_the_same_whatever_was_said_before(signed_in: SignedIn, card: Card) -> None:
    browser, one = signed_in(), card()
    browser.get(url(one))
    short = asked(lambda: browser.get(url(one)))
    for _ in range(30):
        make_message(one.conversation, created_at=timezone.now() - timedelta(days=1))
    assert asked(lambda: browser.get(url(one))) == short


def test_a_decision_with_the_next_card_costs_the_same_in_a_long_queue(signed_in: SignedIn, card: Card) -> None:
    browser = signed_in()
    first, second = card(), card()
    card()

    def approve(one: QueuedResponse) -> int:
        return asked(lambda: browser.post(url(one, "approve/"), {"text": one.ai_response}))

    few = approve(first)
    for _ in range(30):
        card()
    assert approve(second) == few


def test_the_oldest_card_comes_first_and_every_page_shows_the_next_ones_once(card: Card) -> None:
    made = [card(waits=minutes) for minutes in (5, 300, 60, 1, 90)]
    by_age = sorted(made, key=lambda one: one.created_at)
    seen, after = [], ""
    while True:
        part = queue(Wanted(), me="maria", after=after, size=2)
        seen += [row.reply.pk for row in part.rows]
        after = part.more
        if not after:
            break
    assert seen == [one.pk for one in by_age]


def test_what_somebody_put_off_is_not_counted_as_overdue(card: Card) -> None:
    card(waits=75), card(waits=80, snoozed_until=timezone.now() + timedelta(hours=1))
    counted = counts()
    assert (counted["waiting"], counted["overdue"], counted["snoozed"]) == (1, 1, 1)


def test_a_row_says_how_long_it_waits_in_words_and_urgency(card: Card) -> None:
    card(waits=75), card(waits=20), card(waits=2)
    assert [row.urgency for row in queue(Wanted(), me="maria").rows] == ["overdue", "soon", "fresh"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param({"language": "es"}, ["Carlos"], id="language"),
        pytest.param({"property": "Harbor View"}, ["Ana"], id="property"),
        pytest.param({"confidence": "high"}, ["Ana"], id="confidence-high"),
        pytest.param({"confidence": "low"}, ["Carlos"], id="confidence-low"),
        pytest.param({"plan": "yes"}, ["Tom"], id="plan"),
        pytest.param({"q": "boiler"}, ["Tom"], id="words-of-the-tenant"),
        pytest.param({"q": "ana"}, ["Ana"], id="name"),
        pytest.param({"confidence": "sideways", "view": "nowhere"}, ["Ana", "Carlos", "Tom"], id="nonsense-is-ignored"),
    ],
)
def test_the_queue_is_narrowed(card: Card, query: dict[str, str], found: list[str]) -> None:
    card(tenant="Ana", property_name="Harbor View", confidence_score="0.900")
    card(tenant="Carlos", language="es", confidence_score="0.600")
    tom = card(tenant="Tom", asked="the boiler is broken")
    PaymentPlan.objects.create(conversation=tom.conversation, response=tom, weekly_amount=50)
    names = sorted(row.reply.conversation.tenant_name for row in queue(Wanted.of(query), me="maria").rows)
    assert names == found


def test_a_snoozed_card_waits_elsewhere_until_its_time_has_come(card: Card) -> None:
    late, back = card(), card()
    QueuedResponse.objects.filter(pk=late.pk).update(snoozed_until=timezone.now() + timedelta(hours=1))
    QueuedResponse.objects.filter(pk=back.pk).update(snoozed_until=timezone.now() - timedelta(seconds=1))
    assert [row.reply.pk for row in queue(Wanted(), me="maria").rows] == [back.pk]
    snoozed = queue(Wanted.of({"view": "snoozed"}), me="maria")
    assert [row.reply.pk for row in snoozed.rows] == [late.pk]
    assert (snoozed.counts["waiting"], snoozed.counts["snoozed"]) == (1, 1)


def test_the_words_in_the_editor_are_checked_as_they_are_typed(signed_in: SignedIn, card: Card) -> None:
    one = card(draft="Could you pay $50 a week?", asked="can i pay 50 a week")
    said = signed_in().post(url(one, "check/"), {"text": "Could you pay $77 a week? Está más fácil así, ¿sí?"}).json()
    assert said["figures"] == [{"text": "$77", "source": None}]
    assert "wrong_amount" in said["red"]
    assert said["edited"]
    assert "<ins>$77</ins>" in said["html"]
    assert "<del>$50</del>" in said["html"]


def test_folding_accents_is_offered_only_when_it_saves_a_text(signed_in: SignedIn, card: Card) -> None:
    one, browser = card(language="es"), signed_in()
    long = "Más información mañana. " * 4
    assert browser.post(url(one, "check/"), {"text": long}).json()["folded"].startswith("Mas informacion mañana.")
    assert browser.post(url(one, "check/"), {"text": "Más información"}).json()["folded"] == ""


def test_what_a_tenant_writes_is_shown_and_never_run(signed_in: SignedIn, card: Card) -> None:
    one = card(draft="<b>hello</b>", asked="<script>alert(1)</script>", tenant="<img src=x onerror=alert(2)>")
    page = signed_in().get(PAGE).content.decode()
    assert str(one.pk) in page
    for dangerous in ("<script>alert(1)", "<img src=x", "<b>hello</b>"):
        assert dangerous not in page


def test_an_empty_queue_says_so(signed_in: SignedIn) -> None:
    page = signed_in().get(PAGE).content.decode()
    assert "All done" in page
    assert "Nothing waits for you" in page


def test_a_card_that_does_not_exist_is_a_clear_answer(signed_in: SignedIn, card: Card) -> None:
    one = card()
    unknown = url(one).replace(str(one.pk), "00000000-0000-0000-0000-000000000000")
    answer = signed_in().get(unknown)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_people_read_the_pages_in_the_houses_own_time(signed_in: SignedIn, card: Card, settings: object) -> None:
    settings.CONTACT_TIME_ZONE = "Asia/Tokyo"  # type: ignore[attr-defined]
    one = card()
    wrote = timezone.now().replace(hour=20, minute=15) - timedelta(days=1)
    make_message(one.conversation, "good morning", created_at=wrote)
    assert ">05:15</time>" in signed_in().get(url(one)).content.decode()


def test_the_single_letter_keys_are_switched_off_per_person(signed_in: SignedIn, card: Card) -> None:
    card()
    maria, james = signed_in("maria"), signed_in("james")
    maria.post(f"{PAGE}keys/", {"on": "no"})
    assert 'data-keys="off"' in maria.get(PAGE).content.decode()
    assert 'data-keys="on"' in james.get(PAGE).content.decode()


def test_a_stranger_is_sent_to_the_door(client: Client, db: None) -> None:
    assert "/admin/login/" in client.get(PAGE)["Location"]


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("?card=nonsense", id="card"),
        pytest.param("queue/?after=yesterday_nonsense", id="place-in-the-queue"),
        pytest.param("?view=nowhere&q=%F0%9F%98%80&confidence=1", id="filters"),
    ],
)
def test_an_address_made_up_by_hand_shows_the_page_all_the_same(signed_in: SignedIn, card: Card, address: str) -> None:
    card()
    assert signed_in().get(PAGE + address).status_code == 200


@pytest.mark.parametrize(
    "name",
    [
        "approvals_escalation",
        "approvals_workflow",
        "conversations_conversation",
        "conversations_contacthold",
    ],
)
def test_a_row_that_does_not_exist_is_no_error_of_ours(signed_in: SignedIn, name: str) -> None:
    browser = signed_in()
    for key in ("nonsense", "00000000-0000-0000-0000-000000000000"):
        assert browser.get(reverse(f"admin:{name}_change", args=[key])).status_code == 302
