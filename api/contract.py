"""One declaration per operation: from it come the route, validation, permission, limits, idempotency and OpenAPI.

An operation is a method of a resource class that says what it takes and gives in its signature:

    class Lots:
        def __init__(self, live: LiveLots) -> None: ...

        @operation("GET /v1/lots/{lot}", summary="One lot", tag="lots", access=PUBLIC, errors=(NO_SUCH_LOT,))
        async def lot(self, path: LotPath) -> LotView: ...

Parameters are known by name, take what is needed: `path`, `query` and `body` are pydantic models (`Input`), `call` is
the `Call`. The result is a value of the annotated type, or one of it in a `Reply`; `Encoded` if it is JSON already;
`File` for other media; None for 204. Refusals are raised. `errors` names the ones a caller must expect, each with a
sentence for the documentation; those that follow from the declaration itself (401, 422, 429…) are added by it.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any, Final, Generic, Literal, TypeVar, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict

from api.limits import LimitClass
from autospot.domain.access import Action
from autospot.domain.errors import AutoSpotError

PUBLIC: Final = "public"
Access = Action | Literal["public"]
JSON: Final = "application/json"

T = TypeVar("T")
Handler = Callable[..., Awaitable[Any]]
AnyHandler = TypeVar("AnyHandler", bound=Handler)


class Input(BaseModel):
    """Base of everything that comes in: unknown fields are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Output(BaseModel):
    """Base of what goes out. Every field is always there; what does not apply is null."""

    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)


class Idempotency(Enum):
    """How long the answer to an idempotency key is kept."""

    DAY = timedelta(hours=24)
    MONEY = timedelta(days=30)


@dataclass(frozen=True)  # no slots: `Reply[T](…)` notes its type on the instance
class Reply(Generic[T]):
    """A result with more than a body. `etag` is the version of the resource, without quotes; `location` the path of
    one that was made."""

    value: T
    etag: str | None = None
    location: str | None = None
    status: int | None = None


@dataclass(frozen=True)  # no slots: `Encoded[T](…)` notes its type on the instance
class Encoded(Generic[T]):
    """A result that is JSON in bytes already: the fast path of live state."""

    body: bytes
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class File:
    """A result that is no JSON. `name` makes browsers save it under that name."""

    body: bytes
    media: str
    name: str | None = None
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class Signature:
    """What a handler takes and gives, read from its annotations."""

    path: type[BaseModel] | None
    query: type[BaseModel] | None
    body: type[BaseModel] | None
    takes_call: bool
    result: Any
    """The type of the JSON answer; None where there is none."""
    gives: Any
    """`Reply`, `Encoded` or `File` where the answer comes in one; else None."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A declaration. See `operation`."""

    method: str
    path: str
    summary: str
    tag: str
    access: Access
    status: int
    limit: LimitClass
    errors: Sequence[AutoSpotError]
    idempotency: Idempotency | None
    etag: bool
    if_match: bool
    media: Sequence[str]
    also: Sequence[int]

    @property
    def name(self) -> str:
        """`GET /v1/lots/{lot}`: how people and idempotency scopes name it."""
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Bound:
    """An operation with the method that performs it."""

    operation: Operation
    handler: Handler
    signature: Signature
    description: str = ""


def operation(
    route: str,
    *,
    summary: str,
    tag: str,
    access: Access,
    status: int = 200,
    limit: LimitClass | None = None,
    errors: Sequence[AutoSpotError] = (),
    idempotency: Idempotency | None = None,
    etag: bool = False,
    if_match: bool = False,
    media: Sequence[str] = (JSON,),
    also: Sequence[int] = (),
) -> Callable[[AnyHandler], AnyHandler]:
    """Declares that the decorated method serves `route`, such as `"POST /v1/bookings"`.

    `access` is `PUBLIC` or an action of `autospot.domain.access`; where the path names a `lot`, the permission is asked
    for that lot. `limit` is READ for GET and WRITE for the rest unless said otherwise. `idempotency` demands a key and
    keeps the answer; it needs a known user. `etag` says that answers carry a version, and answers 304 to whoever has
    it; `if_match` offers `call.if_match`. `media` is what the answer may be where it is not JSON. `also` are further
    statuses that a `Reply` may choose for the same answer.
    """
    method, _, path = route.partition(" ")
    if idempotency and access == PUBLIC:
        raise ValueError(f"{route}: an idempotency key belongs to a user, so the operation cannot be public")
    declared = Operation(
        method=method,
        path=path,
        summary=summary,
        tag=tag,
        access=access,
        status=status,
        limit=limit or (LimitClass.READ if method == "GET" else LimitClass.WRITE),
        errors=tuple(errors),
        idempotency=idempotency,
        etag=etag,
        if_match=if_match,
        media=tuple(media),
        also=tuple(also),
    )

    def declare(handler: AnyHandler) -> AnyHandler:
        handler.__operation__ = declared  # type: ignore[attr-defined]
        return handler

    return declare


def operations_of(resource: object) -> Iterator[Bound]:
    """The operations of a resource, in the order in which its class declares them. Of a class itself: what there would
    be, with handlers that nobody can call."""
    kind = resource if isinstance(resource, type) else type(resource)
    for name, function in vars(kind).items():
        declared: Operation | None = getattr(function, "__operation__", None)
        if declared is not None:
            yield Bound(declared, getattr(resource, name), signature_of(function), inspect.getdoc(function) or "")


def signature_of(handler: Handler) -> Signature:
    """What the annotations of `handler` say; `TypeError` for a parameter nobody would know how to fill."""
    hints = get_type_hints(handler, include_extras=True)
    returned = hints["return"]
    names = set(inspect.signature(handler).parameters) - {"self"}
    if unknown := names - {"call", "path", "query", "body"}:
        raise TypeError(f"{handler.__qualname__} takes {sorted(unknown)}: known are call, path, query, body")
    return Signature(
        path=hints.get("path"),
        query=hints.get("query"),
        body=hints.get("body"),
        takes_call="call" in names,
        result=_content_of(returned),
        gives=next((kind for kind in (Reply, Encoded, File) if kind in (returned, get_origin(returned))), None),
    )


def _content_of(annotation: Any) -> Any:
    if get_origin(annotation) in (Reply, Encoded):
        return _content_of(get_args(annotation)[0])
    return None if annotation in (type(None), File) else annotation


def path_parameters(template: str) -> tuple[str, ...]:
    """`("lot", "bay")` of `/v1/lots/{lot}/bays/{bay}`."""
    return tuple(part[1:-1] for part in template.split("/") if part.startswith("{"))


Contract = Mapping[str, Bound]


def contract_of(resources: Sequence[object]) -> Contract:
    """All operations by name. `ValueError` if two claim one route, or a path and its model disagree."""
    contract: dict[str, Bound] = {}
    for resource in resources:
        for bound in operations_of(resource):
            name = bound.operation.name
            if name in contract:
                raise ValueError(f"{name} is declared twice")
            _check(bound)
            contract[name] = bound
    return contract


def _check(bound: Bound) -> None:
    declared, signature = bound.operation, bound.signature
    named = set(signature.path.model_fields) if signature.path else set()
    if named != set(path_parameters(declared.path)):
        raise ValueError(f"{declared.name}: its path and its path model name different parameters")
    is_empty = signature.result is None and declared.media == (JSON,)
    if is_empty != (declared.status == 204):
        raise ValueError(f"{declared.name}: 204 is the status of operations without an answer, and of no other")
