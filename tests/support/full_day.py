"""A day in a full garage: drivers of every kind, an operator and failing sensors, on real services and a clock that is
set.

Every driver is a story: a generator that acts and then says until when it waits. What truly happens on the bays is
kept apart from what AutoSpot is told of it (`Street`), so that the two can be compared in the evening.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import AsyncIterator, Awaitable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import TypeVar

from autospot.domain.access import Principal, Role
from autospot.domain.booking.booking import Booking
from autospot.domain.booking.life import BookingState
from autospot.domain.errors import Conflict, InvalidInput, PreconditionFailed
from autospot.domain.parking_session import ParkingSession
from autospot.domain.period import Period
from autospot.services.assigning import session_of
from autospot.services.desk.changes import Change
from autospot.storage.idempotency import Unkept
from tests.support.bookings import at
from tests.support.office import Harbour

REFUSALS = (Conflict, InvalidInput, PreconditionFailed)
OPENS, CLOSES = at(6), at(22)
STEP = timedelta(minutes=5)
PATIENCE = 6
"""How often a driver whose bay is taken looks again, five minutes apart, before he drives away."""

OTTO = Principal("usr_otto", frozenset({Role.OPERATOR}), frozenset({"harbour"}))

Story = AsyncIterator[datetime]
T = TypeVar("T")


@dataclass
class Stay:
    """A vehicle that truly stood on a bay. `seen` says that its sensor worked from before it came until it left."""

    driver: str
    bay: str
    came: datetime
    left: datetime | None = None
    seen: bool = True


@dataclass
class Street:
    """What truly happens on the bays, and what their sensors say of it."""

    harbour: Harbour
    stays: list[Stay] = field(default_factory=list)
    here: dict[str, Stay] = field(default_factory=dict)
    blind: set[str] = field(default_factory=set)
    ever_blind: set[str] = field(default_factory=set)

    async def park(self, driver: str, bay: str) -> bool:
        """A vehicle comes to a bay; False if there is one already."""
        if bay in self.here:
            return False
        stay = Stay(driver, bay, self.harbour.clock.now(), seen=bay not in self.blind)
        self.stays.append(stay)
        self.here[bay] = stay
        await self._tell(bay)
        return True

    async def leave(self, driver: str) -> None:
        """The driver's vehicle leaves wherever it stands."""
        for bay, stay in list(self.here.items()):
            if stay.driver == driver:
                stay.left = self.harbour.clock.now()
                del self.here[bay]
                await self._tell(bay)

    async def go_blind(self, bay: str) -> None:
        """The sensor of a bay falls silent."""
        self.blind.add(bay)
        self.ever_blind.add(bay)
        if bay in self.here:
            self.here[bay].seen = False
        await self.harbour.sensor(None, bay=bay)

    async def see_again(self, bay: str) -> None:
        """The sensor of a bay says what is so now."""
        self.blind.discard(bay)
        await self._tell(bay)

    async def _tell(self, bay: str) -> None:
        if bay not in self.blind:
            await self.harbour.sensor(bay in self.here, bay=bay)


class Day:
    """Plays the stories of `drivers` drivers in a garage of `bays` bays, as `dice` fall.

    `made` is what each driver booked, `passes` who has a pass, `disowned` which sessions were said to be somebody
    else's.
    """

    def __init__(self, harbour: Harbour, dice: random.Random, bays: int, drivers: int) -> None:
        self.harbour = harbour
        self.street = Street(harbour)
        self.made: list[Booking] = []
        self.passes: set[str] = set()
        self.disowned: set[str] = set()
        self.told: dict[str, int] = {}
        self._dice = dice
        self._bays = [f"B{number:05d}" for number in range(bays)]
        self._drivers = drivers
        self._agenda: list[tuple[datetime, int, Story]] = []
        self._numbers = count()

    @property
    def now(self) -> datetime:
        """The time on the garage's clock."""
        return self.harbour.clock.now()

    async def play(self) -> None:
        """From the first driver to the last, and until nothing falls due any more."""
        stories = [self._books, self._books, self._books, self._comes_late, self._stays_away, self._changes_his_mind]
        stories += [self._walks_in, self._walks_in, self._says_nothing, self._parks_wrongly, self._is_on_the_way]
        for number in range(self._drivers):
            driver = f"usr_{number:05d}"
            await self.harbour.fill_wallet(self._dice.choice([10_000, 10_000, 10_000, 500]), driver)
            if self._dice.random() < 0.15:
                self.passes.add(driver)
                await self.harbour.pass_for(driver, time_zone="UTC")
            self._begin(stories[number % len(stories)](driver), self._moment(OPENS, at(19)))
        for _ in range(max(2, len(self._bays) // 8)):
            self._begin(self._sensor_fails(self._dice.choice(self._bays)), self._moment(OPENS, at(18)))
            self._begin(self._operator_closes(self._dice.choice(self._bays)), self._moment(OPENS, at(18)))
            self._begin(self._operator_cancels(), self._moment(OPENS, at(18)))
        while self._agenda:
            instant, _number, story = heapq.heappop(self._agenda)
            await self.harbour.until(max(instant, self.now))
            waits_until = await anext(story, None)
            if waits_until is not None:
                self._begin(story, waits_until)
        await self.harbour.until(at(12, day=1))

    def _begin(self, story: Story, instant: datetime) -> None:
        heapq.heappush(self._agenda, (instant, next(self._numbers), story))

    def _moment(self, first: datetime, last: datetime) -> datetime:
        return first + timedelta(minutes=self._dice.randrange(max(1, (last - first) // timedelta(minutes=1))))

    def _minutes(self, least: int, most: int) -> timedelta:
        return timedelta(minutes=self._dice.randint(least, most))

    async def _try(self, work: Awaitable[T]) -> T | None:
        done = None
        with suppress(*REFUSALS):
            done = await work
        await self.harbour.settle()
        return done

    async def _book(self, driver: str, *, ahead: timedelta | None = None) -> Booking | None:
        ahead = self._minutes(5, 240) if ahead is None else ahead
        steps = (self.now - at(0) + ahead) // STEP + 1
        start = at(0) + steps * STEP
        until = min(start + STEP * self._dice.randint(6, 48), CLOSES)
        if until - start < 6 * STEP:
            return None
        period = Period(start, until)
        bay = self._dice.choice(self._bays) if self._dice.random() < 0.3 else None
        kind = None if bay else "general"
        booked = await self._try(self.harbour.book(period, bay=bay, kind=kind, owner=driver))
        if booked is None and kind is not None and self._dice.random() < 0.5:
            waiting = self.harbour.office.waiting
            await self._try(waiting.join(driver, "harbour", kind, period, None, Unkept()))
        elif booked is not None:
            self.made.append(booked)
        return booked

    async def _as_it_stands(self, booking: Booking) -> Booking:
        """The booking, or the one that took its place, as the driver's app shows it."""
        found = await self.harbour.again(booking)
        while found.moved_to is not None:
            moved = await self.harbour.office.bookings.find(found.moved_to)
            assert moved is not None
            found = moved
        return found

    # Drivers who have booked

    async def _arrive(self, driver: str, booking: Booking) -> Story:
        """Parks where the app says, when the bay is free; drives away when the promise is gone or nobody leaves."""
        for _ in range(PATIENCE):
            shown = await self._as_it_stands(booking)
            if shown.state is not BookingState.CONFIRMED:
                return
            if await self.street.park(driver, shown.bay):
                return
            yield self.now + STEP

    async def _stay_until(self, driver: str, leaves: datetime) -> Story:
        yield max(leaves, self.now)
        await self.street.leave(driver)

    async def _books(self, driver: str) -> Story:
        booking = await self._book(driver)
        if booking is None:
            return
        yield booking.period.start + self._minutes(-15, 25)
        async for waits in self._arrive(driver, booking):
            yield waits
        late = self._minutes(11, 90) if self._dice.random() < 0.2 else self._minutes(-40, 10)
        async for waits in self._stay_until(driver, (await self._as_it_stands(booking)).period.until + late):
            yield waits

    async def _comes_late(self, driver: str) -> Story:
        booking = await self._book(driver)
        if booking is None:
            return
        yield booking.period.start + self._minutes(31, 70)
        async for waits in self._arrive(driver, booking):
            yield waits
        async for waits in self._stay_until(driver, booking.period.until):
            yield waits

    async def _stays_away(self, driver: str) -> Story:
        await self._book(driver)
        yield self.now

    async def _changes_his_mind(self, driver: str) -> Story:
        booking = await self._book(driver, ahead=self._minutes(90, 240))
        if booking is None:
            return
        changes = self.harbour.office.changes
        yield self.now + self._minutes(5, 60)
        start, until = booking.period.start, booking.period.until
        change = self._dice.choice(
            [
                Change(Period(start + STEP, until + STEP)),
                Change(Period(start, max(start + 3 * STEP, until - 2 * STEP))),
                Change(bay=self._dice.choice(self._bays)),
            ]
        )
        await self._try(changes.change(driver, booking.id, change, Unkept()))
        yield self.now + self._minutes(5, 120)
        if self._dice.random() < 0.6:
            await self._try(changes.cancel(driver, booking.id, Unkept()))
            return
        async for waits in self._arrive(driver, booking):
            yield waits
        yield self.now + self._minutes(10, 30)
        await self._try(changes.extend(driver, booking.id, until + 6 * STEP, Unkept()))
        async for waits in self._stay_until(driver, until + 2 * STEP):
            yield waits

    # Drivers who have not

    def _looks_free(self) -> list[str]:
        return [bay for bay in self._bays if self.harbour.bay(bay).state == "free" and bay not in self.street.here]

    async def _walks_in(self, driver: str) -> Story:
        free = self._looks_free()
        if not free or not await self.street.park(driver, bay := self._dice.choice(free)):
            return
        yield self.now + self._minutes(0, 3)
        parking = self.harbour.office.parking
        begun: ParkingSession | None = await self._try(parking.begin(driver, "harbour", bay, None, Unkept()))
        yield self.now + self._minutes(5, 200)
        if begun is not None and self._dice.random() < 0.3:
            await self._try(parking.stop(driver, begun.id, Unkept()))
        await self.street.leave(driver)

    async def _says_nothing(self, driver: str) -> Story:
        free = self._looks_free()
        if free and await self.street.park(driver, self._dice.choice(free)):
            async for waits in self._stay_until(driver, self.now + self._minutes(5, 120)):
                yield waits

    async def _parks_wrongly(self, driver: str) -> Story:
        """On a bay that is promised to somebody else, now or soon."""
        booked = [
            each.bay
            for booking in self.made
            if (each := await self._as_it_stands(booking)).state is BookingState.CONFIRMED
            and each.period.start - self.now < timedelta(hours=1)
        ]
        bays = sorted({bay for bay in booked if bay not in self.street.here})
        if bays and await self.street.park(driver, self._dice.choice(bays)):
            async for waits in self._stay_until(driver, self.now + self._minutes(20, 180)):
                yield waits

    async def _is_on_the_way(self, driver: str) -> Story:
        made = await self._try(self.harbour.assign(driver))
        if made is None:
            return
        yield self.now + self._minutes(1, 25)
        assignment = await self.harbour.office.assigning.find(driver, made.id)
        if not assignment.is_open:
            if assignment.state == "arrived":  # somebody else has come there, it seems
                stopped = await self._try(self.harbour.office.parking.stop(driver, session_of(assignment), Unkept()))
                if stopped is not None and stopped.fee is None:
                    self.disowned.add(stopped.id)
            return
        if not await self.street.park(driver, assignment.bay):
            await self._try(self.harbour.office.assigning.release(driver, assignment.id))
            return
        async for waits in self._stay_until(driver, self.now + self._minutes(15, 120)):
            yield waits

    # What happens to bays

    async def _sensor_fails(self, bay: str) -> Story:
        if bay in self.street.blind:
            return
        await self.street.go_blind(bay)
        yield self.now + self._minutes(10, 150)
        await self.street.see_again(bay)

    async def _operator_closes(self, bay: str) -> Story:
        closing = self.harbour.office.closing
        await self._try(closing.close(OTTO, "harbour", bay, "paint", self.now + self._minutes(30, 180), "req_1"))
        yield self.now + self._minutes(5, 60)
        if self._dice.random() < 0.5:
            await self._try(closing.open(OTTO, "harbour", bay, "req_2"))

    async def _operator_cancels(self) -> Story:
        if self.made:
            booking = await self._as_it_stands(self._dice.choice(self.made))
            await self._try(self.harbour.office.overruling.cancel(OTTO, booking.id, "a flood", "req_3", Unkept()))
        yield self.now
