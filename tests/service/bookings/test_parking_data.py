"""One's own bookings and sessions leave with an export, and open ones keep an account open."""

from __future__ import annotations

from autospot.services.desk.own_data import ParkingData
from autospot.storage.idempotency import Unkept
from autospot.storage.mongo import Database
from tests.support.bookings import at
from tests.support.office import CARL, DORA, a_harbour


async def test_an_export_holds_bookings_and_sessions_of_their_driver_alone(database: Database) -> None:
    harbour = await a_harbour(database)
    own_data = ParkingData(harbour.office.bookings, harbour.office.sessions)
    booked = await harbour.book()
    await harbour.until(at(10))
    await harbour.sensor(True)
    (row,) = await own_data.bookings(DORA)
    assert (row["id"], [event["what"] for event in row["events"]]) == (booked.id, ["booked", "arrive"])
    assert [row["booking"] for row in await own_data.sessions(DORA)] == [booked.id]
    assert (await own_data.bookings(CARL), await own_data.sessions(CARL)) == ([], [])


async def test_an_account_stays_while_something_is_open(database: Database) -> None:
    harbour = await a_harbour(database)
    own_data = ParkingData(harbour.office.bookings, harbour.office.sessions)
    booked = await harbour.book()
    assert await own_data.objection(DORA) == "you have an open booking: cancel it first"
    await harbour.office.changes.cancel(DORA, booked.id, Unkept())
    assert await own_data.objection(DORA) is None
    parked = await harbour.office.parking.begin(DORA, "harbour", "B00001", None, Unkept())
    assert await own_data.objection(DORA) == "you have a parking session that runs or is not paid"
    await harbour.office.parking.stop(DORA, parked.id, Unkept())
    assert await own_data.objection(DORA) is None
