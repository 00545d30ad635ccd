"""Writing behind: little while readings come in, most of the machine when they have stopped."""

from __future__ import annotations

import pytest

from hub.budget import PAUSE_MOST_SECONDS, Budget, Pace
from tests.support.services import eventually

BUSY, QUIET = Pace(batch=100, pause_factor=4), Pace(batch=500, pause_factor=0.25)


async def test_news_make_the_pace_small_until_there_has_been_none_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.budget.QUIET_AFTER_SECONDS", 0.05)
    budget = Budget()
    budget.note_news()
    assert budget.pace(busy=BUSY, quiet=QUIET) is BUSY
    await eventually(lambda: budget.pace(busy=BUSY, quiet=QUIET) is QUIET)
    budget.note_news()
    assert budget.pace(busy=BUSY, quiet=QUIET) is BUSY


def test_a_pause_is_a_multiple_of_the_work_and_has_an_end() -> None:
    assert BUSY.pause_seconds(0.01) == pytest.approx(0.04)
    assert QUIET.pause_seconds(0.1) == pytest.approx(0.025)
    assert BUSY.pause_seconds(60) == PAUSE_MOST_SECONDS
