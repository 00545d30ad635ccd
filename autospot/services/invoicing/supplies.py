"""What a payment was for, in the words of an invoice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from autospot.domain.payment.payment import Payment
from autospot.services.desk.till import BOOKING, SESSION
from autospot.storage.bookings import Bookings
from autospot.storage.mongo import Database, Session
from autospot.storage.payments import Payments
from autospot.storage.sessions import Sessions


@dataclass(frozen=True, slots=True)
class Supply:
    """What was supplied to whom: `subject` is the id of the booking, session or subscription."""

    subject: str
    user_id: str
    words: str
    vat_basis_points: int


class Supplies:
    """Finds supplies by the payments of them. All money that a lot takes is taken by payments."""

    def __init__(self, database: Database) -> None:
        self._payments = Payments(database)
        self._bookings = Bookings(database)
        self._sessions = Sessions(database)

    async def find(self, session: Session, payment_id: str, time_zone: str) -> Supply | None:
        """The supply; None for a payment that is not there, and for a top-up, which is none."""
        payment = await self._payments.find(payment_id, session=session)
        if payment is None or payment.subject is None:
            return None
        span = await self._span(session, payment, time_zone)
        words = f"{payment.words}, {span}" if span else payment.words
        return Supply(payment.subject.id, payment.user_id, words, payment.vat_basis_points)

    async def _span(self, session: Session, payment: Payment, time_zone: str) -> str:
        """From when to when somebody parked, or may park; nothing for what is no parking."""
        if payment.subject is None:
            return ""
        if payment.subject.kind == BOOKING:
            booking = await self._bookings.find(payment.subject.id, session=session)
            return _span(booking.period.start, booking.period.until, time_zone) if booking else ""
        if payment.subject.kind == SESSION:
            parked = await self._sessions.find(payment.subject.id, session=session)
            return _span(parked.began_at, parked.ended_at, time_zone) if parked else ""
        return ""


def _span(start: datetime, until: datetime | None, time_zone: str) -> str:
    zone = ZoneInfo(time_zone)
    first = f"{start.astimezone(zone):%Y-%m-%d %H:%M}"
    return f"from {first}" if until is None else f"{first} to {until.astimezone(zone):%Y-%m-%d %H:%M}"
