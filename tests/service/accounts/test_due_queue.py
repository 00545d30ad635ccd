"""The due-queue: every row when it is due, once, and woken for."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from autospot.clock import SetClock, SystemClock
from autospot.domain.due import Due
from autospot.storage.mongo import Database, Session
from tests.support.clockwork import DEED, OTHER, Deed, Worker, running
from tests.support.services import eventually


async def test_a_row_is_done_when_it_is_due_and_not_before(worker: Worker, clock: SetClock) -> None:
    worker.clockwork.exactly_once(DEED, worker.insert)
    await worker.put(1, at=clock.now() + timedelta(minutes=5))

    assert await worker.clockwork.run_due() == 0
    clock.move(timedelta(minutes=5))
    assert await worker.clockwork.run_due() == 1
    assert await worker.clockwork.run_due() == 0
    assert await worker.deeds() == {1: 1}


async def test_a_row_put_twice_is_done_once_as_it_was_put_first(worker: Worker, clock: SetClock) -> None:
    worker.clockwork.exactly_once(DEED, worker.insert)
    await worker.put(1)
    await worker.schedule.put(DEED, "1", clock.now(), Deed(2))
    await worker.clockwork.run_due()
    assert await worker.deeds() == {1: 1}


async def test_a_row_can_be_moved_and_taken_back(worker: Worker, clock: SetClock) -> None:
    worker.clockwork.exactly_once(DEED, worker.insert)
    await worker.put(1, 2)
    await worker.schedule.move(DEED, "1", clock.now() + timedelta(hours=1), Deed(11))
    assert await worker.schedule.cancel(DEED, "2")
    assert not await worker.schedule.cancel(DEED, "2")

    assert await worker.clockwork.run_due() == 0
    clock.move(timedelta(hours=1))
    assert await worker.clockwork.run_due() == 1
    assert worker.did == [11]


async def test_a_row_is_only_there_if_its_cause_is(worker: Worker, clock: SetClock) -> None:
    worker.clockwork.exactly_once(DEED, worker.insert)

    async def cause(session: Session) -> None:
        await worker.schedule.put(DEED, "1", clock.now(), Deed(1), session=session)
        raise RuntimeError("the cause fails")

    with pytest.raises(RuntimeError):
        await worker.database.transaction(cause)
    assert await worker.clockwork.run_due() == 0


async def test_kinds_without_a_handler_here_are_left_to_others(worker: Worker) -> None:
    worker.clockwork.exactly_once(DEED, worker.insert)
    await worker.put(1, kind=OTHER)
    assert await worker.clockwork.run_due() == 0
    assert await worker.waiting() == 1


async def test_a_sleeping_worker_wakes_for_a_row_of_another_process(
    database: Database, mongo_url: str, people_db_name: str
) -> None:
    sleeper = Worker(database, SystemClock())
    sleeper.clockwork.exactly_once(DEED, sleeper.insert)
    await sleeper.put(1)
    other_process = Database(mongo_url, people_db_name)
    async with running(sleeper):
        await eventually(lambda: sleeper.did == [1])
        await Worker(other_process, SystemClock()).put(2)
        await eventually(lambda: sleeper.did == [1, 2], deadline_seconds=3)
    other_process.close()


async def test_a_sleeping_worker_wakes_when_a_row_falls_due(database: Database) -> None:
    sleeper = Worker(database, SystemClock())
    sleeper.clockwork.exactly_once(DEED, sleeper.insert)
    at = sleeper.clock.now() + timedelta(seconds=0.4)
    async with running(sleeper):
        await sleeper.put(1, at=at)
        await eventually(lambda: sleeper.did == [1], deadline_seconds=3)
    [row] = [row async for row in database.collection("deeds").find()]
    assert timedelta() <= row["at"] - at < timedelta(seconds=0.5)


async def test_a_kind_that_hangs_does_not_hold_up_another(database: Database) -> None:
    worker, release = Worker(database, SystemClock()), asyncio.Event()

    async def hang(deed: Deed, due: Due) -> None:
        await release.wait()
        worker.did.append(deed.number)

    worker.clockwork.at_least_once(DEED, hang)
    worker.clockwork.exactly_once(OTHER, worker.insert)
    await worker.put(*range(DEED.at_once * 2))
    async with running(worker):
        await worker.put(100, kind=OTHER)
        await eventually(lambda: worker.did == [100])
        release.set()
        await eventually(lambda: len(worker.did) == DEED.at_once * 2 + 1)


async def test_what_is_in_work_is_done_once_more_for_a_cause_that_came_meanwhile(
    worker: Worker, clock: SetClock
) -> None:
    async def told_again_while_at_it(deed: Deed, due: Due) -> None:
        worker.did.append(deed.number)
        if len(worker.did) == 1:
            await worker.schedule.ensure(DEED, "1", clock.now(), Deed(1))

    worker.clockwork.at_least_once(DEED, told_again_while_at_it)
    await worker.schedule.ensure(DEED, "1", clock.now(), Deed(1))
    assert await worker.clockwork.run_due() == 2
    assert (worker.did, await worker.waiting()) == ([1, 1], 0)


async def test_what_is_asked_for_several_times_is_done_at_the_first_and_at_the_last_of_them(
    worker: Worker, clock: SetClock
) -> None:
    worker.clockwork.exactly_once(DEED, worker.insert)
    for minutes in (20, 10, 30, 10):
        await worker.schedule.ensure(DEED, "1", clock.now() + timedelta(minutes=minutes), Deed(1))
    done = []
    for _ in range(4):
        clock.move(timedelta(minutes=10))
        done.append(await worker.clockwork.run_due())
    assert done == [1, 0, 1, 0]


async def test_what_is_asked_for_twice_at_one_time_is_done_once(worker: Worker, clock: SetClock) -> None:
    worker.clockwork.exactly_once(DEED, worker.insert)
    for _ in range(2):
        await worker.schedule.ensure(DEED, "1", clock.now(), Deed(1))
    assert await worker.clockwork.run_due() == 1
