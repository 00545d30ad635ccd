"""A day of a full garage, at high speed: in the evening money, calendars, sessions and sensors agree.

`AUTOSPOT_PROOF_SCALE=1` plays it with 1,500 drivers on 166 bays. The seed is printed; `AUTOSPOT_PROOF_SEED` sets it.
"""

from __future__ import annotations

import os
import random
from datetime import datetime, timedelta

import pytest

from autospot.domain.booking.booking import Booking
from autospot.domain.booking.life import BookingState
from autospot.domain.lot import BookingTerms
from autospot.domain.parking_session import ParkingSession, SessionState
from autospot.domain.period import Period
from autospot.storage.bookings import BookingQuery
from autospot.storage.mongo import Database
from autospot.storage.sessions import SessionQuery
from tests.support.agreement import books_of, disagreements
from tests.support.bookings import at
from tests.support.full_day import OPENS, Day
from tests.support.office import a_harbour, events, hourly

SCALE = float(os.environ.get("AUTOSPOT_PROOF_SCALE", "0.02"))
DRIVERS = max(110, int(1_500 * SCALE))
BAYS = DRIVERS // 9
HOUR_COSTS = 200
TERMS = BookingTerms(no_show_fee=100)
NO_SHOW_AFTER = timedelta(minutes=TERMS.no_show_minutes)
EARLY, GRACE = timedelta(minutes=TERMS.early_arrival_minutes), timedelta(minutes=TERMS.late_leave_minutes)

pytestmark = pytest.mark.timeout(120 + 3_000 * SCALE)


async def test_in_the_evening_of_a_full_day_everything_agrees(database: Database) -> None:
    seed = int(os.environ.get("AUTOSPOT_PROOF_SEED", random.SystemRandom().randrange(1_000_000)))
    print(f"seed {seed}")
    harbour = await a_harbour(database, bays=BAYS, terms=TERMS, prices=hourly(), start=OPENS)
    day = Day(harbour, random.Random(seed), BAYS, DRIVERS)
    await day.play()

    bookings = list(await harbour.office.bookings.newest(BookingQuery(), 1_000_000))
    sessions = [
        parked
        for number in range(DRIVERS)
        for parked in await harbour.office.sessions.newest(SessionQuery(f"usr_{number:05d}"), 1_000)
    ]
    print(how_it_went(bookings, sessions))
    books = await books_of(database, "harbour")
    assert disagreements(books, harbour.clock.now()) == []
    assert (books.promises, books.claims) == ([], [])
    assert [each.id for each in bookings if each.is_open] == []
    assert {parked.state for parked in sessions} <= {SessionState.SETTLED, SessionState.ENDED}
    assert {bay.state for bay in harbour.live.lots["harbour"].bays.values()} == {"free"}
    report = await harbour.cash.auditor.audit()
    assert report.is_clean, report.mismatches
    for booking in bookings:
        the_price_is_right(day, booking)
        nobody_is_punished_for_coming(day, booking)
    for parked in sessions:
        the_session_is_a_stay(day, parked)
        the_fee_is_right(day, parked)
    for booking in bookings:
        who_came_rightly_was_seen(day, booking, {parked.id: parked for parked in sessions})


def how_it_went(bookings: list[Booking], sessions: list[ParkingSession]) -> str:
    states = {state.value: sum(each.state is state for each in bookings) for state in BookingState}
    kinds = {kind: sum(each.kind == kind for each in sessions) for kind in ("booked", "app", "pass")}
    return f"bookings {states}, sessions {kinds}"


def cost_of(start: datetime, until: datetime) -> int:
    """2.00 for each started hour, reckoned without the tariff engine."""
    return -((start - until) // timedelta(hours=1)) * HOUR_COSTS


def agreed(day: Day, booking: Booking) -> int:
    return 0 if booking.owner in day.passes else cost_of(booking.period.start, booking.period.until)


def the_price_is_right(day: Day, booking: Booking) -> None:
    """What was paid, and what is owed beside it, is what the terms say about how the booking ended."""
    last = booking.events[-1]
    owed = booking.paid + int(last.facts.get("unpaid", 0))
    price = agreed(day, booking)
    match booking.state:
        case BookingState.NO_SHOW:
            assert owed == price + TERMS.no_show_fee, booking
        case BookingState.COMPLETED:
            left = booking.left_at
            is_late = left is not None and left > booking.period.until + GRACE and booking.owner not in day.passes
            whole = cost_of(booking.period.start, left) if is_late and left else price
            was_moved_here = booking.moved_from is not None
            assert owed == whole or was_moved_here, booking
        case BookingState.CANCELLED if last.by == "driver":
            assert owed in (0, price - price // 2), booking
        case _:
            assert owed == 0, booking


def nobody_is_punished_for_coming(day: Day, booking: Booking) -> None:
    """A no-show is a driver whom nobody saw on his bay in time; the bay is not kept for him any longer than that."""
    if booking.state is BookingState.NO_SHOW:
        last = booking.events[-1].at
        in_vain = min(booking.period.start + NO_SHOW_AFTER, booking.period.until)
        assert last == in_vain or booking.bay in day.street.ever_blind, booking
        in_time = Period(booking.period.start - EARLY, booking.period.start + NO_SHOW_AFTER)
        came = [
            stay
            for stay in day.street.stays
            if (stay.driver, stay.bay) == (booking.owner, booking.bay) and in_time.start <= stay.came < in_time.until
        ]
        assert came == [], booking


def the_session_is_a_stay(day: Day, parked: ParkingSession) -> None:
    """Somebody truly stood there from its beginning to its end, as far as the sensor could see."""
    ended_at = parked.ended_at
    assert ended_at is not None
    there = [stay for stay in day.street.stays if stay.bay == parked.bay and stay.left is not None]
    within = [stay for stay in there if stay.left and stay.came <= parked.began_at and ended_at <= stay.left]
    unseen = [stay for stay in there if stay.left and not stay.seen and stay.came <= ended_at]
    assert within or unseen, parked


def the_fee_is_right(day: Day, parked: ParkingSession) -> None:
    if parked.booking is None and parked.ended_at is not None:
        costs = 0 if parked.owner in day.passes else cost_of(parked.began_at, parked.ended_at)
        fee = parked.fee.amount if parked.fee else 0
        assert fee == (0 if parked.id in day.disowned else costs), parked
        assert parked.paid in (fee, 0), parked


def who_came_rightly_was_seen(day: Day, booking: Booking, sessions: dict[str, ParkingSession]) -> None:
    """A stay of the holder on his bay in his time is his session, from the minute he came to the minute he left."""
    own = [
        stay
        for stay in day.street.stays
        if (stay.driver, stay.bay) == (booking.owner, booking.bay)
        and stay.seen
        and booking.period.start - EARLY <= stay.came < booking.period.until
    ]
    if own and "arrive" in events(booking):
        parked = sessions[booking.session or ""]
        assert (parked.began_at, parked.ended_at) == (own[0].came, own[0].left), booking
    elif own:
        assert booking.state in (BookingState.CANCELLED, BookingState.NO_SHOW), booking


def test_the_reckoning_counts_started_hours() -> None:
    assert [cost_of(at(10), at(hour, minute)) for hour, minute in ((10, 1), (11, 0), (11, 1), (12, 0))] == [
        200,
        200,
        400,
        400,
    ]
