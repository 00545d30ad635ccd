"""The bookings benchmark asks for what can be had, and its gate finds what is not as promised."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bench.advice import pure_run
from bench.booking_load import booking_request
from bench.booking_plan import CASES, OPEN_PER_DRIVER, Asks, Booked, Case, overlaps, tomorrow, untold, wrong_wallets

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def asks(case: Case = "spread", drivers: int = 1_000) -> Asks:
    return Asks(case, drivers, tomorrow(NOON))


def booked(name: str, start_hour: float, hours: float = 1.0, *, place: str = "L000/B1", paid: int = 200) -> Booked:
    start = NOON + timedelta(hours=start_hour)
    return Booked(name, place, start, start + timedelta(hours=hours), "ann", paid)


@pytest.mark.parametrize("case", CASES)
def test_no_two_that_are_asked_for_overlap(case: Case) -> None:
    plan = asks(case)
    found = [plan.ask(number) for number in range(plan.limit)]
    stays = [Booked(str(n), f"{ask.lot}/{ask.bay}", ask.start, ask.until, "", 0) for n, ask in enumerate(found)]
    assert overlaps(stays) == []


@pytest.mark.parametrize("case", CASES)
def test_no_driver_asks_for_more_than_the_terms_allow(case: Case) -> None:
    plan = asks(case, drivers=7)
    drivers = [plan.ask(number).driver for number in range(plan.limit)]
    assert max(drivers.count(driver) for driver in range(7)) == OPEN_PER_DRIVER


def test_the_hot_case_has_five_bays_and_the_other_all_of_them() -> None:
    hot, spread = ({(each.lot, each.bay) for each in map(asks(case).ask, range(2_000))} for case in reversed(CASES))
    assert (len(hot), len(spread)) == (5, 2_000)


def test_every_stay_lies_ahead_and_within_the_horizon() -> None:
    for case in CASES:
        plan = asks(case, drivers=100_000)
        for number in (0, plan.limit - 1):
            ask = plan.ask(number)
            assert NOON < ask.start < ask.until <= NOON + timedelta(days=90)


def test_a_plan_survives_the_command_line() -> None:
    assert Asks.from_json(asks("five bays").as_json()) == asks("five bays")


def test_a_request_is_whole_and_has_a_key_of_its_own() -> None:
    one, other = (booking_request(asks().ask(3), "token", 8080) for _ in range(2))
    head, _, body = one.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    assert b'"bay": "B00000"' in body
    assert one != other


def test_overlapping_stays_are_found_and_neighbours_are_not() -> None:
    assert overlaps([booked("a", 0), booked("b", 1), booked("c", 0, place="L000/B2")]) == []
    assert overlaps([booked("a", 0, 3), booked("b", 1), booked("c", 2.5)]) == [
        "L000/B1: a and b overlap",
        "L000/B1: a and c overlap",
    ]


def test_a_wallet_that_lost_or_kept_money_is_found() -> None:
    stays = [booked("a", 0), booked("b", 1)]
    assert wrong_wallets(stays, 1_000, {"ann": 600, "bob": 1_000}) == []
    assert wrong_wallets(stays, 1_000, {"ann": 800, "bob": 900}) == [
        "ann has 800 left, not 600",
        "bob has 900 left, not 1000",
    ]


def test_bookings_that_were_lost_or_never_told_are_found() -> None:
    assert untold([booked("a", 0)], ["a"]) == []
    assert untold([booked("a", 0)], ["b"]) == [
        "b was acknowledged and is not there",
        "a is there and was not acknowledged",
    ]


def test_recommendations_are_counted_and_timed() -> None:
    run = pure_run(0.05)
    assert run.per_second > 1
    assert 0 < run.p50_ms <= run.p99_ms
