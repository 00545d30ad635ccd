"""The HTTP side of idempotency keys: the header, the fingerprint, the answer that is kept with the effect."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
from collections.abc import Callable
from typing import Final, Generic, TypeVar

import orjson
from aiohttp import web
from pydantic import BaseModel

from api.problems import UnreadableRequest
from autospot.clock import Clock
from autospot.domain.errors import AutoSpotError, Conflict, NotFound, PreconditionFailed, Unavailable
from autospot.storage.idempotency import Claim, IdempotencyKeys, KeptReply
from autospot.storage.mongo import Session

KEY_PATTERN: Final = "^[A-Za-z0-9_-]{16,255}$"

RENEW_SECONDS: Final = 2.0
"""How often a request at work renews its claim: a third of the lease, so that two may be lost."""

_KEY: Final = re.compile(KEY_PATTERN.strip("^$"))

Made = TypeVar("Made")
View = TypeVar("View")


def key_of(request: web.BaseRequest) -> str:
    """The key, or a 400 that says which of the two is wrong with it."""
    keys = request.headers.getall("Idempotency-Key", [])
    if not keys:
        raise UnreadableRequest("this operation needs the header Idempotency-Key", code="idempotency_key_missing")
    if len(keys) > 1 or not _KEY.fullmatch(keys[0]):
        raise UnreadableRequest("Idempotency-Key: once, 16 to 255 of A-Z a-z 0-9 _ -", code="idempotency_key_invalid")
    return keys[0]


def fingerprint(path: str, body: BaseModel | None) -> str:
    """SHA-256 of the path and the body as it was understood: spacing, order and defaults make no difference."""
    understood = body.model_dump(mode="json") if body is not None else None
    return hashlib.sha256(orjson.dumps([path, understood], option=orjson.OPT_SORT_KEYS)).hexdigest()


def is_final(error: AutoSpotError) -> bool:
    """True for a refusal that the same request would meet again: decided by the business, not by who asks, how, or by
    what is down."""
    return isinstance(error, (Conflict, NotFound, PreconditionFailed)) and not error.retryable


class Renewal:
    """Renews a claim as long as its request is at work. Most are answered before the first time."""

    def __init__(self, keys: IdempotencyKeys, claim: Claim, clock: Clock) -> None:
        self._keys = keys
        self._claim = claim
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    def __enter__(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(RENEW_SECONDS, self._begin)

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()

    def _begin(self) -> None:
        self._task = asyncio.create_task(self._renew())

    async def _renew(self) -> None:
        is_held = True
        while is_held:
            with contextlib.suppress(Unavailable):  # the request itself will hear of it
                is_held = await self._keys.renew(self._claim, self._clock.now())
            await asyncio.sleep(RENEW_SECONDS)


class KeptOnce(Generic[Made, View]):
    """`Once` for one request: `render` makes the answer from what the use case made, `kept` is that answer."""

    def __init__(
        self,
        keys: IdempotencyKeys,
        claim: Claim,
        render: Callable[[Made], View],
        encode: Callable[[View], KeptReply],
    ) -> None:
        self._keys = keys
        self._claim = claim
        self._render = render
        self._encode = encode
        self._view: View | None = None
        self.reply: KeptReply | None = None

    def id(self, prefix: str, part: str = "") -> str:
        """The same id at every try of this request."""
        return self._claim.scope.derived_id(prefix, part)

    async def keep(self, session: Session, result: Made) -> None:
        """Keeps the answer in `session`'s transaction. Called again when the transaction is tried again."""
        self._view = self._render(result)
        self.reply = self._encode(self._view)
        await self._keys.finish(self._claim, self.reply, session)

    @property
    def kept(self) -> View:
        """The answer that was kept."""
        if self._view is None:
            raise RuntimeError("the use case ended without keeping its answer in its transaction")
        return self._view
