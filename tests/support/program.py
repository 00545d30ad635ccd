"""`autospot serve` as a process of its own, to be killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from autospot.embedded.process import tethered
from tests.support.services import eventually, free_port

READY_SECONDS = 30.0


class Program:
    """A running `autospot` process on a port that stays the same over restarts."""

    def __init__(self, folder: Path, environment: Mapping[str, str], command: str = "serve") -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._command = command
        self._log = folder / "autospot.log"
        self._environment = {**os.environ, **environment, "AUTOSPOT_HTTP_PORT": str(self.port)}
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Starts it and waits until it is ready."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *tethered([sys.executable, "-m", "autospot", self._command]),
                env=self._environment,
                stdout=log,
                stderr=log,
            )
        await eventually(self.answers, deadline_seconds=READY_SECONDS, what=f"autospot is ready; {self._log} says more")

    async def answers(self) -> bool:
        """True if it is ready to serve."""
        assert self._process is None or self._process.returncode is None, self._log.read_text()[-3000:]
        try:
            async with aiohttp.ClientSession() as session, session.get(f"{self.url}/readyz") as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False

    async def kill(self) -> None:
        """SIGKILL."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        return await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        if process.returncode is None:
            process.send_signal(number)
        return await asyncio.wait_for(process.wait(), 30)

    def log(self) -> str:
        return self._log.read_text()


@asynccontextmanager
async def program(
    folder: Path, *, mongo_url: str, db_name: str, mqtt_url: str, command: str = "serve", **settings: str
) -> AsyncIterator[Program]:
    """A ready `autospot serve`, ended at the end."""
    running = Program(
        folder,
        {
            "AUTOSPOT_MONGO_URL": mongo_url,
            "AUTOSPOT_MONGO_DB": db_name,
            "AUTOSPOT_MQTT_URL": mqtt_url,
            "AUTOSPOT_SECRET_KEY": "a secret of the tests, long enough to be one",
            "AUTOSPOT_SOCKETS_PER_ADDRESS": "10000",
            "AUTOSPOT_LOG_FORMAT": "json",
            **settings,
        },
        command,
    )
    await running.start()
    try:
        yield running
    finally:
        await running.kill()
