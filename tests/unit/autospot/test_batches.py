"""Natural batching: who waits while others are served goes with the next batch, and is answered for himself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from autospot.domain.errors import Conflict, Unavailable
from autospot.storage import batches
from autospot.storage.batches import Batches


class Server:
    """Serves batches when told to, and remembers them. Odd numbers are refused."""

    def __init__(self) -> None:
        self.served: list[list[int]] = []
        self.may_go_on = asyncio.Event()

    async def serve(self, numbers: Sequence[int]) -> Sequence[int | Exception]:
        self.served.append(list(numbers))
        await self.may_go_on.wait()
        return [Conflict(f"{number} is odd") if number % 2 else number * 10 for number in numbers]


async def asked(asking: Batches[int, int], *numbers: int) -> list[asyncio.Task[int]]:
    """The questions, asked and not yet answered."""
    tasks = [asyncio.create_task(asking.ask(number)) for number in numbers]
    for _ in range(4):  # turns of the loop: to ask, to begin the batch, to be in it
        await asyncio.sleep(0)
    return tasks


async def test_those_who_ask_in_one_moment_are_served_together() -> None:
    server = Server()
    await asked(Batches(server.serve), 2, 4, 6)
    assert server.served == [[2, 4, 6]]
    server.may_go_on.set()


async def test_who_comes_while_others_are_served_goes_with_the_next_batch() -> None:
    server = Server()
    asking = Batches(server.serve)
    first = await asked(asking, 2)
    second = await asked(asking, 4) + await asked(asking, 6)
    assert server.served == [[2]]
    server.may_go_on.set()
    assert await asyncio.gather(*first, *second) == [20, 40, 60]
    assert server.served == [[2], [4, 6]]


async def test_a_refusal_is_only_told_to_whom_it_is_for() -> None:
    server = Server()
    server.may_go_on.set()
    good, bad = await asked(Batches(server.serve), 2, 3)
    assert await good == 20
    with pytest.raises(Conflict, match="3 is odd"):
        await bad


async def test_a_batch_that_fails_fails_for_everybody_in_it_and_not_for_the_next() -> None:
    fails = True

    async def serve(numbers: Sequence[int]) -> Sequence[int]:
        if fails:
            raise Unavailable("nobody there")
        return numbers

    asking = Batches(serve)
    for told in await asyncio.gather(asking.ask(1), asking.ask(2), return_exceptions=True):
        assert isinstance(told, Unavailable)
    fails = False
    assert await asking.ask(3) == 3


async def test_batches_are_no_larger_than_they_may_be() -> None:
    server = Server()
    server.may_go_on.set()
    await asyncio.gather(*await asked(Batches(server.serve, most=2), 2, 4, 6, 8, 10))
    assert server.served == [[2, 4], [6, 8], [10]]


async def test_one_who_gives_up_does_not_hold_up_the_others() -> None:
    server = Server()
    leaving, staying = await asked(Batches(server.serve), 2, 4)
    leaving.cancel()
    server.may_go_on.set()
    assert await staying == 40
    assert leaving.cancelled()


async def test_too_many_who_wait_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "WAITING_LIMIT", 1)
    server = Server()
    asking = Batches(server.serve)
    waiting = await asked(asking, 2) + await asked(asking, 4)
    with pytest.raises(Unavailable, match="come back later"):
        await asking.ask(6)
    server.may_go_on.set()
    assert await asyncio.gather(*waiting) == [20, 40]
