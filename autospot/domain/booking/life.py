"""The life of a booking: its states, its steps, and the table that says which step leads where.

The table is the only place that knows. A step that it does not hold is an error and changes nothing; the diagram in
`docs/bookings.md` is drawn from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from autospot.domain.errors import Conflict


class BookingState(StrEnum):
    """Where a booking stands."""

    HELD = "held"
    """The bay is kept for a few minutes until it is paid or taken up."""
    CONFIRMED = "confirmed"
    """Promised."""
    ACTIVE = "active"
    """The driver is on the bay."""
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    """Held, and never paid or taken up."""
    NO_SHOW = "no_show"
    """Promised, and nobody came."""
    MOVED = "moved"
    """Another booking on another bay took its place; `Booking.moved_to` names it."""


class Step(StrEnum):
    """What may happen to a booking that changes its state."""

    CONFIRM = "confirm"
    EXPIRE = "expire"
    CANCEL = "cancel"
    MOVE = "move"
    ARRIVE = "arrive"
    MISS = "miss"
    LEAVE = "leave"
    FINISH = "finish"
    """Its time is over and nobody could tell whether somebody came, or is still there."""


_S, _T = BookingState, Step

TRANSITIONS: Mapping[tuple[BookingState, Step], BookingState] = {
    (_S.HELD, _T.CONFIRM): _S.CONFIRMED,
    (_S.HELD, _T.EXPIRE): _S.EXPIRED,
    (_S.HELD, _T.CANCEL): _S.CANCELLED,
    (_S.CONFIRMED, _T.CANCEL): _S.CANCELLED,
    (_S.CONFIRMED, _T.MOVE): _S.MOVED,
    (_S.CONFIRMED, _T.ARRIVE): _S.ACTIVE,
    (_S.CONFIRMED, _T.MISS): _S.NO_SHOW,
    (_S.CONFIRMED, _T.FINISH): _S.COMPLETED,
    (_S.ACTIVE, _T.LEAVE): _S.COMPLETED,
    (_S.ACTIVE, _T.FINISH): _S.COMPLETED,
}

OPEN = frozenset({_S.HELD, _S.CONFIRMED, _S.ACTIVE})
"""States in which a booking keeps its bay."""


class IllegalStep(Conflict):
    """The booking is not in a state in which this can happen to it."""

    code = "illegal_step"


def state_after(state: BookingState, step: Step) -> BookingState:
    """Where `step` leads from `state`; `IllegalStep` if nowhere."""
    if (state, step) not in TRANSITIONS:
        raise IllegalStep(f"this booking is {state.replace('_', ' ')}: {step} is not possible any more")
    return TRANSITIONS[state, step]


def diagram() -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", "    [*] --> held", "    [*] --> confirmed: paid at once, or free"]
    lines += [f"    {state} --> {after}: {step}" for (state, step), after in TRANSITIONS.items()]
    lines += [f"    {state} --> [*]" for state in BookingState if state not in OPEN]
    return "\n".join(lines)
