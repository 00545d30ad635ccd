"""The page of operations in a real browser, driven by clicks."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright
from prometheus_client import CollectorRegistry

from api.call import Call
from api.contract import Idempotency, Input, Output, operation
from api.health import Health
from autospot.domain.access import Action, Role
from tests.support.api import RunningApi, running_api, token

pytestmark = pytest.mark.browser


class NewNote(Input):
    """A note."""

    text: str


class NoteView(Output):
    """A note and whose it is."""

    text: str
    owner: str


class Notes:
    """Something to sign in for."""

    @operation("POST /v1/notes", summary="Make a note", tag="notes", access=Action.DRIVE)
    async def make(self, call: Call, body: NewNote) -> NoteView:
        return NoteView(text=body.text, owner=call.principal.user_id)

    @operation("POST /v1/payments", summary="Pay", tag="notes", access=Action.DRIVE, idempotency=Idempotency.MONEY)
    async def pay(self, call: Call, body: NewNote) -> NoteView:
        return NoteView(text=body.text, owner=call.principal.user_id)


@pytest.fixture
async def api() -> AsyncIterator[RunningApi]:
    async with running_api(Notes(), Health({}, CollectorRegistry())) as running:
        yield running


@pytest.fixture
async def complaints() -> list[str]:
    """What the browser has to say against the page."""
    return []


@pytest.fixture
async def page(api: RunningApi, complaints: list[str]) -> AsyncIterator[Page]:
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        page = await browser.new_page(viewport={"width": 1200, "height": 1400})
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda sent: complaints.append(sent.url) if not _ours(sent.url, api) else None)
        await page.goto(f"{api.url}/docs")
        yield page
        await browser.close()


def _ours(url: str, api: RunningApi) -> bool:
    return url.startswith((api.url, "data:"))


async def test_an_operation_can_be_tried_out_signed_in(page: Page, complaints: list[str], tmp_path: Path) -> None:
    await page.click("button.authorize")
    await page.fill(".auth-container input", token("usr_7", Role.DRIVER))
    await page.click(".auth-btn-wrapper .authorize")
    await page.click(".btn-done")
    await page.click("#operations-notes-notes_make .opblock-summary-control")
    await page.fill("#operations-notes-notes_make textarea", '{"text": "from the page"}')
    await page.click("#operations-notes-notes_make .execute")
    answer = page.locator("#operations-notes-notes_make .live-responses-table")
    await answer.wait_for()
    await page.screenshot(path=tmp_path / "docs.png")

    assert "200" in await answer.locator("tr.response .response-col_status").inner_text()
    assert '"owner": "usr_7"' in await answer.inner_text()
    assert complaints == []


async def test_every_operation_is_there_and_the_errors_are_a_click_away(page: Page, complaints: list[str]) -> None:
    await page.wait_for_selector("#operations-service-service_livez")
    operations = await page.locator(".opblock").count()
    await page.click("text=Errors")
    await page.wait_for_selector("#not_found, #invalid_input")

    assert operations == 7
    assert complaints == []
