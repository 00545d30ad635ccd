"""A quote reads as sentences that a driver understands."""

from __future__ import annotations

import pytest

from autospot.domain.money import Money
from autospot.domain.tariff import explain, quote
from autospot.domain.tariff.explain import duration_text
from autospot.domain.tariff.quote import percent_text
from tests.support.tariffs import CLIMBING, day_and_night, lasting, rolling_cap, stay, tariff


def test_a_day_under_a_cap():
    priced = tariff(CLIMBING, caps=[rolling_cap(900)])
    assert explain(quote(priced, stay("2026-06-01 08:00", "2026-06-02 08:10:30"))) == [
        "Mon 2026-06-01 08:00 to 09:00: first 60 min: 3.00 EUR.",
        "Mon 2026-06-01 09:00 to Tue 2026-06-02 08:00: each started 30 min, 46 times 1.00 EUR: 46.00 EUR.",
        "Mon 2026-06-01 08:00 to Tue 2026-06-02 08:00: at most 9.00 EUR in 24 h from entry, which takes off 40.00 EUR.",
        "Tue 2026-06-02 08:00 to 08:10:30: first 60 min: 3.00 EUR.",
        "Total: 12.00 EUR, of which VAT (19 %): 1.92 EUR.",
    ]


def test_bands_with_a_subscription_a_discount_and_vat_on_top():
    priced = tariff(day_and_night(), vat={"basis_points": 770, "included": False})
    quoted = quote(
        priced,
        stay("2026-06-01 16:00", "2026-06-01 18:20"),
        coverage=[stay("2026-06-01 16:00", "2026-06-01 16:40")],
        discount=Money(100, "EUR"),
    )
    assert explain(quoted) == [
        "Mon 2026-06-01 16:00 to 16:40: covered by a subscription.",
        "Mon 2026-06-01 16:40 to 18:00: Day, 1 h 30 min at 2.00 EUR an hour: 3.00 EUR.",
        "Mon 2026-06-01 18:00 to 18:20: Night, 30 min at 1.00 EUR an hour: 0.50 EUR.",
        "Discount: -1.00 EUR.",
        "VAT 7.7 %: 0.19 EUR.",
        "Total: 2.69 EUR, of which VAT (7.7 %): 0.19 EUR.",
    ]


def test_a_free_stay_and_a_currency_without_decimals():
    priced = tariff(CLIMBING, free_minutes=10, currency="JPY")
    assert explain(quote(priced, lasting("00:05:00"))) == [
        "Mon 2026-06-01 08:00 to 08:05: a stay of at most 10 min is free.",
        "Total: 0 JPY.",
    ]
    assert explain(quote(priced, lasting("01:00:00")))[0] == "Mon 2026-06-01 08:00 to 09:00: first 60 min: 300 JPY."


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3661, "1 h 1 min 1 s"), (90000, "25 h")]
)
def test_a_length_of_time_is_said_in_hours_minutes_and_seconds(seconds: int, text: str):
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("points", "text"), [(1900, "19 %"), (1000, "10 %"), (810, "8.1 %"), (5, "0.05 %"), (0, "0 %")]
)
def test_basis_points_are_said_in_percent(points: int, text: str):
    assert percent_text(points) == text
