"""Subscriptions with real money, a real due-queue and over the API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

import sites
from api.subscriptions import SubscriptionOperations
from api.tariffs import TariffOperations
from autospot.clock import SetClock
from autospot.domain.errors import Conflict, PreconditionFailed
from autospot.domain.ids import new_id
from autospot.domain.notice import Notice
from autospot.domain.period import Period
from autospot.domain.subscription import RETRY_EVERY, TRIES_LIMIT, Subscription, parse_plans
from autospot.live import LiveLot, LiveLots
from autospot.services.audit import Audit
from autospot.services.desk.till import Prices
from autospot.services.quoting import Quoting
from autospot.services.subscribing import Subscribing, load_plans
from autospot.services.tariffs import LotTariffs, document_as_mapping
from autospot.storage.audit import AuditLog
from autospot.storage.idempotency import IdempotencyKeys, Unkept
from autospot.storage.mongo import Database, Session
from autospot.storage.subscriptions import Subscriptions
from tests.support.api import Answer, RunningApi, bearer, running_api
from tests.support.lots import a_lot
from tests.support.money import ACTOR, ADMIN, Till, a_till
from tests.support.subscriptions import a_package, a_plan
from tests.support.tariffs import HOURLY, tariff

START = datetime(2036, 6, 20, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DORA = bearer("usr_dora")


@dataclass
class Kiosk:
    """Where subscriptions are sold: services, API, and what drivers were told."""

    till: Till
    clock: SetClock
    subscribing: Subscribing
    tariffs: LotTariffs
    api: RunningApi
    notices: list[Notice] = field(default_factory=list)

    async def post(self, path: str, body: Any, *, who: dict[str, str] = DORA, key: str | None = None) -> Answer:
        headers = {**who, "Idempotency-Key": key or new_id("key")}
        return await self.api.call("POST", f"/v1{path}", json=body, headers=headers)

    async def mine(self) -> Subscription:
        (found,) = await self.subscribing.of("usr_dora")
        return found

    async def until(self, instant: datetime) -> None:
        await self.till.pass_time(instant - self.clock.now())

    def told(self) -> list[str]:
        return [each.what for each in self.notices]


@pytest_asyncio.fixture
async def kiosk(database: Database) -> AsyncIterator[Kiosk]:
    clock, live = SetClock(START), LiveLots()
    till = a_till(database, clock=clock)
    notices: list[Notice] = []

    async def tell(_session: Session, notice: Notice, _now: datetime) -> None:
        if notice not in notices:
            notices.append(notice)

    payments = till.cashier.payments
    subscribing = Subscribing(database, payments, till.schedule, till.clockwork, tell, clock)
    till.cashier.payables.register("subscription", subscribing)
    for plan in (a_plan(), a_package()):
        await subscribing.plans.put(plan)
    live.begin("epoch", 0, [(a_lot("harbour", 2), 0)])

    def lot_of(code: str) -> LiveLot:
        found = live.lot(code)
        assert found is not None
        return found

    tariffs = LotTariffs(database, Audit(AuditLog(database)), clock, "EUR")
    await tariffs.put("harbour", document_as_mapping(tariff(HOURLY)), ACTOR)
    quoting = Quoting(lot_of, tariffs.book, subscribing.coverage, subscribing)
    resources = (SubscriptionOperations(subscribing), TariffOperations(quoting, tariffs))
    async with running_api(*resources, keys=IdempotencyKeys(database), clock=clock) as api:
        yield Kiosk(till, clock, subscribing, tariffs, api, notices)


async def test_a_pass_is_paid_and_makes_parking_free_in_quotes(kiosk: Kiosk) -> None:
    await kiosk.till.fill(amount=12_000)
    made = await kiosk.post("/subscriptions", {"plan": "month"})
    assert (made.status, made.json["state"]) == (201, "active")
    assert (made.json["paid_until"], made.json["renews_at"]) == ("2036-07-20T10:00:00.000Z",) * 2
    assert await kiosk.till.available() == 2000
    assert await kiosk.till.stands("revenue:harbour", "vat:harbour") == (8403, 1597)

    inside = await quoted(kiosk, "2036-06-21T08:00:00Z", "2036-06-21T11:00:00Z")
    across = await quoted(kiosk, "2036-07-20T08:00:00Z", "2036-07-20T12:00:00Z")
    assert (inside["total"]["amount"], across["total"]["amount"]) == (0, 400)
    assert inside["lines"][0]["rule"] == "covered by a subscription"
    foreign = await quoted(kiosk, "2036-06-21T08:00:00Z", "2036-06-21T11:00:00Z", who=bearer("usr_dave"))
    assert foreign["total"]["amount"] == 600
    await kiosk.till.clean()


async def test_the_desk_books_at_the_price_that_was_quoted(kiosk: Kiosk) -> None:
    await kiosk.till.fill(amount=12_000)
    await kiosk.post("/subscriptions", {"plan": "month"})
    told = await quoted(kiosk, "2036-07-20T08:00:00Z", "2036-07-20T12:00:00Z")
    desk = Prices(kiosk.tariffs.book, kiosk.subscribing.coverage, kiosk.subscribing)
    end = (await kiosk.mine()).paid_until
    settled = await desk.quote("usr_dora", "harbour", "general", Period(end - 2 * HOUR, end + 2 * HOUR))
    assert settled is not None
    assert (settled.hash, settled.total.amount) == (told["hash"], 400)


async def test_a_change_of_what_has_changed_meanwhile_is_refused(kiosk: Kiosk) -> None:
    await kiosk.till.fill(amount=12_000)
    await kiosk.post("/subscriptions", {"plan": "month"})
    seen = await kiosk.mine()
    await kiosk.subscribing.cancel("usr_dora", seen.id)
    database, stale = kiosk.till.database, seen.noted_reminder()
    with pytest.raises(PreconditionFailed):
        await database.transaction(lambda session: Subscriptions(database).replace(session, seen, stale))


async def test_a_package_is_shown_used_and_never_overdrawn(kiosk: Kiosk) -> None:
    await kiosk.till.fill()
    await kiosk.post("/subscriptions", {"plan": "hours"})
    told = await quoted(kiosk, "2036-06-21T08:00:00Z", "2036-06-21T20:00:00Z")
    assert (told["package_seconds"], told["total"]["amount"]) == (36_000, 400)

    stay = Period(START + HOUR, START + 8 * HOUR)
    take = kiosk.subscribing.use_package
    taken = await asyncio.gather(
        *(
            kiosk.till.database.transaction(
                lambda session: take(session, "usr_dora", "harbour", "general", stay, 7 * 3600)
            )
            for _ in range(2)
        ),
        return_exceptions=True,
    )
    assert sorted(type(each).__name__ for each in taken) == ["PackageUsedUp", "list"]
    assert (await kiosk.mine()).left_seconds == 3 * 3600


async def test_one_key_is_one_subscription_and_one_plan_is_had_once(kiosk: Kiosk) -> None:
    await kiosk.till.fill(amount=50_000)
    key = new_id("key")
    answers = [await kiosk.post("/subscriptions", {"plan": "month"}, key=key) for _ in range(3)]
    again = await kiosk.post("/subscriptions", {"plan": "month"})
    assert len({each.body for each in answers}) == 1
    assert (again.status, again.code) == (409, "already_subscribed")
    assert await kiosk.till.available() == 40_000


async def test_who_cannot_pay_is_not_subscribed(kiosk: Kiosk) -> None:
    await kiosk.till.fill(amount=9999)
    refused = await kiosk.post("/subscriptions", {"plan": "month"})
    assert (refused.status, refused.code) == (409, "insufficient_funds")
    assert await kiosk.subscribing.of("usr_dora") == []
    assert (await kiosk.post("/subscriptions", {"plan": "nothing"})).status == 404


async def test_it_renews_by_itself_after_a_reminder(kiosk: Kiosk) -> None:
    await kiosk.till.fill(amount=25_000)
    await kiosk.post("/subscriptions", {"plan": "month"})
    first = await kiosk.mine()

    await kiosk.until(first.paid_until - timedelta(days=3))
    assert kiosk.told() == ["subscription_renewing"]
    await kiosk.until(first.paid_until)
    renewed = await kiosk.mine()

    assert kiosk.told() == ["subscription_renewing", "subscription_renewed"]
    assert renewed.period_from == first.paid_until
    assert renewed.payment != first.payment
    assert await kiosk.till.available() == 5000
    await kiosk.till.clean()


async def test_cancelled_it_lasts_to_the_end_of_what_is_paid(kiosk: Kiosk) -> None:
    await kiosk.till.fill(amount=25_000)
    made = (await kiosk.post("/subscriptions", {"plan": "month"})).json
    path = f"/subscriptions/{made['id']}/cancel"
    assert (await kiosk.api.call("POST", f"/v1{path}", headers=bearer("usr_dave"))).status == 404
    for _ in range(2):
        cancelled = await kiosk.api.call("POST", f"/v1{path}", headers=DORA)
        assert (cancelled.status, cancelled.json["state"], cancelled.json["renews_at"]) == (200, "ending", None)

    assert (await quoted(kiosk, "2036-07-19T08:00:00Z", "2036-07-19T09:00:00Z"))["total"]["amount"] == 0
    await kiosk.until(datetime(2036, 7, 18, 10, tzinfo=UTC))
    await kiosk.until(datetime(2036, 7, 20, 10, tzinfo=UTC))
    assert kiosk.told() == ["subscription_expiring", "subscription_ended"]
    assert await kiosk.till.available() == 15_000
    late = await kiosk.api.call("POST", f"/v1{path}", headers=DORA)
    assert (late.status, late.code) == (409, "illegal_step")


async def test_an_empty_wallet_is_tried_again_and_then_it_is_over(kiosk: Kiosk) -> None:
    await kiosk.till.fill(amount=10_000)
    await kiosk.post("/subscriptions", {"plan": "month"})
    end = (await kiosk.mine()).paid_until
    await kiosk.until(end)
    assert (await kiosk.mine()).state == "past_due"
    for day in range(1, TRIES_LIMIT):
        await kiosk.until(end + day * RETRY_EVERY)
    assert (await kiosk.mine()).state == "ended"
    assert kiosk.told()[-2:] == ["subscription_unpaid", "subscription_ended"]
    assert await kiosk.till.available() == 0
    await kiosk.till.clean()


async def test_money_that_comes_between_the_tries_renews_it_from_then_on(kiosk: Kiosk) -> None:
    await kiosk.till.fill(amount=10_000)
    await kiosk.post("/subscriptions", {"plan": "month"})
    end = (await kiosk.mine()).paid_until
    await kiosk.until(end)
    await kiosk.till.fill(amount=10_000)
    await kiosk.until(end + RETRY_EVERY)
    after = await kiosk.mine()
    assert (after.state, after.period_from) == ("active", end + RETRY_EVERY)


async def test_a_refunded_subscription_is_over(kiosk: Kiosk) -> None:
    await kiosk.till.fill(amount=10_000)
    made = (await kiosk.post("/subscriptions", {"plan": "month"})).json
    await kiosk.till.cashier.refunds.refund(ADMIN, ACTOR, made["payment"], None, "moved away", Unkept())
    assert (await kiosk.mine()).state == "ended"
    assert (await quoted(kiosk, "2036-06-21T08:00:00Z", "2036-06-21T09:00:00Z"))["total"]["amount"] == 200
    with pytest.raises(Conflict):
        await kiosk.subscribing.cancel("usr_dora", made["id"])
    await kiosk.till.clean()


async def test_plans_are_open_to_everybody_and_loaded_once(kiosk: Kiosk) -> None:
    offered = parse_plans((Path(sites.__file__).parent / "plans.json").read_bytes())
    assert await load_plans(kiosk.subscribing.plans, offered) == 4
    assert await load_plans(kiosk.subscribing.plans, offered) == 0
    all_plans = (await kiosk.api.call("GET", "/v1/plans")).json["data"]
    market = (await kiosk.api.call("GET", "/v1/plans?lot=market-street")).json["data"]
    assert (len(all_plans), [each["id"] for each in market]) == (6, ["market-street-month"])
    assert {each["type"] for each in all_plans} == {"pass", "package"}


async def test_a_changed_plan_leaves_subscriptions_as_agreed(kiosk: Kiosk) -> None:
    await kiosk.till.fill(amount=20_000)
    await kiosk.post("/subscriptions", {"plan": "month"})
    await kiosk.subscribing.plans.remove("month")
    await kiosk.until((await kiosk.mine()).paid_until)
    assert (await kiosk.mine()).state == "active"
    assert await kiosk.till.available() == 0
    listed = (await kiosk.api.call("GET", "/v1/subscriptions", headers=DORA)).json["data"]
    assert [each["plan"]["price"]["amount"] for each in listed] == [10_000]


async def quoted(kiosk: Kiosk, start: str, until: str, who: dict[str, str] = DORA) -> Any:
    body = {"lot": "harbour", "from": start, "until": until}
    answer = await kiosk.api.call("POST", "/v1/quotes", json=body, headers=who)
    assert answer.status == 200, answer.body
    return answer.json
