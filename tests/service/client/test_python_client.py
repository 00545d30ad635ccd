"""The Python client against the whole product: sign-in that renews itself, lots that are watched through cuts."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import uuid4

import pymongo
import pytest
import pytest_asyncio
from pydantic import SecretStr

import autospot.app
from api.auth import AccessTokens
from autospot.app import serving
from autospot.client import ApiError, AutoSpot, Change, Live, LiveEndedError
from autospot.clock import SystemClock
from autospot.domain.access import Role, Scope
from autospot.domain.audit import SYSTEM
from autospot.services.accounts.people import People
from autospot.settings import Settings
from autospot.storage.lots import Lots
from autospot.storage.mongo import Database
from tests.support.hub import reading, sensors
from tests.support.lots import a_lot
from tests.support.proxy import proxy_to
from tests.support.services import eventually

PASSWORD = "otter-ruled trombone"
TOKEN_LIFETIME = timedelta(seconds=2)
"""Short, so that every test that lasts meets a renewal."""
MANY = [f"many{number:02d}" for number in range(55)]
WATCHED = ["counts", "cut", "cut-often", "key", "revoked", "seen", "tokens"]

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True)
class Product:
    """The whole product, running."""

    url: str
    mqtt_url: str
    people: People

    async def somebody(self, email: str, *roles: Role) -> str:
        """Somebody who can sign in with `PASSWORD`; returns the address."""
        await self.people.staff.add(email, PASSWORD, name="Dora", roles=roles, lots=(), actor=SYSTEM)
        return email


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def product(mongo_url: str, broker_url: str) -> AsyncIterator[Product]:
    """Hub and API with some lots. One for all tests here, each of which has a lot and people of its own."""
    settings = Settings(
        mongo_url=mongo_url,
        mongo_db=f"client_{uuid4().hex[:20]}",
        mqtt_url=broker_url,
        http_port=0,
        secret_key=SecretStr("a secret for tests, of more than 32 characters"),
    )
    await store_lots(settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(autospot.app, "AccessTokens", partial(AccessTokens, lifetime=TOKEN_LIFETIME))
        async with serving(settings, with_hub=True, with_api=True, with_mailbox=True) as running:
            await eventually(partial(is_ready, running.url), deadline_seconds=20)
            yield Product(running.url, settings.mqtt_url, running.parts.people)
    with pymongo.MongoClient[dict[str, object]](mongo_url) as client:
        client.drop_database(settings.mongo_db)


async def store_lots(settings: Settings) -> None:
    database = Database(settings.mongo_url, settings.mongo_db)
    # An old layout: for seconds after a change the server answers every question with a snapshot.
    then = SystemClock().now() - timedelta(minutes=1)
    for code in [*MANY, *WATCHED]:
        await Lots(database).save(a_lot(code, 40 if code == "cut-often" else 4), then)
    database.close()


async def is_ready(url: str) -> bool:
    async with AutoSpot(url) as autospot:
        try:
            return bool((await autospot.call("GET", "/readyz"))["ready"])
        except ApiError:
            return False


async def mailed_code(autospot: AutoSpot, email: str) -> str:
    async def arrived() -> str | None:
        for mail in (await autospot.call("GET", "/v1/mailbox", query={"to": email}))["data"]:
            found = re.search(r"^\s+(\d{6})\s*$", mail["text"], re.MULTILINE)
            return found[1] if found else None
        return None

    return str(await eventually(arrived, what="the code is mailed"))


async def taken(live: Live, changes: list[Change]) -> None:
    async for change in live.changes():
        changes.append(change)  # noqa: PERF401 - the test looks at it while it grows


async def same_as_server(autospot: AutoSpot, live: Live, lot: str) -> bool:
    state, picture = await autospot.lot_state(lot), live.lots.get(lot)
    return picture is not None and (picture.epoch, picture.bays, picture.counts) == (
        state["epoch"],
        state["bays"],
        state["counts"],
    )


# REST


async def test_from_registration_to_sign_out(product: Product) -> None:
    email = "dora@example.org"
    async with AutoSpot(product.url) as autospot:
        registration = await autospot.register(email, PASSWORD, "Dora")
        await autospot.verify_email(registration, await mailed_code(autospot, email))
        assert (await autospot.me())["name"] == "Dora"
        await autospot.add_vehicle("DE", "B-AB 1234")
        assert [vehicle["plate"] for vehicle in await autospot.vehicles()] == ["B-AB 1234"]

        kept = autospot.refresh_token
        assert kept is not None
        async with AutoSpot(product.url) as later:
            assert (await later.resume(kept))["email"] == email
            await later.sign_out()
            assert later.refresh_token is None
        with pytest.raises(ApiError) as refused:
            await autospot.resume(kept)
        assert (refused.value.status, refused.value.code) == (401, "sign_in_over")


async def test_lots_come_page_after_page(product: Product) -> None:
    async with AutoSpot(product.url) as autospot:
        assert [lot["lot"] async for lot in autospot.lots()] == sorted([*MANY, *WATCHED])
        assert (await autospot.lot("many07"))["counts"]["total"]["unknown"] == 4
        with pytest.raises(ApiError) as refused:
            await autospot.lot("nowhere")
        assert refused.value.code == "not_found"


async def test_tokens_renew_themselves_once_for_all_who_ask(product: Product) -> None:
    async with AutoSpot(product.url) as client:
        await client.sign_in(await product.somebody("renews@example.org", Role.DRIVER), PASSWORD)
        first = client.refresh_token
        client._renew_at = 0  # its time has come
        await asyncio.gather(*(client.me() for _ in range(10)))
        second = client.refresh_token
        assert second != first
        assert client._tokens is not None

        await eventually(expired(client, client._tokens["access_token"]), deadline_seconds=5)
        client._renew_at = asyncio.get_running_loop().time() + 100  # a client whose clock is wrong
        assert (await client.me())["name"] == "Dora"
        assert client.refresh_token != second


def expired(client: AutoSpot, token: str) -> Callable[[], Awaitable[bool]]:
    async def refused() -> bool:
        try:
            await client.request("GET", "/v1/me", token=token)
        except ApiError as error:
            return error.code == "token_expired"
        return False

    return refused


# Live


async def test_a_reading_is_seen(product: Product) -> None:
    async with (
        AutoSpot(product.url) as autospot,
        autospot.watch("seen", "nowhere") as live,
        sensors(product.mqtt_url) as field,
    ):
        changes: list[Change] = []
        reader = asyncio.create_task(taken(live, changes))
        await eventually(lambda: changes == [Change("seen", None)])
        assert set(live.lots["seen"].bays) == {"B00000", "B00001", "B00002", "B00003"}

        await field.publish("autospot/v1/seen/B00002/reading", reading(True), qos=1)
        await eventually(lambda: Change("seen", frozenset({"B00002"})) in changes)
        assert live.lots["seen"].bays["B00002"]["state"] == "occupied"
        assert await same_as_server(autospot, live, "seen")
        assert live.is_current
        assert live.connections == 1
        reader.cancel()


async def test_counts_alone_can_be_watched(product: Product) -> None:
    async with (
        AutoSpot(product.url) as autospot,
        autospot.watch("counts", detail="counts") as live,
        sensors(product.mqtt_url) as field,
    ):
        await field.publish("autospot/v1/counts/B00002/reading", reading(True), qos=1)
        await eventually(lambda: "counts" in live.lots and live.lots["counts"].counts["total"].get("occupied") == 1)
        assert live.lots["counts"].bays == {}


async def test_after_a_cut_only_what_changed_is_fetched(product: Product) -> None:
    async with (
        proxy_to(product.url) as proxy,
        AutoSpot(product.url) as direct,
        AutoSpot(proxy.url) as autospot,
        autospot.watch("cut") as live,
        sensors(product.mqtt_url) as field,
    ):
        changes: list[Change] = []
        reader = asyncio.create_task(taken(live, changes))
        await eventually(lambda: changes == [Change("cut", None)])
        await field.publish("autospot/v1/cut/B00003/reading", reading(True), qos=1)
        await eventually(lambda: len(changes) == 2)
        proxy.cut()
        await eventually(lambda: not live.is_current)
        await field.publish("autospot/v1/cut/B00001/reading", reading(True), qos=1)

        await eventually(lambda: len(changes) > 2)
        assert changes[2:] == [Change("cut", frozenset({"B00001"}))]
        assert live.connections == 2
        assert await same_as_server(direct, live, "cut")
        reader.cancel()


def short_pause(attempt: int, roll: float, at_least: float = 0.0) -> float:
    return 0.02 * roll


async def test_a_view_that_is_cut_again_and_again_ends_as_the_server_is(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Readings all the while, cuts at moments that a seed chooses, waits made short."""
    seed = random.randrange(10**6)
    moments = random.Random(seed)
    monkeypatch.setattr("autospot.client.live.pause_seconds", short_pause)
    async with (
        proxy_to(product.url) as proxy,
        AutoSpot(product.url) as direct,
        AutoSpot(proxy.url) as autospot,
        autospot.watch("cut-often") as live,
        sensors(product.mqtt_url) as field,
    ):
        revs: list[int] = []
        for number in range(300):
            bay = f"B{moments.randrange(40):05d}"
            await field.publish(f"autospot/v1/cut-often/{bay}/reading", reading(moments.random() < 0.5), qos=1)
            if "cut-often" in live.lots:
                revs.append(live.lots["cut-often"].rev)
            if number % 10 == 0:
                proxy.cut()
        same = partial(same_as_server, direct, live, "cut-often")
        await eventually(same, deadline_seconds=15, what=f"the view is the server's; seed {seed}")
    assert revs == sorted(revs)
    assert live.connections > 5


async def test_a_connection_shows_fresh_tokens_and_outlives_them(product: Product) -> None:
    async with AutoSpot(product.url) as client:
        await client.sign_in(await product.somebody("lasts@example.org", Role.DRIVER), PASSWORD)
        async with client.watch("tokens") as live, sensors(product.mqtt_url) as field:
            await eventually(lambda: "tokens" in live.lots)
            seen = {client.refresh_token}

            def renewed_twice() -> bool:
                seen.add(client.refresh_token)
                return len(seen) > 2

            await eventually(renewed_twice, deadline_seconds=10)
            await field.publish("autospot/v1/tokens/B00001/reading", reading(True), qos=1)
            await eventually(lambda: live.lots["tokens"].bays["B00001"]["state"] == "occupied")
            assert live.connections == 1


async def test_a_revoked_sign_in_loses_its_connection_at_once(product: Product) -> None:
    email = await product.somebody("robbed@example.org", Role.DRIVER)
    async with AutoSpot(product.url) as thief, AutoSpot(product.url) as owner:
        await owner.sign_in(email, PASSWORD)
        await thief.sign_in(email, PASSWORD)
        async with thief.watch("revoked") as live:
            await eventually(lambda: "revoked" in live.lots)
            await owner.sign_out(everywhere=True)
            with pytest.raises(LiveEndedError) as ended:
                async with asyncio.timeout(10):
                    await taken(live, [])
        assert ended.value.code == 4002


async def test_an_api_key_watches_until_it_is_revoked(product: Product) -> None:
    async with AutoSpot(product.url) as admin:
        await admin.sign_in(await product.somebody("ada@example.org", Role.ADMIN), PASSWORD)
        body = {"name": "screen", "scopes": [Scope.LOT_READ], "lots": ["key"]}
        made = await admin.call("POST", "/v1/operator/api-keys", json=body)
        async with AutoSpot(product.url, api_key=made["secret"]) as machine, machine.watch("key") as live:
            await eventually(lambda: "key" in live.lots)
            await admin.call("DELETE", f"/v1/operator/api-keys/{made['id']}")
            with pytest.raises(LiveEndedError):
                async with asyncio.timeout(10):
                    await taken(live, [])
