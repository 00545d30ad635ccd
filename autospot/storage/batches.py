"""Natural batching: whoever asks while others are served goes with the next batch.

There is no timer. Alone, an item is served at once; the busier it gets, the larger the batches and the less each costs.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

from autospot.domain.errors import Unavailable

BATCH_LIMIT: Final = 64
WAITING_LIMIT: Final = 4_096
"""Items that wait for a batch: more than a process has requests in flight."""

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Batches(Generic[Item, Answer]):
    """Collects items and has them served together.

    Guarantees: every item is answered once, in the order in which they came, with the answer or error of `serve` for
    it; an error of `serve` itself is everybody's. At most `at_once` batches are under way, of at most `most` items;
    at most `WAITING_LIMIT` wait, and who comes then is refused (`Unavailable`). Who gives up waiting does not hold up
    the rest, and is served all the same.
    """

    def __init__(
        self,
        serve: Callable[[Sequence[Item]], Awaitable[Sequence[Answer | Exception]]],
        *,
        most: int = BATCH_LIMIT,
        at_once: int = 1,
    ) -> None:
        self._serve = serve
        self._most = most
        self._at_once = at_once
        self._waiting: deque[tuple[Item, asyncio.Future[Answer]]] = deque()
        self._under_way = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, item: Item) -> Answer:
        """The answer for `item`."""
        if len(self._waiting) >= WAITING_LIMIT:
            raise Unavailable("too many ask for this at once: come back later")
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        if self._under_way < self._at_once:
            self._under_way += 1
            # A task begins in the next turn of the loop: whoever asks in this one is part of its first batch.
            serving = asyncio.create_task(self._serve_all())
            self._tasks.add(serving)
            serving.add_done_callback(self._tasks.discard)
        return await answer

    async def _serve_all(self) -> None:
        try:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
                await self._serve_batch(batch)
        finally:
            self._under_way -= 1

    async def _serve_batch(self, batch: Sequence[tuple[Item, asyncio.Future[Answer]]]) -> None:
        answers: Sequence[Answer | Exception]
        try:
            answers = await self._serve([item for item, _ in batch])
        except Exception as error:  # noqa: BLE001 - it is handed to those who asked
            answers = [error] * len(batch)
        except BaseException:  # the program ends: nobody is left waiting
            for _, waits in batch:
                waits.cancel()
            raise
        for (_, waits), answer in zip(batch, answers, strict=True):
            if waits.done():
                continue
            if isinstance(answer, Exception):
                waits.set_exception(answer)
            else:
                waits.set_result(answer)
