"""An entrance display in a real browser, on a real hub: what a driver sees."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from autospot.domain.lot import Lot
from autospot.domain.plan import Sign
from tests.support.browser import needs_chromium
from tests.support.display import LANDSCAPE, PORTRAIT, SMALL, a_garage, display, say
from tests.support.hub import reading, sensors
from tests.support.product import RunningProduct

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), needs_chromium]

SITES = Path(__file__).parents[3] / "sites"


def the_harbour(code: str) -> Lot:
    """The example garage under another code, and without sensors of its own."""
    lot = json.loads((SITES / "harbour.json").read_text())["lots"][0]
    return Lot.model_validate(lot | {"lot": code, "bays": [bay | {"sensor": None} for bay in lot["bays"]]})


async def test_a_car_drives_onto_a_bay_and_the_sign_counts_one_less(browser: Browser, product: RunningProduct) -> None:
    lot = a_garage("drive-in")
    await product.put(lot)
    async with sensors(product.mqtt_url) as sensor, display(browser, f"{product.url}/display/drive-in/gate") as sign:
        await say(sensor, lot)
        await sign.shows("10")
        await sensor.publish("autospot/v1/drive-in/P1-0/reading", reading(True), qos=1)
        await sign.shows("9")
        await sign.shows_level("P0", "4")
        await sign.shows_level("P1", "5")
        await sign.shows_kind("Standard", "6")
        await sign.shows_kind("Charging", "2")


async def test_a_full_lot_says_so_in_a_word(browser: Browser, product: RunningProduct) -> None:
    lot = a_garage("full")
    await product.put(lot)
    async with sensors(product.mqtt_url) as sensor, display(browser, f"{product.url}/display/full?lang=de") as sign:
        await say(sensor, lot, occupied={bay.bay for bay in lot.bays if bay.level == "P1"})
        await sign.shows("4")
        await sign.shows_level("P1", "BESETZT")
        await sign.shows_kind("Laden", "BESETZT")
        await say(sensor, lot, occupied={bay.bay for bay in lot.bays})
        await sign.shows("BESETZT")
        await sensor.publish("autospot/v1/full/P0-0/reading", reading(False), qos=1)
        await sign.shows("1")


async def test_what_nobody_knows_is_neither_free_nor_full(browser: Browser, product: RunningProduct) -> None:
    lot = a_garage("silent")
    await product.put(lot)
    async with sensors(product.mqtt_url) as sensor, display(browser, f"{product.url}/display/silent") as sign:
        await sign.shows("?")
        await say(sensor, lot, silent=2)
        await sign.shows("8")
        await sign.shows_kind("Charging", "?")
        await sign.says("2 places not reporting")


async def test_a_sign_inside_shows_its_own_level(browser: Browser, product: RunningProduct) -> None:
    lot = a_garage("inside", signs=(Sign(sign="ramp", name="Ramp to P1", levels=("P1",)),))
    await product.put(lot)
    async with sensors(product.mqtt_url) as sensor, display(browser, f"{product.url}/display/inside/ramp") as sign:
        await say(sensor, lot, occupied={"P0-0", "P1-0"})
        await sign.shows("5")
        await sign.says("Ramp to P1")
        await expect(sign.tab.page.locator(".level")).to_have_count(0)


async def test_a_lot_that_is_one_number_sends_only_counts(browser: Browser, product: RunningProduct) -> None:
    lot = a_garage("street", {"street": {"general": 3}})
    await product.put(lot)
    async with sensors(product.mqtt_url) as sensor, display(browser, f"{product.url}/display/street") as sign:
        await say(sensor, lot, occupied={"street-0"})
        await sign.shows("2")
        assert all(frame.get("bays", {}) == {} for frame in sign.tab.heard[0])


async def test_the_sign_speaks_the_language_and_the_time_of_its_place(
    browser: Browser, product: RunningProduct
) -> None:
    lot = a_garage("auckland", time_zone="Pacific/Auckland", country="DE")
    await product.put(lot)
    url = f"{product.url}/display/auckland"
    async with display(browser, url, timezone_id="America/New_York") as sign:
        page = sign.tab.page
        await expect(page.locator("html")).to_have_attribute("lang", "de")
        there = await page.evaluate(
            "new Intl.DateTimeFormat('de-DE', {timeZone: 'Pacific/Auckland', hour: '2-digit', minute: '2-digit'})"
            ".formatToParts(Date.now()).map((part) => part.value).join('')"
        )
        shown = await page.locator(".clock").inner_text()
        assert _minutes(there) - _minutes(shown) in (0, 1, 1 - 24 * 60)


def _minutes(time: str) -> int:
    hours, minutes = re.fullmatch(r"(\d\d):(\d\d)", time).groups()  # type: ignore[union-attr]
    return int(hours) * 60 + int(minutes)


async def test_a_lot_that_is_imported_later_appears_by_itself(browser: Browser, product: RunningProduct) -> None:
    async with display(browser, f"{product.url}/display/later/gate") as sign:
        await sign.says("There is no car park “later” here")
        await product.put(a_garage("later", signs=()))
        await sign.says("This car park has no display “gate”")


async def test_a_changed_layout_is_followed_without_a_reload(browser: Browser, product: RunningProduct) -> None:
    lot = a_garage("grown")
    await product.put(lot)
    async with sensors(product.mqtt_url) as sensor, display(browser, f"{product.url}/display/grown") as sign:
        await say(sensor, lot)
        await sign.shows("10")
        grown = a_garage("grown", {"P0": {"general": 3}, "P1": {"general": 4, "ev": 2}, "P2": {"general": 9}})
        await product.put(grown)
        await say(sensor, grown)
        await sign.shows("18")
        await sign.shows_level("P2", "9")
        await expect(sign.tab.page.locator(".kind")).to_have_count(2)


async def test_nothing_moves_and_nothing_is_made_anew_when_numbers_change(
    browser: Browser, product: RunningProduct
) -> None:
    lot = a_garage("still", {"P0": {"general": 80, "ev": 20}, "P1": {"general": 12}})
    await product.put(lot)
    async with sensors(product.mqtt_url) as sensor, display(browser, f"{product.url}/display/still/gate") as sign:
        await say(sensor, lot)
        await sign.shows("112")
        before = await _boxes(sign.tab.page)
        await sign.tab.page.evaluate("document.querySelectorAll('#sign *').forEach((each) => (each.wasThere = true))")
        for occupied, total in ((13, "99"), (103, "9"), (112, "FULL")):
            await say(sensor, lot, occupied={bay.bay for bay in lot.bays[:occupied]})
            await sign.shows(total)
            assert await _boxes(sign.tab.page) == before
        assert await sign.tab.page.evaluate("[...document.querySelectorAll('#sign *')].every((each) => each.wasThere)")


async def _boxes(page: Page) -> list[list[float]]:
    """Where everything stands, but for the letters themselves."""
    chosen = "header, .clock, .total, .levels, .level, .level .figure, .kinds, .kind, .kind .figure, .icon, footer"
    return await page.eval_on_selector_all(  # type: ignore[no-any-return]
        chosen,
        "(all) => all.map((each) => each.getBoundingClientRect()).map((box) => [box.x, box.y, box.width, box.height])",
    )


@pytest.mark.parametrize(
    ("viewport", "path"),
    [
        (LANDSCAPE, "wall"),
        (PORTRAIT, "wall/sign-quay"),
        (SMALL, "wall/sign-quay?lang=de"),
        ({"width": 1920, "height": 360}, "wall/sign-hill"),
        ({"width": 480, "height": 800}, "wall/sign-p1?lang=de"),
    ],
    ids=lambda value: f"{value['width']}x{value['height']}" if isinstance(value, dict) else value.replace("/", "-"),
)
async def test_everything_fits_on_the_screen_and_all_can_use_it(
    browser: Browser, product: RunningProduct, viewport: Mapping[str, int], path: str
) -> None:
    lot = the_harbour("wall")
    if product.live.lot("wall") is None:
        await product.put(lot)
        async with sensors(product.mqtt_url) as sensor:
            await say(sensor, lot, occupied={bay.bay for bay in lot.bays if bay.kind != "general"}, silent=3)
    async with display(browser, f"{product.url}/display/{path}", viewport=viewport) as sign:
        await sign.is_live()
        page = sign.tab.page
        assert await page.evaluate("document.fonts.check('700 100px B612')")
        assert await page.evaluate(OVERFLOWING) == []
        assert await sign.tab.violations() == []


OVERFLOWING = """() => {
  const {scrollWidth, scrollHeight} = document.documentElement;
  const outside = (box) => box.left < -1 || box.right > innerWidth + 1 || box.top < -1 || box.bottom > innerHeight + 1;
  const boxOf = (each) => {
    const range = document.createRange();
    range.selectNodeContents(each);
    return range.getBoundingClientRect();
  };
  return [...document.querySelectorAll("#sign *")]
    .filter((each) => !each.closest(".spoken") && each.textContent.trim() && outside(boxOf(each)))
    .map((each) => each.className || each.tagName)
    .concat(scrollWidth > innerWidth || scrollHeight > innerHeight ? ["the page scrolls"] : []);
}"""
"""Texts that leave the screen."""


async def test_a_kiosk_hides_the_pointer_and_lets_its_pixels_rest(browser: Browser, product: RunningProduct) -> None:
    await product.put(a_garage("kiosk"))
    async with display(browser, f"{product.url}/display/kiosk?kiosk", clock=True) as sign:
        page = sign.tab.page
        await sign.shows("?")
        assert await page.evaluate("getComputedStyle(document.body).cursor") == "none"
        before = await page.locator(".plate").bounding_box()
        await page.clock.fast_forward(61_000)
        after = await page.locator(".plate").bounding_box()
        assert before is not None
        assert after is not None
        assert 0 < after["x"] - before["x"] < 5
