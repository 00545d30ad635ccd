"""What a monthly pass pays for: bookings, sessions begun by app and by arrival, and a stay that outlasts the pass.

The pass begins on Monday 26 November at 8 and ends on 26 December at 8; an hour costs 2.00.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from autospot.domain.parking_session import ParkingSession
from autospot.domain.period import Period
from autospot.domain.subscription import Subscription, SubscriptionState
from autospot.storage.idempotency import Unkept
from autospot.storage.mongo import Database
from autospot.storage.sessions import SessionQuery
from tests.support.bookings import at, between
from tests.support.lots import a_lot
from tests.support.office import BAY, CARL, DORA, Harbour, a_harbour, hourly

LAST_DAY = 30


@pytest.fixture
async def harbour(database: Database) -> Harbour:
    return await a_harbour(database, prices=hourly())


async def a_pass_that_ends(harbour: Harbour) -> Subscription:
    made = await harbour.pass_for(DORA)
    assert made.paid_until == at(8, day=LAST_DAY)
    return await harbour.subscribing.cancel(DORA, made.id)


async def the_session(harbour: Harbour) -> ParkingSession:
    (parked,) = await harbour.office.sessions.newest(SessionQuery(DORA), 2)
    return parked


# Bookings


async def test_a_booking_within_the_pass_costs_nothing(harbour: Harbour) -> None:
    await harbour.pass_for(DORA)
    booked = await harbour.book()
    assert booked.state == "confirmed"
    assert booked.price is not None
    assert (booked.price.total.amount, booked.paid, await harbour.money()) == (0, 0, 0)


async def test_what_lies_beyond_the_pass_is_paid(harbour: Harbour) -> None:
    await harbour.pass_for(DORA)
    await harbour.fill_wallet(1_000)
    assert (await harbour.book(between(6, 10, day=LAST_DAY))).paid == 400
    assert (await harbour.book(between(12, 14, day=LAST_DAY))).paid == 400
    assert (await harbour.book(between(6, 8, day=LAST_DAY), bay="B00001")).paid == 0


async def test_moving_a_booking_into_the_time_of_the_pass_brings_its_money_back(harbour: Harbour) -> None:
    await harbour.fill_wallet(1_000)
    booked = await harbour.book()
    assert (booked.paid, await harbour.money()) == (400, 600)
    await harbour.pass_for(DORA)
    longer = await harbour.office.changes.extend(DORA, booked.id, at(13), Unkept())
    assert (longer.paid, await harbour.money()) == (0, 1_000)


async def test_an_overstay_within_the_pass_costs_nothing(harbour: Harbour) -> None:
    await harbour.pass_for(DORA)
    booked = await harbour.book()
    await harbour.until(at(10))
    await harbour.sensor(True)
    await harbour.until(at(13))
    await harbour.sensor(False)
    left = await harbour.again(booked)
    assert (left.state, left.paid, left.events[-1].reason) == ("completed", 0, "left 60 minutes late")


async def test_a_pass_is_for_its_kind_of_bay_and_its_driver(database: Database) -> None:
    lot = a_lot("harbour", 2)
    bays = (lot.bays[0], *(bay.__class__(bay=bay.bay, level=bay.level, kind="ev") for bay in lot.bays[1:]))
    harbour = await a_harbour(database, lot=lot.model_copy(update={"bays": bays}), prices=hourly())
    for owner in (DORA, CARL):
        await harbour.fill_wallet(1_000, owner)
    await harbour.pass_for(DORA)
    assert (await harbour.book(bay="B00001")).paid == 400
    assert (await harbour.book(owner=CARL)).paid == 400
    assert (await harbour.office.parking.begin(DORA, "harbour", "B00001", None, Unkept())).kind == "app"


# Sessions


async def test_a_session_by_app_costs_nothing(harbour: Harbour) -> None:
    await harbour.pass_for(DORA)
    parked = await harbour.office.parking.begin(DORA, "harbour", BAY, None, Unkept())
    await harbour.until(at(11))
    cost = await harbour.office.parking.cost(parked)
    assert (parked.kind, cost.total and cost.total.amount) == ("pass", 0)
    stopped = await harbour.office.parking.stop(DORA, parked.id, Unkept())
    assert (stopped.state, stopped.fee and stopped.fee.amount, stopped.paid) == ("settled", 0, 0)


async def test_a_session_by_arrival_on_the_assigned_bay_costs_nothing(harbour: Harbour) -> None:
    await harbour.pass_for(DORA)
    made = await harbour.assign()
    await harbour.until(at(8, 5))
    await harbour.sensor(True, bay=made.bay)
    assert (await the_session(harbour)).kind == "pass"
    await harbour.until(at(11))
    await harbour.sensor(False, bay=made.bay)
    left = await the_session(harbour)
    assert (left.state, left.paid, await harbour.money()) == ("settled", 0, 0)


async def test_a_stay_that_outlasts_the_pass_costs_what_lies_beyond_it(harbour: Harbour) -> None:
    await a_pass_that_ends(harbour)
    await harbour.fill_wallet(1_000)
    await harbour.until(at(6, day=LAST_DAY))
    parked = await harbour.office.parking.begin(DORA, "harbour", BAY, None, Unkept())
    await harbour.until(at(8, day=LAST_DAY))
    (ended,) = await harbour.subscribing.of(DORA)
    assert ended.state is SubscriptionState.ENDED
    await harbour.until(at(9, 30, day=LAST_DAY))
    cost = await harbour.office.parking.cost(parked)
    assert cost.total is not None
    assert cost.total.amount == 400, "an hour and a half, of three and a half"
    stopped = await harbour.office.parking.stop(DORA, parked.id, Unkept())
    assert (stopped.kind, stopped.paid, await harbour.money()) == ("pass", 400, 600)


async def test_a_stay_over_a_renewal_costs_nothing(harbour: Harbour) -> None:
    made = await harbour.pass_for(DORA)
    await harbour.fill_wallet(made.plan.price.amount)
    await harbour.until(at(6, day=LAST_DAY))
    parked = await harbour.office.parking.begin(DORA, "harbour", BAY, None, Unkept())
    await harbour.until(at(10, day=LAST_DAY))
    assert (await harbour.office.parking.stop(DORA, parked.id, Unkept())).paid == 0
    assert await harbour.money() == 0, "the renewal took it"


async def test_a_booked_stay_that_outlasts_the_pass_was_paid_when_it_was_booked(harbour: Harbour) -> None:
    await a_pass_that_ends(harbour)
    await harbour.fill_wallet(1_000)
    booked = await harbour.book(Period(at(7, day=LAST_DAY), at(9, day=LAST_DAY)))
    assert booked.paid == 200
    await harbour.until(at(7, day=LAST_DAY))
    await harbour.sensor(True)
    await harbour.until(at(9, day=LAST_DAY) + timedelta(minutes=30))
    await harbour.sensor(False)
    left = await harbour.again(booked)
    assert (left.state, left.paid, await harbour.money()) == ("completed", 400, 600), "and what came on top"
