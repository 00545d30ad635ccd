"""A program that runs the embedded parts until it is interrupted: `python -m tests.support.embedded_parent FOLDER`.

It prints the process ids of mongod and broker in a line when they are ready, then the name and exit code of each part
in a line when it ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import sys
from pathlib import Path

import uvloop

from autospot.embedded import parts


async def main(folder: Path) -> None:
    async with parts(folder, cache_gb=0.25) as running:
        print(running.mongod.pid, running.broker.pid, flush=True)
        for part in (running.mongod, running.broker):
            part.exited.add_done_callback(functools.partial(tell, part.name))
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()


def tell(name: str, exited: asyncio.Task[int]) -> None:
    print(name, exited.result(), flush=True)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(main(Path(sys.argv[1])))  # the product's event loop; the tests' own is asyncio's
