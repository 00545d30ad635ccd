"""Card payments of bookings and sessions for tests: the cashier's steps, without a gateway."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from autospot.domain.booking.booking import Booking
from autospot.domain.ids import new_id
from autospot.domain.payment.entries import capture_entries
from autospot.domain.payment.intent import PaymentState
from autospot.domain.payment.payment import AmountDue, CardSide, Payment
from autospot.storage.ledger import Ledger
from autospot.storage.payments import Payments
from tests.support.office import DORA, Harbour


async def due(harbour: Harbour, keeper: Any, subject: str, owner: str = DORA) -> AmountDue:
    now = harbour.clock.now()
    found: AmountDue = await harbour.database.transaction(
        lambda session: keeper.amount_due(session, owner, subject, now)
    )
    return found


async def pay(
    harbour: Harbour, keeper: Any, asked: AmountDue, state: PaymentState, now: datetime, owner: str = DORA
) -> Payment:
    """The cashier's step: the card's money reaches the lot, and the keeper hears of it."""
    taken = asked.amount.amount if state is PaymentState.SUCCEEDED else 0
    card = CardSide("simulated", "pm_ok", new_id("pi"))
    payment = Payment(
        new_id("pay"), owner, asked.amount, state, "", now, asked.subject, asked.lot, 1900, card=card, captured=taken
    )

    async def work(session: Any) -> None:
        await Payments(harbour.database).add(session, payment)
        if taken:
            await Ledger(harbour.database).append(session, *capture_entries(payment, taken, None, now))
        await keeper.payment_changed(session, payment, now)

    await harbour.database.transaction(work)
    return payment


async def booked_by_card(harbour: Harbour) -> tuple[Booking, Payment]:
    """A confirmed booking of 4.00 from 10 to 12, and the card payment of it."""
    held, keeper = await harbour.book(payment="card"), harbour.office.booking_payments
    asked = await due(harbour, keeper, held.id)
    payment = await pay(harbour, keeper, asked, PaymentState.SUCCEEDED, harbour.clock.now())
    return await harbour.again(held), payment
