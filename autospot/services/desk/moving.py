"""Moving: another bay for a driver whose own cannot be had, or everything back and something on top."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from autospot.domain.booking.alternatives import BayTaken
from autospot.domain.booking.booking import Booking, By
from autospot.domain.booking.life import BookingState, Step
from autospot.domain.errors import AutoSpotError
from autospot.domain.guidance import SUITABLE
from autospot.domain.ids import new_id
from autospot.domain.lot import Bay
from autospot.domain.notice import Notice
from autospot.services.desk.booking import LotOf
from autospot.services.desk.changes import cancelled_for_trouble
from autospot.services.desk.keeper import Keeper
from autospot.services.desk.register import Register
from autospot.services.desk.till import Till, bill_of
from autospot.storage.mongo import Database, Session

CREDIT_PERCENT = 20
"""What a driver gets on top of all his money when no bay is left for him, in percent of what he had paid."""


class Mover:
    """Moves confirmed bookings. The price stays, whatever the new bay would cost."""

    def __init__(self, database: Database, lot_of: LotOf, keeper: Keeper, register: Register, till: Till) -> None:
        self._database = database
        self._lot_of = lot_of
        self._keeper = keeper
        self._register = register
        self._till = till

    async def move(self, before: Booking, by: By, reason: str, now: datetime) -> Booking:
        """The booking that takes the place of `before`; or `before`, cancelled with a credit, if no bay is left.

        `PreconditionFailed` if `before` changed since it was read, `IllegalStep` if it cannot be moved.
        """
        live, successor_id = self._lot_of(before.lot), new_id("bkg")
        for kind in SUITABLE[before.kind]:
            try:
                bay, promise = await self._keeper.keep_any(live, kind, successor_id, before.period, now, but=before.bay)
            except BayTaken:
                continue
            try:
                return await self._moved(before, successor_id, bay, promise.id, by, reason, now)
            except AutoSpotError as refusal:
                await self._keeper.let_go(live.lot, bay.bay, promise, refusal)
                raise
        return await self.cancel(before, by, f"{reason}; no other bay was free", now)

    async def cancel(self, before: Booking, by: By, reason: str, now: datetime) -> Booking:
        """`before`, cancelled for no fault of its driver: all he paid comes back, with `CREDIT_PERCENT` on top."""
        credit = before.paid * CREDIT_PERCENT // 100
        after = cancelled_for_trouble(before, now, by, reason)
        if credit:
            after = after.with_facts(credit=credit)

        async def work(session: Session) -> Booking:
            stored = await self._register.store(session, before, after, now)
            await self._till.credit(session, bill_of(stored), credit, now)
            facts = {"reason": reason, "refund": before.paid, "credit": credit}
            notice = Notice("driver", before.lot, "booking_cancelled", before.id, before.owner, facts)
            await self._register.tell(session, notice, now)
            return stored

        stored = await self._database.transaction(work)
        await self._register.give_back(before, stored)
        return stored

    async def _moved(
        self, before: Booking, successor_id: str, bay: Bay, promise: str, by: By, reason: str, now: datetime
    ) -> Booking:
        # What was paid goes over to the successor with its payments: it is the same money for the same stay.
        gone = {"paid": 0, "package_seconds": 0, "drawn": ()}
        old = before.after(Step.MOVE, now, by, reason, moved_to=successor_id, **gone)
        new = replace(
            before,
            id=successor_id,
            bay=bay.bay,
            kind=bay.kind,
            promise=promise,
            state=BookingState.CONFIRMED,
            claimed=False,
            moved_from=before.id,
            handled_until=now,
            events=(),
        ).noting(now, "moved_here", by, reason, {"from": before.bay}, version=1)

        async def work(session: Session) -> Booking:
            await self._register.store(session, before, old, now, moves_money=False)
            stored = await self._register.enter(session, new, now, instead_of=before)
            facts = {"reason": reason, "bay": bay.bay, "was": before.bay, "now": stored.id}
            notice = Notice("driver", before.lot, "booking_moved", before.id, before.owner, facts)
            await self._register.tell(session, notice, now)
            return stored

        stored = await self._database.transaction(work)
        await self._register.give_back(before, old)
        return stored
