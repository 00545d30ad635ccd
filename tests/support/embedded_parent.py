"""A program that runs the embedded parts until it is interrupted: `python -m tests.support.embedded_parent FOLDER`.

It prints a line with the process ids of mongod and broker when they are ready, and, when it ends orderly, a line with
their exit codes.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path

from autospot.embedded import parts


async def main(folder: Path) -> None:
    async with parts(folder, cache_gb=0.25) as running:
        print(running.mongod.pid, running.broker.pid, flush=True)
        exits = (running.mongod.exited, running.broker.exited)
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
    print(*(exited.result() for exited in exits), flush=True)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(Path(sys.argv[1])))
