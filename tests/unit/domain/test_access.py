"""The table of permissions, told from the side of the people it is about."""

from __future__ import annotations

from typing import Any

import pytest

from autospot.domain.access import RULES, Action, Principal, Role, Scope, lots_within, may, require
from autospot.domain.errors import Forbidden


def person(*roles: Role, lots: tuple[str, ...] = ()) -> Principal:
    return Principal("usr_1", frozenset(roles), frozenset(lots))


def api_key(*scopes: Scope, lots: tuple[str, ...] = ("harbour",), **extra: Any) -> Principal:
    return Principal("usr_1", scopes=frozenset(scopes), lots=frozenset(lots), kind="api_key", **extra)


def test_every_action_has_a_rule() -> None:
    assert set(RULES) == set(Action)


@pytest.mark.parametrize("role", Role)
def test_everybody_signed_in_has_an_account(role: Role) -> None:
    assert may(person(role), Action.ACCOUNT)


def test_somebody_without_any_role_may_nothing() -> None:
    assert [action for action in Action if may(person(lots=("harbour",)), action, "harbour")] == []


def test_a_driver_drives_and_does_no_more() -> None:
    driver = person(Role.DRIVER, lots=("harbour",))

    assert {action for action in Action if may(driver, action, "harbour")} == {Action.ACCOUNT, Action.DRIVE}


def test_an_operator_edits_the_lots_they_belong_to_and_no_other() -> None:
    operator = person(Role.OPERATOR, lots=("harbour",))

    assert may(operator, Action.EDIT_LOT, "harbour")
    assert not may(operator, Action.EDIT_LOT, "station")


def test_an_attendant_blocks_bays_but_does_not_edit_the_plan() -> None:
    attendant = person(Role.ATTENDANT, lots=("harbour",))

    assert may(attendant, Action.ATTEND_LOT, "harbour")
    assert not may(attendant, Action.EDIT_LOT, "harbour")


def test_an_admin_belongs_to_every_lot_but_drives_only_as_a_driver() -> None:
    admin = person(Role.ADMIN)

    assert may(admin, Action.EDIT_LOT, "any")
    assert lots_within(admin, Action.SEE_LOT) is None
    assert not may(admin, Action.DRIVE)


def test_a_key_needs_the_scope_and_the_lot() -> None:
    reader = api_key(Scope.LOT_READ)

    assert may(reader, Action.SEE_LOT, "harbour")
    assert not may(reader, Action.SEE_LOT, "station")
    assert not may(reader, Action.EDIT_LOT, "harbour")


def test_a_key_is_never_an_admin_or_a_person_whatever_roles_its_owner_has() -> None:
    key = api_key(*Scope, roles=frozenset(Role))

    assert lots_within(key, Action.SEE_LOT) == {"harbour"}
    assert {a for a in Action if may(key, a, "harbour")} == {a for a in Action if RULES[a].scope}


def test_a_listing_is_open_to_whoever_may_see_some_lot_and_is_filtered_by_theirs() -> None:
    operator = person(Role.OPERATOR, lots=("harbour",))

    assert may(operator, Action.SEE_LOT)
    assert lots_within(operator, Action.SEE_LOT) == {"harbour"}
    assert not may(person(Role.OPERATOR), Action.SEE_LOT)
    assert lots_within(person(Role.DRIVER, lots=("harbour",)), Action.SEE_LOT) == frozenset()


def test_a_refusal_says_the_same_for_every_lot() -> None:
    operator = person(Role.OPERATOR, lots=("harbour",))
    words = set()
    for lot in ("station", "no-such-lot"):
        with pytest.raises(Forbidden) as refusal:
            require(operator, Action.EDIT_LOT, lot)
        words.add(refusal.value.message)

    assert len(words) == 1
