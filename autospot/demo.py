"""`autospot demo`: everything on this machine, with nothing installed beside the project.

A mongod and a broker of its own, hub and API, two example sites, and simulated sensors; all data in one folder.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path

from autospot.app import Serving, prepared_database, serving
from autospot.clock import SystemClock
from autospot.domain.access import Role
from autospot.domain.audit import Actor
from autospot.domain.errors import Conflict
from autospot.domain.lot import Lot
from autospot.domain.lot_files import read_lots
from autospot.domain.subscription import parse_plans
from autospot.embedded import Endpoints, Login, RunningParts, parts, published
from autospot.embedded.ports import free_port, is_free
from autospot.embedded.process import tethered
from autospot.parts import Parts
from autospot.secret_file import kept_secret
from autospot.services.accounts.people import People
from autospot.services.gateway.simulated import SimulatedGateway
from autospot.services.registry import Registry
from autospot.services.subscribing import load_plans
from autospot.services.tariffs import load_tariff
from autospot.settings import Settings, load_settings
from autospot.storage.lots import Lots
from gateway_sim.run import running_gateway

SITES = ("harbour.json", "market-street.json")
USUAL_HTTP_PORT = 8080
DEMO_ROLES = (Role.DRIVER, Role.OPERATOR, Role.ADMIN)
DEMO = Actor("command_line", "demo")
SIMULATOR_STOP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What `autospot demo` was asked for. Ports None: free ones (HTTP: 8080 if that is free)."""

    data: Path
    http_port: int | None = None
    mqtt_port: int | None = None
    mongo_port: int | None = None
    simulate: bool = True
    anonymous_broker: bool = False


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo: where it is found, and what happens when a part of it dies."""

    endpoints: Endpoints
    parts: RunningParts
    serving: Serving
    simulator: asyncio.subprocess.Process | None

    async def ended(self) -> str:
        """Waits until a part dies and returns what to say about it."""
        waits = {
            asyncio.create_task(self._part_failed()),
            asyncio.create_task(self._server_failed()),
            asyncio.create_task(self._simulator_ended()),
        }
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            return done.pop().result()
        finally:
            for wait in waits:
                wait.cancel()

    async def _part_failed(self) -> str:
        return str(await self.parts.failure())

    async def _server_failed(self) -> str:
        await self.serving.failed.wait()
        return "a part of the server died; the log above says why"

    async def _simulator_ended(self) -> str:
        if self.simulator is None:
            await asyncio.Event().wait()
            return ""
        code = await self.simulator.wait()
        return f"the simulator ended with exit code {code}"


@asynccontextmanager
async def demo(options: DemoOptions) -> AsyncIterator[Demo]:
    """Runs everything; entered when every address in `endpoints.json` answers."""
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(
            parts(
                options.data,
                mongo_port=options.mongo_port,
                mqtt_port=options.mqtt_port,
                anonymous_broker=options.anonymous_broker,
            )
        )
        http_port = options.http_port or (USUAL_HTTP_PORT if is_free(USUAL_HTTP_PORT) else free_port())
        gateway = await stack.enter_async_context(_card_gateway(http_port))
        settings = _settings(options, running, http_port, gateway)
        sites = list(_example_sites())
        await _prepare(settings, sites)
        program = await stack.enter_async_context(serving(settings, with_hub=True, with_api=True, with_mailbox=True))
        simulator = None
        if options.simulate:
            simulator = await stack.enter_async_context(_simulator(options.data, running.mqtt_url_for("sensors")))
        logins = await _logins(options.data, program.parts.people, [site.lot for site in sites])
        await _set_prices(program.parts)
        endpoints = _endpoints(program.url, running, sites[0], logins)
        stack.enter_context(published(endpoints, options.data))
        yield Demo(endpoints, running, program, simulator)


@dataclass(frozen=True, slots=True)
class CardGateway:
    """A simulated payment gateway on this machine, and the secrets it shares with AutoSpot."""

    url: str
    key: str
    webhook_secret: str


@asynccontextmanager
async def _card_gateway(http_port: int) -> AsyncIterator[CardGateway]:
    key, webhook_secret = secrets.token_urlsafe(24), f"whsec_{b64encode(secrets.token_bytes(24)).decode()}"
    webhooks = f"http://127.0.0.1:{http_port}/v1/gateway/webhooks/{SimulatedGateway.provider}"
    async with running_gateway(webhook_url=webhooks, webhook_secret=webhook_secret, api_key=key) as gateway:
        yield CardGateway(gateway.url, key, webhook_secret)


def _settings(options: DemoOptions, running: RunningParts, http_port: int, gateway: CardGateway) -> Settings:
    return load_settings(
        mongo_url=running.mongo_url,
        mongo_db="autospot",
        mqtt_url=running.mqtt_url,
        http_host="127.0.0.1",
        http_port=http_port,
        gateway_url=gateway.url,
        gateway_key=gateway.key,
        gateway_webhook_secret=gateway.webhook_secret,
        secret_key=kept_secret(options.data / "secret-key"),
    )


def _example_sites() -> Iterator[Lot]:
    for name in SITES:
        with _site_file(name) as file, file.open(encoding="utf-8") as text:
            yield from read_lots(text)


@contextmanager
def _site_file(name: str) -> Iterator[Path]:
    with resources.as_file(resources.files("sites") / name) as path:
        yield path


async def _prepare(settings: Settings, sites: Sequence[Lot]) -> None:
    async with prepared_database(settings) as database:
        async for _saved in Registry(Lots(database)).import_lots(sites, SystemClock().now()):
            pass


@asynccontextmanager
async def _simulator(folder: Path, mqtt_url: str) -> AsyncIterator[asyncio.subprocess.Process]:
    lots = [json.loads((resources.files("sites") / name).read_text())["lots"] for name in SITES]
    file = folder / "sites.json"
    file.write_text(json.dumps({"lots": [lot for group in lots for lot in group]}))
    with (folder / "simulator.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *tethered([sys.executable, "-m", "autospot", "sim", "run", "--lots", str(file)]),
            env={**os.environ, "AUTOSPOT_MQTT_URL": mqtt_url},  # not an argument: `ps` shows those to everybody
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), SIMULATOR_STOP_SECONDS)
            except TimeoutError:
                process.kill()
                await process.wait()


async def _set_prices(parts: Parts) -> None:
    """The example sites' tariffs and plans, unless this folder has them already."""
    folder = resources.files("sites")
    for name in SITES:
        lot = name.removesuffix(".json")
        await load_tariff(parts.tariffs, lot, (folder / f"{lot}.tariff.json").read_bytes(), DEMO)
    await load_plans(parts.subscribing.plans, parse_plans((folder / "plans.json").read_bytes()))


async def _logins(folder: Path, persons: People, lots: Sequence[str]) -> dict[str, Login]:
    """Somebody to sign in as, with passwords that this folder keeps."""
    file = folder / "logins.json"
    if not file.exists():
        made = {
            role.value: asdict(Login(f"{role.value}@demo.example", secrets.token_urlsafe(12))) for role in DEMO_ROLES
        }
        file.touch(mode=0o600)
        file.write_text(json.dumps(made, indent=2))
    logins = {role: Login(**login) for role, login in json.loads(file.read_text()).items()}
    for role in DEMO_ROLES:
        login = logins[role.value]
        works_for = lots if role is Role.OPERATOR else ()
        try:
            await persons.staff.add(
                login.email, login.password, name=role.value.title(), roles=[role], lots=works_for, actor=DEMO
            )
        except Conflict:
            continue  # from an earlier start of this folder
    return logins


def _endpoints(url: str, running: RunningParts, site: Lot, logins: Mapping[str, Login]) -> Endpoints:
    return Endpoints(
        http=url,
        mqtt=running.mqtt_url_for("sensors"),
        mongo=running.mongo_url,
        logins=logins,
        pages={
            "display": f"{url}/display/{site.lot}/{site.signs[0].sign}",
            "driver": f"{url}/",
            "operator": f"{url}/",
            "docs": f"{url}/docs",
            "mailbox": f"{url}/mailbox",
        },
    )
