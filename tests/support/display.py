"""An entrance display as a test looks at it, and garages to show on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiomqtt
from playwright.async_api import Browser, expect

from autospot.domain.lot import Bay, BayKind, Lot
from autospot.domain.plan import Entrance, Level, Node, Sign
from tests.support.browser import Tab, tab
from tests.support.hub import reading

LANDSCAPE = {"width": 1920, "height": 1080}
PORTRAIT = {"width": 1080, "height": 1920}
SMALL = {"width": 800, "height": 480}

expect.set_options(timeout=10_000)


def a_garage(code: str, bays: Mapping[str, Mapping[BayKind, int]] | None = None, **more: Any) -> Lot:
    """A garage with the bays per level and kind, coded `P0-0`, `P0-1`, …, and a sign `gate` at its entrance on the
    first level."""
    bays = bays or {"P0": {"general": 3, "disabled": 1}, "P1": {"general": 4, "ev": 2}}
    first = next(iter(bays))
    lot = {
        "name": "Harbour Garage",
        "time_zone": "Europe/Dublin",
        "country": "IE",
        "levels": tuple(Level(level=level, ordinal=number, name=f"Floor {level}") for number, level in enumerate(bays)),
        "bays": tuple(
            Bay(bay=f"{level}-{number}", level=level, kind=kind)
            for level, kinds in bays.items()
            for number, kind in enumerate(kind for kind, count in kinds.items() for _ in range(count))
        ),
        "nodes": (Node(node="in", level=first, x=0.0, y=0.0),),
        "entrances": (Entrance(entrance="in", node="in", name="Quay Street"),),
        "signs": (Sign(sign="gate", name="Quay Street", entrance="in"),),
    }
    return Lot(lot=code, **(lot | more))


async def say(sensor: aiomqtt.Client, lot: Lot, *, occupied: set[str] | None = None, silent: int = 0) -> None:
    """Every bay of `lot` speaks: those in `occupied` (default none) hold a car. The last `silent` bays say nothing."""
    taken = occupied or set()
    for bay in lot.bays[: len(lot.bays) - silent]:
        await sensor.publish(f"autospot/v1/{lot.lot}/{bay.bay}/reading", reading(bay.bay in taken), qos=1)


@dataclass
class Display:
    """A sign in a browser."""

    tab: Tab

    async def shows(self, total: str) -> None:
        """Waits until `total` is the large figure."""
        await expect(self.tab.page.locator(".total .figure")).to_have_text(total)

    async def shows_level(self, level: str, figure: str) -> None:
        row = self.tab.page.locator(".level").filter(has=self.tab.page.get_by_text(level, exact=True))
        await expect(row.locator(".figure")).to_have_text(figure)

    async def shows_kind(self, name: str, figure: str) -> None:
        tile = self.tab.page.locator(".kind").filter(has=self.tab.page.get_by_role("img", name=name))
        await expect(tile.locator(".figure")).to_have_text(figure)

    async def says(self, words: str) -> None:
        """Waits until the sign says so in words."""
        await expect(self.tab.page.locator("#sign")).to_contain_text(words)

    async def is_old(self) -> None:
        """Waits until the sign says that what it shows is no longer the present."""
        await expect(self.tab.page.locator(".board.is-old .notice")).to_contain_text("No live data since")

    async def is_live(self) -> None:
        await expect(self.tab.page.locator(".board:not(.is-old):not(:has(.notice))")).to_be_visible()


@asynccontextmanager
async def display(
    browser: Browser, url: str, *, viewport: Mapping[str, int] = SMALL, clock: bool = False, **context: Any
) -> AsyncIterator[Display]:
    """Opens the sign at `url`. With `clock` the test may let time pass through `tab.page.clock`."""
    async with tab(browser, viewport=viewport, **context) as opened:
        if clock:
            await opened.page.clock.install()
        await opened.page.goto(url)
        yield Display(opened)
