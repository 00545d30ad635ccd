"""What an audit entry shows of a change."""

from __future__ import annotations

from autospot.domain.access import Principal, Role
from autospot.domain.audit import HIDDEN, Actor, actor_of, differences


def test_only_what_differs_is_shown() -> None:
    before = {"closed": False, "reason": None, "kind": "ev"}
    after = {"closed": True, "reason": "paint", "kind": "ev"}
    assert differences(before, after) == ({"closed": False, "reason": None}, {"closed": True, "reason": "paint"})


def test_a_field_that_came_or_went_is_shown_on_its_side() -> None:
    assert differences({"sign": "S1"}, {"lamp": "L1"}) == ({"sign": "S1"}, {"lamp": "L1"})


def test_personal_values_are_hidden_but_the_change_is_not() -> None:
    before, after = differences({"name": "Dora", "plate": "DE:BAB1"}, {"name": "Dora Bell", "plate": "DE:BAB2"})
    assert before == after == {"name": HIDDEN, "plate": HIDDEN}


def test_a_person_acts_under_his_id_and_a_machine_under_its_keys() -> None:
    person = Principal("usr_1", frozenset({Role.OPERATOR}), session_id="fam_1")
    machine = Principal("usr_1", session_id="key_1", kind="api_key")
    assert actor_of(person, "request-1") == Actor("user", "usr_1", "request-1")
    assert actor_of(machine, "request-1") == Actor("api_key", "key_1", "request-1")
