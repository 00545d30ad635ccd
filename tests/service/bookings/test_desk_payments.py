"""What the desk takes and gives back are payments and refunds of the cashier, whoever asks for them."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from autospot.domain.booking.booking import Booking
from autospot.domain.errors import AutoSpotError, Conflict
from autospot.domain.money import Money
from autospot.domain.payment.payment import Payment, Subject
from autospot.domain.period import Period
from autospot.services.cashier.refunds import BY_OPERATORS
from autospot.services.desk.changes import Change
from autospot.storage.idempotency import Unkept
from autospot.storage.mongo import Database
from tests.support.bookings import at, between
from tests.support.money import ACTOR, OPERATOR
from tests.support.office import BAY, DORA, Harbour, a_harbour, events, hourly
from tests.support.payables import booked_by_card


@pytest.fixture
async def harbour(database: Database) -> Harbour:
    harbour = await a_harbour(database, prices=hourly())
    await harbour.fill_wallet(5000)
    return harbour


async def payments_of(harbour: Harbour, booking: Booking) -> list[Payment]:
    return list(await harbour.cash.payments.of_subject(Subject("booking", booking.id)))


async def refund(harbour: Harbour, payment: Payment, amount: int | None = None) -> None:
    money = None if amount is None else Money(amount, "EUR")
    await harbour.cash.refunds.refund(OPERATOR, ACTOR, payment.id, money, "rain", Unkept())


async def cancel(harbour: Harbour, booking: Booking) -> Booking:
    return await harbour.office.changes.cancel(DORA, booking.id, Unkept())


async def test_a_booking_from_the_wallet_is_a_payment_that_earns_points(harbour: Harbour) -> None:
    booking = await harbour.book()
    (payment,) = await payments_of(harbour, booking)
    assert (payment.state, payment.captured, payment.lot, payment.words) == (
        "succeeded",
        400,
        "harbour",
        "Parking harbour, bay B00000",
    )
    assert (await harbour.cash.points.balance(DORA)).available == 4
    await harbour.clean()


async def test_what_a_change_costs_more_is_a_payment_and_what_it_costs_less_a_refund(harbour: Harbour) -> None:
    booking = await harbour.book(between(10, 12))
    await harbour.office.changes.extend(DORA, booking.id, at(14), Unkept())
    await harbour.office.changes.change(DORA, booking.id, Change(between(10, 11)), Unkept())
    assert [(each.captured, each.kept) for each in await payments_of(harbour, booking)] == [(400, 200), (400, 0)]
    assert ((await harbour.again(booking)).paid, await harbour.money()) == (200, 4800)
    await harbour.clean()


async def test_a_cancellation_refunds_every_payment_of_the_booking(harbour: Harbour) -> None:
    booking = await harbour.book()
    await harbour.office.changes.extend(DORA, booking.id, at(13), Unkept())
    await cancel(harbour, booking)
    assert [each.state for each in await payments_of(harbour, booking)] == ["refunded", "refunded"]
    assert (await harbour.money(), (await harbour.cash.points.balance(DORA)).available) == (5000, 0)
    await harbour.clean()


async def test_a_booking_can_be_shortened_often_and_cancelled_still(harbour: Harbour) -> None:
    booking = await harbour.book(Period(at(10), at(10) + timedelta(hours=24)))
    for hour in range(BY_OPERATORS + 2):
        period = Period(at(10), at(10) + timedelta(hours=23 - hour))
        await harbour.office.changes.change(DORA, booking.id, Change(period), Unkept())
    await cancel(harbour, booking)
    assert await harbour.money() == 5000
    await harbour.clean()


async def test_a_moved_booking_takes_its_payments_along(harbour: Harbour) -> None:
    booking = await harbour.book()
    moved = await harbour.office.mover.move(booking, "operator", "flooded", at(8))
    assert await payments_of(harbour, booking) == []
    (payment,) = await payments_of(harbour, moved)
    assert (payment.kept, moved.paid, moved.bay != BAY) == (400, 400, True)
    await cancel(harbour, moved)
    assert await harbour.money() == 5000
    await harbour.clean()


async def test_an_operators_refund_is_noted_and_only_the_rest_comes_back_later(harbour: Harbour) -> None:
    booking = await harbour.book()
    (payment,) = await payments_of(harbour, booking)
    await refund(harbour, payment, 150)
    noted = await harbour.again(booking)
    assert (noted.paid, events(noted)) == (250, ["booked", "refunded"])
    await cancel(harbour, booking)
    assert await harbour.money() == 5000
    await harbour.clean()


async def test_a_card_payment_goes_back_to_the_card_when_the_desk_cancels(harbour: Harbour) -> None:
    booking, payment = await booked_by_card(harbour)
    await cancel(harbour, booking)
    (after,) = await payments_of(harbour, booking)
    assert [(each.amount, each.state, each.to_wallet) for each in after.refunds] == [(400, "processing", False)]
    assert (await harbour.money(), after.id) == (5000, payment.id)
    await harbour.clean()


async def test_a_card_payment_that_the_desk_gave_back_cannot_be_refunded_again(harbour: Harbour) -> None:
    booking, payment = await booked_by_card(harbour)
    await cancel(harbour, booking)
    with pytest.raises(Conflict) as refusal:
        await refund(harbour, payment, 1)
    assert refusal.value.code == "refund_too_large"
    await harbour.clean()


async def test_a_card_payment_that_an_operator_refunded_is_not_given_back_again(harbour: Harbour) -> None:
    booking, payment = await booked_by_card(harbour)
    await refund(harbour, payment)
    cancelled = await cancel(harbour, booking)
    (after,) = await payments_of(harbour, booking)
    assert (cancelled.paid, [each.amount for each in after.refunds]) == (0, [400])
    await harbour.clean()


async def test_operator_and_desk_at_once_give_a_card_payment_back_once(harbour: Harbour) -> None:
    booking, payment = await booked_by_card(harbour)
    results = await asyncio.gather(
        cancel(harbour, booking),
        refund(harbour, payment),
        refund(harbour, payment, 300),
        cancel(harbour, booking),
        return_exceptions=True,
    )
    assert all(isinstance(each, AutoSpotError) for each in results if isinstance(each, BaseException))
    (after,) = await payments_of(harbour, booking)
    assert sum(each.amount for each in after.refunds) == 400
    assert ((await harbour.again(booking)).paid, await harbour.money()) == (0, 5000)
    await harbour.clean()


async def test_a_session_is_paid_and_refunded_in_the_same_way(harbour: Harbour) -> None:
    parked = await harbour.office.parking.begin(DORA, "harbour", BAY, None, Unkept())
    await harbour.until(at(9, 30))
    stopped = await harbour.office.parking.stop(DORA, parked.id, Unkept())
    (payment,) = await harbour.cash.payments.of_subject(Subject("session", parked.id))
    assert (stopped.state, payment.captured) == ("settled", 400)
    await refund(harbour, payment, 100)
    assert (await harbour.office.parking.find(DORA, parked.id)).paid == 300
    assert await harbour.money() == 4700
    await harbour.clean()


async def test_a_wallet_that_holds_too_little_makes_no_payment(harbour: Harbour) -> None:
    with pytest.raises(Conflict) as refusal:
        await harbour.book(Period(at(10), at(10) + timedelta(hours=26)))
    assert refusal.value.code == "insufficient_funds"
    assert len(await harbour.cash.wallets.exported_payments(DORA)) == 1, "the top-up alone"
    assert await harbour.money() == 5000
    await harbour.clean()
