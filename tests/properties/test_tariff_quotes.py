"""What holds for every tariff and every stay."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autospot.domain.money import Money
from autospot.domain.period import Period
from autospot.domain.tariff import curve, explain, lint, parse_tariff, quote
from tests.support.tariff_strategies import by_length, documents, stays, whole_prices, zones
from tests.support.tariffs import amount, band, bands, day_cap, document, rolling_cap

many = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
few = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@many
@given(st.data())
def test_the_lines_add_up_to_the_total_and_the_total_to_net_and_vat(data: st.DataObject):
    drawn = data.draw(documents())
    stay = data.draw(stays(drawn["time_zone"], 60 * 24 * 5))
    quoted = quote(
        parse_tariff(drawn),
        stay,
        coverage=data.draw(st.lists(stays(drawn["time_zone"]), max_size=2)),
        package_seconds=data.draw(st.sampled_from([0, 1800])),
        discount=Money(data.draw(st.sampled_from([0, 70, 100_000])), "EUR"),
    )
    assert sum(line.amount for line in quoted.lines) == quoted.total.amount >= 0
    assert quoted.net + quoted.vat == quoted.total
    assert all((line.amount < 0) == (line.kind in {"cap", "discount"}) for line in quoted.lines if line.amount)
    assert all(stay.start <= line.start <= line.until <= stay.until for line in quoted.lines)
    assert len(explain(quoted)) == len(quoted.lines) + 1


@many
@given(st.data())
def test_a_line_costs_its_quantity_times_its_price_but_for_the_rounding(data: st.DataObject):
    drawn = data.draw(documents())
    for line in quote(parse_tariff(drawn), data.draw(stays(drawn["time_zone"]))).lines:
        if line.kind == "charge" and line.per_seconds:
            exact = line.quantity * line.unit_price * line.unit_seconds / line.per_seconds
            assert abs(line.amount - exact) < 1


@few
@given(st.data())
def test_a_tariff_that_the_linter_passes_never_gets_cheaper_by_staying_longer(data: st.DataObject):
    drawn = data.draw(documents())
    tariff = parse_tariff(drawn)
    if {"price_falls", "price_may_fall"} & {finding.code for finding in lint(tariff)}:
        return
    longest = data.draw(stays(tariff.time_zone, 60 * 36))
    for kind in (None, "ev"):
        amounts = [amount for _, amount in curve(tariff, longest.start, longest.until, kind=kind)]
        assert all(shorter < longer for shorter, longer in pairwise(amounts))


@few
@given(st.data())
def test_the_curve_says_what_a_quote_says_at_every_length_of_stay(data: st.DataObject):
    drawn = data.draw(documents())
    tariff = parse_tariff(drawn)
    longest = data.draw(stays(tariff.time_zone))
    points = curve(tariff, longest.start, longest.until)
    near = [edge + shift for edge, _ in points for shift in (-1, 0, 1)]
    anywhere = data.draw(st.lists(st.integers(1, longest.duration // timedelta(seconds=1)), max_size=20))
    for elapsed in {*near, *anywhere}:
        leave = longest.start + timedelta(seconds=elapsed)
        if longest.start < leave <= longest.until:
            shown = [price for begins, price in points if begins <= elapsed][-1]
            assert shown == amount(tariff, Period(longest.start, leave))


@many
@given(st.data())
def test_a_cap_is_never_exceeded(data: st.DataObject):
    drawn = data.draw(documents())
    drawn["vat"]["included"] = True
    stay = data.draw(stays(drawn["time_zone"], 60 * 24 * 3))
    total = amount(parse_tariff(drawn), stay)
    zone = ZoneInfo(drawn["time_zone"])
    last = stay.until - timedelta(seconds=1)
    for cap in drawn["caps"]:
        match cap["window"]:
            case "session":
                windows = 1
            case "rolling":
                windows = (last - stay.start) // timedelta(minutes=cap["minutes"]) + 1
            case _:
                windows = (last.astimezone(zone).date() - stay.start.astimezone(zone).date()).days + 1
        assert total <= cap["amount"] * windows


@many
@given(st.data())
def test_the_quote_does_not_depend_on_the_zone_the_times_are_written_in(data: st.DataObject):
    drawn = data.draw(documents())
    tariff = parse_tariff(drawn)
    stay = data.draw(stays(tariff.time_zone))
    offset = timezone(timedelta(minutes=data.draw(st.integers(-14 * 60, 14 * 60))))
    elsewhere = ZoneInfo(data.draw(zones))
    written = Period(stay.start.astimezone(offset), stay.until.astimezone(elsewhere))
    assert quote(tariff, written) == quote(tariff, stay)
    assert quote(tariff, written).hash == quote(tariff, stay).hash


@many
@given(whole_prices, zones, st.data())
def test_where_the_price_begins_anew_at_midnight_a_stay_is_the_sum_of_its_days(price, zone, data: st.DataObject):
    tariff = parse_tariff(document(price, time_zone=zone, caps=[day_cap(700)]))
    stay = data.draw(stays(zone, 60 * 50))
    wall = ZoneInfo(zone)
    first, last = stay.start.astimezone(wall).date(), stay.until.astimezone(wall).date()
    midnights = [
        datetime.combine(first + timedelta(days=number), datetime.min.time(), wall).astimezone(UTC)
        for number in range(1, (last - first).days + 1)
    ]
    edges = sorted({stay.start, *(edge for edge in midnights if stay.start < edge < stay.until), stay.until})
    assert amount(tariff, stay) == sum(amount(tariff, Period(*each)) for each in pairwise(edges))


@many
@given(whole_prices, st.data())
def test_where_the_price_begins_anew_every_two_hours_a_stay_is_the_sum_of_them(price, data: st.DataObject):
    tariff = parse_tariff(document(price, caps=[rolling_cap(700, 120)]))
    stay = data.draw(stays(tariff.time_zone, 60 * 20))
    starts = [stay.start + number * timedelta(hours=2) for number in range(12)]
    edges = [*(edge for edge in starts if edge < stay.until), stay.until]
    assert amount(tariff, stay) == sum(amount(tariff, Period(*each)) for each in pairwise(edges))


@many
@given(st.integers(1, 200), st.data())
def test_blocks_can_be_paid_one_by_one(blocks, data: st.DataObject):
    price = bands(
        band("Day", "06:00", "18:00", 200),
        band("Night", "18:00", "06:00", 100),
        rounding_scope="block",
        unit_minutes=15,
    )
    tariff = parse_tariff(document(price))
    stay = data.draw(stays(tariff.time_zone, 60 * 60))
    split = stay.start + blocks * timedelta(minutes=15)
    if split < stay.until:
        parts = Period(stay.start, split), Period(split, stay.until)
        assert amount(tariff, stay) == sum(amount(tariff, part) for part in parts)


@many
@given(by_length, st.data())
def test_covering_time_never_makes_a_stay_by_length_dearer(price, data: st.DataObject):
    tariff = parse_tariff(document(price, free_minutes=10, caps=[rolling_cap(500, 120), day_cap(900)]))
    stay = data.draw(stays(tariff.time_zone))
    coverage = [data.draw(stays(tariff.time_zone, 120))]
    assert amount(tariff, stay, coverage=coverage) <= amount(tariff, stay)
    assert amount(tariff, stay, coverage=[stay]) == 0


@many
@given(st.data(), st.integers(0, 2000))
def test_a_discount_takes_off_what_was_granted_or_all_there_is(data: st.DataObject, granted: int):
    drawn = data.draw(documents())
    drawn["vat"]["included"] = True
    tariff = parse_tariff(drawn)
    stay = data.draw(stays(tariff.time_zone))
    full, discounted = quote(tariff, stay), quote(tariff, stay, discount=Money(granted, "EUR"))
    assert discounted.discount.amount == min(granted, full.total.amount)
    assert discounted.total == full.total - discounted.discount
