"""The page at `/`, and the files that pages are made of."""

from __future__ import annotations

import aiohttp
import pytest
from playwright.async_api import Browser, expect

from tests.support.browser import needs_chromium, tab
from tests.support.display import SMALL, a_garage
from tests.support.product import RunningProduct

pytestmark = pytest.mark.asyncio(loop_scope="session")


@needs_chromium
@pytest.mark.browser
async def test_the_index_leads_to_every_display(browser: Browser, product: RunningProduct) -> None:
    await product.put(a_garage("indexed", name="Indexed Garage"))
    async with tab(browser, viewport=SMALL) as opened:
        page = opened.page
        await page.goto(product.url)
        lot = page.locator(".lot").filter(has=page.get_by_role("heading", name="Indexed Garage"))
        await expect(lot.get_by_role("link", name="Display of Indexed Garage")).to_be_visible()
        await lot.get_by_text("Its signs").click()
        assert await opened.violations() == []
        await lot.get_by_role("link", name="Quay Street").click()
        await expect(page).to_have_url(f"{product.url}/display/indexed/gate")
        await expect(page.get_by_role("heading", name="Indexed Garage")).to_be_visible()


@pytest.mark.parametrize(
    ("path", "media", "keep"),
    [
        ("/", "text/html; charset=utf-8", "no-cache"),
        ("/display/harbour", "text/html; charset=utf-8", "no-cache"),
        ("/display/harbour/sign-quay", "text/html; charset=utf-8", "no-cache"),
        ("/assets/display/display.js", "text/javascript; charset=utf-8", "no-cache"),
        ("/assets/display/display.css", "text/css; charset=utf-8", "no-cache"),
        ("/assets/vendor/preact/preact.mjs", "text/javascript; charset=utf-8", "no-cache"),
        ("/assets/shared/icon.svg", "image/svg+xml; charset=utf-8", "no-cache"),
        ("/assets/vendor/b612/b612-latin-700-normal.woff2", "font/woff2", "public, max-age=604800"),
    ],
)
async def test_a_file_says_what_it_is_and_is_sent_once(
    product: RunningProduct, path: str, media: str, keep: str
) -> None:
    async with aiohttp.ClientSession() as client:
        async with client.get(product.url + path) as first:
            assert (first.status, first.headers["Content-Type"], first.headers["Cache-Control"]) == (200, media, keep)
            policy = first.headers["Content-Security-Policy"]
            assert "unsafe" not in policy
            assert "http" not in policy
            assert first.headers["X-Content-Type-Options"] == "nosniff"
        async with client.get(product.url + path, headers={"If-None-Match": first.headers["ETag"]}) as again:
            assert (again.status, await again.read()) == (304, b"")
        async with client.head(product.url + path) as head:
            assert (head.status, head.headers["Content-Length"]) == (200, first.headers["Content-Length"])


@pytest.mark.parametrize(
    "path",
    [
        "/assets/",
        "/assets/serve.py",
        "/assets/package.json",
        "/assets/vendor/MANIFEST.json",
        "/assets/vendor/preact/LICENSE",
        "/assets/shared/../serve.py",
        "/assets/shared/%2e%2e/serve.py",
        "/assets/shared/..%2f..%2fpyproject.toml",
        "/assets//etc/passwd",
        "/assets/display/index.html%00.js",
        "/display/",
        "/display/a b",
        "/display/a/b/c",
        "/display/" + "a" * 65,
    ],
)
async def test_nothing_else_is_served(product: RunningProduct, path: str) -> None:
    reader_path = path.replace(" ", "%20")
    async with (
        aiohttp.ClientSession() as client,
        client.get(aiohttp.client.URL(product.url + reader_path, encoded=True)) as answer,
    ):
        assert answer.status == 404
