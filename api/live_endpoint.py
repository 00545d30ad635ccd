"""The short life of a request for live state.

An operation that is public, not counted, takes nothing but its path and gives bytes that are there (`Encoded`) needs
nothing of the general life in `api.endpoint` but the path and the version. It is asked thousands of times a second by
screens that poll, so it has a way of its own; the answers are the same to the byte.
"""

from __future__ import annotations

from functools import lru_cache

from aiohttp import web
from pydantic import BaseModel

from api.contract import JSON, PUBLIC, Bound, Encoded
from api.etag import is_fresh
from api.inputs import no_query, path_values
from api.limits import LimitClass
from api.responses import Head, WholeResponse

PATHS_KEPT = 4096
"""Validated paths that are remembered: the path model is frozen, so one serves all who ask for the same."""

HEADS_KEPT = 1024
"""Versions whose headers are kept as bytes."""


def is_live(bound: Bound) -> bool:
    """True if `LiveEndpoint` can serve this operation."""
    declared, wanted = bound.operation, bound.signature
    return (
        declared.access == PUBLIC
        and declared.limit is LimitClass.LIVE
        and wanted.gives is Encoded
        and not (wanted.takes_call or wanted.query or wanted.body)
    )


class LiveEndpoint:
    """Serves one live operation."""

    def __init__(self, bound: Bound) -> None:
        self._handler = bound.handler
        model = bound.signature.path

        @lru_cache(maxsize=PATHS_KEPT)
        def given(items: tuple[tuple[str, str], ...]) -> dict[str, BaseModel]:
            return {"path": path_values(model, dict(items))} if model else {}

        self._given = given

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """The whole life."""
        if request.rel_url.raw_query_string:
            no_query(request.query)
        answer: Encoded[object] = await self._handler(**self._given(tuple(request.match_info.items())))
        etag = answer.etag
        if etag is None:
            return WholeResponse(answer.body, _NO_STORE)
        if is_fresh(request, etag):
            return web.Response(status=304, headers={"ETag": f'"{etag}"', "Cache-Control": "no-cache"})
        return WholeResponse(answer.body, _head(etag))


_NO_STORE = Head(200, {"Content-Type": JSON, "Cache-Control": "no-store"})


@lru_cache(maxsize=HEADS_KEPT)
def _head(etag: str) -> Head:
    return Head(200, {"Content-Type": JSON, "Cache-Control": "no-cache", "ETag": f'"{etag}"'})
