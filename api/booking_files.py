"""A booking to take along: the pass as a QR code, and the calendar entry."""

from __future__ import annotations

from io import BytesIO

import segno
from icalendar import Calendar, Event

from autospot.domain.booking.booking import Booking
from autospot.domain.booking.life import BookingState
from autospot.domain.lot import Lot

PASS_PREFIX = "AUTOSPOT:PASS:"  # noqa: S105 - what a gate's reader recognises a pass by
"""Upper case, so that the QR code of the prefix stays small (ISO/IEC 18004, alphanumeric mode)."""

_STATUS = {
    BookingState.HELD: "TENTATIVE",
    BookingState.CANCELLED: "CANCELLED",
    BookingState.EXPIRED: "CANCELLED",
    BookingState.MOVED: "CANCELLED",
}


def pass_svg(booking: Booking) -> bytes:
    """The pass: a QR code of `AUTOSPOT:PASS:` and the booking's id, which is 128 random bits and so proves itself.

    Error correction M: up to 15 % of the picture may be lost under scratches and glare.
    """
    picture = BytesIO()
    segno.make(PASS_PREFIX + booking.id, error="m", micro=False).save(picture, kind="svg", scale=8, border=4)
    return picture.getvalue()


def calendar_entry(booking: Booking, lot: Lot) -> bytes:
    """The booking as iCalendar (RFC 5545). A changed booking replaces the entry: same UID, higher SEQUENCE."""
    event = Event()
    event.add("uid", f"{booking.id}@autospot")
    event.add("sequence", booking.version)
    event.add("dtstamp", booking.events[-1].at if booking.events else booking.made_at)
    event.add("dtstart", booking.period.start)
    event.add("dtend", booking.period.until)
    event.add("summary", f"Parking {lot.name}, bay {booking.bay}")
    event.add("location", lot.address or lot.name)
    event.add("status", _STATUS.get(booking.state, "CONFIRMED"))
    if lot.anchor is not None:
        event.add("geo", (lot.anchor.lat, lot.anchor.lon))
    calendar = Calendar()
    calendar.add("prodid", "-//AutoSpot//Bookings//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(event)
    return bytes(calendar.to_ical())
