"""A display whose hub, network or database fails: it says so, and comes back by itself where it was."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

import pytest
from playwright.async_api import Browser, Route, expect

from tests.support.browser import needs_chromium
from tests.support.display import Display, a_garage, display, say
from tests.support.hub import Servers, reading, sensors
from tests.support.product import RunningProduct, running_product
from tests.support.proxy import proxy_to
from tests.support.services import MongodServer, eventually

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), needs_chromium]


def kinds_of_frames(sign: Display) -> list[str]:
    """What the newest connection heard of lots."""
    return [frame["type"] for frame in sign.tab.heard[-1] if frame["type"] in ("snapshot", "delta")]


async def test_a_restart_of_the_hub_is_seen_and_survived(browser: Browser, servers: Servers) -> None:
    lot = a_garage("restart")
    async with sensors(servers.mqtt_url) as sensor, AsyncExitStack() as stays_open:
        async with running_product(servers, [lot]) as product:
            await say(sensor, lot)
            url = f"{product.url}/display/restart"
            sign = await stays_open.enter_async_context(display(browser, url, clock=True))
            await sign.shows("10")
        await sign.tab.page.clock.fast_forward(9_000)
        await sign.is_live()
        await sign.tab.page.clock.fast_forward(2_000)
        await sign.is_old()
        await sign.shows("10")
        await sensor.publish("autospot/v1/restart/P0-0/reading", reading(True), qos=1)
        async with running_product(servers, port=product.port):
            await sign.tab.page.clock.fast_forward(30_000)
            await sign.is_live()
            await sign.shows("9")
            assert "snapshot" not in kinds_of_frames(sign), "it goes on from where it was"


async def test_a_kiosk_takes_up_the_pages_of_a_new_version(browser: Browser, servers: Servers) -> None:
    async with AsyncExitStack() as stays_open:
        async with running_product(servers, [a_garage("version")], version="autospot/1") as product:
            url = f"{product.url}/display/version?kiosk"
            sign = await stays_open.enter_async_context(display(browser, url, clock=True))
            await sign.shows("?")
            await sign.tab.page.evaluate("document.documentElement.dataset.version = 'old'")
        async with running_product(servers, port=product.port, version="autospot/2"):
            await sign.tab.page.clock.fast_forward(30_000)
            await expect(sign.tab.page.locator("html[data-version=old]")).to_have_count(0)
            await sign.shows("?")


async def test_a_number_that_is_long_past_leaves_the_sign(browser: Browser, product: RunningProduct) -> None:
    lot = a_garage("long-past")
    await product.put(lot)
    async with proxy_to(product.url) as proxy, sensors(product.mqtt_url) as sensor:
        await say(sensor, lot)
        async with display(browser, f"{proxy.url}/display/long-past", clock=True) as sign:
            await sign.shows("10")
            proxy.mute()
            await sign.tab.page.clock.fast_forward(6 * 60_000)
            await sign.is_old()
            await sign.shows("–")
            proxy.unmute()
            await sign.tab.page.clock.fast_forward(40_000)
            await sign.is_live()
            await sign.shows("10")


async def test_a_line_that_is_dead_but_not_cut_is_noticed(browser: Browser, product: RunningProduct) -> None:
    lot = a_garage("half-open")
    await product.put(lot)
    async with proxy_to(product.url) as proxy, sensors(product.mqtt_url) as sensor:
        await say(sensor, lot)
        async with display(browser, f"{proxy.url}/display/half-open", clock=True) as sign:
            await sign.shows("10")
            proxy.mute()
            await sensor.publish("autospot/v1/half-open/P0-0/reading", reading(True), qos=1)
            await sign.tab.page.clock.fast_forward(20_000)
            await sign.is_live()
            await sign.tab.page.clock.fast_forward(6_000)
            await sign.is_old()
            assert len(sign.tab.heard) == 1
            await sign.tab.page.clock.fast_forward(12_000)
            await sign.tab.page.clock.fast_forward(1_000)
            await eventually(lambda: len(sign.tab.heard) == 2, what="it connects anew")
            proxy.unmute()
            await sign.is_live()
            await sign.shows("9")


async def test_a_line_that_is_cut_again_and_again_ends_with_the_right_number(
    browser: Browser, product: RunningProduct
) -> None:
    lot = a_garage("cuts", {"P0": {"general": 30}, "P1": {"general": 30}})
    await product.put(lot)
    async with proxy_to(product.url) as proxy, sensors(product.mqtt_url) as sensor:
        await say(sensor, lot)
        async with display(browser, f"{proxy.url}/display/cuts", clock=True) as sign:
            await sign.shows("60")
            for number in range(30):
                await sensor.publish(f"autospot/v1/cuts/P{number % 2}-{number}/reading", reading(True), qos=1)
                if number % 5 == 0:
                    proxy.cut()
                    await sign.tab.page.clock.fast_forward(10_000)
            await sign.shows("30")
            await sign.is_live()
            assert len(sign.tab.heard) > 3


@pytest.mark.slow
async def test_a_hub_without_its_database_says_that_its_numbers_are_old(
    browser: Browser, broker_url: str, make_mongod: Callable[..., MongodServer]
) -> None:
    mongod = await asyncio.to_thread(make_mongod)
    lot = a_garage("no-database")
    servers = Servers(mongod.url, "test_no_database", broker_url)
    async with running_product(servers, [lot]) as product, sensors(broker_url) as sensor:
        await say(sensor, lot)
        async with display(browser, f"{product.url}/display/no-database") as sign:
            await sign.shows("10")
            await asyncio.to_thread(mongod.kill)
            await eventually(lambda: product.live.behind_since_ms is not None, deadline_seconds=20)
            product.beat()
            await sign.is_old()
            await asyncio.to_thread(mongod.start)
            await eventually(lambda: product.live.behind_since_ms is None, deadline_seconds=20)
            product.beat()
            await sign.is_live()


async def test_a_slow_network_delays_the_sign_and_no_more(browser: Browser, product: RunningProduct) -> None:
    lot = a_garage("slow")
    await product.put(lot)
    seen = asyncio.Event()

    async def once_seen(route: Route) -> None:
        await seen.wait()
        await route.continue_()

    async with sensors(product.mqtt_url) as sensor:
        await say(sensor, lot)
        async with display(browser, "about:blank") as sign:
            page = sign.tab.page
            network = await page.context.new_cdp_session(page)
            slow = {"offline": False, "latency": 100, "downloadThroughput": 64_000, "uploadThroughput": 32_000}
            await network.send("Network.enable")
            await network.send("Network.emulateNetworkConditions", slow)
            await page.route("**/layout", once_seen)
            await page.goto(f"{product.url}/display/slow")
            await sign.says("Connecting")
            await expect(page.locator(".figure")).to_have_count(0)
            seen.set()
            await sign.shows("10")
            await sign.is_live()
