"""The due-queue when a row fails: it backs off, ends as a dead letter, and says why without telling secrets."""

from __future__ import annotations

from datetime import datetime, timedelta

from autospot.clock import SetClock
from autospot.domain.due import Due, GiveUp
from autospot.domain.errors import Unavailable
from autospot.storage.mongo import Session
from tests.support.clockwork import DEED, Deed, Worker


async def given_up_at_first(worker: Worker) -> None:
    """A deed that was tried once and is a dead letter; at a second try it would succeed."""

    async def refuse_once(deed: Deed, due: Due) -> None:
        worker.did.append(deed.number)
        if len(worker.did) == 1:
            raise GiveUp("never")

    worker.clockwork.at_least_once(DEED, refuse_once)
    await worker.put(1)
    await worker.clockwork.run_due()


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
    await given_up_at_first(worker)
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


async def test_a_dead_letter_does_not_keep_a_new_cause_from_being_looked_at(worker: Worker, clock: SetClock) -> None:
    await given_up_at_first(worker)
    await worker.schedule.ensure(DEED, "1", clock.now(), Deed(1))
    assert await worker.clockwork.run_due() == 1
    assert (worker.did, await worker.rows.dead(10)) == ([1, 1], [])
