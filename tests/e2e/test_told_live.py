"""A driver with the app open, an operator at a desk, and the two served by different programs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from autospot.app import Serving, serving
from autospot.client import AutoSpot
from autospot.clock import SystemClock
from autospot.domain.access import Role
from autospot.domain.instant import rfc3339
from autospot.settings import Settings
from autospot.storage.lots import Lots
from autospot.storage.mongo import Database
from tests.support.lots import a_lot
from tests.support.people import PASSWORD, SECRET, a_town
from tests.support.services import eventually

HEARD_WITHIN_SECONDS = 10


@dataclass
class Programs:
    """A hub without an API and an API without a hub."""

    hub: Serving
    api: Serving


@pytest.fixture
async def programs(mongo_url: str, mongo_db_name: str, broker_url: str) -> AsyncIterator[Programs]:
    database = Database(mongo_url, mongo_db_name)
    settings = Settings(
        mongo_url=mongo_url,
        mongo_db=mongo_db_name,
        mqtt_url=broker_url,
        http_port=0,
        secret_key=SECRET,  # type: ignore[arg-type]
    )
    await Lots(database).save(a_lot("harbour", 3), SystemClock().now())
    async with (
        serving(settings, with_hub=True, with_api=False) as hub,
        serving(settings, with_hub=False, with_api=True) as api,
    ):
        town = a_town(database)
        for name in ("dora", "carl"):
            await town.member(f"{name}@example.org", Role.DRIVER)
        await town.member("otto@example.org", Role.OPERATOR, lots=("harbour",))
        town.people.passwords.close()
        await eventually(lambda: _is_ready(api), deadline_seconds=HEARD_WITHIN_SECONDS)
        yield Programs(hub, api)
    database.close()


async def _is_ready(program: Serving) -> bool:
    async with aiohttp.ClientSession() as client, client.get(f"{program.url}/readyz") as answer:
        return answer.status == 200


@asynccontextmanager
async def signed_in(programs: Programs, name: str) -> AsyncIterator[AutoSpot]:
    async with AutoSpot(programs.api.url) as autospot:
        await autospot.sign_in(f"{name}@example.org", PASSWORD)
        yield autospot


@asynccontextmanager
async def connected(programs: Programs, person: AutoSpot) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A websocket to the hub, greeted."""
    async with person.http.ws_connect(f"{programs.hub.url}/v1/live", protocols=("autospot.v1",)) as socket:
        await socket.send_json({"type": "hello", "token": await person.token()})
        assert (await socket.receive_json())["type"] == "welcome"
        yield socket


async def heard(socket: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    """The next `me` message."""
    async with asyncio.timeout(HEARD_WITHIN_SECONDS):
        while True:
            message: dict[str, Any] = json.loads(await socket.receive_str())
            if message["type"] == "me":
                return message


async def booked(driver: AutoSpot) -> str:
    """A booking for tomorrow, free of charge."""
    start = (SystemClock().now() + timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
    wanted = {"lot": "harbour", "bay": "B00000", "from": rfc3339(start), "until": rfc3339(start + timedelta(hours=1))}
    made = await driver.call("POST", "/v1/bookings", json=wanted, headers={"Idempotency-Key": "a-booking-of-one-hour"})
    return str(made["id"])


async def cancelled_by(operator: AutoSpot, booking: str) -> None:
    await operator.call(
        "POST",
        f"/v1/operator/bookings/{booking}/cancel",
        json={"reason": "works"},
        headers={"Idempotency-Key": f"cancel-{booking}"},
    )


async def test_what_happens_to_a_booking_is_told_to_its_driver_at_once_whichever_program_wrote_it(
    programs: Programs,
) -> None:
    async with (
        signed_in(programs, "dora") as dora,
        signed_in(programs, "carl") as carl,
        signed_in(programs, "otto") as otto,
        connected(programs, dora) as phone,
        connected(programs, dora) as tablet,
        connected(programs, carl) as stranger,
    ):
        booking = await booked(dora)
        await cancelled_by(otto, booking)
        told = await heard(phone)
        kept = [each async for each in dora.notifications()]

        assert told == await heard(tablet)
        assert (told["event"], told["subject"], told["lot"]) == ("booking_cancelled", booking, "harbour")
        assert "works" in told["facts"]["reason"]
        assert [(each["id"], each["what"], each["at"]) for each in kept] == [(told["id"], told["event"], told["at"])]

        await cancelled_by(otto, await booked(carl))
        assert (await heard(stranger))["subject"] != booking, "what is Dora's is told to nobody else"
