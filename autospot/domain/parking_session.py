"""A session: a vehicle that stands on a bay, from its arrival to its departure, and what that costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Literal

from autospot.domain.errors import Conflict, InvalidInput
from autospot.domain.ids import is_code
from autospot.domain.lot import BayKind
from autospot.domain.money import Money

SessionKind = Literal["booked", "app", "pass"]
"""By a booking; by the driver's app ("I am parked at…", or an arrival on the bay that was assigned to him); or under a
subscription."""

BAY_CODE_PREFIX = "autospot:"


class SessionState(StrEnum):
    """Where a session stands."""

    RUNNING = "running"
    ENDED = "ended"
    """The vehicle has left; what is owed is not paid yet."""
    SETTLED = "settled"


class SessionStep(StrEnum):
    """What may happen to a session."""

    END = "end"
    SETTLE = "settle"


TRANSITIONS: Mapping[tuple[SessionState, SessionStep], SessionState] = {
    (SessionState.RUNNING, SessionStep.END): SessionState.ENDED,
    (SessionState.ENDED, SessionStep.SETTLE): SessionState.SETTLED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkingSession:
    """A stay of `owner` on a bay, from `began_at` on, to `ended_at` once it is over.

    `booking` is the booking it belongs to, if any. `tariff_version` is the version that held when it began and by which
    it is settled; None is free of charge. `fee` is what the whole stay costs, known at its end; `paid` what was paid
    for it in all and stays paid: `booked` of that with its booking, the rest by payments of the session itself.
    `version` counts changes.
    """

    id: str
    owner: str
    lot: str
    bay: str
    bay_kind: BayKind
    kind: SessionKind
    began_at: datetime
    vehicle: str | None = None
    booking: str | None = None
    tariff_version: str | None = None
    state: SessionState = SessionState.RUNNING
    ended_at: datetime | None = None
    fee: Money | None = None
    paid: int = 0
    booked: int = 0
    version: int = 1

    def ended(self, at: datetime) -> ParkingSession:
        """This session, over at `at` (not before it began); `Conflict` (code `illegal_step`) if it is over already."""
        return replace(self.after(SessionStep.END), ended_at=max(at, self.began_at))

    def settled(self, fee: Money | None, paid: int) -> ParkingSession:
        """This session with its fee and what was paid; `Conflict` unless it has ended and is not settled."""
        return replace(self.after(SessionStep.SETTLE), fee=fee, paid=paid)

    def after(self, step: SessionStep) -> ParkingSession:
        """This session after `step`, by the table."""
        if (self.state, step) not in TRANSITIONS:
            raise Conflict(f"this session is {self.state} already", code="illegal_step")
        return replace(self, state=TRANSITIONS[self.state, step], version=self.version + 1)


def bay_code(lot: str, bay: str) -> str:
    """The text in the QR code on a bay's sign: `autospot:harbour/B001`."""
    return f"{BAY_CODE_PREFIX}{lot}/{bay}"


def parse_bay_code(text: str) -> tuple[str, str]:
    """Lot and bay of a code as `bay_code` makes it, however it is spelt in case of its prefix; else `InvalidInput`."""
    prefix, rest = text[: len(BAY_CODE_PREFIX)], text[len(BAY_CODE_PREFIX) :]
    lot, slash, bay = rest.partition("/")
    if prefix.lower() != BAY_CODE_PREFIX or not slash or not is_code(lot) or not is_code(bay):
        raise InvalidInput("this is not the code of a bay", at="/code", code="bad_bay_code")
    return lot, bay
