"""Kills, repeats and storms: no cent is made or lost, each key has one effect and one answer.

`AUTOSPOT_PROOF_SCALE=100` is the full size: 20,000 payments and 5,000 keys.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from autospot.clock import SystemClock
from autospot.domain.errors import Unavailable
from autospot.domain.payment.payment import Subject
from autospot.embedded.process import tethered
from autospot.storage import money, people
from autospot.storage.idempotency import IdempotencyKeys
from autospot.storage.mongo import Database
from tests.support.api import bearer, running_api
from tests.support.money import Till, a_till, money_operations
from tests.support.money_history import Attempt, History, proof_scale
from tests.support.services import MongodServer, eventually, free_port

ROOT = Path(__file__).parents[3]
CLIENTS = 32
WALLETS = 50
PAYMENTS = int(200 * proof_scale())
KILLS = 2 * max(1, int(proof_scale()))
KEYS = int(50 * proof_scale())
PRICES = (1, 900)
FUNDED = PAYMENTS // WALLETS * 480
"""A little more than the average of what each wallet is asked for, so some run dry."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120 + 30 * proof_scale())]


def a_seed() -> int:
    seed = random.SystemRandom().randrange(1_000_000)
    print(f"seed {seed}")
    return seed


class Server:
    """The API as a process that can be killed, on a port that stays the same."""

    def __init__(self, mongo_url: str, name: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._arguments = [sys.executable, "-m", "tests.support.money_server", mongo_url, name, str(self.port)]
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(*tethered(self._arguments), cwd=ROOT)

    async def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def answers(self) -> bool:
        try:
            async with aiohttp.ClientSession() as client, client.get(f"{self.url}/openapi.json") as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False


@asynccontextmanager
async def a_database(url: str) -> AsyncIterator[Database]:
    database = Database(url, "proof")
    try:
        await database.prepare((*money.DECLARED, *people.DECLARED))
        yield database
    finally:
        database.close()


@asynccontextmanager
async def a_server(mongo_url: str, name: str) -> AsyncIterator[Server]:
    server = Server(mongo_url, name)
    await server.start()
    try:
        await eventually(server.answers, deadline_seconds=30)
        yield server
    finally:
        await server.kill()


async def wallets_and_attempts(till: Till, dice: random.Random, count: int) -> tuple[dict[str, int], list[Attempt]]:
    """Funded wallets, and more wishes than they can pay."""
    funded = {f"usr_{number:03d}": FUNDED for number in range(WALLETS)}
    for user_id, amount in funded.items():
        await till.fill(user_id, amount)
    attempts = []
    for _ in range(count):
        user_id, price = dice.choice(list(funded)), dice.randint(*PRICES)
        wash: Subject = await till.washes.order(user_id, price)
        attempts.append(Attempt(user_id, wash.id, price))
    return funded, attempts


async def every_snapshot_sums_to_zero(till: Till, done: asyncio.Event) -> int:
    """Audits again and again until `done`; how often it could."""
    audits = 0
    while not done.is_set():
        try:
            report = await till.cashier.auditor.audit()
        except Unavailable:
            await asyncio.sleep(0.1)  # the database is down at this moment
            continue
        assert report.is_clean, report.mismatches
        audits += 1
        await asyncio.sleep(0.2)
    return audits


async def test_payments_while_api_and_database_are_killed(make_mongod: Callable[..., MongodServer]) -> None:
    dice = random.Random(a_seed())
    mongod = await asyncio.to_thread(make_mongod)
    async with a_database(mongod.url) as database:
        await kill_and_pay(mongod, database, dice)


async def kill_and_pay(mongod: MongodServer, database: Database, dice: random.Random) -> None:
    till, history, done = a_till(database, clock=SystemClock()), History(), asyncio.Event()
    funded, attempts = await wallets_and_attempts(till, dice, PAYMENTS)
    waiting = list(attempts)

    async def client(server: Server, session: aiohttp.ClientSession) -> None:
        while waiting:
            attempt = waiting.pop()
            for _ in range(dice.choice([1, 1, 1, 2])):
                await history.send(session, server.url, attempt)

    async def killer(server: Server) -> int:
        """Strikes when so many payments were begun; API and database in turn, the first by chance."""
        blows = sorted(dice.sample(range(PAYMENTS // 10, PAYMENTS * 8 // 10), KILLS))
        api_is_next = dice.random() < 0.5
        for begun in blows:
            await eventually(lambda begun=begun: len(waiting) <= PAYMENTS - begun, deadline_seconds=120)
            if api_is_next:
                await server.kill()
                await server.start()
                await eventually(server.answers, deadline_seconds=30)
            else:
                await asyncio.to_thread(mongod.kill)
                await asyncio.to_thread(mongod.restart)
            api_is_next = not api_is_next
        return len(blows)

    async with a_server(mongod.url, "proof") as server, aiohttp.ClientSession() as session:
        watching = asyncio.create_task(every_snapshot_sums_to_zero(till, done))
        killing = asyncio.create_task(killer(server))
        try:
            await asyncio.gather(*(client(server, session) for _ in range(CLIENTS)))
        finally:
            done.set()
        kills, audits = await killing, await watching
        outcomes = await history.check(till, attempts, funded)
    print(f"{kills} kills, {audits} audits, {dict(outcomes)}, retries {dict(history.retries)}")
    assert audits >= 2
    assert set(outcomes) <= {"paid", "insufficient_funds"}
    assert outcomes["paid"] > PAYMENTS / 4


async def test_keys_sent_many_times_some_at_once_some_changed(database: Database) -> None:
    dice = random.Random(a_seed())
    till, history, changed_answers = a_till(database), History(), Counter[int]()
    funded, attempts = await wallets_and_attempts(till, dice, KEYS)
    free = asyncio.Semaphore(CLIENTS)

    async def changed(url: str, session: aiohttp.ClientSession, attempt: Attempt) -> None:
        other = await till.washes.order(attempt.user_id, attempt.price)
        headers = {**bearer(attempt.user_id), "Idempotency-Key": attempt.key}
        body = {"subject": {"kind": "wash", "id": other.id}, "source": "wallet"}
        async with session.post(f"{url}/v1/payments", json=body, headers=headers) as response:
            changed_answers[response.status] += 1

    async def one_key(url: str, session: aiohttp.ClientSession, attempt: Attempt) -> None:
        async with free:
            times = dice.randint(1, 8)
            if dice.random() < 0.25:
                await asyncio.gather(*(history.send(session, url, attempt) for _ in range(times)))
            else:
                for _ in range(times):
                    await history.send(session, url, attempt)
            if dice.random() < 0.1:
                await changed(url, session, attempt)

    operations = money_operations(till)
    async with running_api(operations, keys=IdempotencyKeys(database), clock=till.clock) as api:
        await asyncio.gather(*(one_key(api.url, api.client, attempt) for attempt in attempts))
        outcomes = await history.check(till, attempts, funded)
    print(f"{dict(outcomes)}, changed {dict(changed_answers)}, retries {dict(history.retries)}")
    assert outcomes["paid"] > KEYS / 2
    assert set(changed_answers) <= {422}
