"""The demo's mailbox in a real browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

from api.mailbox import MailboxOperations, MailboxPages
from autospot.domain.mail import Mail
from autospot.storage.mails import MAILBOX, StoredMail
from autospot.storage.mongo import Database
from autospot.storage.people import DECLARED
from tests.support.browser import needs_chromium
from tests.support.people import Town, a_town
from tests.support.people_api import people_api

AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = [
    pytest.mark.browser,
    needs_chromium,
]


@pytest.fixture
async def town(mongo_url: str, mongo_db_name: str) -> AsyncIterator[Town]:
    database = Database(mongo_url, mongo_db_name)
    await database.prepare([*DECLARED, MAILBOX])
    town = a_town(database)
    yield town
    town.people.passwords.close()
    database.close()


@asynccontextmanager
async def served(town: Town) -> AsyncIterator[str]:
    pages = MailboxPages(town.mails)
    async with people_api(town, more=[MailboxOperations(town.mails)], beside=pages.serve_on) as api:
        yield f"{api.url}/mailbox"


@asynccontextmanager
async def a_page() -> AsyncIterator[tuple[Page, list[str]]]:
    """A page, and everything that it complained about."""
    async with async_playwright() as playwright:
        browser: Browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page(viewport={"width": 1180, "height": 760})
        complaints: list[str] = []

        def heard(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning"):
                complaints.append(message.text)

        page.on("console", heard)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        try:
            yield page, complaints
        finally:
            await browser.close()


async def violations(page: Page) -> list[str]:
    await page.evaluate(AXE.read_text())
    result = await page.evaluate("axe.run(document, {iframes: false})")
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in result["violations"]]


async def post(town: Town, to: str, code: str) -> None:
    mail = Mail("verify_email", to, {"code": code, "minutes": "10"})
    await town.people.postman.post(mail, f"{to} {code}", town.clock.now())
    await town.settle()


async def test_the_mailbox_shows_what_was_sent_and_what_comes(town: Town, tmp_path: Path) -> None:
    async with served(town) as url, a_page() as (page, complaints):
        await page.goto(url)
        await page.get_by_text("No mail yet.").wait_for()
        await post(town, "dora@example.org", "049201")
        await page.get_by_text("1 mail", exact=True).wait_for()
        await page.frame_locator("#html").get_by_text("049201").wait_for()

        await post(town, "carl@example.org", "777123")
        await page.get_by_text("2 mails").wait_for()
        await page.get_by_role("button", name="dora@example.org").click()
        await page.frame_locator("#html").get_by_text("049201").wait_for()
        await page.get_by_label("Mail to").fill("carl@example.org")
        await page.frame_locator("#html").get_by_text("777123").wait_for()
        await page.get_by_text("1 mail", exact=True).wait_for()

        assert await violations(page) == []
        assert complaints == []
        await page.screenshot(path=os.environ.get("AUTOSPOT_PICTURE", str(tmp_path / "mailbox.png")))


async def test_a_mail_runs_and_loads_nothing(town: Town) -> None:
    """Whatever a mail holds: its page has no rights."""
    async with served(town) as url, a_page() as (page, _complaints):
        nasty = "<script>document.title='run'</script><img src=/v1/mailbox onerror=\"document.title='run'\"><p>read</p>"
        mail = StoredMail("eml_" + "0" * 32, "<x>", "dora@example.org", "Nasty", "", nasty, town.clock.now())
        await town.mails.add(mail)
        await page.goto(f"{url}/mails/eml_{'0' * 32}")
        await page.get_by_text("read").wait_for()
        assert await page.title() != "run"
        assert await page.evaluate("window.origin") == "null"
