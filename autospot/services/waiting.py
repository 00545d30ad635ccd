"""The waiting list at work: whoever came first is offered what comes free, for some minutes, then the next."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from autospot.clock import Clock
from autospot.domain.booking.alternatives import BayTaken
from autospot.domain.booking.booking import Booking
from autospot.domain.booking.life import OPEN, BookingState
from autospot.domain.booking.terms import require_bookable
from autospot.domain.due import Due
from autospot.domain.errors import AutoSpotError, Conflict, InvalidInput, NotFound, PreconditionFailed
from autospot.domain.lot import BayKind
from autospot.domain.notice import Notice
from autospot.domain.period import Period
from autospot.domain.waiting import PER_DRIVER, PER_KIND, Wish, WishState, WishStep
from autospot.services.clockwork import Clockwork, Schedule
from autospot.services.desk.booking import BookingDesk, LotOf, Request
from autospot.services.desk.register import BAY_FREED, BayFreed, Register
from autospot.storage.bookings import Bookings
from autospot.storage.idempotency import Once
from autospot.storage.mongo import Database, Session
from autospot.storage.waiting import WaitingList


class Waiting:
    """Takes wishes in and makes offers. An offer is a held booking: taken up like one, and it expires like one.

    Guarantees: wishes for a kind are served in the order in which they came, except those whose own time is still
    taken; each gets one offer.
    """

    def __init__(
        self,
        database: Database,
        wishes: WaitingList,
        bookings: Bookings,
        desk: BookingDesk,
        lot_of: LotOf,
        register: Register,
        schedule: Schedule,
        clockwork: Clockwork,
        clock: Clock,
    ) -> None:
        self._database = database
        self._wishes = wishes
        self._bookings = bookings
        self._desk = desk
        self._lot_of = lot_of
        self._register = register
        self._schedule = schedule
        self._clock = clock
        clockwork.at_least_once(BAY_FREED, self._freed)

    async def join(
        self, owner: str, lot: str, kind: BayKind, period: Period, vehicle: str | None, once: Once[Wish]
    ) -> Wish:
        """Puts a wish at the end of the list. `InvalidInput` for what could never be booked; `Conflict` (code
        `waiting_list_full`) past `PER_DRIVER` of one driver or `PER_KIND` of one kind."""
        layout, now = self._lot_of(lot).layout, self._clock.now()
        require_bookable(period, layout.booking, layout.time_zone, now)
        if all(bay.kind != kind for bay in layout.bays):
            raise InvalidInput(f"this lot has no {kind} bays", at="/kind")
        wish = Wish(id=once.id("wsh"), owner=owner, lot=lot, kind=kind, period=period, made_at=now, vehicle=vehicle)

        async def work(session: Session) -> Wish:
            await self._require_room(session, wish)
            await self._wishes.add(wish, session=session)
            await self._schedule.ensure(BAY_FREED, f"{lot}:{kind}", now, BayFreed(lot, kind), session=session)
            # A wish whose time has come is struck off, so that its driver may wish anew.
            key = f"{lot}:{kind}:{wish.id}"
            await self._schedule.put(BAY_FREED, key, period.start, BayFreed(lot, kind), session=session)
            await once.keep(session, wish)
            return wish

        return await self._database.transaction(work)

    async def _require_room(self, session: Session, wish: Wish) -> None:
        own = [each for each in await self._wishes.of_owner(wish.owner, session=session) if _is_waiting(each)]
        if len(own) >= PER_DRIVER:
            raise Conflict(f"at most {PER_DRIVER} wishes at a time", code="waiting_list_full")
        if await self._wishes.count(wish.lot, wish.kind, session=session) >= PER_KIND:
            raise Conflict("too many are waiting already", code="waiting_list_full")

    async def of(self, owner: str) -> Sequence[Wish]:
        """The driver's wishes, oldest first."""
        return await self._wishes.of_owner(owner)

    async def leave(self, owner: str, wish_id: str) -> None:
        """Takes a wish off the list; nothing happens if it is over. An offer is declined by cancelling its booking."""
        wish = await self._wishes.find(wish_id, owner)
        if wish is None:
            raise no_such_wish()
        if wish.state is WishState.WAITING:
            await self._wishes.replace(wish, wish.after(WishStep.LEAVE))

    async def _freed(self, freed: BayFreed, due: Due) -> None:  # noqa: ARG002 - the queue's handlers take both
        now = self._clock.now()
        for wish in await self._wishes.queue(freed.lot, freed.kind):
            try:
                await self._serve(wish, now)
            except PreconditionFailed:
                continue  # its driver has just left the list, or another worker serves it

    async def _serve(self, wish: Wish, now: datetime) -> None:
        if wish.state is WishState.OFFERED:
            await self._follow_offer(wish)
        elif wish.period.start <= now:
            await self._wishes.replace(wish, wish.after(WishStep.RUN_OUT))
        else:
            await self._offer(wish, now)

    async def _follow_offer(self, wish: Wish) -> None:
        offer = await self._bookings.find(wish.booking or "")
        if offer is None or offer.state is BookingState.HELD:
            return
        was_taken = offer.state in OPEN or offer.paid > 0 or offer.arrived_at is not None
        await self._wishes.replace(wish, wish.after(WishStep.TAKE if was_taken else WishStep.LAPSE))

    async def _offer(self, wish: Wish, now: datetime) -> None:
        offer = await self._bookings.find(wish.offer_id)
        if offer is None:
            try:
                offer = await self._desk.book(self._request(wish, now), _OneOffer(wish))
            except BayTaken:
                return  # not yet its turn: its own time is still taken
            except AutoSpotError as refusal:
                if refusal.retryable:
                    raise
                await self._wishes.replace(wish, wish.after(WishStep.LAPSE))
                return
        await self._wishes.replace(wish, wish.after(WishStep.OFFER, offer.id))
        facts = {"booking": offer.id, "bay": offer.bay}
        notice = Notice("driver", wish.lot, "bay_offered", wish.id, wish.owner, facts)
        await self._database.transaction(lambda session: self._register.tell(session, notice, now))

    def _request(self, wish: Wish, now: datetime) -> Request:
        minutes = self._lot_of(wish.lot).layout.booking.offer_minutes
        return Request(
            lot=wish.lot,
            period=wish.period,
            owner=wish.owner,
            kind=wish.kind,
            vehicle=wish.vehicle,
            offered_until=now + timedelta(minutes=minutes),
        )


class _OneOffer:
    """`Once` of a wish: its offer has one id."""

    def __init__(self, wish: Wish) -> None:
        self._wish = wish

    def id(self, prefix: str, part: str = "") -> str:
        offer_id = self._wish.offer_id
        return f"{prefix}_{hashlib.sha256((offer_id + part).encode()).hexdigest()[:32]}" if part else offer_id

    async def keep(self, session: Session, result: Booking) -> None:
        """Nobody waits for an answer: the driver is told."""


def _is_waiting(wish: Wish) -> bool:
    return wish.state in (WishState.WAITING, WishState.OFFERED)


def no_such_wish() -> NotFound:
    return NotFound("there is no such wish")
