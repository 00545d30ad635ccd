"""The page behind the link of a reminder, in a real browser: one button, pressed once."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright

from api.one_tap import OneTapPages
from autospot.storage.mongo import Database
from autospot.storage.schema import DECLARED
from tests.support.api import running_api
from tests.support.bookings import at
from tests.support.browser import needs_chromium
from tests.support.office import DORA, a_harbour, hourly

AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = [pytest.mark.browser, needs_chromium]


async def violations(page: Page) -> list[str]:
    # The page lets no script run: the checker comes through the debugger, past its policy.
    result = await page.evaluate(f"{AXE.read_text()}; axe.run(document)")
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in result["violations"]]


async def test_a_driver_reads_presses_and_stays(mongo_url: str, mongo_db_name: str, tmp_path: Path) -> None:
    database = Database(mongo_url, mongo_db_name)
    await database.prepare(DECLARED)
    harbour = await a_harbour(database, prices=hourly())
    await harbour.fill_wallet(1_000, DORA)
    booked = await harbour.book()
    await harbour.until(at(10))
    await harbour.sensor(True)
    await harbour.until(at(11, 30))
    link = next(each.facts["extend"] for each in harbour.notices if each.what == "booking_ends")
    async with (
        running_api(routes=OneTapPages(harbour.office.one_tap).routes(), clock=harbour.clock) as api,
        async_playwright() as playwright,
    ):
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page(viewport={"width": 390, "height": 640})
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        await page.goto(f"{api.url}{link}")
        await page.get_by_text("It costs 2.00 EUR more, from your wallet.").wait_for()
        assert await violations(page) == []
        await page.screenshot(path=os.environ.get("AUTOSPOT_PICTURE", str(tmp_path / "one-tap.png")))
        assert (await harbour.again(booked)).period.until == at(12)

        await page.get_by_role("button", name="Stay until 13:30 on Monday, 26 November").click()
        await page.get_by_role("heading", name="You may stay until 13:30 on Monday, 26 November").wait_for()
        assert await violations(page) == []
        assert [text for text in complaints if "favicon" not in text and "404" not in text] == []
        await browser.close()
    assert (await harbour.again(booked)).period.until == at(12, 30)
    database.close()
