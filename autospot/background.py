"""The long-running tasks of a program: started by name, stopped in reverse order, and never dead unnoticed."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Self

import structlog

STOP_SECONDS = 10.0
"""How long a task may take to finish its work when the program stops."""

log = structlog.get_logger(__name__)


class Background:
    """Tasks that run until the program stops.

    Guarantees: a task that ends by itself sets `failed` (the program then stops with exit code 1 and its supervisor
    starts it afresh: a hub without its ingest must not look alive); `stop` cancels the newest first and waits for each.
    As a context manager it stops at the end of its block, also where a start is given up half way.
    """

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[Any]] = []
        self._stopping = False
        self.failed = asyncio.Event()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def start(self, name: str, work: Coroutine[Any, Any, Any]) -> None:
        """Runs `work` beside everything else."""
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        if self._stopping or task.cancelled():
            return
        log.critical("task_ended", task=task.get_name(), exc_info=task.exception())
        self.failed.set()

    async def stop(self) -> None:
        """Cancels every task, the newest first, and waits for it to finish."""
        self._stopping = True
        for task in reversed(self._tasks):
            task.cancel()
            _, unfinished = await asyncio.wait({task}, timeout=STOP_SECONDS)
            if unfinished:
                log.error("task_does_not_stop", task=task.get_name())
            elif not task.cancelled() and task.exception() is not None:
                log.error("task_failed_while_stopping", task=task.get_name(), exc_info=task.exception())
