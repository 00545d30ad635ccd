"""What falls due in a booking's life, what the sensor says at that moment, and what is to be done: three tables.

A booking has one row in the due-queue, at the earliest of its `moments` that is not handled yet. Who handles it looks
at the bay (`presence`) and finds in `ACTS` what to do. Arrivals and departures go through the same presence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple

from autospot.domain.bay import Claim
from autospot.domain.booking.booking import Booking
from autospot.domain.booking.life import BookingState
from autospot.domain.instant import MILLISECOND, to_ms
from autospot.domain.reminding import remind_at

WARN_BEFORE = timedelta(minutes=15)
"""How long before the start the operator is warned that somebody else stands on the bay."""

MOVE_BEFORE = timedelta(minutes=5)
"""How long before the start the booking is moved for it."""


class Moment(Enum):
    """Something that falls due."""

    EXPIRE = "expire"
    REMIND_START = "remind_start"
    SHOW = "show"
    """Screens show the bay as reserved from now on."""
    WARN = "warn"
    MOVE = "move"
    START = "start"
    MISS = "miss"
    """Nobody has come within the time that the terms allow."""
    REMIND_END = "remind_end"
    END = "end"
    OVERSTAY = "overstay"
    """The time is over, and so is the grace for leaving late."""


class Seen(NamedTuple):
    """What the sensor says of a bay: `occupied` None while nobody knows, `since_ms` since when."""

    occupied: bool | None
    since_ms: int | None


class Presence(Enum):
    """Who is on the bay, as far as one can tell."""

    NOBODY = "nobody"
    HOLDER = "holder"
    SOMEBODY_ELSE = "somebody_else"
    UNKNOWN = "unknown"


class Act(Enum):
    """What is to be done at a moment."""

    EXPIRE = "expire"
    REMIND_START = "remind_start"
    REMIND_END = "remind_end"
    SHOW = "show"
    ARRIVE = "arrive"
    WARN = "warn"
    MOVE_AWAY = "move_away"
    MISS = "miss"
    FINISH = "finish"
    STAYS_ON = "stays_on"
    OVERSTAY = "overstay"


_HELD, _CONFIRMED, _ACTIVE = BookingState.HELD, BookingState.CONFIRMED, BookingState.ACTIVE
_NOBODY, _HOLDER, _ELSE, _UNKNOWN = Presence

_UNSEEN: Mapping[tuple[BookingState, Moment], Act] = {
    (_HELD, Moment.EXPIRE): Act.EXPIRE,
    (_CONFIRMED, Moment.REMIND_START): Act.REMIND_START,
    (_ACTIVE, Moment.REMIND_END): Act.REMIND_END,
    (_CONFIRMED, Moment.SHOW): Act.SHOW,
    (_ACTIVE, Moment.SHOW): Act.SHOW,
}
"""What does not depend on who is there."""

ACTS: Mapping[tuple[BookingState, Moment, Presence], Act] = {
    **{(state, moment, presence): act for (state, moment), act in _UNSEEN.items() for presence in Presence},
    (_CONFIRMED, Moment.WARN, _ELSE): Act.WARN,
    (_CONFIRMED, Moment.MOVE, _ELSE): Act.MOVE_AWAY,
    (_CONFIRMED, Moment.START, _ELSE): Act.MOVE_AWAY,
    (_CONFIRMED, Moment.MISS, _ELSE): Act.MOVE_AWAY,
    (_CONFIRMED, Moment.START, _HOLDER): Act.ARRIVE,
    (_CONFIRMED, Moment.MISS, _HOLDER): Act.ARRIVE,
    (_CONFIRMED, Moment.MISS, _NOBODY): Act.MISS,
    (_CONFIRMED, Moment.END, _HOLDER): Act.ARRIVE,
    (_CONFIRMED, Moment.END, _NOBODY): Act.MISS,
    (_CONFIRMED, Moment.END, _ELSE): Act.MOVE_AWAY,
    (_CONFIRMED, Moment.END, _UNKNOWN): Act.FINISH,
    (_ACTIVE, Moment.END, _HOLDER): Act.STAYS_ON,
    (_ACTIVE, Moment.END, _ELSE): Act.STAYS_ON,
    (_ACTIVE, Moment.END, _NOBODY): Act.FINISH,
    (_ACTIVE, Moment.END, _UNKNOWN): Act.FINISH,
    (_ACTIVE, Moment.OVERSTAY, _HOLDER): Act.OVERSTAY,
    (_ACTIVE, Moment.OVERSTAY, _ELSE): Act.OVERSTAY,
    (_ACTIVE, Moment.OVERSTAY, _NOBODY): Act.FINISH,
    (_ACTIVE, Moment.OVERSTAY, _UNKNOWN): Act.FINISH,
}
"""What is to be done; nothing where there is no line. A driver is never punished for a bay nobody can see: no line with
`UNKNOWN` leads to `MISS` or `OVERSTAY`."""


def moments(booking: Booking) -> list[tuple[datetime, Moment]]:
    """Everything that falls due in the life of `booking` as it stands, in the order of time."""
    return sorted(_moments(booking), key=lambda each: each[0])


def _moments(booking: Booking) -> list[tuple[datetime, Moment]]:
    if booking.state is BookingState.HELD:
        return [] if booking.hold_until is None else [(booking.hold_until, Moment.EXPIRE)]
    if not booking.is_open:
        return []
    start, until, terms = booking.period.start, booking.period.until, booking.terms
    return [
        *_reminders(booking),
        (shown_from(booking), Moment.SHOW),
        (start - WARN_BEFORE, Moment.WARN),
        (start - MOVE_BEFORE, Moment.MOVE),
        (start, Moment.START),
        (min(start + timedelta(minutes=terms.no_show_minutes), until), Moment.MISS),
        (until, Moment.END),
        (until + timedelta(minutes=terms.late_leave_minutes), Moment.OVERSTAY),
    ]


def _reminders(booking: Booking) -> Iterator[tuple[datetime, Moment]]:
    """Those that its driver wants; at once if that became so later than they would have been due."""
    start, until, leads = booking.period.start, booking.period.until, booking.leads
    for at, moment in (
        (start - timedelta(minutes=leads.booking_begins) if leads.booking_begins else None, Moment.REMIND_START),
        (remind_at(until, leads.booking_ends, booking.period.duration), Moment.REMIND_END),
    ):
        if at is not None:
            yield at if booking.leads_since is None else max(at, booking.leads_since + MILLISECOND), moment


def due_moments(booking: Booking, now: datetime) -> list[tuple[datetime, Moment]]:
    """What has fallen due since `handled_until`, up to `now`."""
    return [(at, moment) for at, moment in moments(booking) if booking.handled_until < at <= now]


def next_moment(booking: Booking) -> datetime | None:
    """When something falls due next; None when nothing ever will."""
    return min((at for at, _moment in _moments(booking) if at > booking.handled_until), default=None)


def shown_from(booking: Booking) -> datetime:
    """From when the bay is claimed for `booking`: the lead time before its start, and not after an early arrival."""
    minutes = max(booking.terms.reserved_lead_minutes, booking.terms.early_arrival_minutes)
    return booking.period.start - timedelta(minutes=minutes)


def accepts_from(booking: Booking) -> datetime:
    """From when whoever arrives on the bay is taken for the holder."""
    return booking.period.start - timedelta(minutes=booking.terms.early_arrival_minutes)


def claim_of(booking: Booking) -> Claim:
    """The claim that `booking` puts on its bay while it is shown."""
    return Claim("reserved", to_ms(accepts_from(booking)), to_ms(booking.period.until), booking.id)


def presence(booking: Booking, seen: Seen) -> Presence:
    """Who is on the bay of `booking`: whoever came within its time is its holder, there being no other way to tell.

    A bay that is free only since a time after the start was not seen before: somebody else on it would have had the
    booking moved. Its holder may have come and left unseen.
    """
    if seen.occupied is None or (seen.occupied and seen.since_ms is None):
        return Presence.UNKNOWN
    if not seen.occupied or seen.since_ms is None:
        unseen = seen.since_ms is not None and seen.since_ms > to_ms(booking.period.start)
        return Presence.UNKNOWN if unseen else Presence.NOBODY
    if to_ms(accepts_from(booking)) <= seen.since_ms < to_ms(booking.period.until):
        return Presence.HOLDER
    return Presence.SOMEBODY_ELSE


def act_at(booking: Booking, moment: Moment, seen: Seen) -> Act | None:
    """What is to be done for `booking` at `moment`, with the bay as it is seen; None for nothing."""
    return ACTS.get((booking.state, moment, presence(booking, seen)))


def has_arrived(booking: Booking, seen: Seen) -> bool:
    """True if what is seen is the arrival of the holder of a confirmed booking."""
    return booking.state is BookingState.CONFIRMED and presence(booking, seen) is Presence.HOLDER


def has_left(booking: Booking, seen: Seen) -> bool:
    """True if what is seen is the departure of the holder of an active booking: the bay is free since a time after the
    arrival. A sensor that falls silent has seen nobody leave."""
    if booking.state is not BookingState.ACTIVE or seen.occupied is not False:
        return False
    return seen.since_ms is None or booking.arrived_at is None or seen.since_ms >= to_ms(booking.arrived_at)
