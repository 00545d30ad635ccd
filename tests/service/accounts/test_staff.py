"""People who work here: made by hand, given roles and lots, suspended."""

from __future__ import annotations

import pytest

from autospot.domain.access import Role
from autospot.domain.accounts.account import LOTS_PER_PERSON
from autospot.domain.audit import SYSTEM
from autospot.domain.errors import Conflict, InvalidInput, NotFound, Unauthenticated
from tests.support.people import Town

EMAIL = "otto@example.org"


async def test_a_member_signs_in_without_a_code(town: Town) -> None:
    account = await town.member(EMAIL, Role.OPERATOR, lots=("harbour",))
    assert (await town.sign_in(EMAIL)).account == account
    assert (account.roles, account.lots) == ({Role.OPERATOR}, {"harbour"})


async def test_an_address_has_one_account_whatever_its_case(town: Town) -> None:
    await town.member(EMAIL, Role.ADMIN)
    with pytest.raises(Conflict) as refused:
        await town.member("Otto@Example.org", Role.ADMIN)
    assert refused.value.code == "email_taken"


async def test_new_roles_end_what_the_old_ones_allowed(town: Town) -> None:
    await town.member(EMAIL, Role.OPERATOR, lots=("harbour",))
    signed_in = await town.sign_in(EMAIL)

    await town.people.staff.grant(EMAIL, roles={Role.ATTENDANT}, lots={"market"}, actor=SYSTEM)

    with pytest.raises(Unauthenticated):
        await town.people.sign_in.refresh(signed_in.refresh_token)
    again = await town.sign_in(EMAIL)
    assert (again.account.roles, again.account.lots) == ({Role.ATTENDANT}, {"market"})


async def test_every_grant_is_in_the_log_with_before_and_after(town: Town) -> None:
    await town.member(EMAIL, Role.OPERATOR, lots=("harbour",))
    await town.people.staff.grant(EMAIL, roles={Role.OPERATOR}, lots={"harbour", "market"}, actor=SYSTEM)
    entry = await town.database.collection("audit").find_one({"action": "account.roles_changed"})
    assert entry is not None
    assert (entry["before"], entry["after"]) == ({"lots": ["harbour"]}, {"lots": ["harbour", "market"]})


async def test_suspending_twice_is_refused(town: Town) -> None:
    await town.member(EMAIL, Role.OPERATOR)
    await town.people.staff.step(EMAIL, "suspend", SYSTEM)
    with pytest.raises(Conflict):
        await town.people.staff.step(EMAIL, "suspend", SYSTEM)


@pytest.mark.parametrize(
    ("roles", "lots"),
    [
        (set(), set()),
        ({Role.DRIVER}, {"harbour"}),
        ({Role.ADMIN}, {"harbour"}),
        ({Role.OPERATOR}, {f"lot-{number}" for number in range(LOTS_PER_PERSON + 1)}),
    ],
)
async def test_roles_and_lots_must_fit_together(town: Town, roles: set[Role], lots: set[str]) -> None:
    await town.member(EMAIL, Role.OPERATOR)
    with pytest.raises(InvalidInput):
        await town.people.staff.grant(EMAIL, roles=roles, lots=lots, actor=SYSTEM)


async def test_there_must_be_such_a_person(town: Town) -> None:
    with pytest.raises(NotFound):
        await town.people.staff.grant("nobody@example.org", roles={Role.ADMIN}, lots=(), actor=SYSTEM)


async def test_the_list_of_staff_leaves_drivers_out(town: Town) -> None:
    await town.driver()
    await town.member(EMAIL, Role.OPERATOR)
    await town.member("ada@example.org", Role.ADMIN)
    assert [account.email async for account in town.people.staff.all()] == ["ada@example.org", EMAIL]
