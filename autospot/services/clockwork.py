"""Things that fall due: written by whoever causes them, done here, once.

A row is written in the transaction of what causes it (`Schedule`), so there is no cause without its effect.
`Clockwork` claims rows that are due and hands each to the handler of its kind. There are two sorts:

- `exactly_once`: works inside the transaction that removes the row. Done and gone are one thing: whatever dies between,
  or whoever else works on the row, the effects happen once.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Generic, TypeVar

import structlog
from pydantic import TypeAdapter, ValidationError

from autospot.clock import Clock
from autospot.domain.due import Backoff, Due, GiveUp, failure_text, retry_at
from autospot.domain.errors import AutoSpotError, Unavailable
from autospot.storage.due import Claimed, DueRows
from autospot.storage.mongo import Database, Session

LONGEST_SLEEP_SECONDS = 60.0
"""A row put by another process wakes us through the change stream; should a signal be lost, this is what it costs."""
OUTAGE_PAUSE_SECONDS = 1.0
WORK_SHARE_OF_LEASE = 0.8
"""Work outside a transaction is cut off at this share of its lease, so that nobody else begins while it runs."""

log = structlog.get_logger(__name__)

P = TypeVar("P")
OnceHandler = Callable[[Session, P, datetime], Awaitable[None]]
OutsideHandler = Callable[[P, Due], Awaitable[None]]


@dataclass(frozen=True)
class DueKind(Generic[P]):
    """A kind of due thing: its name in the database, the type of its payload (dataclass, pydantic model, TypedDict),
    and how it is tried. `at_once` bounds how many of it one process works on at a time."""

    name: str
    payload: type[P]
    backoff: Backoff = field(default_factory=Backoff)
    lease: timedelta = timedelta(seconds=30)
    at_once: int = 4

    @cached_property
    def adapter(self) -> TypeAdapter[P]:
        return TypeAdapter(self.payload)


class Schedule:
    """Where services write what will fall due."""

    def __init__(self, rows: DueRows) -> None:
        self._rows = rows

    async def put(
        self,
        kind: DueKind[P],
        key: str,
        at: datetime,
        payload: P,
        *,
        until: datetime | None = None,
        session: Session | None = None,
    ) -> None:
        """Adds a row; one of this kind and key that waits already stays as it is."""
        await self._rows.put(_due(kind, key, at, payload, until), session=session)

    async def move(
        self,
        kind: DueKind[P],
        key: str,
        at: datetime,
        payload: P,
        *,
        until: datetime | None = None,
        session: Session | None = None,
    ) -> None:
        """Adds a row, or replaces the one of this kind and key."""
        await self._rows.move(_due(kind, key, at, payload, until), session=session)

    async def ensure(
        self, kind: DueKind[P], key: str, at: datetime, payload: P, *, session: Session | None = None
    ) -> None:
        """Adds a row, or has the one of this kind and key done at the earliest and once more at the latest of the times
        that were asked for; also if it is in work, or was given up. For rows that say "look again" and share a key."""
        await self._rows.ensure(_due(kind, key, at, payload, None), session=session)

    async def cancel(self, kind: DueKind[Any], key: str, *, session: Session | None = None) -> bool:
        """Takes a row back; False if it is done or was never there."""
        return await self._rows.cancel(kind.name, key, session=session)


class _LeaseLostError(Exception):
    """Somebody else works on the row: our transaction must not count."""


@dataclass(frozen=True)
class _Lane:
    """A kind with its handler. `run` does one claimed row and removes it."""

    kind: DueKind[Any]
    run: Callable[[Claimed, Any, datetime], Awaitable[None]]


class Clockwork:
    """Does what falls due, in any number of processes.

    Guarantees: a row is worked on by one worker at a time, as long as the processes' clocks differ by less than a fifth
    of its lease (with `exactly_once` its effects count once whatever the clocks say); a failing row backs off and ends
    as a dead letter without holding up others; kinds do not wait for each other; an outage of the database stops
    nothing for good. Bounded: each kind works on `at_once` rows at a time, and nothing is read ahead.
    """

    def __init__(
        self, database: Database, rows: DueRows, clock: Clock, *, roll: Callable[[], float] = random.random
    ) -> None:
        self._database = database
        self._rows = rows
        self._clock = clock
        self._roll = roll
        self._lanes: dict[str, _Lane] = {}
        self._working: dict[str, int] = {}
        self._bell = asyncio.Event()
        self._sleeps_until: datetime | None = None

    def exactly_once(self, kind: DueKind[P], handler: OnceHandler[P]) -> None:
        """Registers a handler that works inside the row's transaction; it may run several times, as the transaction
        is tried again, and must pass its session to every call."""

        async def run(claimed: Claimed, payload: P, now: datetime) -> None:
            async def work(session: Session) -> None:
                if not await self._rows.finish(claimed, session=session):
                    raise _LeaseLostError
                await handler(session, payload, now)

            await self._database.transaction(work)

        self._register(kind, run)

    def at_least_once(self, kind: DueKind[P], handler: OutsideHandler[P]) -> None:
        """Registers a handler whose effect lies outside; it must be recognisable by the row's key."""
        limit_seconds = kind.lease.total_seconds() * WORK_SHARE_OF_LEASE

        async def run(claimed: Claimed, payload: P, now: datetime) -> None:  # noqa: ARG001 - the lanes' one shape
            async with asyncio.timeout(limit_seconds):
                await handler(payload, claimed.due)
            await self._rows.finish(claimed)

        self._register(kind, run)

    def hurry(self, at: datetime | None = None) -> None:
        """Tells that a row falls due at `at`, or that one should look again."""
        if at is None or self._sleeps_until is None or at < self._sleeps_until:
            self._bell.set()

    async def run(self) -> None:
        """Works until cancelled. Rows that are in work then fall due again when their leases end."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._bell.clear()
                try:
                    while (claimed := await self._claim()) is not None:
                        group.create_task(self._work(claimed))
                    await self._sleep()
                except Unavailable as error:
                    log.warning("due-queue waits for the database", reason=error.message)
                    await asyncio.sleep(OUTAGE_PAUSE_SECONDS * (0.5 + self._roll()))

    async def run_due(self) -> int:
        """Does everything that is due now, one after the other, and returns how many rows that were."""
        done = 0
        while (claimed := await self._claim()) is not None:
            await self._work(claimed)
            done += 1
        return done

    def _register(self, kind: DueKind[P], run: Callable[[Claimed, P, datetime], Awaitable[None]]) -> None:
        if kind.name in self._lanes:
            raise ValueError(f"the kind {kind.name!r} has a handler already")
        self._lanes[kind.name] = _Lane(kind, run)
        self._working[kind.name] = 0

    def _kinds_with_room(self) -> list[str]:
        return [name for name, lane in self._lanes.items() if self._working[name] < lane.kind.at_once]

    async def _claim(self) -> Claimed | None:
        kinds = self._kinds_with_room()
        if not kinds:
            return None
        # One lease for whatever comes, the longest of those that may: the kind is not known before the claim.
        lease = max(self._lanes[name].kind.lease for name in kinds)
        claimed = await self._rows.claim(kinds, self._clock.now(), lease)
        if claimed is not None:
            self._working[claimed.due.kind] += 1
        return claimed

    async def _sleep(self) -> None:
        self._sleeps_until = None  # a row put while we ask must ring
        next_at = await self._rows.next_at(self._kinds_with_room())
        seconds = LONGEST_SLEEP_SECONDS
        if next_at is not None:
            seconds = min(seconds, (next_at - self._clock.now()).total_seconds())
        self._sleeps_until = next_at
        if seconds > 0:
            try:
                async with asyncio.timeout(seconds):
                    await self._bell.wait()
            except TimeoutError:
                return

    async def _work(self, claimed: Claimed) -> None:
        lane, now = self._lanes[claimed.due.kind], self._clock.now()
        try:
            _require_worth_trying(lane.kind, claimed.due, now)
            await lane.run(claimed, _payload(lane.kind, claimed.due.payload), now)
        except _LeaseLostError:
            log.info("due row taken over by another worker", kind=claimed.due.kind)
        except Exception as error:  # noqa: BLE001 - a handler's mistake must not stop the others; it is kept and logged
            await self._failed(lane, claimed, error, now)
        finally:
            self._working[claimed.due.kind] -= 1
            self._bell.set()

    async def _failed(self, lane: _Lane, claimed: Claimed, error: Exception, now: datetime) -> None:
        due, reason = claimed.due, failure_text(error)
        again = retry_at(due, lane.kind.backoff, error, now, self._roll())
        unexpected = None if isinstance(error, AutoSpotError | TimeoutError) else error
        say, outcome = (log.error, "given up") if again is None else (log.warning, "to be tried again")
        say("due row failed", kind=due.kind, attempts=due.attempts, reason=reason, outcome=outcome, exc_info=unexpected)
        try:
            if again is None:
                await self._rows.bury(claimed, now, reason)
            else:
                await self._rows.retry(claimed, again, reason)
        except Unavailable:
            return  # it falls due again when its lease ends


def _due(kind: DueKind[P], key: str, at: datetime, payload: P, until: datetime | None) -> Due:
    return Due(kind.name, key, at, kind.adapter.dump_python(payload, mode="json"), until=until)


def _require_worth_trying(kind: DueKind[Any], due: Due, now: datetime) -> None:
    if due.attempts > kind.backoff.attempts:
        raise GiveUp("every try ended without an answer")
    if due.until is not None and now >= due.until:
        raise GiveUp("too late to matter")


def _payload(kind: DueKind[P], stored: Mapping[str, Any]) -> P:
    try:
        return kind.adapter.validate_python(stored)
    except ValidationError:
        raise GiveUp("its payload is not what this version understands") from None
