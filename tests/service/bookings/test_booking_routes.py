"""Bookings, sessions, assignments and bays as an app meets them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import pytest
import zxingcpp
from icalendar import Calendar

from api.assignments import AssignmentOperations
from api.bays import BayOperations
from api.bookings import BookingOperations
from api.current import CurrentLots
from api.operator_bookings import OperatorBookingOperations
from api.pages import cursor_at
from api.sessions import SessionOperations
from autospot.domain.access import Role
from autospot.storage.idempotency import IdempotencyKeys
from autospot.storage.mongo import Database
from tests.support.api import Answer, RunningApi, bearer, running_api
from tests.support.bookings import at, between
from tests.support.office import BAY, CARL, DORA, Harbour, a_harbour, hourly

_keys = count()
OTTO = bearer("usr_otto", Role.OPERATOR, lots=["harbour"])


@asynccontextmanager
async def served(harbour: Harbour) -> AsyncIterator[RunningApi]:
    current = CurrentLots(harbour.live, harbour.clock, lambda: True)
    office = harbour.office
    async with running_api(
        BookingOperations(office, current),
        OperatorBookingOperations(office.overruling),
        SessionOperations(office.parking),
        AssignmentOperations(office.assigning),
        BayOperations(office.closing, office.bay_edits),
        keys=IdempotencyKeys(harbour.database),
        clock=harbour.clock,
    ) as api:
        yield api


@pytest.fixture
async def harbour(database: Database) -> Harbour:
    harbour = await a_harbour(database, prices=hourly())
    for owner in (DORA, CARL):
        await harbour.fill_wallet(5_000, owner)
    return harbour


@pytest.fixture
async def api(harbour: Harbour) -> AsyncIterator[RunningApi]:
    async with served(harbour) as api:
        yield api


async def post(api: RunningApi, path: str, who: str = DORA, key: str | None = None, **body: Any) -> Answer:
    headers = {**bearer(who), "Idempotency-Key": key or f"a-key-for-tests-{next(_keys):06d}"}
    return await api.call("POST", path, headers=headers, json=body)


def a_day(start: int = 10, until: int = 12, **more: Any) -> dict[str, Any]:
    times = {"from": f"2040-11-26T{start:02d}:00:00Z", "until": f"2040-11-26T{until:02d}:00:00Z"}
    return {"lot": "harbour", "bay": BAY, **times, **more}


async def test_a_stay_is_quoted_booked_and_read(api: RunningApi, harbour: Harbour) -> None:
    quoted = await harbour.office.desk.quote(DORA, "harbour", BAY, None, between(10, 12))
    assert quoted is not None
    assert (await post(api, "/v1/bookings", **a_day(quote="0" * 64))).code == "price_changed"
    made = await post(api, "/v1/bookings", **a_day(quote=quoted.hash))
    assert (made.status, made.json["state"], made.json["paid"]["amount"]) == (201, "confirmed", 400)
    read = await api.call("GET", made.headers["Location"], headers=bearer(DORA))
    assert read.json == made.json
    assert [event["what"] for event in read.json["history"]] == ["booked"]
    fresh = {**bearer(DORA), "If-None-Match": read.headers["ETag"]}
    assert (await api.call("GET", made.headers["Location"], headers=fresh)).status == 304


async def test_a_repeat_books_once(api: RunningApi, harbour: Harbour) -> None:
    first = await post(api, "/v1/bookings", key="the-same-key-twice", **a_day())
    again = await post(api, "/v1/bookings", key="the-same-key-twice", **a_day())
    assert (again.status, again.json, again.headers["Idempotent-Replayed"]) == (201, first.json, "true")
    assert await harbour.money() == 4_600


async def test_a_taken_bay_is_a_409_with_alternatives(api: RunningApi) -> None:
    await post(api, "/v1/bookings", CARL, **a_day())
    refused = await post(api, "/v1/bookings", **a_day())
    assert (refused.status, refused.code) == (409, "bay_taken")
    assert len(refused.json["alternatives"]) == 3
    instead = refused.json["alternatives"][0]
    assert (await post(api, "/v1/bookings", **{**a_day(), **instead})).status == 201


async def test_a_refusal_names_the_place_that_is_wrong(api: RunningApi) -> None:
    for body, place, code in (
        (a_day(7, 9), "/from", "in_the_past"),
        (a_day(10, 10), "/until", "invalid_input"),
        (a_day(bay="B9"), "/bay", "invalid_input"),
        (a_day(vehicle="veh_" + "0" * 32), "/vehicle", "invalid_input"),
        (a_day(kind="ev"), "", "invalid_input"),
        (a_day(state="confirmed"), "/state", "invalid_input"),
    ):
        refused = await post(api, "/v1/bookings", **body)
        assert (refused.status, refused.json["errors"][0]["at"], refused.code) == (422, place, code)


async def test_bookings_are_changed_by_the_version_that_was_read(api: RunningApi, harbour: Harbour) -> None:
    made = await post(api, "/v1/bookings", **a_day())
    path, etag = made.headers["Location"], made.headers["ETag"]
    change = {"until": "2040-11-26T13:00:00Z", "bay": "B00001"}
    changed = await api.call("PATCH", path, headers={**bearer(DORA), "If-Match": etag}, json=change)
    assert (changed.status, changed.json["bay"], changed.json["paid"]["amount"]) == (200, "B00001", 600)
    stale = await api.call("PATCH", path, headers={**bearer(DORA), "If-Match": etag}, json={"bay": BAY})
    assert stale.status == 412
    assert (await post(api, "/v1/bookings", CARL, **a_day())).status == 201, "the old bay is free again"


async def test_extended_and_cancelled_by_its_driver(api: RunningApi, harbour: Harbour) -> None:
    path = (await post(api, "/v1/bookings", **a_day())).headers["Location"]
    longer = await post(api, f"{path}/extend", until="2040-11-26T13:00:00Z")
    assert (longer.status, longer.json["until"]) == (200, "2040-11-26T13:00:00.000Z")
    over = await post(api, f"{path}/cancel")
    assert (over.status, over.json["state"], await harbour.money()) == (200, "cancelled", 5_000)
    assert (await post(api, f"{path}/cancel")).code == "illegal_step"


async def test_a_change_ends_on_the_step_like_a_booking(api: RunningApi) -> None:
    path = (await post(api, "/v1/bookings", **a_day())).headers["Location"]
    off = {"until": "2040-11-26T13:03:00Z"}
    for refused in (
        await post(api, f"{path}/extend", **off),
        await api.call("PATCH", path, headers=bearer(DORA), json=off),
    ):
        assert (refused.status, refused.code, refused.json["errors"][0]["at"]) == (422, "not_on_step", "/until")


async def test_a_change_of_nothing_changes_nothing(api: RunningApi) -> None:
    made = await post(api, "/v1/bookings", **a_day())
    for nothing in ({}, {"bay": BAY, "until": made.json["until"]}):
        same = await api.call("PATCH", made.headers["Location"], headers=bearer(DORA), json=nothing)
        assert (same.status, same.json, same.headers["ETag"]) == (200, made.json, made.headers["ETag"])


async def test_the_history_says_what_each_step_cost_or_gave_back(api: RunningApi) -> None:
    path = (await post(api, "/v1/bookings", **a_day())).headers["Location"]
    await post(api, f"{path}/extend", until="2040-11-26T13:00:00Z")
    await api.call("PATCH", path, headers=bearer(DORA), json={"until": "2040-11-26T11:00:00Z"})
    cancelled = await post(api, f"{path}/cancel")
    money = [
        {name: amount for name, amount in event["facts"].items() if name in ("charged", "refund")}
        for event in cancelled.json["history"]
    ]
    assert money == [{}, {"charged": 200}, {"refund": 400}, {"refund": 200}]


async def test_a_cursor_that_nobody_gave_out_is_refused(api: RunningApi) -> None:
    forged = cursor_at((10**16, "bkg_1"))
    for path in ("bookings", "sessions"):
        refused = await api.call("GET", f"/v1/{path}?cursor={forged}", headers=bearer(DORA))
        assert (refused.status, refused.json["errors"][0]["at"]) == (422, "/query/cursor")


async def test_somebody_elses_booking_does_not_exist(api: RunningApi) -> None:
    path = (await post(api, "/v1/bookings", **a_day())).headers["Location"]
    carl = bearer(CARL)
    assert (await api.call("GET", path, headers=carl)).status == 404
    assert (await api.call("GET", f"{path}/pass", headers=carl)).status == 404
    assert (await api.call("PATCH", path, headers=carl, json={"bay": "B00001"})).status == 404
    for step in ("cancel", "confirm"):
        assert (await post(api, f"{path}/{step}", CARL)).status == 404
    assert (await post(api, f"{path}/extend", CARL, until="2040-11-26T13:00:00Z")).status == 404


async def test_a_list_is_read_page_by_page_and_by_filter(api: RunningApi) -> None:
    for hour in (9, 11, 13, 15):
        await post(api, "/v1/bookings", **a_day(hour, hour + 1))
    path = (await post(api, "/v1/bookings", **a_day(17, 18))).headers["Location"]
    await post(api, f"{path}/cancel")
    starts, cursor = [], ""
    while cursor is not None:
        page = await api.call("GET", f"/v1/bookings?limit=2{cursor and '&cursor=' + cursor}", headers=bearer(DORA))
        starts += [each["from"][11:13] for each in page.json["data"]]
        cursor = page.json["next_cursor"]
    assert starts == ["17", "15", "13", "11", "09"]
    for query, count_ in (("state=cancelled", 1), ("from=2040-11-26T12:00:00Z&until=2040-11-26T15:30:00Z", 2)):
        assert len((await api.call("GET", f"/v1/bookings?{query}", headers=bearer(DORA))).json["data"]) == count_
    assert (await api.call("GET", "/v1/bookings", headers=bearer(CARL))).json["data"] == []


async def test_operators_see_the_bookings_of_their_lots_alone(api: RunningApi) -> None:
    await post(api, "/v1/bookings", **a_day())
    seen = await api.call("GET", "/v1/operator/bookings?lot=harbour&bay=B00000", headers=OTTO)
    assert [each["owner"] for each in seen.json["data"]] == [DORA]
    elsewhere = bearer("usr_otto", Role.OPERATOR, lots=["market"])
    assert (await api.call("GET", "/v1/operator/bookings", headers=elsewhere)).json["data"] == []
    assert (await api.call("GET", "/v1/operator/bookings", headers=bearer(DORA))).status == 403


async def test_a_series_names_the_days_that_cannot_be_had(api: RunningApi, harbour: Harbour) -> None:
    taken = {**a_day(), "from": "2040-12-04T09:00:00Z", "until": "2040-12-04T10:00:00Z"}
    await post(api, "/v1/bookings", CARL, **taken)
    wanted = {
        "lot": "harbour", "bay": BAY, "days": ["tue"], "start": "08:00:00", "until": "17:00:00",
        "first": "2040-11-26", "last": "2040-12-11",
    }  # fmt: skip
    made = await post(api, "/v1/booking-series", key="one-series-one-key", **wanted)
    assert (made.status, [each["from"] for each in made.json["booked"]]) == (
        201,
        ["2040-11-27T07:00:00.000Z", "2040-12-11T07:00:00.000Z"],
    )
    (conflict,) = made.json["conflicts"]
    assert (conflict["from"], conflict["code"]) == ("2040-12-04T07:00:00.000Z", "bay_taken")
    assert conflict["alternatives"]
    again = await post(api, "/v1/booking-series", key="one-series-one-key", **wanted)
    assert again.json == made.json
    listed = await api.call("GET", f"/v1/bookings?series={made.json['id']}", headers=bearer(DORA))
    assert len(listed.json["data"]) == 2


async def test_the_pass_is_a_qr_code_and_the_calendar_entry_follows_changes(api: RunningApi) -> None:
    made = await post(api, "/v1/bookings", **a_day())
    path = made.headers["Location"]
    svg = await api.call("GET", f"{path}/pass", headers=bearer(DORA))
    assert svg.headers["Content-Type"] == "image/svg+xml"
    assert _read_qr(svg.body) == f"AUTOSPOT:PASS:{made.json['id']}"
    await post(api, f"{path}/extend", until="2040-11-26T13:00:00Z")
    ics = await api.call("GET", f"{path}/calendar", headers=bearer(DORA))
    (event,) = Calendar.from_ical(ics.body).walk("VEVENT")
    assert (event["uid"], event["sequence"], event["status"]) == (f"{made.json['id']}@autospot", 2, "CONFIRMED")
    assert (event.decoded("dtstart"), event.decoded("dtend")) == (at(10), at(13))


def _read_qr(svg: bytes) -> str:
    """Draws the picture's one path (`M`, `m` and `h` on a grid) and has an independent reader read it."""
    scale = 8
    side = int(re.findall(rb'width="(\d+)"', svg)[0])
    picture = bytearray(b"\xff" * side * side)
    x, y = 0.0, 0.0
    (path,) = re.findall(rb'd="([^"]+)"', svg)
    for command, numbers in re.findall(r"([Mmh])([^Mmh]+)", path.decode()):
        given = [float(number) for number in re.findall(r"-?[\d.]+", numbers)]
        if command == "h":
            row, column = int((y - 0.5) * scale), int(x * scale)
            length = int(given[0] * scale)
            for line in range(row, row + scale):
                picture[line * side + column : line * side + column + length] = bytes(length)
            x += given[0]
        else:
            x, y = (given[0], given[1]) if command == "M" else (x + given[0], y + given[1])
    (found,) = zxingcpp.read_barcodes(memoryview(picture).cast("B", shape=[side, side]))
    return str(found.text)


async def test_i_am_parked_at_a_bay_by_the_code_on_its_sign(api: RunningApi, harbour: Harbour) -> None:
    begun = await post(api, "/v1/sessions", code="autospot:harbour/B00001")
    assert (begun.status, begun.json["kind"], begun.json["state"]) == (201, "app", "running")
    path = begun.headers["Location"]
    assert (await post(api, "/v1/sessions", CARL, lot="harbour", bay="B00001")).code == "bay_in_use"
    await harbour.until(at(9, 30))
    running = await api.call("GET", path, headers=bearer(DORA))
    assert running.json["cost"] == {"amount": 400, "currency": "EUR"}
    stopped = await post(api, f"{path}/stop")
    assert (stopped.json["state"], stopped.json["paid"]["amount"], await harbour.money()) == ("settled", 400, 4_600)
    assert (await post(api, f"{path}/stop")).code == "illegal_step"
    assert (await api.call("GET", path, headers=bearer(CARL))).status == 404


async def test_a_session_ends_when_the_vehicle_leaves(api: RunningApi, harbour: Harbour) -> None:
    await post(api, "/v1/sessions", lot="harbour", bay=BAY)
    await harbour.settle()
    await harbour.sensor(True)
    await harbour.until(at(8, 50))
    await harbour.sensor(False)
    (ended,) = (await api.call("GET", "/v1/sessions", headers=bearer(DORA))).json["data"]
    assert (ended["state"], ended["ended_at"], ended["cost"]["amount"]) == ("settled", "2040-11-26T08:50:00.000Z", 200)


async def test_who_cannot_pay_leaves_all_the_same(api: RunningApi, harbour: Harbour) -> None:
    begun = await post(api, "/v1/sessions", "usr_poor", lot="harbour", bay=BAY)
    await harbour.until(at(9, 30))
    stopped = await post(api, f"{begun.headers['Location']}/stop", "usr_poor")
    assert (stopped.json["state"], stopped.json["cost"]["amount"], stopped.json["paid"]["amount"]) == ("ended", 400, 0)


async def test_parking_on_ones_own_booked_bay_is_arriving(api: RunningApi, harbour: Harbour) -> None:
    made = await post(api, "/v1/bookings", **a_day(8, 10))
    assert (await post(api, "/v1/sessions", CARL, lot="harbour", bay=BAY)).code == "bay_claimed"
    begun = await post(api, "/v1/sessions", lot="harbour", bay=BAY)
    assert (begun.json["kind"], begun.json["booking"]) == ("booked", made.json["id"])
    assert (await api.call("GET", made.headers["Location"], headers=bearer(DORA))).json["state"] == "active"
    assert (await post(api, f"{begun.headers['Location']}/stop")).code == "booked"


async def test_a_bay_is_kept_for_a_driver_on_the_way(api: RunningApi, harbour: Harbour) -> None:
    made = await post(api, "/v1/lots/harbour/assignments")
    assert (made.status, made.json["bay"], made.json["until"]) == (201, BAY, "2040-11-26T08:15:00.000Z")
    path = made.headers["Location"]
    await harbour.settle()
    assert harbour.bay().state == "assigned"
    assert (await post(api, "/v1/lots/harbour/assignments")).code == "assigned_already"
    await harbour.until(at(8, 10))
    renewed = await post(api, f"{path}/renew")
    assert renewed.json["until"] == "2040-11-26T08:25:00.000Z"
    await harbour.until(at(8, 25))
    assert (await api.call("GET", path, headers=bearer(DORA))).json["state"] == "expired"
    assert harbour.bay().state == "free"
    assert await harbour.office.calendars.promises("harbour", BAY) == []


async def test_an_assignment_is_taken_or_given_back(api: RunningApi, harbour: Harbour) -> None:
    first = await post(api, "/v1/lots/harbour/assignments")
    await harbour.settle()
    await harbour.sensor(True)
    assert (await api.call("GET", first.headers["Location"], headers=bearer(DORA))).json["state"] == "arrived"
    second = await post(api, "/v1/lots/harbour/assignments")
    assert second.json["bay"] == "B00001"
    for _ in range(2):
        gone = await api.call("DELETE", second.headers["Location"], headers=bearer(DORA))
        assert gone.status == 204
    await harbour.settle()
    assert harbour.bay("B00001").claim is None


async def test_an_attendant_closes_a_bay_under_a_booking(api: RunningApi, harbour: Harbour) -> None:
    made = await post(api, "/v1/bookings", **a_day())
    path, closed = "/v1/operator/lots/harbour/bays/B00000", {"closed": {"reason": "repainting"}}
    assert (await api.call("PATCH", path, headers=bearer(DORA), json=closed)).status == 403
    answer = await api.call("PATCH", path, headers=OTTO, json=closed)
    assert [each["moved_from"] for each in answer.json["moved"]] == [made.json["id"]]
    await harbour.settle()
    assert harbour.bay().state == "out_of_service"
    assert (await post(api, "/v1/bookings", **a_day(14, 15))).code == "bay_closed"
    await api.call("PATCH", path, headers=OTTO, json={"closed": None})
    await harbour.settle()
    assert harbour.bay().state == "free"
