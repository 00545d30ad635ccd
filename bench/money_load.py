"""The money scenario's work, in its own process: quotes, payments from wallets, and the bare writes of such a payment.

    python -m bench.money_load '{"url": "mongodb://…", "database": "bench_1", "clients": 32}'

A closed loop: each client asks again as soon as it is answered. Commands: `quote`, `pay` and `write` (`seconds`, and
for the last two `wallets`).
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from importlib import resources
from itertools import count
from typing import Any, Final

import uvloop
from pymongo import UpdateOne

from autospot.app import SWITCH_SECONDS
from autospot.clock import SystemClock
from autospot.domain.ids import new_id
from autospot.domain.ledger import Cause, CauseKind, Transfer
from autospot.domain.ledger.account import clearing
from autospot.domain.ledger.account import wallet as wallet_of
from autospot.domain.money import Money
from autospot.domain.payment.payment import AmountDue, Payment, Subject
from autospot.domain.period import Period
from autospot.domain.tariff import parse_tariff, quote
from autospot.services.audit import Audit
from autospot.services.cashier.cashier import Cashier, cashier
from autospot.services.clockwork import Clockwork, Schedule
from autospot.services.gateway.directory import Gateways
from autospot.storage.audit import AuditLog
from autospot.storage.due import DueRows
from autospot.storage.idempotency import Unkept
from autospot.storage.mongo import Database, Session
from autospot.storage.schema import DECLARED
from bench.latency import Latencies
from bench.worker import serve

PRICE: Final = 250
FUNDS: Final = 10**9
WARM_UP_SECONDS: Final = 1.0


class Fares:
    """The cheapest thing to pay for that the cashier can be asked to: one document, written when it is asked for."""

    def __init__(self, database: Database) -> None:
        self._fares = database.collection("fares")

    async def amount_due(self, session: Session, user_id: str, subject_id: str, now: datetime) -> AmountDue:  # noqa: ARG002 - as `Payable` has it
        """The same price for everybody."""
        await self._fares.insert_one({"_id": subject_id, "owner": user_id}, session=session)
        return AmountDue(Subject("fare", subject_id), "harbour", Money(PRICE, "EUR"), 1900, "Fare")

    async def payment_changed(self, session: Session, payment: Payment, now: datetime) -> None:
        """Nothing comes of it."""

    async def take_discount(
        self, session: Session, user_id: str, subject_id: str, discount: Money, now: datetime
    ) -> None:
        """There are none."""


class Clients:
    """Does one kind of work at a time, by as many clients as there are, each with a wallet of its own or all with one.

    On one wallet bare writes stand in line as payments do, so both are spared the conflicts.
    """

    def __init__(self, database: Database, cash: Cashier, clients: int) -> None:
        self._cash = cash
        self._database = database
        self._clients = clients
        self._turns = [asyncio.Lock() for _ in range(clients)]
        self._numbers = count()

    async def quote(self, seconds: float) -> dict[str, Any]:
        """Stays of one minute to two days under an example site's tariff; on one core, without a database."""
        tariff = parse_tariff((resources.files("sites") / "harbour.tariff.json").read_bytes())
        start = SystemClock().now().replace(microsecond=0)
        latencies, began = Latencies(), time.perf_counter()
        while time.perf_counter() - began < seconds:
            asked = time.perf_counter()
            length = timedelta(minutes=1 + 37 * next(self._numbers) % 2880)
            quote(tariff, Period(start, start + length), kind="general")
            latencies.record(int((time.perf_counter() - asked) * 1_000_000))
        return {"per_second": latencies.count / seconds, "latency": latencies.summary()}

    async def pay(self, seconds: float, wallets: int) -> dict[str, Any]:
        """Payments as the API makes them: the thing, its payment, wallet and points, three transfers."""
        await self._fill(wallets)

        async def one(wallet: int) -> None:
            subject = Subject("fare", new_id("far"))
            await self._cash.payments.pay_from_wallet(_user(wallet), subject, Unkept())

        return await self._measured(one, seconds, wallets)

    async def write(self, seconds: float, wallets: int) -> dict[str, Any]:
        """The same writes as bare documents, one transaction each."""
        names = ("raw_fares", "raw_payments", "raw_wallets", "raw_transfers")
        fares, payments, purses, transfers = (self._database.collection(name) for name in names)

        async def one(wallet: int) -> None:
            now, row_id = SystemClock().now(), new_id("raw")
            entry = {"debit": "wallet:1", "credit": "revenue:1", "amount": PRICE, "currency": "EUR", "at": now}
            moves = [
                UpdateOne({"_id": f"{kind}:{wallet}"}, {"$inc": {"debits": PRICE}}, upsert=True)
                for kind in ("wallet", "points")
            ]

            async def work(session: Session) -> None:
                await fares.insert_one({"_id": row_id}, session=session)
                await payments.insert_one({**entry, "_id": row_id, "words": "Fare", "refunds": []}, session=session)
                await purses.bulk_write(moves, session=session)
                await transfers.insert_many([{**entry, "_id": f"{row_id}{part}"} for part in "abc"], session=session)

            async with self._turns[wallet]:
                await self._database.transaction(work)

        return await self._measured(one, seconds, wallets)

    async def _fill(self, wallets: int) -> None:
        now = SystemClock().now()
        for number in range(wallets):
            cause = Cause(CauseKind.TOP_UP, new_id("pay"))
            entry = Transfer.posted(
                new_id("trf"), clearing("bench"), wallet_of(_user(number)), FUNDS, "EUR", cause, now
            )
            await self._enter(entry)

    async def _enter(self, entry: Transfer) -> None:
        await self._database.transaction(lambda session: self._cash.ledger.append(session, entry))

    async def _measured(self, one: Callable[[int], Awaitable[None]], seconds: float, wallets: int) -> dict[str, Any]:
        latencies, began = Latencies(), time.perf_counter() + WARM_UP_SECONDS
        end = began + seconds

        async def client(number: int) -> None:
            while (asked := time.perf_counter()) < end:
                await one(number % wallets)
                answered = time.perf_counter()
                if began <= answered < end:
                    latencies.record(int((answered - asked) * 1_000_000))

        await asyncio.gather(*(client(number) for number in range(self._clients)))
        return {"per_second": latencies.count / seconds, "latency": latencies.summary()}


def _user(number: int) -> str:
    return f"usr_bench_{number}"


def cash_of(database: Database) -> Cashier:
    """The product's cashier, with fares to pay."""
    clock, rows = SystemClock(), DueRows(database)
    clockwork = Clockwork(database, rows, clock)
    cash = cashier(database, Gateways([]), Schedule(rows), clockwork, Audit(AuditLog(database)), clock)
    cash.payables.register("fare", Fares(database))
    return cash


async def main(arguments: dict[str, Any]) -> None:
    """Prepare the database, then answer commands."""
    sys.setswitchinterval(SWITCH_SECONDS)  # as the product does
    database = Database(arguments["url"], arguments["database"])
    await database.prepare(DECLARED)
    names = ("fares", "wallets", "raw_fares", "raw_payments", "raw_wallets", "raw_transfers")
    for name in names:  # many transactions that create one collection at once are in each other's way
        await database.collection(name).insert_one({"_id": "first", "account": "points:first", "currency": "PTS"})
    clients = Clients(database, cash_of(database), arguments["clients"])
    await serve(clients.quote, clients.pay, clients.write)
    database.close()


if __name__ == "__main__":
    uvloop.run(main(json.loads(sys.argv[1])))
