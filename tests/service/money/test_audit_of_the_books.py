"""The auditor finds whatever does not agree, stops money, and lets it move again only when all is well."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from autospot.services.auditor import Mismatch
from autospot.storage.idempotency import Unkept
from autospot.storage.money_stop import MoneyStopped
from autospot.storage.mongo import Database, Session
from tests.support.money import Till, a_till

DORA = "usr_dora"


@pytest.fixture
async def till(database: Database) -> Till:
    till = a_till(database)
    await till.fill(amount=5000)
    for hold_seconds in (0, 300, 300):
        wash = await till.washes.order(price=1000, hold_seconds=hold_seconds)
        payment = await till.cashier.payments.pay_from_wallet(DORA, wash, Unkept())

    async def work(session: Session) -> None:
        await till.cashier.payments.capture_within(session, payment.id, 400, till.clock.now())

    await till.database.transaction(work)
    return till


Tamper = Callable[[Any], Awaitable[Any]]


async def wallet_gains_a_cent(raw: Any) -> None:
    await raw["wallets"].update_one({"account": "wallet:usr_dora"}, {"$inc": {"credits": 1}})


async def wallet_forgets_a_hold(raw: Any) -> None:
    await raw["wallets"].update_one({"account": "wallet:usr_dora"}, {"$set": {"pending_debits": 0}})


async def wallet_vanishes(raw: Any) -> None:
    await raw["wallets"].delete_one({"account": "wallet:usr_dora"})


async def wallet_from_nowhere(raw: Any) -> None:
    await raw["wallets"].insert_one(
        {"_id": "wallet:usr_eve:EUR", "account": "wallet:usr_eve", "currency": "EUR", "credits": 1}
    )


async def transfer_vanishes(raw: Any) -> None:
    await raw["transfers"].delete_one({"kind": "posted", "debit": "wallet:usr_dora"})


async def transfer_shrinks(raw: Any) -> None:
    await raw["transfers"].update_one({"kind": "posted", "debit": "wallet:usr_dora"}, {"$inc": {"amount": -1}})


async def transfer_is_negative(raw: Any) -> None:
    await raw["transfers"].update_one({"cause.kind": "vat"}, {"$set": {"amount": -5}})


async def transfer_is_a_fraction(raw: Any) -> None:
    await raw["transfers"].update_one({"cause.kind": "vat"}, {"$set": {"amount": 1.5}})


async def transfer_has_one_side(raw: Any) -> None:
    await raw["transfers"].update_one({"cause.kind": "vat"}, {"$set": {"debit": "vat:harbour"}})


async def hold_is_settled_twice(raw: Any) -> None:
    await raw["transfers"].drop_index("settles_1")
    first = await raw["transfers"].find_one({"kind": "post"})
    await raw["transfers"].insert_one({**first, "_id": "trf_again"})


async def settlement_exceeds_its_hold(raw: Any) -> None:
    await raw["transfers"].update_one({"kind": "post"}, {"$set": {"amount": 1001}})


async def settlement_without_hold(raw: Any) -> None:
    await raw["transfers"].update_one({"kind": "post"}, {"$set": {"settles": "trf_none"}})


async def payment_says_more(raw: Any) -> None:
    await raw["payments"].update_one({"subject.kind": "wash", "captured": 1000}, {"$set": {"captured": 1001}})


async def payment_vanishes(raw: Any) -> None:
    await raw["payments"].delete_one({"captured": 400})


@pytest.mark.parametrize(
    ("tamper", "check"),
    [
        (wallet_gains_a_cent, "wallet_agrees"),
        (wallet_gains_a_cent, "zero_sum"),
        (wallet_forgets_a_hold, "wallet_agrees"),
        (wallet_vanishes, "wallet_agrees"),
        (wallet_from_nowhere, "wallet_agrees"),
        (transfer_vanishes, "wallet_agrees"),
        (transfer_vanishes, "payment_has_money"),
        (transfer_shrinks, "wallet_agrees"),
        (transfer_is_negative, "balanced_transfer"),
        (transfer_is_a_fraction, "balanced_transfer"),
        (transfer_has_one_side, "balanced_transfer"),
        (hold_is_settled_twice, "settled_once"),
        (settlement_exceeds_its_hold, "settled_once"),
        (settlement_without_hold, "settled_once"),
        (payment_says_more, "payment_has_money"),
        (payment_vanishes, "money_has_payment"),
    ],
)
async def test_every_sort_of_tampering_is_found_and_stops_money(till: Till, tamper: Tamper, check: str) -> None:
    await till.clean()
    await tamper(till.database.collection("transfers").database)

    report = await till.cashier.auditor.audit()

    assert check in {mismatch.check for mismatch in report.mismatches}
    assert await till.cashier.auditor.stopped()
    with pytest.raises(MoneyStopped):
        await till.cashier.payments.pay_from_wallet(DORA, await till.washes.order(price=1), Unkept())
    if tamper is hold_is_settled_twice:
        await till.database.collection("transfers").delete_one({"_id": "trf_again"})
        from autospot.storage import money

        await till.database.prepare(money.DECLARED)


async def test_money_moves_again_only_after_a_clean_audit(till: Till) -> None:
    raw = till.database.collection("transfers").database
    await wallet_gains_a_cent(raw)
    assert not (await till.cashier.auditor.resume()).is_clean
    assert await till.cashier.auditor.stopped()

    await raw["wallets"].update_one({"account": "wallet:usr_dora"}, {"$inc": {"credits": -1}})
    assert (await till.cashier.auditor.audit()).is_clean
    assert await till.cashier.auditor.stopped(), "an audit alone does not let money move"
    assert (await till.cashier.auditor.resume()).is_clean
    assert await till.cashier.auditor.stopped() is None


async def test_payments_in_the_middle_of_an_audit_are_no_mismatch(till: Till) -> None:
    async def pay() -> None:
        for _ in range(15):
            wash = await till.washes.order(price=10)
            await till.cashier.payments.pay_from_wallet(DORA, wash, Unkept())

    async def audit() -> None:
        for _ in range(10):
            await till.clean()

    await asyncio.gather(pay(), audit())


async def test_the_schedule_audits_every_hour(till: Till) -> None:
    await till.cashier.auditor.plan()
    await till.cashier.auditor.plan()
    await till.pass_time(timedelta(minutes=59))
    await wallet_gains_a_cent(till.database.collection("transfers").database)
    assert await till.cashier.auditor.stopped() is None
    await till.pass_time(timedelta(minutes=1))
    assert await till.cashier.auditor.stopped()
    assert await till.database.collection("due").count_documents({"kind": "ledger_audit", "state": "waiting"}) == 1


async def test_other_services_add_rules_of_their_own(till: Till) -> None:
    async def check(session: Session) -> list[Mismatch]:
        return [Mismatch("booking_has_payment", "bkg_1", "is not paid")]

    till.cashier.auditor.also(check)
    report = await till.cashier.auditor.audit()
    assert [mismatch.subject for mismatch in report.mismatches] == ["bkg_1"]
