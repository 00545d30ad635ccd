"""What the cashier is told of bookings and sessions, and what becomes of them when their money comes."""

from __future__ import annotations

import pytest

from autospot.domain.errors import Conflict
from autospot.domain.money import Money
from autospot.domain.payment.intent import PaymentState
from autospot.domain.payment.payment import Subject
from autospot.storage.idempotency import Unkept
from autospot.storage.mongo import Database
from tests.support.bookings import at
from tests.support.office import BAY, CARL, DORA, Harbour, a_harbour, events, hourly
from tests.support.payables import due, pay


@pytest.fixture
async def harbour(database: Database) -> Harbour:
    return await a_harbour(database, prices=hourly())


async def test_a_held_booking_that_is_paid_is_confirmed(harbour: Harbour) -> None:
    held, keeper = await harbour.book(payment="card"), harbour.office.booking_payments
    asked = await due(harbour, keeper, held.id)
    assert (asked.subject, asked.amount) == (Subject("booking", held.id), Money(400, "EUR"))
    await pay(harbour, keeper, asked, PaymentState.SUCCEEDED, at(8, 1))
    await harbour.until(at(8, 30))
    paid = await harbour.again(held)
    assert (paid.state, paid.paid, events(paid)) == ("confirmed", 400, ["booked", "payment_begun", "confirm"])
    with pytest.raises(Conflict) as refusal:
        await due(harbour, keeper, held.id)
    assert refusal.value.code == "nothing_due"


async def test_a_card_that_is_declined_leaves_the_time_to_try_another(harbour: Harbour) -> None:
    held, keeper = await harbour.book(payment="card"), harbour.office.booking_payments
    await pay(harbour, keeper, await due(harbour, keeper, held.id), PaymentState.FAILED, at(8, 1))
    assert (await harbour.again(held)).state == "held"
    assert (await due(harbour, keeper, held.id)).amount.amount == 400


async def test_money_that_comes_too_late_goes_to_the_wallet(harbour: Harbour) -> None:
    held, keeper = await harbour.book(payment="card"), harbour.office.booking_payments
    asked = await due(harbour, keeper, held.id)
    await harbour.until(at(8, 5))
    await pay(harbour, keeper, asked, PaymentState.SUCCEEDED, at(8, 6))
    assert ((await harbour.again(held)).state, await harbour.money()) == ("expired", 400)
    assert "paid_too_late" in harbour.told()
    await harbour.clean()


async def test_a_discount_is_taken_before_it_is_paid(harbour: Harbour) -> None:
    held, keeper = await harbour.book(payment="card"), harbour.office.booking_payments
    discount = Money(150, "EUR")
    await harbour.database.transaction(lambda session: keeper.take_discount(session, DORA, held.id, discount, at(8)))
    assert (await due(harbour, keeper, held.id)).amount == Money(250, "EUR")
    with pytest.raises(Conflict):
        await harbour.database.transaction(
            lambda session: keeper.take_discount(session, DORA, held.id, Money(300, "EUR"), at(8))
        )


async def test_a_session_that_ended_unpaid_is_settled_by_card(harbour: Harbour) -> None:
    parked = await harbour.office.parking.begin(DORA, "harbour", BAY, None, Unkept())
    await harbour.until(at(9, 30))
    stopped = await harbour.office.parking.stop(DORA, parked.id, Unkept())
    assert stopped.state == "ended"
    keeper = harbour.office.session_payments
    asked = await due(harbour, keeper, parked.id)
    assert asked.amount == Money(400, "EUR")
    with pytest.raises(Exception, match="no such session"):
        await due(harbour, keeper, parked.id, CARL)
    await pay(harbour, keeper, asked, PaymentState.SUCCEEDED, at(9, 31))
    settled = await harbour.office.parking.find(DORA, parked.id)
    assert (settled.state, settled.paid) == ("settled", 400)
