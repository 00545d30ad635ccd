"""The REST side of the client: requests, sign-in, tokens that renew themselves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from types import TracebackType
from typing import Any, Literal, Self, cast
from uuid import uuid4

import aiohttp
import orjson

from autospot.client.errors import ApiError
from autospot.client.live import Live
from autospot.client.shapes import (
    Account,
    Assignment,
    Lot,
    LotState,
    LotSummary,
    Notification,
    Recommendation,
    Route,
    Tokens,
    Vehicle,
)

CONNECT_SECONDS = 10.0
REQUEST_SECONDS = 30.0
API_KEY_SHOWN_EVERY_SECONDS = 480.0
"""A connection proves its API key again as often as a token: see `docs/accounts.md`."""
RENEW_AT_SHARE = 0.8
"""An access token is renewed when this share of its life is over."""


class AutoSpot:
    """A connection to one AutoSpot, for one person or for nobody.

    Guarantees: requests carry a token that holds; however many need a fresh one at once, it is fetched once; a token
    that the server refuses as expired is renewed and the request repeated, once. Every refusal is an `ApiError`.
    """

    def __init__(self, url: str, *, client: str = "autospot-python", api_key: str | None = None) -> None:
        self.url = url.rstrip("/")
        self._client = client
        self._api_key = api_key
        self._http: aiohttp.ClientSession | None = None
        self._tokens: Tokens | None = None
        self._renew_at = 0.0
        self._renewing = asyncio.Lock()

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.http.close()

    @property
    def http(self) -> aiohttp.ClientSession:
        """The HTTP session, while the client is entered."""
        if self._http is None:
            raise RuntimeError("use it as `async with AutoSpot(url) as autospot:`")
        return self._http

    # Signing in

    async def register(self, email: str, password: str, name: str) -> str:
        """Asks for an account; a code is mailed. Returns what `verify_email` wants beside it."""
        asked = await self.request(
            "POST", "/v1/auth/register", json={"email": email, "password": password, "name": name}
        )
        return cast(str, asked["registration"])

    async def verify_email(self, registration: str, code: str) -> Account:
        """Makes the account, and signs in."""
        body = {"registration": registration, "code": code, "client": self._client}
        return self._take(await self.request("POST", "/v1/auth/verify-email", json=body))

    async def sign_in(self, email: str, password: str) -> Account:
        """Signs in; the tokens renew themselves from here on."""
        body = {"email": email, "password": password, "client": self._client}
        return self._take(await self.request("POST", "/v1/auth/login", json=body))

    async def resume(self, refresh_token: str) -> Account:
        """Goes on with a sign-in that was kept: see `refresh_token`."""
        return self._take(await self.request("POST", "/v1/auth/refresh", json={"refresh_token": refresh_token}))

    @property
    def refresh_token(self) -> str | None:
        """What to keep, secretly, to go on later. It changes with every renewal."""
        return None if self._tokens is None else self._tokens["refresh_token"]

    async def sign_out(self, *, everywhere: bool = False) -> None:
        """Ends this sign-in, or all of the account's."""
        if self._tokens is not None:
            body = {"refresh_token": self._tokens["refresh_token"], "everywhere": everywhere}
            self._tokens = None
            await self.request("POST", "/v1/auth/logout", json=body)

    async def token(self, *, other_than: str | None = None) -> str | None:
        """An access token that holds, None when nobody is signed in. `other_than`: one that was just refused."""
        if self._api_key is not None:
            return self._api_key
        async with self._renewing:
            if self._tokens is not None and self._is_to_renew(self._tokens, other_than):
                await self.resume(self._tokens["refresh_token"])
            return None if self._tokens is None else self._tokens["access_token"]

    def renew_in_seconds(self) -> float:
        """How long the present token may be shown; a connection that lasts longer shows a newer one then."""
        if self._api_key is not None:
            return API_KEY_SHOWN_EVERY_SECONDS
        return max(1.0, self._renew_at - asyncio.get_running_loop().time())

    def _is_to_renew(self, tokens: Tokens, refused: str | None) -> bool:
        return tokens["access_token"] == refused or asyncio.get_running_loop().time() >= self._renew_at

    def _take(self, tokens: Tokens) -> Account:
        self._tokens = tokens
        self._renew_at = asyncio.get_running_loop().time() + RENEW_AT_SHARE * tokens["expires_in"]
        return tokens["account"]

    # What there is

    async def me(self) -> Account:
        """The account that is signed in."""
        return cast(Account, await self.call("GET", "/v1/me"))

    async def vehicles(self) -> list[Vehicle]:
        """One's own vehicles."""
        return cast(list[Vehicle], (await self.call("GET", "/v1/me/vehicles"))["data"])

    async def add_vehicle(self, country: str, plate: str, label: str = "") -> Vehicle:
        """Adds a vehicle."""
        body = {"country": country, "plate": plate, "label": label}
        return cast(Vehicle, await self.call("POST", "/v1/me/vehicles", json=body))

    async def lots(self, *, near: str | None = None, bbox: str | None = None) -> AsyncIterator[LotSummary]:
        """Lots, page after page: around a point (`lat,lon`), in a box (`west,south,east,north`), or all."""
        wanted = {name: value for name, value in (("near", near), ("bbox", bbox)) if value is not None}
        async for lot in self.pages("/v1/lots", wanted):
            yield cast(LotSummary, lot)

    async def lot(self, code: str) -> Lot:
        """One lot."""
        return cast(Lot, await self.call("GET", f"/v1/lots/{code}"))

    async def lot_state(self, code: str) -> LotState:
        """Every bay of a lot as it is now."""
        return cast(LotState, await self.call("GET", f"/v1/lots/{code}/state"))

    async def recommendations(self, lot: str, **wish: Any) -> list[Recommendation]:
        """The best bays of a lot for somebody with these wishes, best first: `entrance`, `destination`, `kind`,
        `height_metres`, `step_free`, `until`, `limit` and what else the API takes."""
        answer = await self.call("POST", f"/v1/lots/{lot}/recommendations", json=wish)
        return cast(list[Recommendation], answer["data"])

    async def route(self, lot: str, start: str, to: str, *, step_free: bool = False) -> Route:
        """The way between two places of a lot, by their codes."""
        query = {"from": start, "to": to, "step_free": "true" if step_free else "false"}
        return cast(Route, await self.call("GET", f"/v1/lots/{lot}/route", query=query))

    async def assign(self, lot: str, *, key: str | None = None, **wish: Any) -> Assignment:
        """Keeps the best bay for `wish` while one is on the way. Give a `key` to ask again without asking twice."""
        headers = {"Idempotency-Key": key or uuid4().hex}
        return cast(Assignment, await self.call("POST", f"/v1/lots/{lot}/assignments", json=wish, headers=headers))

    async def release(self, assignment: str) -> None:
        """Gives a bay back that was kept."""
        await self.call("DELETE", f"/v1/assignments/{assignment}")

    async def notifications(self) -> AsyncIterator[Notification]:
        """What one was told, newest first."""
        async for notice in self.pages("/v1/me/notifications", {}):
            yield cast(Notification, notice)

    def watch(
        self,
        *lots: str,
        detail: Literal["bays", "counts"] = "bays",
        on_me: Callable[[Mapping[str, Any]], None] = lambda _: None,
    ) -> Live:
        """A live view of some lots: see `Live`. `on_me` is called with one's own notices, as they are told."""
        return Live(self, lots, detail, on_me)

    # Anything else

    async def pages(self, path: str, query: Mapping[str, str]) -> AsyncIterator[Mapping[str, Any]]:
        """The items of any list, page after page."""
        cursor: dict[str, str] = {}
        while True:
            page = await self.call("GET", path, query={**query, **cursor})
            for item in page["data"]:
                yield item
            if page["next_cursor"] is None:
                return
            cursor = {"cursor": page["next_cursor"]}

    async def call(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Any operation, as whoever is signed in; returns the JSON of the answer, None for 204."""
        token = await self.token()
        try:
            return await self.request(method, path, json=json, query=query, headers=headers, token=token)
        except ApiError as error:
            if error.code != "token_expired" or self._api_key is not None:
                raise
        token = await self.token(other_than=token)
        return await self.request(method, path, json=json, query=query, headers=headers, token=token)

    async def request(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        token: str | None = None,
    ) -> Any:
        """One request as it is, without a second try."""
        sent = dict(headers or {})
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        body = None
        if json is not None:
            sent["Content-Type"], body = "application/json", orjson.dumps(json)
        async with self.http.request(
            method, self.url + path, params=query, data=body, headers=sent, timeout=_REQUEST_TIMEOUT
        ) as answer:
            content = await answer.read()
            if answer.status >= 400:
                raise _refusal(answer.status, answer.headers.get("Retry-After"), content)
            return orjson.loads(content) if content else None


_REQUEST_TIMEOUT = aiohttp.ClientTimeout(total=REQUEST_SECONDS)


def _refusal(status: int, retry_after: str | None, content: bytes) -> ApiError:
    try:
        problem = orjson.loads(content)
    except orjson.JSONDecodeError:
        problem = {}
    after = float(retry_after) if retry_after is not None and retry_after.isdigit() else None
    return ApiError(status, problem if isinstance(problem, dict) else {}, after)
