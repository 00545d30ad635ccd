"""The life of one request to a declared operation: admitted, read, performed, answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web
from pydantic import BaseModel, TypeAdapter
from structlog.contextvars import bind_contextvars

from api.call import TRACE, Call, Edge
from api.contract import JSON, PUBLIC, Bound, Encoded, File, Idempotency, Reply
from api.etag import is_fresh
from api.idempotency import Renewal, fingerprint, is_final, key_of
from api.inputs import body_values, no_body, no_query, path_values, query_reader, read_body
from api.limits import LimitClass, Standing
from api.problems import PROBLEM_TYPE, headers_of, problem_body, problem_of
from api.responses import Head, WholeResponse
from autospot.domain.access import Action, Principal, require
from autospot.domain.errors import AutoSpotError, Unauthenticated
from autospot.storage.idempotency import Claim, KeptReply, KeyScope, taken_over

TOKEN_LIMIT: Final = 4 * 1024


class Endpoint:
    """Serves one operation."""

    def __init__(self, bound: Bound, edge: Edge) -> None:
        self.edge = edge
        self._operation = bound.operation
        self._handler = bound.handler
        self._wanted = bound.signature
        self._query = query_reader(bound.signature.query) if bound.signature.query else None
        self._result: TypeAdapter[Any] = TypeAdapter(bound.signature.result)
        self._action = None if bound.operation.access == PUBLIC else bound.operation.access
        self._is_counted = bound.operation.limit is not LimitClass.LIVE
        self._may_have_body = bound.operation.method != "GET"

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """The whole life. Refusals leave as `AutoSpotError` and are put into words by `api.envelope`."""
        bind_contextvars(request_id=request[TRACE].request_id)
        if self._is_counted:
            self._count(request, self.edge.limits.hit_address(self._operation.limit, self.edge.addresses.of(request)))
        principal = await self._admitted(request, self._action) if self._action else None
        given = await self._read(request)
        if self._operation.idempotency:
            return await self._perform_once(request, principal, given, self._operation.idempotency)
        call = self._call(request, principal)
        return self._answered(request, await self._perform(call, given))

    async def _admitted(self, request: web.Request, action: Action) -> Principal:
        principal = await self.edge.authenticate(bearer_token(request))
        self._count(request, self.edge.limits.hit_user(self._operation.limit, principal.user_id))
        require(principal, action, request.match_info.get("lot"))
        return principal

    @staticmethod
    def _count(request: web.Request, standing: Standing | None) -> None:
        if standing is not None:
            request[TRACE].standing = standing

    async def _read(self, request: web.Request) -> dict[str, BaseModel]:
        given: dict[str, BaseModel] = {}
        if self._wanted.path is not None:
            given["path"] = path_values(self._wanted.path, request.match_info)
        if self._query is not None:
            given["query"] = self._query(request.query)
        elif request.rel_url.raw_query_string:
            no_query(request.query)
        if self._wanted.body is not None:
            body = await read_body(request)
            given["body"] = body_values(self._wanted.body, request.content_type, request.charset, body)
        elif self._may_have_body and request.body_exists:
            no_body(await read_body(request))
        return given

    def _call(self, request: web.Request, principal: Principal | None, claim: Claim | None = None) -> Call:
        return Call(request, self.edge, principal, claim, self.rendered)

    async def _perform(self, call: Call, given: Mapping[str, BaseModel]) -> Any:
        return await (self._handler(call=call, **given) if self._wanted.takes_call else self._handler(**given))

    async def _perform_once(
        self, request: web.Request, principal: Principal | None, given: Mapping[str, BaseModel], kept_for: Idempotency
    ) -> web.StreamResponse:
        """The first of several equal requests performs; the others are told what it was told."""
        user_id = principal.user_id if principal else ""
        scope = KeyScope(user_id, self._operation.name, key_of(request))
        meaning = fingerprint(request.path, given.get("body"))
        claim = await self.edge.keys.claim(scope, meaning, self.edge.clock.now(), kept_for.value)
        if isinstance(claim, KeptReply):
            return _response(claim, {"Idempotent-Replayed": "true"})
        call = self._call(request, principal, claim)
        try:
            with Renewal(self.edge.keys, claim, self.edge.clock):
                result = await self._perform(call, given)
        except Exception as error:
            if isinstance(error, AutoSpotError) and is_final(error):
                reply = kept_refusal(error, request[TRACE].request_id)
                await self.edge.keys.finish(claim, reply)
                return _response(reply)
            if not await self.edge.keys.release(claim):
                raise taken_over() from error  # which explains whatever else went wrong
            raise
        return _response(call.kept_reply(result) or self.rendered(result))

    def rendered(self, result: Any) -> KeptReply:
        """Status, body and own headers of the answer that says `result`."""
        if type(result) is Encoded:
            return KeptReply(self._operation.status, result.body, _own_headers(JSON, result.etag))
        if isinstance(result, File):
            return KeptReply(self._operation.status, result.body, _file_headers(result))
        status, headers = self._operation.status, _own_headers(JSON)
        if isinstance(result, Reply):
            status, headers = result.status or status, _own_headers(JSON, result.etag, result.location)
            result = result.value
        if result is None:
            return KeptReply(status, b"", {})
        return KeptReply(status, self._result.dump_json(result, by_alias=True), headers)

    def _answered(self, request: web.Request, result: Any) -> web.StreamResponse:
        etag = result.etag if self._operation.etag else None
        if etag is not None and is_fresh(request, etag):
            return web.Response(status=304, headers={"ETag": f'"{etag}"', "Cache-Control": "no-cache"})
        return _response(self.rendered(result))


def bearer_token(request: web.BaseRequest) -> str:
    """The token of `Authorization: Bearer`; `Unauthenticated` where there is none that could be one."""
    headers = request.headers.getall("Authorization", [])
    if len(headers) != 1:
        raise Unauthenticated("send one Authorization header with a bearer token")
    scheme, _, token = headers[0].partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token or len(token) > TOKEN_LIMIT or not token.isascii():
        raise Unauthenticated("send Authorization: Bearer and a token")
    return token


def kept_refusal(error: AutoSpotError, request_id: str) -> KeptReply:
    """A refusal as it is sent and kept."""
    problem = problem_of(error, request_id)
    return KeptReply(problem.status, problem_body(problem), {"Content-Type": PROBLEM_TYPE, **headers_of(error)})


def _own_headers(media: str, etag: str | None = None, location: str | None = None) -> dict[str, str]:
    headers = {"Content-Type": media}
    if etag is not None:
        headers["ETag"] = f'"{etag}"'
        headers["Cache-Control"] = "no-cache"
    else:
        headers["Cache-Control"] = "no-store"
    if location is not None:
        headers["Location"] = location
    return headers


def _file_headers(file: File) -> dict[str, str]:
    headers = _own_headers(file.media, file.etag)
    if file.name is not None:
        headers["Content-Disposition"] = f'attachment; filename="{file.name}"'
    return headers


def _response(reply: KeptReply, more: Mapping[str, str] | None = None) -> web.StreamResponse:
    headers = {**reply.headers, **(more or {})}
    if reply.body:
        return WholeResponse(reply.body, Head(reply.status, headers))
    return web.Response(status=reply.status, headers=headers)
