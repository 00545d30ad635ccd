"""Who comes to the bay that was assigned to him: his session runs, without a word from him."""

from __future__ import annotations

import pytest

from autospot.domain.errors import Conflict
from autospot.domain.parking_session import ParkingSession
from autospot.services.assigning import session_of
from autospot.storage.idempotency import Unkept
from autospot.storage.mongo import Database
from autospot.storage.sessions import SessionQuery
from tests.support.bookings import at, between
from tests.support.office import BAY, CARL, DORA, Harbour, a_harbour, hourly


@pytest.fixture
async def harbour(database: Database) -> Harbour:
    harbour = await a_harbour(database, prices=hourly())
    await harbour.fill_wallet(1_000)
    return harbour


async def the_session(harbour: Harbour, owner: str = DORA) -> ParkingSession:
    (parked,) = await harbour.office.sessions.newest(SessionQuery(owner), 2)
    return parked


async def test_an_arrival_on_the_assigned_bay_begins_the_session(harbour: Harbour) -> None:
    made = await harbour.assign()
    await harbour.until(at(8, 5))
    await harbour.sensor(True, bay=made.bay)
    parked = await the_session(harbour)
    assert (parked.id, parked.kind, parked.state, parked.began_at) == (session_of(made), "app", "running", at(8, 5))
    assert (await harbour.office.assigning.find(DORA, made.id)).state == "arrived"
    assert await harbour.office.calendars.promises("harbour", made.bay) == []
    assert harbour.bay(made.bay).claim is None
    assert "session_began" in harbour.told()

    await harbour.until(at(9, 30))
    await harbour.sensor(False, bay=made.bay)
    left = await the_session(harbour)
    assert (left.state, left.ended_at, left.paid, await harbour.money()) == ("settled", at(9, 30), 400, 600)


async def test_what_stood_there_before_is_no_arrival(harbour: Harbour) -> None:
    made = await harbour.assign()
    await harbour.sensor(True, since=at(7, 59), bay=made.bay)
    assert (await harbour.office.assigning.find(DORA, made.id)).state == "waiting"
    assert await harbour.office.sessions.running_on("harbour", made.bay) is None


async def test_saying_that_one_is_parked_on_the_assigned_bay_is_arriving_too(harbour: Harbour) -> None:
    made = await harbour.assign()
    with pytest.raises(Conflict) as refusal:
        await harbour.office.parking.begin(CARL, "harbour", made.bay, None, Unkept())
    assert refusal.value.code == "bay_claimed"
    begun = await harbour.office.parking.begin(DORA, "harbour", made.bay, None, Unkept())
    await harbour.sensor(True, bay=made.bay)
    assert (await the_session(harbour)).id == begun.id
    assert (await harbour.office.assigning.find(DORA, made.id)).state == "arrived"
    assert await harbour.office.calendars.promises("harbour", made.bay) == []


async def test_who_says_at_once_that_it_was_somebody_else_pays_nothing(harbour: Harbour) -> None:
    made = await harbour.assign()
    await harbour.sensor(True, bay=made.bay)
    await harbour.until(at(8, 10))
    stopped = await harbour.office.parking.stop(DORA, session_of(made), Unkept())
    assert (stopped.state, stopped.fee, stopped.paid, await harbour.money()) == ("settled", None, 0, 1_000)
    assert harbour.told(None) == ["bay_misused"]


async def test_who_says_so_later_pays(harbour: Harbour) -> None:
    made = await harbour.assign()
    await harbour.sensor(True, bay=made.bay)
    await harbour.until(at(8, 11))
    assert (await harbour.office.parking.stop(DORA, session_of(made), Unkept())).paid == 200


async def test_a_session_whose_end_nobody_saw_ends_when_the_next_begins_and_is_owed(harbour: Harbour) -> None:
    await harbour.office.parking.begin(CARL, "harbour", BAY, None, Unkept())
    await harbour.until(at(9, 30))
    made = await harbour.assign()
    assert made.bay == BAY
    await harbour.sensor(True, since=at(9, 30), bay=BAY)
    carls = await the_session(harbour, CARL)
    assert (carls.state, carls.ended_at, carls.fee and carls.fee.amount) == ("ended", at(9, 30), 400)
    assert (await the_session(harbour)).state == "running"


async def test_no_bay_is_assigned_whose_next_holder_could_come_meanwhile(database: Database) -> None:
    harbour = await a_harbour(database, bays=1)
    await harbour.book(between(9, 10), owner=CARL)
    await harbour.until(at(8, 31))
    with pytest.raises(Conflict) as refusal:
        await harbour.assign()
    assert refusal.value.code == "bay_taken"
