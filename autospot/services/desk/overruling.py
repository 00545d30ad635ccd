"""Overruling: what an operator does with a booking of a driver's."""

from __future__ import annotations

from autospot.clock import Clock
from autospot.domain.access import Action, Principal, lots_within, require
from autospot.domain.audit import actor_of
from autospot.domain.booking.booking import Booking
from autospot.domain.notice import Notice
from autospot.services.audit import Audit
from autospot.services.desk.changes import cancelled_for_trouble
from autospot.services.desk.register import Register, no_such_booking
from autospot.storage.bookings import Bookings
from autospot.storage.idempotency import Once
from autospot.storage.mongo import Database, Session


class Overruling:
    """Reads and cancels single bookings of an operator's lots. One of another lot is `NotFound`."""

    def __init__(self, database: Database, bookings: Bookings, register: Register, audit: Audit, clock: Clock) -> None:
        self._database = database
        self._bookings = bookings
        self._register = register
        self._audit = audit
        self._clock = clock

    async def find(self, principal: Principal, booking_id: str) -> Booking:
        """A booking as those see it who may see the lot."""
        return await self._load(principal, Action.SEE_LOT, booking_id)

    async def cancel(
        self, principal: Principal, booking_id: str, reason: str, request_id: str, once: Once[Booking]
    ) -> Booking:
        """Gives the bay back and all that was paid, whatever the terms say. The driver is told `reason`. `IllegalStep`
        once he is there, or the booking is over."""
        now = self._clock.now()

        async def work(session: Session) -> tuple[Booking, Booking]:
            before = await self._load(principal, Action.REFUND, booking_id, session)
            cancelled = cancelled_for_trouble(before, now, "operator", reason)
            after = await self._register.store(session, before, cancelled, now)
            facts = {"reason": reason, "refund": before.paid, "credit": 0}
            notice = Notice("driver", before.lot, "booking_cancelled", before.id, before.owner, facts)
            await self._register.tell(session, notice, now)
            await self._audit.record(
                session,
                actor_of(principal, request_id),
                "booking.cancelled",
                before.id,
                now,
                lot=before.lot,
                before={"state": before.state.value, "paid": before.paid},
                after={"state": after.state.value, "paid": after.paid, "reason": reason},
            )
            await once.keep(session, after)
            return before, after

        before, after = await self._database.transaction(work)
        await self._register.give_back(before, after)
        return after

    async def _load(
        self, principal: Principal, action: Action, booking_id: str, session: Session | None = None
    ) -> Booking:
        require(principal, action)
        found = await self._bookings.find(booking_id, lots=lots_within(principal, action), session=session)
        if found is None:
            raise no_such_booking()
        return found
