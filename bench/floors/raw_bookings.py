"""The bookings floor: the same writes straight to MongoDB, one transaction for each booking, nothing decided.

    python -m bench.floors.raw_bookings '{"url": "mongodb://…", "database": "bench_1", "clients": 32, "asks": {...}}'

One process, the driver's own asynchronous client, and of each booking what AutoSpot writes too: the key, the promise,
and in one transaction the driver's mark, the wallet, the transfers, the booking, what falls due, the kept answer.
Command: `book` (`warmup_seconds`, `seconds`).
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final

import uvloop
from bson import Binary
from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from bench.booking_plan import BAYS, LOTS, WALLET_MINOR, Ask, Asks
from bench.latency import Latencies
from bench.worker import serve

Document = dict[str, Any]
MAJORITY: Final = WriteConcern(w="majority", j=True)
PRICE: Final = 200
TERMS: Final = {f"term_{number}": 15 for number in range(13)}
ANSWER: Final = Binary(b"x" * 1_400)
"""As large as an answer of AutoSpot's."""


class Writers:
    """As many writers as there are clients, each with one booking at a time."""

    def __init__(self, client: AsyncMongoClient[Document], database: str, asks: Asks, writers: int) -> None:
        self._client = client
        self._database: AsyncDatabase[Document] = client.get_database(database, write_concern=MAJORITY)
        self._asks = asks
        self._writers = writers
        self._numbers = count()
        self._latencies: Latencies | None = None
        self._asking = False

    async def book(self, warmup_seconds: float, seconds: float) -> dict[str, Any]:
        """Write without pause; the warm-up is not counted."""
        await self._prepare()
        self._asking = True
        working = [asyncio.create_task(self._keep_booking()) for _ in range(self._writers)]
        await asyncio.sleep(warmup_seconds)
        latencies = self._latencies = Latencies()
        began = time.perf_counter()
        await asyncio.sleep(seconds)
        took = time.perf_counter() - began
        self._asking, self._latencies = False, None
        await asyncio.gather(*working)
        return {"per_second": latencies.count / took, "latency": latencies.summary()}

    async def _prepare(self) -> None:
        wallets = [{"_id": f"driver{number}", "credits": WALLET_MINOR} for number in range(self._asks.drivers)]
        await self._database["wallets"].insert_many(wallets)
        asked = (self._asks.ask(number) for number in range(min(self._asks.limit, LOTS * BAYS)))
        places = {f"{ask.lot}/{ask.bay}" for ask in asked}
        await self._database["calendars"].insert_many([{"_id": place, "holds": []} for place in places])
        for name in ("keys", "drivers", "transfers", "due"):
            await self._database.create_collection(name)
        bookings = self._database["bookings"]
        for keys in (["owner", "from", "_id"], ["lot", "from", "_id"], ["lot", "bay", "from"]):
            await bookings.create_index(keys)

    async def _keep_booking(self) -> None:
        async with self._client.start_session() as session:
            while self._asking and (number := next(self._numbers)) < self._asks.limit:
                began = time.perf_counter()
                await self._book(session, f"{number:032x}", self._asks.ask(number))
                if self._latencies is not None:
                    self._latencies.record(int((time.perf_counter() - began) * 1_000_000))

    async def _book(self, session: AsyncClientSession, name: str, ask: Ask) -> None:
        stored, now, stay = self._database, datetime.now(UTC), {"from": ask.start, "until": ask.until}
        await stored["keys"].insert_one({"_id": name, "state": "running", "lease_until": now})
        free = {"holds": {"$not": {"$elemMatch": {"from": {"$lt": ask.until}, "until": {"$gt": ask.start}}}}}
        hold = {"$push": {"holds": {"id": name, **stay, "at": now}}}
        await stored["calendars"].update_one({"_id": f"{ask.lot}/{ask.bay}", **free}, hold)
        driver = f"driver{ask.driver}"
        async with await session.start_transaction(ReadConcern("snapshot"), MAJORITY):
            await stored["drivers"].update_one({"_id": driver}, {"$inc": {"asked": 1}}, upsert=True, session=session)
            await stored["bookings"].find({"owner": driver}, {"_id": 1}, session=session).to_list()
            enough = {"_id": driver, "credits": {"$gte": PRICE}}
            await stored["wallets"].update_one(enough, {"$inc": {"credits": -PRICE}}, session=session)
            sides = ((driver, f"revenue:{ask.lot}", PRICE), (f"revenue:{ask.lot}", f"vat:{ask.lot}", PRICE * 19 // 119))
            moved = [{"debit": debit, "credit": credit, "amount": amount, "at": now} for debit, credit, amount in sides]
            await stored["transfers"].insert_many(moved, session=session)
            booking = {"_id": name, "owner": driver, "lot": ask.lot, "bay": ask.bay, **stay, "terms": TERMS}
            await stored["bookings"].insert_one(booking, session=session)
            await stored["due"].insert_one(
                {"_id": name, "at": ask.start, "payload": {"booking": name}}, session=session
            )
            await stored["keys"].update_one({"_id": name}, {"$set": {"state": "done", "body": ANSWER}}, session=session)


async def main(arguments: dict[str, Any]) -> None:
    """Connect, then answer commands."""
    client: AsyncMongoClient[Document] = AsyncMongoClient(arguments["url"], tz_aware=True)
    asks = Asks.from_json(arguments["asks"])
    await serve(Writers(client, arguments["database"], asks, arguments["clients"]).book)


if __name__ == "__main__":
    uvloop.run(main(json.loads(sys.argv[1])))
