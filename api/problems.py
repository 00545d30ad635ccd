"""Refusals as `application/problem+json` (RFC 9457), by one table from error to HTTP status.

Nothing internal leaves here: an error that is not an `AutoSpotError` becomes a 500 that says only its request id; what
happened is in the log under that id.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil
from typing import NamedTuple

import orjson
from aiohttp import web
from multidict import CIMultiDict
from pydantic import BaseModel, ConfigDict, Field

from api.limits import RateLimited
from autospot.domain.errors import (
    AutoSpotError,
    Conflict,
    Forbidden,
    InvalidInput,
    LimitReached,
    NotFound,
    PreconditionFailed,
    Unauthenticated,
    Unavailable,
)

PROBLEM_TYPE = "application/problem+json"
ERRORS_PAGE = "/docs/errors"
"""`type` of a problem is this page and the code as fragment: it can be opened."""

UNAVAILABLE_AFTER_SECONDS = 2


class UnreadableRequest(AutoSpotError):
    """The bytes are no request this API can read: broken JSON, a missing or broken header."""

    code = "unreadable_request"


class BadFraming(UnreadableRequest):
    """It is not certain where the request begins and ends: whatever follows on this connection is not trusted."""

    code = "malformed_request"


class TooLarge(AutoSpotError):
    """More than AutoSpot takes in one request."""

    code = "too_large"


class HeadersTooLarge(AutoSpotError):
    """A request line or header field that is longer than any honest one."""

    code = "headers_too_large"


class WrongContentType(AutoSpotError):
    """A body that does not call itself `application/json` in UTF-8, or is compressed."""

    code = "wrong_content_type"


class TooSlow(AutoSpotError):
    """The body did not arrive before its deadline."""

    code = "too_slow"
    retryable = True


class NoSuchMethod(AutoSpotError):
    """The path exists, this method on it does not. `allowed` are those that do."""

    code = "method_not_allowed"

    def __init__(self, message: str, *, allowed: Iterable[str]) -> None:
        super().__init__(message)
        self.allowed = tuple(sorted(allowed))


class InternalError(AutoSpotError):
    """Nobody foresaw this. The log says what it was, under the request's id."""

    code = "internal_error"

    def __init__(self) -> None:
        super().__init__("something went wrong here; it was noted")


class InvalidInputs(InvalidInput):
    """Several places of one input are wrong: `places` holds (JSON pointer, message) for each."""

    def __init__(self, places: Sequence[tuple[str, str]]) -> None:
        super().__init__("some of what was sent cannot be used", at=places[0][0] if places else "")
        self.places = tuple(places)


def translated(error: web.HTTPException) -> AutoSpotError:
    """aiohttp's own refusals in the words of this API."""
    if isinstance(error, web.HTTPMethodNotAllowed):
        return NoSuchMethod(f"{error.method} is not possible here", allowed={*error.allowed_methods, "OPTIONS"})
    if error.status == 403:
        return Forbidden(error.text or "not allowed")
    if error.status == 404:
        return NotFound("there is nothing at this path")
    if error.status == 413:
        return TooLarge("the request is too large")
    return UnreadableRequest("the request cannot be used as it is")


class Answer(NamedTuple):
    """What HTTP makes of a kind of error."""

    status: int
    title: str


ANSWERS: dict[type[AutoSpotError], Answer] = {
    UnreadableRequest: Answer(400, "The request cannot be read"),
    Unauthenticated: Answer(401, "Sign in first"),
    Forbidden: Answer(403, "Not allowed"),
    NotFound: Answer(404, "Not found"),
    NoSuchMethod: Answer(405, "Method not allowed"),
    TooSlow: Answer(408, "Too slow"),
    Conflict: Answer(409, "Not possible now"),
    PreconditionFailed: Answer(412, "Edited by somebody else meanwhile"),
    TooLarge: Answer(413, "Too large"),
    WrongContentType: Answer(415, "Wrong content type"),
    InvalidInput: Answer(422, "Invalid input"),
    LimitReached: Answer(429, "Too many requests"),
    HeadersTooLarge: Answer(431, "Headers too large"),
    Unavailable: Answer(503, "Unavailable for the moment"),
    AutoSpotError: Answer(500, "Internal error"),
}


class ProblemPlace(BaseModel):
    """One place of the input that is wrong."""

    at: str = Field(description="JSON pointer (RFC 6901) into the body; `/query/…` and `/path/…` for parameters")
    message: str


class Problem(BaseModel):
    """Why a request was refused (RFC 9457)."""

    type: str = Field(description="a page that explains the code", examples=["/docs/errors#conflict"])
    title: str = Field(description="the kind of problem, the same for every problem of a status")
    status: int
    detail: str = Field(description="what is wrong with this request, for people")
    code: str = Field(description="stable word for programs", examples=["conflict"])
    request_id: str
    errors: list[ProblemPlace] = Field(default_factory=list, description="the places that are wrong, for bad input")

    model_config = ConfigDict(extra="allow")  # RFC 9457, section 3.2: a problem may say more, under names of its own


def answer_to(error: AutoSpotError | type[AutoSpotError]) -> Answer:
    """The table's line for `error`: its own class or the nearest one above it."""
    kind = error if isinstance(error, type) else type(error)
    return next(ANSWERS[ancestor] for ancestor in kind.__mro__ if ancestor in ANSWERS)


def problem_of(error: AutoSpotError, request_id: str) -> Problem:
    """`error` in the words a caller may see."""
    status, title = answer_to(error)
    places: Sequence[tuple[str, str]] = ()
    if isinstance(error, InvalidInputs):
        places = error.places
    elif isinstance(error, InvalidInput):
        places = ((error.at, error.message),)
    return Problem(
        type=f"{ERRORS_PAGE}#{error.code}",
        title=title,
        status=status,
        detail=error.message,
        code=error.code,
        request_id=request_id,
        errors=[ProblemPlace(at=at, message=message) for at, message in places],
        **error.extensions,
    )


def headers_of(error: AutoSpotError) -> CIMultiDict[str]:
    """The headers HTTP wants beside this kind of refusal."""
    headers: CIMultiDict[str] = CIMultiDict()
    after_seconds = getattr(error, "after_seconds", None)
    if after_seconds is None and isinstance(error, Unavailable):
        after_seconds = UNAVAILABLE_AFTER_SECONDS
    if after_seconds is not None:
        headers["Retry-After"] = str(max(1, ceil(after_seconds)))
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, RateLimited):
        headers.update(error.standing.headers())
    if isinstance(error, NoSuchMethod):
        headers["Allow"] = ", ".join(error.allowed)
    return headers


def problem_body(problem: Problem) -> bytes:
    """The problem as JSON; `errors` only where there are some."""
    return orjson.dumps(problem.model_dump(exclude={"errors"} if not problem.errors else None))


def problem_response(error: AutoSpotError, request_id: str) -> web.Response:
    """The whole answer. The connection is closed after it where it is not certain that the request has ended there."""
    problem = problem_of(error, request_id)
    response = web.Response(
        body=problem_body(problem), status=problem.status, content_type=PROBLEM_TYPE, headers=headers_of(error)
    )
    if isinstance(error, (BadFraming, TooLarge, TooSlow)):
        response.force_close()
    return response
