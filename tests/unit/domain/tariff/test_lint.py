"""The linter names what is probably not meant, and only that."""

from __future__ import annotations

from typing import Any

import pytest

from autospot.domain.tariff import Tariff, lint
from tests.support.tariffs import (
    CLIMBING,
    HOURLY,
    NEW_YORK,
    band,
    bands,
    day_and_night,
    day_cap,
    rolling_cap,
    session_cap,
    tariff,
)

FLAT = {"type": "flat", "price": 1000}
GERMANY = {"country": "DE"}
WORKDAYS = ["mon", "tue", "wed", "thu", "fri"]


def found(priced: Tariff) -> list[tuple[str, str]]:
    return [(finding.code, finding.at) for finding in lint(priced)]


def messages(priced: Tariff) -> list[str]:
    return [finding.message for finding in lint(priced)]


def ladder(*steps: tuple[int, int], repeat: int | None = None) -> dict[str, Any]:
    return {
        "type": "ladder",
        "steps": [
            {"minutes": length, "price": price, "repeat": n == repeat} for n, (length, price) in enumerate(steps)
        ],
    }


def choice(*offers: dict[str, Any]) -> dict[str, Any]:
    return {"type": "cheapest_of", "offers": [{"name": f"Offer {n}", **offer} for n, offer in enumerate(offers)]}


@pytest.mark.parametrize(
    "priced",
    [
        tariff(CLIMBING, free_minutes=10, caps=[rolling_cap(1500), session_cap(6000)]),
        tariff(day_and_night("band")),
        tariff(day_and_night("block"), caps=[day_cap(2000)]),
        tariff(day_and_night("band"), holidays=GERMANY, kinds={"ev": 120}),
        tariff(FLAT),
        tariff(bands(band("Day", "06:00", "18:00", CLIMBING), band("Night", "18:00", "06:00", FLAT))),
        tariff(choice({"price": HOURLY}, {"price": FLAT, "max_stay_minutes": 600})),
        tariff(
            bands(
                band("Workday", "00:00", "24:00", 60, days=WORKDAYS),
                band("Weekend", "00:00", "24:00", 90, days=["sat", "sun"]),
            )
        ),
    ],
)  # fmt: skip
def test_a_sound_tariff_has_no_finding(priced: Tariff):
    assert lint(priced) == []


# Bands


def test_a_gap_is_named_with_its_time_and_days():
    priced = tariff(bands(band("Day", "08:00", "20:00", 200, days=WORKDAYS), band("Night", "20:00", "08:00", 100)))
    assert messages(priced) == [
        "no band is open from 08:00 to 20:00 on sat, sun: that time costs nothing",
    ]
    assert found(priced) == [("band_gap", "/price/bands")]


def test_a_gap_on_holidays_shows_only_with_a_holiday_calendar():
    listed = bands(
        band("Workday", "00:00", "24:00", 200, days=WORKDAYS),
        band("Weekend", "00:00", "24:00", 100, days=["sat", "sun"]),
    )
    assert found(tariff(listed)) == []
    assert messages(tariff(listed, holidays=GERMANY)) == [
        "no band is open from 00:00 to 24:00 on holiday: that time costs nothing"
    ]


def test_a_night_reaches_into_the_next_day_and_leaves_no_gap_there_unless_yesterday_had_none():
    nights = bands(band("Day", "06:00", "18:00", 200), band("Night", "18:00", "06:00", 100, days=[*WORKDAYS, "sun"]))
    assert messages(tariff(nights)) == [
        "no band is open from 00:00 to 06:00 on sun: that time costs nothing",
        "no band is open from 18:00 to 24:00 on sat: that time costs nothing",
    ]


def test_an_overlap_names_both_bands_and_which_one_holds():
    priced = tariff(bands(band("Day", "06:00", "19:00", 200), band("Night", "18:00", "06:00", 100)))
    assert messages(priced) == [
        "'Day' and 'Night' overlap, as from 18:00 to 19:00 on mon: 'Day' holds because it is listed first"
    ]
    assert found(priced) == [("band_overlap", "/price/bands/1")]


def test_a_band_that_others_always_hide_is_unreachable():
    hidden = bands(band("Always", "00:00", "24:00", 200), band("Sunday", "10:00", "12:00", 100, days=["sun"]))
    assert found(tariff(hidden)) == [("band_overlap", "/price/bands/1"), ("band_unreachable", "/price/bands/1")]


# Prices that fall


def test_session_rounding_with_a_falling_price_falls_and_says_by_how_much():
    priced = tariff(day_and_night("session"))
    assert found(priced) == [("price_falls", "/price/rounding_scope")]
    assert "'Day' gives way to 'Night', one second more can cost up to 0.25 EUR less" in messages(priced)[0]


def test_the_smallest_drop_of_a_price_is_a_fall_under_session_rounding():
    listed = [band("Day", "06:00", "18:00", 101), band("Night", "18:00", "06:00", 100)]
    assert found(tariff(bands(*listed, rounding_scope="session", unit_minutes=1))) != []


def noon(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    return bands(
        band("Morning", "00:00", "12:00", 100, **before),
        band("Afternoon", "12:00", "24:00", 100, **after),
        rounding_scope="session",
        unit_minutes=60,
    )


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ({}, {"cap": 5}, ["'Morning' gives way to 'Afternoon', one second more can cost up to 0.95 EUR less"]),
        ({"cap": 5}, {}, ["'Afternoon' gives way to 'Morning', one second more can cost up to 0.95 EUR less"]),
        ({"cap": 9}, {"cap": 5}, ["'Morning' gives way to 'Afternoon', one second more can cost up to 0.04 EUR less"]),
        ({"cap": 5}, {"cap": 5}, []),
        ({}, {"cap": 100}, []),
    ],
)
def test_rounded_up_time_can_meet_a_lower_cap_as_well_as_a_lower_price(
    before: dict[str, Any], after: dict[str, Any], changes: list[str]
):
    falls = [text for code, text in _coded(tariff(noon(before, after))) if code == "price_falls"]
    assert [text.removeprefix("when ").split(", because")[0] for text in falls] == changes


def test_a_cap_that_only_rounding_to_a_price_level_makes_too_low_is_thought_of():
    quarter = bands(
        band("Morning", "00:00", "12:00", 100),
        band("Afternoon", "12:00", "24:00", 100, cap=25),
        rounding_scope="session",
    )
    assert found(tariff(quarter)) == []
    assert found(tariff(quarter, kinds={"ev": 33})) == [("price_falls", "/price/rounding_scope")]  # 8.24 and 8


def test_session_rounding_falls_into_time_without_a_band_too():
    listed = bands(band("Day", "08:00", "20:00", 200), rounding_scope="session")
    assert "'Day' gives way to time without a band" in next(
        text for code, text in _coded(tariff(listed)) if code == "price_falls"
    )


def _coded(priced: Tariff) -> list[tuple[str, str]]:
    return [(finding.code, finding.message) for finding in lint(priced)]


def week_falling_at_midnight() -> dict[str, Any]:
    return bands(
        band("Workday", "00:00", "24:00", 200, days=WORKDAYS),
        band("Weekend", "00:00", "24:00", 100, days=["sat", "sun"]),
        rounding_scope="session",
    )


def test_a_fall_at_midnight_is_none_where_the_price_begins_anew_at_midnight():
    assert found(tariff(week_falling_at_midnight())) == [("price_falls", "/price/rounding_scope")]
    assert found(tariff(week_falling_at_midnight(), caps=[day_cap(9000, ladder_restarts=False)]))
    assert found(tariff(week_falling_at_midnight(), caps=[day_cap(4000)])) == []


def test_a_band_for_a_holiday_is_looked_at_between_any_two_days():
    listed = bands(
        band("Any day", "00:00", "24:00", 100, days=[*WORKDAYS, "sat", "sun"]),
        band("Holiday", "00:00", "24:00", 300, days=["holiday"]),
        rounding_scope="session",
    )
    assert found(tariff(listed, holidays=GERMANY)) == [("price_falls", "/price/rounding_scope")]


EVENING = {
    "price": {"type": "flat", "price": 500},
    "entry": {"from": "17:00", "until": "18:00"},
    "exit": {"from": "20:00", "until": "24:00"},
    "max_stay_minutes": 420,
}


def test_an_exit_window_that_opens_on_a_dearer_price_makes_it_fall_and_a_stay_proves_it():
    priced = tariff(choice({"price": HOURLY}, EVENING), time_zone=NEW_YORK)
    assert found(priced) == [("price_falls", "/price/offers/1/exit")]
    assert "entry at" in messages(priced)[0]
    assert "17:00, a stay of 2 h 59 min 59 s costs 6.00 EUR and one second more 5.00 EUR" in messages(priced)[0]


def test_an_exit_window_that_opens_before_the_others_cost_more_is_sound():
    assert found(tariff(choice({"price": HOURLY}, {**EVENING, "price": {"type": "flat", "price": 600}}))) == []


def test_the_hour_gained_in_autumn_is_thought_of():
    night = {
        "price": {"type": "flat", "price": 800},
        "entry": {"from": "23:00", "until": "24:00"},
        "exit": {"from": "03:00", "until": "08:00"},
        "max_stay_minutes": 600,
    }
    priced = tariff(choice({"price": HOURLY}, night))  # four hours cost 8.00 but for one night of the year
    assert found(priced) == [("price_falls", "/price/offers/1/exit")]
    assert "2024-10-26 23:00" in messages(priced)[0]


def test_a_price_level_that_makes_the_price_fall_by_rounding_is_thought_of():
    cheap = {"type": "ladder", "steps": [{"minutes": 1, "price": 5, "repeat": True}]}
    offer = {**EVENING, "price": {"type": "flat", "price": 900}, "exit": {"from": "20:00", "until": "24:00"}}
    assert found(tariff(choice({"price": cheap}, offer))) == []
    assert found(tariff(choice({"price": cheap}, offer), kinds={"ev": 50})) == [("price_falls", "/price/offers/1/exit")]


def test_where_nothing_is_found_and_nothing_proved_the_linter_says_so():
    beside_bands = choice({"price": day_and_night()}, {**EVENING, "price": {"type": "flat", "price": 5000}})
    assert found(tariff(beside_bands)) == [("price_may_fall", "/price/offers/1/exit")]


def test_a_flat_offer_without_a_longest_stay_is_unlimited():
    endless = {"price": {"type": "flat", "price": 500}, "entry": {"from": "17:00", "until": "24:00"}}
    assert found(tariff(choice({"price": HOURLY}, endless))) == [("offer_unlimited", "/price/offers/1")]


# Steps and caps


@pytest.mark.parametrize(
    ("price", "caps", "expected"),
    [
        (ladder((60, 300), (30, 100), (60, 50), repeat=1), [], [("step_unreachable", "/price/steps/2")]),
        (ladder((60, 300), repeat=None), [], [("open_end", "/price/steps")]),
        (ladder((1440, 300), repeat=None), [rolling_cap(200)], [("cap_below_first_step", "/caps/0/amount")]),
        (ladder((1440, 300), (60, 90), repeat=1), [rolling_cap(250, 1440)],
         [("cap_below_first_step", "/caps/0/amount")]),
        (ladder((120, 300), (60, 90), repeat=1), [rolling_cap(299, 60)],
         [("cap_below_first_step", "/caps/0/amount")]),
        (ladder((240, 300), (60, 90), repeat=1), [rolling_cap(300, 60)],
         [("cap_unreachable", "/caps/0/amount"), ("step_unreachable", "/price/steps/1")]),
        ({"type": "slabs", "slabs": [{"up_to_minutes": 60, "price": 100}]}, [], [("open_end", "/price/slabs")]),
        ({"type": "progressive", "rates": [{"until_minute": 60, "per_hour": 100}]}, [], [("open_end", "/price/rates")]),
        (bands(band("Day", "08:00", "20:00", ladder((60, 100))), band("Night", "20:00", "08:00", 100)), [],
         [("open_end", "/price/bands/0/price/steps")]),
        (bands(band("Day", "00:00", "24:00", ladder((60, 100), (30, 50), repeat=1), cap=90)), [],
         [("cap_below_first_step", "/price/bands/0/cap")]),
        (bands(band("Noon", "12:00", "13:00", ladder((120, 10), (60, 5), (60, 5), repeat=2)),
               band("Else", "13:00", "12:00", 9)), [],
         [("step_unreachable", "/price/bands/0/price/steps/2")]),
    ],
)  # fmt: skip
def test_steps_and_caps_that_cannot_be_meant(price: dict[str, Any], caps: list[Any], expected: list[tuple[str, str]]):
    assert found(tariff(price, caps=caps)) == expected


@pytest.mark.parametrize(
    ("caps", "expected"),
    [
        ([rolling_cap(1500), session_cap(1500)], ["/caps/0/amount"]),
        ([rolling_cap(1500), rolling_cap(1400, 2880)], ["/caps/0/amount"]),
        ([rolling_cap(1500), rolling_cap(1400, 2000)], []),  # windows of 2000 minutes cut those of a day
        ([session_cap(900), session_cap(800)], ["/caps/0/amount"]),
        ([session_cap(900), session_cap(900)], ["/caps/1/amount"]),
        ([rolling_cap(5000)], ["/caps/0/amount"]),  # a day costs 48.00
        ([rolling_cap(4800)], ["/caps/0/amount"]),
        ([rolling_cap(4799)], []),
        ([day_cap(5000)], []),  # the day on which clocks are set back costs 50.00, and two hours are allowed for
        ([day_cap(5300)], ["/caps/0/amount"]),
        ([rolling_cap(5000, ladder_restarts=False)], []),  # a ladder may become dearer: not judged
    ],
)
def test_a_cap_that_nothing_reaches_is_named(caps: list[dict[str, Any]], expected: list[str]):
    assert found(tariff(HOURLY, caps=caps)) == [("cap_unreachable", at) for at in expected]


def test_a_session_cap_above_a_price_that_ends_is_never_reached():
    assert found(tariff({"type": "flat", "price": 500}, caps=[session_cap(500)])) == [
        ("cap_unreachable", "/caps/0/amount")
    ]
    assert found(tariff({"type": "flat", "price": 500}, caps=[session_cap(400)])) == [
        ("cap_below_first_step", "/caps/0/amount")
    ]


def test_the_caps_of_an_offer_are_named_where_they_stand():
    priced = tariff(choice({"price": HOURLY, "caps": [session_cap(100)]}, {"price": HOURLY}))
    assert found(priced) == [("cap_below_first_step", "/price/offers/0/caps/0/amount")]


def test_what_a_tariff_accepts_is_marked_and_still_listed():
    priced = tariff(day_and_night("session"), accepts=["price_falls"])
    assert [(finding.code, finding.accepted) for finding in lint(priced)] == [("price_falls", True)]
    assert not lint(tariff(day_and_night("session"), accepts=["band_gap"]))[0].accepted
