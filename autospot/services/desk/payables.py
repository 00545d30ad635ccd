"""What can be paid at the cashier: bookings that are held for it, and sessions whose end could not be paid."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from autospot.domain.booking.booking import Booking
from autospot.domain.booking.life import BookingState, Step
from autospot.domain.errors import Conflict, NotFound
from autospot.domain.money import Money
from autospot.domain.notice import Notice
from autospot.domain.parking_session import ParkingSession, SessionState
from autospot.domain.payment.intent import PaymentState
from autospot.domain.payment.payment import AmountDue, Payment, Subject
from autospot.domain.period import Period
from autospot.services.desk.register import Register
from autospot.services.desk.till import SESSION, Prices, Till, subject_of, words_of
from autospot.storage.mongo import Session
from autospot.storage.sessions import Sessions


class BookingPayments:
    """The cashier's keeper of bookings. A booking that is paid is confirmed; money that comes too late for it goes to
    the driver's wallet."""

    def __init__(self, register: Register, till: Till) -> None:
        self._register = register
        self._till = till

    async def amount_due(self, session: Session, user_id: str, subject_id: str, now: datetime) -> AmountDue:
        """The price of a held booking; `Conflict` (code `nothing_due`) for any other."""
        booking = await self._held(session, user_id, subject_id)
        price = booking.price
        if price is None or price.total.amount == 0:
            raise nothing_due()
        begun = booking.noting(now, "payment_begun", "driver")
        await self._register.store(session, booking, begun, now)
        words = words_of(booking.lot, booking.bay)
        return AmountDue(subject_of(booking), booking.lot, price.total, price.vat_basis_points, words)

    async def payment_changed(self, session: Session, payment: Payment, now: datetime) -> None:
        """Confirms, notes that nothing came, or takes note of a refund."""
        if payment.subject is None:
            return
        booking = await self._register.load(session, payment.subject.id)
        if payment.state in (PaymentState.FAILED, PaymentState.CANCELLED):
            failed = booking.noting(now, "payment_failed", "driver", payment.failure or payment.state)
            await self._register.store(session, booking, failed, now)
            return
        paid = await self._till.kept(session, payment.subject)
        if paid < booking.paid:
            refunded = booking.noting(now, "refunded", "operator", paid=paid)
            await self._register.store(session, booking, refunded, now, moves_money=False)
        elif paid > booking.paid:
            await self._paid(session, booking, payment, now)

    async def _paid(self, session: Session, booking: Booking, payment: Payment, now: datetime) -> None:
        if booking.state is BookingState.HELD:
            paid = {"paid": payment.captured, "hold_until": None, "handled_until": now}
            after = booking.after(Step.CONFIRM, now, "driver", "paid", **paid)
            await self._register.store(session, booking, after, now, moves_money=False)
            return
        late = booking.noting(now, "paid_too_late", "driver", "the money is in your wallet")
        await self._register.store(session, booking, late, now)
        await self._till.late(session, payment, now)
        facts = {"amount": payment.captured}
        notice = Notice("driver", booking.lot, "paid_too_late", booking.id, booking.owner, facts)
        await self._register.tell(session, notice, now)

    async def take_discount(
        self, session: Session, user_id: str, subject_id: str, discount: Money, now: datetime
    ) -> None:
        """The price of a held booking becomes less; `Conflict` if it is worth less than that."""
        booking = await self._held(session, user_id, subject_id)
        if booking.price is None or booking.price.total < discount:
            raise nothing_due()
        price = replace(booking.price, total=booking.price.total - discount)
        facts = {"amount": dict(discount.as_json())}
        await self._register.store(
            session, booking, booking.noting(now, "discounted", "driver", "", facts, price=price), now
        )

    async def _held(self, session: Session, user_id: str, booking_id: str) -> Booking:
        booking = await self._register.load(session, booking_id, owner=user_id)
        if booking.state is not BookingState.HELD:
            raise nothing_due()
        return booking


class SessionPayments:
    """The cashier's keeper of sessions that ended unpaid."""

    def __init__(self, sessions: Sessions, prices: Prices, till: Till) -> None:
        self._sessions = sessions
        self._prices = prices
        self._till = till

    async def amount_due(
        self,
        session: Session,
        user_id: str,
        subject_id: str,
        now: datetime,  # noqa: ARG002 - what a stay that is over costs does not change
    ) -> AmountDue:
        """What is still owed; `Conflict` (code `nothing_due`) where nothing is."""
        parked = await self._owing(session, user_id, subject_id)
        fee, ended_at, version = parked.fee, parked.ended_at, parked.tariff_version
        if fee is None or ended_at is None or version is None or fee.amount <= parked.paid:
            raise nothing_due()
        stay = Period(parked.began_at, ended_at)
        quoted = await self._prices.quote_under(version, parked.owner, parked.lot, parked.bay_kind, stay)
        await self._sessions.replace(parked, replace(parked, version=parked.version + 1), session=session)
        return AmountDue(
            Subject(SESSION, parked.id),
            parked.lot,
            Money(fee.amount - parked.paid, fee.currency),
            quoted.vat_basis_points,
            words_of(parked.lot, parked.bay),
        )

    async def payment_changed(
        self,
        session: Session,
        payment: Payment,
        now: datetime,
    ) -> None:
        """Settles the session once its money is there, and takes note of a refund."""
        if payment.subject is None:
            return
        parked = await self._sessions.find(payment.subject.id, session=session)
        if parked is None:
            return
        paid = parked.booked + await self._till.kept(session, payment.subject)
        if paid > parked.paid and parked.state is SessionState.ENDED:
            await self._sessions.replace(parked, parked.settled(parked.fee, paid), session=session)
        elif paid > parked.paid:
            await self._till.late(session, payment, now)
        elif paid < parked.paid:
            after = replace(parked, paid=paid, version=parked.version + 1)
            await self._sessions.replace(parked, after, session=session)

    async def take_discount(
        self,
        session: Session,
        user_id: str,
        subject_id: str,
        discount: Money,
        now: datetime,  # noqa: ARG002 - as above
    ) -> None:
        """The fee becomes less; `Conflict` if less than that is owed."""
        parked = await self._owing(session, user_id, subject_id)
        if parked.fee is None or parked.fee.amount - parked.paid < discount.amount:
            raise nothing_due()
        after = replace(parked, fee=parked.fee - discount, version=parked.version + 1)
        await self._sessions.replace(parked, after, session=session)

    async def _owing(self, session: Session, user_id: str, session_id: str) -> ParkingSession:
        parked = await self._sessions.find(session_id, owner=user_id, session=session)
        if parked is None:
            raise NotFound("there is no such session")
        if parked.state is not SessionState.ENDED:
            raise nothing_due()
        return parked


def nothing_due() -> Conflict:
    """Nothing is to be paid, or not any more."""
    return Conflict("nothing is to be paid for this", code="nothing_due")
