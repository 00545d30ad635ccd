"""A real Chromium for the tests, and what they ask of a page in it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, ConsoleMessage, Error, Page, WebSocket, async_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

QUIET = (
    "--no-sandbox",  # the tests run as root in containers
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
)

AXE = Path(__file__).parents[1] / "e2e/pages/vendor/axe-core/axe.min.js"

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None and "AUTOSPOT_TESTS_SKIP_NOTHING" not in os.environ, reason="needs a Chromium"
)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser that speaks to nobody but the tests."""
    assert CHROMIUM is not None, "a Chromium is needed to run these tests"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        try:
            yield browser
        finally:
            await browser.close()


class Tab:
    """A page with a memory: of what went wrong in it, and of what its websockets heard (newest connection last)."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.faults: list[str] = []
        self.heard: list[list[dict[str, Any]]] = []
        page.on("pageerror", self._failed)
        page.on("console", self._said)
        page.on("websocket", self._connected)

    def _failed(self, error: Error) -> None:
        self.faults.append(str(error))

    def _said(self, message: ConsoleMessage) -> None:
        is_network = "Failed to load resource" in message.text or "WebSocket connection" in message.text
        if message.type in ("error", "warning") and not is_network:
            self.faults.append(message.text)

    def _connected(self, socket: WebSocket) -> None:
        frames: list[dict[str, Any]] = []
        self.heard.append(frames)
        socket.on("framereceived", lambda text: frames.append(json.loads(text)))

    async def violations(self) -> list[str]:
        """The accessibility rules (axe-core) that the page breaks, each with where."""
        await self.page.evaluate(AXE.read_text())
        results = await self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [f"{each['id']}: {node['target']}" for each in results["violations"] for node in each["nodes"]]


@asynccontextmanager
async def tab(browser: Browser, **context: Any) -> AsyncIterator[Tab]:
    """A fresh tab, with Playwright's context options. Leaving it fails if the page itself failed."""
    async with await browser.new_context(**context) as fresh:
        opened = Tab(await fresh.new_page())
        yield opened
        assert opened.faults == []
