"""Around every request, whatever serves it: its id, its errors in words, CORS and safe headers."""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable, Iterable
from functools import lru_cache
from itertools import count
from time import monotonic
from typing import Final

import structlog
from aiohttp import HttpVersion11, web
from multidict import istr

from api.call import TRACE, Trace
from api.metrics import RequestTally
from api.problems import BadFraming, InternalError, problem_response, translated
from api.responses import SAFE_HEADERS, WholeResponse
from autospot.domain.errors import AutoSpotError

Serve = Callable[[web.Request], Awaitable[web.StreamResponse]]

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")

_HOST_TEXT: Final = re.compile(r"[A-Za-z0-9._~%!$&'()*+,;=-]*(:[0-9]*)?|\[[0-9A-Fa-f:.]+\](:[0-9]*)?")
"""reg-name, IPv4 or IPv6 address, and port (RFC 3986, section 3.2)."""

_HOST: Final = istr("Host")
_UPGRADE: Final = istr("Upgrade")
_TRANSFER_ENCODING: Final = istr("Transfer-Encoding")
_X_REQUEST_ID: Final = istr("X-Request-ID")
_process: Final = secrets.token_hex(4)
_count: Final = count(1)

CORS_METHODS: Final = "GET, HEAD, POST, PUT, PATCH, DELETE"
CORS_HEADERS: Final = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-ID"
CORS_EXPOSED: Final = "ETag, Idempotent-Replayed, Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-ID"
CORS_SECONDS: Final = 600

log: structlog.stdlib.BoundLogger = structlog.get_logger("api")


class Envelope:
    """What every request goes through. `origins` may read answers from a browser (scheme, host and port, as browsers
    send them).

    Guarantees: every answer has `X-Request-ID`, the caller's own where it sent a usable one; every refusal is a
    problem; an error that nobody foresaw is logged with its traceback and answered with its request id and no more.

    `api.connections.listening` puts it around the whole application. As a middleware it would cost 6 us more, because
    aiohttp builds the chain of calls for each request; an answer from memory takes 50 in all.
    """

    def __init__(self, tally: RequestTally, origins: Iterable[str] = ()) -> None:
        self._tally = tally
        self._origins = frozenset(origins)

    async def around(self, request: web.Request, handler: Serve) -> web.StreamResponse:
        """Serves `request` by `handler`. See the class."""
        began = monotonic()
        trace = request[TRACE] = Trace(request_id_of(request))
        is_routed = False
        try:
            check_framing(request)
            is_routed = True
            response = await handler(request)
        except AutoSpotError as error:
            response = problem_response(error, trace.request_id)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            response = refused(request, error, trace.request_id)
        except Exception:
            log.exception("request_failed", request_id=trace.request_id, method=request.method, path=request.path)
            response = problem_response(InternalError(), trace.request_id)
        if not response.prepared:  # a websocket has sent its headers already
            self._seal(request, response, trace)
            route = request.match_info.route.resource if is_routed else None
            self._tally.count(request.method, route, response.status, monotonic() - began)
        return response

    def _seal(self, request: web.Request, response: web.StreamResponse, trace: Trace) -> None:
        headers = response.headers
        headers[_X_REQUEST_ID] = trace.request_id
        if not isinstance(response, WholeResponse):  # which has them from the start
            headers.update(SAFE_HEADERS)
        if trace.standing is not None:
            headers.update(trace.standing.headers())
        if self._origins:
            self._share(request, response)

    def _share(self, request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Vary"] = "Origin"
        origin = request.headers.get("Origin")
        if origin not in self._origins:
            return
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = CORS_EXPOSED
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            response.headers["Access-Control-Allow-Methods"] = CORS_METHODS
            response.headers["Access-Control-Allow-Headers"] = CORS_HEADERS
            response.headers["Access-Control-Max-Age"] = str(CORS_SECONDS)


ENVELOPE = web.AppKey("envelope", Envelope)


def request_id_of(request: web.BaseRequest) -> str:
    """The caller's `X-Request-ID` if it is safe to log and send back, else a new one."""
    given = request.headers.get(_X_REQUEST_ID)
    if given is not None and _REQUEST_ID.fullmatch(given):
        return given
    return f"{_process}-{next(_count):08x}"


def check_framing(request: web.BaseRequest) -> None:
    """Refuses what two programs on the way could read as two different requests: no `Host`, several or an impossible
    one (RFC 9112, section 3.2), and an upgrade with a body, which the new protocol would take for its first words."""
    hosts = request.headers.getall(_HOST, ())
    if (len(hosts) != 1 or not _is_host(hosts[0])) and (hosts or request.version >= HttpVersion11):
        raise BadFraming("a request has one Host header")
    if _UPGRADE in request.headers and (request.content_length or _TRANSFER_ENCODING in request.headers):
        raise BadFraming("an upgrade has no body")


@lru_cache(maxsize=256)
def _is_host(text: str) -> bool:
    return _HOST_TEXT.fullmatch(text) is not None


def refused(request: web.Request, error: web.HTTPException, request_id: str) -> web.Response:
    """aiohttp's own refusal as a problem; for OPTIONS what is possible with the path."""
    if request.method == "OPTIONS" and isinstance(error, web.HTTPMethodNotAllowed):
        return web.Response(status=204, headers={"Allow": ", ".join(sorted({*error.allowed_methods, "OPTIONS"}))})
    return problem_response(translated(error), request_id)
