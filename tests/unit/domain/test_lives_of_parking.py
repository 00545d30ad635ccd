"""Sessions, assignments and wishes live by their tables."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from autospot.domain import assignment, parking_session, waiting
from autospot.domain.assignment import KEPT_FOR, LONGEST, Assignment
from autospot.domain.errors import Conflict, InvalidInput
from autospot.domain.parking_session import ParkingSession, SessionState, bay_code, parse_bay_code
from autospot.domain.period import Period
from autospot.domain.waiting import Wish
from tests.support.bookings import at, between


def an_assignment(**changes: Any) -> Assignment:
    fields: dict[str, Any] = {
        "id": "asg_1",
        "owner": "usr_dora",
        "lot": "harbour",
        "bay": "B1",
        "promise": "prm_1",
        "period": Period(at(10), at(10) + KEPT_FOR),
        "made_at": at(10),
    }
    return Assignment(**(fields | changes))


def a_session(**changes: Any) -> ParkingSession:
    fields: dict[str, Any] = {
        "id": "ses_1",
        "owner": "usr_dora",
        "lot": "harbour",
        "bay": "B1",
        "bay_kind": "general",
        "kind": "app",
        "began_at": at(10),
    }
    return ParkingSession(**(fields | changes))


def a_wish(**changes: Any) -> Wish:
    fields: dict[str, Any] = {
        "id": "wsh_1",
        "owner": "usr_dora",
        "lot": "harbour",
        "kind": "general",
        "period": between(10, 12),
        "made_at": at(8),
    }
    return Wish(**(fields | changes))


@pytest.mark.parametrize(
    ("make", "states", "steps", "table"),
    [
        (an_assignment, assignment.AssignmentState, assignment.AssignmentStep, assignment.TRANSITIONS),
        (a_session, parking_session.SessionState, parking_session.SessionStep, parking_session.TRANSITIONS),
        (a_wish, waiting.WishState, waiting.WishStep, waiting.TRANSITIONS),
    ],
)
def test_a_step_leads_where_the_table_says_or_is_refused(make: Any, states: Any, steps: Any, table: Any) -> None:
    for state, step in product(states, steps):
        before = make(state=state)
        if (state, step) in table:
            after = before.after(step)
            assert (after.state, after.version) == (table[state, step], before.version + 1)
        else:
            with pytest.raises(Conflict) as refusal:
                before.after(step)
            assert refusal.value.code == "illegal_step"


def test_an_assignment_is_renewed_from_the_moment_of_asking_and_not_for_ever() -> None:
    made = an_assignment()
    assert made.renewed_period(at(10, 10)) == Period(at(10), at(10, 25))
    assert made.renewed_period(at(10) + LONGEST - KEPT_FOR).until == at(11)
    with pytest.raises(Conflict) as refusal:
        made.renewed_period(at(10) + LONGEST - KEPT_FOR + timedelta(seconds=1))
    assert refusal.value.code == "kept_too_long"


def test_a_session_never_ends_before_it_began() -> None:
    ended = a_session().ended(at(9))
    assert (ended.state, ended.ended_at) == (SessionState.ENDED, at(10))


def test_the_code_on_a_sign_names_lot_and_bay() -> None:
    assert parse_bay_code(bay_code("harbour", "B001")) == ("harbour", "B001")
    assert parse_bay_code("AUTOSPOT:harbour/B001") == ("harbour", "B001")
    for text in ("", "harbour/B001", "autospot:harbour", "autospot:harbour/B 1", "autospot:a/b/c", "autospot:/B1"):
        with pytest.raises(InvalidInput):
            parse_bay_code(text)
