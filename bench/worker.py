"""How the runner and its load processes talk: one JSON object per line, a command in, one answer out."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

Command = Callable[..., Awaitable[dict[str, Any]]]


def now_ms() -> float:
    """Milliseconds since the Unix epoch: the one clock that all processes of a run share."""
    return time.time() * 1000


def read_command() -> dict[str, Any] | None:
    """The next command from the runner; None when it has gone, which is the worker's sign to end."""
    line = sys.stdin.readline()
    return json.loads(line) if line else None


def answer(reply: dict[str, Any]) -> None:
    """Answer the command in hand."""
    sys.stdout.write(json.dumps(reply) + "\n")
    sys.stdout.flush()


async def serve(*commands: Command) -> None:
    """Report readiness, then answer `commands`, known by their function names, until the runner hangs up."""
    by_name = {command.__name__: command for command in commands}
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    answer({"ready": True})
    while line := await lines.readline():
        fields = json.loads(line)
        answer(await by_name[fields.pop("do")](**fields))
