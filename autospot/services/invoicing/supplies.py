"""What a transfer was for: the booking, session or payment behind it, in the words of an invoice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from autospot.domain.booking.booking import Booking
from autospot.domain.parking_session import ParkingSession
from autospot.domain.payment.payment import Subject
from autospot.domain.tariff import Tariff
from autospot.services.desk.till import TariffsOf
from autospot.storage.bookings import Bookings
from autospot.storage.mongo import Database, Session
from autospot.storage.payments import Payments
from autospot.storage.sessions import Sessions

MOVES_LIMIT = 20
"""How often a booking is followed to the one whose place it took."""


@dataclass(frozen=True, slots=True)
class Supply:
    """What was supplied to whom. A booking that was moved keeps its `subject`: one thing, one chain of documents."""

    subject: str
    user_id: str
    words: str
    vat_basis_points: int


class Supplies:
    """Finds supplies by the subject of their transfers: ids of payments, bookings and sessions."""

    def __init__(self, database: Database, tariffs: TariffsOf) -> None:
        self._payments = Payments(database)
        self._bookings = Bookings(database)
        self._sessions = Sessions(database)
        self._tariffs = tariffs

    async def find(self, session: Session, subject: str, time_zone: str) -> Supply | None:
        """The supply; None for a subject that is none of these, or gone."""
        prefix = subject.partition("_")[0]
        match prefix:
            case "pay":
                return await self._of_payment(session, subject)
            case "bkg":
                return await self._of_booking(session, subject, time_zone)
            case "ses":
                return await self._of_session(session, subject, time_zone)
        return None

    async def _of_payment(self, session: Session, subject: str) -> Supply | None:
        payment = await self._payments.find(subject, session=session)
        if payment is None:
            return None
        about = subject if payment.subject is None else await self._about(session, subject, payment.subject)
        return Supply(about, payment.user_id, payment.words, payment.vat_basis_points)

    async def _about(self, session: Session, payment_id: str, paid: Subject) -> str:
        """What a payment's documents are about: a booking or session may be paid by card and given back by the desk,
        and then a credit note names the invoice."""
        if paid.kind == "session":
            return paid.id
        booking = await self._bookings.find(paid.id, session=session) if paid.kind == "booking" else None
        return payment_id if booking is None else await self._first_of(session, booking)

    async def _of_booking(self, session: Session, subject: str, time_zone: str) -> Supply | None:
        booking = await self._bookings.find(subject, session=session)
        if booking is None or booking.price is None:
            return None
        first = await self._first_of(session, booking)
        return Supply(first, booking.owner, _booking_words(booking, time_zone), booking.price.vat_basis_points)

    async def _first_of(self, session: Session, booking: Booking) -> str:
        first = booking
        for _ in range(MOVES_LIMIT):
            before = await self._bookings.find(first.moved_from, session=session) if first.moved_from else None
            if before is None:
                break
            first = before
        return first.id

    async def _of_session(self, session: Session, subject: str, time_zone: str) -> Supply | None:
        parked = await self._sessions.find(subject, session=session)
        if parked is None or parked.tariff_version is None:
            return None
        tariff = await self._version(parked.lot, parked.tariff_version)
        if tariff is None:
            return None
        return Supply(subject, parked.owner, _session_words(parked, time_zone), tariff.vat.basis_points)

    async def _version(self, lot: str, version_id: str) -> Tariff | None:
        book = await self._tariffs(lot)
        versions = book.versions() if book is not None else []
        return next((each for each in versions if each.version_id == version_id), None)


def _booking_words(booking: Booking, time_zone: str) -> str:
    period = booking.period
    return f"Parking, {booking.lot}, bay {booking.bay}, {_span(period.start, period.until, time_zone)}"


def _session_words(parked: ParkingSession, time_zone: str) -> str:
    return f"Parking, {parked.lot}, bay {parked.bay}, {_span(parked.began_at, parked.ended_at, time_zone)}"


def _span(start: datetime, until: datetime | None, time_zone: str) -> str:
    zone = ZoneInfo(time_zone)
    first = f"{start.astimezone(zone):%Y-%m-%d %H:%M}"
    return f"from {first}" if until is None else f"{first} to {until.astimezone(zone):%Y-%m-%d %H:%M}"
