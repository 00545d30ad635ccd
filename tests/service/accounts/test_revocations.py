"""What ended is known everywhere: the sessions that other processes, or a thief's mistake, brought to an end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from autospot.domain.access import Principal, Role, Scope
from autospot.domain.accounts.sign_in import ACCESS_LIFETIME, REPEAT_GRACE
from autospot.domain.audit import SYSTEM
from autospot.domain.errors import Unauthenticated
from autospot.services.revocations import MARGIN
from autospot.storage.mongo import Database
from autospot.storage.people import DECLARED
from tests.support.people import Town, a_town
from tests.support.services import MongodServer, eventually

EMAIL = "dora@example.org"


@asynccontextmanager
async def listening(town: Town) -> AsyncIterator[list[str]]:
    """A process that follows the signals; yields the sessions it was told to close."""
    closed: list[str] = []
    town.people.revocations.on_session_revoked(closed.append)
    heard = asyncio.Event()
    town.people.signals.on_resync(heard.set)
    tasks = [asyncio.create_task(town.people.signals.run()), asyncio.create_task(town.people.revocations.run())]
    await asyncio.wait_for(heard.wait(), 5)
    try:
        yield closed
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def test_every_process_hears_that_a_sign_in_ended(town: Town, database: Database) -> None:
    signed_in, other_process = await town.driver(EMAIL), a_town(database)
    async with listening(other_process) as closed:
        await town.people.sign_in.sign_out(signed_in.refresh_token, everywhere=False)
        await eventually(lambda: closed == [signed_in.family.id])
    assert other_process.people.revocations.is_revoked(signed_in.family.id)
    assert not other_process.people.revocations.is_revoked("fam_other")


async def test_reuse_of_a_refresh_token_closes_the_familys_sockets(town: Town) -> None:
    signed_in = await town.driver(EMAIL)
    await town.people.sign_in.refresh(signed_in.refresh_token)
    town.clock.move(REPEAT_GRACE + timedelta(seconds=1))
    async with listening(town) as closed:
        with suppress(Unauthenticated):
            await town.people.sign_in.refresh(signed_in.refresh_token)
        await eventually(lambda: closed == [signed_in.family.id])


async def test_every_end_of_an_identity_is_heard_once(town: Town) -> None:
    first, second = await town.driver(EMAIL), await town.sign_in(EMAIL)
    otto = Principal("usr_otto", frozenset({Role.OPERATOR}), frozenset({"harbour"}))
    key = await town.people.api_keys.make(otto, "camera", {Scope.LOT_READ}, {"harbour"}, timedelta(days=1), "request-1")
    async with listening(town) as closed:
        await town.people.staff.step(EMAIL, "suspend", SYSTEM)
        await town.people.staff.step(EMAIL, "restore", SYSTEM)
        await town.people.api_keys.revoke(otto, key.key.id, "request-2")
        await eventually(lambda: key.key.id in closed)
    assert sorted(closed) == sorted([first.family.id, second.family.id, key.key.id])


async def test_what_ended_before_the_start_is_read_and_what_ended_long_ago_is_not(
    town: Town, database: Database
) -> None:
    old = await town.driver(EMAIL)
    await town.people.sign_in.sign_out(old.refresh_token, everywhere=False)
    town.clock.move(ACCESS_LIFETIME + MARGIN + timedelta(seconds=1))
    fresh = await town.sign_in(EMAIL)
    await town.people.sign_in.sign_out(fresh.refresh_token, everywhere=False)

    process = a_town(database)
    process.clock.move(town.clock.now() - process.clock.now())
    await process.people.revocations.load()

    assert process.people.revocations.is_revoked(fresh.family.id)
    assert not process.people.revocations.is_revoked(old.family.id)


async def test_memory_holds_no_more_than_the_last_minutes(town: Town) -> None:
    first = await town.driver(EMAIL)
    await town.people.sign_in.sign_out(first.refresh_token, everywhere=False)
    await town.people.revocations.load()
    town.clock.move(ACCESS_LIFETIME + MARGIN + timedelta(seconds=1))
    second = await town.sign_in(EMAIL)
    await town.people.sign_in.sign_out(second.refresh_token, everywhere=False)
    await town.people.revocations.load()

    assert not town.people.revocations.is_revoked(first.family.id)
    assert town.people.revocations.is_revoked(second.family.id)


async def test_what_ended_while_the_database_was_away_is_read_after(make_mongod: Callable[..., MongodServer]) -> None:
    server = await asyncio.to_thread(make_mongod)
    database, beside = Database(server.url, "people"), Database(server.url, "people")
    await database.prepare(DECLARED)
    deaf, writer = a_town(database), a_town(beside)
    otto = await writer.member("otto@example.org", Role.OPERATOR)
    signed_in = await writer.people.sign_in.begin(otto, "test")
    async with listening(deaf) as closed:
        server.kill()
        await asyncio.to_thread(server.start)
        await writer.people.sign_in.sign_out(signed_in.refresh_token, everywhere=False)
        await eventually(lambda: closed == [signed_in.family.id], deadline_seconds=20)
    for each in (database, beside):
        each.close()
