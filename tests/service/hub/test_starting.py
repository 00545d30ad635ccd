"""`autospot` as a process: how it starts, refuses to, and is stopped before it has."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from autospot.embedded.process import tethered
from autospot.embedded.programs import find_mongod
from tests.support.hub import Servers
from tests.support.program import program
from tests.support.services import eventually, free_port

SECRET = "0123456789abcdef0123456789abcdef"


async def autospot(*arguments: str, **settings: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *tethered([sys.executable, "-m", "autospot", *arguments]),
        env={**os.environ, "AUTOSPOT_SECRET_KEY": SECRET, **settings},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def ended(process: asyncio.subprocess.Process) -> tuple[int | None, str]:
    """The exit code, and what it said on standard error."""
    _, said = await asyncio.wait_for(process.communicate(), 30)
    return process.returncode, said.decode()


async def test_a_start_that_waits_for_its_database_can_be_stopped() -> None:
    process = await autospot("serve", AUTOSPOT_MONGO_URL=f"mongodb://127.0.0.1:{free_port()}/?replicaSet=rs0")
    assert process.stderr is not None
    assert b"waiting_for_database" in await asyncio.wait_for(process.stderr.readline(), 30)
    process.send_signal(signal.SIGTERM)
    assert await ended(process) == (0, "")


async def test_a_second_program_on_a_port_is_refused_and_disturbs_nobody(servers: Servers, tmp_path: Path) -> None:
    where = {"mongo_url": servers.mongo_url, "db_name": servers.db_name, "mqtt_url": servers.mqtt_url}
    async with program(tmp_path, **where) as first:
        second = await autospot(
            "serve",
            AUTOSPOT_MONGO_URL=servers.mongo_url,
            AUTOSPOT_MONGO_DB=servers.db_name,
            AUTOSPOT_MQTT_URL=servers.mqtt_url,
            AUTOSPOT_HTTP_PORT=str(first.port),
        )
        code, said = await ended(second)
        assert code == 1
        assert f"cannot listen at http://127.0.0.1:{first.port}" in said
        assert "broker_connected" not in said
        assert "Traceback" not in said
        await eventually(first.answers)
        assert "broker_connection_lost" not in first.log()


async def test_a_database_that_is_no_replica_set_is_refused_in_one_line(tmp_path: Path) -> None:
    port = free_port()
    options = ["--dbpath", str(tmp_path), "--bind_ip", "127.0.0.1", "--port", str(port), "--quiet", "--nounixsocket"]
    mongod = await asyncio.create_subprocess_exec(
        *tethered([str(find_mongod().path), *options]), stdout=asyncio.subprocess.DEVNULL
    )
    try:
        process = await autospot("serve", AUTOSPOT_MONGO_URL=f"mongodb://127.0.0.1:{port}")
        code, said = await ended(process)
    finally:
        mongod.terminate()
        await mongod.wait()
    assert code == 1
    assert said.splitlines()[-1].startswith("autospot: AUTOSPOT_MONGO_URL: this MongoDB is no replica set")
    assert "Traceback" not in said


async def test_a_listing_without_a_database_is_refused_in_one_line() -> None:
    process = await autospot(
        "lots", "export", AUTOSPOT_MONGO_URL=f"mongodb://127.0.0.1:{free_port()}/?serverSelectionTimeoutMS=100"
    )
    assert await ended(process) == (1, "autospot: the database did not answer in time\n")
    process = await autospot("lots", "export", AUTOSPOT_MONGO_URL="mongodb://user:se@cret@host/")
    code, said = await ended(process)
    assert code == 1
    assert said.startswith("autospot: AUTOSPOT_MONGO_URL: ")
    assert "cret" not in said
