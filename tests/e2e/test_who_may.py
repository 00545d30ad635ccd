"""Every operation the product serves, asked by everybody: nobody gets further than the table of permissions lets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson
import pytest
import pytest_asyncio

from api.contract import PUBLIC, Bound
from api.limits import NO_RATES
from api.reference import declared_operations
from autospot.app import Serving, serving
from autospot.clock import SystemClock
from autospot.domain.access import Principal, Role, Scope, may
from autospot.settings import Settings
from autospot.storage.lots import Lots
from autospot.storage.mongo import Database
from tests.support.lots import a_lot
from tests.support.people import PASSWORD, SECRET, Town, a_town

pytestmark = pytest.mark.asyncio(loop_scope="module")

HERE, ELSEWHERE = "harbour", "station"

PEOPLE: dict[str, Principal] = {
    "driver": Principal("", frozenset({Role.DRIVER})),
    "attendant": Principal("", frozenset({Role.ATTENDANT}), frozenset({HERE})),
    "operator": Principal("", frozenset({Role.OPERATOR}), frozenset({HERE})),
    "operator-of-another-lot": Principal("", frozenset({Role.OPERATOR}), frozenset({ELSEWHERE})),
    "admin": Principal("", frozenset({Role.ADMIN})),
}
KEY = Principal("", scopes=frozenset({Scope.LOT_READ, Scope.AUDIT_READ}), lots=frozenset({HERE}), kind="api_key")

ENDS_THE_CALLER = {"DELETE /v1/me"}
"""Operations that would take their caller out of the test. Whoever may not is still asked."""


@dataclass
class Everybody:
    """The product and a token of each kind of caller."""

    url: str
    client: aiohttp.ClientSession
    database: Database
    tokens: Mapping[str, str]
    served: list[Bound]

    async def ask(self, bound: Bound, who: str | None, body: Any = None, lot: str = HERE) -> tuple[int, Any]:
        """The status and JSON of `bound`'s operation for `who`. Whatever else its path names is not there."""
        path = bound.operation.path.replace("{lot}", lot)
        while "{" in path:
            path = f"{path[: path.index('{')]}nothing{path[path.index('}') + 1 :]}"
        headers = {"Idempotency-Key": "0123456789abcdef"}
        if who is not None:
            headers["Authorization"] = f"Bearer {self.tokens[who]}"
        method = bound.operation.method
        async with self.client.request(method, self.url + path, headers=headers, json=body) as answer:
            content = await answer.read()
            return answer.status, orjson.loads(content) if "json" in answer.content_type else None

    async def documents(self) -> dict[str, int]:
        """How many documents there are of each kind."""
        names = await self.database.client.get_database(self.database.name).list_collection_names()
        return {name: await self.database.collection(name).count_documents({}) for name in sorted(names)}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def everybody(mongo_url: str, broker_url: str) -> AsyncIterator[Everybody]:
    database = Database(mongo_url, "test_who_may")
    for lot in (HERE, ELSEWHERE):
        await Lots(database).save(a_lot(lot, 1), SystemClock().now())
    settings = Settings(
        mongo_url=mongo_url,
        mongo_db="test_who_may",
        mqtt_url=broker_url,
        http_port=0,
        secret_key=SECRET,  # type: ignore[arg-type]
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("api.app.DEFAULT_RATES", NO_RATES)
        async with (
            serving(settings, with_hub=True, with_api=True, with_mailbox=True) as program,
            aiohttp.ClientSession() as client,
        ):
            town = a_town(database)
            tokens = {name: await _signed_in(town, program, client, name) for name in PEOPLE}
            tokens["key"] = await _api_key(program, client, tokens["operator"])
            yield Everybody(program.url, client, database, tokens, await _served(program, client))
    await database.client.drop_database(database.name)
    database.close()


async def _signed_in(town: Town, program: Serving, client: aiohttp.ClientSession, name: str) -> str:
    email, person = f"{name}@example.org", PEOPLE[name]
    await town.member(email, *person.roles, lots=tuple(person.lots))
    credentials = {"email": email, "password": PASSWORD}
    async with client.post(f"{program.url}/v1/auth/login", json=credentials) as answer:
        return str((await answer.json())["access_token"])


async def _api_key(program: Serving, client: aiohttp.ClientSession, operator: str) -> str:
    wanted = {"name": "reader", "scopes": sorted(KEY.scopes), "lots": sorted(KEY.lots)}
    headers = {"Authorization": f"Bearer {operator}"}
    async with client.post(f"{program.url}/v1/operator/api-keys", json=wanted, headers=headers) as answer:
        made = await answer.json()
        return str(made["secret"])


async def _served(program: Serving, client: aiohttp.ClientSession) -> list[Bound]:
    declared = declared_operations()
    async with client.get(f"{program.url}/openapi.json") as answer:
        document = await answer.json()
    return [declared[f"{method.upper()} {path}"] for path, item in document["paths"].items() for method in item]


async def test_all_operations_are_asked(everybody: Everybody) -> None:
    assert len(everybody.served) >= 30


async def test_nobody_gets_into_anything_but_what_is_open_to_everybody(everybody: Everybody) -> None:
    closed = [bound for bound in everybody.served if bound.operation.access != PUBLIC]
    statuses = {bound.operation.name: (await everybody.ask(bound, None))[0] for bound in closed}

    assert {name: status for name, status in statuses.items() if status != 401} == {}


@pytest.mark.parametrize("who", [*PEOPLE, "key"])
async def test_the_table_of_permissions_is_what_happens(everybody: Everybody, who: str) -> None:
    principal = PEOPLE.get(who, KEY)
    for bound in everybody.served:
        access = bound.operation.access
        if access == PUBLIC:
            continue
        lot = HERE if "{lot}" in bound.operation.path else None
        allowed = may(principal, access, lot)
        if allowed and bound.operation.name in ENDS_THE_CALLER:
            continue
        status, answer = await everybody.ask(bound, who)
        is_refused = status == 403 and answer["code"] == "forbidden"

        assert is_refused is not allowed, (bound.operation.name, status, answer)
        assert status < 500, (bound.operation.name, status, answer)
        assert status != 401, (bound.operation.name, answer)


async def test_what_belongs_to_another_lot_looks_the_same_whether_it_is_there_or_not(everybody: Everybody) -> None:
    for bound in everybody.served:
        if "{lot}" not in bound.operation.path or bound.operation.access == PUBLIC:
            continue
        there = await everybody.ask(bound, "operator-of-another-lot")
        not_there = await everybody.ask(bound, "operator-of-another-lot", lot="nowhere")
        for _status, answer in (there, not_there):
            answer.pop("request_id", None)

        assert there == not_there, bound.operation.name


PRIVILEGES = {"_id": "usr_0", "is_admin": True, "$set": {"roles": ["admin"]}, "revoked": False}


async def test_no_body_takes_a_privilege_or_an_operator(everybody: Everybody) -> None:
    before = await everybody.documents()
    asked = 0
    for bound in everybody.served:
        if bound.signature.body is None:
            continue
        who = next((who for who in PEOPLE if _may_with_lot(PEOPLE[who], bound)), None)
        status, answer = await everybody.ask(bound, who, PRIVILEGES)
        if status == 404:  # the path named something by an id of another shape
            continue
        named = {place["at"] for place in answer["errors"]}
        asked += 1

        assert status == 422, (bound.operation.name, status, answer)
        assert {f"/{name}" for name in PRIVILEGES} <= named, (bound.operation.name, named)

    assert asked >= 10
    assert await everybody.documents() == before


def _may_with_lot(principal: Principal, bound: Bound) -> bool:
    access = bound.operation.access
    return access == PUBLIC or may(principal, access, HERE if "{lot}" in bound.operation.path else None)
