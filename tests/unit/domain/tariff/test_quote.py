"""A quote: lines, tax, subscriptions, packages, points, and the hash that freezes it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from autospot.domain.errors import InvalidInput
from autospot.domain.money import Money
from autospot.domain.period import Period
from autospot.domain.tariff import Quote, quote
from autospot.domain.tariff.timeline import COVERAGE_LIMIT, STAY_LIMIT_DAYS
from tests.support.tariffs import (
    CLIMBING,
    HOURLY,
    amount,
    day_and_night,
    day_cap,
    lasting,
    local,
    rolling_cap,
    rows,
    stay,
    tariff,
)


def euros(cents: int) -> Money:
    return Money(cents, "EUR")


def test_a_line_says_when_why_how_many_and_at_what_price():
    line = quote(tariff(CLIMBING), lasting("02:10:00")).lines[1]
    assert line.as_json() == {
        "from": "2026-06-01T07:00:00.000Z",
        "until": "2026-06-01T08:10:00.000Z",
        "kind": "charge",
        "rule": "each started 30 min",
        "quantity": 3,
        "unit_seconds": 1800,
        "unit_price": 100,
        "per_seconds": 1800,
        "amount": 300,
    }


def test_an_hourly_price_states_its_units_and_the_price_of_an_hour():
    (line,) = quote(tariff(day_and_night()), lasting("01:10:00")).lines
    assert (line.quantity, line.unit_seconds, line.unit_price, line.per_seconds) == (5, 900, 200, 3600)


@pytest.mark.parametrize(
    ("vat", "total", "net", "tax"),
    [
        ({"basis_points": 1900, "included": True}, 300, 252, 48),
        ({"basis_points": 1900, "included": False}, 357, 300, 57),
        ({"basis_points": 0, "included": True}, 300, 300, 0),
        ({"basis_points": 0, "included": False}, 300, 300, 0),
        ({"basis_points": 810, "included": False}, 324, 300, 24),
        ({"basis_points": 10_000, "included": True}, 300, 150, 150),
    ],
)
def test_vat_is_in_the_price_or_added_as_the_last_line(vat: dict[str, object], total: int, net: int, tax: int):
    quoted = quote(tariff(CLIMBING, vat=vat), lasting("01:00:00"))
    assert (quoted.total, quoted.net, quoted.vat) == (euros(total), euros(net), euros(tax))
    assert sum(line.amount for line in quoted.lines) == total
    assert (quoted.lines[-1].kind == "vat") is (tax > 0 and not vat["included"])


def test_fractions_of_a_cent_are_carried_so_that_the_lines_add_up():
    quoted = quote(tariff({"type": "progressive", "rates": [{"until_minute": 1, "per_hour": 100}, {"per_hour": 125}]}),
                   lasting("00:02:00"))  # fmt: skip
    assert [line.amount for line in quoted.lines] == [2, 2]  # 1.67 and 2.08 make 3.75, paid as 4


def test_time_under_a_subscription_is_no_part_of_the_stay():
    coverage = [stay("2026-06-01 08:00", "2026-06-01 18:00")]
    quoted = quote(tariff(HOURLY), stay("2026-06-01 07:00", "2026-06-01 19:00"), coverage=coverage)
    assert rows(quoted) == [
        ("each started 60 min", 200),
        ("covered by a subscription", 0),
        ("each started 60 min", 200),
    ]
    assert [line.until for line in quoted.lines[:2]] == [line.start for line in quoted.lines[1:]]


def test_a_ladder_waits_while_time_is_covered():
    coverage = [stay("2026-06-01 08:30", "2026-06-01 18:00")]
    quoted = quote(tariff(CLIMBING), stay("2026-06-01 08:00", "2026-06-01 18:31"), coverage=coverage)
    assert rows(quoted) == [("first 60 min", 300), ("covered by a subscription", 0), ("each started 30 min", 100)]
    assert quoted.lines[0].until == local("2026-06-01 08:30")  # half an hour of it is left for the evening
    assert quoted.lines[2].start == local("2026-06-01 18:30")


def test_a_day_that_ends_in_covered_time_ends_for_the_caps_all_the_same():
    coverage = [stay("2026-06-01 22:00", "2026-06-02 02:00")]
    priced = tariff(HOURLY, caps=[day_cap(500)])
    assert amount(priced, stay("2026-06-01 20:00", "2026-06-02 05:00"), coverage=coverage) == 400 + 500


def test_covered_periods_may_overlap_touch_and_reach_beyond_the_stay():
    coverage = [
        stay("2026-06-01 09:00", "2026-06-01 10:00"),
        stay("2026-06-01 06:00", "2026-06-01 08:30"),
        stay("2026-06-01 09:30", "2026-06-01 10:30"),
        stay("2026-06-01 10:30", "2026-06-01 10:45"),
        stay("2026-06-02 09:30", "2026-06-02 10:30"),
    ]
    quoted = quote(tariff(HOURLY), stay("2026-06-01 08:00", "2026-06-01 11:00"), coverage=coverage)
    assert [line.kind for line in quoted.lines] == ["covered", "charge", "covered"]
    assert quoted.total == euros(200)


def test_a_stay_that_is_covered_whole_costs_nothing():
    period = stay("2026-06-01 08:00", "2026-06-01 18:00")
    quoted = quote(tariff(HOURLY), period, coverage=[period])
    assert (quoted.total, [line.kind for line in quoted.lines]) == (euros(0), ["covered"])


def test_what_is_left_beside_a_subscription_is_free_within_the_free_minutes():
    coverage = [stay("2026-06-01 08:00", "2026-06-01 18:00")]
    period = stay("2026-06-01 08:00", "2026-06-01 18:10")
    assert amount(tariff(CLIMBING, free_minutes=10), period, coverage=coverage) == 0


def test_a_minutes_package_pays_the_first_minutes_and_says_how_many():
    quoted = quote(tariff(CLIMBING), lasting("02:00:00"), package_seconds=3600)
    assert rows(quoted) == [("covered by a minutes package", 0), ("first 60 min", 300)]
    assert quoted.package_seconds == 3600


def test_a_package_pays_around_a_subscription_and_never_more_than_the_stay():
    period = stay("2026-06-01 08:00", "2026-06-01 11:00")
    coverage = [stay("2026-06-01 09:00", "2026-06-01 10:00")]
    quoted = quote(tariff(CLIMBING), period, coverage=coverage, package_seconds=90 * 60)
    assert [(line.rule, line.start.hour, line.start.minute) for line in quoted.lines] == [
        ("covered by a minutes package", 6, 0),
        ("covered by a subscription", 7, 0),
        ("covered by a minutes package", 8, 0),
        ("first 60 min", 8, 30),
    ]
    whole = quote(tariff(CLIMBING), period, coverage=coverage, package_seconds=10**6)
    assert (whole.package_seconds, whole.total) == (7200, euros(0))


def test_a_free_stay_uses_up_no_package():
    quoted = quote(tariff(CLIMBING, free_minutes=10), lasting("00:10:00"), package_seconds=3600)
    assert (quoted.package_seconds, rows(quoted)) == (0, [("a stay of at most 10 min is free", 0)])


def test_a_package_does_not_make_a_longer_stay_short():
    assert amount(tariff(CLIMBING, free_minutes=10), lasting("01:05:00"), package_seconds=3600) == 300


@pytest.mark.parametrize(("granted", "taken"), [(0, 0), (120, 120), (300, 300), (500, 300)])
def test_points_are_taken_off_at_most_down_to_nothing(granted: int, taken: int):
    quoted = quote(tariff(CLIMBING), lasting("01:00:00"), discount=euros(granted))
    assert (quoted.total, quoted.discount) == (euros(300 - taken), euros(taken))
    assert rows(quoted) == [("first 60 min", 300), *([("discount", -taken)] if taken else [])]


def test_points_are_taken_off_before_vat_is_added():
    priced = tariff(CLIMBING, vat={"basis_points": 1000, "included": False})
    quoted = quote(priced, lasting("01:00:00"), discount=euros(100))
    assert rows(quoted) == [("first 60 min", 300), ("discount", -100), ("VAT 10 %", 20)]


@pytest.mark.parametrize("discount", [Money(100, "CHF"), Money(-1, "EUR")])
def test_a_foreign_or_negative_discount_is_refused(discount: Money):
    with pytest.raises(InvalidInput) as refusal:
        quote(tariff(), lasting("01:00:00"), discount=discount)
    assert refusal.value.at == "/discount"


def test_instants_are_cut_to_the_second_as_a_receipt_shows_them():
    entry = local("2026-06-01 08:00")
    almost = Period(entry + timedelta(microseconds=999_999), entry + timedelta(minutes=10, microseconds=999_999))
    assert amount(tariff(CLIMBING, free_minutes=10), almost) == 0
    assert amount(tariff(CLIMBING), Period(entry, entry + timedelta(hours=1, microseconds=999_999))) == 300


def test_a_stay_within_one_second_owes_nothing():
    entry = local("2026-06-01 08:00")
    quoted = quote(tariff(), Period(entry, entry + timedelta(microseconds=1)))
    assert (quoted.lines, quoted.total) == ((), euros(0))


@pytest.mark.parametrize(
    ("start", "length", "at"),
    [
        (datetime(2026, 1, 1, tzinfo=UTC), timedelta(days=STAY_LIMIT_DAYS), "/until"),
        (datetime(1969, 12, 31, tzinfo=UTC), timedelta(hours=1), "/from"),
        (datetime(2199, 12, 31, 23, 30, tzinfo=UTC), timedelta(hours=1), "/from"),
        (datetime(1, 1, 1, tzinfo=UTC), timedelta(hours=1), "/from"),
        (datetime(9999, 1, 1, tzinfo=UTC), timedelta(hours=1), "/from"),
    ],
)
def test_endless_and_unhistoric_stays_are_refused(start: datetime, length: timedelta, at: str):
    with pytest.raises(InvalidInput) as refusal:
        quote(tariff(), Period(start, start + length))
    assert refusal.value.at == at


def test_the_longest_stay_is_priced():
    start = datetime(2026, 1, 1, tzinfo=UTC)
    longest = Period(start, start + timedelta(days=STAY_LIMIT_DAYS) - timedelta(seconds=1))
    assert amount(tariff(HOURLY), longest) == STAY_LIMIT_DAYS * 24 * 200


def test_more_covered_periods_than_the_limit_are_refused():
    covered = [lasting("00:01:00")] * (COVERAGE_LIMIT + 1)
    with pytest.raises(InvalidInput):
        quote(tariff(), lasting("01:00:00"), coverage=covered)
    with pytest.raises(InvalidInput):
        quote(tariff(), lasting("01:00:00"), package_seconds=-1)


def reference() -> Quote:
    return quote(tariff(CLIMBING, caps=[rolling_cap(1500)]), lasting("02:00:00"))


def test_the_same_stay_under_the_same_version_has_the_same_hash():
    assert reference().hash == reference().hash
    assert len(reference().hash) == 64
    assert reference().as_json()["hash"] == reference().hash


@pytest.mark.parametrize(
    "other",
    [
        quote(tariff(CLIMBING, caps=[rolling_cap(1500)]), lasting("02:00:01")),
        quote(tariff(CLIMBING, caps=[rolling_cap(1500)]), lasting("02:00:00", "2026-06-02 08:00")),
        quote(tariff(CLIMBING, caps=[rolling_cap(1500)]), lasting("02:00:00"), kind="ev"),
        quote(tariff(CLIMBING, caps=[rolling_cap(1501)]), lasting("02:00:00")),
        quote(tariff(CLIMBING, caps=[rolling_cap(1500)], version=2), lasting("02:00:00")),
        replace(reference(), lines=reference().lines[:1]),
        replace(reference(), total=euros(1)),
    ],
    ids=["a second more", "another day", "another bay", "a tacit change", "another version", "a line less", "a total"],
)
def test_another_hash_shows_that_something_differs(other: Quote):
    assert other.hash != reference().hash


def test_a_version_is_known_by_its_number_and_by_its_content():
    first, corrected = tariff(CLIMBING), tariff(CLIMBING, name="Harbour east")
    assert first.version_id.startswith("harbour/1@")
    assert first.version_id != corrected.version_id
    assert first.version_id == tariff(CLIMBING).version_id
    assert first.version_id == tariff(CLIMBING, caps=[], free_minutes=0, holidays=None).version_id
