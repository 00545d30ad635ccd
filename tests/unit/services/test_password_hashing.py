"""Hashing: the parameters, the queue's end, and nobody's account."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest
from argon2 import extract_parameters
from argon2.low_level import Type

from autospot.domain.errors import LimitReached
from autospot.services.passwords import AT_ONCE, WAITING, HashCost, Passwords

CHEAP = HashCost(memory_kib=64)


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    passwords = Passwords(CHEAP)
    yield passwords
    passwords.close()


async def test_the_products_own_cost_is_what_the_rules_say() -> None:
    passwords = Passwords()
    hashed = await passwords.hash("tr4m-ruled-otter")
    parameters = extract_parameters(hashed)

    assert parameters.type is Type.ID
    assert (parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (46 * 1024, 1, 1)
    assert await passwords.verify(hashed, "tr4m-ruled-otter")
    passwords.close()


async def test_only_the_right_password_fits(passwords: Passwords) -> None:
    hashed = await passwords.hash("tr4m-ruled-otter")
    assert await passwords.verify(hashed, "tr4m-ruled-otter")
    assert not await passwords.verify(hashed, "tr4m-ruled-ottes")
    assert not await passwords.verify("not a hash", "tr4m-ruled-otter")


async def test_nobodys_password_is_never_right_and_takes_as_long() -> None:
    """Against a cost that is dear enough to measure: most of the time must be the hash in both cases."""
    passwords = Passwords(HashCost(memory_kib=16 * 1024))
    hashed = await passwords.hash("tr4m-ruled-otter")
    await passwords.verify(None, "warms up")

    async def seconds(stored: str | None) -> float:
        begin = time.perf_counter()
        assert not await passwords.verify(stored, "another password")
        return time.perf_counter() - begin

    known = min([await seconds(hashed) for _ in range(7)])
    nobody = min([await seconds(None) for _ in range(7)])
    assert 0.5 < nobody / known < 2
    passwords.close()


async def test_a_flood_is_turned_away_and_the_loop_stays_free() -> None:
    passwords = Passwords(HashCost(memory_kib=1024))
    flood = [asyncio.create_task(passwords.hash("tr4m-ruled-otter")) for _ in range(AT_ONCE + WAITING + 20)]
    await asyncio.sleep(0)  # the loop goes on while hashes are computed

    outcomes = await asyncio.gather(*flood, return_exceptions=True)

    refused = [outcome for outcome in outcomes if isinstance(outcome, LimitReached)]
    assert len(refused) == 20
    assert {error.code for error in refused} == {"busy"}
    assert await passwords.hash("afterwards it works again")
    passwords.close()


async def test_another_cost_is_noticed(passwords: Passwords) -> None:
    dear = Passwords(HashCost(memory_kib=128))
    assert passwords.is_outdated(await dear.hash("tr4m-ruled-otter"))
    assert not passwords.is_outdated(await passwords.hash("tr4m-ruled-otter"))
    dear.close()
