"""What goes wrong is a page for a person in a browser, and the envelope for everybody else."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

pytestmark = pytest.mark.django_db
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def nobody_special(client):
    client.force_login(User.objects.create_user("ann", is_staff=True))
    return client


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        pytest.param("/admin/nothing/", 404, "There is nothing here", id="not-found"),
        pytest.param("/nothing", 404, "There is nothing here", id="outside-the-admin"),
        pytest.param("/admin/auth/user/", 403, "You may not do this", id="forbidden"),
    ],
)
def test_a_person_gets_a_page_and_a_program_the_envelope(nobody_special, address, status, words):
    page = nobody_special.get(address, headers=BROWSER)
    assert (page.status_code, page.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
    assert words in page.content.decode()
    answer = nobody_special.get(address, headers={"Accept": "*/*"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (
        status,
        {404: "not_found", 403: "forbidden"}[status],
    )


def test_our_own_fault_is_a_page_with_a_number_and_without_a_trace(nobody_special, monkeypatch):
    def break_down(*args):
        raise RuntimeError("secret")

    monkeypatch.setattr("orchestrator_site.theme.navigation", break_down)
    nobody_special.raise_request_exception = False
    page = nobody_special.get("/admin/", headers={**BROWSER, "X-Request-ID": "number-17"})
    assert page.status_code == 500
    assert "number-17" in page.content.decode()
    assert "secret" not in page.content.decode()


def test_a_form_that_is_older_than_its_session_is_told_so():
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(User.objects.create_user("ann", is_staff=True))
    page = browser.post("/admin/auto-send/", {"on": "no"}, headers=BROWSER)
    assert page.status_code == 403
    assert "Nothing was done" in page.content.decode()
    assert browser.post("/admin/auto-send/", {"on": "no"}).json()["error"]["code"] == "csrf_failed"


def test_the_browser_finds_an_icon_where_it_looks_for_one(client):
    assert client.get("/favicon.ico").headers["Location"].endswith("favicon.svg")


def test_the_admin_speaks_one_language_whatever_the_browser_speaks(nobody_special):
    page = nobody_special.get("/admin/", headers={"Accept-Language": "he"})
    assert page.headers["Content-Language"] == "en"
    assert "Log out" in page.content.decode()
