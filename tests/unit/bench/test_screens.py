"""Screens against a real websocket server that shows what the test plants."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bench.schedule import Load, Schedule, instant_text
from bench.screens import Screens
from bench.ws_wire import SUBPROTOCOL

START_MS = 1_795_000_000_000
LOAD = Load(lots=2, bays=3, rate=100, seconds=0.12, warmup_seconds=0.0, seed=5)

Serving = Callable[..., Awaitable[Screens]]


def truth(lot: str) -> dict[str, Any]:
    """What the gate wants to see of `lot` at the end."""
    said = Schedule(LOAD, START_MS).newest_by_lot()[lot]
    return {bay: a_view(occupied=word.occupied, at_ms=word.at_ms) for bay, word in said.items()}


def a_view(*, occupied: bool | None, at_ms: int | None) -> dict[str, Any]:
    at = instant_text(at_ms or 0)
    return {"state": "occupied" if occupied else "free", "occupied": occupied, "since": at, "at": at}


@pytest.fixture
async def serving() -> Any:
    """Starts a server that sends `frames(lot)` after each hello, and gives screens that point at it."""
    servers: list[TestServer] = []
    opened: list[Screens] = []

    async def start(frames: Callable[[str], list[dict[str, Any]]], *, parse: bool = True) -> Screens:
        async def live(request: web.Request) -> web.WebSocketResponse:
            ws = web.WebSocketResponse(protocols=(SUBPROTOCOL,))
            await ws.prepare(request)
            lot = (await ws.receive_json())["subscriptions"][0]["lot"]
            for frame in frames(lot):
                await ws.send_json({"lot": lot, "rev": 1, **frame})
            await ws.receive()
            return ws

        app = web.Application()
        app.router.add_get("/v1/live", live)
        server = TestServer(app)
        await server.start_server()
        servers.append(server)
        assert server.port is not None
        opened.append(Screens(server.port, parse=parse, load=LOAD, total=LOAD.lots))
        return opened[-1]

    yield start
    for screens in opened:
        screens.leave()
    for server in servers:
        await server.close()


async def until(ask: Callable[[], Awaitable[dict[str, Any]]], seen: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The first answer that shows it, asked for at most five seconds."""
    async with asyncio.timeout(5):
        while not seen(answer := await ask()):  # noqa: ASYNC110 (the screens count without telling)
            await asyncio.sleep(0.01)
        return answer


def a_snapshot(lot: str) -> list[dict[str, Any]]:
    return [{"type": "welcome"}, {"type": "snapshot", "bays": truth(lot)}]


async def test_screens_that_show_the_truth_pass_the_gate(serving: Serving) -> None:
    screens = await serving(a_snapshot)
    await screens.connect(2)
    await screens.expect(START_MS)
    report = await screens.report()
    assert [verdict["passed"] for verdict in report["verdicts"]] == [True]
    assert report["faults"] == 0


async def test_one_planted_wrong_bay_fails_the_gate_on_screens_and_on_fresh_snapshots(serving: Serving) -> None:
    def planted(lot: str) -> list[dict[str, Any]]:
        bays = truth(lot)
        if lot == "L001":
            wrong = bays["B00002"]
            wrong["occupied"] = not wrong["occupied"]
            wrong["state"] = "occupied" if wrong["occupied"] else "free"
        return [{"type": "snapshot", "bays": bays}]

    screens = await serving(planted)
    await screens.connect(2)
    await screens.expect(START_MS)
    verdict = (await screens.report())["verdicts"][0]
    assert (verdict["passed"], verdict["wrong"]) == (False, 1)
    assert "L001/B00002" in verdict["examples"][0]
    assert (await screens.look())["wrong"] == 1


async def test_what_was_never_shown_is_missing_when_the_wait_is_over(serving: Serving) -> None:
    screens = await serving(lambda _: [{"type": "snapshot", "bays": {}}])
    await screens.connect(2)
    await screens.expect(START_MS)
    settled = await screens.settle(within_seconds=0.05)
    assert settled["missing"] == LOAD.readings


async def test_a_server_that_says_bye_is_a_fault(serving: Serving) -> None:
    screens = await serving(lambda lot: [*a_snapshot(lot), {"type": "bye", "code": 4200, "message": "too slow"}])
    await screens.connect(1)
    await screens.expect(START_MS)
    report = await until(screens.report, lambda told: told["faults"] > 0)
    assert report["faults"] == 1
    assert "too slow" in report["fault_examples"][0]


async def test_drainers_count_frames_after_their_snapshot(serving: Serving) -> None:
    screens = await serving(lambda lot: [*a_snapshot(lot), *[{"type": "delta"}] * 5], parse=False)
    await screens.connect(2)
    traffic = await until(screens.traffic, lambda told: told["frames"] >= 10)
    assert traffic["frames"] == 10
    assert traffic["bytes"] > 10 * 30
