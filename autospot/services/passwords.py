"""Hashing passwords: Argon2id (RFC 9106), off the event loop, and never more of it than the machine can bear."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from argon2.low_level import Type

from autospot.domain.errors import LimitReached

AT_ONCE = 2
WAITING = 32
"""Hashes that may wait for their turn: about a second of work. A flood of sign-ins is turned away, not queued up."""
COME_BACK_SECONDS = 2.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class HashCost:
    """What one hash costs: the default is OWASP's first choice, 46 MiB, one pass, one lane (about 60 ms)."""

    memory_kib: int = 46 * 1024
    passes: int = 1
    lanes: int = 1


class Passwords:
    """Makes and checks password hashes.

    Guarantees: at most `AT_ONCE` hashes are computed at a time and at most `WAITING` wait, beyond that `LimitReached`
    (code `busy`); the event loop never computes one; checking against no account costs what checking against one does.
    """

    def __init__(self, cost: HashCost | None = None) -> None:
        cost = cost or HashCost()
        self._hasher = PasswordHasher(
            time_cost=cost.passes, memory_cost=cost.memory_kib, parallelism=cost.lanes, type=Type.ID
        )
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="argon2")
        self._asked = 0
        self._nobodys_hash: str | None = None

    async def hash(self, password: str) -> str:
        """The hash to store, in the PHC string format."""
        return await self._in_turn(lambda: self._hasher.hash(password))

    async def verify(self, stored: str | None, password: str) -> bool:
        """True if `stored` is the hash of `password`. With None (no such account) it is False, after the same work."""
        if self._nobodys_hash is None:
            self._nobodys_hash = await self.hash(secrets.token_urlsafe())
        against = stored if stored is not None else self._nobodys_hash
        matches = await self._in_turn(lambda: self._matches(against, password))
        return matches and stored is not None

    def is_outdated(self, stored: str) -> bool:
        """True if `stored` was made at another cost than today's."""
        return self._hasher.check_needs_rehash(stored)

    def close(self) -> None:
        """Ends the threads; hashes that wait are dropped."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerifyMismatchError, InvalidHashError):
            return False

    async def _in_turn(self, work: Callable[[], T]) -> T:
        if self._asked >= AT_ONCE + WAITING:
            raise LimitReached("too many sign-ins at once", after_seconds=COME_BACK_SECONDS, code="busy")
        self._asked += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._asked -= 1
