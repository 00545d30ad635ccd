"""Every event of many payments, in any order, one to three times each, forged ones between: the ledger ends right."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from autospot.domain.money import Money
from autospot.domain.payment.payment import Payment
from autospot.storage.idempotency import Unkept
from autospot.storage.mongo import Database
from gateway_sim.intents import Intent, Refund
from tests.support.money import ACTOR, ADMIN, Shop, a_shop
from tests.support.webhooks import deliver, event_about, signed

PAYMENTS = 25
PRICE = 1000
REFUND = 300


def life_of(shop: Shop, payment: Payment, kind: str) -> list[dict[str, Any]]:
    """The events of one payment, oldest first: declined, taken, or held and then taken in part."""
    found = shop.gateway.bank.find_reference(payment.id)
    assert found is not None
    first = replace(found, state="processing", captured=0)
    steps: list[Intent] = {
        "declined": [first, first.moved("failed", failure="card_declined")],
        "taken": [first, first.approved()],
        "confirmed": [first, first.moved("requires_action"), first.moved("requires_action").approved()],
    }[kind]
    return [event_about(shop, step) for step in steps]


def refund_events(shop: Shop, payment: Payment) -> list[dict[str, Any]]:
    """The events of the refund of a payment, the one that fails included in none."""
    found = shop.gateway.bank.find_reference(payment.id)
    assert found is not None
    (asked,) = payment.refunds
    taken = replace(found, state="succeeded", captured=PRICE, refunds={})
    refund = Refund("re_1", asked.id, asked.amount)
    steps = [taken.with_refund(refund), taken.with_refund(replace(refund, state="succeeded"))]
    return [event_about(shop, step) for step in steps]


async def storm(shop: Shop, events: list[dict[str, Any]], dice: random.Random) -> Counter[int]:
    """Delivers them, 16 at a time; forged and stale copies between. How often which status was answered."""
    requests = [signed(event) for event in events for _ in range(dice.randint(1, 3))]
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    requests += [signed(event, at=hour_ago) for event in dice.sample(events, len(events) // 5)]
    other_secret = "whsec_" + "c29tZWJvZHkgZWxzZSBzaWducyB0aGlz"
    requests += [signed(event, secret=other_secret) for event in dice.sample(events, len(events) // 5)]
    dice.shuffle(requests)
    free = asyncio.Semaphore(16)

    async def until_taken(request: dict[str, Any]) -> int:
        for _ in range(50):
            async with free:
                status = await deliver(shop, request)
            if status != 503:  # gateways come again
                return status
        return 503

    return Counter(await asyncio.gather(*(until_taken(request) for request in requests)))


async def test_a_storm_of_webhooks_ends_right(database: Database) -> None:
    seed = random.SystemRandom().randrange(1_000_000)
    print(f"seed {seed}")
    dice = random.Random(seed)
    async with a_shop(database) as shop:
        till = shop.till
        kinds: dict[str, str] = {}
        events: list[dict[str, Any]] = []
        for _ in range(PAYMENTS):
            kind = dice.choice(["declined", "taken", "confirmed"])
            wash = await till.washes.order(price=PRICE)
            payment = await till.cashier.payments.pay_by_card("usr_dora", wash, "pm_webhook_lost", Unkept())
            kinds[payment.id] = kind
            events += life_of(shop, payment, kind)
        statuses = await storm(shop, events, dice)
        assert set(statuses) == {204, 401}
        taken = [payment_id for payment_id, kind in kinds.items() if kind != "declined"]
        for payment_id, kind in kinds.items():
            assert await till.state(payment_id) == ("failed" if kind == "declined" else "succeeded")
        assert await till.stands("clearing:simulated") == (-PRICE * len(taken),)

        events = []
        for payment_id in taken:
            refund = Money(REFUND, "EUR")
            after, _ = await till.cashier.refunds.refund(ADMIN, ACTOR, payment_id, refund, "wet", Unkept())
            events += refund_events(shop, after)
        await storm(shop, events, dice)
        assert await till.stands("clearing:simulated") == (-(PRICE - REFUND) * len(taken),)
        assert sum(await till.stands("revenue:harbour", "vat:harbour")) == (PRICE - REFUND) * len(taken)
        await till.clean()
