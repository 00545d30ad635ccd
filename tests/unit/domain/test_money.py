"""Money is whole minor units of one currency, or it is refused."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import BaseModel, ValidationError

from autospot.domain.errors import InvalidInput
from autospot.domain.money import AMOUNT_LIMIT, CURRENCIES, Money, PayableMoney, decimals, half_up


def eur(amount: int) -> Money:
    return Money(amount, "EUR")


class Fee(BaseModel):
    fee: Money


class Payment(BaseModel):
    amount: PayableMoney


@pytest.mark.parametrize("amount", [4.5, 450.0, True, False, "450", None, Decimal(450)])
def test_only_whole_numbers_are_amounts(amount: object):
    with pytest.raises(InvalidInput) as refusal:
        Money(amount, "EUR")  # type: ignore[arg-type]
    assert refusal.value.at == "/amount"


@pytest.mark.parametrize("currency", ["", "eur", "EURO", "XXX", "XTS", "XAU", "€", None, 978])
def test_only_currencies_people_pay_with_are_currencies(currency: object):
    with pytest.raises(InvalidInput) as refusal:
        Money(450, currency)  # type: ignore[arg-type]
    assert refusal.value.at == "/currency"


def test_it_adds_subtracts_negates_and_multiplies_within_one_currency():
    assert eur(450) + eur(50) == eur(500)
    assert eur(450) - eur(500) == eur(-50)
    assert -eur(450) == eur(-450)
    assert eur(450) * 3 == 3 * eur(450) == eur(1350)


@pytest.mark.parametrize("factor", [1.5, True, Decimal(2)])
def test_it_is_multiplied_by_whole_numbers_only(factor: object):
    with pytest.raises(InvalidInput):
        eur(450) * factor  # type: ignore[operator]


@pytest.mark.parametrize("operator", ["__add__", "__sub__", "__lt__", "__le__", "__gt__", "__ge__"])
def test_two_currencies_never_meet_in_one_sum_or_comparison(operator: str):
    with pytest.raises(InvalidInput) as refusal:
        getattr(eur(450), operator)(Money(450, "CHF"))
    assert refusal.value.code == "currency_mismatch"


def test_it_is_ordered_by_amount():
    assert eur(1) < eur(2) <= eur(2)
    assert eur(2) > eur(1) >= eur(1)
    assert eur(450) != Money(450, "CHF")


@pytest.mark.parametrize("amount", [1, 450, AMOUNT_LIMIT])
def test_an_amount_may_be_demanded_from_one_minor_unit_to_the_limit(amount: int):
    assert eur(amount).payable() == eur(amount)
    assert Payment.model_validate({"amount": {"amount": amount, "currency": "EUR"}}).amount == eur(amount)


@pytest.mark.parametrize("amount", [0, -1, AMOUNT_LIMIT + 1])
def test_nothing_negative_and_absurd_amounts_are_never_demanded(amount: int):
    with pytest.raises(InvalidInput) as refusal:
        eur(amount).payable("/top_up")
    assert refusal.value.at == "/top_up/amount"
    with pytest.raises(ValidationError):
        Payment.model_validate({"amount": {"amount": amount, "currency": "EUR"}})


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(450, "EUR"), "4.50 EUR"),
        (Money(-5, "EUR"), "-0.05 EUR"),
        (Money(0, "EUR"), "0.00 EUR"),
        (Money(450, "JPY"), "450 JPY"),
        (Money(1450, "KWD"), "1.450 KWD"),
    ],
)
def test_it_reads_as_people_write_it(money: Money, text: str):
    assert str(money) == text


def test_every_currency_has_its_decimals():
    assert {decimals(currency) for currency in CURRENCIES} == {0, 2, 3}
    assert (decimals("EUR"), decimals("ISK"), decimals("TND")) == (2, 0, 3)


def test_its_json_shape_is_read_back_by_models_to_the_same_money():
    assert eur(450).as_json() == {"amount": 450, "currency": "EUR"}
    assert Fee.model_validate_json(Fee(fee=eur(450)).model_dump_json()).fee == eur(450)
    assert Fee(fee=eur(450)).model_dump() == {"fee": {"amount": 450, "currency": "EUR"}}


@pytest.mark.parametrize(
    "document",
    [
        {"amount": "450", "currency": "EUR"},
        {"amount": 450.0, "currency": "EUR"},
        {"amount": True, "currency": "EUR"},
        {"amount": 450, "currency": "ZZZ"},
        {"amount": 450},
        {"amount": 450, "currency": "EUR", "vat": 19},
        450,
    ],
)
def test_models_read_it_strictly(document: object):
    with pytest.raises(ValidationError):
        Fee.model_validate({"fee": document})


def test_models_describe_it_in_their_json_schema():
    for mode in ("validation", "serialization"):
        schema = Fee.model_json_schema(mode=mode)  # type: ignore[arg-type]
        assert schema["$defs"]["MoneyDocument"]["required"] == ["amount", "currency"]
        assert schema["$defs"]["MoneyDocument"]["additionalProperties"] is False


@pytest.mark.parametrize(("numerator", "denominator", "nearest"), [(5, 10, 1), (4, 10, 0), (-5, 10, 0), (-6, 10, -1)])
def test_halves_are_rounded_up(numerator: int, denominator: int, nearest: int):
    assert half_up(numerator, denominator) == nearest
