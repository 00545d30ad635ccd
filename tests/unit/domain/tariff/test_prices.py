"""What each kind of price, cap and offer means."""

from __future__ import annotations

import pytest

from autospot.domain.tariff import quote
from tests.support.tariffs import (
    CLIMBING,
    HOURLY,
    amount,
    band,
    bands,
    day_and_night,
    day_cap,
    lasting,
    rolling_cap,
    rows,
    session_cap,
    stay,
    tariff,
)

FLAT = {"type": "flat", "price": 1000}


def test_free_minutes_are_a_threshold_and_a_free_step_is_a_gift():
    threshold = tariff(CLIMBING, free_minutes=30)
    gift = tariff({"type": "ladder", "steps": [{"minutes": 30, "price": 0}, *CLIMBING["steps"]]})
    assert [amount(threshold, lasting(length)) for length in ("00:30:00", "00:30:01", "01:30:00")] == [0, 300, 400]
    assert [amount(gift, lasting(length)) for length in ("00:30:00", "00:30:01", "01:30:00")] == [0, 300, 300]


def test_nothing_is_owed_beyond_a_last_step_that_does_not_repeat():
    priced = tariff({"type": "ladder", "steps": [{"minutes": 60, "price": 300}]})
    assert amount(priced, lasting("100:00:00")) == 300


def test_a_unit_of_progressive_rates_is_owed_once_begun():
    price = {
        "type": "progressive",
        "unit_minutes": 15,
        "rates": [{"until_minute": 60, "per_hour": 200}, {"per_hour": 400}],
    }
    assert [amount(tariff(price), lasting(length)) for length in ("00:15:00", "00:15:01", "01:00:01")] == [50, 100, 300]


def test_a_slab_is_the_price_of_the_whole_stay():
    price = {"type": "slabs", "slabs": [{"up_to_minutes": 60, "price": 100}, {"up_to_minutes": 240, "price": 800}]}
    assert [amount(tariff(price), lasting(length)) for length in ("01:00:00", "01:00:01", "04:00:00")] == [
        100,
        800,
        800,
    ]
    assert rows(quote(tariff(price), lasting("02:00:00"))) == [
        ("stay of up to 60 min", 100),
        ("stay of 60 to 240 min, what it costs more", 700),
    ]


def test_a_flat_price_is_owed_again_where_the_price_begins_anew():
    assert amount(tariff(FLAT), lasting("72:00:00")) == 1000
    assert amount(tariff(FLAT, caps=[rolling_cap(5000)]), lasting("72:00:00")) == 3000


def test_bands_can_have_ladders_and_flat_prices_that_begin_with_each_occurrence():
    price = bands(
        band("Day", "08:00", "20:00", CLIMBING),
        band("Night", "20:00", "08:00", {"type": "flat", "price": 500}),
    )
    assert rows(quote(tariff(price), stay("2026-06-01 18:30", "2026-06-03 08:30"))) == [
        ("Day: first 60 min", 300),
        ("Day: each started 30 min", 100),
        ("Night: flat price", 500),
        ("Day: first 60 min", 300),
        ("Day: each started 30 min", 2200),
        ("Night: flat price", 500),
        ("Day: first 60 min", 300),
    ]


def test_the_cap_of_a_band_holds_for_each_of_its_occurrences():
    price = bands(band("Day", "06:00", "18:00", 200), band("Night", "18:00", "06:00", 100, cap=400))
    assert rows(quote(tariff(price), stay("2026-06-01 17:00", "2026-06-02 20:00"))) == [
        ("Day", 200),
        ("Night", 1200),
        ("Night: at most 4.00 EUR", -800),
        ("Day", 2400),
        ("Night", 200),
    ]


def test_where_bands_overlap_the_first_one_listed_holds():
    lunch = band("Lunch", "12:00", "13:00", 0)
    always = band("Always", "00:00", "24:00", 200)
    period = stay("2026-06-01 11:00", "2026-06-01 14:00")
    assert rows(quote(tariff(bands(lunch, always)), period)) == [("Always", 200), ("Lunch", 0), ("Always", 200)]
    assert rows(quote(tariff(bands(always, lunch)), period)) == [("Always", 600)]


def test_time_without_a_band_costs_nothing_and_is_shown():
    priced = tariff(bands(band("Day", "08:00", "20:00", 200)))
    assert rows(quote(priced, stay("2026-06-01 19:00", "2026-06-01 23:00"))) == [
        ("Day", 200),
        ("no price at this time", 0),
    ]


def test_what_session_rounding_adds_is_owed_at_the_last_price_and_fractions_are_carried():
    quoted = quote(tariff(day_and_night("session")), stay("2026-06-01 16:40", "2026-06-01 18:05"))
    assert rows(quoted) == [("Day", 267), ("Night", 8), ("Night: counted up to 15 min", 8)]


def test_blocks_run_on_from_entry_whatever_the_clock_says():
    quoted = quote(tariff(day_and_night("block")), stay("2026-06-01 17:50", "2026-06-01 18:20"))
    assert rows(quoted) == [("Day", 50), ("Night", 25)]


def test_a_ladder_that_does_not_restart_climbs_on_under_the_next_cap():
    period = lasting("25:30:00")
    assert amount(tariff(CLIMBING, caps=[rolling_cap(1500, ladder_restarts=True)]), period) == 1500 + 300 + 100
    assert amount(tariff(CLIMBING, caps=[rolling_cap(1500, ladder_restarts=False)]), period) == 1500 + 3 * 100


def test_caps_on_longer_times_see_what_shorter_ones_leave_in_whatever_order_they_are_written():
    caps = [session_cap(2200), rolling_cap(1500)]
    for written in (caps, caps[::-1]):
        quoted = quote(tariff(HOURLY, caps=written), lasting("30:00:00"))
        assert rows(quoted) == [
            ("each started 60 min", 4800),
            ("at most 15.00 EUR in 24 h from entry", -3300),
            ("each started 60 min", 1200),
            ("at most 22.00 EUR for one stay", -500),
        ]


def test_a_cap_line_stands_at_the_end_of_its_window_and_covers_it():
    cut = quote(tariff(HOURLY, caps=[day_cap(500)]), stay("2026-06-01 20:00", "2026-06-02 10:00")).lines
    first, second = (line for line in cut if line.kind == "cap")
    assert (first.start, first.until) == (cut[0].start, cut[2].start)
    assert (second.until, second.amount) == (cut[-1].until, -1500)


CHOICE = {
    "type": "cheapest_of",
    "offers": [
        {"name": "By the hour", "price": HOURLY, "caps": [session_cap(1800)]},
        {
            "name": "Evening",
            "price": {"type": "flat", "price": 500},
            "entry": {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "17:00", "until": "24:00"},
            "exit": {"from": "18:00", "until": "06:00"},
            "max_stay_minutes": 720,
        },
    ],
}


@pytest.mark.parametrize(
    ("start", "until", "offer", "fee"),
    [
        ("2026-06-01 17:00", "2026-06-01 23:00", "Evening", 500),
        ("2026-06-01 17:00", "2026-06-02 05:00", "Evening", 500),
        ("2026-06-01 17:30", "2026-06-02 05:30:01", "By the hour", 1800),  # a second over twelve hours
        ("2026-06-01 16:59:59", "2026-06-01 23:00", "By the hour", 1400),  # entered too early
        ("2026-06-01 22:00", "2026-06-02 06:00", "By the hour", 1600),  # left too late: the window is half-open
        ("2026-06-06 17:00", "2026-06-06 23:00", "By the hour", 1200),  # a Saturday
        ("2026-06-01 17:00", "2026-06-01 19:00", "By the hour", 400),  # cheaper all the same
    ],
)
def test_the_driver_gets_the_cheapest_offer_the_stay_may_have(start: str, until: str, offer: str, fee: int):
    quoted = quote(tariff(CHOICE), stay(start, until))
    assert (quoted.offer, quoted.total.amount) == (offer, fee)


def test_offers_are_compared_after_the_caps_of_the_whole_tariff():
    offers = [
        {"name": "Two days", "price": {"type": "ladder", "steps": [{"minutes": 1440, "price": 900, "repeat": True}]}},
        {"name": "Flat", "price": {"type": "flat", "price": 1000}},
    ]
    priced = tariff({"type": "cheapest_of", "offers": offers}, caps=[session_cap(800)])
    assert (quote(priced, lasting("30:00:00")).offer, amount(priced, lasting("30:00:00"))) == ("Two days", 800)


@pytest.mark.parametrize(
    ("kind", "fee"), [(None, 1500), ("general", 1500), ("ev", 1800), ("disabled", 0), ("family", 495)]
)
def test_a_kind_of_bay_has_all_prices_and_caps_at_its_percent(kind: str | None, fee: int):
    priced = tariff(CLIMBING, caps=[rolling_cap(1500)], kinds={"ev": 120, "disabled": 0, "family": 33})
    assert amount(priced, lasting("24:00:00"), kind=kind) == fee


def test_prices_of_a_kind_are_rounded_half_up_one_by_one():
    price = {"type": "ladder", "steps": [{"minutes": 60, "price": 25, "repeat": True}]}
    assert amount(tariff(price, kinds={"ev": 50}), lasting("04:00:00"), kind="ev") == 4 * 13
