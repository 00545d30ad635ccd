"""The waiting list: in order, for some minutes each."""

from __future__ import annotations

from datetime import timedelta

import pytest

from autospot.domain.booking.alternatives import Promise
from autospot.domain.booking.booking import Booking
from autospot.domain.errors import Conflict, InvalidInput
from autospot.domain.period import Period
from autospot.domain.waiting import PER_DRIVER, Wish
from autospot.storage.due import DueRows
from autospot.storage.idempotency import Unkept
from autospot.storage.mongo import Database
from tests.support.bookings import at, between
from tests.support.office import BAY, CARL, DORA, Harbour, a_harbour

EVE, FAYE = "usr_eve", "usr_faye"


@pytest.fixture
async def harbour(database: Database) -> Harbour:
    return await a_harbour(database, bays=1)


async def wait(harbour: Harbour, owner: str, period: Period | None = None) -> Wish:
    made = await harbour.office.waiting.join(owner, "harbour", "general", period or between(10, 12), None, Unkept())
    await harbour.settle()
    harbour.clock.move(timedelta(seconds=1))
    return made


async def state_of(harbour: Harbour, wish: Wish) -> str:
    return next(each.state for each in await harbour.office.waiting.of(wish.owner) if each.id == wish.id)


async def offer_to(harbour: Harbour, wish: Wish) -> Booking:
    (now,) = [each for each in await harbour.office.waiting.of(wish.owner) if each.id == wish.id]
    found = await harbour.office.bookings.find(now.booking or "")
    assert found is not None
    return found


async def test_what_comes_free_is_offered_in_the_order_of_coming(harbour: Harbour) -> None:
    booked = await harbour.book()
    first, second = await wait(harbour, CARL), await wait(harbour, EVE)
    assert [await state_of(harbour, each) for each in (first, second)] == ["waiting", "waiting"]
    await harbour.office.changes.cancel(DORA, booked.id, Unkept())
    await harbour.until(at(8, 1))
    offer = await offer_to(harbour, first)
    assert (offer.state, offer.owner, offer.period) == ("held", CARL, between(10, 12))
    assert await state_of(harbour, second) == "waiting"
    assert "bay_offered" in harbour.told(CARL)


async def test_what_comes_free_while_the_list_is_looked_at_is_offered_too(harbour: Harbour) -> None:
    booked, rows = await harbour.book(), DueRows(harbour.database)
    wish = await harbour.office.waiting.join(CARL, "harbour", "general", between(10, 12), None, Unkept())
    looking = await rows.claim(["bay_freed"], harbour.clock.now(), timedelta(seconds=30))
    assert looking is not None
    await harbour.office.changes.cancel(DORA, booked.id, Unkept())
    await rows.finish(looking)
    await harbour.until(at(8, 1))
    assert await state_of(harbour, wish) == "offered"


async def test_a_look_before_the_bay_is_given_back_is_not_the_last_one(harbour: Harbour) -> None:
    """The process that cancels has committed and has not given the promise back yet; somebody joins just then."""
    booked, calendars = await harbour.book(), harbour.office.calendars
    first = await wait(harbour, CARL)
    await harbour.office.changes.cancel(DORA, booked.id, Unkept())
    still_there = Promise("bkg_" + "0" * 32, between(10, 12), harbour.clock.now())
    await calendars.promise("harbour", BAY, still_there)
    await wait(harbour, EVE)
    await calendars.give_back("harbour", BAY, still_there.id)
    await harbour.until(at(8, 1))
    assert await state_of(harbour, first) == "offered"


async def test_an_offer_that_is_not_taken_up_goes_to_the_next(harbour: Harbour) -> None:
    booked = await harbour.book()
    first, second = await wait(harbour, CARL), await wait(harbour, EVE)
    await harbour.office.changes.cancel(DORA, booked.id, Unkept())
    await harbour.until(at(8, 4))
    assert await state_of(harbour, first) == "offered"
    await harbour.until(at(8, 6))
    assert [await state_of(harbour, each) for each in (first, second)] == ["lapsed", "offered"]
    taken = await harbour.office.changes.confirm(EVE, (await offer_to(harbour, second)).id, Unkept())
    await harbour.until(at(9))
    assert ((await harbour.again(taken)).state, await state_of(harbour, first)) == ("confirmed", "lapsed")


async def test_who_waits_for_another_time_is_not_held_up_by_those_before(harbour: Harbour) -> None:
    await harbour.book(between(10, 12))
    other = await harbour.book(between(14, 16))
    first, second = await wait(harbour, CARL, between(10, 12)), await wait(harbour, EVE, between(14, 16))
    await harbour.office.changes.cancel(DORA, other.id, Unkept())
    await harbour.until(at(8, 1))
    assert [await state_of(harbour, each) for each in (first, second)] == ["waiting", "offered"]


async def test_what_is_free_is_offered_at_once(harbour: Harbour) -> None:
    assert await state_of(harbour, await wait(harbour, CARL)) == "offered"


async def test_who_leaves_the_list_gets_nothing(harbour: Harbour) -> None:
    booked = await harbour.book()
    wish = await wait(harbour, CARL)
    await harbour.office.waiting.leave(CARL, wish.id)
    await harbour.office.changes.cancel(DORA, booked.id, Unkept())
    await harbour.until(at(8, 1))
    assert await state_of(harbour, wish) == "left"


async def test_a_wish_whose_time_has_come_is_over(harbour: Harbour) -> None:
    await harbour.book()
    wish = await wait(harbour, CARL)
    await harbour.until(at(10, 1))
    assert await state_of(harbour, wish) == "over"


async def test_the_list_is_bounded_and_takes_no_nonsense(harbour: Harbour) -> None:
    await harbour.book(between(9, 20))
    for hour in range(9, 9 + PER_DRIVER):
        await wait(harbour, CARL, between(hour, hour + 1))
    with pytest.raises(Conflict) as refusal:
        await wait(harbour, CARL)
    assert refusal.value.code == "waiting_list_full"
    with pytest.raises(InvalidInput):
        await harbour.office.waiting.join(FAYE, "harbour", "ev", between(10, 12), None, Unkept())
    with pytest.raises(InvalidInput):
        await wait(harbour, FAYE, between(6, 7))
