"""Payments go forward only, refunds add up, VAT follows every cent."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autospot.domain.errors import Conflict, InvalidInput
from autospot.domain.ledger import Transfer
from autospot.domain.money import Money
from autospot.domain.payment.auto_top_up import AutoTopUp
from autospot.domain.payment.entries import capture_entries, refund_entries
from autospot.domain.payment.intent import PaymentState, RefundState
from autospot.domain.payment.payment import (
    REFUNDS_LIMIT,
    STEPS,
    CardSide,
    Payment,
    Refund,
    Subject,
    WrongPaymentState,
    require_capturable,
    vat_within,
)
from autospot.domain.payment.points import PointsTerms

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def a_payment(state: PaymentState = PaymentState.SUCCEEDED, amount: int = 1000, **more: Any) -> Payment:
    """Dora's wash, paid from her wallet unless told otherwise."""
    defaults: dict[str, Any] = {
        "captured": amount if state is PaymentState.SUCCEEDED else 0,
        "subject": Subject("wash", "wsh_1"),
        "lot": "harbour",
        "vat_basis_points": 1900,
    }
    return Payment("pay_1", "usr_dora", Money(amount, "EUR"), state, "Wash", NOON, **{**defaults, **more})


def a_refund(amount: int, number: int = 1, state: RefundState = RefundState.SUCCEEDED, **more: Any) -> Refund:
    return Refund(f"rfd_{number}", amount, state, "wet", NOON, **more)


def test_only_the_steps_of_the_table_are_possible() -> None:
    for before, after in product(PaymentState, PaymentState):
        payment = a_payment(before)
        if after in STEPS[before]:
            assert payment.at_state(after).state is after
        else:
            with pytest.raises(WrongPaymentState):
                payment.at_state(after)


def test_no_state_is_ahead_of_itself_however_many_steps_are_taken() -> None:
    reached = {state: set(STEPS[state]) for state in PaymentState}
    for _ in PaymentState:
        for state, others in reached.items():
            reached[state] = others.union(*(reached[other] for other in others))
    assert all(state not in others for state, others in reached.items())


@pytest.mark.parametrize("state", [state for state in PaymentState if state is not PaymentState.SUCCEEDED])
def test_only_what_was_taken_is_refunded(state: PaymentState) -> None:
    with pytest.raises(WrongPaymentState):
        a_payment(state).with_refund(a_refund(1))


def test_a_payment_is_refunded_once_all_is_back_and_nothing_on_its_way() -> None:
    card = CardSide("simulated", "pm_ok")
    payment = a_payment(card=card).with_refund(a_refund(600, 1, RefundState.PROCESSING))
    payment = payment.with_refund(a_refund(400, 2))
    assert (payment.state, payment.kept, payment.settled, payment.is_waiting) == ("succeeded", 0, 600, True)
    payment = payment.with_refund(a_refund(600, 1))
    assert (payment.state, payment.settled, payment.is_waiting) == ("refunded", 0, False)


def test_a_refund_that_failed_may_be_asked_for_again() -> None:
    payment = a_payment().with_refund(a_refund(1000, 1, RefundState.FAILED))
    assert payment.kept == 1000
    with pytest.raises(Conflict):
        payment.with_refund(a_refund(1001, 2))
    assert payment.with_refund(a_refund(1000, 2)).state == "refunded"


def test_a_payment_has_a_limited_number_of_refunds() -> None:
    payment = a_payment()
    for number in range(REFUNDS_LIMIT):
        payment = payment.with_refund(a_refund(1, number))
    with pytest.raises(Conflict, match="at most"):
        payment.with_refund(a_refund(1, REFUNDS_LIMIT))


@pytest.mark.parametrize(("amount", "error"), [(0, InvalidInput), (1001, InvalidInput)])
def test_a_capture_takes_no_more_than_is_held(amount: int, error: type[Exception]) -> None:
    with pytest.raises(error):
        require_capturable(a_payment(PaymentState.AUTHORISED), amount)


def test_only_what_is_held_is_captured() -> None:
    with pytest.raises(WrongPaymentState):
        require_capturable(a_payment(), 1)
    require_capturable(a_payment(PaymentState.AUTHORISED), 1000)


@pytest.mark.parametrize(
    ("gross", "rate", "vat"),
    [(1190, 1900, 190), (1000, 1900, 160), (100, 1900, 16), (1, 1900, 0), (107, 700, 7), (5, 0, 0)],
)
def test_vat_in_a_gross_amount(gross: int, rate: int, vat: int) -> None:
    assert vat_within(gross, rate) == vat


def on_account(entries: list[Transfer], name: str) -> int:
    credits_ = sum(each.amount for each in entries if str(each.credit) == name)
    return credits_ - sum(each.amount for each in entries if str(each.debit) == name)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no fault
@given(st.integers(1, 10**6), st.sampled_from([0, 700, 770, 1900, 2500]), st.lists(st.integers(1, 10**5), max_size=10))
def test_after_any_refunds_exactly_the_vat_of_what_is_kept_is_set_aside(
    gross: int, rate: int, parts: list[int]
) -> None:
    payment = a_payment(amount=gross, vat_basis_points=rate)
    entries = list(capture_entries(payment, gross, None, NOON))
    for number, part in enumerate(parts):
        if part > payment.kept:
            continue
        refund = a_refund(part, number, to_wallet=True)
        entries += refund_entries(payment, refund, None, NOON)
        payment = payment.with_refund(refund)
        if payment.state is PaymentState.REFUNDED:
            break
    assert on_account(entries, "vat:harbour") == vat_within(payment.kept, rate)
    assert on_account(entries, "revenue:harbour") == payment.kept - vat_within(payment.kept, rate)
    assert on_account(entries, "wallet:usr_dora") == -payment.kept
    assert len({each.id for each in entries}) == len(entries)


def test_ids_of_parts_are_the_same_at_every_try_and_different_for_each_part() -> None:
    payment = a_payment()
    assert payment.part_id("trf", "hold") == replace(payment, version=7).part_id("trf", "hold")
    ids = {payment.part_id("trf", "hold"), payment.part_id("trf", "capture"), payment.part_id("rfd", "hold")}
    assert len(ids) == 3
    assert replace(payment, id="pay_2").part_id("trf", "hold") not in ids


def test_points_are_whole_and_redeemed_from_a_least_number_on() -> None:
    terms = PointsTerms(paid_per_point=100, worth=2, redeem_least=50)
    assert [terms.earned(paid) for paid in (0, 99, 100, 1999)] == [0, 0, 1, 19]
    assert PointsTerms(paid_per_point=0).earned(10**6) == 0
    assert terms.discount(50, "EUR") == Money(100, "EUR")
    with pytest.raises(InvalidInput):
        terms.discount(49, "EUR")


def test_a_wallet_is_filled_when_it_is_low_and_nothing_stands_against_it() -> None:
    wish = AutoTopUp(below=1000, amount=3000, method="pm_ok")
    assert [wish.is_wanted(available) for available in (999, 1000)] == [True, False]
    assert not replace(wish, running="pay_1").is_wanted(0)
    assert not replace(wish, paused="card_declined").is_wanted(0)
    for below, amount in ((0, 100), (100, 99)):
        with pytest.raises(InvalidInput):
            AutoTopUp(below, amount, "pm_ok")
