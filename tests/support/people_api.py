"""The API about people, served on a real socket, with the real tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import aiohttp
from prometheus_client import CollectorRegistry

from api.accounts import AccountOperations
from api.api_keys import ApiKeyOperations
from api.app import ApiSettings, api_app
from api.audit import AuditOperations
from api.auth import AccessTokens, Bearers
from api.connections import ConnectionLimits, listening
from api.limits import NO_RATES, LimitClass, Rates
from api.sign_in import SignInOperations
from autospot.services.accounts.sign_in import SignedIn
from autospot.storage.idempotency import IdempotencyKeys
from tests.support.api import RunningApi
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
class PeopleApi(RunningApi):
    """A running API, and what is behind it."""

    town: Town
    tokens: AccessTokens

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
    town: Town, *, rates: Mapping[LimitClass, Rates] = NO_RATES, trusted_proxies: tuple[str, ...] = ()
) -> AsyncIterator[PeopleApi]:
    """Serves a town. Not limited unless `rates` says so."""
    tokens = AccessTokens(town.keys, town.clock)
    registry = CollectorRegistry()
    app = api_app(
        operations_about_people(town, tokens),
        authenticate=Bearers(tokens, town.people.revocations, town.people.api_keys).principal,
        keys=cast(IdempotencyKeys, None),
        clock=town.clock,
        registry=registry,
        settings=ApiSettings(rates=rates, trusted_proxies=trusted_proxies),
    )
    async with listening(app, "127.0.0.1", 0, ConnectionLimits()) as port, aiohttp.ClientSession() as client:
        yield PeopleApi(port, client, app, registry, town, tokens)
