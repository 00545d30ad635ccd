"""What handlers are told of a request beyond its input, and what the edge needs to serve any."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from aiohttp import web

from api.addresses import ClientAddresses
from api.etag import IfMatch
from api.idempotency import KeptOnce
from api.limits import RateLimits, Standing
from autospot.clock import Clock
from autospot.domain.access import Principal
from autospot.storage.idempotency import Claim, IdempotencyKeys, KeptReply

Authenticate = Callable[[str], Awaitable[Principal]]
"""The principal a bearer token proves; `Unauthenticated` if it proves none."""


class Trace:
    """What is known of a request beside what it says: its id, and what is left of the caller's allowance."""

    __slots__ = ("request_id", "standing")

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        self.standing: Standing | None = None


TRACE = web.RequestKey("trace", Trace)

Made = TypeVar("Made")
View = TypeVar("View")


@dataclass(frozen=True, slots=True)
class Edge:
    """What every endpoint needs, wired once in `api.app`."""

    authenticate: Authenticate
    limits: RateLimits
    addresses: ClientAddresses
    keys: IdempotencyKeys
    clock: Clock


class Call:
    """What a handler may know of the request beyond its input."""

    def __init__(
        self,
        request: web.Request,
        edge: Edge,
        principal: Principal | None,
        claim: Claim | None,
        rendered: Callable[[Any], KeptReply],
    ) -> None:
        self._request = request
        self._edge = edge
        self._principal = principal
        self._claim = claim
        self._rendered = rendered
        self._kept: KeptOnce[Any, Any] | None = None

    @property
    def principal(self) -> Principal:
        """Who is calling. Only for operations that are not public."""
        if self._principal is None:
            raise RuntimeError("a public operation has no principal")
        return self._principal

    @property
    def request_id(self) -> str:
        """The id under which this request is in the logs."""
        return self._request[TRACE].request_id

    @property
    def address(self) -> str:
        """The client's address as limits count it."""
        return self._edge.addresses.of(self._request)

    @property
    def headers(self) -> Mapping[str, str]:
        """What was sent beside the body: for signatures. What has a meaning of its own is read elsewhere."""
        return self._request.headers

    async def raw_body(self) -> bytes:
        """The body as it came, byte for byte: a signature is over bytes. Operations that take no `body` have none."""
        return await self._request.read()

    @property
    def if_match(self) -> IfMatch:
        """What the change is conditional on, for operations declared with `if_match`."""
        return IfMatch(self._request.headers.get("If-Match"))

    def once(self, render: Callable[[Made], View]) -> KeptOnce[Made, View]:
        """For operations with `idempotency`: hand it to the use case as its `Once`, then return its `kept`. `render`
        turns what the use case made into the answer."""
        if self._claim is None:
            raise RuntimeError("only operations declared with idempotency happen once")
        kept = KeptOnce(self._edge.keys, self._claim, render, self._rendered)
        self._kept = kept
        return kept

    def kept_reply(self, result: object) -> KeptReply | None:
        """The reply that says `result`, if that is what was kept."""
        kept = self._kept
        return kept.reply if kept is not None and kept.reply is not None and kept.kept is result else None
