"""What a bay was."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from api.lots import Lots
from autospot.domain.change import SensorChange
from autospot.storage.history import BayHistory
from autospot.storage.mongo import Database
from tests.support.api import RunningApi, running_api
from tests.support.lot_town import NOON_MS, Town


async def keep(history: BayHistory, *events: tuple[int, bool | None], bay: str = "B00000") -> None:
    await history.keep(
        ("harbour", SensorChange(bay, occupied, NOON_MS + minute * 60_000, NOON_MS + minute * 60_000))
        for minute, occupied in events
    )


async def spans(api: RunningApi, query: str = "") -> tuple[list[tuple[Any, str, str | None]], str | None]:
    page = (await api.call("GET", f"/v1/lots/harbour/bays/B00000/history{query}")).json
    shown = [(span["occupied"], span["from"][11:16], span["until"] and span["until"][11:16]) for span in page["data"]]
    return shown, page["next_cursor"]


async def test_history_is_told_in_spans_newest_first_whatever_order_it_came_in(
    api: RunningApi, history: BayHistory
) -> None:
    await keep(history, (30, True), (10, True), (20, False), (15, True), (40, None))
    await keep(history, (99, True), bay="B00001")

    assert await spans(api) == (
        [(None, "12:40", None), (True, "12:30", "12:40"), (False, "12:20", "12:30"), (True, "12:10", "12:20")],
        None,
    )


async def test_history_in_pages_is_the_same_history(api: RunningApi, history: BayHistory) -> None:
    await keep(history, *((minute, minute % 3 == 0) for minute in range(20)))
    whole, _ = await spans(api)
    in_pages: list[tuple[Any, str, str | None]] = []
    cursor: str | None = ""
    while cursor is not None:
        page, cursor = await spans(api, f"?limit=3&cursor={cursor}" if cursor else "?limit=3")
        assert len(page) <= 3
        in_pages += page

    assert in_pages == whole
    assert len(whole) == 14


async def test_a_span_with_very_many_readings_is_told_in_parts(
    api: RunningApi, history: BayHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.lots.EVENTS_READ_LIMIT", 5)
    await keep(history, *((minute, True) for minute in range(8)))
    first, cursor = await spans(api)
    rest, end = await spans(api, f"?cursor={cursor}")

    assert (first, rest, end) == ([(True, "12:03", None)], [(True, "12:00", "12:03")], None)


async def test_a_bay_without_history_has_an_empty_one(api: RunningApi) -> None:
    assert await spans(api) == ([], None)


async def test_an_outage_of_the_database_is_a_503_for_history_alone(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autospot.storage.mongo.SERVER_SELECTION_SECONDS", 0.05)
    away = Database("mongodb://127.0.0.1:9", "none")
    async with running_api(Lots(town.current, BayHistory(away)), clock=town.clock) as api:
        history = await api.call("GET", "/v1/lots/harbour/bays/B00000/history")
        state = await api.call("GET", "/v1/lots/harbour/state")
    away.close()

    assert (history.status, history.code) == (503, "unavailable")
    assert (state.status, orjson.loads(state.body)["lot"]) == (200, "harbour")
