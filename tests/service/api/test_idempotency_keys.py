"""A request sent twice happens once: every case, alone and with 16 at the same moment, on a real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from pymongo.errors import DuplicateKeyError

from api import idempotency as at_the_edge
from api.call import Call
from api.contract import Idempotency, Input, Output, Reply, operation
from autospot.clock import SetClock
from autospot.domain.access import Action
from autospot.domain.errors import Conflict, InvalidInput, Unavailable
from autospot.storage import idempotency
from autospot.storage.idempotency import (
    LEASE,
    AlreadyDone,
    IdempotencyKeys,
    Once,
)
from autospot.storage.mongo import Database, Session
from tests.support.api import NOON, Answer, RunningApi, bearer, running_api
from tests.support.services import eventually

AT_ONCE = 16
KEY = "0123456789abcdef"


class Sale(Input):
    """What is bought."""

    item: str
    amount: int = 1


class SaleView(Output):
    """What was bought."""

    sale: str
    item: str


@dataclass
class Shop:
    """A use case with an effect that can be counted: one document per sale, made in one transaction with the reply."""

    database: Database
    mood: Callable[[], Awaitable[None]] | None = None
    """What happens inside the transaction, before anything is written."""
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    runs: int = 0

    async def sell(self, item: str, amount: int, once: Once[dict[str, Any]]) -> None:
        if amount > 100:
            raise InvalidInput("nobody needs that many", at="/amount")
        numbers = count(1)

        async def work(session: Session) -> None:
            self.runs += next(numbers) == 1
            self.begun.set()
            if self.mood:
                await self.mood()
            sale = {"_id": once.id("sal"), "item": item}
            try:
                await self.database.collection("sales").insert_one(dict(sale), session=session)
            except DuplicateKeyError as error:
                raise AlreadyDone("this was sold already") from error
            await once.keep(session, sale)

        await self.database.transaction(work)

    async def sales(self) -> list[dict[str, Any]]:
        return await self.database.collection("sales").find().to_list(None)


class Till:
    """The route to the shop."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    @operation(
        "POST /v1/sales",
        summary="Buy",
        tag="sales",
        access=Action.DRIVE,
        status=201,
        idempotency=Idempotency.DAY,
        errors=(Conflict("it is sold out", code="sold_out"),),
    )
    async def sell(self, call: Call, body: Sale) -> Reply[SaleView]:
        once = call.once(lambda sale: Reply(SaleView(sale=sale["_id"], item=sale["item"]), location=f"/{sale['_id']}"))
        await self._shop.sell(body.item, body.amount, once)
        return once.kept

    @operation(
        "POST /v1/gifts", summary="Give", tag="sales", access=Action.DRIVE, status=201, idempotency=Idempotency.MONEY
    )
    async def forgetful(self, call: Call, body: Sale) -> SaleView:
        """A use case that never keeps its answer: a mistake that must not pass unnoticed."""
        return call.once(lambda _sale: SaleView(sale="", item="")).kept


@pytest.fixture
async def database(mongo_url: str, mongo_db_name: str) -> AsyncIterator[Database]:
    database = Database(mongo_url, mongo_db_name)
    await database.prepare(idempotency.INDEXES)
    yield database
    database.close()


@pytest.fixture
def shop(database: Database) -> Shop:
    return Shop(database)


@pytest.fixture
def clock() -> SetClock:
    return SetClock(NOON)


@pytest.fixture
async def api(database: Database, shop: Shop, clock: SetClock) -> AsyncIterator[RunningApi]:
    async with running_api(Till(shop), keys=IdempotencyKeys(database), clock=clock) as running:
        yield running


async def buy(api: RunningApi, key: str | None = KEY, item: str = "ticket", user: str = "usr_1", **more: Any) -> Answer:
    headers = {**bearer(user), **({"Idempotency-Key": key} if key is not None else {})}
    return await api.call("POST", "/v1/sales", json={"item": item, **more}, headers=headers)


async def patiently(api: RunningApi, **order: Any) -> Answer:
    """Comes back as long as it is told to."""
    while (answer := await buy(api, **order)).status == 409 and answer.code in ("still_running", "lease_lost"):
        assert answer.headers["Retry-After"] == "1"
        await asyncio.sleep(0.02)
    return answer


async def row(database: Database) -> dict[str, Any] | None:
    return await database.collection("idempotency").find_one()


async def test_the_first_is_performed_and_the_second_told_the_same(api: RunningApi, shop: Shop) -> None:
    first, second = await buy(api), await buy(api)

    assert (first.status, second.status) == (201, 201)
    assert first.body == second.body
    assert first.headers["Location"] == second.headers["Location"] == f"/{first.json['sale']}"
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert len(await shop.sales()) == shop.runs == 1


async def test_of_many_at_once_one_is_performed_and_all_are_told_the_same(api: RunningApi, shop: Shop) -> None:
    answers = await asyncio.gather(*(patiently(api) for _ in range(AT_ONCE)))

    assert {answer.status for answer in answers} == {201}
    assert len({answer.body for answer in answers}) == 1
    assert [answer.headers.get("Idempotent-Replayed") for answer in answers].count(None) == 1
    assert len(await shop.sales()) == shop.runs == 1


async def test_who_comes_while_it_is_running_is_told_to_come_back(api: RunningApi, shop: Shop) -> None:
    may_end = asyncio.Event()
    shop.mood = lambda: asyncio.wait_for(may_end.wait(), 5)  # type: ignore[assignment,return-value]
    first = asyncio.create_task(buy(api))
    await shop.begun.wait()
    others = await asyncio.gather(*(buy(api) for _ in range(AT_ONCE)))
    may_end.set()

    assert {(answer.status, answer.code) for answer in others} == {(409, "still_running")}
    assert {answer.headers["Retry-After"] for answer in others} == {"1"}
    assert (await first).status == 201
    assert (await buy(api)).headers["Idempotent-Replayed"] == "true"
    assert len(await shop.sales()) == 1


@pytest.mark.parametrize("same", [{"item": "ticket", "amount": 1}, {"amount": 1, "item": "ticket"}])
async def test_another_spelling_of_the_same_body_is_the_same_request(api: RunningApi, same: dict[str, Any]) -> None:
    first = await buy(api)
    again = await api.call("POST", "/v1/sales", json=same, headers={**bearer(), "Idempotency-Key": KEY})

    assert again.body == first.body


async def test_the_same_key_for_another_body_is_refused(api: RunningApi, shop: Shop) -> None:
    await buy(api)
    others = await asyncio.gather(*(buy(api, item=f"other{number}") for number in range(AT_ONCE)))

    assert {(answer.status, answer.code) for answer in others} == {(422, "idempotency_key_reused")}
    assert len(await shop.sales()) == 1


async def test_two_bodies_at_once_under_one_key_make_one_sale(api: RunningApi, shop: Shop) -> None:
    answers = await asyncio.gather(*(patiently(api, item=("ticket", "pass")[n % 2]) for n in range(AT_ONCE)))

    assert sorted(answer.status for answer in answers) == [201] * (AT_ONCE // 2) + [422] * (AT_ONCE // 2)
    assert len(await shop.sales()) == 1


async def test_keys_of_two_users_and_two_operations_are_two_keys(api: RunningApi, shop: Shop) -> None:
    answers = await asyncio.gather(*(buy(api, user=f"usr_{number}") for number in range(AT_ONCE)))
    gift = await api.call("POST", "/v1/gifts", json={"item": "a"}, headers={**bearer(), "Idempotency-Key": KEY})

    assert len({answer.json["sale"] for answer in answers}) == AT_ONCE
    assert gift.status == 500, "the other operation was performed, and was a forgetful one"


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (None, "idempotency_key_missing"),
        ("", "idempotency_key_invalid"),
        ("x" * 15, "idempotency_key_invalid"),
        ("x" * 256, "idempotency_key_invalid"),
        ("0123456789 abcdef", "idempotency_key_invalid"),
        ("0123456789abcdef;", "idempotency_key_invalid"),
    ],
)
async def test_without_a_proper_key_nothing_happens(api: RunningApi, shop: Shop, key: str | None, code: str) -> None:
    answer = await buy(api, key=key)

    assert (answer.status, answer.code) == (400, code)
    assert shop.runs == 0


@pytest.mark.parametrize("key", ["x" * 16, "x" * 255, "A-b_9" * 4])
async def test_every_proper_key_is_taken(api: RunningApi, key: str) -> None:
    assert (await buy(api, key=key)).status == 201


async def test_what_failed_validation_or_permission_is_not_kept(api: RunningApi, database: Database) -> None:
    wrong = await buy(api, amount="many")
    nobody = await api.call("POST", "/v1/sales", json={"item": "a"}, headers={"Idempotency-Key": KEY})
    too_many = await buy(api, amount=101)

    assert (wrong.status, nobody.status, too_many.status) == (422, 401, 422)
    assert await row(database) is None
    assert (await buy(api)).status == 201


async def test_a_refusal_by_the_business_is_kept_like_an_answer(api: RunningApi, shop: Shop) -> None:
    async def sold_out() -> None:
        raise Conflict("it is sold out", code="sold_out")

    shop.mood = sold_out
    answers = await asyncio.gather(*(patiently(api) for _ in range(AT_ONCE)))
    shop.mood = None
    later = await buy(api)

    assert {(answer.status, answer.body) for answer in answers} == {(409, later.body)}
    assert later.code == "sold_out"
    assert later.headers["Content-Type"] == "application/problem+json"
    assert later.headers["Idempotent-Replayed"] == "true"
    assert shop.runs == 1
    assert await shop.sales() == []


class TryLater(Conflict):
    """A refusal that says itself that the same request may succeed later."""

    code = "try_later"
    retryable = True


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (Unavailable("the database does not answer"), 503),
        (KeyError("a mistake"), 500),
        (TryLater("somebody else is at it"), 409),
    ],
)
async def test_what_broke_is_not_kept_and_may_be_tried_again_at_once(
    api: RunningApi, shop: Shop, database: Database, failure: Exception, status: int
) -> None:
    async def breaks() -> None:
        raise failure

    shop.mood = breaks
    broken = await asyncio.gather(*(buy(api) for _ in range(AT_ONCE)))
    left_behind = await row(database)
    shop.mood = None
    again = await buy(api)

    assert status in {answer.status for answer in broken} <= {status, 409}
    assert left_behind is None
    assert (again.status, len(await shop.sales())) == (201, 1)


async def test_a_crashed_holder_is_taken_over_when_its_lease_ends_and_not_before(
    api: RunningApi, shop: Shop, database: Database, clock: SetClock
) -> None:
    await buy(api)
    await database.collection("sales").delete_many({})
    await database.collection("idempotency").update_one(
        {}, {"$set": {"state": "running", "holder": "crashed", "lease_until": clock.now() + LEASE}}
    )
    before = await asyncio.gather(*(buy(api) for _ in range(AT_ONCE)))
    clock.move(LEASE)
    after = await asyncio.gather(*(patiently(api) for _ in range(AT_ONCE)))

    assert {answer.status for answer in before} == {409}
    assert {answer.status for answer in after} == {201}
    assert len({answer.body for answer in after}) == 1
    assert len(await shop.sales()) == 1


async def test_a_holder_that_was_only_slow_undoes_itself_after_it_was_taken_over(
    api: RunningApi, shop: Shop, clock: SetClock
) -> None:
    may_end = asyncio.Event()
    shop.mood = lambda: asyncio.wait_for(may_end.wait(), 5)  # type: ignore[assignment,return-value]
    slow = asyncio.create_task(buy(api))
    await shop.begun.wait()
    clock.move(LEASE)
    shop.mood = None
    taken_over = await buy(api)
    may_end.set()
    late = await slow

    assert taken_over.status == 201
    assert (late.status, late.code) == (409, "lease_lost")
    assert [sale["_id"] for sale in await shop.sales()] == [taken_over.json["sale"]]


async def test_a_holder_that_is_at_work_is_not_taken_over(
    api: RunningApi, shop: Shop, database: Database, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(at_the_edge, "RENEW_SECONDS", 0.02)
    may_end = asyncio.Event()
    shop.mood = lambda: asyncio.wait_for(may_end.wait(), 5)  # type: ignore[assignment,return-value]
    slow = asyncio.create_task(buy(api))
    await shop.begun.wait()
    until = clock.move(LEASE * 0.9) + LEASE

    async def is_renewed() -> bool:
        held = await row(database)
        return held is not None and held["lease_until"] == until

    await eventually(is_renewed)
    clock.move(LEASE * 0.9)
    repeat = await buy(api)
    may_end.set()

    assert (repeat.status, repeat.code) == (409, "still_running")
    assert (await slow).status == 201
    assert len(await shop.sales()) == 1


async def test_even_a_lost_row_cannot_make_the_effect_twice(api: RunningApi, shop: Shop, database: Database) -> None:
    await buy(api)
    await database.collection("idempotency").delete_many({})
    again = await buy(api)

    assert (again.status, again.code) == (409, "already_done")
    assert len(await shop.sales()) == 1


async def test_an_answer_that_was_not_kept_is_a_mistake_that_shows(api: RunningApi, database: Database) -> None:
    answer = await api.call("POST", "/v1/gifts", json={"item": "a"}, headers={**bearer(), "Idempotency-Key": KEY})

    assert (answer.status, answer.code) == (500, "internal_error")
    assert await row(database) is None


async def test_rows_are_kept_as_long_as_the_operation_says(api: RunningApi, database: Database) -> None:
    await buy(api)
    kept = await row(database)
    indexes = await database.collection("idempotency").index_information()

    assert kept is not None
    assert kept["expires_at"] == NOON + timedelta(hours=24)
    assert Idempotency.MONEY.value == timedelta(days=30)
    assert indexes["expires_at_1"]["expireAfterSeconds"] == 0
