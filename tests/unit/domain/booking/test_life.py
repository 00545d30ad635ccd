"""The life of a booking is the table, and nothing else."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from autospot.domain.booking.life import OPEN, TRANSITIONS, BookingState, IllegalStep, Step, diagram, state_after
from tests.support.bookings import a_booking, at


@pytest.mark.parametrize(("state", "step"), list(product(BookingState, Step)))
def test_a_step_leads_where_the_table_says_or_is_refused(state: BookingState, step: Step) -> None:
    before = a_booking(state=state)
    if (state, step) in TRANSITIONS:
        after = before.after(step, at(9), "driver", "because")
        assert (after.state, after.version) == (TRANSITIONS[state, step], before.version + 1)
        assert (after.events[-1].what, after.events[-1].reason) == (step.value, "because")
    else:
        with pytest.raises(IllegalStep):
            before.after(step, at(9), "driver")


def test_what_is_over_stays_over() -> None:
    assert {state for state, _step in TRANSITIONS} == OPEN


def test_every_state_can_be_reached() -> None:
    reached = {BookingState.HELD, BookingState.CONFIRMED}
    for _ in BookingState:
        reached |= {after for (state, _step), after in TRANSITIONS.items() if state in reached}
    assert reached == set(BookingState)


def test_nobody_is_a_no_show_once_he_was_there() -> None:
    with pytest.raises(IllegalStep):
        state_after(BookingState.ACTIVE, Step.MISS)


def test_the_diagram_shows_every_transition() -> None:
    lines = diagram().splitlines()
    assert sum(": " in line and "[*]" not in line for line in lines) == len(TRANSITIONS)


def test_the_page_about_bookings_shows_this_diagram() -> None:
    page = (Path(__file__).parents[4] / "docs" / "bookings.md").read_text()
    assert f"```mermaid\n{diagram()}\n```" in page
