"""Headless Chromium for the tests of the chat page; they skip, and say how to get one, where none can be started."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

playwright_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: script/setup")

CHROMIUMS = (os.environ.get("CHROMIUM", ""), "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


@pytest.fixture(scope="module")
def chromium() -> Iterator[playwright_api.Browser]:
    """One browser for a module's tests: the machine's own, or the one that Playwright has installed."""
    found = next((path for path in CHROMIUMS if path and Path(path).exists()), None)
    # Playwright's loop runs in this thread; the tests use the ORM here all the same, between its calls.
    with pytest.MonkeyPatch.context() as patch, playwright_api.sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        try:
            browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        except playwright_api.Error as error:
            pytest.skip(f"No Chromium can be started (apt-get install chromium): {str(error).splitlines()[0]}")
        yield browser
        browser.close()
