"""The API about money as a process of its own, for tests that kill it.

Run as `python -m tests.support.money_server URL NAME PORT`.

A request that dies with its process may be taken over after two seconds here, instead of thirty.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta

from prometheus_client import CollectorRegistry

from api.app import ApiSettings, api_app
from api.connections import ConnectionLimits, listening
from api.limits import NO_RATES
from autospot.clock import SystemClock
from autospot.storage import idempotency
from autospot.storage.idempotency import IdempotencyKeys
from autospot.storage.mongo import Database
from tests.support.api import tokens_for_tests
from tests.support.money import a_till, money_operations

idempotency.LEASE = timedelta(seconds=2)


async def serve(url: str, name: str, port: int) -> None:
    database = Database(url, name)
    till = a_till(database, clock=SystemClock())
    app = api_app(
        [money_operations(till)],
        authenticate=tokens_for_tests,
        keys=IdempotencyKeys(database),
        clock=till.clock,
        registry=CollectorRegistry(),
        settings=ApiSettings(rates=NO_RATES),
    )
    async with listening(app, "127.0.0.1", port, ConnectionLimits()):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2], int(sys.argv[3])))
