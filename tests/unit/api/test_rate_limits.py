"""Allowances in moving windows, and a memory that cannot be filled."""

from __future__ import annotations

import pytest

from api import limits
from api.limits import DEFAULT_RATES, NO_RATES, LimitClass, MovingWindows, RateLimited, RateLimits, Rates, rates_times


class Seconds:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


def some_limits(seconds: Seconds, address: str | None = "3/minute", user: str | None = "2/minute") -> RateLimits:
    return RateLimits({LimitClass.READ: Rates(address, user)}, seconds)


def test_the_allowance_is_granted_and_then_refused_with_the_time_to_wait(seconds: Seconds) -> None:
    rate_limits = some_limits(seconds)
    left = []
    for _ in range(3):
        standing = rate_limits.hit_address(LimitClass.READ, "198.51.100.7")
        assert standing is not None
        left.append(standing.remaining)
        seconds.now += 10

    with pytest.raises(RateLimited) as refusal:
        rate_limits.hit_address(LimitClass.READ, "198.51.100.7")

    assert left == [2, 1, 0]
    assert refusal.value.after_seconds == pytest.approx(30)
    assert refusal.value.standing.headers() == {"RateLimit-Policy": '"read";q=3;w=60', "RateLimit": '"read";r=0;t=30'}


def test_one_place_comes_free_when_the_oldest_hit_leaves_the_window(seconds: Seconds) -> None:
    rate_limits = some_limits(seconds)
    for _ in range(3):
        rate_limits.hit_address(LimitClass.READ, "a")
        seconds.now += 10
    seconds.now += 31

    assert rate_limits.hit_address(LimitClass.READ, "a")
    with pytest.raises(RateLimited):
        rate_limits.hit_address(LimitClass.READ, "a")


def test_a_refused_hit_does_not_prolong_the_wait(seconds: Seconds) -> None:
    rate_limits = some_limits(seconds, address="1/minute")
    rate_limits.hit_address(LimitClass.READ, "a")
    for _ in range(20):
        seconds.now += 2
        with pytest.raises(RateLimited):
            rate_limits.hit_address(LimitClass.READ, "a")
    seconds.now += 21

    assert rate_limits.hit_address(LimitClass.READ, "a")


def test_addresses_users_and_classes_do_not_share_an_allowance(seconds: Seconds) -> None:
    rate_limits = RateLimits({each: Rates("1/minute", "1/minute") for each in LimitClass}, seconds)

    for limit_class in LimitClass:
        for subject in ("a", "b"):
            assert rate_limits.hit_address(limit_class, subject)
            assert rate_limits.hit_user(limit_class, subject)


def test_what_has_no_rate_is_not_counted(seconds: Seconds) -> None:
    rate_limits = RateLimits(NO_RATES, seconds)

    assert [rate_limits.hit_address(each, "a") for each in LimitClass] == [None] * len(LimitClass)


def test_every_class_has_a_default_and_guessing_is_tight() -> None:
    assert set(DEFAULT_RATES) == set(LimitClass)
    assert DEFAULT_RATES[LimitClass.CODE] == Rates(address="10/minute")


def test_an_operator_may_scale_all_allowances() -> None:
    assert rates_times(2)[LimitClass.CODE] == Rates(address="20/minute")
    assert rates_times(0.01)[LimitClass.CODE] == Rates(address="1/minute")
    assert rates_times(1) == DEFAULT_RATES


def test_at_most_so_many_subjects_are_remembered_and_the_longest_silent_goes_first(
    seconds: Seconds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SUBJECTS_LIMIT", 3)
    windows = MovingWindows(seconds)
    for subject in ("silent", "often", "silent too", "often", "new"):
        windows.acquire_entry(subject, 2, 60)

    assert not windows.acquire_entry("often", 2, 60), "heard from again, so it is remembered"
    assert windows.get("silent") == 0
    assert windows.get("silent too") == windows.get("new") == 1


def test_at_most_so_many_hits_are_remembered_in_all(seconds: Seconds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HITS_LIMIT", 10)
    windows = MovingWindows(seconds)
    for subject in range(100):
        for _ in range(3):
            windows.acquire_entry(str(subject), 5, 60)

    assert sum(windows.get(str(subject)) for subject in range(100)) <= 10
