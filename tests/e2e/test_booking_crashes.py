"""kill -9 of API, hub and MongoDB while 64 clients book, change and cancel: no booking lost, none double, none paid
twice.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest

from api.auth import AccessTokens
from autospot.clock import SystemClock
from autospot.domain.access import Role
from autospot.domain.audit import SYSTEM
from autospot.domain.ledger.account import wallet
from autospot.domain.lot import BookingTerms
from autospot.services.cashier.cashier import cashier
from autospot.services.gateway.directory import Gateways
from autospot.services.tariffs import LotTariffs
from autospot.storage import schema
from autospot.storage.bookings import BookingQuery, Bookings
from autospot.storage.ledger import Ledger
from autospot.storage.lots import Lots
from autospot.storage.mongo import Database
from tests.support.agreement import books_of, disagreements
from tests.support.booking_clients import BookingClient
from tests.support.history_checker import History, Stored, faults
from tests.support.lots import a_lot
from tests.support.money import top_up
from tests.support.people import SECRET, Town, a_town
from tests.support.program import Program, program
from tests.support.services import BrokerServer, MongodServer, eventually
from tests.support.tariffs import HOURLY, document

LOT, BAYS, CLIENTS = "crash", 20, 64
FILLED = 1_000_000
SETTLED_SECONDS = 90.0
"""Promises without a booking are released after 30 s, by a sweep every 10 s."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@dataclass
class Running:
    """The programs, and the drivers with the header that signs each of them in."""

    api: Program
    hub: Program
    mongod: MongodServer
    town: Town
    headers: dict[str, dict[str, str]]

    async def kill(self, victim: str) -> None:
        """kill -9, and up again as a supervisor would have it."""
        if victim == "mongod":
            await asyncio.to_thread(self.mongod.kill)
            await asyncio.to_thread(self.mongod.restart)
            return
        running = self.api if victim == "api" else self.hub
        await running.kill()
        await running.start()


@asynccontextmanager
async def towns(tmp_path: Path, mongod: MongodServer, broker: BrokerServer) -> AsyncIterator[Running]:
    database = Database(mongod.url, "crash")
    try:
        await database.prepare(schema.DECLARED)
        terms = BookingTerms(open_per_driver=1000, maximum_minutes=240)
        await Lots(database).save(a_lot(LOT, BAYS).model_copy(update={"booking": terms}), SystemClock().now())
        town = a_town(database)
        await put_tariff(town)
        headers = dict([await driver(town, number) for number in range(CLIENTS)])
        settings = {"AUTOSPOT_SECRET_KEY": SECRET, "AUTOSPOT_RATE_FACTOR": "0"}
        common = {"mongo_url": mongod.url, "db_name": "crash", "mqtt_url": broker.url}
        for name in ("api", "hub"):
            (tmp_path / name).mkdir()
        async with (
            program(tmp_path / "api", **common, command="api", **settings) as api,
            program(tmp_path / "hub", **common, command="hub", **settings) as hub,
        ):
            yield Running(api, hub, mongod, town, headers)
    finally:
        database.close()


async def driver(town: Town, number: int) -> tuple[str, dict[str, str]]:
    """A driver with money, and the header that signs him in."""
    email = f"driver{number}@example.org"
    await town.member(email, Role.DRIVER)
    signed_in = await town.sign_in(email, place=f"192.0.2.{number}")
    await top_up(town.database, signed_in.account.id, FILLED, SystemClock().now())
    token = AccessTokens(town.keys, SystemClock()).issue(signed_in.account, signed_in.family)
    return signed_in.account.id, {"Authorization": f"Bearer {token}"}


async def killed_in_turn(running: Running, dice: random.Random) -> None:
    victims = ["api", "mongod", "hub", "api"]
    dice.shuffle(victims)
    print("victims", *victims)
    for victim in victims:
        await asyncio.sleep(dice.uniform(1.0, 3.0))  # load of this length, then the blow
        await running.kill(victim)
    await asyncio.sleep(3.0)


async def booked_while_killed(running: Running, seed: int) -> History:
    history, stop, dice = History(), asyncio.Event(), random.Random(seed)
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CLIENTS)) as http:
        clients = [
            BookingClient(
                number,
                http,
                running.api.url,
                headers,
                LOT,
                BAYS,
                today + timedelta(days=2),
                random.Random(seed * 1_000 + number),
                history,
            )
            for number, headers in enumerate(running.headers.values())
        ]
        async with asyncio.TaskGroup() as group:
            for client in clients:
                group.create_task(client.run(stop))
            await killed_in_turn(running, dice)
            stop.set()
    return history


async def test_kill_9_of_api_hub_and_mongod_loses_and_doubles_no_booking(
    tmp_path: Path, make_mongod: Callable[..., MongodServer], make_broker: Callable[..., BrokerServer]
) -> None:
    seed = int(os.environ.get("AUTOSPOT_PROOF_SEED", random.SystemRandom().randrange(1_000_000)))
    print(f"seed {seed}")
    async with towns(tmp_path, make_mongod(), make_broker()) as running:
        database = running.town.database
        history = await booked_while_killed(running, seed)
        outcomes = Counter(each.outcome for each in history.attempts)
        in_doubt = sum(each.lingers > 0 for each in history.attempts)
        print(f"attempts {dict(outcomes)}, of them in doubt {in_doubt}, releases {len(history.releases)}")
        assert outcomes["unknown"] == 0, "an idempotent retry finds out"
        assert in_doubt > 0

        async def nothing_disagrees() -> bool:
            found = disagreements(await books_of(database, LOT), SystemClock().now())
            assert not found, found[:5]
            return True

        await eventually(nothing_disagrees, deadline_seconds=SETTLED_SECONDS)
        bookings = await Bookings(database).newest(BookingQuery(), 1_000_000)
        stored = [Stored(each.id, each.bay, each.period, each.is_open) for each in bookings]
        assert faults(history, stored) == []
        made = {each.booking for each in history.attempts if each.outcome == "ok"}
        assert {each.id for each in bookings} == made, "one booking for each key that was answered, and no other"
        await the_money_is_there(running, Counter(dict.fromkeys(running.headers, 0)))


async def the_money_is_there(running: Running, paid: Counter[str]) -> None:
    """The books balance, and each wallet lacks what its driver's bookings say was paid."""
    town, ledger = running.town, Ledger(running.town.database)
    for booking in await Bookings(town.database).newest(BookingQuery(), 1_000_000):
        paid[booking.owner] += booking.paid
    assert sum(paid.values()) > 0
    for owner, amount in paid.items():
        assert (await ledger.balance(wallet(owner), "EUR")).available == FILLED - amount, owner
    people = town.people
    cash = cashier(town.database, Gateways([]), people.schedule, people.clockwork, people.audit, town.clock)
    report = await cash.auditor.audit()
    assert report.is_clean, report.mismatches


async def put_tariff(town: Town) -> None:
    """2.00 for each started hour."""
    tariffs = LotTariffs(town.database, town.people.audit, SystemClock(), "EUR")
    await tariffs.put(LOT, document(HOURLY), SYSTEM)
