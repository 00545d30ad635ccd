"""From a request to the validated values its operation declared. Everything wrong is named by its place."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin

from aiohttp import web
from multidict import MultiMapping
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from api.problems import BadFraming, InvalidInputs, TooLarge, TooSlow, WrongContentType
from api.strict_json import checked_json
from autospot.domain.errors import NotFound

BODY_BYTES_LIMIT: Final = 64 * 1024
BODY_SECONDS: Final = 10.0
"""From the first handling of a request to the last byte of its body."""

PLACES_LIMIT: Final = 20
"""Wrong places named in one problem. A body of 64 KiB can hold thousands."""

Model = TypeVar("Model", bound=BaseModel)


def path_values(model: type[Model], matched: Mapping[str, str]) -> Model:
    """The path's parameters. A path that cannot name anything names nothing: `NotFound`."""
    try:
        return model.model_validate_strings(dict(matched))
    except ValidationError as error:
        raise NotFound("there is nothing at this path") from error


def query_reader(model: type[Model]) -> Callable[[MultiMapping[str]], Model]:
    """A reader of queries as `model`. A field that is a list takes each occurrence of its name; any other takes one."""
    lists = frozenset(name for name, field in model.model_fields.items() if _is_list(field.annotation))

    def read(query: MultiMapping[str]) -> Model:
        values: dict[str, Any] = {}
        for name in set(query):
            given = query.getall(name)
            if name not in lists and len(given) > 1:
                raise InvalidInputs([(f"/query/{name}", "given more than once")])
            values[name] = given if name in lists else given[0]
        try:
            return model.model_validate(values)
        except ValidationError as error:
            raise InvalidInputs(_places(error, "/query")) from error

    return read


def no_query(query: MultiMapping[str]) -> None:
    """For operations that take no query: unknown parameters are refused like unknown fields."""
    if query:
        raise InvalidInputs([(f"/query/{name}", "unknown parameter") for name in list(query)[:PLACES_LIMIT]])


def _is_list(annotation: Any) -> bool:
    origin = get_origin(annotation)
    if origin in (list, tuple, set, frozenset):
        return True
    inner = get_args(annotation)
    if origin is Annotated:
        return _is_list(inner[0])
    return (origin is Union or type(annotation).__name__ == "UnionType") and any(_is_list(part) for part in inner)


async def read_body(request: web.Request) -> bytes:
    """The whole body: at most `BODY_BYTES_LIMIT`, within `BODY_SECONDS`."""
    if (request.content_length or 0) > BODY_BYTES_LIMIT:
        raise TooLarge(f"a body may have {BODY_BYTES_LIMIT} bytes")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise WrongContentType("bodies are taken uncompressed")
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await request.read()
    except TimeoutError as error:
        raise TooSlow(f"the body did not arrive within {BODY_SECONDS:.0f} s") from error
    except web.HTTPRequestEntityTooLarge as error:
        raise TooLarge(f"a body may have {BODY_BYTES_LIMIT} bytes") from error
    except (web.RequestPayloadError, ConnectionError) as error:  # badly framed, or the client is gone
        raise BadFraming("the body was cut off or is badly framed", code="malformed_body") from error


def body_values(model: type[Model], content_type: str, charset: str | None, body: bytes) -> Model:
    """The body as `model`. Types are taken at their word: `"5"` is no integer, `1` is no boolean."""
    if content_type != "application/json" or (charset or "utf-8").lower() != "utf-8":
        raise WrongContentType("send the body as application/json in UTF-8")
    checked_json(body)
    try:
        return model.model_validate_json(body, strict=True)
    except ValidationError as error:
        raise InvalidInputs(_places(error, "")) from error


def no_body(body: bytes) -> None:
    """For operations that take none: an empty body or an empty object, nothing that could have meant something."""
    if body.strip() not in (b"", b"{}"):
        raise InvalidInputs([("", "this operation takes no body")])


def _places(error: ValidationError, under: str) -> list[tuple[str, str]]:
    details = error.errors(include_url=False, include_context=False, include_input=False)
    return [(under + _pointer(detail), _words(detail)) for detail in details[:PLACES_LIMIT]]


def _pointer(detail: ErrorDetails) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1")[:64] for part in detail["loc"])


def _words(detail: ErrorDetails) -> str:
    if detail["type"] == "extra_forbidden":
        return "unknown field"
    return detail["msg"].removeprefix("Value error, ")
