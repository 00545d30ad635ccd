"""A bay is promised once for any time, however many ask at once."""

from __future__ import annotations

import asyncio
import itertools
import random
from datetime import timedelta

import pytest

from autospot.domain.booking.alternatives import BayTaken, Promise
from autospot.domain.errors import Conflict
from autospot.domain.period import Period
from autospot.storage import calendars
from autospot.storage.calendars import Calendars
from autospot.storage.mongo import Database
from tests.support.bookings import at, between


def promise(ref: str, start: int = 10, until: int = 12) -> Promise:
    return Promise(ref, between(start, until), at(8))


async def refs(calendars: Calendars, bay: str = "B1") -> list[str]:
    return [each.ref for each in await calendars.promises("harbour", bay)]


async def test_of_many_who_ask_at_once_one_gets_it(database: Database) -> None:
    calendar = Calendars(database)

    async def ask(ref: str) -> bool:
        try:
            await calendar.promise("harbour", "B1", promise(ref))
        except BayTaken:
            return False
        return True

    assert sum(await asyncio.gather(*(ask(f"bkg_{number}") for number in range(32)))) == 1
    assert len(await refs(calendar)) == 1


async def test_one_ends_when_the_next_begins(database: Database) -> None:
    calendar = Calendars(database)
    for ref, start, until in (("a", 10, 12), ("b", 12, 13), ("c", 8, 10)):
        await calendar.promise("harbour", "B1", promise(ref, start, until))
    assert await refs(calendar) == ["c", "a", "b"]
    for start, until in ((9, 11), (11, 13), (10, 11), (7, 14)):
        with pytest.raises(BayTaken) as refusal:
            await calendar.promise("harbour", "B1", promise("d", start, until))
        assert refusal.value.because is not None
        assert refusal.value.because.period.overlaps(between(start, until))


async def test_other_bays_and_lots_do_not_matter(database: Database) -> None:
    calendar = Calendars(database)
    await calendar.promise("harbour", "B1", promise("a"))
    await calendar.promise("harbour", "B2", promise("b"))
    await calendar.promise("market", "B1", promise("c"))
    assert await calendar.taken("harbour", between(11, 13)) == {"B1", "B2"}
    assert await calendar.taken("harbour", between(12, 13)) == frozenset()


async def test_a_change_takes_the_new_time_first_and_gives_the_old_back_after(database: Database) -> None:
    calendar, old = Calendars(database), promise("a", 10, 12)
    await calendar.promise("harbour", "B1", old)
    await calendar.promise("harbour", "B1", promise("a", 11, 14))
    with pytest.raises(BayTaken):
        await calendar.promise("harbour", "B1", promise("b", 10, 11))
    await calendar.give_back("harbour", "B1", old.id)
    await calendar.promise("harbour", "B1", promise("b", 10, 11))
    assert await refs(calendar) == ["b", "a"]


async def test_one_promise_is_given_back_and_not_its_twin(database: Database) -> None:
    calendar, first, second = Calendars(database), promise("a"), promise("a")
    await calendar.promise("harbour", "B1", first)
    await calendar.promise("harbour", "B1", second)
    for _ in range(2):
        await calendar.give_back("harbour", "B1", first.id)
    assert await calendar.promises("harbour", "B1") == [second]


async def test_what_is_long_over_is_dropped_by_the_next_promise(database: Database) -> None:
    calendar = Calendars(database)
    await calendar.promise("harbour", "B1", promise("old", 10, 12))
    later = at(12) + calendars.KEPT_AFTER_END
    await calendar.promise("harbour", "B1", Promise("new", between(14, 15), later))
    assert await refs(calendar) == ["new"]


async def test_many_promises_of_one_hour_are_kept_beside_each_other(database: Database) -> None:
    calendar = Calendars(database)
    await asyncio.gather(
        *(calendar.promise("harbour", "B1", promise(f"r{hour}", hour, hour + 1)) for hour in range(9, 18))
    )
    await database.collection("calendars").delete_many({})
    await calendar.promise("harbour", "B1", promise("again", 9, 10))
    await calendar.promise("harbour", "B1", promise("and another", 10, 11))
    assert await refs(calendar) == ["again", "and another"]
    assert await calendar.taken("harbour", between(9, 10)) == {"B1"}


async def test_a_full_calendar_takes_no_more(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calendars, "HOLDS_LIMIT", 3)
    calendar = Calendars(database)
    for hour in (10, 12, 14):
        await calendar.promise("harbour", "B1", promise(f"bkg_{hour}", hour, hour + 1))
    with pytest.raises(Conflict) as refusal:
        await calendar.promise("harbour", "B1", promise("bkg_16", 16, 17))
    assert refusal.value.code == "calendar_full"


async def test_no_two_promises_ever_overlap(database: Database) -> None:
    calendar, dice = Calendars(database), random.Random(5)
    refusals: list[tuple[BayTaken, Period]] = []

    async def ask(number: int) -> None:
        start = at(0) + timedelta(minutes=15 * dice.randrange(60))
        wanted = Period(start, start + timedelta(minutes=15 * dice.randint(1, 8)))
        try:
            await calendar.promise("harbour", f"B{number % 2}", Promise(f"bkg_{number}", wanted, at(0)))
        except BayTaken as refusal:
            refusals.append((refusal, wanted))

    await asyncio.gather(*(ask(number) for number in range(200)))
    for bay in ("B0", "B1"):
        periods = [each.period for each in await calendar.promises("harbour", bay)]
        assert len(periods) > 5
        assert all(one.until <= other.start for one, other in itertools.pairwise(periods))
    assert refusals
    assert all(refusal.because and refusal.because.period.overlaps(wanted) for refusal, wanted in refusals)
