"""A plate is remembered as long as a dispute about parking may need it: every kind of session says when it ended."""

from __future__ import annotations

from datetime import datetime

import pytest

from autospot.storage.idempotency import Unkept
from autospot.storage.mongo import Database
from tests.support.bookings import at, between
from tests.support.office import BAY, DORA, Harbour, a_harbour, hourly


@pytest.fixture
async def harbour(database: Database) -> Harbour:
    harbour = await a_harbour(database, prices=hourly())
    await harbour.fill_wallet(1_000)
    return harbour


async def last_parked_at(harbour: Harbour, vehicle: str) -> datetime | None:
    return (await harbour.town.people.garage.get(DORA, vehicle)).last_parked_at


async def test_that_of_a_booking_from_the_arrival_to_the_departure(harbour: Harbour) -> None:
    vehicle = await harbour.vehicle()
    await harbour.book(between(10, 12), vehicle=vehicle)
    assert await last_parked_at(harbour, vehicle) is None
    await harbour.until(at(10))
    await harbour.sensor(True)
    assert await last_parked_at(harbour, vehicle) == at(12), "the end that is expected"
    await harbour.until(at(12, 40))
    await harbour.sensor(False)
    assert await last_parked_at(harbour, vehicle) == at(12, 40)


async def test_that_of_a_pass_holder(harbour: Harbour) -> None:
    vehicle = await harbour.vehicle()
    await harbour.pass_for(DORA)
    parked = await harbour.office.parking.begin(DORA, "harbour", BAY, vehicle, Unkept())
    assert (parked.kind, await last_parked_at(harbour, vehicle)) == ("pass", at(8))
    await harbour.until(at(9))
    await harbour.office.parking.stop(DORA, parked.id, Unkept())
    assert await last_parked_at(harbour, vehicle) == at(9)


async def test_that_of_a_booking_whose_driver_nobody_saw_leave(harbour: Harbour) -> None:
    vehicle = await harbour.vehicle()
    await harbour.book(between(10, 12), vehicle=vehicle)
    await harbour.until(at(10))
    await harbour.sensor(True)
    await harbour.sensor(None)
    await harbour.until(at(12))
    assert await last_parked_at(harbour, vehicle) == at(12)
