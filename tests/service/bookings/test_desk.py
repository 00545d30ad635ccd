"""Making bookings: by bay, by kind, free and paid, once; and what is refused, with what is offered instead."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from autospot.domain.booking.alternatives import Alternative, BayTaken
from autospot.domain.booking.booking import Booking
from autospot.domain.booking.life import BookingState, IllegalStep
from autospot.domain.errors import Conflict, InvalidInput
from autospot.domain.ledger import InsufficientFunds
from autospot.domain.ledger.account import revenue, vat
from autospot.domain.lot import BookingTerms
from autospot.domain.period import Period
from autospot.services.desk.booking import Request
from autospot.services.desk.keeper import HELD_WITHOUT_BOOKING
from autospot.storage.bookings import Bookings, IdGivenUp
from autospot.storage.idempotency import Unkept
from autospot.storage.ledger import Ledger
from autospot.storage.mongo import Database, Session
from tests.support.bookings import at, between
from tests.support.lots import a_lot
from tests.support.office import BAY, CARL, DORA, Harbour, a_harbour, events, hourly


@pytest.fixture
async def harbour(database: Database) -> Harbour:
    return await a_harbour(database)


class Fixed:
    """`Once` of one request that is tried again and again."""

    def __init__(self, key: str = "1") -> None:
        self.key = key
        self.kept: list[Booking] = []

    def id(self, prefix: str, part: str = "") -> str:
        return f"{prefix}_{self.key}{part}"

    async def keep(self, session: Session, result: Booking) -> None:
        self.kept.append(result)


async def test_a_free_bay_is_booked_at_once(harbour: Harbour) -> None:
    booked = await harbour.book()
    assert (booked.state, booked.bay, booked.price, booked.paid) == ("confirmed", BAY, None, 0)
    assert await harbour.again(booked) == booked
    assert events(booked) == ["booked"]
    (promise,) = await harbour.office.calendars.promises("harbour", BAY)
    assert (promise.ref, promise.period, promise.id) == (booked.id, between(10, 12), booked.promise)


async def test_a_bay_that_is_taken_is_refused_with_what_could_be_had(harbour: Harbour) -> None:
    first = await harbour.book()
    with pytest.raises(BayTaken) as refusal:
        await harbour.book(between(11, 13), owner=CARL)
    assert refusal.value.because is not None
    assert refusal.value.because.ref == first.id
    assert refusal.value.alternatives == (
        Alternative("B00001", between(11, 13)),
        Alternative("B00002", between(11, 13)),
        Alternative(BAY, between(12, 14)),
    )


async def test_what_is_offered_can_be_had(harbour: Harbour) -> None:
    await harbour.book()
    with pytest.raises(BayTaken) as refusal:
        await harbour.book(owner=CARL)
    for other in refusal.value.alternatives:
        await harbour.book(other.period, bay=other.bay, owner=CARL)


async def test_a_kind_is_booked_as_its_best_free_bay(database: Database) -> None:
    harbour = await a_harbour(database, lot=a_lot("harbour", 4, kinds=("general", "ev")))
    first, second = [await harbour.book(bay=None, kind="ev") for _ in range(2)]
    assert {first.bay, second.bay} == {"B00001", "B00003"}
    assert first.by_kind
    with pytest.raises(BayTaken) as refusal:
        await harbour.book(bay=None, kind="ev")
    assert refusal.value.alternatives[0].period in (between(8, 10), between(12, 14))


async def test_many_who_book_a_kind_at_once_share_its_bays(database: Database) -> None:
    harbour = await a_harbour(database, bays=5)

    async def ask(number: int) -> str | None:
        try:
            return (await harbour.book(bay=None, kind="general", owner=f"usr_{number}")).bay
        except BayTaken:
            return None

    given = await asyncio.gather(*(ask(number) for number in range(16)))
    assert sorted(bay for bay in given if bay) == [f"B{number:05d}" for number in range(5)]


async def test_a_bay_on_which_somebody_stands_is_not_chosen_for_right_now(harbour: Harbour) -> None:
    for code in (BAY, "B00001"):
        await harbour.sensor(True, bay=code)
    assert (await harbour.book(between(8, 9), bay=None, kind="general")).bay == "B00002"


async def test_a_lot_that_lacks_a_kind_or_a_bay_says_so(harbour: Harbour) -> None:
    for more in ({"bay": None, "kind": "ev"}, {"bay": "B9"}, {"bay": None}):
        with pytest.raises(InvalidInput):
            await harbour.book(**more)  # type: ignore[arg-type]


async def test_a_driver_has_so_many_open_bookings_and_no_more(database: Database) -> None:
    harbour = await a_harbour(database, bays=12, terms=BookingTerms(open_per_driver=3))
    asked = await asyncio.gather(*(harbour.book(bay=f"B{number:05d}") for number in range(12)), return_exceptions=True)
    assert sum(isinstance(each, Booking) for each in asked) == 3
    assert {each.code for each in asked if isinstance(each, Conflict)} == {"too_many_bookings"}
    free = await harbour.office.calendars.taken("harbour", between(10, 12))
    assert len(free) == 3, "a refused booking keeps no bay"


async def test_a_wallet_pays_at_once_and_vat_is_set_aside(database: Database) -> None:
    harbour = await a_harbour(database, prices=hourly())
    await harbour.fill_wallet(1000)
    booked = await harbour.book()
    assert (booked.state, booked.paid) == ("confirmed", 400)
    ledger = Ledger(database)
    assert (await harbour.money(), await ledger.summed(vat("harbour"), "EUR")) == (600, 64)
    assert await ledger.summed(revenue("harbour"), "EUR") == 336


async def test_who_cannot_pay_gets_nothing_and_keeps_nothing(database: Database) -> None:
    harbour = await a_harbour(database, prices=hourly())
    await harbour.fill_wallet(399)
    with pytest.raises(InsufficientFunds):
        await harbour.book()
    assert (await harbour.money(), await harbour.office.calendars.promises("harbour", BAY)) == (399, [])


async def test_a_card_keeps_the_bay_until_it_is_paid_or_time_is_over(database: Database) -> None:
    harbour = await a_harbour(database, prices=hourly())
    held = await harbour.book(payment="card")
    assert (held.state, held.paid, held.hold_until) == ("held", 0, at(8, 5))
    with pytest.raises(BayTaken):
        await harbour.book(owner=CARL, payment="card")
    await harbour.until(at(8, 5))
    assert (await harbour.again(held)).state is BookingState.EXPIRED
    assert harbour.told() == ["booking_expired"]
    assert (await harbour.book(owner=CARL, payment="card")).state == "held"


async def test_what_is_held_is_taken_up_from_the_wallet(database: Database) -> None:
    harbour = await a_harbour(database, prices=hourly())
    held = await harbour.book(payment="card")
    await harbour.fill_wallet(1000)
    taken = await harbour.office.changes.confirm(DORA, held.id, Unkept())
    assert (taken.state, taken.paid, await harbour.money()) == ("confirmed", 400, 600)
    await harbour.until(at(8, 30))
    assert (await harbour.again(held)).state is BookingState.CONFIRMED
    with pytest.raises(IllegalStep):
        await harbour.office.changes.confirm(DORA, held.id, Unkept())


async def test_another_price_than_the_one_that_was_seen_is_refused(database: Database) -> None:
    harbour = await a_harbour(database, prices=hourly())
    await harbour.fill_wallet(1000)
    quoted = await harbour.office.desk.quote(DORA, "harbour", BAY, None, between(10, 12))
    assert quoted is not None
    with pytest.raises(Conflict) as refusal:
        await harbour.book(between(10, 13), quote_hash=quoted.hash)
    assert refusal.value.code == "price_changed"
    assert (await harbour.book(quote_hash=quoted.hash)).paid == quoted.total.amount


async def test_a_request_that_is_tried_again_after_a_crash_takes_its_own_promise(harbour: Harbour) -> None:
    once, request = Fixed(), Request("harbour", between(10, 12), DORA, bay=BAY)
    await harbour.office.keeper.begin()
    lot = harbour.live.lots["harbour"]
    bay = lot.layout.bays[0]
    await harbour.office.keeper.keep(lot, bay, once.id("bkg"), request.period, harbour.clock.now())
    booked = await harbour.office.desk.book(request, once)
    assert once.kept == [booked]
    for _ in range(4):
        harbour.clock.move(timedelta(seconds=11))
        await harbour.settle()
    (left,) = await harbour.office.calendars.promises("harbour", BAY)
    assert left.id == booked.promise


async def test_a_promise_without_a_booking_is_released_after_a_while(harbour: Harbour) -> None:
    lot = harbour.live.lots["harbour"]
    await harbour.office.keeper.keep(lot, lot.layout.bays[0], "bkg_lost", between(10, 12), harbour.clock.now())
    with pytest.raises(BayTaken):
        await harbour.book()
    harbour.clock.move(HELD_WITHOUT_BOOKING)
    assert (await harbour.book()).state == "confirmed"


async def test_a_sweep_releases_what_is_in_nobodys_way(harbour: Harbour) -> None:
    lot, booked = harbour.live.lots["harbour"], await harbour.book(bay="B00001")
    await harbour.office.keeper.begin()
    await harbour.office.keeper.keep(lot, lot.layout.bays[0], "bkg_lost", between(10, 12), harbour.clock.now())
    await harbour.settle()
    assert await harbour.office.calendars.taken("harbour", between(10, 12)) == {BAY, "B00001"}
    for _ in range(4):
        harbour.clock.move(timedelta(seconds=11))
        await harbour.settle()
    assert await harbour.office.calendars.taken("harbour", between(10, 12)) == {booked.bay}


async def test_a_process_that_was_paused_too_long_cannot_book_any_more(harbour: Harbour) -> None:
    lot, now = harbour.live.lots["harbour"], harbour.clock.now()
    await harbour.office.keeper.keep(lot, lot.layout.bays[0], "bkg_1", between(10, 12), now)
    harbour.clock.move(HELD_WITHOUT_BOOKING)
    winner = await harbour.book(owner=CARL)
    late = (await harbour.book(bay="B00001")).noting(now, "x", "driver")

    async def insert(session: Session) -> None:
        await Bookings(harbour.database).add(Booking(**{**_fields(late), "id": "bkg_1", "bay": BAY}), session=session)

    with pytest.raises(IdGivenUp):
        await harbour.database.transaction(insert)
    assert [each.id for each in await harbour.office.bookings.open_on("harbour", BAY)] == [winner.id]


async def test_a_request_whose_id_was_given_up_books_under_another(harbour: Harbour) -> None:
    await Bookings(harbour.database).give_up("bkg_1", harbour.clock.now())
    booked = await harbour.office.desk.book(Request("harbour", between(10, 12), DORA, bay=BAY), Fixed())
    assert booked.id == "bkg_11"


async def test_only_vehicles_of_ones_own_can_be_booked_for(harbour: Harbour) -> None:
    with pytest.raises(InvalidInput) as refusal:
        await harbour.book(vehicle="veh_of_somebody")
    assert refusal.value.at == "/vehicle"


def _fields(booking: Booking) -> dict[str, object]:
    return {name: getattr(booking, name) for name in Booking.__slots__}


async def test_cancelled_in_time_everything_comes_back(database: Database) -> None:
    harbour = await a_harbour(database, prices=hourly())
    await harbour.fill_wallet(1000)
    booked = await harbour.book()
    cancelled = await harbour.office.changes.cancel(DORA, booked.id, Unkept())
    assert (cancelled.state, cancelled.paid, await harbour.money()) == ("cancelled", 0, 1000)
    assert await Ledger(database).summed(vat("harbour"), "EUR") == 0
    assert (await harbour.book(owner=DORA)).state == "confirmed"


async def test_cancelled_late_half_comes_back(database: Database) -> None:
    harbour = await a_harbour(database, prices=hourly())
    await harbour.fill_wallet(1000)
    booked = await harbour.book()
    await harbour.until(at(9, 1))
    cancelled = await harbour.office.changes.cancel(DORA, booked.id, Unkept())
    assert (cancelled.paid, await harbour.money()) == (200, 800)
    assert cancelled.events[-1].reason == "late: 50 % of the price comes back"


async def test_an_extension_costs_the_difference(database: Database) -> None:
    harbour = await a_harbour(database, prices=hourly())
    await harbour.fill_wallet(1000)
    booked = await harbour.book()
    longer = await harbour.office.changes.extend(DORA, booked.id, at(13), Unkept())
    assert (longer.period, longer.paid, await harbour.money()) == (between(10, 13), 600, 400)
    (promise,) = await harbour.office.calendars.promises("harbour", BAY)
    assert (promise.period, promise.id) == (between(10, 13), longer.promise)


async def test_an_extension_into_the_next_booking_changes_nothing(harbour: Harbour) -> None:
    booked = await harbour.book()
    await harbour.book(between(12, 13), owner=CARL)
    with pytest.raises(BayTaken):
        await harbour.office.changes.extend(DORA, booked.id, at(13), Unkept())
    assert await harbour.again(booked) == booked
    assert len(await harbour.office.calendars.promises("harbour", BAY)) == 2


async def test_an_extension_that_cannot_be_paid_changes_nothing(database: Database) -> None:
    harbour = await a_harbour(database, prices=hourly())
    await harbour.fill_wallet(400)
    booked = await harbour.book()
    with pytest.raises(InsufficientFunds):
        await harbour.office.changes.extend(DORA, booked.id, at(13), Unkept())
    assert await harbour.again(booked) == booked
    (promise,) = await harbour.office.calendars.promises("harbour", BAY)
    assert promise.id == booked.promise


async def test_two_extensions_at_once_are_both_made(harbour: Harbour) -> None:
    booked = await harbour.book()
    asked = (harbour.office.changes.extend(DORA, booked.id, until, Unkept()) for until in (at(13), at(14)))
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert not [each for each in outcomes if isinstance(each, Exception) and not isinstance(each, InvalidInput)]
    after = await harbour.again(booked)
    assert after.period == between(10, 14)
    (promise,) = await harbour.office.calendars.promises("harbour", BAY)
    assert promise.id == after.promise


async def test_the_house_rule_of_periods_holds_for_changes_too(harbour: Harbour) -> None:
    booked = await harbour.book()
    with pytest.raises(InvalidInput):
        await harbour.office.changes.extend(DORA, booked.id, at(12) + timedelta(days=8), Unkept())
    with pytest.raises(InvalidInput):
        await harbour.office.changes.extend(DORA, booked.id, at(11), Unkept())
    assert (await harbour.again(booked)).period == Period(at(10), at(12))
