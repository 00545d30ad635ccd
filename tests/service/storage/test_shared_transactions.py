"""Use cases that share a transaction: each is done whole or not at all, and told what it would have been told alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pymongo
import pytest
from pymongo import UpdateOne
from pymongo.errors import DuplicateKeyError

from autospot.domain.errors import Conflict, Unavailable
from autospot.storage import rounds, sharing
from autospot.storage.mongo import Database, Index, Session
from autospot.storage.rounds import perform
from autospot.storage.seat import together
from tests.support.services import MongodServer

NAMES = ("accounts", "entries")
INDEXES = (Index("accounts", [("kind", 1)]), Index("entries", [("account", 1)]))


@pytest.fixture
async def database(mongo_url: str, mongo_db_name: str) -> AsyncIterator[Database]:
    database = Database(mongo_url, mongo_db_name)
    await database.prepare(INDEXES)
    yield database
    database.close()


@contextmanager
def commits_counted(mongo_url: str) -> Iterator[list[int]]:
    """How many transactions were committed inside."""
    with pymongo.MongoClient[dict[str, Any]](mongo_url) as client:

        def committed() -> int:
            return int(client.admin.command("serverStatus")["transactions"]["totalCommitted"])

        before, counted = committed(), [0]
        yield counted
        counted[0] = committed() - before


async def money_of(database: Database, name: str) -> int | None:
    row = await database.collection("accounts").find_one({"_id": name})
    return None if row is None else row["money"]


async def fill(database: Database, *names: str, money: int = 100) -> None:
    await database.collection("accounts").insert_many([{"_id": name, "kind": "own", "money": money} for name in names])


async def spend(database: Database, name: str, amount: int = 10, *, entry: str | None = None) -> str:
    """Takes money from an account that has enough, writes an entry, and says what its entries are now."""
    accounts, entries = (database.collection(each) for each in NAMES)

    async def work(session: Session) -> str:
        paid = await accounts.update_one(
            {"_id": name, "money": {"$gte": amount}}, {"$inc": {"money": -amount}}, session=session
        )
        if not paid.matched_count:
            raise Conflict(f"{name} has not enough")
        try:
            await entries.insert_one({"_id": entry or f"of {name}", "account": name}, session=session)
        except DuplicateKeyError:
            raise Conflict("this entry was made before") from None
        found = [row["_id"] async for row in entries.find({"account": name}, session=session).sort("_id", 1)]
        return ", ".join(found)

    return await database.shared_transaction(work)


async def test_those_who_come_together_have_one_commit_and_each_its_own_answer(
    database: Database, mongo_url: str
) -> None:
    names = [f"a{number}" for number in range(8)]
    await fill(database, *names)
    with commits_counted(mongo_url) as commits:
        told = await asyncio.gather(*(spend(database, name) for name in names))
    assert told == [f"of {name}" for name in names]
    assert commits == [1]
    assert [await money_of(database, name) for name in names] == [90] * 8


async def test_one_alone_has_a_transaction_of_its_own(database: Database) -> None:
    await fill(database, "ann")
    assert await spend(database, "ann") == "of ann"


async def test_a_refusal_is_only_that_of_who_is_refused(database: Database) -> None:
    await fill(database, "ann", "bob", "cid", "dan")
    told = await asyncio.gather(
        spend(database, "ann"),
        spend(database, "bob", 200),
        spend(database, "cid"),
        spend(database, "dan"),
        return_exceptions=True,
    )
    assert [str(each) for each in told] == ["of ann", "bob has not enough", "of cid", "of dan"]
    assert [await money_of(database, name) for name in ("ann", "bob", "cid", "dan")] == [90, 100, 90, 90]


async def test_a_key_that_is_taken_is_told_to_who_wanted_it(database: Database) -> None:
    await fill(database, "ann", "bob", "cid")
    await database.collection("entries").insert_one({"_id": "taken", "account": "nobody"})
    told = await asyncio.gather(
        spend(database, "ann"), spend(database, "bob", entry="taken"), spend(database, "cid"), return_exceptions=True
    )
    assert [str(each) for each in told] == ["of ann", "this entry was made before", "of cid"]
    assert await money_of(database, "bob") == 100


async def test_two_who_write_one_document_do_so_one_after_the_other(database: Database, mongo_url: str) -> None:
    await fill(database, "ann", money=15)
    with commits_counted(mongo_url) as commits:
        told = await asyncio.gather(
            spend(database, "ann", entry="first"), spend(database, "ann", entry="second"), return_exceptions=True
        )
    assert [str(each) for each in told] == ["first", "ann has not enough"]
    assert commits == [1]
    assert await money_of(database, "ann") == 5


async def test_a_limit_that_is_kept_by_a_mark_is_kept_by_those_who_come_together(database: Database) -> None:
    accounts, entries = (database.collection(each) for each in NAMES)

    async def take_the_last_place(name: str, session: Session) -> None:
        await accounts.update_one({"_id": "mark"}, {"$inc": {"asked": 1}}, upsert=True, session=session)
        if [row async for row in entries.find({"account": "ann"}, session=session)]:
            raise Conflict("the last place is taken")
        await entries.insert_one({"_id": name, "account": "ann"}, session=session)

    told = await asyncio.gather(
        *(database.shared_transaction(lambda session, n=n: take_the_last_place(n, session)) for n in ("one", "two")),  # type: ignore[misc]
        return_exceptions=True,
    )
    assert [str(each) for each in told] == ["None", "the last place is taken"]
    assert await entries.count_documents({}) == 1


async def test_a_use_case_sees_what_it_wrote(database: Database) -> None:
    accounts = database.collection("accounts")
    await fill(database, "ann", "bob")

    async def work(name: str, session: Session) -> list[Any]:
        await accounts.replace_one({"_id": name}, {"_id": name, "kind": "new", "money": 1}, session=session)
        read = await accounts.find_one({"_id": name}, session=session)
        changed = await accounts.find_one_and_update(
            {"_id": name}, {"$inc": {"money": 1}}, return_document=pymongo.ReturnDocument.AFTER, session=session
        )
        many = await accounts.bulk_write([UpdateOne({"_id": name}, {"$inc": {"money": 1}})], session=session)
        all_of_it = await accounts.find({"_id": name}, {"money": 1}, session=session).limit(5).to_list()
        await accounts.delete_one({"_id": name}, session=session)
        gone = await accounts.find_one({"_id": name}, session=session)
        assert read is not None
        assert changed is not None
        return [read["money"], changed["money"], many.matched_count, all_of_it[0]["money"], gone]

    told = await asyncio.gather(
        *(database.shared_transaction(lambda session, name=name: work(name, session)) for name in ("ann", "bob"))  # type: ignore[misc]
    )
    assert told == [[1, 2, 1, 3, None]] * 2


@pytest.mark.parametrize("people", [("ann",), ("ann", "bob")], ids=["alone", "in company"])
async def test_what_does_not_need_each_other_is_read_at_once_and_written_with_the_commit(
    database: Database, people: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts, entries = (database.collection(each) for each in NAMES)
    await fill(database, *people)
    visits = []

    def counted(*asked: Any) -> Any:
        visits.append(asked)
        return perform(*asked)

    monkeypatch.setattr(sharing, "perform", counted)

    async def paid(name: str, session: Session) -> int:
        row = await accounts.find_one({"_id": name}, session=session)
        await accounts.update_one({"_id": name}, {"$inc": {"money": -10}}, session=session)
        return 0 if row is None else int(row["money"])

    async def noted(name: str, session: Session) -> int:
        found = await entries.find({"account": name}, session=session).to_list(None)
        await entries.insert_one({"_id": f"of {name}", "account": name}, session=session)
        return len(found)

    async def work(name: str, session: Session) -> tuple[int, int]:
        return await together(session, paid(name, session), noted(name, session))

    told = await asyncio.gather(
        *(database.shared_transaction(lambda session, name=name: work(name, session)) for name in people)  # type: ignore[misc]
    )
    assert told == [(100, 0)] * len(people)
    assert [await money_of(database, name) for name in people] == [90] * len(people)
    assert await entries.count_documents({}) == len(people)
    assert len(visits) == (2 if len(people) > 1 else 0)


@pytest.mark.parametrize("refused_first", [True, False])
async def test_a_refusal_of_one_of_two_things_undoes_both(database: Database, *, refused_first: bool) -> None:
    accounts, entries = (database.collection(each) for each in NAMES)
    await fill(database, "ann", "bob")

    async def refuses(name: str, session: Session) -> None:
        await accounts.find_one({"_id": name}, session=session)
        if name == "ann":
            raise Conflict("not ann")

    async def notes(name: str, session: Session) -> None:
        await entries.insert_one({"_id": f"of {name}", "account": name}, session=session)
        await entries.find_one({"account": name}, session=session)

    async def work(name: str, session: Session) -> None:
        both = (refuses(name, session), notes(name, session))
        await together(session, *(both if refused_first else both[::-1]))

    told = await asyncio.gather(
        *(database.shared_transaction(lambda session, name=name: work(name, session)) for name in ("ann", "bob")),  # type: ignore[misc]
        return_exceptions=True,
    )
    assert [str(each) for each in told] == ["not ann", "None"]
    assert [row["_id"] async for row in entries.find()] == ["of bob"]


async def test_who_reads_more_than_one_answer_holds_reads_alone(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "ROWS_LIMIT", 2)
    await fill(database, "ann", "bob", "cid")

    async def names(session: Session) -> list[str]:
        return sorted([row["_id"] async for row in database.collection("accounts").find({}, session=session)])

    told = await asyncio.gather(database.shared_transaction(names), database.shared_transaction(names))
    assert told == [["ann", "bob", "cid"]] * 2


async def test_a_call_that_knows_no_seats_is_made_alone(database: Database) -> None:
    await fill(database, "ann", "bob")

    async def count(session: Session) -> int:
        return await database.collection("accounts").count_documents({}, session=session)

    assert await asyncio.gather(database.shared_transaction(count), database.shared_transaction(count)) == [2, 2]


async def test_rows_that_hold_the_value_in_a_list_are_not_given_to_the_wrong_one(database: Database) -> None:
    accounts = database.collection("accounts")
    await accounts.insert_many([{"_id": "x", "kind": ["a", "b"]}, {"_id": "y", "kind": "a"}])

    async def of(kind: str, session: Session) -> list[str]:
        return sorted([row["_id"] async for row in accounts.find({"kind": kind}, session=session)])

    told = await asyncio.gather(
        *(database.shared_transaction(lambda session, kind=kind: of(kind, session)) for kind in ("a", "b"))  # type: ignore[misc]
    )
    assert told == [["x", "y"], ["x"]]


async def test_who_waits_for_another_in_its_transaction_does_not_wait_for_ever(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "RIDE_SECONDS", 0.1)
    await fill(database, "ann", "bob")
    done = asyncio.Event()

    async def waits(session: Session) -> None:
        await database.collection("accounts").find_one({"_id": "ann"}, session=session)
        await done.wait()

    async def is_waited_for(session: Session) -> None:
        await database.collection("accounts").find_one({"_id": "bob"}, session=session)
        await database.collection("accounts").find_one({"_id": "ann"}, session=session)

    waiting = asyncio.create_task(database.shared_transaction(waits))
    finishing = asyncio.create_task(database.shared_transaction(is_waited_for))
    await asyncio.sleep(0)
    done_later = asyncio.get_running_loop().call_later(0.3, done.set)
    await asyncio.wait_for(asyncio.gather(waiting, finishing), 5)
    done_later.cancel()


async def test_an_outage_is_told_to_everybody(make_mongod: Any) -> None:
    server: MongodServer = make_mongod()
    database = Database(f"{server.url}&serverSelectionTimeoutMS=200", "shared")
    try:
        await database.prepare(INDEXES)
        await fill(database, "ann", "bob")
        await asyncio.to_thread(server.kill)
        told = await asyncio.wait_for(
            asyncio.gather(spend(database, "ann"), spend(database, "bob"), return_exceptions=True), 20
        )
        assert all(isinstance(each, Unavailable) for each in told)
        await asyncio.to_thread(server.start)
        assert await spend(database, "ann") == "of ann"
        assert [await money_of(database, name) for name in ("ann", "bob")] == [90, 100]
    finally:
        database.close()


async def test_what_was_cancelled_by_its_caller_is_still_done_whole(database: Database) -> None:
    await fill(database, "ann", "bob")
    leaving, staying = (asyncio.create_task(spend(database, name)) for name in ("ann", "bob"))
    await asyncio.sleep(0.01)
    leaving.cancel()
    assert await staying == "of bob"
    assert await money_of(database, "ann") == 90
    assert await database.collection("entries").count_documents({"account": "ann"}) == 1
