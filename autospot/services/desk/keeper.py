"""The keeper of promises: takes bays for bookings, and takes back what nobody needs.

A promise comes first and its booking after, so a process that dies in between leaves a promise without a booking. Who
finds one in his way releases it, and a sweep finds those that are in nobody's way. A promise is released only after its
booking can no longer come to be: its id is given up, or the booking is marked as changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from autospot.clock import Clock
from autospot.domain.booking.alternatives import BayTaken, Promise
from autospot.domain.due import Due
from autospot.domain.errors import AutoSpotError, PreconditionFailed, Unavailable
from autospot.domain.lot import Bay, BayKind
from autospot.domain.period import Period
from autospot.live import LiveLot
from autospot.services.clockwork import Clockwork, DueKind, Schedule
from autospot.services.desk.choice import Choice, require_open
from autospot.storage.assignments import Assignments
from autospot.storage.bookings import Bookings
from autospot.storage.calendars import Calendars, PromisedBay
from autospot.storage.idempotency import LeaseLost
from autospot.storage.mongo import OutcomeUnknown

HELD_WITHOUT_BOOKING = timedelta(seconds=30)
"""How long a promise waits for its booking. A booking takes milliseconds and its transaction at most a few seconds."""

SWEEP_EVERY = timedelta(seconds=10)
SWEEP_MARGIN = timedelta(seconds=10)
"""How far a sweep looks back before where the last one stopped: clocks of processes may differ by that much. One that
is missed all the same is released by whoever finds it in his way."""

SWEEP_BATCH = 500

CANDIDATES = 8
"""Bays of a kind that are tried one after the other before it is looked again which are free."""

ROUNDS = 6
"""How often it is looked again: others are faster each time only while very many book the same kind at once."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """Promises made since then have not been looked at."""

    since: datetime


SWEEP = DueKind("sweep_promises", Sweep)


class Keeper:
    """Makes promises for bookings and assignments."""

    def __init__(
        self,
        calendars: Calendars,
        bookings: Bookings,
        assignments: Assignments,
        choice: Choice,
        schedule: Schedule,
        clockwork: Clockwork,
        clock: Clock,
    ) -> None:
        self._calendars = calendars
        self._bookings = bookings
        self._assignments = assignments
        self._choice = choice
        self._schedule = schedule
        self._clock = clock
        clockwork.at_least_once(SWEEP, self._sweep)

    async def begin(self) -> None:
        """Sees to it that sweeps happen from now on. Call it at every start."""
        now = self._clock.now()
        await self._schedule.put(SWEEP, "all", now, Sweep(now - HELD_WITHOUT_BOOKING))

    async def keep(self, live: LiveLot, bay: Bay, ref: str, period: Period, now: datetime) -> Promise:
        """Keeps `bay`; `BayTaken` with alternatives, `Conflict` (codes `bay_closed`, `not_bookable`)."""
        require_open(live, bay, period)
        try:
            return await self.take(live.lot, bay.bay, Promise(ref, period, now))
        except BayTaken as refusal:
            raise await self._with_alternatives(refusal, live, bay.bay, bay.kind, period, now) from None

    async def keep_any(
        self,
        live: LiveLot,
        kind: BayKind,
        ref: str,
        period: Period,
        now: datetime,
        *,
        but: str | None = None,
        destination: str | None = None,
    ) -> tuple[Bay, Promise]:
        """Keeps the best free bay of `kind` except `but`; `BayTaken` with alternatives if there is none."""
        refusal: BayTaken | None = None
        for _ in range(ROUNDS):
            best = await self._choice.best(live, kind, period, now, most=CANDIDATES, destination=destination)
            candidates = [bay for bay in best if bay.bay != but]
            if not candidates:
                taken = refusal or BayTaken(f"every {kind} bay is taken at that time")
                raise await self._with_alternatives(taken, live, None, kind, period, now)
            for bay in candidates:
                try:
                    return bay, await self.take(live.lot, bay.bay, Promise(ref, period, now))
                except BayTaken as taken:
                    refusal = BayTaken(f"every {kind} bay is taken at that time", because=taken.because)
        raise Unavailable("too many are booking here at this moment: try again")

    async def let_go(self, lot: str, bay: str, promise: Promise, refusal: AutoSpotError) -> None:
        """Gives back a promise that came to nothing because of `refusal`: unless that leaves open whether it did, or
        says that somebody else is at the same request. Then the sweep will know."""
        if not isinstance(refusal, OutcomeUnknown | LeaseLost):
            await self._calendars.give_back(lot, bay, promise.id)

    async def take(self, lot: str, bay: str, promise: Promise) -> Promise:
        """Makes the promise, after releasing one in its way that nobody needs; `BayTaken` without alternatives."""
        try:
            await self._calendars.promise(lot, bay, promise)
        except BayTaken as refusal:
            if refusal.because is None or not await self._release(lot, bay, refusal.because, promise.made_at):
                raise
            await self._calendars.promise(lot, bay, promise)
        return promise

    async def _with_alternatives(
        self, refusal: BayTaken, live: LiveLot, bay: str | None, kind: BayKind, period: Period, now: datetime
    ) -> BayTaken:
        found = await self._choice.alternatives(live, bay, kind, period, now)
        return BayTaken(refusal.message, because=refusal.because, alternatives=found)

    async def _release(self, lot: str, bay: str, promise: Promise, now: datetime) -> bool:
        """Releases a promise that nobody needs; False if somebody does, or still may."""
        overdue = now - promise.made_at >= HELD_WITHOUT_BOOKING
        if promise.ref.startswith("asg_"):
            is_needed = await self._needed_by_assignment(promise, overdue, now)
        else:
            is_needed = await self._needed_by_booking(promise, overdue, now)
        if not is_needed:
            await self._calendars.give_back(lot, bay, promise.id)
        return not is_needed

    async def _needed_by_booking(self, promise: Promise, overdue: bool, now: datetime) -> bool:
        booking = await self._bookings.find(promise.ref)
        if booking is None:
            return not (overdue and await self._bookings.give_up(promise.ref, now))
        if not booking.is_open:
            return False
        if booking.promise == promise.id or not overdue:
            return True
        try:
            await self._bookings.fence(booking)
        except PreconditionFailed:
            return True  # it has just changed: perhaps to this very promise
        return False

    async def _needed_by_assignment(self, promise: Promise, overdue: bool, now: datetime) -> bool:
        assignment = await self._assignments.find(promise.ref)
        if assignment is None:
            return not (overdue and await self._assignments.give_up(promise.ref, now))
        return assignment.is_open and (assignment.promise == promise.id or not overdue)

    async def _sweep(self, sweep: Sweep, due: Due) -> None:  # noqa: ARG002 - the queue's handlers take both
        now = self._clock.now()
        until = max(sweep.since, now - HELD_WITHOUT_BOOKING)
        batch: list[PromisedBay] = []
        async for found in self._calendars.made_between(sweep.since - SWEEP_MARGIN, until):
            batch.append(found)
            if len(batch) == SWEEP_BATCH:
                await self._look_at(batch, now)
                batch = []
        await self._look_at(batch, now)
        await self._schedule.move(SWEEP, "all", now + SWEEP_EVERY, Sweep(until))

    async def _look_at(self, batch: Sequence[PromisedBay], now: datetime) -> None:
        standing = await self._bookings.standing([found.promise.ref for found in batch])
        for found in batch:
            if found.promise.id not in standing:
                await self._release(found.lot, found.bay, found.promise, now)
