"""Parts that die, parents that die, and parts that will not."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from autospot.embedded import EmbeddedError, RunningParts, parts
from autospot.embedded.log import PartLog
from autospot.embedded.process import Part, Plan
from tests.support.services import eventually

Parent = subprocess.Popen[str]


async def test_a_mongod_that_is_killed_is_reported_with_its_last_lines(tmp_path: Path) -> None:
    async with parts(tmp_path, cache_gb=0.25) as running:
        telling = asyncio.create_task(running.failure())
        os.kill(running.mongod.pid, signal.SIGKILL)
        error = await asyncio.wait_for(telling, 5)
    assert error.code == "part_failed"
    assert error.message == "mongod was killed by SIGKILL while it was needed"
    assert error.log_tail
    assert error.log_tail[-1] in str(error)


@pytest.mark.parametrize("victim", ["mongod", "broker"])
async def test_a_failure_is_told_when_either_part_dies_and_not_before(tmp_path: Path, victim: str) -> None:
    running = RunningParts(
        mongod=await Part.start(plan("exec sleep 60", name="mongod"), 0, PartLog(tmp_path / "mongod.log")),
        broker=await Part.start(plan("exec sleep 60", name="broker"), 0, PartLog(tmp_path / "broker.log")),
        passwords=None,
    )
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(running.failure(), 0.05)
    await getattr(running, victim).stop(seconds=1)
    error = await asyncio.wait_for(running.failure(), 5)
    assert error.message == f"{victim} was killed by SIGTERM while it was needed"
    for part in (running.mongod, running.broker):
        await part.stop(seconds=1)


async def test_a_folder_belongs_to_one_run_and_to_the_next_as_soon_as_that_one_is_killed(
    tmp_path: Path, start_parent: Callable[[Path], Parent]
) -> None:
    parent = start_parent(tmp_path)
    children = pids(parent)
    with pytest.raises(EmbeddedError) as refusal:
        async with parts(tmp_path):
            pass
    assert (refusal.value.code, refusal.value.message) == (
        "folder_in_use",
        f"{tmp_path} is in use by process {parent.pid}",
    )
    assert all(lives(pid) for pid in children)
    parent.kill()
    parent.wait()
    async with parts(tmp_path, cache_gb=0.25):
        assert not any(lives(pid) for pid in children)


async def test_interrupting_the_terminal_reaches_the_parent_alone_which_stops_broker_and_database_in_this_order(
    tmp_path: Path, start_parent: Callable[[Path], Parent]
) -> None:
    parent = start_parent(tmp_path)
    children = pids(parent)
    os.killpg(parent.pid, signal.SIGINT)  # what Ctrl-C does to everybody in the terminal's foreground
    said, _ = await asyncio.to_thread(parent.communicate, timeout=20)
    assert (said.splitlines(), parent.returncode) == (["mosquitto 0", "mongod 0"], 0)
    assert not any(lives(pid) for pid in children)
    log = (tmp_path / "logs" / "mongod.log").read_text()
    assert '"error":"Terminated"' in log
    assert '"error":"Interrupt"' not in log


async def test_a_part_that_ignores_the_request_to_end_is_killed(tmp_path: Path) -> None:
    part = await Part.start(plan("trap '' TERM; echo ready; while :; do sleep 0.1; done"), 0, log_in(tmp_path))
    await eventually(lambda: "ready" in part.log.tail())
    await part.stop(seconds=0.1)
    assert part.exited.result() == -signal.SIGKILL


async def test_a_part_whose_stopping_is_cancelled_is_killed(tmp_path: Path) -> None:
    part = await Part.start(plan("trap '' TERM; echo ready; while :; do sleep 0.1; done"), 0, log_in(tmp_path))
    await eventually(lambda: "ready" in part.log.tail())
    stopping = asyncio.create_task(part.stop(seconds=60))
    await asyncio.sleep(0)
    stopping.cancel()
    assert await asyncio.wait_for(part.exited, 5) == -signal.SIGKILL


async def test_a_part_that_is_never_ready_is_given_up_and_ended(tmp_path: Path) -> None:
    before = psutil.Process().children()
    with pytest.raises(EmbeddedError, match=r"part was not ready in 0.3 s"):
        await Part.start(plan("exec sleep 60", ready_seconds=0.3, ready=never), 0, log_in(tmp_path))
    assert psutil.Process().children() == before


async def test_a_part_whose_own_probe_gives_up_is_told_with_what_the_probe_found(tmp_path: Path) -> None:
    async def no_primary(_port: int) -> None:
        raise TimeoutError("it is not primary yet")

    with pytest.raises(EmbeddedError, match="part was not ready: it is not primary yet") as failure:
        await Part.start(plan("exec sleep 60", ready=no_primary), 0, log_in(tmp_path))
    assert failure.value.code == "part_failed"


async def test_a_part_whose_parent_is_dead_before_it_starts_does_not_start(tmp_path: Path) -> None:
    # The tether is given the id of a process that is not its parent, as it finds it when that has died.
    tether = Path(sys.modules[Part.__module__].__file__ or "").with_name("tether.py")
    ended = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", tether, "1", "/bin/echo", "started"), stdout=-1, stderr=-1
    )
    said, complaint = await ended.communicate()
    assert (ended.returncode, said) == (1, b"")
    assert b"the parent died" in complaint


@pytest.fixture
def start_parent() -> Iterator[Callable[[Path], Parent]]:
    started: list[Parent] = []

    def start(folder: Path) -> Parent:
        parent = subprocess.Popen(
            [sys.executable, "-m", "tests.support.embedded_parent", folder],
            stdout=subprocess.PIPE,
            text=True,
            process_group=0,
        )
        started.append(parent)
        return parent

    yield start
    for parent in started:
        parent.kill()
        parent.communicate()


def pids(parent: Parent) -> list[int]:
    """Of the parts, as the parent tells them when they are ready."""
    assert parent.stdout is not None
    found = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(found) == 2
    return found


def lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def at_once(port: int) -> None:
    """Ready."""


async def never(port: int) -> None:
    await asyncio.Event().wait()


def plan(
    script: str,
    *,
    name: str = "part",
    ready: Callable[[int], Coroutine[Any, Any, None]] = at_once,
    ready_seconds: float = 5,
) -> Plan:
    return Plan(name, lambda _port: ["/bin/sh", "-c", script], ready, ready_seconds, stop_seconds=1)


def log_in(folder: Path) -> PartLog:
    return PartLog(folder / "part.log")
