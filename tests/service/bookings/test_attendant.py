"""Arrivals, departures and everything in between, as sensors tell of them."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from autospot.domain.access import Principal, Role
from autospot.domain.bay import Closure
from autospot.domain.booking.booking import Booking
from autospot.domain.booking.life import BookingState
from autospot.domain.change import Commit, FeedEntry, SensorChange
from autospot.domain.instant import to_ms
from autospot.domain.lot import BookingTerms
from autospot.domain.parking_session import ParkingSession
from autospot.domain.period import Period
from autospot.storage.feed import Feed
from autospot.storage.idempotency import Unkept
from autospot.storage.mongo import Database
from tests.support.bookings import at, between
from tests.support.office import BAY, CARL, DORA, Harbour, a_harbour, events, hourly
from tests.support.services import eventually

OTTO = Principal("usr_otto", frozenset({Role.OPERATOR}), frozenset({"harbour"}))


@pytest.fixture
async def harbour(database: Database) -> Harbour:
    harbour = await a_harbour(database, prices=hourly())
    await harbour.fill_wallet(10_000)
    return harbour


async def session_of(harbour: Harbour, booking: Booking) -> ParkingSession:
    found = await harbour.office.sessions.find((await harbour.again(booking)).session or "")
    assert found is not None
    return found


# The claim on the screens


async def test_a_bay_is_shown_reserved_from_the_lead_time_until_the_end(harbour: Harbour) -> None:
    await harbour.book()
    await harbour.until(at(9, 44))
    assert harbour.bay().state == "free"
    await harbour.until(at(9, 45))
    assert (harbour.bay().state, harbour.bay().view()["until"]) == ("reserved", "2040-11-26T12:00:00.000Z")
    await harbour.sensor(None)
    assert harbour.bay().state == "reserved", "the driver is not punished: the bay is still his"
    await harbour.until(at(12))
    assert harbour.bay().claim is None


async def test_a_booking_for_right_now_is_shown_at_once(harbour: Harbour) -> None:
    booked = await harbour.book(between(8, 9))
    await harbour.read_feed()
    assert harbour.bay().state == "reserved"
    await harbour.office.changes.cancel(DORA, booked.id, Unkept())
    await harbour.read_feed()
    assert harbour.bay().state == "free"


async def test_the_one_who_parks_rightly_is_not_in_conflict_with_the_next(harbour: Harbour) -> None:
    await harbour.book(between(8, 10))
    await harbour.book(between(10, 12), owner=DORA)
    await harbour.sensor(True)
    await harbour.until(at(9, 50))
    assert "conflict" not in harbour.bay().view()
    assert harbour.bay().view()["until"] == "2040-11-26T10:00:00.000Z"


# Arrival and departure


async def test_an_arrival_begins_the_session_and_a_departure_ends_it(harbour: Harbour) -> None:
    booked = await harbour.book()
    await harbour.until(at(10, 4))
    await harbour.sensor(True)
    active = await harbour.again(booked)
    assert (active.state, active.arrived_at, active.events[-1].reason) == ("active", at(10, 4), "4 minutes late")
    assert (await session_of(harbour, booked)).state == "running"

    await harbour.until(at(11, 30))
    await harbour.sensor(False)
    left = await harbour.again(booked)
    assert (left.state, left.left_at, left.paid) == ("completed", at(11, 30), 400)
    parked = await session_of(harbour, booked)
    assert (parked.state, parked.ended_at, parked.paid) == ("settled", at(11, 30), 400)
    assert harbour.bay().state == "free"
    assert (await harbour.book(Period(at(11, 30), at(12)), owner=CARL, payment="card")).state == "held"


async def test_coming_early_is_coming(harbour: Harbour) -> None:
    booked = await harbour.book()
    await harbour.until(at(9, 45))
    await harbour.sensor(True)
    arrived = await harbour.again(booked)
    assert (arrived.state, arrived.events[-1].reason) == ("active", "15 minutes early")
    await harbour.until(at(11))
    assert (await harbour.again(booked)).state == "active"


async def test_seeing_the_same_twice_changes_nothing_twice(harbour: Harbour) -> None:
    booked = await harbour.book()
    await harbour.until(at(10))
    change = SensorChange(BAY, True, to_ms(at(10)), to_ms(at(10)))
    commit = Commit(77, FeedEntry("hub/0", sensors={"harbour": [change]}), to_ms(at(10)))
    for _ in range(3):
        await harbour.office.attendant.take(commit)
    assert events(await harbour.again(booked)) == ["booked", "arrive"]
    away = SensorChange(BAY, False, to_ms(at(11)), to_ms(at(11)))
    leaving = Commit(78, FeedEntry("hub/0", sensors={"harbour": [away]}), to_ms(at(11)))
    for each in (leaving, commit, leaving, commit):
        await harbour.office.attendant.take(each)
    assert events(await harbour.again(booked)) == ["booked", "arrive", "leave"]
    assert await harbour.money() == 9_600


async def test_two_attendants_act_as_one(harbour: Harbour) -> None:
    booked = await harbour.book()
    await harbour.until(at(10))
    change = SensorChange(BAY, True, to_ms(at(10)), to_ms(at(10)))
    commit = Commit(77, FeedEntry("hub/0", sensors={"harbour": [change]}), to_ms(at(10)))
    await asyncio.gather(*(harbour.office.attendant.take(commit) for _ in range(4)))
    assert events(await harbour.again(booked)) == ["booked", "arrive"]


async def test_what_happened_while_it_was_away_is_not_missed(harbour: Harbour) -> None:
    booked = await harbour.book(between(8, 10))
    attendant, live = harbour.office.attendant, harbour.live
    position = await Feed(harbour.database).position()
    change = SensorChange(BAY, True, to_ms(at(8, 1)), to_ms(at(8, 1)))
    await Feed(harbour.database).append(FeedEntry("hub/0", sensors={"harbour": [change]}), to_ms(at(8, 1)))
    assert live.lots["harbour"].bays[BAY].occupied is False
    await attendant._marks.set_checkpoint("attendant", position)
    running = asyncio.create_task(attendant.run())
    try:

        async def is_active() -> bool:
            return (await harbour.again(booked)).state is BookingState.ACTIVE

        await eventually(is_active)

        async def has_watched() -> bool:
            return await attendant.has_watched(harbour.clock.now())

        await eventually(has_watched)
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


# Nobody comes


async def test_nobody_comes_and_the_bay_is_given_back(database: Database) -> None:
    harbour = await a_harbour(database, prices=hourly(), terms=BookingTerms(no_show_fee=150))
    await harbour.fill_wallet(1000)
    booked = await harbour.book()
    await harbour.until(at(10, 29))
    assert (await harbour.again(booked)).state == "confirmed"
    await harbour.until(at(10, 31))
    missed = await harbour.again(booked)
    assert (missed.state, missed.paid, await harbour.money()) == ("no_show", 550, 450)
    assert harbour.bay().state == "free"
    assert harbour.told()[-1] == "no_show"
    assert await harbour.office.calendars.promises("harbour", BAY) == []


async def test_a_bay_that_cannot_be_seen_punishes_nobody(harbour: Harbour) -> None:
    booked = await harbour.book()
    await harbour.sensor(None)
    await harbour.until(at(11))
    assert (await harbour.again(booked)).state == "confirmed"
    await harbour.until(at(12))
    over = await harbour.again(booked)
    assert (over.state, over.paid) == ("completed", 400)
    assert "no_show" not in harbour.told()


async def test_who_came_and_left_while_his_bay_could_not_be_seen_is_no_no_show(harbour: Harbour) -> None:
    booked = await harbour.book()
    await harbour.until(at(9, 50))
    await harbour.sensor(None)
    await harbour.until(at(11, 30))
    await harbour.sensor(False)
    await harbour.until(at(12))
    over = await harbour.again(booked)
    assert (over.state, over.paid) == ("completed", 400)
    assert "no_show" not in harbour.told()


async def test_a_fee_that_cannot_be_paid_is_written_down(database: Database) -> None:
    harbour = await a_harbour(database, prices=hourly(), terms=BookingTerms(no_show_fee=700))
    await harbour.fill_wallet(400)
    booked = await harbour.book()
    await harbour.until(at(11))
    missed = await harbour.again(booked)
    assert (missed.state, missed.paid, missed.events[-1].facts) == ("no_show", 400, {"unpaid": 700})
    assert await harbour.money() == 0


# Staying too long


async def test_an_overstay_is_charged_by_the_tariff_and_the_next_holder_is_moved(harbour: Harbour) -> None:
    await harbour.fill_wallet(1_000, CARL)
    first = await harbour.book()
    second = await harbour.book(between(12, 13), owner=CARL)
    await harbour.until(at(10))
    await harbour.sensor(True)
    await harbour.until(at(12))
    moved = await harbour.again(second)
    assert (moved.state, moved.events[-1].reason) == ("moved", "somebody else stands on the bay")
    successor = await harbour.office.bookings.find(moved.moved_to or "")
    assert successor is not None
    assert (successor.state, successor.bay, successor.moved_from) == ("confirmed", "B00001", second.id)
    assert (successor.paid, moved.paid, await harbour.money(CARL)) == (200, 0, 800)
    assert "booking_moved" in harbour.told(CARL)

    await harbour.until(at(12, 15))
    assert harbour.told(None) == ["overstay"]
    await harbour.until(at(12, 40))
    await harbour.sensor(False)
    left = await harbour.again(first)
    assert (left.state, left.paid, left.events[-1].reason) == ("completed", 600, "left 40 minutes late")
    assert left.events[-1].facts == {"charged": 200}
    assert (await session_of(harbour, first)).paid == 600


async def test_the_grace_for_leaving_costs_nothing(harbour: Harbour) -> None:
    booked = await harbour.book()
    await harbour.until(at(10))
    await harbour.sensor(True)
    await harbour.until(at(12, 10))
    await harbour.sensor(False)
    assert (await harbour.again(booked)).paid == 400


# Somebody else


async def test_somebody_elses_car_warns_the_operator_and_then_moves_the_booking(harbour: Harbour) -> None:
    await harbour.sensor(True)
    booked = await harbour.book()
    await harbour.until(at(9, 45))
    assert harbour.told(None) == ["bay_misused"]
    assert harbour.bay().view()["conflict"] is True
    await harbour.until(at(9, 54))
    assert (await harbour.again(booked)).state == "confirmed"
    await harbour.until(at(9, 55))
    moved = await harbour.again(booked)
    assert (moved.state, events(moved)) == ("moved", ["booked", "warned", "move"])
    assert harbour.bay().claim is None
    assert harbour.bay("B00001").state == "reserved"
    assert await harbour.office.calendars.promises("harbour", BAY) == []


async def test_the_car_that_leaves_in_time_is_forgiven(harbour: Harbour) -> None:
    await harbour.sensor(True)
    booked = await harbour.book()
    await harbour.until(at(9, 50))
    await harbour.sensor(False)
    await harbour.until(at(10))
    assert (await harbour.again(booked)).state == "confirmed"


async def test_without_another_bay_everything_comes_back_and_something_on_top(database: Database) -> None:
    harbour = await a_harbour(database, bays=1, prices=hourly())
    await harbour.fill_wallet(1_000)
    await harbour.sensor(True)
    booked = await harbour.book()
    await harbour.until(at(9, 55))
    cancelled = await harbour.again(booked)
    assert (cancelled.state, cancelled.paid, await harbour.money()) == ("cancelled", 0, 1_080)
    assert cancelled.events[-1].reason == "somebody else stands on the bay; no other bay was free"
    assert "booking_cancelled" in harbour.told()


async def test_who_was_moved_parks_on_the_new_bay(harbour: Harbour) -> None:
    await harbour.sensor(True)
    booked = await harbour.book()
    await harbour.until(at(9, 58))
    await harbour.sensor(True, bay="B00001")
    moved = await harbour.again(booked)
    successor = await harbour.office.bookings.find(moved.moved_to or "")
    assert successor is not None
    assert (successor.state, successor.paid) == ("active", 400)


# The operator


async def test_closing_a_bay_moves_what_is_booked_on_it(harbour: Harbour) -> None:
    booked, later = await harbour.book(), await harbour.book(between(10, 11, day=3))
    moved = await harbour.office.closing.close(OTTO, "harbour", BAY, "paint", at(6, day=4), "req_1")
    await harbour.settle()
    assert [each.moved_from for each in moved] == [booked.id]
    assert harbour.bay().state == "out_of_service"
    assert (await harbour.again(later)).state == "confirmed"
    await harbour.until(at(9, 45, day=3))
    assert (await harbour.again(later)).state == "moved"
    await harbour.until(at(6, day=4))
    assert harbour.bay().closure is None


async def test_a_closed_bay_and_its_claim_do_not_undo_each_other(harbour: Harbour) -> None:
    booked = await harbour.book(between(8, 9))
    await harbour.sensor(True)
    assert (await harbour.again(booked)).state == "active"
    await harbour.office.closing.close(OTTO, "harbour", BAY, "leak", None, "req_1")
    await harbour.read_feed()
    half = (harbour.bay().claim, harbour.bay().closure)
    assert half[0] is not None
    assert half[0].ref == booked.id
    assert half[1] == Closure("leak")
    await harbour.office.closing.open(OTTO, "harbour", BAY, "req_2")
    await harbour.read_feed()
    assert (harbour.bay().claim, harbour.bay().closure) == (half[0], None)
