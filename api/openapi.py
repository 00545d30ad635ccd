"""The OpenAPI 3.1 document, from the declarations that route and validate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any, Final

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from api.contract import JSON, PUBLIC, Bound, Contract, Operation
from api.idempotency import KEY_PATTERN
from api.inputs import BODY_BYTES_LIMIT, BODY_SECONDS
from api.limits import LimitClass
from api.problems import (
    PROBLEM_TYPE,
    BadFraming,
    HeadersTooLarge,
    InternalError,
    NoSuchMethod,
    Problem,
    TooLarge,
    TooSlow,
    UnreadableRequest,
    WrongContentType,
    answer_to,
    problem_of,
)
from autospot.domain.access import RULES
from autospot.domain.errors import (
    AutoSpotError,
    Forbidden,
    InvalidInput,
    LimitReached,
    NotFound,
    PreconditionFailed,
    Unauthenticated,
    Unavailable,
)
from autospot.storage.idempotency import AlreadyDone, KeyReused, StillRunning, taken_over

Json = dict[str, Any]

_REF: Final = "#/components/schemas/{model}"

ABOUT: Final = """Parking lots, live: bays and their state, bookings, payments, operations.

Times are RFC 3339 in UTC, money is integers in minor units, ids are opaque. Unknown fields and parameters are refused.
Every refusal is a problem (RFC 9457) with a stable `code`. Every answer carries `X-Request-ID`; send your own to find
a request in the logs. Live changes come over the websocket that `/asyncapi.json` describes."""

_SECURITY: Final[Json] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An access token of `POST /v1/auth/login`, or an API key.",
    }
}


def openapi(contract: Contract) -> Json:
    """The document for `contract`. Depends on nothing else, so equal contracts give equal documents."""
    schemas, definitions = _schemas(contract)
    paths: dict[str, Json] = {}
    for bound in contract.values():
        declared = bound.operation
        paths.setdefault(declared.path, {})[declared.method.lower()] = _operation(bound, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "AutoSpot", "version": version("autospot"), "description": ABOUT, "license": _LICENSE},
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in sorted({bound.operation.tag for bound in contract.values()})],
        "paths": paths,
        "components": {"schemas": definitions, "securitySchemes": _SECURITY},
    }


_LICENSE: Final = {"name": "Apache-2.0", "identifier": "Apache-2.0"}

_Key = tuple[str, str]


def _schemas(contract: Contract) -> tuple[Mapping[_Key, Json], Json]:
    """Of every body, result, query and path: where its schema is; and the shared definitions."""
    wanted: list[tuple[_Key, JsonSchemaMode, TypeAdapter[Any]]] = [
        (("Problem", ""), "serialization", TypeAdapter(Problem))
    ]
    for name, bound in contract.items():
        signature = bound.signature
        if signature.body is not None:
            wanted.append(((name, "body"), "validation", TypeAdapter(signature.body)))
        if signature.result is not None:
            wanted.append(((name, "result"), "serialization", TypeAdapter(signature.result)))
    by_key, definitions = TypeAdapter.json_schemas(wanted, ref_template=_REF)
    return {key: schema for (key, _mode), schema in by_key.items()}, definitions.get("$defs", {})


def _operation(bound: Bound, schemas: Mapping[_Key, Json]) -> Json:
    declared = bound.operation
    described: Json = {
        "operationId": operation_id(bound),
        "summary": declared.summary,
        "tags": [declared.tag],
        "parameters": [*_parameters(bound)],
        "responses": {**_success(bound, schemas), **_refusals(bound)},
    }
    if bound.description:
        described["description"] = bound.description
    if bound.signature.body is not None:
        described["requestBody"] = {
            "required": True,
            "content": {JSON: {"schema": schemas[declared.name, "body"]}},
        }
    if declared.access == PUBLIC:
        described["security"] = []
    else:
        described["security"] = [{"bearer": sorted(_allowed(declared))}]
    return described


def operation_id(bound: Bound) -> str:
    """`lots_state`: tag and method name, what client generators make function names of."""
    return f"{bound.operation.tag}_{bound.handler.__name__}".replace("-", "_")


def _allowed(declared: Operation) -> list[str]:
    if declared.access == PUBLIC:
        return []
    rule = RULES[declared.access]
    return [*rule.roles, *([rule.scope] if rule.scope else [])]


def _parameters(bound: Bound) -> Iterator[Json]:
    declared, signature = bound.operation, bound.signature
    if signature.path is not None:
        yield from _fields(signature.path, "path")
    if signature.query is not None:
        yield from _fields(signature.query, "query")
    if declared.idempotency is not None:
        yield {
            "name": "Idempotency-Key",
            "in": "header",
            "required": True,
            "description": "Your own unique word for this request: sent again it is answered again, not done again.",
            "schema": {"type": "string", "pattern": KEY_PATTERN},
        }
    if declared.etag:
        yield _tag_parameter("If-None-Match", "The ETag you have: 304 if it is still the present one.")
    if declared.if_match:
        yield _tag_parameter("If-Match", "The ETag you edited: 412 if it was changed meanwhile.")


def _tag_parameter(name: str, description: str) -> Json:
    return {"name": name, "in": "header", "description": description, "schema": {"type": "string"}}


def _fields(model: type[BaseModel], place: str) -> Iterator[Json]:
    schema = model.model_json_schema(ref_template=_REF, mode="validation")
    shared = schema.get("$defs", {})
    for name, described in schema["properties"].items():
        field = _inlined(described, shared)
        parameter: Json = {"name": name, "in": place, "schema": field}
        if description := field.pop("description", None):
            parameter["description"] = description
        if place == "path" or name in schema.get("required", ()):
            parameter["required"] = True
        yield parameter


def _inlined(schema: Any, shared: Mapping[str, Json]) -> Any:
    """`schema` with its references replaced by what they name: parameters are small and stand for themselves."""
    if isinstance(schema, list):
        return [_inlined(part, shared) for part in schema]
    if not isinstance(schema, dict):
        return schema
    reference = schema.get("$ref")
    if reference is not None:
        return _inlined(shared[reference.rpartition("/")[2]], shared)
    return {name: _inlined(part, shared) for name, part in schema.items()}


def _success(bound: Bound, schemas: Mapping[_Key, Json]) -> Json:
    declared = bound.operation
    answer: Json = {"description": declared.summary}
    if bound.signature.result is not None:
        answer["content"] = {JSON: {"schema": schemas[declared.name, "result"]}}
    if files := [media for media in declared.media if media != JSON]:
        answer["content"] = {**answer.get("content", {}), **{media: {} for media in files}}
    if declared.etag:
        answer["headers"] = {"ETag": {"schema": {"type": "string"}, "description": "The version, for If-None-Match."}}
    answers: Json = {str(status): answer for status in (declared.status, *declared.also)}
    if declared.etag:
        answers["304"] = {"description": "You have the present version."}
    return answers


def _refusals(bound: Bound) -> Json:
    by_status: dict[int, dict[str, AutoSpotError]] = {}
    for error in errors_of(bound):
        by_status.setdefault(answer_to(error).status, {})[error.code] = error
    return {str(status): _refusal(errors) for status, errors in sorted(by_status.items())}


def _refusal(errors: Mapping[str, AutoSpotError]) -> Json:
    title = answer_to(next(iter(errors.values()))).title
    examples = {code: {"summary": error.message, "value": _example(error)} for code, error in errors.items()}
    return {
        "description": f"{title}: {', '.join(f'`{code}`' for code in errors)}",
        "content": {PROBLEM_TYPE: {"schema": {"$ref": _REF.format(model="Problem")}, "examples": examples}},
    }


def _example(error: AutoSpotError) -> Json:
    return problem_of(error, "9f86d081884c7d65").model_dump(exclude_defaults=True)


def errors_of(bound: Bound) -> Iterator[AutoSpotError]:
    """An example of every refusal of an operation."""
    yield from implied_errors(bound)
    yield from bound.operation.errors


def implied_errors(bound: Bound) -> Iterator[AutoSpotError]:
    """The refusals that follow from a declaration without being named in it."""
    declared = bound.operation
    yield BadFraming("a request has one Host header")
    yield InvalidInput("unknown parameter", at="/query/colour")
    if declared.access != PUBLIC:
        yield Unauthenticated("send Authorization: Bearer and a token")
        yield Forbidden("this needs another role, or another lot")
    if bound.signature.path is not None:
        yield NotFound("there is nothing at this path")
    if declared.method != "GET":
        yield from _BODY_ERRORS
    if declared.idempotency is not None:
        yield UnreadableRequest("this operation needs the header Idempotency-Key", code="idempotency_key_missing")
        yield UnreadableRequest("16 to 255 of A-Z a-z 0-9 _ -", code="idempotency_key_invalid")
        yield KeyReused("this idempotency key was used for a request that said something else")
        yield StillRunning("the first request with this key is still running")
        yield taken_over()
        yield AlreadyDone("this was done, so long ago that its answer is no longer kept")
    if declared.if_match:
        yield PreconditionFailed("it was changed since you read it: read it again, then decide")
    if declared.limit is not LimitClass.LIVE:
        yield LimitReached("too many requests of this kind: wait and come back", after_seconds=7, code="rate_limited")
        yield Unavailable("the database does not answer")


EDGE_ERRORS: Final = (
    UnreadableRequest("the request cannot be used as it is"),
    NoSuchMethod("DELETE is not possible here", allowed=["GET", "HEAD"]),
    HeadersTooLarge("the path or a header is too long"),
    InternalError(),
)
"""Refusals of requests that reach no operation, or that no operation foresaw."""

_BODY_ERRORS: Final = (
    UnreadableRequest("the body is not valid JSON in UTF-8", code="malformed_json"),
    UnreadableRequest("an object has the same name twice", code="duplicate_name"),
    UnreadableRequest("arrays and objects may be nested 32 deep", code="too_deep"),
    UnreadableRequest("an integer is beyond ±(2^53 - 1)", code="number_out_of_range"),
    BadFraming("the body was cut off or is badly framed", code="malformed_body"),
    TooSlow(f"the body did not arrive within {BODY_SECONDS:.0f} s"),
    TooLarge(f"a body may have {BODY_BYTES_LIMIT} bytes"),
    WrongContentType("send the body as application/json in UTF-8"),
)
