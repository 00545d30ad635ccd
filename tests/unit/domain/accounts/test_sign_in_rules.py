"""What the use of a refresh token means, and what a guess at a code is worth."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from autospot.domain.accounts.account import TRANSITIONS, AccountState, AccountStep, after, email_key
from autospot.domain.accounts.one_time_code import (
    CODE_LIFETIME,
    CODE_TRIES,
    CODES_PER_DAY,
    CODES_PER_HOUR,
    IssuedCode,
    may_issue,
    new_code,
    opens,
)
from autospot.domain.accounts.sign_in import (
    FAMILY_LIFETIME,
    REFRESH_LIFETIME,
    REPEAT_GRACE,
    Family,
    RefreshToken,
    begin_family,
    is_recent,
    judge_refresh,
    refresh_expiry,
)
from autospot.domain.accounts.vehicle import PLATE_MEMORY, forget_at
from autospot.domain.errors import Conflict

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def a_family(*, revoked_at: datetime | None = None, began_at: datetime = NOW) -> Family:
    return Family("fam_1", "usr_1", "phone", began_at, began_at + FAMILY_LIFETIME, revoked_at)


def a_token(*, used_at: datetime | None = None, expires_at: datetime = NOW + REFRESH_LIFETIME) -> RefreshToken:
    return RefreshToken(b"hash", "fam_1", expires_at, used_at)


@pytest.mark.parametrize(
    ("token", "family", "verdict"),
    [
        (a_token(), a_family(), "rotate"),
        (a_token(used_at=NOW), a_family(), "repeat"),
        (a_token(used_at=NOW - REPEAT_GRACE), a_family(), "repeat"),
        (a_token(used_at=NOW - REPEAT_GRACE - SECOND), a_family(), "reuse"),
        (a_token(expires_at=NOW), a_family(), "over"),
        (a_token(), a_family(revoked_at=NOW - SECOND), "over"),
        (a_token(used_at=NOW - timedelta(days=1)), a_family(revoked_at=NOW - SECOND), "over"),
        (a_token(used_at=NOW), a_family(revoked_at=NOW - SECOND), "over"),
        (a_token(), a_family(began_at=NOW - FAMILY_LIFETIME), "over"),
        (a_token(used_at=NOW - timedelta(days=1), expires_at=NOW - SECOND), a_family(), "reuse"),
    ],
)
def test_what_presenting_a_token_means(token: RefreshToken, family: Family, verdict: str) -> None:
    assert judge_refresh(token, family, NOW) == verdict


def test_no_token_outlives_its_family() -> None:
    family = begin_family("fam_1", "usr_1", "x" * 1000, NOW)
    late = family.ends_at - timedelta(days=1)
    assert refresh_expiry(family, NOW) == NOW + REFRESH_LIFETIME
    assert refresh_expiry(family, late) == family.ends_at
    assert len(family.client) == 200


def test_recent_is_a_quarter_of_an_hour() -> None:
    assert is_recent(a_family(), NOW + timedelta(minutes=15))
    assert not is_recent(a_family(), NOW + timedelta(minutes=15) + SECOND)


def a_code(*, tries_left: int = CODE_TRIES, expires_at: datetime = NOW + CODE_LIFETIME) -> IssuedCode:
    return IssuedCode(b"right", expires_at, tries_left)


@pytest.mark.parametrize(
    ("issued", "guess", "is_open"),
    [
        (a_code(), b"right", True),
        (a_code(tries_left=1), b"right", True),
        (a_code(), b"wrong", False),
        (a_code(tries_left=0), b"right", False),
        (a_code(expires_at=NOW), b"right", False),
        (None, b"right", False),
        (None, b"", False),
    ],
)
def test_what_a_guess_opens(issued: IssuedCode | None, guess: bytes, is_open: bool) -> None:
    assert opens(issued, guess, NOW) is is_open


def test_codes_are_six_digits_and_all_different_enough() -> None:
    codes = {new_code() for _ in range(500)}
    assert all(len(code) == 6 and code.isdigit() for code in codes)
    assert len(codes) > 490


def test_an_address_gets_three_codes_an_hour_and_five_a_day() -> None:
    def issued(*minutes_ago: int) -> list[datetime]:
        return [NOW - timedelta(minutes=minutes) for minutes in minutes_ago]

    assert may_issue([], NOW)
    assert may_issue(issued(59, 58), NOW)
    assert not may_issue(issued(59, 58, 1), NOW)
    assert may_issue(issued(61, 60, 1), NOW)
    assert not may_issue(issued(1000, 900, 800, 700, 600), NOW)
    assert may_issue(issued(24 * 60, 900, 800, 700, 600), NOW)
    assert (CODES_PER_HOUR, CODES_PER_DAY) == (3, 5)


STATES: tuple[AccountState, ...] = ("active", "suspended", "closed")
STEPS: tuple[AccountStep, ...] = ("suspend", "restore", "close")


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("step", STEPS)
def test_an_account_takes_the_steps_of_the_table_and_no_other(state: AccountState, step: AccountStep) -> None:
    if (state, step) in TRANSITIONS:
        assert after(state, step) == TRANSITIONS[state, step]
    else:
        with pytest.raises(Conflict):
            after(state, step)


def test_addresses_that_people_do_not_tell_apart_are_one() -> None:
    assert email_key(" Ann@Example.ORG ") == email_key("ann@example.org")


def test_a_plate_outlives_its_last_session_by_thirty_days() -> None:
    assert forget_at(None, NOW) == NOW
    assert forget_at(NOW - timedelta(days=10), NOW) == NOW + timedelta(days=20)
    assert forget_at(NOW - PLATE_MEMORY * 2, NOW) == NOW
