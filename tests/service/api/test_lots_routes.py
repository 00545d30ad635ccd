"""What REST says of lots: from memory, except for histories."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import orjson
import pytest

from api.current import BEHIND_LIMIT_MS, CurrentLots
from api.lots import Lots
from autospot.clock import SetClock
from autospot.domain.bay import Claim, Closure
from autospot.domain.change import ClaimChange, Commit, FeedEntry, SensorChange
from autospot.domain.instant import to_ms
from autospot.domain.lot import Bay, Level, Lot, SensorRef
from autospot.domain.plan import Anchor, Door, Entrance, Node
from autospot.live import LiveLots
from autospot.storage.history import BayHistory
from autospot.storage.mongo import Database
from tests.support.api import NOON, Answer, RunningApi, running_api
from tests.support.lots import a_lot

NOON_MS = to_ms(NOON)


class Stopwatch:
    """Counts seconds only when told to: making a snapshot takes `cost`."""

    def __init__(self) -> None:
        self.now = 0.0
        self.cost = 0.0

    def __call__(self) -> float:
        self.now += self.cost
        return self.now


class Town:
    """Lots and what happens to them."""

    def __init__(self, *lots: Lot) -> None:
        self.live = LiveLots()
        self.live.begin("e1", 100, [(lot, 100) for lot in lots])
        self.clock = SetClock(NOON)
        self.stopwatch = Stopwatch()
        self.is_ready = True
        self.current = CurrentLots(self.live, self.clock, lambda: self.is_ready, self.stopwatch)

    def sense(self, bay: str, occupied: bool | None, lot: str = "harbour") -> None:
        change = SensorChange(bay, occupied, NOON_MS, NOON_MS)
        self._commit(FeedEntry("test", sensors={lot: [change]}))

    def claim(self, bay: str, claim: Claim | None = None, closure: Closure | None = None, lot: str = "harbour") -> None:
        self._commit(FeedEntry("test", claims={lot: [ClaimChange(bay, claim, closure)]}))

    def _commit(self, entry: FeedEntry) -> None:
        self.live.apply(Commit(self.live.rev + 1, entry, NOON_MS))


def placed(code: str, lat: float, lon: float, bays: int = 2) -> Lot:
    return a_lot(code, bays).model_copy(update={"anchor": Anchor(lat=lat, lon=lon)})


def a_garage() -> Lot:
    return Lot(
        lot="garage",
        name="Garage",
        time_zone="Europe/Berlin",
        capacity=3,
        levels=(Level(level="P1", name="Upper", max_height_metres=2.1), Level(level="P2", ordinal=-1)),
        bays=(
            Bay(bay="A1", level="P1", sensor=SensorRef(id="70b3d57ed0000001")),
            Bay(bay="A2", level="P1", kind="ev", charger_kw=22.0),
            Bay(bay="A3", level="P2", kind="disabled", bookable=False),
            Bay(bay="A4", level="P2", kind="ev"),
        ),
        nodes=(Node(node="n1", level="P1", x=0.0, y=0.0), Node(node="n2", level="P1", x=9.0, y=0.0)),
        entrances=(Entrance(entrance="E1", node="n1", name="North"),),
        doors=(Door(door="D1", node="n2", closed=True),),
    )


@pytest.fixture
def town() -> Town:
    return Town(a_lot("harbour", 6, kinds=("general", "ev")), a_garage())


@pytest.fixture
async def database(mongo_url: str, mongo_db_name: str) -> AsyncIterator[Database]:
    database = Database(mongo_url, mongo_db_name)
    yield database
    database.close()


@pytest.fixture
async def history(database: Database) -> BayHistory:
    return BayHistory(database)


@pytest.fixture
async def api(town: Town, history: BayHistory) -> AsyncIterator[RunningApi]:
    async with running_api(Lots(town.current, history), clock=town.clock) as running:
        yield running


async def lots_found(api: RunningApi, query: str = "") -> list[str]:
    answer = await api.call("GET", f"/v1/lots{query}")
    assert answer.status == 200, answer.body
    return [lot["lot"] for lot in answer.json["data"]]


# -- state


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


# -- lots


async def test_a_lot_says_what_a_driver_wants_to_know(api: RunningApi, town: Town) -> None:
    for bay, occupied in (("A1", False), ("A2", True), ("A4", False)):
        town.sense(bay, occupied, "garage")
    answer = await api.call("GET", "/v1/lots/garage")
    lot = answer.json

    assert answer.headers["ETag"] == '"e1:103"'
    assert (lot["places"], lot["free"], lot["free_by_kind"]) == (3, 2, {"general": 1, "ev": 1, "disabled": 0})
    assert lot["levels"][0] == {"level": "P1", "name": "Upper", "ordinal": 0, "max_height_metres": 2.1}
    assert lot["entrances"] == [{"code": "E1", "name": "North", "closed": False}]
    assert lot["doors"] == [{"code": "D1", "name": "", "closed": True}]
    assert lot["booking"]["minimum_minutes"] == 15
    assert lot["counts"]["total"]["occupied"] == 1
    assert lot["place"] is None


async def test_free_is_never_more_than_the_capacity_leaves(api: RunningApi, town: Town) -> None:
    for bay in ("A1", "A2", "A3", "A4"):
        town.sense(bay, False, "garage")
    town.sense("A2", True, "garage")
    town.sense("A3", True, "garage")

    assert (await api.call("GET", "/v1/lots/garage")).json["free"] == 1


async def test_the_plan_comes_without_the_sensors(api: RunningApi) -> None:
    answer = await api.call("GET", "/v1/lots/garage/layout")
    again = await api.call("GET", "/v1/lots/garage/layout", headers={"If-None-Match": answer.headers["ETag"]})

    assert [bay["bay"] for bay in answer.json["bays"]] == ["A1", "A2", "A3", "A4"]
    assert answer.json["entrances"] == [{"entrance": "E1", "node": "n1", "name": "North", "closed": False}]
    assert b"70b3d57ed0000001" not in answer.body
    assert again.status == 304


async def test_all_lots_are_listed_by_code_page_by_page() -> None:
    town = Town(*(a_lot(f"lot{number:02d}", 1) for number in range(25)))
    async with running_api(Lots(town.current, history=None), clock=town.clock) as api:  # type: ignore[arg-type]
        found: list[str] = []
        cursor = ""
        while True:
            page = (await api.call("GET", f"/v1/lots?limit=10{cursor}")).json
            found += [lot["lot"] for lot in page["data"]]
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"

    assert found == [f"lot{number:02d}" for number in range(25)]


async def test_lots_are_found_in_a_box_or_around_a_point_the_nearest_first() -> None:
    town = Town(
        placed("harbour", 53.5450, 9.9680),
        placed("station", 53.5530, 10.0060),
        placed("airport", 53.6300, 9.9880),
        a_lot("nowhere", 1),
    )
    async with running_api(Lots(town.current, history=None), clock=town.clock) as api:  # type: ignore[arg-type]
        everything = await lots_found(api)
        boxed = await lots_found(api, "?bbox=9.9,53.5,10.1,53.6")
        near_station = await lots_found(api, "?near=53.553,10.006")
        far_and_wide = await lots_found(api, "?near=53.553,10.006&radius_metres=20000")
        second_page = await lots_found(
            api,
            "?near=53.553,10.006&limit=1&cursor="
            + (await api.call("GET", "/v1/lots?near=53.553,10.006&limit=1")).json["next_cursor"],
        )
        nearest = (await api.call("GET", "/v1/lots?near=53.553,10.006")).json["data"][0]

    assert everything == ["airport", "harbour", "nowhere", "station"]
    assert boxed == ["harbour", "station"]
    assert near_station == ["station", "harbour"]
    assert far_and_wide == ["station", "harbour", "airport"]
    assert second_page == ["harbour"]
    assert (nearest["distance_metres"], nearest["place"]) == (0.0, {"lat": 53.553, "lon": 10.006})


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("bbox=1,2,3", "/query/bbox"),
        ("bbox=0,50,1,40", "/query/bbox"),
        ("near=north", "/query/near"),
        ("near=nan,nan", "/query/near"),
        ("near=53,10&bbox=1,2,3,4", "/query"),
        ("radius_metres=5", "/query"),
        ("near=53,10&radius_metres=0", "/query/radius_metres"),
        ("cursor=AAAA", "/query/cursor"),
    ],
)
async def test_a_search_that_makes_no_sense_is_refused_with_its_place(api: RunningApi, query: str, place: str) -> None:
    answer = await api.call("GET", f"/v1/lots?{query}")

    assert (answer.status, answer.json["errors"][0]["at"]) == (422, place)


# -- bays


def codes(answer: Answer) -> list[str]:
    return [bay["bay"] for bay in answer.json["data"]]


async def test_bays_are_chosen_by_kind_and_state(api: RunningApi, town: Town) -> None:
    town.sense("B00000", False)
    town.sense("B00001", False)
    town.sense("B00002", True)
    town.claim("B00003", closure=Closure("roadworks"))
    path = "/v1/lots/harbour/bays"

    assert codes(await api.call("GET", path)) == [f"B0000{number}" for number in range(6)]
    assert codes(await api.call("GET", f"{path}?kind=ev")) == ["B00001", "B00003", "B00005"]
    assert codes(await api.call("GET", f"{path}?state=free")) == ["B00000", "B00001"]
    assert codes(await api.call("GET", f"{path}?state=free&state=occupied&kind=general")) == ["B00000", "B00002"]
    assert codes(await api.call("GET", f"{path}?state=out_of_service")) == ["B00003"]


async def test_bays_come_in_pages_in_the_order_of_the_plan(api: RunningApi, town: Town) -> None:
    town.sense("B00000", True)
    first = await api.call("GET", "/v1/lots/harbour/bays?state=unknown&limit=3")
    town.sense("B00001", True)
    rest = await api.call("GET", f"/v1/lots/harbour/bays?state=unknown&limit=3&cursor={first.json['next_cursor']}")

    assert codes(first) == ["B00001", "B00002", "B00003"]
    assert codes(rest) == ["B00004", "B00005"]
    assert rest.json["next_cursor"] is None


@pytest.mark.parametrize("query", ["kind=boat", "state=full", "limit=1000", "kind=", "cursor=IjUi", "kind[]=ev"])
async def test_a_choice_that_makes_no_sense_is_refused(api: RunningApi, query: str) -> None:
    assert (await api.call("GET", f"/v1/lots/harbour/bays?{query}")).status == 422


async def test_one_bay_says_what_it_is_and_how_it_is(api: RunningApi, town: Town) -> None:
    town.sense("A2", True, "garage")
    town.claim("A2", Claim("reserved", NOON_MS + 1, NOON_MS + 3_600_000, "bkg_secret"), lot="garage")
    answer = await api.call("GET", "/v1/lots/garage/bays/A2")

    assert answer.headers["ETag"] == '"e1:102"'
    assert answer.json == {
        "bay": "A2",
        "level": "P1",
        "kind": "ev",
        "bookable": True,
        "charger_kw": 22.0,
        "max_height_metres": None,
        "rev": 102,
        "now": {
            "state": "occupied",
            "occupied": True,
            "since": "2026-11-22T12:00:00.000Z",
            "at": "2026-11-22T12:00:00.000Z",
            "claim": "reserved",
            "until": "2026-11-22T13:00:00.000Z",
            "conflict": True,
        },
    }


async def test_a_bay_that_is_not_there_is_not_found(api: RunningApi) -> None:
    for path in ("", "/history"):
        assert (await api.call("GET", f"/v1/lots/harbour/bays/nowhere{path}")).code == "not_found"


# -- history


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
