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

from autospot.embedded import parts
from autospot.embedded.log import PartLog
from autospot.embedded.process import Part, Plan
from tests.support.services import eventually

Parent = subprocess.Popen[str]


@pytest.mark.parametrize("victim", ["mongod", "broker"])
async def test_a_part_that_is_killed_is_reported_with_its_last_lines(tmp_path: Path, victim: str) -> None:
    async with parts(tmp_path, cache_gb=0.25) as running:
        part: Part = getattr(running, victim)
        telling = asyncio.create_task(running.failure())
        os.kill(part.pid, signal.SIGKILL)
        error = await asyncio.wait_for(telling, 5)
    assert error.code == "part_failed"
    assert error.message == f"{part.name} was killed by SIGKILL while it was needed"
    assert error.log_tail
    assert error.log_tail[-1] in str(error)


async def test_the_broker_ends_before_the_database_both_orderly_and_no_failure_is_told(tmp_path: Path) -> None:
    ended: list[tuple[str, int]] = []
    async with parts(tmp_path, cache_gb=0.25) as running:
        running.mongod.exited.add_done_callback(lambda exited: ended.append(("mongod", exited.result())))
        running.broker.exited.add_done_callback(lambda exited: ended.append(("broker", exited.result())))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(running.failure(), 0.1)
    assert ended == [("broker", 0), ("mongod", 0)]


async def test_a_killed_parent_leaves_no_part_and_its_folder_can_be_used_at_once(
    tmp_path: Path, start_parent: Callable[[Path], Parent]
) -> None:
    parent = start_parent(tmp_path)
    orphans = pids(parent)
    parent.kill()
    parent.wait()
    async with parts(tmp_path, cache_gb=0.25):
        assert not [pid for pid in orphans if lives(pid)]


async def test_interrupting_the_terminal_reaches_the_parent_alone_which_stops_its_parts_orderly(
    tmp_path: Path, start_parent: Callable[[Path], Parent]
) -> None:
    parent = start_parent(tmp_path)
    children = pids(parent)
    os.killpg(parent.pid, signal.SIGINT)  # what Ctrl-C does to everybody in the terminal's foreground
    said, _ = await asyncio.to_thread(parent.communicate, timeout=20)
    assert (said.split(), parent.returncode) == (["0", "0"], 0)
    assert not [pid for pid in children if lives(pid)]
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
    slow = plan("echo still thinking; exec sleep 60", ready_seconds=0.3, ready=never)
    with pytest.raises(Exception, match=r"was not ready in 0.3 s\n  \| still thinking"):
        await Part.start(slow, 0, log_in(tmp_path))
    assert not psutil.Process().children()


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
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


async def at_once(port: int) -> None:
    """Ready."""


async def never(port: int) -> None:
    await asyncio.Event().wait()


def plan(script: str, *, ready: Callable[[int], Coroutine[Any, Any, None]] = at_once, ready_seconds: float = 5) -> Plan:
    return Plan("part", lambda _port: ["/bin/sh", "-c", script], ready, ready_seconds, stop_seconds=1)


def log_in(folder: Path) -> PartLog:
    return PartLog(folder / "part.log")
