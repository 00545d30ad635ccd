"""Live state: the snapshot of the websocket, polled."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

import pytest

from api.current import BEHIND_LIMIT_MS
from tests.support.api import RunningApi
from tests.support.lot_town import NOON_MS, Town
from tests.support.lots import a_lot


async def test_state_is_the_websockets_snapshot_with_the_position_as_its_etag(api: RunningApi, town: Town) -> None:
    town.sense("B00001", True)
    state = await api.call("GET", "/v1/lots/harbour/state")

    assert state.headers["ETag"] == '"e1:101"'
    assert {key: value for key, value in state.json.items() if key != "bays"} == {
        "lot": "harbour",
        "epoch": "e1",
        "rev": 101,
        "at": "2026-11-22T12:00:00.000Z",
        "layout": 0,
        "counts": town.live.lots["harbour"].counts(),
    }
    assert state.json["bays"]["B00001"] == {
        "state": "occupied",
        "occupied": True,
        "since": "2026-11-22T12:00:00.000Z",
        "at": "2026-11-22T12:00:00.000Z",
    }
    assert state.json["bays"]["B00000"]["stale"] is True


async def test_a_poll_costs_nothing_until_something_changed(api: RunningApi, town: Town) -> None:
    first = await api.call("GET", "/v1/lots/harbour/state")
    etag = {"If-None-Match": first.headers["ETag"]}
    unchanged = await api.call("GET", "/v1/lots/harbour/state", headers=etag)
    town.sense("B00001", True)
    changed = await api.call("GET", "/v1/lots/harbour/state", headers=etag)

    assert (unchanged.status, unchanged.body) == (304, b"")
    assert changed.status == 200
    assert changed.json["bays"]["B00001"]["state"] == "occupied"


async def test_equal_etags_have_equal_bytes(api: RunningApi, town: Town) -> None:
    first = await api.call("GET", "/v1/lots/harbour/state")
    town.clock.move(timedelta(minutes=1))
    second = await api.call("GET", "/v1/lots/harbour/state")

    assert (first.headers["ETag"], first.body) == (second.headers["ETag"], second.body)


async def test_a_new_layout_and_a_new_epoch_are_new_states(api: RunningApi, town: Town) -> None:
    etags = [(await api.call("GET", "/v1/lots/harbour/state")).headers["ETag"]]
    town.live.put_layout(a_lot("harbour", 2).model_copy(update={"version": 2}), 105)
    smaller = await api.call("GET", "/v1/lots/harbour/state")
    town.live.begin("e2", 105, [(a_lot("harbour", 2), 105)])
    etags += [smaller.headers["ETag"], (await api.call("GET", "/v1/lots/harbour/state")).headers["ETag"]]

    assert len(set(etags)) == 3
    assert len(smaller.json["bays"]) == smaller.json["layout"] == 2


def test_a_large_lot_in_a_storm_of_changes_takes_a_tenth_of_the_time_at_most(town: Town) -> None:
    town.stopwatch.cost = 0.030
    first = town.current.snapshot("harbour")
    town.sense("B00001", True)
    town.stopwatch.cost = 0.0
    soon = town.current.snapshot("harbour")
    town.stopwatch.now += 0.301
    later = town.current.snapshot("harbour")

    assert soon is first
    assert later.etag == "e1:101"


def test_only_so_many_snapshots_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.current.SNAPSHOTS_KEPT", 2)
    town = Town(a_lot("a", 1), a_lot("b", 1), a_lot("c", 1))
    first = town.current.snapshot("a")
    for lot in ("b", "c"):
        town.current.snapshot(lot)

    assert town.current.snapshot("a") is not first


@pytest.mark.parametrize("path", ["/state", "", "/layout", "/bays", "/bays/B00000", "/bays/B00000/history"])
async def test_a_lot_that_is_not_there_is_not_found_wherever_one_looks(api: RunningApi, path: str) -> None:
    for lot in ("nowhere", "x" * 65, quote("a/b", safe=""), quote("$ne")):
        answer = await api.call("GET", f"/v1/lots/{lot}{path}")
        assert (answer.status, answer.code) == (404, "not_found"), lot


@pytest.mark.parametrize("path", ["/harbour/state", "/harbour", "/harbour/bays", "/harbour/bays/B00000/history", ""])
async def test_what_is_not_live_is_not_shown_as_if_it_were(api: RunningApi, town: Town, path: str) -> None:
    town.live.behind_since_ms = NOON_MS - BEHIND_LIMIT_MS
    just_behind = await api.call("GET", f"/v1/lots{path}")
    town.live.behind_since_ms -= 1
    behind = await api.call("GET", f"/v1/lots{path}")
    town.live.behind_since_ms = None
    town.is_ready = False
    starting = await api.call("GET", f"/v1/lots{path}")

    assert just_behind.status == 200
    assert (behind.status, behind.code) == (starting.status, starting.code) == (503, "not_live")
    assert "Retry-After" in behind.headers
