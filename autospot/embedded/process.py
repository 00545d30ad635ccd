"""One part as a child process: started tied to this process, awaited, stopped."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autospot.embedded.errors import EmbeddedError
from autospot.embedded.log import PartLog

TETHER = Path(__file__).with_name("tether.py")


def tethered(command: Sequence[str]) -> list[str]:
    """`command` so that it dies with this process, even when that is killed with SIGKILL (see tether.py).

    `-I -S` leave out site-packages and every environment setting: the little interpreter is up in about 20 ms.
    """
    return [sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), *command]


@dataclass(frozen=True)
class Plan:
    """How to run a program, once its port is known."""

    name: str
    command: Callable[[int], Sequence[str]]
    """Its command line for a port; writes what files it needs."""
    ready: Callable[[int], Coroutine[Any, Any, None]]
    """Returns when it answers on the port."""
    ready_seconds: float
    stop_seconds: float
    """After these it is killed."""


class Part:
    """A running program that answers on its port.

    - It dies when this process dies, whatever the cause; see tether.py for why it must be started from a thread that
      stays (the event loop's own).
    - It has a session of its own: Ctrl-C in the terminal reaches this process only, which then stops the parts in the
      order it wants.
    - `exited` is done, with the exit code, as soon as it ends (minus the signal's number when a signal ended it).
    - `stop()` always ends it.
    """

    def __init__(self, name: str, port: int, process: asyncio.subprocess.Process, log: PartLog) -> None:
        self.name = name
        self.port = port
        self.pid = process.pid
        self.log = log
        self.exited: asyncio.Task[int] = asyncio.create_task(process.wait(), name=f"{name} exits")
        self._process = process

    @classmethod
    async def start(cls, plan: Plan, port: int, log: PartLog, *, keep_open: Sequence[int] = ()) -> Part:
        """Start `plan` and wait until it is ready. Output goes to `log`; the descriptors in `keep_open` are inherited.

        Raises EmbeddedError `part_failed` when it ends instead, or is not ready in time; then nothing is left of it.
        """
        with log.opened() as output:
            process = await asyncio.create_subprocess_exec(
                *tethered(plan.command(port)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
                pass_fds=tuple(keep_open),
            )
        part = cls(plan.name, port, process, log)
        try:
            await part._until_ready(plan.ready(port), seconds=plan.ready_seconds)
        except BaseException:
            await part.stop(seconds=0)
            raise
        return part

    async def _until_ready(self, probe: Coroutine[Any, Any, None], *, seconds: float) -> None:
        probing = asyncio.create_task(probe, name=f"{self.name} is ready")
        try:
            await asyncio.wait({probing, self.exited}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if self.exited.done():
                raise self.failure("before it was ready")
            if not probing.done():
                raise EmbeddedError("part_failed", f"{self.name} was not ready in {seconds:g} s", self.log.tail())
            probing.result()
        except TimeoutError as error:
            raise EmbeddedError("part_failed", f"{self.name} was not ready: {error}", self.log.tail()) from error
        finally:
            probing.cancel()
            await asyncio.gather(probing, return_exceptions=True)

    def failure(self, when: str) -> EmbeddedError:
        """The error that tells of its end; it must have ended."""
        return EmbeddedError("part_failed", f"{self.name} {_ending(self.exited.result())} {when}", self.log.tail())

    async def stop(self, *, seconds: float) -> None:
        """SIGTERM, and SIGKILL when it has not ended after `seconds` (or when the wait itself is cancelled)."""
        if self.exited.done():
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait({self.exited}, timeout=seconds)
        finally:
            if not self.exited.done():
                self._process.kill()
        await self.exited


def _ending(exit_code: int) -> str:
    if exit_code < 0:
        return f"was killed by {signal.Signals(-exit_code).name}"
    return f"ended with exit code {exit_code}"
