"""The due-queue: everything once, in time, through crashes, and nothing held up by what fails."""

from __future__ import annotations

import asyncio
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from autospot.clock import Clock, SetClock, SystemClock
from autospot.domain.due import Backoff, Due, GiveUp
from autospot.domain.errors import Unavailable
from autospot.services.clockwork import Clockwork, DueKind, Schedule
from autospot.services.signals import Signals
from autospot.storage.due import INDEXES, DueRows
from autospot.storage.mongo import Database, Session
from tests.support.people import present
from tests.support.services import MongodServer, eventually

WORKER = Path(__file__).parents[2] / "support" / "due_worker.py"


@dataclass(frozen=True)
class Deed:
    number: int


DEED = DueKind("deed", Deed, backoff=Backoff(attempts=3, first_seconds=10.0), lease=timedelta(seconds=30))
OTHER = DueKind("other", Deed)


@dataclass
class Worker:
    """One process's clockwork with a record of what it did."""

    database: Database
    clock: Clock
    clockwork: Clockwork = field(init=False)
    rows: DueRows = field(init=False)
    schedule: Schedule = field(init=False)
    did: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rows = DueRows(self.database)
        self.clockwork = Clockwork(self.database, self.rows, self.clock, roll=lambda: 1.0)
        self.schedule = Schedule(self.rows)

    async def insert(self, session: Session, deed: Deed, now: datetime) -> None:
        self.did.append(deed.number)
        await self.database.collection("deeds").insert_one({"number": deed.number, "at": now}, session=session)

    async def note(self, deed: Deed, due: Due) -> None:
        self.did.append(deed.number)

    async def put(self, *numbers: int, at: datetime | None = None, kind: DueKind[Deed] = DEED) -> None:
        for number in numbers:
            await self.schedule.put(kind, str(number), at or self.clock.now(), Deed(number))

    async def deeds(self) -> Counter[int]:
        return Counter([row["number"] async for row in self.database.collection("deeds").find()])

    async def waiting(self) -> int:
        return await self.database.collection("due").count_documents({"state": "waiting"})


@asynccontextmanager
async def running(worker: Worker) -> AsyncIterator[None]:
    """The worker's clockwork and its signals, as a program runs them."""
    signals = Signals(worker.database)
    signals.on_row(worker.clockwork.hurry)
    signals.on_resync(worker.clockwork.hurry)
    tasks = [asyncio.create_task(worker.clockwork.run()), asyncio.create_task(signals.run())]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


@pytest.fixture
def clock() -> SetClock:
    return SetClock(present())


@pytest.fixture
def worker(database: Database, clock: SetClock) -> Worker:
    return Worker(database, clock)


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


async def test_four_workers_do_two_hundred_rows_once_each(database: Database, clock: SetClock) -> None:
    workers = [Worker(database, clock) for _ in range(4)]
    for worker in workers:
        worker.clockwork.exactly_once(DEED, worker.insert)
        worker.clockwork.at_least_once(OTHER, worker.note)
    await workers[0].put(*range(100))
    await workers[0].put(*range(100, 200), kind=OTHER)

    await asyncio.gather(*(worker.clockwork.run_due() for worker in workers))

    assert await workers[0].deeds() == Counter(range(100))
    assert sorted(number for worker in workers for number in worker.did) == list(range(200))
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


def fewer_than(worker: Worker, number: int) -> Callable[[], Awaitable[bool]]:
    async def fewer() -> bool:
        return await worker.waiting() < max(1, number)

    return fewer


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


async def test_a_row_that_fails_backs_off_and_ends_as_a_dead_letter(worker: Worker, clock: SetClock) -> None:
    tries: list[datetime] = []

    async def fail(deed: Deed, due: Due) -> None:
        tries.append(clock.now())
        raise Unavailable("the other side does not answer")

    worker.clockwork.at_least_once(DEED, fail)
    await worker.put(1)
    start = clock.now()
    for _ in range(100):
        await worker.clockwork.run_due()
        clock.move(timedelta(seconds=1))

    assert [round((at - start).total_seconds()) for at in tries] == [0, 10, 30]
    [dead] = await worker.rows.dead(10)
    assert (dead.due.kind, dead.due.key, dead.reason) == ("deed", "1", "the other side does not answer")


async def test_a_failed_transaction_leaves_no_effect(worker: Worker, clock: SetClock) -> None:
    async def fail_at_first(session: Session, deed: Deed, now: datetime) -> None:
        await worker.insert(session, deed, now)
        if len(worker.did) == 1:
            raise Unavailable("not now")

    worker.clockwork.exactly_once(DEED, fail_at_first)
    await worker.put(1)
    await worker.clockwork.run_due()
    assert await worker.deeds() == {}
    clock.move(timedelta(seconds=10))
    await worker.clockwork.run_due()
    assert await worker.deeds() == {1: 1}


async def test_a_dead_letter_can_be_revived(worker: Worker, clock: SetClock) -> None:
    async def refuse_once(deed: Deed, due: Due) -> None:
        worker.did.append(deed.number)
        if len(worker.did) == 1:
            raise GiveUp("never")

    worker.clockwork.at_least_once(DEED, refuse_once)
    await worker.put(1)
    await worker.clockwork.run_due()
    assert [letter.reason for letter in await worker.rows.dead(10)] == ["never"]
    assert await worker.rows.revive("deed", "1", clock.now())
    assert await worker.clockwork.run_due() == 1
    assert await worker.rows.dead(10) == []


async def test_a_foreign_errors_text_is_not_kept(worker: Worker) -> None:
    async def stumble(deed: Deed, due: Due) -> None:
        raise ValueError("password=hunter2")

    worker.clockwork.at_least_once(DEED, stumble)
    await worker.put(1)
    await worker.clockwork.run_due()
    row = await worker.database.collection("due").find_one({})
    assert row is not None
    assert row["reason"] == "ValueError"


async def test_a_row_that_kills_its_worker_every_time_is_given_up(worker: Worker, clock: SetClock) -> None:
    worker.clockwork.exactly_once(DEED, worker.insert)
    await worker.put(1)
    for _ in range(DEED.backoff.attempts):
        assert await worker.rows.claim(["deed"], clock.now(), DEED.lease)
        clock.move(DEED.lease)
    await worker.clockwork.run_due()
    assert [letter.reason for letter in await worker.rows.dead(10)] == ["every try ended without an answer"]
    assert await worker.deeds() == {}


async def test_a_payload_of_another_version_is_given_up(worker: Worker, clock: SetClock) -> None:
    worker.clockwork.exactly_once(DEED, worker.insert)
    await worker.rows.put(Due("deed", "1", clock.now(), {"nummer": 1}))
    await worker.clockwork.run_due()
    assert len(await worker.rows.dead(10)) == 1


async def test_what_comes_too_late_to_matter_is_not_done(worker: Worker, clock: SetClock) -> None:
    worker.clockwork.exactly_once(DEED, worker.insert)
    until = clock.now() + timedelta(minutes=10)
    await worker.schedule.put(DEED, "1", clock.now(), Deed(1), until=until)
    clock.move(timedelta(minutes=10))
    await worker.clockwork.run_due()
    assert await worker.deeds() == {}


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
