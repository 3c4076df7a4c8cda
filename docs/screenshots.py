"""Take the guide's pictures: `script/screenshots`. A system with a filled morning, one browser, one picture a page."""

import os
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orchestrator_site.settings")
# Playwright's loop runs in this thread, beside the ORM.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
django.setup()

from django.contrib.auth.models import Group, User  # noqa: E402 - Django first
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from playwright.sync_api import Page, sync_playwright  # noqa: E402

from approvals.models import Escalation, QueuedResponse  # noqa: E402
from orchestrator_site.demo.fill import fill_queue  # noqa: E402
from orchestrator_site.demo.system import running  # noqa: E402

PICTURES = Path(__file__).with_name("pictures")
CHROMIUM = "/usr/bin/chromium"
CONSOLE = "/admin/approvals/queuedresponse/console/"


def main() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    call_command("migrate", verbosity=0)
    fill_queue()
    sam = User.objects.create_user("sam", password="pictures", is_staff=True, first_name="Sam")  # noqa: S106 - for a minute
    sam.groups.set(Group.objects.filter(name="Supervisors"))
    PICTURES.mkdir(exist_ok=True)
    log = PICTURES.parent.parent / "var" / "screenshots.log"
    with running(log=log) as system, sync_playwright() as playwright:
        path = CHROMIUM if Path(CHROMIUM).exists() else None
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        for name, width, theme in (("", 1280, "light"), ("dark-", 1280, "dark"), ("phone-", 390, "light")):
            height = 800 if width > 800 else 844
            context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme)  # type: ignore[arg-type]
            take(context.new_page(), system.web, name)
            context.close()
        browser.close()


def take(page: Page, web: str, name: str) -> None:
    """The pictures of one width and theme; only the first set has all pages."""

    def picture(title: str, address: str = "") -> None:
        if address:
            page.goto(f"{web}{address}")
            page.wait_for_timeout(900)
        page.screenshot(path=PICTURES / f"{name}{title}.png")

    page.goto(f"{web}/admin/login/")
    page.fill("[name=username]", "sam")
    page.fill("[name=password]", "pictures")
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/admin/")
    picture("dashboard", "/admin/")
    first = QueuedResponse.objects.filter(status="pending").order_by("created_at").first()
    picture("approvals", f"{CONSOLE}?card={first.pk}" if first and name == "phone-" else CONSOLE)
    if name:
        return
    page.keyboard.press("e")
    page.keyboard.type(" Or $77 más?")
    page.wait_for_timeout(600)
    picture("editing")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    picture("keys")
    picture("several", f"{CONSOLE}bulk/")
    picture("confidence", "/admin/approvals/confidencecurve/reliability/?threshold=78")
    picture("escalations", "/admin/approvals/escalation/?status__exact=open")
    gravest = Escalation.objects.get(category="attorney_represented")
    picture("escalation", f"/admin/approvals/escalation/{gravest.pk}/change/")


if __name__ == "__main__":
    main()
