"""Reminders: when each driver wants them, of each kind."""

from __future__ import annotations

from datetime import timedelta

import pytest

from autospot.services.clockwork import Clockwork
from autospot.services.noticeboard import Noticeboard
from autospot.services.reminding import Reminding
from autospot.storage.due import DueRows
from autospot.storage.mongo import Database
from autospot.storage.notices import Notices
from tests.support.bookings import at, between
from tests.support.office import BAY, CARL, DORA, Harbour, a_harbour


@pytest.fixture
async def harbour(database: Database) -> Harbour:
    harbour = await a_harbour(database)
    office, people = harbour.office, harbour.town.people
    Reminding(database, office.bookings, office.register, harbour.subscribing, people.clockwork, harbour.clock)
    return harbour


async def choose(harbour: Harbour, owner: str = DORA, **minutes: int) -> None:
    """The driver wants to be reminded so many minutes before."""
    people, database = harbour.town.people, harbour.database
    aside = Clockwork(database, DueRows(database), harbour.clock)  # never runs: the harbour keeps its own notices
    board = Noticeboard(database, Notices(database), people.postman, people.schedule, aside, lambda _lot: None)
    await board.wish(owner, {"leads": minutes}, None, harbour.clock.now())
    await harbour.settle()


def reminded(harbour: Harbour, owner: str = DORA) -> list[str]:
    return [what for what in harbour.told(owner) if what in ("booking_begins", "booking_ends")]


async def test_without_a_choice_they_come_half_an_hour_before(harbour: Harbour) -> None:
    await harbour.book()
    await harbour.until(at(9, 29))
    assert reminded(harbour) == []
    await harbour.until(at(9, 30))
    assert reminded(harbour) == ["booking_begins"]
    await harbour.until(at(10))
    await harbour.sensor(True)
    await harbour.until(at(11, 30))
    assert reminded(harbour) == ["booking_begins", "booking_ends"]


async def test_a_choice_holds_for_bookings_that_come_and_for_nobody_else(harbour: Harbour) -> None:
    await choose(harbour, booking_begins=60)
    await harbour.book()
    await harbour.book(bay="B00001", owner=CARL)
    await harbour.until(at(9))
    assert (reminded(harbour), reminded(harbour, CARL)) == (["booking_begins"], [])


async def test_a_choice_holds_for_what_is_booked_already(harbour: Harbour) -> None:
    await harbour.book()
    await choose(harbour, booking_begins=5, booking_ends=0)
    await harbour.until(at(9, 54))
    assert reminded(harbour) == []
    await harbour.until(at(9, 55))
    await harbour.sensor(True)
    await harbour.until(at(12))
    assert reminded(harbour) == ["booking_begins"], "and never of the end"


async def test_a_reminder_whose_time_has_passed_comes_at_once_and_once(harbour: Harbour) -> None:
    await harbour.book()
    await harbour.until(at(9, 10))
    await choose(harbour, booking_begins=60)
    await harbour.until(at(9, 11))
    assert reminded(harbour) == ["booking_begins"]
    await choose(harbour, booking_begins=20)
    await harbour.until(at(9, 45))
    assert reminded(harbour) == ["booking_begins"]


async def test_who_has_just_come_is_not_told_to_go(harbour: Harbour) -> None:
    await harbour.book(between(10, 11))
    await choose(harbour, booking_ends=600)
    await harbour.until(at(10))
    await harbour.sensor(True, bay=BAY)
    await harbour.until(at(10, 29))
    assert "booking_ends" not in reminded(harbour)
    await harbour.until(at(10, 30))
    assert "booking_ends" in reminded(harbour)


async def test_the_end_of_a_subscription_is_told_when_its_driver_wants_it(harbour: Harbour) -> None:
    subscription = await harbour.pass_for()
    await choose(harbour, subscription_expiring=24 * 60)
    await harbour.until(subscription.paid_until - timedelta(days=2))
    assert "subscription_renewing" not in harbour.told()
    await harbour.until(subscription.paid_until - timedelta(days=1))
    assert "subscription_renewing" in harbour.told()
