"""An assignment: the nearest suitable bay, kept for a driver who is on the way to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from autospot.domain.bay import Claim
from autospot.domain.errors import Conflict
from autospot.domain.instant import to_ms
from autospot.domain.lot import BookingTerms
from autospot.domain.period import Period

KEPT_FOR = timedelta(minutes=15)
"""How long a bay is kept, and by how much a renewal keeps it longer from the moment of asking."""

LONGEST = timedelta(minutes=60)
"""How long one assignment can be renewed: who is further away books."""

OPEN_PER_DRIVER = 1


class AssignmentState(StrEnum):
    """Where an assignment stands."""

    WAITING = "waiting"
    """The bay is kept; the driver is on the way."""
    ARRIVED = "arrived"
    RELEASED = "released"
    EXPIRED = "expired"


class AssignmentStep(StrEnum):
    """What may happen to an assignment."""

    ARRIVE = "arrive"
    RELEASE = "release"
    EXPIRE = "expire"


TRANSITIONS: Mapping[tuple[AssignmentState, AssignmentStep], AssignmentState] = {
    (AssignmentState.WAITING, AssignmentStep.ARRIVE): AssignmentState.ARRIVED,
    (AssignmentState.WAITING, AssignmentStep.RELEASE): AssignmentState.RELEASED,
    (AssignmentState.WAITING, AssignmentStep.EXPIRE): AssignmentState.EXPIRED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A bay kept for `owner` during `period`, by the entry `promise` of its calendar. `version` counts changes."""

    id: str
    owner: str
    lot: str
    bay: str
    promise: str
    period: Period
    made_at: datetime
    state: AssignmentState = AssignmentState.WAITING
    version: int = 1

    @property
    def is_open(self) -> bool:
        """True while the bay is kept."""
        return self.state is AssignmentState.WAITING

    def after(self, step: AssignmentStep) -> Assignment:
        """This assignment after `step`; `Conflict` (code `illegal_step`) if it is over."""
        if (self.state, step) not in TRANSITIONS:
            raise Conflict(f"this assignment is {self.state} already", code="illegal_step")
        return replace(self, state=TRANSITIONS[self.state, step], version=self.version + 1)

    def renewed_period(self, now: datetime) -> Period:
        """The period of a renewal at `now`; `Conflict` when the assignment is over or cannot be renewed further."""
        if not self.is_open:
            raise Conflict(f"this assignment is {self.state} already", code="illegal_step")
        until = now + KEPT_FOR
        if until > self.made_at + LONGEST:
            minutes = int(LONGEST.total_seconds() // 60)
            raise Conflict(f"a bay is kept for {minutes} minutes at most: book it", code="kept_too_long")
        return Period(self.period.start, max(until, self.period.until))

    def claim(self) -> Claim:
        """What the screens show."""
        return Claim("assigned", to_ms(self.period.start), to_ms(self.period.until), self.id)


def promised_period(period: Period, terms: BookingTerms) -> Period:
    """For how long a bay that is kept during `period` is promised: until nobody who comes in that time can be an early
    holder of a booking."""
    return Period(period.start, period.until + timedelta(minutes=terms.early_arrival_minutes))
