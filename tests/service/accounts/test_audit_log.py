"""The audit log: with the change or not at all, and read by those concerned."""

from __future__ import annotations

from datetime import timedelta

import pytest

from autospot.domain.access import Principal, Role, Scope
from autospot.domain.audit import Actor
from autospot.domain.errors import Forbidden
from autospot.storage.mongo import Session
from tests.support.people import Town

ACTOR = Actor("user", "usr_otto", "request-1")
HARBOUR = Principal("usr_otto", frozenset({Role.OPERATOR}), frozenset({"harbour"}))
ADMIN = Principal("usr_ada", frozenset({Role.ADMIN}))


async def record(town: Town, action: str, lot: str | None, *, then_fail: bool = False) -> None:
    async def work(session: Session) -> None:
        now = town.clock.now()
        await town.people.audit.record(
            session, ACTOR, action, "B017", now, lot=lot, before={"closed": False}, after={"closed": True}
        )
        if then_fail:
            raise RuntimeError("the change fails")

    await town.database.transaction(work)


async def actions(town: Town, principal: Principal, lot: str | None = None) -> list[str]:
    return [entry.action for entry in await town.people.audit.newest(principal, 50, lot=lot)]


async def test_a_change_that_fails_leaves_no_entry(town: Town) -> None:
    with pytest.raises(RuntimeError):
        await record(town, "bay.closed", "harbour", then_fail=True)
    assert await actions(town, ADMIN) == []


async def test_operators_read_their_lots_and_admins_all(town: Town) -> None:
    for action, lot in (("bay.closed", "harbour"), ("bay.opened", "market"), ("account.made", None)):
        town.clock.move(timedelta(seconds=1))
        await record(town, action, lot)

    assert await actions(town, HARBOUR) == ["bay.closed"]
    assert await actions(town, HARBOUR, "harbour") == ["bay.closed"]
    assert await actions(town, ADMIN) == ["account.made", "bay.opened", "bay.closed"]
    assert await actions(town, ADMIN, "market") == ["bay.opened"]
    with pytest.raises(Forbidden):
        await actions(town, HARBOUR, "market")
    with pytest.raises(Forbidden):
        await actions(town, Principal("usr_dora", frozenset({Role.DRIVER})))


async def test_a_key_with_the_scope_reads_its_lots(town: Town) -> None:
    await record(town, "bay.closed", "harbour")
    key = Principal("usr_otto", lots=frozenset({"harbour"}), scopes=frozenset({Scope.AUDIT_READ}), kind="api_key")
    blind = Principal("usr_otto", lots=frozenset({"harbour"}), scopes=frozenset({Scope.LOT_READ}), kind="api_key")

    assert await actions(town, key) == ["bay.closed"]
    with pytest.raises(Forbidden):
        await actions(town, blind)


async def test_pages_follow_each_other_without_gap_or_overlap(town: Town) -> None:
    for number in range(7):
        if number % 2:
            town.clock.move(timedelta(seconds=1))
        await record(town, f"step.{number}", "harbour")

    seen, before = [], None
    while page := await town.people.audit.newest(HARBOUR, 3, before=before):
        seen += [entry.action for entry in page]
        before = (page[-1].at, page[-1].id)
    assert sorted(seen) == [f"step.{number}" for number in range(7)]
