"""Quotes and tariffs over the API, on a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

import sites
from api.current import CurrentLots
from api.tariffs import TariffOperations
from autospot.clock import SetClock
from autospot.domain.access import Role
from autospot.domain.audit import SYSTEM
from autospot.domain.parking_session import ParkingSession
from autospot.domain.period import Period
from autospot.domain.tariff import parse_tariff, quote
from autospot.live import LiveLots
from autospot.services.audit import Audit
from autospot.services.quoting import Quoting
from autospot.services.tariffs import LotTariffs, load_tariff
from autospot.storage.audit import AuditLog
from autospot.storage.mongo import Database
from autospot.storage.sessions import Sessions
from tests.support.api import Answer, RunningApi, bearer, running_api
from tests.support.lots import a_lot
from tests.support.tariffs import CLIMBING, HOURLY, band, bands, document

NOW = datetime(2026, 6, 15, 10, 0, tzinfo=UTC)
DORA = bearer("usr_dora")
OTTO = bearer("usr_otto", Role.OPERATOR, lots=("harbour",))
OLGA = bearer("usr_olga", Role.OPERATOR, lots=("market",))
PATH = "/v1/operator/lots/harbour/tariff"


@dataclass
class Desk:
    """The API about tariffs, and what is behind it."""

    api: RunningApi
    tariffs: LotTariffs
    clock: SetClock
    database: Database

    async def put(self, body: dict[str, Any], *, who: dict[str, str] = OTTO, **headers: str) -> Answer:
        return await self.api.call("PUT", PATH, json=body, headers={**who, **headers})

    async def quote(self, start: str = "2026-06-20T08:00:00Z", until: str = "2026-06-20T10:30:00Z", **more: Any) -> Any:
        body = {"lot": "harbour", "from": start, "until": until, **more}
        answer = await self.api.call("POST", "/v1/quotes", json=body, headers=DORA)
        assert answer.status == 200, answer.body
        return answer.json

    async def preview(self, tariff: dict[str, Any], stays: list[dict[str, str]]) -> Any:
        answer = await self.api.call("POST", f"{PATH}/preview", json={"tariff": tariff, "stays": stays}, headers=OTTO)
        assert answer.status == 200, answer.body
        return answer.json


@pytest_asyncio.fixture
async def desk(database: Database) -> AsyncIterator[Desk]:
    clock, live = SetClock(NOW), LiveLots()
    live.begin("epoch", 0, [(a_lot("harbour", 3, kinds=("general", "ev")), 0)])
    tariffs = LotTariffs(database, Audit(AuditLog(database)), clock, "EUR")
    current = CurrentLots(live, clock, lambda: True)
    async with running_api(TariffOperations(Quoting(current.lot, tariffs.book), tariffs), clock=clock) as api:
        yield Desk(api, tariffs, clock, database)


async def test_a_quote_is_what_the_engine_says_line_by_line(desk: Desk) -> None:
    stored = document(CLIMBING)
    assert (await desk.put(stored)).status == 200

    told = await desk.quote()

    expected = quote(parse_tariff(stored), Period(_at("2026-06-20T08:00"), _at("2026-06-20T10:30")), kind="general")
    assert told["total"] == {"amount": 600, "currency": "EUR"} == expected.total.as_json()
    assert told["lines"] == expected.as_json()["lines"]
    assert sum(line["amount"] for line in told["lines"]) == 600
    assert (told["hash"], told["tariff_version"]) == (expected.hash, expected.tariff_version)
    assert told["vat"] == {"amount": 96, "currency": "EUR"}
    assert told["explanation"][-1].startswith("Total: 6.00 EUR")


async def test_a_bay_has_the_price_of_its_kind(desk: Desk) -> None:
    await desk.put(document(HOURLY, kinds={"ev": 200}))
    general, ev = await desk.quote(bay="B00000"), await desk.quote(bay="B00001")
    assert [(each["kind"], each["total"]["amount"]) for each in (general, ev)] == [("general", 600), ("ev", 1200)]

    body = {"lot": "harbour", "bay": "B00000", "kind": "ev", "from": "2026-06-20T08:00:00Z"}
    other = await desk.api.call("POST", "/v1/quotes", json={**body, "until": "2026-06-20T09:00:00Z"}, headers=DORA)
    assert (other.status, other.json["errors"][0]["at"]) == (422, "/kind")


async def test_a_lot_without_a_tariff_is_free_of_charge(desk: Desk) -> None:
    told = await desk.quote()
    assert (told["total"], told["lines"], told["hash"]) == ({"amount": 0, "currency": "EUR"}, [], None)


@pytest.mark.parametrize(
    ("change", "status", "at"),
    [
        ({"until": "2026-06-20T08:00:00Z"}, 422, "/until"),
        ({"until": "2028-06-20T08:00:00Z"}, 422, "/until"),
        ({"from": "2026-06-20T08:00:00"}, 422, "/from"),
        ({"discount": 5}, 422, "/discount"),
        ({"lot": "nowhere"}, 404, None),
        ({"bay": "B99999"}, 404, None),
    ],
)
async def test_what_cannot_be_quoted_is_refused(
    desk: Desk, change: dict[str, Any], status: int, at: str | None
) -> None:
    body = {"lot": "harbour", "from": "2026-06-20T08:00:00Z", "until": "2026-06-20T09:00:00Z", **change}
    answer = await desk.api.call("POST", "/v1/quotes", json=body, headers=DORA)
    assert answer.status == status
    assert at is None or answer.json["errors"][0]["at"] == at


async def test_a_new_version_holds_from_its_day_on_and_the_old_one_before(desk: Desk) -> None:
    first = await desk.put(document(HOURLY))
    second = await desk.put(
        document(CLIMBING, version=2, valid_from="2026-07-01"), **{"If-Match": first.headers["ETag"]}
    )

    assert (first.headers["ETag"], second.headers["ETag"]) == ('"1"', '"2"')
    before = await desk.quote("2026-06-30T20:00:00Z", "2026-06-30T23:00:00Z")
    after = await desk.quote("2026-07-01T20:00:00Z", "2026-07-01T23:00:00Z")
    assert (before["total"]["amount"], after["total"]["amount"]) == (600, 700)
    shown = (await desk.api.call("GET", PATH, headers=OTTO)).json
    assert (shown["version"], shown["in_force"], shown["tariff"]["price"]) == (2, 1, CLIMBING)
    assert [(each["version"], each["in_force"]) for each in shown["versions"]] == [(1, True), (2, False)]


async def test_of_two_edits_of_one_version_the_second_is_refused(desk: Desk) -> None:
    await desk.put(document(HOURLY))
    assert (await desk.put(document(CLIMBING, version=2, valid_from="2026-07-01"))).status == 200
    late = document(HOURLY, version=3, valid_from="2026-07-02")
    assert (await desk.put(late, **{"If-Match": '"1"'})).status == 412
    assert (await desk.put(document(HOURLY, version=2, valid_from="2026-07-02"))).status == 412
    assert len(await desk.tariffs._tariffs.versions("harbour")) == 2


@pytest.mark.parametrize(
    ("changed", "code", "at"),
    [
        ({"price": {"type": "flat", "price": 1.5}}, "invalid_tariff", "/price/price"),
        ({"price": bands(band("Day", "06:00", "18:00", 200))}, "questionable_tariff", "/price/bands"),
        ({"currency": "CHF"}, "currency_mismatch", "/currency"),
        ({"version": 2, "id": "other", "valid_from": "2026-07-01"}, "invalid_input", "/id"),
        ({"version": 2, "valid_from": "2026-06-14"}, "invalid_input", "/valid_from"),
    ],
)
async def test_a_document_is_refused_at_its_place(desk: Desk, changed: dict[str, Any], code: str, at: str) -> None:
    if changed.get("version") == 2:
        await desk.put(document(HOURLY))
    answer = await desk.put({**document(HOURLY), **changed})
    assert (answer.status, answer.code, answer.json["errors"][0]["at"]) == (422, code, at)


async def test_an_accepted_finding_is_shown_and_stored(desk: Desk) -> None:
    answer = await desk.put(document(bands(band("Day", "06:00", "18:00", 200)), accepts=["band_gap"]))
    assert answer.status == 200
    assert {(each["code"], each["accepted"]) for each in answer.json["findings"]} == {("band_gap", True)}


async def test_only_the_operators_of_a_lot_see_and_edit_its_tariff(desk: Desk) -> None:
    await desk.put(document(HOURLY))
    for who in (DORA, OLGA):
        assert (await desk.api.call("GET", PATH, headers=who)).status == 403
        assert (await desk.put(document(CLIMBING, version=2, valid_from="2026-07-01"), who=who)).status == 403
    assert (await desk.api.call("GET", "/v1/operator/lots/market/tariff", headers=OLGA)).code == "no_tariff"
    gone = await desk.api.call("PUT", "/v1/operator/lots/market/tariff", json=document(HOURLY), headers=OLGA)
    assert gone.status == 404


async def test_an_edit_stands_in_the_audit_log_with_before_and_after(desk: Desk) -> None:
    await desk.put(document(HOURLY))
    await desk.put(document(CLIMBING, version=2, valid_from="2026-07-01"))
    rows = [row async for row in desk.database.collection("audit").find({"action": "tariff.changed"})]
    told = [(row["before"] and row["before"]["valid_from"], row["after"]["valid_from"]) for row in rows]
    assert sorted(told, key=str) == [("2024-01-01", "2026-07-01"), (None, "2024-01-01")]
    assert {row["actor"]["id"] for row in rows} == {"usr_otto"}


async def test_a_preview_prices_last_months_sessions_anew_and_stores_nothing(desk: Desk) -> None:
    await desk.put(document(HOURLY))
    await a_session(desk, "2026-05-10T08:00", "2026-05-10T10:00")
    await a_session(desk, "2026-05-11T08:00", "2026-05-11T08:30")
    await a_session(desk, "2026-06-02T08:00", "2026-06-02T09:00")  # this month
    await a_session(desk, "2026-04-30T08:00", "2026-04-30T09:00")  # the month before

    told = await desk.preview(document(CLIMBING, version=2), [])

    assert (told["source"], told["stays"], told["truncated"]) == ("sessions", 2, False)
    assert (told["from"], told["until"]) == ("2026-04-30T22:00:00.000Z", "2026-05-31T22:00:00.000Z")
    assert (told["before"]["amount"], told["after"]["amount"]) == (600, 800)
    assert (told["dearer"], told["cheaper"]) == (2, 0)
    assert {each["after"]["amount"] for each in told["examples"]} == {500, 300}
    assert len(await desk.tariffs._tariffs.versions("harbour")) == 1


async def test_a_preview_takes_given_stays_or_usual_ones(desk: Desk) -> None:
    stay = {"from": "2026-06-01T08:00:00Z", "until": "2026-06-01T09:00:00Z"}
    given = await desk.preview(document(HOURLY), [stay])
    assert (given["source"], given["after"]["amount"], given["examples"][0]["before"]) == ("given", 200, None)
    usual = await desk.preview(document(HOURLY), [])
    assert (usual["source"], usual["stays"]) == ("usual", 42)


async def test_the_example_sites_have_tariffs_that_load_once(desk: Desk) -> None:
    for lot in ("harbour", "market-street"):
        text = (Path(sites.__file__).parent / f"{lot}.tariff.json").read_bytes()
        assert await load_tariff(desk.tariffs, lot, text, SYSTEM)
        assert not await load_tariff(desk.tariffs, lot, text, SYSTEM)
    evening = await desk.quote("2026-06-20T18:00:00Z", "2026-06-20T23:00:00Z")
    assert (evening["offer"], evening["total"]["amount"]) == ("Evening", 600)


async def a_session(desk: Desk, began: str, ended: str) -> None:
    parked = ParkingSession(
        id=f"ses_{began}",
        owner="usr_dora",
        lot="harbour",
        bay="B00000",
        bay_kind="general",
        kind="app",
        began_at=_at(began),
    ).ended(_at(ended))
    await desk.database.transaction(lambda session: Sessions(desk.database).add(parked, session=session))


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
