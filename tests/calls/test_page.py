"""The chat page: what the server renders, and what people do with it in a browser."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from calls.chat_workflow.chats import User as ChatUser
from calls.chat_workflow.receiving import receive_message
from calls.chat_workflow.results import report_result
from calls.models import CallTask
from calls.policy.outcomes import Report
from tests.builders import work
from tests.calls.builders import PIZZA, call_handler_takes
from tests.console.browser import AXE, chromium
from tests.outside_world import World

__all__ = ["chromium"]

SHAMES = "תתקשר לפיצה שמש 03-555-1234 ותזמין פיצה משפחתית עם זיתים"


@pytest.fixture
def dana(transactional_db: None) -> User:
    user = User.objects.create_user("dana", password="x")
    user.user_permissions.add(Permission.objects.get(codename="use_assistant"))
    return user


@pytest.fixture
def client_of_dana(dana: User) -> Client:
    client = Client()
    client.force_login(dana)
    return client


def test_the_page_asks_strangers_to_sign_in_and_turns_the_unentitled_away(db: None, client: Client) -> None:
    assert client.get("/assistant/")["Location"] == "/assistant/sign-in/?next=/assistant/"
    client.force_login(User.objects.create_user("eve"))
    assert client.get("/assistant/").status_code == 403


def test_people_who_are_not_of_the_staff_sign_in_and_out(dana: User, client: Client) -> None:
    door = "/assistant/sign-in/"
    wrong = client.post(door, {"username": "dana", "password": "y"}, headers={"Accept-Language": "he"})
    assert "אינם תואמים" in wrong.content.decode()
    assert client.post(door, {"username": "dana", "password": "x"})["Location"] == "/assistant/"
    assert client.get("/assistant/").status_code == 200
    assert client.get(door)["Location"] == "/assistant/"
    assert client.post("/assistant/sign-out/")["Location"] == door
    assert client.get("/assistant/").status_code == 302


def test_without_javascript_a_message_is_answered_all_the_same(client_of_dana: Client, world: World) -> None:
    assert client_of_dana.post("/assistant/", {"message": PIZZA}).status_code == 302
    page = client_of_dana.get("/assistant/").content.decode()
    assert "Confirm?" in page
    assert 'value="Yes"' in page


def test_the_page_is_written_from_right_to_left_in_hebrew(client_of_dana: Client, dana: User, world: World) -> None:
    receive_message(ChatUser.signed_in(dana.pk), SHAMES)
    page = client_of_dana.get("/assistant/").content.decode()
    assert '<html lang="he" dir="rtl">' in page
    assert "כן, לבצע" in page


def test_what_people_write_is_never_markup(client_of_dana: Client, dana: User, world: World) -> None:
    receive_message(ChatUser.signed_in(dana.pk), "call 718-555-0123 and say <script>alert(1)</script>")
    assert "<script>alert" not in client_of_dana.get("/assistant/").content.decode()


@pytest.fixture
def page(chromium: Browser, live_server: Any, client_of_dana: Client) -> Iterator[Page]:
    context = chromium.new_context(base_url=live_server.url, viewport={"width": 390, "height": 844}, locale="en-US")
    cookie = client_of_dana.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto("/assistant/")
    yield page
    context.close()
    assert errors == []


@pytest.mark.browser
def test_a_call_from_the_first_word_to_its_outcome_by_keyboard_alone(page: Page, world: World) -> None:
    page.keyboard.type(PIZZA)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Confirm?")).to_be_visible()
    expect(page.locator("#state")).to_have_text("Waiting for your yes")
    page.keyboard.type("yes")
    page.keyboard.press("Enter")
    expect(page.locator("#state")).to_have_text("Under way")
    call_handler_takes(world, "CA1")
    work("place")
    report_result(Report(reference="CA1", status="completed", duration=62), source="test")
    expect(page.locator(".notice")).to_contain_text("Done: I spoke with Pizza Place")
    expect(page.locator("#state")).to_have_text("Ready")
    expect(page.locator(".line")).to_have_count(5)


@pytest.mark.browser
def test_the_buttons_answer_the_summary_and_the_offer_of_another_try(page: Page, world: World) -> None:
    page.get_by_label("Your message").fill(PIZZA)
    page.get_by_role("button", name="Send").click()
    page.get_by_role("button", name="Yes, do it").click()
    expect(page.locator("#state")).to_have_text("Under way")
    call_handler_takes(world, "CA1")
    work("place")
    report_result(Report(reference="CA1", status="busy"), source="test")
    page.get_by_role("button", name="No, leave it").click()
    expect(page.get_by_text("I will leave it at that")).to_be_visible()
    assert CallTask.objects.count() == 1


@pytest.mark.browser
def test_the_page_turns_round_when_the_language_changes(page: Page, world: World) -> None:
    page.get_by_label("Your message").fill(SHAMES)
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    expect(page.get_by_role("button", name="כן, לבצע")).to_be_visible()
    page.keyboard.type("cancel it please")
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("dir", "ltr")


@pytest.mark.browser
def test_what_is_known_is_shown_and_erased(page: Page, world: World) -> None:
    page.get_by_label("Your message").fill("my dentist's number is 212-555-0187")
    page.keyboard.press("Enter")
    expect(page.get_by_text("I will remember dentist")).to_be_visible()
    page.get_by_role("button", name="What I know").click()
    expect(page.get_by_role("dialog")).to_contain_text("+12125550187")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Erase everything").click()
    expect(page.locator("#welcome")).to_be_visible()
    assert not CallTask.objects.exists()


@pytest.mark.browser
@pytest.mark.parametrize("width", [320, 390, 1280])
@pytest.mark.parametrize("words", [PIZZA, SHAMES])
def test_nothing_sticks_out_at_any_width(page: Page, world: World, width: int, words: str) -> None:
    page.set_viewport_size({"width": width, "height": 700})
    page.get_by_label("Your message").fill(words)
    page.keyboard.press("Enter")
    expect(page.locator(".choices .yes")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.evaluate("document.documentElement.scrollHeight <= document.documentElement.clientHeight")


@pytest.mark.browser
def test_the_newest_line_stays_in_view_when_the_buttons_come(page: Page, world: World) -> None:
    for words in ("hi", "call 718-555-0123 and say " + "please " * 60):
        page.get_by_label("Your message").fill(words)
        page.keyboard.press("Enter")
        expect(page.locator(".line.assistant")).to_have_count(2 if words != "hi" else 1)
    expect(page.locator(".choices .yes")).to_be_visible()
    expect(page.locator(".line time").last).to_be_in_viewport()


@pytest.mark.browser
def test_without_a_connection_the_page_says_so_and_keeps_the_words(page: Page, world: World) -> None:
    page.context.set_offline(True)
    expect(page.locator("#state")).to_have_text("Offline – trying again")
    page.get_by_label("Your message").fill(PIZZA)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("This was not sent. Try again.")
    expect(page.get_by_label("Your message")).to_have_value(PIZZA)
    page.get_by_role("button", name="What I know").click()
    expect(page.get_by_role("alert")).to_have_text("No answer from the server. Try again.")
    page.context.set_offline(False)
    expect(page.locator("#state")).to_have_text("Ready")
    page.get_by_label("Your message").press("Enter")
    expect(page.locator(".choices .yes")).to_be_visible()


@pytest.mark.browser
def test_the_offer_of_another_try_outlives_a_lost_connection(page: Page, world: World) -> None:
    page.get_by_label("Your message").fill(PIZZA)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Yes, do it").click()
    expect(page.locator("#state")).to_have_text("Under way")
    call_handler_takes(world, "CA1")
    work("place")
    report_result(Report(reference="CA1", status="busy"), source="test")
    expect(page.get_by_role("button", name="Yes, try again")).to_be_visible()
    page.context.set_offline(True)
    expect(page.locator("#state")).to_have_text("Offline – trying again")
    page.context.set_offline(False)
    expect(page.locator("#state")).to_have_text("Ready")
    expect(page.get_by_role("button", name="Yes, try again")).to_be_visible()


@pytest.mark.browser
@pytest.mark.parametrize("words", [PIZZA, SHAMES])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible(page: Page, world: World, words: str, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    page.get_by_label("Your message").fill(words)
    page.keyboard.press("Enter")
    expect(page.locator(".choices .yes")).to_be_visible()
    page.add_script_tag(path=AXE)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    assert [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found] == []
