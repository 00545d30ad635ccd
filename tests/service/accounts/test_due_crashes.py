"""The due-queue with several workers, some of which die: everything once all the same."""

from __future__ import annotations

import asyncio
import random
import sys
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from autospot.clock import SetClock, SystemClock
from autospot.storage.due import INDEXES
from autospot.storage.mongo import Database
from tests.support.clockwork import DEED, OTHER, Worker, fewer_than, running
from tests.support.services import MongodServer, eventually

WORKER = Path(__file__).parents[2] / "support" / "due_worker.py"


async def test_four_workers_do_two_hundred_rows_once_each(database: Database, clock: SetClock) -> None:
    workers = [Worker(database, clock) for _ in range(4)]
    for worker in workers:
        worker.clockwork.exactly_once(DEED, worker.insert)
        worker.clockwork.at_least_once(OTHER, worker.note)
    await workers[0].put(*range(100))
    await workers[0].put(*range(100, 200), kind=OTHER)

    await asyncio.gather(*(worker.clockwork.run_due() for worker in workers))

    assert await workers[0].deeds() == Counter(range(100))
    # A transaction that met another one works again: only what it stored counts. `note` is outside of any.
    noted = sorted(number for worker in workers for number in worker.did if number >= 100)
    assert noted == list(range(100, 200))
    assert len([worker for worker in workers if worker.did]) > 1


@pytest.mark.slow
async def test_killed_workers_repeat_nothing_and_leave_nothing(make_mongod: Callable[..., MongodServer]) -> None:
    """`kill -9` of working processes, at moments that a seed chooses."""
    seed = random.randrange(10**6)
    moments = random.Random(seed)
    server = await asyncio.to_thread(make_mongod)
    me = Worker(Database(server.url, "killed"), SystemClock())
    await me.database.prepare(INDEXES)
    await end_dead_transactions_within_a_second(me.database)
    await me.put(*range(120))
    workers = [await start_worker(server.url) for _ in range(2)]
    try:
        for kill in range(3):
            await eventually(fewer_than(me, await me.waiting()), deadline_seconds=20)
            await asyncio.sleep(moments.random() * 0.05)  # the moment of death, not a wait for something
            workers[kill % 2].kill()
            await workers[kill % 2].wait()
            workers[kill % 2] = await start_worker(server.url)
        await eventually(fewer_than(me, 1), deadline_seconds=20)
    finally:
        for worker in workers:
            worker.kill()
            await worker.wait()

    assert await me.deeds() == Counter(range(120)), f"seed {seed}"
    me.database.close()


async def start_worker(url: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(sys.executable, str(WORKER), url, "killed", cwd=WORKER.parents[2])


async def end_dead_transactions_within_a_second(database: Database) -> None:
    await database.client.admin.command({"setParameter": 1, "transactionLifetimeLimitSeconds": 1})


async def test_a_row_that_a_dead_transaction_holds_does_not_hold_up_the_others(worker: Worker, clock: SetClock) -> None:
    worker.clockwork.exactly_once(DEED, worker.insert)
    await worker.put(1, at=clock.now() - timedelta(minutes=1))
    await worker.put(2)
    async with await worker.database.client.start_session() as session, session.start_transaction():
        await worker.database.collection("due").delete_one({"_id": "deed:1"}, session=session)
        async with asyncio.timeout(5):
            assert await worker.clockwork.run_due() == 1
        assert worker.did == [2]
        await session.abort_transaction()
    assert await worker.clockwork.run_due() == 1


async def test_what_a_dead_worker_had_claimed_falls_due_again_after_its_lease(worker: Worker, clock: SetClock) -> None:
    worker.clockwork.exactly_once(DEED, worker.insert)
    await worker.put(1)
    assert await worker.rows.claim(["deed"], clock.now(), DEED.lease)  # and then it dies

    clock.move(DEED.lease - timedelta(seconds=1))
    assert await worker.clockwork.run_due() == 0
    clock.move(timedelta(seconds=1))
    assert await worker.clockwork.run_due() == 1


async def test_a_worker_that_lost_its_lease_changes_nothing(database: Database, clock: SetClock) -> None:
    """It stalls past its lease; another does the row; then it goes on."""
    slow, quick = Worker(database, clock), Worker(database, clock)
    quick.clockwork.exactly_once(DEED, quick.insert)
    await slow.put(1)
    claimed = await slow.rows.claim(["deed"], clock.now(), DEED.lease)
    assert claimed is not None
    clock.move(DEED.lease)
    await quick.clockwork.run_due()

    await slow.put(1)  # the same key again, for a new reason: not the stalled worker's row either
    assert not await slow.rows.finish(claimed)
    await slow.rows.retry(claimed, clock.now(), "late")
    await slow.rows.bury(claimed, clock.now(), "late")
    assert await slow.waiting() == 1
    assert await slow.deeds() == {1: 1}


async def test_work_begun_after_the_lease_was_lost_does_not_count(database: Database, clock: SetClock) -> None:
    slow, quick = Worker(database, clock), Worker(database, clock)
    slow.clockwork.exactly_once(DEED, slow.insert)
    quick.clockwork.exactly_once(DEED, quick.insert)
    await slow.put(1)
    claimed = await slow.clockwork._claim()
    assert claimed is not None
    clock.move(DEED.lease)
    await quick.clockwork.run_due()

    await slow.clockwork._work(claimed)
    assert await slow.deeds() == {1: 1}
    assert await slow.rows.dead(10) == []


async def test_the_clockwork_goes_on_after_the_database_was_away(make_mongod: Callable[..., MongodServer]) -> None:
    server = await asyncio.to_thread(make_mongod)
    database = Database(server.url, "away")
    await database.prepare(INDEXES)
    worker = Worker(database, SystemClock())
    worker.clockwork.exactly_once(DEED, worker.insert)
    async with running(worker):
        await worker.put(1)
        await eventually(fewer_than(worker, 1))
        server.kill()
        await asyncio.to_thread(server.start)
        await worker.put(2)
        await eventually(fewer_than(worker, 1), deadline_seconds=20)
    assert await worker.deeds() == {1: 1, 2: 1}
    database.close()
