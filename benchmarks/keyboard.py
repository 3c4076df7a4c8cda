"""Twenty decisions without the mouse: `PRIVATE_DATABASE=keyboard python -m benchmarks.keyboard`.

A browser at the approvals page of a running system with the demonstration's queue. It presses keys as a manager would,
and waits after each decision until the next card can be decided. What is measured is the system's share: the time from
the first key of a decision until the next card is there, typing included (`TYPING` between two letters), reading not.
Ends with 1 when a decision is not in the database as it was pressed.
"""

import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orchestrator_site.settings")
os.environ.setdefault("PRIVATE_DATABASE", "keyboard")
os.environ.setdefault("IGNORE_DOTENV", "1")
# Playwright's loop runs in this thread, beside the ORM.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
django.setup()

from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import connection
from playwright.sync_api import Page, sync_playwright

from approvals.models import ApprovalAuditEntry
from orchestrator_site.demo.fill import fill_queue
from orchestrator_site.demo.system import running

CONSOLE = "/admin/approvals/queuedresponse/console/"
CHROMIUM = "/usr/bin/chromium"
WHO, PASSWORD = "keys", "a-password-for-a-minute"
# Milliseconds between two letters: 80 words a minute.
TYPING = 150
# One page of decisions in the mixture of a morning; a card with a red check is escalated whatever its turn.
TURNS = (
    *("approve", "approve", "edit", "approve", "snooze", "approve", "escalate", "approve", "undo", "approve"),
    *("redraft", "approve", "edit", "approve", "counter", "approve", "close", "approve", "edit", "approve", "snooze"),
)


@dataclass
class Session:
    """A manager at the keys, with what was pressed and how long each decision took (seconds)."""

    page: Page
    took: list[tuple[str, float]] = field(default_factory=list)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, words: str) -> None:
        self.page.keyboard.type(words, delay=TYPING)

    def card(self) -> str:
        return str(self.page.evaluate("document.getElementById('middle')?.dataset.id || ''"))

    def red(self) -> bool:
        return bool(self.page.evaluate("Boolean(document.querySelector('#checked .gate-red'))"))

    def has_offer(self) -> bool:
        return bool(self.page.evaluate("Boolean(document.querySelector('[data-do=counter]'))"))

    def until_another(self, card: str) -> None:
        """Until the next card is there, open, and nothing is under way."""
        self.page.wait_for_function(
            "card => document.getElementById('middle')?.dataset.id !== card"
            " && !document.getElementById('console').hasAttribute('aria-busy')",
            arg=card,
            timeout=10_000,
        )

    def sent(self, card: str) -> bool:
        """Whether the first key was enough: on a card that does not fit the screen it only shows all of it."""
        self.page.wait_for_function(
            "card => document.getElementById('middle')?.dataset.id !== card"
            " || document.querySelector('.toast')?.innerText.includes('Read it first')",
            arg=card,
            timeout=10_000,
        )
        return self.card() != card

    def decide(self, turn: str) -> None:
        start, card = time.perf_counter(), self.card()
        KEYS[turn](self)
        if turn != "undo":
            self.until_another(card)
        self.took.append((turn, time.perf_counter() - start))


def approve(session: Session) -> None:
    card = session.card()
    session.press("a")
    if not session.sent(card):
        session.press("a")


def edit(session: Session) -> None:
    session.press("e")
    session.type(" Thanks.")
    session.press("Control+Enter")


def counter(session: Session) -> None:
    session.press("c")
    session.press("Control+Enter")


def escalate(session: Session) -> None:
    session.press("x")
    session.type("Asks for a call")
    session.press("Control+Enter")


def redraft(session: Session) -> None:
    session.press("r")
    session.type("Friendlier")
    session.press("Control+Enter")


def snooze(session: Session) -> None:
    session.press("s", "1")


def close(session: Session) -> None:
    session.press("d")
    session.page.wait_for_selector("#dialog-close[open]")
    session.press("Enter")


def undo(session: Session) -> None:
    """The last text comes back; the queue is walked down and up again."""
    session.press("u")
    session.page.wait_for_function("document.querySelector('.toast')?.innerText.includes('Taken back')")
    here = session.card()
    session.press("j")
    session.until_another(here)
    below = session.card()
    session.press("k")
    session.until_another(below)


KEYS: dict[str, Callable[[Session], None]] = {
    "approve": approve,
    "edit": edit,
    "counter": counter,
    "escalate": escalate,
    "redraft": redraft,
    "snooze": snooze,
    "close": close,
    "undo": undo,
}


def main() -> int:
    prepare()
    log = Path("var") / "keyboard.log"
    log.parent.mkdir(exist_ok=True)
    with running({"SEND_UNDO_SECONDS": "10"}, log=log) as system, sync_playwright() as playwright:
        path = CHROMIUM if Path(CHROMIUM).exists() else None
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        session = Session(browser.new_page(viewport={"width": 1280, "height": 800}))
        sign_in(session.page, system.web)
        start = time.perf_counter()
        for turn in TURNS:
            session.decide("escalate" if session.red() and turn != "undo" else turn)
        whole = time.perf_counter() - start
        browser.close()
    return report(session, whole)


def prepare() -> None:
    """The demonstration's queue, from the beginning, and somebody who may decide."""
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    call_command("migrate", verbosity=0)
    fill_queue()
    User.objects.create_user(WHO, password=PASSWORD, is_staff=True).groups.set(Group.objects.filter(name="Managers"))


def sign_in(page: Page, web: str) -> None:
    page.goto(f"{web}/admin/login/?next={CONSOLE}")
    page.fill("[name=username]", WHO)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_selector("#words")


def report(session: Session, whole: float) -> int:
    decisions = [(turn, seconds) for turn, seconds in session.took if turn != "undo"]
    print(f"{len(decisions)} decisions by keys alone, one of them taken back and made again: {whole:.1f} s")
    for turn in dict.fromkeys(turn for turn, _ in session.took):
        times = [seconds for name, seconds in session.took if name == turn]
        print(f"  {turn:9} {len(times):2} x   median {median(times):.2f} s   longest {max(times):.2f} s")
    return 0 if as_pressed(session) else 1


def as_pressed(session: Session) -> bool:
    """Whether the audit log has one entry of this manager's for each decision that was pressed."""
    pressed = Counter({"edit": "modify", "counter": "modify"}.get(turn, turn) for turn, _ in session.took)
    kept = Counter(ApprovalAuditEntry.objects.filter(approved_by=WHO).values_list("action", flat=True))
    if pressed != kept:
        print(f"pressed {dict(pressed)}, kept {dict(kept)}")
    return pressed == kept


if __name__ == "__main__":
    sys.exit(main())
