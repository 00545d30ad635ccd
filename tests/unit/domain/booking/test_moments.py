"""What falls due for a booking, who is on its bay, and what is done about it: tables of cases."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from autospot.domain.booking.life import BookingState
from autospot.domain.booking.moments import (
    ACTS,
    Act,
    Moment,
    Presence,
    Seen,
    act_at,
    claim_of,
    due_moments,
    has_arrived,
    has_left,
    moments,
    next_moment,
    presence,
)
from autospot.domain.instant import MILLISECOND
from autospot.domain.lot import BookingTerms
from autospot.domain.reminding import Leads
from tests.support.bookings import a_booking, at, between, ms

UNKNOWN, EMPTY = Seen(None, None), Seen(False, ms(7))


def test_a_confirmed_booking_has_its_day_laid_out() -> None:
    assert moments(a_booking()) == [
        (at(9, 30), Moment.REMIND_START),
        (at(9, 45), Moment.SHOW),
        (at(9, 45), Moment.WARN),
        (at(9, 55), Moment.MOVE),
        (at(10), Moment.START),
        (at(10, 30), Moment.MISS),
        (at(11, 30), Moment.REMIND_END),
        (at(12), Moment.END),
        (at(12, 10), Moment.OVERSTAY),
    ]


@pytest.mark.parametrize(
    ("leads", "since", "reminders"),
    [
        (Leads(booking_begins=90, booking_ends=10), None, [at(8, 30), at(11, 50)]),
        (Leads(booking_begins=0, booking_ends=0), None, []),
        (Leads(booking_ends=24 * 60), None, [at(9, 30), at(11)]),  # the middle of the booking
        (Leads(booking_begins=60), at(9, 15), [at(9, 15) + MILLISECOND, at(11, 30)]),  # chosen when it had passed
    ],
)
def test_reminders_come_when_their_driver_wants_them(
    leads: Leads, since: datetime | None, reminders: list[datetime]
) -> None:
    booking = a_booking(leads=leads, leads_since=since)
    found = [when for when, what in moments(booking) if what in (Moment.REMIND_START, Moment.REMIND_END)]
    assert found == reminders


def test_a_held_booking_only_expires() -> None:
    assert moments(a_booking(state=BookingState.HELD, hold_until=at(8, 5))) == [(at(8, 5), Moment.EXPIRE)]
    assert moments(a_booking(state=BookingState.CANCELLED)) == []


def test_nobody_is_waited_for_beyond_the_end() -> None:
    short = a_booking(period=between(10, 11), terms=BookingTerms(no_show_minutes=90))
    assert (at(11), Moment.MISS) in moments(short)


def test_each_moment_falls_due_once() -> None:
    booking = a_booking(handled_until=at(9, 45))
    assert due_moments(booking, at(10)) == [(at(9, 55), Moment.MOVE), (at(10), Moment.START)]
    assert next_moment(booking) == at(9, 55)
    assert next_moment(replace(booking, handled_until=at(12, 10))) is None


def test_an_early_arrival_is_looked_for_even_where_screens_show_the_claim_later() -> None:
    terms = BookingTerms(reserved_lead_minutes=5, early_arrival_minutes=20)
    assert (at(9, 40), Moment.SHOW) in moments(a_booking(terms=terms))
    assert claim_of(a_booking(terms=terms))[:3] == ("reserved", ms(9, 40), ms(12))


@pytest.mark.parametrize(
    ("seen", "who"),
    [
        (UNKNOWN, Presence.UNKNOWN),
        (Seen(None, ms(10)), Presence.UNKNOWN),
        (Seen(True, None), Presence.UNKNOWN),
        (Seen(False, ms(10)), Presence.NOBODY),
        (Seen(False, None), Presence.NOBODY),
        (Seen(False, ms(10, 1)), Presence.UNKNOWN),
        (Seen(True, ms(9, 44)), Presence.SOMEBODY_ELSE),
        (Seen(True, ms(9, 45)), Presence.HOLDER),
        (Seen(True, ms(11, 59)), Presence.HOLDER),
        (Seen(True, ms(12)), Presence.SOMEBODY_ELSE),
    ],
)
def test_whoever_comes_within_the_time_is_the_holder(seen: Seen, who: Presence) -> None:
    assert presence(a_booking(), seen) is who


@pytest.mark.parametrize(
    ("state", "moment", "seen", "act"),
    [
        ("held", Moment.EXPIRE, UNKNOWN, Act.EXPIRE),
        ("confirmed", Moment.SHOW, EMPTY, Act.SHOW),
        ("confirmed", Moment.WARN, Seen(True, ms(8)), Act.WARN),
        ("confirmed", Moment.WARN, Seen(True, ms(9, 50)), None),
        ("confirmed", Moment.MOVE, Seen(True, ms(8)), Act.MOVE_AWAY),
        ("confirmed", Moment.MOVE, EMPTY, None),
        ("confirmed", Moment.START, Seen(True, ms(9, 50)), Act.ARRIVE),
        ("confirmed", Moment.MISS, EMPTY, Act.MISS),
        ("confirmed", Moment.MISS, UNKNOWN, None),
        ("confirmed", Moment.END, UNKNOWN, Act.FINISH),
        ("active", Moment.MISS, EMPTY, None),
        ("active", Moment.END, Seen(True, ms(10)), Act.STAYS_ON),
        ("active", Moment.OVERSTAY, Seen(True, ms(10)), Act.OVERSTAY),
        ("active", Moment.OVERSTAY, UNKNOWN, Act.FINISH),
        ("completed", Moment.OVERSTAY, Seen(True, ms(10)), None),
    ],
)
def test_what_is_done_at_a_moment(state: str, moment: Moment, seen: Seen, act: Act | None) -> None:
    assert act_at(a_booking(state=BookingState(state)), moment, seen) is act


def test_nobody_is_punished_for_a_bay_that_cannot_be_seen() -> None:
    unseen = {act for (_state, _moment, who), act in ACTS.items() if who is Presence.UNKNOWN}
    assert not unseen & {Act.MISS, Act.OVERSTAY, Act.MOVE_AWAY, Act.WARN}


@pytest.mark.parametrize(("since", "arrived"), [(at(9, 44), False), (at(9, 45), True), (at(11), True), (at(12), False)])
def test_an_arrival_within_the_time_is_the_holders(since: datetime, arrived: bool) -> None:
    seen = Seen(True, int(since.timestamp() * 1000))
    assert has_arrived(a_booking(), seen) is arrived
    assert not has_arrived(a_booking(state=BookingState.ACTIVE), seen)


def test_a_departure_is_seen_only_after_the_arrival() -> None:
    active = a_booking(state=BookingState.ACTIVE, arrived_at=at(10))
    assert has_left(active, Seen(False, ms(11)))
    assert not has_left(active, Seen(False, ms(9)))
    assert not has_left(active, UNKNOWN)
    assert not has_left(a_booking(), Seen(False, ms(11)))
