"""`autospot demo`, as a new user meets it: two sites, simulated sensors, logins, and a clean end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from tests.support.hub import Watcher
from tests.support.services import eventually, free_port

pytestmark = pytest.mark.slow


async def demo_process(folder: Path, *options: str) -> asyncio.subprocess.Process:
    command = [sys.executable, "-m", "autospot", "demo", "--data", str(folder), *options]
    return await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, start_new_session=True
    )


async def ready(folder: Path, process: asyncio.subprocess.Process) -> dict[str, Any]:
    """What `endpoints.json` says, once it is there."""

    def written() -> bool:
        assert process.returncode is None, "the demo ended before it was ready"
        return (folder / "endpoints.json").exists()

    await eventually(written, deadline_seconds=40)
    return json.loads((folder / "endpoints.json").read_text())  # type: ignore[no-any-return]


@asynccontextmanager
async def running_demo(folder: Path, *options: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, dict[str, Any]]]:
    process = await demo_process(folder, *options)
    try:
        yield process, await ready(folder, process)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(process.communicate(), 40)


def children_of(process: asyncio.subprocess.Process) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


async def test_a_demo_shows_live_bays_signs_people_in_and_ends_clean(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    async with running_demo(folder, "--http-port", str(free_port())) as (process, where):
        assert where.keys() == {"http", "mqtt", "mongo", "logins", "pages"}
        assert {"display", "driver", "operator", "docs"} <= where["pages"].keys()
        async with await Watcher.connect(where["http"], "harbour", "market-street") as screen:
            await eventually(lambda: len(screen.lots) == 2)
            for lot in ("harbour", "market-street"):
                await eventually(
                    lambda lot=lot: screen.lots[lot]["counts"]["total"]["unknown"] == 0,
                    deadline_seconds=20,
                    what=f"the simulator has spoken for every bay of {lot}",
                )
        async with aiohttp.ClientSession(where["http"]) as client:
            for role in ("driver", "operator"):
                async with client.post("/v1/auth/login", json=where["logins"][role]) as answer:
                    assert answer.status == 200, await answer.text()
            for page in where["pages"].values():
                async with client.get(page) as answer:
                    assert answer.status == 200, page
        children = children_of(process)
        assert len(children) >= 3
        again = await demo_process(folder)
        said, _ = await asyncio.wait_for(again.communicate(), 30)
        assert again.returncode == 1
        assert str(process.pid) in said.decode()
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.communicate(), 40)
        assert process.returncode == 0
        assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
        assert not (folder / "endpoints.json").exists()


async def test_a_killed_demo_leaves_nothing_running_and_starts_again_with_its_data(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    process = await demo_process(folder, "--no-sim")
    first = await ready(folder, process)
    children = children_of(process)
    os.kill(process.pid, signal.SIGKILL)
    await process.communicate()
    gone = [psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD]
    await eventually(
        lambda: not [child for child in children if child.is_running() and child.status() not in gone],
        deadline_seconds=10,
    )
    (folder / "endpoints.json").unlink()  # or `ready` would read what the killed one left
    async with (
        running_demo(folder, "--no-sim") as (_, again),
        aiohttp.ClientSession(again["http"]) as client,
        client.post("/v1/auth/login", json=again["logins"]["driver"]) as answer,
    ):
        assert again["logins"] == first["logins"]
        assert answer.status == 200


async def test_a_busy_port_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for option in ("--http-port", "--mongo-port"):
            process = await demo_process(tmp_path / option, option, port)
            said, _ = await asyncio.wait_for(process.communicate(), 60)
            assert process.returncode == 1
            assert port in said.decode()
            assert "Traceback" not in said.decode()


async def test_a_folder_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    process = await demo_process(tmp_path / "file" / "demo")
    said, _ = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 1
    assert "Traceback" not in said.decode()
