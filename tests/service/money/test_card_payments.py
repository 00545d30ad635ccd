"""Card payments through the simulated gateway, over real sockets: however its webhooks come, the ledger ends right."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from autospot.domain.errors import Unavailable
from autospot.domain.money import Money
from autospot.domain.payment.payment import Payment, Subject
from autospot.storage.idempotency import Unkept
from autospot.storage.mongo import Database, Session
from tests.support.money import ACTOR, ADMIN, OPERATOR, Shop, a_shop, a_till
from tests.support.services import eventually
from tests.support.webhooks import deliver, event_about, signed

DORA = "usr_dora"


@pytest_asyncio.fixture
async def shop(database: Database) -> AsyncIterator[Shop]:
    async with a_shop(database) as shop:
        yield shop


async def pay(shop: Shop, method: str = "pm_ok", *, price: int = 1000, hold: bool = False) -> tuple[Payment, Subject]:
    wash = await shop.till.washes.order(price=price, hold_seconds=300 if hold else 0)
    return await shop.till.cashier.payments.pay_by_card(DORA, wash, method, Unkept()), wash


async def top_up(shop: Shop, method: str = "pm_ok", amount: int = 2000) -> Payment:
    return await shop.till.cashier.payments.top_up(DORA, Money(amount, "EUR"), method, Unkept())


async def within(shop: Shop, what: str, *arguments: Any) -> Payment:
    """`capture_within` or `void_within` in a transaction of their own, and the order that follows."""

    async def work(session: Session) -> Payment:
        step = getattr(shop.till.cashier.payments, what)
        result: Payment = await step(session, *arguments, shop.till.clock.now())
        return result

    payment = await shop.till.database.transaction(work)
    await shop.till.settle()
    return payment


def success_of(shop: Shop, payment: Payment, event_id: str = "evt_1") -> dict[str, Any]:
    """The event that the gateway's books would give for a payment."""
    intent = shop.gateway.bank.find_reference(payment.id)
    assert intent is not None
    return event_about(shop, intent, event_id)


@pytest.mark.parametrize("method", ["pm_ok", "pm_slow", "pm_webhook_twice", "pm_out_of_order"])
async def test_money_comes_by_webhook_however_it_comes(shop: Shop, method: str) -> None:
    payment, wash = await pay(shop, method)
    assert payment.state in ("processing", "succeeded")  # the webhook may be quicker than the answer

    done = await shop.till.becomes(payment.id, "succeeded")
    await shop.gateway.webhooks.settle()

    assert done.captured == 1000
    assert await shop.till.stands("clearing:simulated", "revenue:harbour", "vat:harbour") == (-1000, 840, 160)
    assert (await shop.till.washes.get(wash))["states"] == ["succeeded"]
    await shop.till.clean()


async def test_the_answer_to_a_request_is_no_money(shop: Shop) -> None:
    payment = await top_up(shop, "pm_webhook_lost")
    assert payment.state == "processing"
    assert shop.gateway.bank.find_reference(payment.id).state == "succeeded"  # type: ignore[union-attr]
    assert await shop.till.available() == 0


async def test_a_lost_webhook_is_found_by_looking(shop: Shop) -> None:
    payment = await top_up(shop, "pm_webhook_lost")
    await shop.till.pass_time(timedelta(seconds=29))
    assert await shop.till.state(payment.id) == "processing"
    await shop.till.pass_time(timedelta(seconds=1))

    assert await shop.till.state(payment.id) == "succeeded"
    assert await shop.till.available() == 2000
    await shop.till.clean()


async def test_looking_goes_on_while_the_gateway_is_slow_and_ends_with_the_payment(database: Database) -> None:
    async with a_shop(database, slow_seconds=0.6) as shop:
        payment = await top_up(shop, "pm_slow")
        await shop.till.pass_time(timedelta(seconds=30))
        assert await shop.till.state(payment.id) == "processing"
        await shop.till.becomes(payment.id, "succeeded")
        await shop.till.pass_time(timedelta(days=1))
        assert await database.collection("due").count_documents({"kind": "gateway_look"}) == 0
        await shop.till.clean()


async def test_a_declined_card_says_so_at_once(shop: Shop) -> None:
    payment, wash = await pay(shop, "pm_declined")
    assert (payment.state, payment.failure) == ("failed", "card_declined")
    await shop.gateway.webhooks.settle()
    assert (await shop.till.washes.get(wash))["states"] == ["failed"]

    again = await shop.till.cashier.payments.pay_by_card(DORA, wash, "pm_ok", Unkept())
    await shop.till.becomes(again.id, "succeeded")
    await shop.till.clean()


async def test_an_unknown_method_fails_the_payment_and_not_the_request(shop: Shop) -> None:
    payment = await top_up(shop, "pm_stolen")
    assert (payment.state, payment.failure) == ("failed", "unknown_method")


@pytest.mark.parametrize(("answer", "state"), [("yes", "succeeded"), ("no", "failed")])
async def test_the_second_step_is_a_page_where_the_driver_decides(shop: Shop, answer: str, state: str) -> None:
    payment = await top_up(shop, "pm_second_step")
    assert payment.state == "requires_action"
    assert payment.card is not None
    assert payment.card.action_url is not None
    async with aiohttp.ClientSession() as browser:
        async with browser.get(payment.card.action_url) as page:
            assert "Confirm" in await page.text()
        async with browser.post(payment.card.action_url, data={"answer": answer}) as page:
            assert state in await page.text()

    await shop.till.becomes(payment.id, state)
    assert await shop.till.available() == (2000 if answer == "yes" else 0)
    await shop.till.clean()


async def test_a_second_step_that_nobody_takes_is_given_up(shop: Shop) -> None:
    payment = await top_up(shop, "pm_second_step")
    for _ in range(6):
        await shop.till.pass_time(timedelta(minutes=10))
    await shop.till.becomes(payment.id, "cancelled")


async def test_a_card_is_held_then_captured_in_part(shop: Shop) -> None:
    payment, wash = await pay(shop, hold=True)
    await shop.till.becomes(payment.id, "authorised")
    assert await shop.till.stands("revenue:harbour") == (0,)

    await within(shop, "capture_within", payment.id, 400)

    assert (await shop.till.becomes(payment.id, "succeeded")).captured == 400
    assert await shop.till.stands("clearing:simulated", "revenue:harbour", "vat:harbour") == (-400, 336, 64)
    assert (await shop.till.washes.get(wash))["states"] == ["authorised", "succeeded"]
    await shop.till.clean()


async def test_a_card_is_held_then_let_go(shop: Shop) -> None:
    payment, _ = await pay(shop, hold=True)
    await shop.till.becomes(payment.id, "authorised")
    await within(shop, "void_within", payment.id)
    await shop.till.becomes(payment.id, "cancelled")
    assert await shop.till.stands("clearing:simulated", "revenue:harbour") == (0, 0)
    await shop.till.clean()


async def test_a_capture_without_any_webhook_ends_right(shop: Shop) -> None:
    payment, _ = await pay(shop, "pm_webhook_lost", hold=True)
    await shop.till.pass_time(timedelta(seconds=30))
    assert await shop.till.state(payment.id) == "authorised"
    await within(shop, "capture_within", payment.id, 400)
    await shop.till.pass_time(timedelta(seconds=30))
    assert await shop.till.state(payment.id) == "succeeded"
    await shop.till.clean()


@pytest.mark.parametrize("method", ["pm_ok", "pm_webhook_twice", "pm_out_of_order", "pm_webhook_lost"])
async def test_a_refund_goes_back_to_the_card(shop: Shop, method: str) -> None:
    payment, wash = await pay(shop, method)
    await shop.till.pass_time(timedelta(seconds=30))
    await shop.till.becomes(payment.id, "succeeded")
    for amount in (Money(300, "EUR"), None):
        _, refund = await shop.till.cashier.refunds.refund(OPERATOR, ACTOR, payment.id, amount, "wet", Unkept())
        assert refund.state == "processing"
        await shop.till.settle()
        await shop.till.pass_time(timedelta(seconds=30))

    await shop.till.becomes(payment.id, "refunded")
    assert await shop.till.stands("clearing:simulated", "revenue:harbour", "vat:harbour") == (0, 0, 0)
    assert (await shop.till.washes.get(wash))["kept"] == 0
    await shop.till.clean()


async def test_a_refund_that_the_card_refuses_is_in_the_wallet(shop: Shop) -> None:
    payment, _ = await pay(shop, "pm_refund_fails")
    await shop.till.becomes(payment.id, "succeeded")
    await shop.till.cashier.refunds.refund(OPERATOR, ACTOR, payment.id, Money(400, "EUR"), "wet", Unkept())
    await shop.till.settle()

    await eventually(lambda: shop.till.available(), what="the money is in the wallet")
    stored = await shop.till.stored.find(payment.id)
    assert stored is not None
    assert [(each.state, each.to_wallet, each.amount) for each in stored.refunds] == [("failed", True, 400)]
    assert await shop.till.available() == 400
    await shop.till.clean()


async def test_a_top_up_goes_back_only_while_it_is_there(shop: Shop) -> None:
    payment = await top_up(shop, "pm_refund_fails", 2000)
    await shop.till.becomes(payment.id, "succeeded")
    await shop.till.cashier.refunds.refund(ADMIN, ACTOR, payment.id, Money(1500, "EUR"), "asked", Unkept())
    assert await shop.till.available() == 500
    await shop.till.settle()
    await eventually(lambda: shop.till.available(), what="the refund failed, the money is free again")
    await shop.gateway.webhooks.settle()
    assert await shop.till.available() == 2000
    await shop.till.clean()


async def test_while_a_wash_is_being_paid_nobody_else_pays_it(shop: Shop) -> None:
    await shop.till.fill(amount=5000)
    payment, wash = await pay(shop, "pm_second_step")
    for again in (
        shop.till.cashier.payments.pay_by_card(DORA, wash, "pm_ok", Unkept()),
        shop.till.cashier.payments.pay_from_wallet(DORA, wash, Unkept()),
    ):
        with pytest.raises(Exception, match="being paid already"):
            await again
    assert payment.state == "requires_action"
    assert await shop.till.available() == 5000


async def test_forged_and_replayed_webhooks_change_nothing(shop: Shop) -> None:
    payment = await top_up(shop, "pm_webhook_lost")
    event = success_of(shop, payment)
    other_secret = "whsec_" + "c29tZWJvZHkgZWxzZSBzaWducyB0aGlz"
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    changed = signed(event)
    changed["data"] = changed["data"].replace("2000", "9000")
    unsigned = {"data": json.dumps(event), "headers": {"Content-Type": "application/json"}}

    forged = [signed(event, secret=other_secret), signed(event, at=hour_ago), changed, unsigned]
    for mark in ("v1,", "v1,%%%", "", "v1", "v2,abcd", "v1,é"):
        request = signed(event)
        request["headers"]["webhook-signature"] = mark
        forged.append(request)

    assert [await deliver(shop, request) for request in forged] == [401] * len(forged)
    assert await shop.till.state(payment.id) == "processing"
    assert await shop.till.available() == 0


async def test_an_event_told_again_after_an_hour_counts_once(shop: Shop) -> None:
    payment = await top_up(shop, "pm_webhook_lost")
    event = success_of(shop, payment)
    assert await deliver(shop, signed(event)) == 204
    await shop.till.pass_time(timedelta(hours=1))
    assert await deliver(shop, signed(event)) == 204
    assert await deliver(shop, signed({**event, "id": "evt_2"})) == 204
    assert await shop.till.available() == 2000
    await shop.till.clean()


async def test_twenty_copies_of_an_event_at_once_count_once(shop: Shop) -> None:
    payment = await top_up(shop, "pm_webhook_lost")
    request = signed(success_of(shop, payment))
    statuses = await asyncio.gather(*(deliver(shop, request) for _ in range(20)))
    assert set(statuses) <= {204, 503}
    assert 204 in statuses
    assert await shop.till.available() == 2000
    await shop.till.clean()


async def test_events_about_other_amounts_or_unknown_payments_move_nothing(shop: Shop) -> None:
    payment = await top_up(shop, "pm_webhook_lost")
    event = success_of(shop, payment)
    intent = event["data"]["payment_intent"]
    more = {**event, "data": {"payment_intent": {**intent, "amount": 9000, "captured": 9000}}}
    unknown = {**event, "id": "evt_3", "data": {"payment_intent": {**intent, "reference": "pay_none"}}}

    assert await deliver(shop, signed(more)) == 422
    assert await deliver(shop, signed(unknown)) == 204
    assert await deliver(shop, signed({"id": "evt_4", "data": {}})) == 422
    assert await shop.till.available() == 0


async def test_a_webhook_of_an_unknown_provider_is_not_found(shop: Shop) -> None:
    payment = await top_up(shop, "pm_webhook_lost")
    answer = await shop.api.call("POST", "/v1/gateway/webhooks/nobody", **signed(success_of(shop, payment)))
    assert answer.status == 404


async def test_while_money_is_stopped_webhooks_come_again_later(shop: Shop) -> None:
    from autospot.storage.money_stop import MoneyStop

    payment = await top_up(shop, "pm_webhook_lost")
    event = success_of(shop, payment)
    stop = MoneyStop(shop.till.database)
    await stop.stop("a test", shop.till.clock.now())
    assert await deliver(shop, signed(event)) == 503
    await stop.resume()
    assert await deliver(shop, signed(event)) == 204
    assert await shop.till.available() == 2000


async def test_a_gateway_that_does_not_answer_leaves_a_payment_that_goes_on_or_fails(database: Database) -> None:
    till = a_till(database)
    with pytest.raises(Unavailable):
        await till.cashier.payments.top_up(DORA, Money(2000, "EUR"), "pm_ok", Unkept())
    await till.gateways.close()
    (payment,) = await till.stored.newest(DORA, 10)
    assert payment.state == "processing"

    async with a_shop(database) as shop:  # a gateway that never heard of it
        shop.till.clock.move(timedelta(minutes=14))  # type: ignore[attr-defined]
        await shop.till.settle()
        assert await shop.till.state(payment.id) == "processing"
        for _ in range(3):
            await shop.till.pass_time(timedelta(minutes=10))
        failed = await shop.till.stored.find(payment.id)
        assert failed is not None
        assert (failed.state, failed.failure) == ("failed", "never_begun")


async def test_money_for_a_payment_that_was_given_up_is_in_the_wallet_once(shop: Shop) -> None:
    payment = await top_up(shop, "pm_webhook_lost")
    event = success_of(shop, payment)
    await shop.till.database.collection("payments").update_one(
        {"_id": payment.id}, {"$set": {"state": "failed", "failure": "never_begun"}}
    )
    for event_id in ("evt_1", "evt_2"):
        assert await deliver(shop, signed({**event, "id": event_id})) == 204
    assert await shop.till.available() == 2000
    await shop.till.clean()


async def test_a_low_wallet_fills_itself_once_for_those_who_asked(shop: Shop) -> None:
    till = shop.till
    await till.fill(amount=1500)
    await till.cashier.wallets.filling.opt_in(DORA, below=1000, amount=3000, method="pm_ok")
    await till.settle()
    assert await till.available() == 1500

    for price in (600, 100, 100):
        await till.cashier.payments.pay_from_wallet(DORA, await till.washes.order(price=price), Unkept())
    await till.settle()
    await eventually(lambda: _has(till, 3700))
    await shop.gateway.webhooks.settle()
    await till.settle()

    assert await till.available() == 3700
    await till.clean()


async def test_a_card_that_refuses_pauses_the_filling(shop: Shop) -> None:
    till = shop.till
    await till.cashier.wallets.filling.opt_in(DORA, below=1000, amount=3000, method="pm_declined")
    await till.settle()
    wish = await till.cashier.wallets.wish(DORA)
    assert wish is not None
    assert (wish.paused, wish.running) == ("card_declined", None)

    await till.cashier.wallets.filling.opt_in(DORA, below=1000, amount=3000, method="pm_ok")
    await till.settle()
    await eventually(lambda: _has(till, 3000))
    await till.cashier.wallets.filling.opt_out(DORA)
    assert await till.cashier.wallets.wish(DORA) is None


async def _has(till: Any, amount: int) -> bool:
    return bool(await till.available() == amount)
