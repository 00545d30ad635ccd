"""Minutes packages pay first minutes of stays: taken when a stay is agreed or settled, given back when it is not."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from autospot.domain.booking.booking import Booking
from autospot.domain.lot import BookingTerms
from autospot.domain.money import Money
from autospot.services.desk.changes import Change
from autospot.storage.idempotency import Unkept
from autospot.storage.mongo import Database
from tests.support.bookings import at, between
from tests.support.office import BAY, CARL, DORA, Harbour, a_harbour, hourly
from tests.support.payables import due
from tests.support.subscriptions import a_package

HOUR = 3600


async def with_package(database: Database, hours: int = 3, terms: BookingTerms | None = None) -> Harbour:
    """A harbour at 2.00 an hour, Dora with so many hours of a package and 20.00 in the wallet."""
    harbour = await a_harbour(database, prices=hourly(), terms=terms)
    plan = a_package(minutes=hours * 60)
    await harbour.subscribing.plans.put(plan)
    await harbour.fill_wallet(plan.price.amount + 2000)
    await harbour.subscribing.subscribe(DORA, plan.id, Unkept())
    return harbour


@pytest.fixture
async def harbour(database: Database) -> Harbour:
    return await with_package(database)


async def hours_left(harbour: Harbour) -> float:
    (found,) = await harbour.subscribing.of(DORA)
    return found.left_seconds / HOUR


async def spent(harbour: Harbour) -> int:
    return 2000 - await harbour.money()


async def cancel(harbour: Harbour, booking: Booking) -> None:
    await harbour.office.changes.cancel(DORA, booking.id, Unkept())


async def test_a_booking_uses_minutes_before_money(harbour: Harbour) -> None:
    free = await harbour.book(between(10, 12))
    assert (free.state, free.paid, free.package_seconds) == ("confirmed", 0, 2 * HOUR)
    paid = await harbour.book(between(14, 17))
    assert (paid.paid, paid.package_seconds) == (400, HOUR)
    assert (await hours_left(harbour), await spent(harbour)) == (0, 400)
    await harbour.clean()


async def test_a_cancellation_gives_minutes_back(harbour: Harbour) -> None:
    await cancel(harbour, await harbour.book(between(10, 14)))
    assert (await hours_left(harbour), await spent(harbour)) == (3, 0)
    await harbour.clean()


async def test_a_late_cancellation_gives_the_same_share_of_both_back(database: Database) -> None:
    harbour = await with_package(database, 2, BookingTerms(cancel_deadline_minutes=120, late_refund_percent=50))
    booking = await harbour.book(between(10, 14))
    await harbour.until(at(9))
    await cancel(harbour, booking)
    assert (await hours_left(harbour), await spent(harbour)) == (1, 200)


async def test_what_was_held_and_not_paid_gives_minutes_back(harbour: Harbour) -> None:
    await harbour.book(between(10, 14), payment="card")
    assert await hours_left(harbour) == 0
    await harbour.until(at(8, 10))
    assert await hours_left(harbour) == 3


async def test_a_card_pays_what_the_package_does_not(harbour: Harbour) -> None:
    held = await harbour.book(between(10, 14), payment="card")
    asked = await due(harbour, harbour.office.booking_payments, held.id)
    assert asked.amount == Money(200, "EUR")


async def test_a_change_uses_its_own_minutes_again(harbour: Harbour) -> None:
    booking = await harbour.book(between(10, 12))
    longer = await harbour.office.changes.extend(DORA, booking.id, at(14), Unkept())
    assert (longer.paid, longer.package_seconds, await hours_left(harbour)) == (200, 3 * HOUR, 0)
    shorter = await harbour.office.changes.change(DORA, booking.id, Change(between(10, 11)), Unkept())
    assert (shorter.paid, shorter.package_seconds, await hours_left(harbour)) == (0, HOUR, 2)
    later = await harbour.office.changes.change(DORA, booking.id, Change(between(15, 19)), Unkept())
    assert (later.paid, later.package_seconds, await spent(harbour)) == (200, 3 * HOUR, 200)
    await harbour.clean()


async def test_a_booking_moved_behind_the_package_gives_its_minutes_back(harbour: Harbour) -> None:
    booking = await harbour.book(between(10, 12))
    moved = await harbour.office.changes.change(DORA, booking.id, Change(between(10, 12, day=40)), Unkept())
    assert (moved.paid, moved.package_seconds, await hours_left(harbour)) == (400, 0, 3)


async def test_a_booking_keeps_its_minutes_on_another_bay(harbour: Harbour) -> None:
    booking = await harbour.book(between(10, 12))
    moved = await harbour.office.mover.move(booking, "operator", "flooded", at(8))
    assert (moved.package_seconds, await hours_left(harbour)) == (2 * HOUR, 1)
    await cancel(harbour, moved)
    assert await hours_left(harbour) == 3


async def test_an_overstay_uses_minutes_that_are_left(harbour: Harbour) -> None:
    booking = await harbour.book(between(10, 12))
    await harbour.until(at(10))
    await harbour.sensor(True)
    await harbour.until(at(13, 30))
    await harbour.sensor(False)
    left = await harbour.again(booking)
    assert (left.state, left.package_seconds, left.paid) == ("completed", 3 * HOUR, 200)
    assert (await hours_left(harbour), await spent(harbour)) == (0, 200)
    await harbour.clean()


async def test_a_stay_without_booking_uses_minutes_when_it_ends(harbour: Harbour) -> None:
    parked = await harbour.office.parking.begin(DORA, "harbour", BAY, None, Unkept())
    await harbour.until(at(12))
    assert await hours_left(harbour) == 3
    stopped = await harbour.office.parking.stop(DORA, parked.id, Unkept())
    assert (stopped.state, stopped.paid) == ("settled", 200)
    assert (await hours_left(harbour), await spent(harbour)) == (0, 200)
    await harbour.clean()


async def test_minutes_of_a_period_that_is_over_are_gone(harbour: Harbour) -> None:
    booking = await harbour.book(between(10, 12, day=20))
    await harbour.fill_wallet(3000)
    (before,) = await harbour.subscribing.of(DORA)
    await harbour.until(before.paid_until + timedelta(hours=1))
    (after,) = await harbour.subscribing.of(DORA)
    assert after.number == 2, "it was renewed"

    async def give_back(session: object) -> None:
        await harbour.subscribing.give_back_package(session, booking.drawn)  # type: ignore[arg-type]

    await harbour.database.transaction(give_back)
    assert await hours_left(harbour) == 3


async def test_two_stays_at_once_share_the_last_minutes(harbour: Harbour) -> None:
    begin = harbour.office.parking.begin
    stays = [await begin(DORA, "harbour", bay, None, Unkept()) for bay in (BAY, "B00001", "B00002")]
    await harbour.until(at(10))
    ended = await asyncio.gather(*(harbour.office.parking.stop(DORA, each.id, Unkept()) for each in stays))
    assert sum(each.paid for each in ended) == 3 * 400 - 3 * 200, "six hours, three of them paid by the package"
    assert (await hours_left(harbour), await spent(harbour)) == (0, 600)
    await harbour.clean()


async def test_bookings_at_once_share_the_last_minutes(harbour: Harbour) -> None:
    booked = await asyncio.gather(*(harbour.book(between(10, 12), bay=bay) for bay in (BAY, "B00001", "B00002")))
    assert sum(each.package_seconds for each in booked) == 3 * HOUR
    assert (sum(each.paid for each in booked), await hours_left(harbour)) == (600, 0)
    await harbour.clean()


async def test_the_minutes_of_others_pay_for_nobody(harbour: Harbour) -> None:
    await harbour.fill_wallet(1000, CARL)
    assert (await harbour.book(between(10, 12), owner=CARL)).paid == 400
