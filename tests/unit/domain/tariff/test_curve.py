"""The price curve has every point at which the price changes, and no other."""

from __future__ import annotations

from datetime import timedelta

import pytest

from autospot.domain.errors import InvalidInput
from autospot.domain.tariff import Tariff, curve
from tests.support.tariffs import CLIMBING, HOURLY, day_and_night, day_cap, local, rolling_cap, session_cap, tariff

MORNING = "2026-06-01 08:30"


def points(priced: Tariff, hours: float, entry: str = MORNING, kind: str | None = None) -> list[tuple[int, int]]:
    begin = local(entry)
    return curve(priced, begin, begin + timedelta(hours=hours), kind=kind)


def test_each_step_is_a_point_the_second_after_the_one_before_has_ended():
    assert points(tariff(CLIMBING, free_minutes=10), 2) == [(1, 0), (601, 300), (3601, 400), (5401, 500)]


def test_a_cap_ends_the_rise_until_its_window_does():
    capped = points(tariff(HOURLY, caps=[rolling_cap(500)]), 25)
    assert capped == [(1, 200), (3601, 400), (7201, 500), (86401, 700)]
    assert points(tariff(HOURLY, caps=[day_cap(500)]), 17)[-2:] == [(15 * 3600 + 1801, 700), (16 * 3600 + 1801, 900)]


def test_an_offer_shows_where_it_begins_and_where_it_ends():
    price = {
        "type": "cheapest_of",
        "offers": [
            {"name": "By the hour", "price": HOURLY, "caps": [session_cap(1800)]},
            {
                "name": "Early bird",
                "price": {"type": "flat", "price": 1000},
                "entry": {"from": "06:00", "until": "09:00"},
                "exit": {"from": "15:00", "until": "19:00"},
            },
            {"name": "Short", "price": {"type": "flat", "price": 100}, "max_stay_minutes": 30},
        ],
    }
    assert points(tariff(price), 11) == [
        (1, 100),
        (1801, 200),
        (3601, 400),
        (7201, 600),
        (10801, 800),
        (14401, 1000),
        (18001, 1200),
        (21601, 1400),
        (23400, 1000),  # 15:00
        (37800, 1800),  # 19:00
    ]


def test_session_rounding_shows_its_falls():
    assert points(tariff(day_and_night("session")), 0.25, "2026-06-01 17:59:59") == [(1, 50), (2, 25)]


def test_what_session_rounding_adds_moves_into_the_next_day_of_a_cap():
    priced = tariff(day_and_night("session", 60), caps=[day_cap(20, ladder_restarts=False)])
    assert points(priced, 1, "2026-06-01 23:30") == [(1, 20), (1801, 40)]


def test_a_kind_of_bay_has_its_own_curve():
    assert points(tariff(CLIMBING, kinds={"ev": 50}), 1.5, kind="ev") == [(1, 150), (3601, 200)]


def test_a_price_that_never_changes_is_one_point_however_long():
    assert points(tariff({"type": "flat", "price": 500}), 24 * 365) == [(1, 500)]


def test_a_curve_with_too_many_points_is_refused():
    per_minute = tariff({"type": "progressive", "rates": [{"per_hour": 60}]})
    assert len(points(per_minute, 24)) == 1440
    with pytest.raises(InvalidInput) as refusal:
        points(per_minute, 24 * 60)
    assert refusal.value.at == "/until"
