"""The long-running tasks of a program."""

from __future__ import annotations

import asyncio

import pytest

from autospot.background import Background


async def test_a_task_that_ends_by_itself_is_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    background = Background()

    async def breaks() -> None:
        raise ValueError("broken")

    background.start("ingest", breaks())
    await asyncio.wait_for(background.failed.wait(), 1)
    await background.stop()
    assert "task_ended" in capsys.readouterr().out


async def test_tasks_stop_in_reverse_order_and_may_finish_their_work() -> None:
    background, ended = Background(), list[str]()

    async def works(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append(name)

    for name in ("database", "projector", "broker"):
        background.start(name, works(name))
    await asyncio.sleep(0)
    await background.stop()
    assert ended == ["broker", "projector", "database"]
    assert not background.failed.is_set()


async def test_a_start_that_is_given_up_half_way_leaves_no_task_behind() -> None:
    ended = asyncio.Event()

    async def works() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def starts() -> None:
        async with Background() as background:
            background.start("follower", works())
            await asyncio.sleep(0)
            raise ConnectionError("the database went away")

    with pytest.raises(ConnectionError):
        await starts()
    assert ended.is_set()
