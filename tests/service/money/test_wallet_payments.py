"""Paying from a wallet: taken or held, captured, given back, refunded; points and credits beside it."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from autospot.domain.errors import Conflict, InvalidInput, NotFound
from autospot.domain.ledger import HoldExpired, InsufficientFunds
from autospot.domain.money import Money
from autospot.domain.payment.intent import RefundState
from autospot.domain.payment.payment import Payment, Refund, Subject, WrongPaymentState
from autospot.storage.idempotency import Unkept
from autospot.storage.mongo import Database, Session
from tests.support.money import ACTOR, ADMIN, OPERATOR, Till, a_till

DORA = "usr_dora"
GROSS, VAT_PART = 1000, 160
"""10.00 with 19 % VAT in it: 8.40 and 1.60."""


@pytest.fixture
async def till(database: Database) -> Till:
    return a_till(database)


async def pay(till: Till, wash: Subject, user_id: str = DORA) -> Payment:
    return await till.cashier.payments.pay_from_wallet(user_id, wash, Unkept())


async def capture(till: Till, payment: Payment, amount: int) -> Payment:
    async def work(session: Session) -> Payment:
        return await till.cashier.payments.capture_within(session, payment.id, amount, till.clock.now())

    return await till.database.transaction(work)


async def void(till: Till, payment: Payment) -> Payment:
    async def work(session: Session) -> Payment:
        return await till.cashier.payments.void_within(session, payment.id, till.clock.now())

    return await till.database.transaction(work)


async def refund(till: Till, payment: Payment, amount: int | None = None) -> tuple[Payment, Refund]:
    money = None if amount is None else Money(amount, "EUR")
    return await till.cashier.refunds.refund(OPERATOR, ACTOR, payment.id, money, "too wet", Unkept())


async def test_a_wash_is_paid_at_once_with_its_vat_set_aside(till: Till) -> None:
    await till.fill(amount=5000)
    wash = await till.washes.order(price=GROSS)
    payment = await pay(till, wash)

    assert (payment.state, payment.captured) == ("succeeded", GROSS)
    assert await till.available() == 4000
    assert await till.stands("revenue:harbour", "vat:harbour") == (GROSS - VAT_PART, VAT_PART)
    assert (await till.washes.get(wash))["states"] == ["succeeded"]
    await till.clean()


async def test_an_empty_wallet_pays_nothing_and_nobody_is_told(till: Till) -> None:
    await till.fill(amount=999)
    wash = await till.washes.order(price=GROSS)
    with pytest.raises(InsufficientFunds):
        await pay(till, wash)

    assert (await till.washes.get(wash))["states"] == []
    assert await till.cashier.payments.of_subject(wash) == []
    assert await till.available() == 999


async def test_one_wash_is_paid_once_however_many_pay_it_at_once(till: Till) -> None:
    await till.fill(amount=50_000)
    wash = await till.washes.order(price=GROSS)
    results = await asyncio.gather(*(pay(till, wash) for _ in range(10)), return_exceptions=True)

    codes = Counter(each.code if isinstance(each, Conflict) else "paid" for each in results)
    assert codes == {"paid": 1, "nothing_due": 9}
    assert await till.available() == 49_000


async def test_the_washes_of_others_and_unknown_things_look_the_same(till: Till) -> None:
    await till.fill("usr_dave")
    wash = await till.washes.order(owner=DORA)
    for subject in (wash, Subject("wash", "wsh_none"), Subject("boat", "b1")):
        with pytest.raises(NotFound):
            await pay(till, subject, "usr_dave")


async def test_a_hold_is_captured_in_part_and_the_rest_is_free_again(till: Till) -> None:
    await till.fill(amount=1500)
    held = await pay(till, await till.washes.order(price=GROSS, hold_seconds=300))
    assert (held.state, await till.available()) == ("authorised", 500)

    payment = await capture(till, held, 400)

    assert (payment.state, payment.captured, await till.available()) == ("succeeded", 400, 1100)
    with pytest.raises(WrongPaymentState):
        await capture(till, held, 1)
    await till.pass_time(timedelta(minutes=10))
    assert await till.state(held.id) == "succeeded"
    await till.clean()


async def test_no_more_is_captured_than_is_held(till: Till) -> None:
    await till.fill()
    held = await pay(till, await till.washes.order(price=GROSS, hold_seconds=300))
    with pytest.raises(InvalidInput):
        await capture(till, held, GROSS + 1)


async def test_a_hold_is_given_back(till: Till) -> None:
    await till.fill(amount=1500)
    held = await pay(till, await till.washes.order(price=GROSS, hold_seconds=300))
    assert (await void(till, held)).state == "cancelled"
    assert await till.available() == 1500
    await till.clean()


async def test_a_hold_that_runs_out_is_free_again_and_the_keeper_knows(till: Till) -> None:
    await till.fill(amount=1500)
    wash = await till.washes.order(price=GROSS, hold_seconds=300)
    held = await pay(till, wash)
    await till.pass_time(timedelta(seconds=299))
    assert await till.state(held.id) == "authorised"

    await till.pass_time(timedelta(seconds=1))

    assert await till.state(held.id) == "cancelled"
    assert await till.available() == 1500
    assert (await till.washes.get(wash))["states"] == ["authorised", "cancelled"]
    await till.clean()


async def test_a_hold_that_ran_out_is_not_captured_even_before_it_is_cleared(database: Database) -> None:
    till = a_till(database)
    await till.fill()
    held = await pay(till, await till.washes.order(price=GROSS, hold_seconds=300))
    till.clock.move(timedelta(seconds=300))  # type: ignore[attr-defined]
    with pytest.raises(HoldExpired):
        await capture(till, held, 100)


async def test_refunds_in_parts_give_back_every_cent_of_price_and_vat(till: Till) -> None:
    await till.fill(amount=1000)
    wash = await till.washes.order(price=GROSS)
    payment = await pay(till, wash)
    for amount in (333, 333, None):
        payment, made = await refund(till, payment, amount)
        assert (made.state, made.to_wallet) == (RefundState.SUCCEEDED, True)

    assert payment.state == "refunded"
    assert await till.available() == 1000
    assert await till.stands("revenue:harbour", "vat:harbour") == (0, 0)
    assert (await till.washes.get(wash))["kept"] == 0
    await till.clean()


async def test_no_more_is_refunded_than_was_paid_however_many_try_at_once(till: Till) -> None:
    await till.fill(amount=1000)
    payment = await pay(till, await till.washes.order(price=GROSS))
    results = await asyncio.gather(*(refund(till, payment, 300) for _ in range(8)), return_exceptions=True)

    codes = Counter(each.code if isinstance(each, Conflict) else "refunded" for each in results)
    assert codes == {"refunded": 3, "refund_too_large": 5}
    assert await till.available() == 900
    await till.clean()


async def test_operators_refund_for_their_lots_and_admins_any(till: Till) -> None:
    await till.fill()
    payment = await pay(till, await till.washes.order())
    stranger = type(OPERATOR)("usr_olga", OPERATOR.roles, frozenset({"market"}))
    with pytest.raises(NotFound):
        await till.cashier.refunds.refund(stranger, ACTOR, payment.id, None, "no", Unkept())
    after, _ = await till.cashier.refunds.refund(ADMIN, ACTOR, payment.id, None, "yes", Unkept())
    assert after.state == "refunded"


async def test_points_come_with_payments_and_go_with_refunds(till: Till) -> None:
    await till.fill()
    payment = await pay(till, await till.washes.order(price=1050))
    assert (await till.cashier.points.balance(DORA)).available == 10
    await refund(till, payment, 151)
    assert (await till.cashier.points.balance(DORA)).available == 8
    await refund(till, payment)
    assert (await till.cashier.points.balance(DORA)).available == 0
    await till.clean()


async def test_points_take_their_worth_off_the_price(till: Till) -> None:
    await till.fill(amount=20_000)
    await pay(till, await till.washes.order(price=10_000))
    wash = await till.washes.order(price=GROSS)

    redeemed = await till.cashier.points.redeem(DORA, 60, wash, Unkept())

    assert (redeemed.discount, redeemed.left) == (Money(60, "EUR"), 40)
    assert (await pay(till, wash)).amount == Money(940, "EUR")
    await till.clean()


async def test_points_are_spent_once_and_never_more_than_there_are(till: Till) -> None:
    await till.fill(amount=20_000)
    await pay(till, await till.washes.order(price=10_000))
    wash = await till.washes.order(price=GROSS)
    redeem = till.cashier.points.redeem
    results = await asyncio.gather(*(redeem(DORA, 60, wash, Unkept()) for _ in range(5)), return_exceptions=True)

    assert sum(isinstance(each, InsufficientFunds) for each in results) == 4
    assert (await till.washes.get(wash))["price"] == 940
    with pytest.raises(InvalidInput):
        await redeem(DORA, 49, wash, Unkept())


async def test_a_discount_that_is_refused_leaves_the_points(till: Till) -> None:
    await till.fill(amount=20_000)
    await pay(till, await till.washes.order(price=10_000))
    wash = await till.washes.order(price=50)
    with pytest.raises(Conflict):
        await till.cashier.points.redeem(DORA, 60, wash, Unkept())
    assert (await till.cashier.points.balance(DORA)).available == 100


async def test_spent_points_do_not_stand_in_the_way_of_a_refund(till: Till) -> None:
    await till.fill(amount=20_000)
    payment = await pay(till, await till.washes.order(price=10_000))
    await till.cashier.points.redeem(DORA, 60, await till.washes.order(), Unkept())
    await refund(till, payment)
    assert (await till.cashier.points.balance(DORA)).available == 0
    await till.clean()


async def test_a_credit_for_trouble_comes_once(till: Till) -> None:
    async def work(session: Session) -> None:
        money, now = Money(500, "EUR"), till.clock.now()
        await till.cashier.refunds.compensate_within(session, "trf_trouble", DORA, money, "bkg_1", now)

    await till.database.transaction(work)
    with pytest.raises(Conflict):
        await till.database.transaction(work)
    assert await till.available() == 500
    assert await till.stands("compensation") == (-500,)
    await till.clean()


async def test_an_account_with_money_in_it_objects_to_its_end(till: Till) -> None:
    assert await till.cashier.wallets.objection(DORA) is None
    await till.fill(amount=500)
    assert "5.00 EUR" in str(await till.cashier.wallets.objection(DORA))
    assert len(await till.cashier.wallets.exported_payments(DORA)) == 1
    assert [each["amount"] for each in await till.cashier.wallets.exported_transactions(DORA)] == [500]
