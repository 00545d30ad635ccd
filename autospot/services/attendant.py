"""The attendant: watches the feed for arrivals and departures on bays that were promised or are parked on.

It keeps its own position in the feed, so nothing that happened while it was away is missed; what it does, it does by
transactions that change a booking, a session or an assignment from one state to the next, so seeing something twice,
after a restart or in two processes at once, changes nothing twice.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from datetime import datetime

import structlog

from autospot.clock import Clock
from autospot.domain.booking.booking import Booking
from autospot.domain.booking.life import BookingState
from autospot.domain.booking.moments import Seen, has_arrived, has_left
from autospot.domain.change import Commit, FeedEntry, SensorChange
from autospot.domain.errors import AutoSpotError, PreconditionFailed, Unavailable
from autospot.domain.instant import to_ms
from autospot.live import LiveLots
from autospot.services.desk.stays import Stays
from autospot.services.parking import Parking
from autospot.storage.bookings import Bookings
from autospot.storage.claims import Claims
from autospot.storage.feed import CaughtUp, Feed, HistoryLost
from autospot.storage.marks import Marks
from autospot.storage.mongo import Database
from autospot.storage.sessions import Sessions

NAME = "attendant"

RETRY_SECONDS = 0.5

REMEMBERED_EVERY_MS = 1_000
"""How often the position is stored while the feed is busy: what is seen again after a crash."""

WAITING_LIMIT = 10_000
"""Commits that concern watched bays and have not been considered. Past it the attendant looks at every watched bay as
it is now instead."""

TRIES = 4

log = structlog.get_logger(__name__)


class Attendant:
    """Tells bookings, sessions and assignments what happened on their bays.

    It hears what this process's follower hears (`hear`): a change stream of its own would decode every reading once
    more, 8 us each at 12,000 readings a second. What happened while it was not there it reads from its stored position.

    It looks only at bays that somebody has claimed or parked on: those that were so at its start, and those that the
    feed has named since (claims, and sessions when they begin). For every other reading it costs a set lookup. Bounded
    by the number of bays.
    """

    def __init__(
        self,
        database: Database,
        live: LiveLots,
        bookings: Bookings,
        sessions: Sessions,
        claims: Claims,
        stays: Stays,
        parking: Parking,
        clock: Clock,
    ) -> None:
        self._feed = Feed(database)
        self._marks = Marks(database)
        self._live = live
        self._bookings = bookings
        self._sessions = sessions
        self._claims = claims
        self._stays = stays
        self._parking = parking
        self._clock = clock
        self._watched: set[tuple[str, str]] = set()
        self._rev = 0
        self._stored_at_ms = 0
        self._stored_rev = 0
        self._is_hearing = self._has_caught_up = False
        self._is_lost = False
        self._heard_from: int | None = None
        self._waiting: deque[Commit] = deque()
        self._wake = asyncio.Event()
        self._seen_until_ms = 0

    async def has_watched(self, until: datetime) -> bool:
        """True if everything that was in the feed at `until` has been considered, here or in another process."""
        if self._seen_until_ms >= to_ms(until):
            return True
        rev = await self._marks.checkpoint(NAME)
        return rev is not None and rev >> 20 > until.timestamp()

    def hear(self, event: Commit | CaughtUp) -> None:
        """What this process's follower was told, in the same order. Keeps what concerns a watched bay, for `run`."""
        if not self._is_hearing:
            return
        if isinstance(event, CaughtUp):
            if self._has_caught_up and not self._waiting:
                self._rev = max(self._rev, self._live.rev)
                self._seen_until_ms = self._clock.now_ms()
            return
        if self._heard_from is None:
            self._heard_from = event.rev
        if self._concerns(event.entry):
            self._waiting.append(event)
            self._wake.set()
            if len(self._waiting) > WAITING_LIMIT:
                self.lose()
        elif self._has_caught_up and not self._waiting:
            self._rev = event.rev
            self._seen_until_ms = max(self._seen_until_ms, event.written_ms)

    def lose(self) -> None:
        """What was heard is not whole: look at every watched bay as it is now."""
        if self._is_hearing:
            self._waiting.clear()
            self._is_lost = True
            self._wake.set()

    def _concerns(self, entry: FeedEntry) -> bool:
        for lot, claims in entry.claims.items():
            self._watched.update((lot, change.bay) for change in claims)
        if entry.claims:
            return True
        watched = self._watched
        return bool(watched) and any(
            (lot, change.bay) in watched for lot, changes in entry.sensors.items() for change in changes
        )

    async def run(self) -> None:
        """Attends until cancelled: first to what was missed, then to what is heard."""
        await self._until_it_answers()
        self._is_hearing = True
        await self._catch_up()
        self._has_caught_up = True
        while True:
            with suppress(TimeoutError):  # nothing to attend to: the position still moves on
                await asyncio.wait_for(self._wake.wait(), REMEMBERED_EVERY_MS / 1000)
            self._wake.clear()
            try:
                if self._is_lost:
                    self._is_lost = False
                    await self._look_around()
                while self._waiting:
                    await self.take(self._waiting[0])
                    self._waiting.popleft()
                await self._remember()
            except Unavailable:
                self._wake.set()
                await asyncio.sleep(RETRY_SECONDS)

    async def _catch_up(self) -> None:
        """Considers what the feed holds from the stored position up to what is heard: everything after this moment."""
        while True:
            try:
                until = await self._feed.position()
                async for event in self._feed.follow(self._rev):
                    if isinstance(event, Commit) and self._heard_from is not None and event.rev >= self._heard_from:
                        return
                    if isinstance(event, CaughtUp) and event.rev < until:
                        continue
                    await self.take(event)
                    if isinstance(event, CaughtUp):
                        return
            except HistoryLost:
                log.error("attendant_history_lost", rev=self._rev)
                self.lose()
                return
            except Unavailable:
                await asyncio.sleep(RETRY_SECONDS)

    async def begin(self) -> None:
        """Finds out where it was, and which bays to watch."""
        position = await self._marks.checkpoint(NAME)
        self._rev = position if position is not None else await self._feed.position()
        self._watched = {place async for place in self._claims.standing()}
        self._watched |= {place async for place in self._sessions.running()}

    async def take(self, event: Commit | CaughtUp) -> None:
        """Considers what the feed says next."""
        if isinstance(event, CaughtUp):
            self._seen_until_ms = self._clock.now_ms()
            return
        for lot, claims in event.entry.claims.items():
            self._watched.update((lot, change.bay) for change in claims)
        for lot, changes in event.entry.sensors.items():
            for change in changes:
                if (lot, change.bay) in self._watched:
                    await self._consider(lot, change, event.rev)
        self._rev = event.rev
        self._seen_until_ms = max(self._seen_until_ms, event.written_ms)
        if self._clock.now_ms() - self._stored_at_ms >= REMEMBERED_EVERY_MS:
            await self._remember()

    async def _consider(self, lot: str, change: SensorChange, rev: int) -> None:
        seen = Seen(change.occupied, change.since_ms)
        for _ in range(TRIES):
            try:
                if not await self.look(lot, change.bay, seen, rev):
                    self._watched.discard((lot, change.bay))
            except PreconditionFailed:
                continue  # it changed while being looked at: look again
            except Unavailable:
                raise
            except AutoSpotError as refusal:
                log.error("attendant_cannot_act", lot=lot, bay=change.bay, reason=refusal.message)
            return
        raise Unavailable("the bookings of a bay keep changing")

    async def look(self, lot: str, bay: str, seen: Seen, rev: int) -> bool:
        """Tells everybody who has to do with a bay what is seen there. False if nobody has any more."""
        now = self._clock.now()
        bookings = [each for each in await self._bookings.open_on(lot, bay) if each.seen_rev < rev]
        for booking in bookings:
            if has_left(booking, seen):
                await self._stays.leave(booking, seen, now, rev=rev)
        await self._parking.seen(lot, bay, seen, now)
        arriving = _arriving(bookings, seen)
        if arriving is not None:
            await self._stays.arrive(arriving, seen, now, rev=rev)
        half = await self._claims.of(lot, bay)
        for standing in half.claims:
            if standing.claim.kind == "assigned":
                await self._parking.arrived(standing.claim, seen, now)
        return bool(half.claims) or await self._sessions.running_on(lot, bay) is not None

    async def _look_around(self) -> None:
        """The history was lost: begins at the present position with what the bays are like now."""
        await self._until_it_answers(anew=True)
        for lot, bay in sorted(self._watched):
            live = self._live.lot(lot)
            here = live.bays.get(bay) if live else None
            if here is not None:
                change = SensorChange(bay, here.occupied, here.since_ms, here.at_ms)
                await self._consider(lot, change, self._rev)

    async def _until_it_answers(self, *, anew: bool = False) -> None:
        while True:
            try:
                await self.begin()
                if anew:
                    self._rev = await self._feed.position()
            except Unavailable:
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    async def _remember(self) -> None:
        if self._rev == self._stored_rev:
            return
        self._stored_at_ms, self._stored_rev = self._clock.now_ms(), self._rev
        await self._marks.set_checkpoint(NAME, self._rev)


def _arriving(bookings: list[Booking], seen: Seen) -> Booking | None:
    """Whose arrival is seen: of two who may come, the one whose time begins first. Nobody's while one is still
    there."""
    if any(each.state is BookingState.ACTIVE and not has_left(each, seen) for each in bookings):
        return None
    return next((each for each in bookings if has_arrived(each, seen)), None)
