"""Assignments: the nearest suitable bay is kept for a driver who is on the way, renewed, released, taken, or
expires."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from autospot.clock import Clock
from autospot.domain.assignment import KEPT_FOR, Assignment, AssignmentStep, promised_period
from autospot.domain.bay import Claim
from autospot.domain.booking.moments import Seen
from autospot.domain.due import Due
from autospot.domain.errors import AutoSpotError, Conflict, NotFound
from autospot.domain.guidance import Wish
from autospot.domain.instant import to_ms
from autospot.domain.notice import Notice
from autospot.domain.period import Period
from autospot.services.clockwork import Clockwork, DueKind, Schedule
from autospot.services.desk.booking import LotOf
from autospot.services.desk.keeper import Keeper
from autospot.services.desk.matching import Matching
from autospot.services.desk.register import GIVE_BACK, GIVE_BACK_AFTER, GivenBack, Register
from autospot.storage.assignments import Assignments
from autospot.storage.calendars import Calendars
from autospot.storage.claims import Claims, Edit
from autospot.storage.idempotency import Once
from autospot.storage.mongo import Database, Session

WRITER = "assigning"


@dataclass(frozen=True, slots=True)
class AssignmentDue:
    """The time of this assignment may be over."""

    assignment_id: str


ASSIGNMENT_DUE = DueKind("assignment", AssignmentDue)


class Assigning:
    """Keeps bays for drivers on their way: one per driver at a time. Somebody else's assignment is `NotFound`."""

    def __init__(
        self,
        database: Database,
        assignments: Assignments,
        calendars: Calendars,
        claims: Claims,
        lot_of: LotOf,
        keeper: Keeper,
        matching: Matching,
        register: Register,
        schedule: Schedule,
        clockwork: Clockwork,
        clock: Clock,
    ) -> None:
        self._database = database
        self._assignments = assignments
        self._calendars = calendars
        self._claims = claims
        self._lot_of = lot_of
        self._keeper = keeper
        self._matching = matching
        self._register = register
        self._schedule = schedule
        self._clock = clock
        clockwork.at_least_once(ASSIGNMENT_DUE, self._due)

    async def assign(self, owner: str, lot: str, wish: Wish, once: Once[Assignment]) -> Assignment:
        """The best bay for `wish` that is free now, kept for `KEPT_FOR`; drivers who ask at the same moment are dealt
        theirs together. `BayTaken` if there is none, `Conflict` (code `assigned_already`) for a driver who has one,
        `NotFound` (code `no_such_place`) for an entrance or destination that is not there."""
        if await self._assignments.waiting_of(owner) is not None:
            raise Conflict("a bay is kept for you already", code="assigned_already")
        assignment_id = once.id("asg")
        matched = await self._matching.bay_for(lot, wish, assignment_id)
        bay, promise, now = matched.bay, matched.promise, matched.promise.made_at
        period = Period(now, now + KEPT_FOR)
        made = Assignment(
            id=assignment_id, owner=owner, lot=lot, bay=bay.bay, promise=promise.id, period=period, made_at=now
        )

        async def work(session: Session) -> Assignment:
            await self._assignments.add(made, session=session)
            await self._follow_up(session, made, now)
            await once.keep(session, made)
            return made

        try:
            return await self._database.transaction(work)
        except AutoSpotError as refusal:
            await self._keeper.let_go(lot, bay.bay, promise, refusal)
            raise

    async def renew(self, owner: str, assignment_id: str) -> Assignment:
        """Keeps the bay for `KEPT_FOR` from now on. `BayTaken` where somebody has booked it for then, `Conflict` (codes
        `kept_too_long`, `illegal_step`)."""
        before, now = await self.find(owner, assignment_id), self._clock.now()
        live, period = self._lot_of(before.lot), before.renewed_period(now)
        if before.bay not in live.bays:
            raise Conflict("the bay is no longer there", code="bay_closed")
        bay = live.layout.bays[live.bays[before.bay].number]
        promise = await self._keeper.keep(live, bay, before.id, promised_period(period, live.layout.booking), now)
        after = replace(before, period=period, promise=promise.id, version=before.version + 1)
        try:
            await self._store(before, after, now)
        except AutoSpotError as refusal:
            await self._keeper.let_go(before.lot, before.bay, promise, refusal)
            raise
        return after

    async def release(self, owner: str, assignment_id: str) -> Assignment:
        """Gives the bay back; nothing more happens if it is given back already."""
        before, now = await self.find(owner, assignment_id), self._clock.now()
        return await self._step(before, AssignmentStep.RELEASE, now) if before.is_open else before

    async def find(self, owner: str, assignment_id: str) -> Assignment:
        """One of the driver's assignments."""
        assignment = await self._assignments.find(assignment_id, owner=owner)
        if assignment is None:
            raise no_such_assignment()
        return assignment

    async def waiting_on(self, owner: str, lot: str, bay: str) -> Assignment | None:
        """The assignment by which `owner` has this bay now."""
        found = await self._assignments.waiting_of(owner)
        return found if found is not None and (found.lot, found.bay) == (lot, bay) else None

    async def come_to(self, claim: Claim, seen: Seen) -> Assignment | None:
        """The open assignment of `claim` if the sensor says that somebody has come since the bay was assigned: its
        driver, there being no other way to tell."""
        if not seen.occupied or seen.since_ms is None or seen.since_ms < claim.accepts_from_ms:
            return None
        assignment = await self._assignments.find(claim.ref)
        return assignment if assignment is not None and assignment.is_open else None

    async def was_come_to(self, session_id: str) -> bool:
        """True if the session began because somebody was seen to come to a bay that was assigned."""
        return await self._assignments.find(assignment_of(session_id)) is not None

    async def fulfil(self, session: Session, before: Assignment, now: datetime) -> None:
        """Its driver is there: part of the transaction that begins his session. `give_back` comes after it."""
        await self._write(session, before, before.after(AssignmentStep.ARRIVE), now)

    async def give_back(self, before: Assignment) -> None:
        """Gives back the promise of an assignment that is over."""
        await self._calendars.give_back(before.lot, before.bay, before.promise)

    async def _step(self, before: Assignment, step: AssignmentStep, now: datetime) -> Assignment:
        return await self._store(before, before.after(step), now)

    async def _store(self, before: Assignment, after: Assignment, now: datetime) -> Assignment:
        await self._database.transaction(lambda session: self._write(session, before, after, now))
        await self.give_back(before)
        return after

    async def _write(self, session: Session, before: Assignment, after: Assignment, now: datetime) -> None:
        await self._assignments.replace(before, after, session=session)
        await self._follow_up(session, after, now)
        given = GivenBack(before.lot, before.bay, before.promise)
        await self._schedule.put(GIVE_BACK, before.promise, now + GIVE_BACK_AFTER, given, session=session)

    async def _follow_up(self, session: Session, assignment: Assignment, now: datetime) -> None:
        """The claim on the screens, and the row for the end."""
        edit: Edit = lambda half: half.without(assignment.id)  # noqa: E731 - one of two of a kind
        if assignment.is_open:
            edit = lambda half: half.claimed(assignment.claim(), to_ms(assignment.period.start))  # noqa: E731
        await self._claims.edit(session, WRITER, assignment.lot, [(assignment.bay, edit)], to_ms(now))
        if assignment.is_open:
            due = AssignmentDue(assignment.id)
            await self._schedule.move(ASSIGNMENT_DUE, assignment.id, assignment.period.until, due, session=session)
        else:
            await self._schedule.cancel(ASSIGNMENT_DUE, assignment.id, session=session)

    async def _due(self, row: AssignmentDue, due: Due) -> None:  # noqa: ARG002 - the queue's handlers take both
        assignment, now = await self._assignments.find(row.assignment_id), self._clock.now()
        if assignment is None or not assignment.is_open or assignment.period.until > now:
            return
        await self._step(assignment, AssignmentStep.EXPIRE, now)
        notice = Notice("driver", assignment.lot, "assignment_expired", assignment.id, assignment.owner)
        await self._database.transaction(lambda session: self._register.tell(session, notice, now))


def session_of(assignment: Assignment) -> str:
    """The id of the session that its arrival begins: one assignment, one session."""
    return f"ses_{assignment.id.removeprefix('asg_')}"


def assignment_of(session_id: str) -> str:
    """The other way round."""
    return f"asg_{session_id.removeprefix('ses_')}"


def no_such_assignment() -> NotFound:
    return NotFound("there is no such assignment")
