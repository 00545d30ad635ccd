"""An extension that is offered: how much longer, and what an offer holds its taker to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from autospot.domain.booking.booking import Booking

OFFERED = timedelta(minutes=30)
"""How much longer is offered at a time, where the steps and the longest booking of the terms allow it."""


@dataclass(frozen=True, slots=True)
class Extension:
    """A booking that ends at `since` shall end at `until`. It means nothing for one that ends at another time."""

    booking: str
    since: datetime
    until: datetime


def offered(booking: Booking) -> Extension | None:
    """The fewest whole steps that make `OFFERED`, or as many as the terms leave room for; None where they leave
    none."""
    step = timedelta(minutes=booking.terms.step_minutes)
    room = timedelta(minutes=booking.terms.maximum_minutes) - booking.period.duration
    steps = min(-(-OFFERED // step), room // step)
    if steps <= 0:
        return None
    return Extension(booking.id, booking.period.until, booking.period.until + steps * step)
