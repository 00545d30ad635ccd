"""Start a mongod and a broker in a data folder, watch them, stop them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from autospot.embedded import access, broker, mongod, ports
from autospot.embedded.access import Passwords
from autospot.embedded.endpoints import withdraw
from autospot.embedded.errors import EmbeddedError
from autospot.embedded.folder import DataFolder, used_alone
from autospot.embedded.log import PartLog
from autospot.embedded.process import Part, Plan
from autospot.embedded.programs import BrokerKind, find_broker, find_mongod

PORT_ATTEMPTS = 3
"""How often a part whose port nobody asked for may lose it to another program before it counts as failed."""

LOG_CHECK_SECONDS = 10.0

_log = structlog.get_logger()


@dataclass(frozen=True)
class RunningParts:
    """The parts while they run."""

    mongod: Part
    broker: Part
    passwords: Passwords | None
    """Of the broker's users; None on an anonymous broker."""

    @property
    def mongo_url(self) -> str:
        return mongod.url(self.mongod.port)

    @property
    def mqtt_url(self) -> str:
        """The hub's."""
        return self.mqtt_url_for("hub")

    def mqtt_url_for(self, user: str) -> str:
        """For `hub`, `sensors` or `display`; on an anonymous broker the same for all."""
        return broker.url(self.broker.port, user, self.passwords)

    async def failure(self) -> EmbeddedError:
        """Wait until a part dies and return what to say about it. May be awaited by many, and cancelled."""
        exits = {part.exited: part for part in (self.mongod, self.broker)}
        done, _ = await asyncio.wait(exits, return_when=asyncio.FIRST_COMPLETED)
        return exits[done.pop()].failure("while it was needed")


@asynccontextmanager
async def parts(
    data_dir: Path,
    *,
    mongo_port: int | None = None,
    mqtt_port: int | None = None,
    anonymous_broker: bool = False,
    broker_kind: BrokerKind | None = None,
    cache_gb: float = mongod.CACHE_GB,
) -> AsyncIterator[RunningParts]:
    """Run a mongod and a broker with their data in `data_dir`, on the loopback ports asked for or on free ones.

    Inside the `with` both answer: mongod as primary of a replica set, the broker to MQTT. At the end they are stopped
    in reverse order; when this process is killed, the kernel kills them. The same folder brings the same data back, on
    whatever ports, and the same passwords.

    Raises EmbeddedError when they cannot be started. A part that dies later is told by `RunningParts.failure()`.
    """
    async with AsyncExitStack() as stack:
        try:
            folder = await stack.enter_async_context(used_alone(data_dir))
            withdraw(folder.path)
            database, messages, passwords = await asyncio.to_thread(
                _planned, folder, broker_kind, cache_gb, anonymous=anonymous_broker
            )
            ports.require_free(mongo_port, mqtt_port)
            running = RunningParts(
                mongod=await stack.enter_async_context(_running(database, mongo_port, folder)),
                broker=await stack.enter_async_context(_running(messages, mqtt_port, folder)),
                passwords=passwords,
            )
        except OSError as error:
            raise EmbeddedError("folder_unusable", f"cannot work in {data_dir}: {error}") from error
        trimming = asyncio.create_task(_keep_small(running.mongod.log, running.broker.log), name="embedded logs")
        stack.callback(trimming.cancel)
        yield running


def _planned(
    folder: DataFolder, broker_kind: BrokerKind | None, cache_gb: float, *, anonymous: bool
) -> tuple[Plan, Plan, Passwords | None]:
    """How mongod and the broker are run in `folder`, once both are found and the folder is found to be theirs."""
    mongod_program, broker_program = find_mongod(), find_broker(broker_kind)
    folder.claim_version(mongod_program.release)
    passwords = None if anonymous else access.kept_passwords(folder.path / "broker-users.json")
    return (
        mongod.plan(mongod_program, folder.place("mongod"), cache_gb=cache_gb),
        broker.plan(broker_program, folder.place(broker_program.kind), passwords),
        passwords,
    )


@asynccontextmanager
async def _running(plan: Plan, asked_port: int | None, folder: DataFolder) -> AsyncIterator[Part]:
    part = await _started(plan, asked_port, folder)
    try:
        yield part
    finally:
        await part.stop(seconds=plan.stop_seconds)


async def _started(plan: Plan, asked_port: int | None, folder: DataFolder) -> Part:
    log = PartLog(folder.place("logs") / f"{plan.name}.log")
    for _ in range(PORT_ATTEMPTS - 1):
        try:
            return await Part.start(plan, asked_port or ports.free_port(), log, keep_open=[folder.lock])
        except EmbeddedError as error:
            if asked_port is not None or not _lost_its_port(error):
                raise
    return await Part.start(plan, asked_port or ports.free_port(), log, keep_open=[folder.lock])


def _lost_its_port(error: EmbeddedError) -> bool:
    return any("in use" in line for line in error.log_tail)


async def _keep_small(*logs: PartLog) -> None:
    while True:
        await asyncio.sleep(LOG_CHECK_SECONDS)
        for log in logs:
            try:
                await asyncio.to_thread(log.trim)
            except OSError as error:
                _log.warning("embedded.log_not_trimmed", file=str(log.path), reason=error.strerror)
