"""A process that works on the due-queue, for tests that kill it: `python due_worker.py MONGO_URL DATABASE`.

Every row of the kind `deed` inserts one document into `deeds`, after a pause in which the process may die.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta

from autospot.clock import SystemClock
from autospot.services.clockwork import Clockwork, DueKind
from autospot.storage.due import DueRows
from autospot.storage.mongo import Database, Session


@dataclass(frozen=True)
class Deed:
    number: int


DEED = DueKind("deed", Deed, lease=timedelta(seconds=1), at_once=8)


async def work(url: str, name: str) -> None:
    database = Database(url, name)
    clockwork = Clockwork(database, DueRows(database), SystemClock())

    async def do(session: Session, deed: Deed, now: datetime) -> None:
        await database.collection("deeds").insert_one({"number": deed.number, "at": now}, session=session)
        await asyncio.sleep(0.02)

    clockwork.exactly_once(DEED, do)
    await clockwork.run()


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], sys.argv[2]))
