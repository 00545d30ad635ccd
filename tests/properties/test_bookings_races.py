"""No double booking: races for one bay and time, and thousands of random attempts, judged by the history checker.

`AUTOSPOT_PROOF_SCALE=1` runs the whole: 1,000 races of 32 clients, 20,000 attempts of 64 clients on 20 bays. Without it
a part of that is run, as much as takes some ten seconds. The seed is printed; `AUTOSPOT_PROOF_SEED` sets it.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from autospot.domain.booking.alternatives import BayTaken
from autospot.domain.booking.booking import Booking
from autospot.domain.booking.life import IllegalStep
from autospot.domain.errors import Unavailable
from autospot.domain.lot import BookingTerms
from autospot.domain.period import Period
from autospot.services.desk.keeper import HELD_WITHOUT_BOOKING
from autospot.storage.bookings import BookingQuery
from autospot.storage.idempotency import Unkept
from autospot.storage.mongo import TRANSACTION_SECONDS, Database
from autospot.storage.schema import DECLARED
from tests.support.bookings import at
from tests.support.history_checker import Attempt, History, Outcome, Release, Stored, faults
from tests.support.office import Harbour, a_harbour
from tests.support.services import MongodServer

SCALE = float(os.environ.get("AUTOSPOT_PROOF_SCALE", "0.02"))
RACES, RACERS = max(5, int(1_000 * SCALE)), 32
ATTEMPTS, CLIENTS, BAYS = max(200, int(20_000 * SCALE)), 64, 20
TERMS = BookingTerms(open_per_driver=1000, maximum_minutes=240)

pytestmark = pytest.mark.timeout(60 + 3_000 * SCALE)


class Client:
    """Books, extends and cancels at random, and records what became of it. `cut_off` is the share of its calls that are
    cut off in the middle, as if the process that worked on them had died."""

    def __init__(
        self, number: int, harbour: Harbour, history: History, dice: random.Random, cut_off: float = 0.0
    ) -> None:
        self._cut_off = cut_off
        self._owner = f"usr_{number}"
        self._harbour = harbour
        self._history = history
        self._dice = dice
        self._own: list[Booking] = []
        self._count = 0

    async def act(self) -> None:
        """One call of some kind."""
        choice = self._dice.random()
        if self._own and choice < 0.2:
            await self._cancel(self._own.pop(self._dice.randrange(len(self._own))))
        elif self._own and choice < 0.3:
            await self._extend(self._own.pop())
        else:
            await self._book()

    async def _book(self) -> None:
        self._count += 1
        bay = f"B{self._dice.randrange(BAYS):05d}"
        start = at(9) + timedelta(minutes=15 * self._dice.randrange(96))
        period = Period(start, start + timedelta(minutes=15 * self._dice.randint(1, 12)))
        key, begun = f"{self._owner}/{self._count}", time.monotonic()
        made, outcome = await self._outcome(self._harbour.book(period, bay=bay, owner=self._owner))
        booking = made.id if made else None
        self._history.attempts.append(Attempt(key, bay, period, begun, time.monotonic(), outcome, booking))
        if made is not None:
            self._own.append(made)

    async def _extend(self, booking: Booking) -> None:
        self._count += 1
        until = booking.period.until + timedelta(minutes=15)
        if until - booking.period.start > timedelta(minutes=TERMS.maximum_minutes):
            self._own.append(booking)
            return
        period, begun = Period(booking.period.start, until), time.monotonic()
        call = self._harbour.office.changes.extend(self._owner, booking.id, until, Unkept())
        made, outcome = await self._outcome(call)
        key = f"{self._owner}/{self._count}"
        # What an extension takes is the new part; the old one is its own already.
        added = Period(booking.period.until, until)
        attempt = Attempt(key, booking.bay, added, begun, time.monotonic(), outcome, booking.id)
        self._history.attempts.append(attempt)
        assert made is None or made.period == period
        if outcome != "unknown":  # else nobody knows how long it is now
            self._own.append(made or booking)

    async def _cancel(self, booking: Booking) -> None:
        begun = time.monotonic()
        _made, outcome = await self._outcome(self._harbour.office.changes.cancel(self._owner, booking.id, Unkept()))
        self._history.releases.append(Release(booking.id, begun, time.monotonic(), outcome))

    async def _outcome(self, call: Awaitable[Booking]) -> tuple[Booking | None, Outcome]:
        if self._dice.random() >= self._cut_off:
            return await _outcome(call)
        try:
            async with asyncio.timeout(self._dice.uniform(0.0, 0.1)):
                return await _outcome(call)
        except TimeoutError:
            return None, "unknown"


async def _outcome(call: Awaitable[Booking]) -> tuple[Booking | None, Outcome]:
    try:
        return await call, "ok"
    except (BayTaken, IllegalStep):
        return None, "refused"
    except Unavailable:
        return None, "unknown"


def a_seed() -> int:
    """The seed of this run, which is printed."""
    seed = int(os.environ.get("AUTOSPOT_PROOF_SEED", random.SystemRandom().randrange(1_000_000)))
    print(f"seed {seed}")
    return seed


async def stored(harbour: Harbour) -> list[Stored]:
    return [
        Stored(each.id, each.bay, each.period, each.is_open)
        for each in await harbour.office.bookings.newest(BookingQuery(), 1_000_000)
    ]


async def the_calendars_agree(harbour: Harbour) -> None:
    """Every promise belongs to an open booking, and every open booking has its promise."""
    promised = set()
    for number in range(BAYS):
        for each in await harbour.office.calendars.promises("harbour", f"B{number:05d}"):
            promised.add((each.ref, f"B{number:05d}", each.period))
    assert promised == {(each.id, each.bay, each.period) for each in await stored(harbour) if each.is_open}


async def test_each_race_for_one_bay_and_time_has_one_winner(database: Database) -> None:
    harbour = await a_harbour(database, bays=RACES, terms=TERMS)
    for race in range(RACES):
        period = Period(at(10), at(11))
        racers = (harbour.book(period, bay=f"B{race:05d}", owner=f"usr_{number}") for number in range(RACERS))
        outcomes = [outcome for _made, outcome in await asyncio.gather(*map(_outcome, racers))]
        assert (outcomes.count("ok"), outcomes.count("refused")) == (1, RACERS - 1)
    bookings = await stored(harbour)
    assert len({each.bay for each in bookings}) == len(bookings) == RACES


async def attempted(harbour: Harbour, seed: int, attempts: int, cut_off: float = 0.0) -> History:
    """`CLIENTS` clients make `attempts` calls between them."""
    history, left = History(), iter(range(attempts))

    async def run(number: int) -> None:
        client = Client(number, harbour, history, random.Random(seed * 1_000 + number), cut_off)
        for _ in left:
            await client.act()

    await asyncio.gather(*(run(number) for number in range(CLIENTS)))
    return history


async def test_random_attempts_never_overlap_and_every_refusal_is_explained(database: Database) -> None:
    seed = a_seed()
    harbour = await a_harbour(database, bays=BAYS, terms=TERMS)
    history = await attempted(harbour, seed, ATTEMPTS)
    assert {each.outcome for each in history.attempts} >= {"ok", "refused"}
    assert faults(history, await stored(harbour)) == []
    await the_calendars_agree(harbour)


@pytest.mark.slow
async def test_kill_9_of_mongod_and_calls_that_are_cut_off_lose_and_double_nothing(
    make_mongod: Callable[..., MongodServer],
) -> None:
    seed = a_seed()
    mongod = make_mongod()
    database = Database(mongod.url, "crash")
    await database.prepare(DECLARED)
    try:
        await killed_and_cut_off(mongod, await a_harbour(database, bays=BAYS, terms=TERMS), seed)
    finally:
        database.close()


async def killed_and_cut_off(mongod: MongodServer, harbour: Harbour, seed: int) -> None:
    await harbour.office.keeper.begin()
    working = asyncio.create_task(attempted(harbour, seed, max(400, ATTEMPTS), cut_off=0.1))
    for _ in range(2):
        await asyncio.sleep(random.Random(seed).uniform(0.5, 1.0))  # load of this length, then the blow
        await asyncio.to_thread(mongod.kill)
        await asyncio.to_thread(mongod.restart)
    history = await working
    print(f"attempts {dict(Counter(each.outcome for each in history.attempts))}, releases {len(history.releases)}")
    assert {each.outcome for each in history.attempts} == {"ok", "refused", "unknown"}
    await asyncio.sleep(TRANSACTION_SECONDS)  # what was cut off and is still at work ends within that
    for _ in range(5):
        harbour.clock.move(HELD_WITHOUT_BOOKING)
        await harbour.settle()
    assert faults(history, await stored(harbour)) == []
    await the_calendars_agree(harbour)
