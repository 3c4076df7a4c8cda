"""Headless Chromium for the tests of the page; they skip, and say how to get one, where none can be started."""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from django.db import connections
from playwright.sync_api import Browser, BrowserContext, Error, Page, sync_playwright

from orchestrator_site import live
from tests.console.conftest import person

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
AXE = Path(__file__).with_name("vendor") / "axe.min.js"
CHROMIUMS = (os.environ.get("CHROMIUM", ""), "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for a module's tests: a machine's own, or the one that Playwright has installed."""
    found = next((path for path in CHROMIUMS if path and Path(path).exists()), None)
    # Playwright's loop runs in this thread; the tests use the ORM here all the same, between its calls.
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        try:
            browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        except Error as error:
            pytest.skip(f"No Chromium can be started: run script/browser. {str(error).splitlines()[0]}")
        yield browser
        browser.close()
        # Beside a running loop Django keeps connections of its own; the tests' database is dropped when none is left.
        connections.close_all()


@pytest.fixture
def live_process(transactional_db: None, settings: object) -> Iterator[None]:
    """The live process, in a thread beside the web server."""
    config = uvicorn.Config(
        live.application, host="127.0.0.1", port=0, log_level="critical", timeout_graceful_shutdown=0
    )
    server = uvicorn.Server(config)
    live.hub = live.Hub()
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not (server.started and live.hub.listening) and time.monotonic() < deadline:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    settings.LIVE_URL = f":{port}/live/"  # type: ignore[attr-defined]
    yield
    server.should_exit = True
    thread.join(10)
    # The database of the tests is dropped when nobody uses it any more.
    live._asker.submit(_close).result()


def _close() -> None:
    live.connection.close()


class Desk:
    """A person at the page."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def open(self, query: str = "") -> "Desk":
        self.page.goto(f"{self.address}/admin/approvals/queuedresponse/console/{query}")
        self.page.wait_for_selector("#console")
        return self

    def keys(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def name(self) -> str:
        """Whose card is open."""
        return self.page.locator(".who h2").inner_text()

    def until(self, script: str, timeout: float = 5000) -> None:
        self.page.wait_for_function(script, timeout=timeout)

    def sees(self, text: str, where: str = "body", timeout: float = 5000) -> None:
        self.page.locator(where).get_by_text(text).first.wait_for(timeout=timeout)


@pytest.fixture
def desk_of(chromium: Browser, live_server: object, live_process: None) -> Iterator[object]:
    """`desk_of("maria")` is Maria at her screen; `desk_of("sam", "Supervisors", width=390)` Sam with his phone."""
    contexts: list[BrowserContext] = []
    desks: list[Desk] = []

    def sit_down(name: str = "maria", group: str = "Managers", *, width: int = 1280, dark: bool = False) -> Desk:
        person(name, group)
        context = chromium.new_context(
            viewport={"width": width, "height": 844 if width < 800 else 800}, color_scheme="dark" if dark else "light"
        )
        contexts.append(context)
        # The dashboard asks how the upstreams are; in a test there are none.
        well = {"ok": True, "latency_ms": 12, "circuit": "closed", "error": "", "simulated": True}
        context.route("**/health/dependencies", lambda route: route.fulfill(json={"details": {"sms_agent": well}}))
        page = context.new_page()
        page.set_default_timeout(8000)
        page.goto(f"{live_server.url}/admin/login/")  # type: ignore[attr-defined]
        page.fill("[name=username]", name)
        page.fill("[name=password]", "secret")
        page.press("[name=password]", "Enter")
        page.wait_for_url("**/admin/")
        desks.append(Desk(page, live_server.url))  # type: ignore[attr-defined]
        return desks[-1]

    yield sit_down
    for context in contexts:
        context.close()
    assert [error for desk in desks for error in desk.errors] == []
