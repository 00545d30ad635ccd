"""The API about people, served on a real socket, with the real tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import aiohttp
from aiohttp import web
from prometheus_client import CollectorRegistry

from api.accounts import AccountOperations
from api.api_keys import ApiKeyOperations
from api.app import ApiSettings, api_app
from api.audit import AuditOperations
from api.auth import AccessTokens, Bearers
from api.connections import listening
from api.limits import NO_RATES, LimitClass, Rates
from api.sign_in import SignInOperations
from autospot.services.accounts.sign_in import SignedIn
from autospot.storage.idempotency import IdempotencyKeys
from tests.support.api import Answer
from tests.support.people import Town


def operations_about_people(town: Town, tokens: AccessTokens) -> list[object]:
    """Every resource of this part of the API."""
    people = town.people
    return [
        SignInOperations(people.registering, people.sign_in, people.password_reset, tokens),
        AccountOperations(people.profiles, people.garage, people.own_data),
        ApiKeyOperations(people.api_keys),
        AuditOperations(people.audit),
    ]


@dataclass
class PeopleApi:
    """A running API, and what is behind it."""

    url: str
    client: aiohttp.ClientSession
    town: Town
    tokens: AccessTokens

    async def call(self, method: str, path: str, **more: Any) -> Answer:
        """Sends one request and reads the answer."""
        async with self.client.request(method, self.url + path, allow_redirects=False, **more) as response:
            return Answer(response.status, response.headers, await response.read())

    def bearer(self, signed_in: SignedIn) -> dict[str, str]:
        """The header of somebody who is signed in."""
        return {"Authorization": f"Bearer {self.tokens.issue(signed_in.account, signed_in.family)}"}

    async def post(self, path: str, headers: Mapping[str, str] | None = None, **body: Any) -> Any:
        """Posts a body and returns the JSON that must come back, None for 204."""
        answer = await self.call("POST", path, json=body, headers=headers)
        assert answer.status < 300, answer.body
        return answer.json if answer.body else None


@asynccontextmanager
async def people_api(
    town: Town,
    *,
    rates: Mapping[LimitClass, Rates] = NO_RATES,
    beside: Callable[[web.Application], None] = lambda _: None,
    more: Sequence[object] = (),
) -> AsyncIterator[PeopleApi]:
    """Serves a town, `more` operations, and what `beside` adds. Not limited unless `rates` says so."""
    tokens = AccessTokens(town.keys, town.clock)
    app = api_app(
        [*operations_about_people(town, tokens), *more],
        authenticate=Bearers(tokens, town.people.revocations, town.people.api_keys).principal,
        keys=cast(IdempotencyKeys, None),
        clock=town.clock,
        registry=CollectorRegistry(),
        settings=ApiSettings(rates=rates),
    )
    beside(app)
    async with listening(app, "127.0.0.1", 0) as door, aiohttp.ClientSession() as client:
        yield PeopleApi(f"http://127.0.0.1:{door.port}", client, town, tokens)
