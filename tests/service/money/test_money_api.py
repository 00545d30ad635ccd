"""The API about money: what is asked, what is told, and that a key's answer is one answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from autospot.domain.access import Role
from autospot.domain.ids import new_id
from autospot.storage.mongo import Database
from tests.support.api import Answer, bearer
from tests.support.money import Shop, a_shop
from tests.support.services import eventually

DORA = bearer("usr_dora")
OTTO = bearer("usr_otto", Role.OPERATOR, lots=("harbour",))
OLGA = bearer("usr_olga", Role.OPERATOR, lots=("market",))


@pytest_asyncio.fixture
async def shop(database: Database) -> AsyncIterator[Shop]:
    async with a_shop(database) as shop:
        yield shop


async def post(shop: Shop, path: str, body: Any, *, who: dict[str, str] = DORA, key: str | None = None) -> Answer:
    headers = {**who, "Idempotency-Key": key or new_id("key")}
    return await shop.api.call("POST", f"/v1{path}", json=body, headers=headers)


async def get(shop: Shop, path: str, who: dict[str, str] = DORA) -> Any:
    answer = await shop.api.call("GET", f"/v1{path}", headers=who)
    assert answer.status == 200, answer.body
    return answer.json


def euros(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "EUR"}


async def a_wash(shop: Shop, price: int = 1000, *, hold_seconds: int = 0) -> dict[str, str]:
    wash = await shop.till.washes.order(price=price, hold_seconds=hold_seconds)
    return {"kind": wash.kind, "id": wash.id}


async def test_a_wallet_is_filled_and_pays(shop: Shop) -> None:
    topped_up = await post(shop, "/wallet/top-ups", {"amount": euros(2500), "method": "pm_ok"})
    assert (topped_up.status, topped_up.json["purpose"]) == (201, "top_up")
    assert topped_up.json["state"] in ("processing", "succeeded")

    async def there() -> bool:
        return bool((await get(shop, "/wallet"))["available"] == euros(2500))

    await eventually(there)
    paid = await post(shop, "/payments", {"subject": await a_wash(shop), "source": "wallet"})
    await post(shop, "/payments", {"subject": await a_wash(shop, hold_seconds=60), "source": "wallet"})

    assert (paid.status, paid.json["state"], paid.json["captured"]) == (201, "succeeded", euros(1000))
    assert await get(shop, paid.headers["Location"].removeprefix("/v1")) == paid.json
    wallet = await get(shop, "/wallet")
    assert (wallet["balance"], wallet["available"], wallet["auto_top_up"]) == (euros(1500), euros(500), None)
    page = await get(shop, "/wallet/transactions")
    told = {(each["cause"], each["status"], each["amount"]["amount"]) for each in page["data"]}
    assert told == {("payment", "held", -1000), ("payment", "posted", -1000), ("top_up", "posted", 2500)}


async def test_transactions_come_in_pages(shop: Shop) -> None:
    for amount in range(1, 8):
        await shop.till.fill(amount=amount)
    seen: list[int] = []
    cursor = ""
    while True:
        page = await get(shop, f"/wallet/transactions?limit=3{cursor}")
        seen += [each["amount"]["amount"] for each in page["data"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert sorted(seen) == list(range(1, 8))


async def test_the_same_key_is_one_payment_and_one_answer(shop: Shop) -> None:
    await shop.till.fill(amount=5000)
    body, key = {"subject": await a_wash(shop), "source": "wallet"}, new_id("key")
    answers = await asyncio.gather(*(post(shop, "/payments", body, key=key) for _ in range(6)))
    answers.append(await post(shop, "/payments", body, key=key))

    assert {each.status for each in answers} <= {201, 409}
    assert len({each.body for each in answers if each.status == 201}) == 1
    assert answers[-1].headers["Idempotent-Replayed"] == "true"
    assert await shop.till.available() == 4000

    other = await post(shop, "/payments", {"subject": await a_wash(shop), "source": "wallet"}, key=key)
    assert (other.status, other.code) == (422, "idempotency_key_reused")


async def test_a_lost_row_does_not_charge_twice(shop: Shop) -> None:
    key, body = new_id("key"), {"amount": euros(2500), "method": "pm_ok"}
    first = await post(shop, "/wallet/top-ups", body, key=key)
    await shop.till.becomes(first.json["id"], "succeeded")
    await shop.till.database.collection("idempotency").delete_many({})
    again = await post(shop, "/wallet/top-ups", body, key=key)

    assert (again.status, again.json["id"], again.json["state"]) == (201, first.json["id"], "succeeded")
    await shop.gateway.webhooks.settle()
    assert await shop.till.available() == 2500


async def test_a_refusal_is_kept_like_an_answer(shop: Shop) -> None:
    body, key = {"subject": await a_wash(shop), "source": "wallet"}, new_id("key")
    first = await post(shop, "/payments", body, key=key)
    await shop.till.fill(amount=5000)
    second = await post(shop, "/payments", body, key=key)
    assert (first.status, first.code) == (409, "insufficient_funds")
    assert second.body == first.body


async def test_a_refund_needs_an_operator_of_that_lot(shop: Shop) -> None:
    await shop.till.fill(amount=5000)
    paid = await post(shop, "/payments", {"subject": await a_wash(shop), "source": "wallet"})
    path, body = f"/payments/{paid.json['id']}/refunds", {"amount": euros(300), "reason": "too wet"}

    assert (await post(shop, path, body)).status == 403
    assert (await post(shop, path, body, who=OLGA)).status == 404
    refund = await post(shop, path, body, who=OTTO)
    assert (refund.status, refund.json["state"], refund.json["to_wallet"]) == (201, "succeeded", True)
    too_much = await post(shop, path, {"amount": euros(701), "reason": "more"}, who=OTTO)
    assert (too_much.status, too_much.code) == (409, "refund_too_large")
    rest = await post(shop, path, {"reason": "all of it"}, who=OTTO)
    assert rest.json["amount"] == euros(700)
    payment = await get(shop, f"/payments/{paid.json['id']}")
    assert (payment["state"], payment["returned"]) == ("refunded", euros(1000))
    audited = await shop.till.database.collection("audit").count_documents({"action": "payment.refunded"})
    assert audited == 2


async def test_payments_of_others_are_not_there(shop: Shop) -> None:
    await shop.till.fill(amount=5000)
    paid = await post(shop, "/payments", {"subject": await a_wash(shop), "source": "wallet"})
    for path in (f"/v1/payments/{paid.json['id']}", f"/v1/payments/pay_{'0' * 32}", "/v1/payments/nonsense"):
        assert (await shop.api.call("GET", path, headers=bearer("usr_dave"))).status == 404


async def test_points_are_shown_and_spent(shop: Shop) -> None:
    await shop.till.fill(amount=20_000)
    await post(shop, "/payments", {"subject": await a_wash(shop, 10_000), "source": "wallet"})
    points = await get(shop, "/points")
    assert (points["points"], points["worth"], len(points["newest"])) == (100, euros(1), 1)

    subject = await a_wash(shop, 1000)
    redeemed = await post(shop, "/points/redeem", {"points": 60, "subject": subject})
    assert (redeemed.status, redeemed.json) == (200, {"points": 60, "discount": euros(60), "left": 40})
    assert (await post(shop, "/points/redeem", {"points": 60, "subject": subject})).code == "insufficient_funds"
    paid = await post(shop, "/payments", {"subject": subject, "source": "wallet"})
    assert paid.json["amount"] == euros(940)


async def test_auto_top_up_is_turned_on_and_off(shop: Shop) -> None:
    body = {"below": euros(500), "amount": euros(2000), "method": "pm_declined"}
    answer = await shop.api.call("PUT", "/v1/wallet/auto-top-up", json=body, headers=DORA)
    assert (answer.status, answer.json) == (200, {"below": euros(500), "amount": euros(2000), "paused": None})
    await shop.till.settle()
    assert (await get(shop, "/wallet"))["auto_top_up"]["paused"] == "card_declined"
    assert (await shop.api.call("DELETE", "/v1/wallet/auto-top-up", headers=DORA)).status == 204
    assert (await get(shop, "/wallet"))["auto_top_up"] is None


@pytest.mark.parametrize(
    ("path", "body", "at"),
    [
        ("/wallet/top-ups", {"amount": euros(0), "method": "pm_ok"}, "/amount"),
        ("/wallet/top-ups", {"amount": euros(-5), "method": "pm_ok"}, "/amount"),
        ("/wallet/top-ups", {"amount": euros(10**9 + 1), "method": "pm_ok"}, "/amount"),
        ("/wallet/top-ups", {"amount": {"amount": 5.0, "currency": "EUR"}, "method": "pm_ok"}, "/amount/amount"),
        ("/wallet/top-ups", {"amount": {"amount": True, "currency": "EUR"}, "method": "pm_ok"}, "/amount/amount"),
        ("/wallet/top-ups", {"amount": {"amount": 5, "currency": "CHF"}, "method": "pm_ok"}, "/amount/currency"),
        ("/wallet/top-ups", {"amount": euros(5), "method": {"$ne": None}}, "/method"),
        ("/wallet/top-ups", {"amount": euros(5), "method": "pm_ok", "state": "succeeded"}, "/state"),
        ("/payments", {"subject": {"kind": "wash", "id": "w1"}, "source": "card"}, "/method"),
        ("/payments", {"subject": {"kind": "wash", "id": "w1"}, "source": "wallet", "method": "pm_ok"}, "/method"),
        ("/payments", {"subject": {"kind": "wash", "id": {"$gt": ""}}, "source": "wallet"}, "/subject/id"),
        ("/points/redeem", {"points": 49, "subject": {"kind": "wash", "id": "w1"}}, "/points"),
    ],
)
async def test_bad_input_is_named_by_its_place_and_moves_nothing(shop: Shop, path: str, body: Any, at: str) -> None:
    answer = await post(shop, path, body)
    assert answer.status == 422
    assert [each["at"] for each in answer.json["errors"]] == [at]
    assert await shop.till.database.collection("payments").count_documents({}) == 0


async def test_money_wants_a_key(shop: Shop) -> None:
    for path in ("/wallet/top-ups", "/payments", "/points/redeem"):
        answer = await shop.api.call("POST", f"/v1{path}", json={}, headers=DORA)
        assert answer.status in (400, 422)
    body = {"amount": euros(5), "method": "pm_ok"}
    answer = await shop.api.call("POST", "/v1/wallet/top-ups", json=body, headers=DORA)
    assert (answer.status, answer.code) == (400, "idempotency_key_missing")
