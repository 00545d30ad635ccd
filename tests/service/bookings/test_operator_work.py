"""What an operator does with a booking of a driver's, and with a bay."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest

from api.bays import BayOperations
from api.operator_bookings import OperatorBookingOperations
from autospot.domain.access import Principal, Role, Scope
from autospot.domain.audit import AuditEntry
from autospot.storage.idempotency import IdempotencyKeys
from autospot.storage.lots import Lots
from autospot.storage.mongo import Database
from tests.support.api import Answer, RunningApi, bearer, running_api
from tests.support.bookings import at, between
from tests.support.lots import a_lot
from tests.support.office import BAY, DORA, Harbour, a_harbour, events, hourly

_keys = count()
ADMIN = Principal("usr_ada", frozenset({Role.ADMIN}))
OTTO = bearer("usr_otto", Role.OPERATOR, lots=["harbour"])
ATTENDANT = bearer("usr_anna", Role.ATTENDANT, lots=["harbour"])
STRANGER = bearer("usr_olga", Role.OPERATOR, lots=["station"])
BAY_PATH = f"/v1/operator/lots/harbour/bays/{BAY}"


@pytest.fixture
async def harbour(database: Database) -> Harbour:
    lot = a_lot("harbour", 3)
    await Lots(database).save(lot, at(7))
    harbour = await a_harbour(database, lot=lot, prices=hourly())
    await harbour.fill_wallet(1_000)
    return harbour


@pytest.fixture
async def api(harbour: Harbour) -> AsyncIterator[RunningApi]:
    office = harbour.office
    async with running_api(
        OperatorBookingOperations(office.overruling),
        BayOperations(office.closing, office.bay_edits),
        keys=IdempotencyKeys(harbour.database),
        clock=harbour.clock,
    ) as api:
        yield api


async def cancel(
    api: RunningApi, booking: str, who: dict[str, str] = OTTO, *, key: str | None = None, reason: str = "a flood"
) -> Answer:
    headers = {**who, "Idempotency-Key": key or f"a-key-for-operators-{next(_keys):04d}"}
    return await api.call("POST", f"/v1/operator/bookings/{booking}/cancel", headers=headers, json={"reason": reason})


async def edit(api: RunningApi, who: dict[str, str] = OTTO, path: str = BAY_PATH, **change: Any) -> Answer:
    return await api.call("PATCH", path, headers=who, json=change)


async def audited(harbour: Harbour, action: str) -> list[AuditEntry]:
    return list(await harbour.town.people.audit.newest(ADMIN, 10, lot="harbour", action=action))


# A booking


async def test_an_operator_cancels_a_booking_and_everything_comes_back_however_late(
    api: RunningApi, harbour: Harbour
) -> None:
    booked = await harbour.book()
    await harbour.until(at(9, 59))
    assert harbour.bay().state == "reserved"
    answer = await cancel(api, booked.id, key="the-same-key-twice")
    assert (answer.status, answer.json["state"], answer.json["paid"]["amount"]) == (200, "cancelled", 0)
    last = answer.json["history"][-1]
    assert (last["what"], last["by"], last["reason"]) == ("cancel", "operator", "a flood")
    assert await harbour.money() == 1_000
    await harbour.settle()
    assert harbour.bay().state == "free"
    assert await harbour.office.calendars.promises("harbour", BAY) == []

    again = await cancel(api, booked.id, key="the-same-key-twice")
    assert (again.json, again.headers["Idempotent-Replayed"]) == (answer.json, "true")
    assert (await cancel(api, booked.id)).code == "illegal_step"
    assert await harbour.money() == 1_000


async def test_the_driver_is_told_why_and_the_audit_log_who(api: RunningApi, harbour: Harbour) -> None:
    booked = await harbour.book()
    await cancel(api, booked.id, reason="the ground floor is flooded")
    (notice,) = [each for each in harbour.notices if each.what == "booking_cancelled"]
    assert (notice.user, notice.subject) == (DORA, booked.id)
    assert notice.facts == {"reason": "the ground floor is flooded", "refund": 400, "credit": 0}
    (entry,) = await audited(harbour, "booking.cancelled")
    assert (entry.actor.id, entry.subject, entry.lot) == ("usr_otto", booked.id, "harbour")
    assert entry.before == {"state": "confirmed", "paid": 400}
    assert entry.after == {"state": "cancelled", "paid": 0, "reason": "the ground floor is flooded"}


async def test_a_booking_that_is_held_is_cancelled_too(api: RunningApi, harbour: Harbour) -> None:
    booked = await harbour.book(payment="card")
    assert (await cancel(api, booked.id)).json["state"] == "cancelled"
    assert await harbour.money() == 1_000


async def test_who_is_parked_already_stays(api: RunningApi, harbour: Harbour) -> None:
    booked = await harbour.book(between(8, 10))
    await harbour.sensor(True)
    refused = await cancel(api, booked.id)
    assert (refused.status, refused.code) == (409, "illegal_step")
    assert events(await harbour.again(booked)) == ["booked", "arrive"]


async def test_a_booking_of_another_lot_is_not_there(api: RunningApi, harbour: Harbour) -> None:
    booked = await harbour.book()
    path = f"/v1/operator/bookings/{booked.id}"
    assert (await api.call("GET", path, headers=OTTO)).json["owner"] == DORA
    assert (await api.call("GET", path, headers=STRANGER)).status == 404
    assert (await cancel(api, booked.id, STRANGER)).status == 404
    assert (await harbour.again(booked)).state == "confirmed"


async def test_attendants_see_bookings_and_do_not_give_money_back(api: RunningApi, harbour: Harbour) -> None:
    booked = await harbour.book()
    assert (await api.call("GET", f"/v1/operator/bookings/{booked.id}", headers=ATTENDANT)).status == 200
    assert (await cancel(api, booked.id, ATTENDANT)).status == 403


@pytest.mark.parametrize("reason", ["", "x" * 201, "two\nlines", "\u2028"])
async def test_a_reason_is_one_line_of_words(api: RunningApi, harbour: Harbour, reason: str) -> None:
    booked = await harbour.book()
    refused = await cancel(api, booked.id, reason=reason)
    assert (refused.status, refused.json["errors"][0]["at"]) == (422, "/reason")


# A bay


async def test_an_edited_bay_is_the_next_version_of_its_lot(api: RunningApi, harbour: Harbour) -> None:
    answer = await edit(api, kind="family", bookable=False)
    assert (answer.status, answer.json) == (200, {"moved": []})
    stored = await Lots(harbour.database).load("harbour")
    assert stored is not None
    assert (stored.lot.version, stored.lot.bays[0].kind, stored.lot.bays[0].bookable) == (2, "family", False)
    assert {bay.kind for bay in stored.lot.bays[1:]} == {"general"}
    (entry,) = await audited(harbour, "bay.edited")
    assert (entry.actor.id, entry.subject) == ("usr_otto", BAY)
    assert (entry.before, entry.after) == (
        {"bookable": True, "kind": "general"},
        {"bookable": False, "kind": "family"},
    )


async def test_saying_what_is_so_already_changes_nothing(api: RunningApi, harbour: Harbour) -> None:
    assert (await edit(api, kind="general")).status == 200
    stored = await Lots(harbour.database).load("harbour")
    assert stored is not None
    assert stored.lot.version == 1
    assert await audited(harbour, "bay.edited") == []


async def test_what_is_left_out_stays_as_it_is(api: RunningApi, harbour: Harbour) -> None:
    await edit(api, closed={"reason": "paint"})
    await edit(api, kind="ev")
    await harbour.settle()
    assert harbour.bay().state == "out_of_service"
    await edit(api, closed=None)
    stored = await Lots(harbour.database).load("harbour")
    assert stored is not None
    assert stored.lot.bays[0].kind == "ev"


async def test_both_at_once(api: RunningApi, harbour: Harbour) -> None:
    booked = await harbour.book()
    answer = await edit(api, kind="ev", closed={"reason": "new charger", "until": "2040-11-27T06:00:00Z"})
    assert [each["moved_from"] for each in answer.json["moved"]] == [booked.id]


async def test_attendants_close_bays_and_do_not_edit_them(api: RunningApi, harbour: Harbour) -> None:
    assert (await edit(api, ATTENDANT, closed={"reason": "a leak"})).status == 200
    refused = await edit(api, ATTENDANT, kind="ev", closed=None)
    assert (refused.status, refused.code) == (403, "forbidden")
    await harbour.settle()
    assert harbour.bay().state == "out_of_service", "all of it or nothing"
    key = bearer("usr_otto", lots=["harbour"], scopes=[Scope.LOT_ATTEND])
    assert (await edit(api, key, kind="ev")).status == 403


async def test_a_change_says_something_about_a_bay_that_is_there(api: RunningApi) -> None:
    assert (await edit(api)).status == 422
    assert (await edit(api, colour="red")).status == 422
    nowhere = BAY_PATH.replace(BAY, "B9")
    assert (await edit(api, path=nowhere, kind="ev")).json["errors"][0]["at"] == "/bay"
