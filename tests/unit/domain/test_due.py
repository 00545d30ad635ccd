"""What becomes of a due row that failed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from autospot.domain.due import Backoff, Due, GiveUp, failure_text, retry_at
from autospot.domain.errors import Conflict, Unavailable

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
BACKOFF = Backoff(attempts=5, first_seconds=2, longest_seconds=60)


def a_due(attempts: int = 1, until: datetime | None = None) -> Due:
    return Due("mail", "1", NOW, {}, attempts, until)


def test_the_rest_doubles_up_to_a_limit() -> None:
    rests = [BACKOFF.pause(attempts, roll=1.0).total_seconds() for attempts in (1, 2, 3, 6, 7, 500)]
    assert rests == [2, 4, 8, 60, 60, 60]


def test_chance_spreads_it_over_its_upper_half() -> None:
    assert [BACKOFF.pause(3, roll).total_seconds() for roll in (0.0, 0.5, 1.0)] == [4, 6, 8]


@pytest.mark.parametrize(
    ("due", "error", "again"),
    [
        (a_due(), Unavailable("later"), NOW + timedelta(seconds=2)),
        (a_due(), ValueError("a mistake"), NOW + timedelta(seconds=2)),
        (a_due(attempts=4), Unavailable("later"), NOW + timedelta(seconds=16)),
        (a_due(attempts=5), Unavailable("later"), None),
        (a_due(), GiveUp("never"), None),
        (a_due(), Conflict("it cannot be"), None),
        (a_due(until=NOW + timedelta(seconds=3)), Unavailable("later"), NOW + timedelta(seconds=2)),
        (a_due(until=NOW + timedelta(seconds=2)), Unavailable("later"), None),
    ],
)
def test_what_is_tried_again_and_when(due: Due, error: Exception, again: datetime | None) -> None:
    assert retry_at(due, BACKOFF, error, NOW, roll=1.0) == again


def test_a_foreign_errors_words_are_not_kept() -> None:
    assert failure_text(ValueError("password=hunter2")) == "ValueError"
    assert failure_text(GiveUp("no such address")) == "no such address"
