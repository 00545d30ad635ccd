"""The audit holds bookings, sessions and subscriptions against their payments, and finds what was planted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from autospot.cli_doctor import auditor_of
from autospot.storage.idempotency import Unkept
from autospot.storage.mongo import Database
from tests.support.bookings import at, between
from tests.support.office import BAY, DORA, Harbour, a_harbour, hourly
from tests.support.payables import booked_by_card
from tests.support.subscriptions import a_plan

Tamper = Callable[[Any], Awaitable[Any]]


async def a_busy_morning(database: Database) -> Harbour:
    """Bookings paid by wallet and card, a moved one, a refunded one, a session, one of a booking, a subscription."""
    harbour = await a_harbour(database, prices=hourly(), bays=6)
    await harbour.fill_wallet(20_000)
    changes, parking = harbour.office.changes, harbour.office.parking
    await booked_by_card(harbour)
    await changes.cancel(DORA, (await harbour.book(between(14, 16))).id, Unkept())
    moved = await harbour.book(between(17, 19))
    await harbour.office.mover.move(moved, "operator", "flooded", at(8))
    parked = await parking.begin(DORA, "harbour", "B00003", None, Unkept())
    plan = a_plan(kind="ev")
    await harbour.subscribing.plans.put(plan)
    await harbour.subscribing.subscribe(DORA, plan.id, Unkept())
    await harbour.until(at(10))
    await parking.stop(DORA, parked.id, Unkept())
    await harbour.sensor(True)
    await harbour.until(at(13))
    await harbour.sensor(False)
    return harbour


async def booking_says_more(raw: Any) -> None:
    await raw["bookings"].update_one({"paid": {"$gt": 0}}, {"$inc": {"paid": 1}})


async def booking_forgets_a_refund(raw: Any) -> None:
    await raw["bookings"].update_one({"state": "cancelled"}, {"$set": {"paid": 400}})


async def booking_without_any_payment(raw: Any) -> None:
    paid = await raw["bookings"].find_one({"paid": {"$gt": 0}})
    await raw["bookings"].insert_one({**paid, "_id": "bkg_" + "9" * 32})


async def booking_vanishes(raw: Any) -> None:
    await raw["bookings"].delete_one({"paid": {"$gt": 0}})


async def session_says_more(raw: Any) -> None:
    await raw["sessions"].update_one({"booking": None}, {"$inc": {"paid": 1}})


async def session_of_a_booking_says_more(raw: Any) -> None:
    await raw["sessions"].update_one({"booking": {"$ne": None}}, {"$inc": {"paid": 1}})


async def session_vanishes(raw: Any) -> None:
    await raw["sessions"].delete_one({"booking": None})


async def subscription_names_no_payment(raw: Any) -> None:
    await raw["subscriptions"].update_one({}, {"$set": {"payment": "pay_gone"}})


async def subscription_vanishes(raw: Any) -> None:
    await raw["subscriptions"].delete_one({})


async def test_a_busy_morning_is_clean(database: Database) -> None:
    await (await a_busy_morning(database)).clean()
    sessions = await database.collection("sessions").find({"booking": {"$ne": None}}).to_list(9)
    assert [(each["booked"] > 0, each["bay"]) for each in sessions] == [(True, BAY)], "there is one to be wrong about"


@pytest.mark.parametrize(
    ("tamper", "check"),
    [
        (booking_says_more, "booking_has_its_money"),
        (booking_forgets_a_refund, "booking_has_its_money"),
        (booking_without_any_payment, "booking_has_its_money"),
        (booking_vanishes, "payment_has_its_thing"),
        (session_says_more, "session_has_its_money"),
        (session_of_a_booking_says_more, "session_has_its_money"),
        (session_vanishes, "payment_has_its_thing"),
        (subscription_names_no_payment, "subscription_has_its_money"),
        (subscription_vanishes, "payment_has_its_thing"),
    ],
)
async def test_a_planted_fault_is_named_and_stops_money(database: Database, tamper: Tamper, check: str) -> None:
    await a_busy_morning(database)
    await tamper(database.collection("bookings").database)
    report = await auditor_of(database).audit()
    assert [each.check for each in report.mismatches] == [check]
    assert await auditor_of(database).stopped() is not None
