"""Real time is what is paid; the clock and the calendar only say at which price."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from autospot.domain.period import Period
from autospot.domain.tariff import quote
from autospot.domain.tariff.localtime import LocalCalendar, in_utc
from tests.support.tariffs import (
    BERLIN,
    CLIMBING,
    HOURLY,
    NEW_YORK,
    amount,
    band,
    bands,
    day_and_night,
    day_cap,
    lasting,
    local,
    rolling_cap,
    rows,
    stay,
    tariff,
)

SPRING = {BERLIN: "2026-03-29", NEW_YORK: "2026-03-08"}
AUTUMN = {BERLIN: "2026-10-25", NEW_YORK: "2026-11-01"}
NIGHT_BEFORE = {
    "2026-03-29": "2026-03-28",
    "2026-03-08": "2026-03-07",
    "2026-10-25": "2026-10-24",
    "2026-11-01": "2026-10-31",
}
both_cities = pytest.mark.parametrize("zone", [BERLIN, NEW_YORK])


@both_cities
def test_in_spring_two_hours_on_the_clock_are_one_hour_paid(zone: str):
    assert amount(tariff(HOURLY, time_zone=zone), stay(f"{SPRING[zone]} 01:30", f"{SPRING[zone]} 03:30", zone)) == 200


@pytest.mark.parametrize(
    ("zone", "start", "until"),
    [(BERLIN, "2026-10-25 01:30", "2026-10-25 03:30"), (NEW_YORK, "2026-11-01 00:30", "2026-11-01 02:30")],
)
def test_in_autumn_two_hours_on_the_clock_are_three_hours_paid(zone: str, start: str, until: str):
    assert amount(tariff(HOURLY, time_zone=zone), stay(start, until, zone)) == 600


@pytest.mark.parametrize(("zone", "clock"), [(BERLIN, "2026-10-25 02:30"), (NEW_YORK, "2026-11-01 01:30")])
def test_an_hour_passes_between_the_two_comings_of_one_time(zone: str, clock: str):
    period = Period(local(clock, zone), local(clock, zone, fold=1))
    assert amount(tariff(HOURLY, time_zone=zone), period) == 200


@both_cities
@pytest.mark.parametrize(("day", "hours"), [(SPRING, 11), (AUTUMN, 13)])
def test_the_night_is_an_hour_shorter_or_longer_and_the_day_is_not(zone: str, day: dict[str, str], hours: int):
    priced = tariff(day_and_night(), time_zone=zone)
    whole = stay(f"{NIGHT_BEFORE[day[zone]]} 12:00", f"{day[zone]} 12:00", zone)
    assert rows(quote(priced, whole)) == [("Day", 1200), ("Night", hours * 100), ("Day", 1200)]


@both_cities
@pytest.mark.parametrize(("day", "fee"), [(SPRING, 4600), (AUTUMN, 4700)])
def test_a_calendar_day_has_23_or_25_hours(zone: str, day: dict[str, str], fee: int):
    priced = tariff(HOURLY, time_zone=zone, caps=[day_cap(4700)])
    start = local(f"{day[zone]} 00:00", zone)
    assert amount(priced, Period(start, start.replace(day=start.day + 1))) == fee


@both_cities
@pytest.mark.parametrize(("day", "end"), [(SPRING, "13:00:00"), (AUTUMN, "11:00:00")])
def test_24_hours_from_entry_are_24_real_hours(zone: str, day: dict[str, str], end: str):
    priced = tariff(CLIMBING, time_zone=zone, caps=[rolling_cap(1500)])
    start = f"{NIGHT_BEFORE[day[zone]]} 12:00"
    assert amount(priced, stay(start, f"{day[zone]} {end}", zone)) == 1500
    assert amount(priced, stay(start, f"{day[zone]} {end[:-1]}1", zone)) == 1800


EARLY_AND_LATE = bands(band("Early", "00:00", "02:30", 600), band("Late", "02:30", "24:00", 120))


def test_a_band_that_begins_in_the_skipped_hour_begins_at_the_change():
    assert rows(quote(tariff(EARLY_AND_LATE), stay("2026-03-29 00:00", "2026-03-29 04:00"))) == [
        ("Early", 1200),
        ("Late", 120),
    ]


def test_a_band_that_begins_in_the_hour_that_comes_twice_begins_at_its_first_coming():
    assert rows(quote(tariff(EARLY_AND_LATE), stay("2026-10-25 00:00", "2026-10-25 04:00"))) == [
        ("Early", 1500),
        ("Late", 300),
    ]


@pytest.mark.parametrize(("day", "fee"), [("2026-03-28", 900), ("2026-03-29", 0), ("2026-10-25", 900)])
def test_a_band_within_the_skipped_hour_is_skipped_and_within_the_doubled_one_comes_once(day: str, fee: int):
    price = bands(
        band("Delivery", "02:15", "02:45", {"type": "flat", "price": 900}),
        band("Rest", "00:00", "24:00", 0),
    )
    assert amount(tariff(price), stay(f"{day} 00:00", f"{day} 06:00")) == fee


@pytest.mark.parametrize(("start", "until", "hours"), [
    ("2028-02-28 12:00", "2028-03-01 12:00", 48),
    ("2027-02-28 12:00", "2027-03-01 12:00", 24),
    ("2026-01-31 23:00", "2026-02-01 01:00", 2),
    ("2026-04-30 23:00", "2026-05-01 01:00", 2),
    ("2026-12-31 23:00", "2027-01-01 01:00", 2),
])  # fmt: skip
def test_leap_days_and_ends_of_months_are_days_like_others(start: str, until: str, hours: int):
    assert amount(tariff(HOURLY), stay(start, until)) == hours * 200


def test_a_leap_day_is_a_calendar_day_with_a_cap_of_its_own():
    priced = tariff(HOURLY, caps=[day_cap(1000)])
    assert amount(priced, stay("2028-02-28 12:00", "2028-03-01 12:00")) == 3000
    assert amount(priced, stay("2027-02-28 12:00", "2027-03-01 12:00")) == 2000


@pytest.mark.parametrize(("start", "until"), [
    ("2026-01-31 20:00", "2026-02-01 04:00"), ("2026-12-31 20:00", "2027-01-01 04:00"),
])  # fmt: skip
def test_the_price_begins_anew_with_the_month_and_the_year(start: str, until: str):
    assert amount(tariff(CLIMBING, caps=[day_cap(1500)]), stay(start, until)) == 900 + 900


def test_a_stay_of_a_second_owes_the_first_unit():
    second = lasting("00:00:01")
    assert amount(tariff(CLIMBING), second) == 300
    assert amount(tariff(CLIMBING, free_minutes=10), second) == 0
    assert amount(tariff({"type": "progressive", "rates": [{"per_hour": 100}]}), second) == 2


def test_a_week_and_a_second_owes_seven_caps_and_a_first_step():
    priced = tariff(CLIMBING, caps=[rolling_cap(1500)])
    assert amount(priced, lasting("168:00:00")) == 7 * 1500
    assert amount(priced, lasting("168:00:01")) == 7 * 1500 + 300


@pytest.mark.parametrize(("year", "days"), [(2026, 365), (2028, 366)])
def test_a_year_is_the_sum_of_its_days(year: int, days: int):
    whole = stay(f"{year}-01-01 00:00", f"{year + 1}-01-01 00:00")
    assert amount(tariff(CLIMBING, caps=[rolling_cap(1500)]), whole) == days * 1500
    assert amount(tariff(CLIMBING, caps=[day_cap(1500)]), whole) == days * 1500
    assert amount(tariff(HOURLY), whole) == days * 24 * 200
    assert amount(tariff(day_and_night()), whole) == days * (12 * 200 + 12 * 100)


def test_a_year_takes_as_many_lines_as_rules_and_windows_and_not_as_minutes():
    whole = stay("2026-01-01 00:00", "2027-01-01 00:00")
    assert len(quote(tariff(HOURLY), whole).lines) == 1
    assert len(quote(tariff({"type": "progressive", "rates": [{"per_hour": 100}]}), whole).lines) == 1
    assert len(quote(tariff(day_and_night("session")), whole).lines) == 365 * 2 + 1
    assert len(quote(tariff(CLIMBING, caps=[rolling_cap(1500)]), whole).lines) == 365 * 3


WORKDAYS_AND_FREE_DAYS = bands(
    band("Workday", "00:00", "24:00", 300, days=["mon", "tue", "wed", "thu", "fri"]),
    band("Free day", "00:00", "24:00", 100, days=["sat", "sun", "holiday"]),
)
BAVARIA = {"country": "DE", "subdivision": "BY"}


@pytest.mark.parametrize(
    ("day", "holidays", "fee"),
    [
        ("2026-05-08", {"country": "DE"}, 600),
        ("2026-05-09", {"country": "DE"}, 200),
        ("2026-05-01", {"country": "DE"}, 200),
        ("2026-06-04", BAVARIA, 200),
        ("2026-06-04", {"country": "DE", "subdivision": "BE"}, 600),
        ("2026-12-24", BAVARIA, 600),
        ("2026-12-24", {**BAVARIA, "also": ["2026-12-24"]}, 200),
        ("2026-05-01", {**BAVARIA, "except": ["2026-05-01"]}, 600),
        ("2026-11-26", {"country": "US"}, 200),
    ],
    ids=str,
)
def test_public_holidays_have_the_price_of_the_holiday(day: str, holidays: dict[str, object], fee: int):
    assert amount(tariff(WORKDAYS_AND_FREE_DAYS, holidays=holidays), stay(f"{day} 10:00", f"{day} 12:00")) == fee


def test_a_night_belongs_to_the_day_on_which_it_begins():
    price = bands(
        band("Thursday night", "22:00", "06:00", 1000, days=["thu"]),
        band("Any time", "00:00", "24:00", 100),
    )
    priced = tariff(price, holidays={"country": "DE"})
    assert rows(quote(priced, stay("2026-04-30 21:00", "2026-05-01 07:00"))) == [
        ("Any time", 100),
        ("Thursday night", 8000),
        ("Any time", 100),
    ]
    assert rows(quote(priced, stay("2026-05-01 22:00", "2026-05-01 23:00"))) == [("Any time", 100)]


def begins(zone: str, day: date, minute: int = 0) -> datetime:
    return in_utc(LocalCalendar(ZoneInfo(zone)).first_instant(day, minute))


@pytest.mark.parametrize(
    ("zone", "day", "minute", "instant"),
    [
        (BERLIN, date(2026, 6, 1), 0, datetime(2026, 5, 31, 22, tzinfo=UTC)),
        (BERLIN, date(2026, 6, 1), 1440, datetime(2026, 6, 1, 22, tzinfo=UTC)),
        (BERLIN, date(2026, 3, 29), 150, datetime(2026, 3, 29, 1, tzinfo=UTC)),
        (BERLIN, date(2026, 10, 25), 150, datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("America/Havana", date(2026, 3, 8), 0, datetime(2026, 3, 8, 5, tzinfo=UTC)),  # midnight itself is skipped
        (
            "Australia/Lord_Howe",
            date(2026, 4, 5),
            105,
            datetime(2026, 4, 4, 14, 45, tzinfo=UTC),
        ),  # back by half an hour
        ("Pacific/Apia", date(2011, 12, 30), 600, datetime(2011, 12, 30, 10, tzinfo=UTC)),  # a day that never was
        ("Pacific/Apia", date(2011, 12, 31), 0, datetime(2011, 12, 30, 10, tzinfo=UTC)),
    ],
    ids=str,
)
def test_a_local_time_begins_when_the_clock_first_shows_it_or_a_later_one(
    zone: str, day: date, minute: int, instant: datetime
):
    assert begins(zone, day, minute) == instant


def test_the_clock_of_the_lot_decides_and_not_that_of_the_driver():
    priced = tariff(day_and_night(), time_zone=NEW_YORK)
    noon_in_berlin = stay("2026-06-01 10:00", "2026-06-01 11:00", BERLIN)  # 04:00 in New York
    assert rows(quote(priced, noon_in_berlin)) == [("Night", 100)]
