"""Vehicles: plates that only their owner reads, that are matched without being read, and forgotten in time."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from autospot.domain.accounts.vehicle import PLATE_MEMORY, VEHICLES_PER_ACCOUNT, Vehicle
from autospot.domain.audit import SYSTEM
from autospot.domain.errors import AutoSpotError, Conflict, NotFound, PreconditionFailed
from autospot.services.keys import Unreadable
from autospot.storage.mongo import Database
from tests.support.people import SECRET, Town, a_town

DORA, CARL = "usr_dora", "usr_carl"


async def add(town: Town, typed: str = "B-AB 1234", owner: str = DORA, country: str = "DE") -> Vehicle:
    return await town.people.garage.add(owner, country, typed, "the red one", SYSTEM)


async def test_an_owner_sees_the_plate_as_it_was_entered(town: Town) -> None:
    added = await add(town, "b-ab 1234")
    [seen] = await town.people.garage.of_owner(DORA)
    assert seen == added
    assert seen.plate.shown == "B-AB 1234"


async def test_nobody_else_reaches_it(town: Town) -> None:
    vehicle = await add(town)
    garage = town.people.garage
    with pytest.raises(NotFound):
        await garage.get(CARL, vehicle.id)
    with pytest.raises(NotFound):
        await garage.change(CARL, vehicle.id, SYSTEM, label="mine now")
    with pytest.raises(NotFound):
        await garage.remove(CARL, vehicle.id, SYSTEM)
    assert await garage.get(DORA, vehicle.id) == vehicle


async def test_one_plate_is_on_a_list_once_however_it_is_written(town: Town) -> None:
    await add(town, "B-AB 1234")
    with pytest.raises(Conflict) as refused:
        await add(town, "bab1234")
    assert refused.value.code == "plate_taken"
    await add(town, "bab1234", owner=CARL)


async def test_ten_equal_plates_at_once_become_one(town: Town) -> None:
    outcomes = await asyncio.gather(*(add(town) for _ in range(10)), return_exceptions=True)
    assert len([outcome for outcome in outcomes if isinstance(outcome, Vehicle)]) == 1
    assert all(isinstance(outcome, Vehicle | AutoSpotError) for outcome in outcomes)


async def test_a_list_has_an_end(town: Town) -> None:
    for number in range(VEHICLES_PER_ACCOUNT):
        await add(town, f"B-AB {number + 1}")
    with pytest.raises(Conflict) as refused:
        await add(town, "B-AB 9999")
    assert refused.value.code == "too_many_vehicles"


async def test_a_change_needs_the_version_that_was_read(town: Town) -> None:
    vehicle = await add(town)
    change = town.people.garage.change
    changed = await change(DORA, vehicle.id, SYSTEM, label="the blue one", typed="B-XY 77", versions={1})

    assert (changed.label, changed.plate.text, changed.version) == ("the blue one", "BXY77", 2)
    with pytest.raises(PreconditionFailed):
        await change(DORA, vehicle.id, SYSTEM, label="other", versions={1})


async def test_a_plate_cannot_be_changed_into_one_that_is_on_the_list(town: Town) -> None:
    await add(town, "B-AB 1")
    second = await add(town, "B-AB 2")
    with pytest.raises(Conflict):
        await town.people.garage.change(DORA, second.id, SYSTEM, typed="BAB1")


async def test_the_database_holds_no_plate_in_the_clear(town: Town) -> None:
    vehicle = await add(town)
    await town.people.garage.change(DORA, vehicle.id, SYSTEM, typed="B-XY 77")
    raw = town.database.collection("vehicles").database
    stored = [repr(row) for name in await raw.list_collection_names() async for row in raw[name].find()]

    assert any(vehicle.id in text for text in stored)
    assert not [text for text in stored if "BAB1234" in text or "B-AB" in text or "BXY77" in text or "B-XY" in text]
    assert "1234" not in repr(vehicle)


async def test_a_camera_finds_the_owners_of_a_plate(town: Town) -> None:
    dora, carl = await add(town), await add(town, "BAB1234", owner=CARL)
    assert await town.people.garage.owners_of_plate("DE", "B AB 1234") == {DORA: dora.id, CARL: carl.id}
    assert await town.people.garage.owners_of_plate("AT", "B AB 1234") == {}


async def stored_ids(town: Town) -> list[str]:
    return [row["_id"] async for row in town.database.collection("vehicles").find()]


async def test_a_vehicle_that_never_parked_is_erased_when_it_is_removed(town: Town) -> None:
    vehicle = await add(town)
    await town.people.garage.remove(DORA, vehicle.id, SYSTEM)
    assert await town.people.garage.of_owner(DORA) == []
    await town.settle()
    assert await stored_ids(town) == []


async def test_a_plate_is_erased_thirty_days_after_it_last_parked(town: Town) -> None:
    vehicle = await add(town)
    await town.people.garage.parked(vehicle.id, town.clock.now() + timedelta(hours=2))
    await town.people.garage.remove(DORA, vehicle.id, SYSTEM)

    town.clock.move(PLATE_MEMORY)
    await town.people.garage.parked(vehicle.id, town.clock.now() - timedelta(days=10))  # it was still there, it seems
    town.clock.move(timedelta(hours=3))
    await town.settle()
    assert await stored_ids(town) == [vehicle.id]

    town.clock.move(timedelta(days=20))
    await town.settle()
    assert await stored_ids(town) == []


async def test_a_removed_plate_can_be_added_again(town: Town) -> None:
    vehicle = await add(town)
    await town.people.garage.parked(vehicle.id, town.clock.now())
    await town.people.garage.remove(DORA, vehicle.id, SYSTEM)
    again = await add(town)
    assert [listed.id for listed in await town.people.garage.of_owner(DORA)] == [again.id]


NEWER = "another secret for tests, newer than the first"


async def test_the_secret_can_be_replaced_without_losing_a_plate(town: Town, database: Database) -> None:
    vehicle = await add(town)
    both = a_town(database, secrets=(NEWER, SECRET))
    newer = a_town(database, secrets=(NEWER,))

    with pytest.raises(Conflict):
        await add(both)  # the old hash still means this plate
    assert await both.people.garage.owners_of_plate("DE", "BAB1234") == {DORA: vehicle.id}
    with pytest.raises(Unreadable):
        await newer.people.garage.of_owner(DORA)

    assert await both.people.garage.reseal() == 1
    assert await both.people.garage.reseal() == 0
    assert await newer.people.garage.of_owner(DORA) == [vehicle]
    assert await newer.people.garage.owners_of_plate("DE", "BAB1234") == {DORA: vehicle.id}
