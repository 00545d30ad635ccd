"""How often one address or one user may ask, per class of route.

The counting is the moving window of the library `limits`. Its own memory storage starts a thread every 10 ms that
walks every key, and keeps the keys of everybody who ever called; `MovingWindows` is a storage for it that is bounded.
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from typing import Final

from limits import RateLimitItem, parse
from limits.storage import MovingWindowSupport, Storage
from limits.strategies import MovingWindowRateLimiter

from autospot.domain.errors import LimitReached

SUBJECTS_LIMIT: Final = 50_000
HITS_LIMIT: Final = 1_000_000


class LimitClass(StrEnum):
    """Routes that share an allowance."""

    LIVE = "live"
    """Live state from memory, probes and documents: answering costs less than counting, so nothing is counted."""
    READ = "read"
    WRITE = "write"
    MONEY = "money"
    SIGN_IN = "sign_in"
    """Whatever tries a password or a refresh token."""
    CODE = "code"
    """Whatever sends or tries a code by e-mail, and registration."""
    REPORT = "report"
    """Reports and exports: seconds of work each."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Allowances such as `30/minute`: one for each address, one for each user. None: not counted."""

    address: str | None = None
    user: str | None = None


DEFAULT_RATES: Final[Mapping[LimitClass, Rates]] = {
    LimitClass.LIVE: Rates(),
    LimitClass.READ: Rates(address="1200/minute", user="600/minute"),
    LimitClass.WRITE: Rates(address="600/minute", user="120/minute"),
    LimitClass.MONEY: Rates(address="300/minute", user="60/minute"),
    LimitClass.SIGN_IN: Rates(address="30/minute"),
    LimitClass.CODE: Rates(address="10/minute"),
    LimitClass.REPORT: Rates(address="60/minute", user="20/minute"),
}
"""Generous to a person behind an app, and to a household behind one address; tight where guessing pays."""


def rates_times(factor: float) -> Mapping[LimitClass, Rates]:
    """The default allowances, each `factor` times as large; 0 counts nothing at all. For operators whose clients share
    few addresses, and for load tests."""

    def scaled(rate: str | None) -> str | None:
        if rate is None or factor == 0:
            return None
        amount, _, window = rate.partition("/")
        return f"{max(1, round(int(amount) * factor))}/{window}"

    return {name: Rates(scaled(line.address), scaled(line.user)) for name, line in DEFAULT_RATES.items()}


NO_RATES: Final = rates_times(0)


class MovingWindows(Storage, MovingWindowSupport):
    """The times of recent hits per key, in memory.

    Limits: `SUBJECTS_LIMIT` keys and `HITS_LIMIT` hits in all. When either is full, the key that was heard from
    longest ago is forgotten: it is the one whose window has most likely passed.
    """

    STORAGE_SCHEME = None

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now = now
        self._windows: OrderedDict[str, deque[float]] = OrderedDict()
        self._hits = 0

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Takes `amount` of `limit` within the last `expiry` seconds; False, and nothing taken, if it does not fit."""
        now = self._now()
        window = self._window(key, now - expiry)
        if len(window) + amount > limit:
            return False
        window.extend([now] * amount)
        self._hits += amount
        self._windows.move_to_end(key)
        self._forget_oldest()
        return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """When the window of `key` began and how much of it is taken. `limit` is not needed to say so."""
        del limit
        now = self._now()
        window = self._window(key, now - expiry)
        return (window[0] if window else now), len(window)

    def _window(self, key: str, begin: float) -> deque[float]:
        window = self._windows.setdefault(key, deque())
        while window and window[0] <= begin:
            window.popleft()
            self._hits -= 1
        return window

    def _forget_oldest(self) -> None:
        while len(self._windows) > SUBJECTS_LIMIT or (self._hits > HITS_LIMIT and len(self._windows) > 1):
            _key, window = self._windows.popitem(last=False)
            self._hits -= len(window)

    def clear(self, key: str) -> None:
        self._hits -= len(self._windows.pop(key, ()))

    def reset(self) -> int:
        count = len(self._windows)
        self._windows.clear()
        self._hits = 0
        return count

    def check(self) -> bool:
        return True

    def get(self, key: str) -> int:
        return len(self._windows.get(key, ()))

    def get_expiry(self, key: str) -> float:
        raise NotImplementedError(f"{key}: only moving windows are kept here")

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        raise NotImplementedError(f"{key}: only moving windows are kept here")


@dataclass(frozen=True, slots=True)
class Standing:
    """What is left of an allowance after a hit: `remaining` of `limit`, whole again in `reset_seconds`."""

    limit_class: LimitClass
    limit: int
    window_seconds: int
    remaining: int
    reset_seconds: float

    def headers(self) -> dict[str, str]:
        """`RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10)."""
        return {
            "RateLimit-Policy": f'"{self.limit_class}";q={self.limit};w={self.window_seconds}',
            "RateLimit": f'"{self.limit_class}";r={self.remaining};t={ceil(self.reset_seconds)}',
        }


class RateLimited(LimitReached):
    """The allowance of an address or a user is used up. `standing` is what its headers say."""

    code = "rate_limited"

    def __init__(self, standing: Standing) -> None:
        super().__init__("too many requests of this kind: wait and come back", after_seconds=standing.reset_seconds)
        self.standing = standing


class RateLimits:
    """Counts hits of one process. Several processes each grant the allowance: it protects a process, not a quota."""

    def __init__(
        self, rates: Mapping[LimitClass, Rates] = DEFAULT_RATES, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._now = now
        self._limiter = MovingWindowRateLimiter(MovingWindows(now))
        self._address = {name: parse(line.address) for name, line in rates.items() if line.address}
        self._user = {name: parse(line.user) for name, line in rates.items() if line.user}

    def hit_address(self, limit_class: LimitClass, address: str) -> Standing | None:
        """Counts a request of `address` (IPv6: its /64 network); raises `RateLimited` when its allowance is gone."""
        return self._hit(self._address.get(limit_class), limit_class, "address", address)

    def hit_user(self, limit_class: LimitClass, user_id: str) -> Standing | None:
        """The same for a signed-in user, whatever address they come from."""
        return self._hit(self._user.get(limit_class), limit_class, "user", user_id)

    def _hit(self, rate: RateLimitItem | None, limit_class: LimitClass, kind: str, subject: str) -> Standing | None:
        if rate is None:
            return None
        key = (limit_class.value, kind, subject)
        granted = self._limiter.hit(rate, *key)
        reset_time, remaining = self._limiter.get_window_stats(rate, *key)
        standing = Standing(limit_class, rate.amount, rate.get_expiry(), remaining, max(0.0, reset_time - self._now()))
        if not granted:
            raise RateLimited(standing)
        return standing
