"""Lots are stored once per content, one version at a time, and every running process is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from autospot.domain.errors import Conflict, NotFound
from autospot.domain.lot import Bay, Lot, SensorRef
from autospot.domain.lot_files.generate import generate_lot, generate_lots
from autospot.services.registry import Registry
from autospot.storage import lots as stored_lots
from autospot.storage.lots import Lots, Saved
from autospot.storage.mongo import Database
from tests.support.lots import a_lot

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


@pytest.fixture
async def database(mongo_url: str, mongo_db_name: str) -> AsyncIterator[Database]:
    database = Database(mongo_url, mongo_db_name)
    await database.prepare(stored_lots.INDEXES)
    yield database
    database.close()


@pytest.fixture
def lots(database: Database) -> Lots:
    return Lots(database)


def watched(*sensors: str) -> list[Bay]:
    """One bay per sensor, `1`, `2`, …"""
    return [
        Bay(bay=str(number), level="L0", sensor=SensorRef(id=sensor)) for number, sensor in enumerate(sensors, start=1)
    ]


async def imported(lots: Lots, *wanted: Lot) -> list[Saved]:
    return [saved async for saved in Registry(lots).import_lots(wanted, NOW)]


async def announced(database: Database) -> list[dict[str, Any]]:
    return [entry["layouts"] async for entry in database.collection("feed").find().sort("stamp", 1)]


async def test_a_new_lot_is_stored_as_version_one_and_announced(lots: Lots, database: Database) -> None:
    lot = generate_lot("east", 60)
    assert await imported(lots, lot) == [
        Saved("east", "added", 1, 60, added_bays=tuple(bay.bay for bay in lot.bays)),
    ]
    assert await Registry(lots).lot("east") == lot.model_copy(update={"version": 1})
    assert await announced(database) == [{"east": 1}]


async def test_a_lot_that_says_nothing_new_keeps_its_version_and_is_not_announced(
    lots: Lots, database: Database
) -> None:
    await imported(lots, a_lot("east"))
    again = a_lot("east").model_copy(update={"version": 7})
    assert [(saved.outcome, saved.version) for saved in await imported(lots, again)] == [("unchanged", 1)]
    assert await announced(database) == [{"east": 1}]


async def test_a_changed_lot_gets_the_next_version_and_tells_which_bays_came_and_went(
    lots: Lots, database: Database
) -> None:
    await imported(lots, a_lot("east", [Bay(bay="1", level="L0"), Bay(bay="2", level="L0")]))
    changed = a_lot("east", [Bay(bay="2", level="L0"), Bay(bay="3", level="L0")])
    assert await imported(lots, changed) == [Saved("east", "changed", 2, 2, ("3",), ("1",))]
    assert [bay.bay for bay in (await Registry(lots).lot("east")).bays] == ["2", "3"]
    assert await announced(database) == [{"east": 1}, {"east": 2}]


async def test_a_lot_nobody_has_imported_is_not_found(lots: Lots) -> None:
    with pytest.raises(NotFound):
        await Registry(lots).lot("nowhere")


async def test_twenty_imports_of_one_lot_at_once_count_every_version_once(lots: Lots, database: Database) -> None:
    variants = [a_lot("east", bays) for bays in range(1, 21)]
    versions = await asyncio.gather(*(imported(lots, lot) for lot in variants))
    assert sorted(saved.version for (saved,) in versions) == list(range(1, 21))
    assert await announced(database) == [{"east": version} for version in range(1, 21)]


async def test_the_same_file_imported_twice_at_once_is_one_version(lots: Lots) -> None:
    both = await asyncio.gather(imported(lots, a_lot("east")), imported(lots, a_lot("east")))
    assert sorted((saved.outcome, saved.version) for (saved,) in both) == [("added", 1), ("unchanged", 1)]


async def test_a_sensor_is_found_by_its_id_wherever_it_is_moved(lots: Lots) -> None:
    await imported(lots, a_lot("east", watched("s-1", "s-2")))
    await imported(lots, a_lot("east", watched("s-2", "s-3")))
    found = [await lots.find_sensor(sensor) for sensor in ("s-1", "s-2", "s-3")]
    assert [sensor and (sensor.lot, sensor.bay) for sensor in found] == [None, ("east", "1"), ("east", "2")]


async def test_one_import_may_hand_a_sensor_from_one_lot_to_another(lots: Lots) -> None:
    await imported(lots, a_lot("east", watched("s-1")), a_lot("west", watched("s-2")))
    await imported(lots, a_lot("east", watched("s-2")), a_lot("west", watched("s-3")))
    found = await lots.find_sensor("s-2")
    assert found is not None
    assert found.lot == "east"


async def test_a_sensor_of_another_lot_is_refused_and_nothing_is_changed(lots: Lots, database: Database) -> None:
    await imported(lots, a_lot("east", watched("s-1")))
    with pytest.raises(Conflict, match=r"'s-1' watches bay '1' of lot 'east'"):
        await imported(lots, a_lot("west", watched("s-1")))
    assert await lots.load("west") is None
    assert await announced(database) == [{"east": 1}]


async def test_native_sensors_named_after_their_bay_may_be_in_every_lot(lots: Lots) -> None:
    outcomes = await imported(lots, *(a_lot(code, heartbeat_seconds=60) for code in ("east", "west")))
    assert [saved.outcome for saved in outcomes] == ["added", "added"]
    assert await lots.find_sensor("B00000") is None


async def test_two_lots_that_claim_one_sensor_at_once_do_not_both_get_it(lots: Lots) -> None:
    claims = (imported(lots, a_lot(code, watched("s-1"))) for code in ("east", "west", "north", "south"))
    outcomes = await asyncio.gather(*claims, return_exceptions=True)
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 3
    assert len([stored async for stored in lots.load_all()]) == 1


async def test_many_lots_come_back_in_the_order_of_their_codes(lots: Lots) -> None:
    wanted = list(generate_lots(60, 20))
    outcomes = await imported(lots, *reversed(wanted))
    assert [saved.lot for saved in outcomes] == [lot.lot for lot in reversed(wanted)]
    assert [stored.lot.model_copy(update={"version": 0}) async for stored in lots.load_all()] == wanted
