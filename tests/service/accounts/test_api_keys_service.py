"""API keys: no more rights than their maker, shown once, gone at once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from autospot.domain.access import Principal, Role, Scope
from autospot.domain.accounts.api_key import API_KEY_LIFETIME, API_KEY_PREFIX, USE_NOTED_EVERY
from autospot.domain.audit import SYSTEM
from autospot.domain.errors import Forbidden, NotFound, Unauthenticated
from autospot.services.accounts.api_keys import CHECKED_AGAIN_AFTER, MadeKey
from tests.support.people import Town

OTTO = Principal("usr_otto", frozenset({Role.OPERATOR}), frozenset({"harbour", "market"}), session_id="fam_1")
OLGA = Principal("usr_olga", frozenset({Role.OPERATOR}), frozenset({"airport"}), session_id="fam_2")
ADMIN = Principal("usr_ada", frozenset({Role.ADMIN}), session_id="fam_3")


async def make(town: Town, principal: Principal = OTTO, *lots: str) -> MadeKey:
    return await town.people.api_keys.make(
        principal, "gate camera", {Scope.LOT_READ}, lots or ("harbour",), API_KEY_LIFETIME, "request-1"
    )


async def test_a_key_is_a_principal_with_its_scopes_and_lots(town: Town) -> None:
    made = await make(town)
    proof = await town.people.api_keys.authenticate(made.secret)

    assert made.secret.startswith(API_KEY_PREFIX)
    assert proof.until == town.clock.now() + CHECKED_AGAIN_AFTER
    assert proof.principal == Principal(
        OTTO.user_id,
        lots=frozenset({"harbour"}),
        scopes=frozenset({Scope.LOT_READ}),
        session_id=made.key.id,
        kind="api_key",
    )


async def test_the_secret_is_stored_nowhere(town: Town) -> None:
    made = await make(town)
    rows = [repr(row) async for row in town.database.collection("api_keys").find()]
    assert len(rows) == 1
    assert made.secret not in rows[0]


async def test_nobody_makes_a_key_for_a_lot_that_is_not_his(town: Town) -> None:
    with pytest.raises(Forbidden):
        await make(town, OTTO, "harbour", "airport")
    with pytest.raises(Forbidden):
        await make(town, Principal("usr_dora", frozenset({Role.DRIVER})), "harbour")


async def test_operators_see_and_revoke_only_keys_of_their_own_lots(town: Town) -> None:
    made, wide = await make(town), await make(town, ADMIN, "harbour", "airport")
    cabinet = town.people.api_keys

    assert [key.id for key in await cabinet.shown_to(OTTO)] == [made.key.id]
    assert await cabinet.shown_to(OLGA) == []
    assert {key.id for key in await cabinet.shown_to(ADMIN)} == {made.key.id, wide.key.id}
    with pytest.raises(NotFound):
        await cabinet.revoke(OLGA, made.key.id, "request-2")
    with pytest.raises(NotFound):
        await cabinet.revoke(OTTO, wide.key.id, "request-2")
    await cabinet.authenticate(made.secret)


async def test_a_revoked_key_opens_nothing_from_then_on(town: Town) -> None:
    made = await make(town)
    await town.people.api_keys.revoke(OTTO, made.key.id, "request-2")
    with pytest.raises(Unauthenticated):
        await town.people.api_keys.authenticate(made.secret)


async def test_a_key_expires(town: Town) -> None:
    made = await make(town)
    town.clock.move(API_KEY_LIFETIME)
    with pytest.raises(Unauthenticated):
        await town.people.api_keys.authenticate(made.secret)


async def test_the_last_use_is_noted_about_every_minute(town: Town) -> None:
    made, authenticate = await make(town), town.people.api_keys.authenticate
    first = town.clock.now()
    await authenticate(made.secret)
    town.clock.move(timedelta(seconds=10))
    await authenticate(made.secret)
    [key] = await town.people.api_keys.shown_to(OTTO)
    assert key.last_used_at == first

    second = town.clock.move(USE_NOTED_EVERY)
    await authenticate(made.secret)
    [key] = await town.people.api_keys.shown_to(OTTO)
    assert key.last_used_at == second


async def test_who_loses_his_roles_loses_his_keys(town: Town) -> None:
    account = await town.member("otto@example.org", Role.OPERATOR, lots=("harbour",))
    made = await make(town, Principal(account.id, account.roles, account.lots))
    await town.people.staff.grant("otto@example.org", roles={Role.DRIVER}, lots=(), actor=SYSTEM)
    with pytest.raises(Unauthenticated):
        await town.people.api_keys.authenticate(made.secret)


async def test_every_lot_of_a_key_has_the_entry_in_its_log(town: Town) -> None:
    made = await make(town, OTTO, "harbour", "market")
    await town.people.api_keys.revoke(OTTO, made.key.id, "request-2")

    entries = await town.people.audit.newest(OTTO, 10, subject=made.key.id)
    assert sorted((entry.lot, entry.action) for entry in entries) == [
        ("harbour", "api_key.made"),
        ("harbour", "api_key.revoked"),
        ("market", "api_key.made"),
        ("market", "api_key.revoked"),
    ]
