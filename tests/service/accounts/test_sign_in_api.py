"""`/auth` as an app meets it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest

from api.limits import DEFAULT_RATES, LimitClass
from autospot.domain.access import Role
from autospot.services.passwords import HashCost
from tests.support.api import Answer
from tests.support.people import PASSWORD, Town
from tests.support.people_api import PeopleApi, people_api

EMAIL = "dora@example.org"
NEW = "a quite different phrase"
DRIVER = (Role.DRIVER,)


@pytest.fixture
async def api(town: Town) -> AsyncIterator[PeopleApi]:
    async with people_api(town) as api:
        yield api


async def registered(api: PeopleApi, email: str = EMAIL) -> dict[str, Any]:
    """Registers over HTTP and returns the tokens."""
    asked = await api.post("/v1/auth/register", email=email, password=PASSWORD, name="Dora")
    code = await api.town.code_mailed_to(email)
    tokens = await api.post("/v1/auth/verify-email", registration=asked["registration"], code=code, client="phone")
    assert isinstance(tokens, dict)
    return tokens


async def try_login(api: PeopleApi, email: str, password: str) -> Answer:
    return await api.call("POST", "/v1/auth/login", json={"email": email, "password": password})


async def test_from_registration_to_sign_out(api: PeopleApi) -> None:
    tokens = await registered(api)
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 600)
    assert tokens["account"]["email"] == EMAIL

    login = await api.post("/v1/auth/login", email=EMAIL, password=PASSWORD, client="browser")
    me = await api.call("GET", "/v1/me", headers={"Authorization": f"Bearer {login['access_token']}"})
    assert (me.status, me.json["name"], me.json["roles"]) == (200, "Dora", ["driver"])

    fresh = await api.post("/v1/auth/refresh", refresh_token=login["refresh_token"])
    assert fresh["refresh_token"] != login["refresh_token"]
    await api.post("/v1/auth/logout", refresh_token=fresh["refresh_token"])
    over = await api.call("POST", "/v1/auth/refresh", json={"refresh_token": fresh["refresh_token"]})
    assert (over.status, over.code) == (401, "sign_in_over")


async def test_a_lost_password(api: PeopleApi) -> None:
    await registered(api)
    await api.post("/v1/auth/password-reset", email=EMAIL)
    code = await api.town.code_mailed_to(EMAIL)
    await api.post("/v1/auth/password-reset/confirm", email=EMAIL, code=code, password=NEW)
    assert (await try_login(api, EMAIL, PASSWORD)).status == 401
    assert (await try_login(api, EMAIL, NEW)).status == 200


def told(answer: Answer) -> dict[str, Any]:
    """Everything that an answer says, without what differs between any two answers."""
    body = dict(answer.json) if answer.body else {}
    for name in ("request_id", "registration"):
        body.pop(name, None)
    headers = {name: value for name, value in answer.headers.items() if name not in ("Date", "X-Request-ID")}
    return {"status": answer.status, "headers": headers, "body": body}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/auth/login", {"password": "not the password"}),
        ("/v1/auth/register", {"password": PASSWORD, "name": "Dora"}),
        ("/v1/auth/register", {"password": "password1", "name": "Dora"}),
        ("/v1/auth/password-reset", {}),
        ("/v1/auth/password-reset/confirm", {"code": "123456", "password": NEW}),
        ("/v1/auth/password-reset/confirm", {"code": "123456", "password": "password1"}),
    ],
)
async def test_known_and_unknown_addresses_get_the_same_answer(api: PeopleApi, path: str, body: dict[str, str]) -> None:
    await registered(api)
    await api.post("/v1/auth/password-reset", email=EMAIL)
    await api.post("/v1/auth/password-reset", email="none@example.org")
    await api.town.settle()

    known = await api.call("POST", path, json={"email": EMAIL, **body})
    unknown = await api.call("POST", path, json={"email": "none@example.org", **body})

    assert told(known) == told(unknown)


async def median_ms(ask: Callable[[int], Any], times: int = 15) -> float:
    taken = []
    for number in range(times):
        begin = time.perf_counter()
        await ask(number)
        taken.append(time.perf_counter() - begin)
    return sorted(taken)[times // 2] * 1000


@pytest.mark.parametrize("path", ["/v1/auth/login", "/v1/auth/register", "/v1/auth/password-reset"])
async def test_known_and_unknown_addresses_take_the_same_time(town: Town, path: str) -> None:
    """With a hash that costs enough to show. A factor of two would be a shortcut for one of them."""
    town.people.passwords._hasher = type(town.people.passwords)(HashCost(memory_kib=8 * 1024))._hasher
    for number in range(15):
        await town.member(f"known{number}@example.org", *DRIVER)
    async with people_api(town) as api:

        def ask(kind: str) -> Callable[[int], Any]:
            async def call(number: int) -> None:
                body = {"email": f"{kind}{number}@example.org"}
                if path != "/v1/auth/password-reset":
                    body["password"] = "a wrong but long one"
                if path == "/v1/auth/register":
                    body["name"] = "Dora"
                await api.call("POST", path, json=body)

            return call

        await median_ms(ask("warm"))
        known, unknown = await median_ms(ask("known")), await median_ms(ask("unknown"))
    assert 0.5 < known / unknown < 2


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/auth/register", {"email": EMAIL, "password": PASSWORD, "name": "Dora"}),
        ("/v1/auth/verify-email", {"registration": "reg_" + "0" * 32, "code": "123456"}),
        ("/v1/auth/login", {"email": EMAIL, "password": PASSWORD}),
        ("/v1/auth/refresh", {"refresh_token": "x" * 43}),
        ("/v1/auth/logout", {"refresh_token": "x" * 43}),
        ("/v1/auth/password-reset", {"email": EMAIL}),
        ("/v1/auth/password-reset/confirm", {"email": EMAIL, "code": "123456", "password": NEW}),
    ],
)
async def test_no_field_takes_an_operator_or_a_privilege(api: PeopleApi, path: str, body: dict[str, Any]) -> None:
    before = await contents(api.town)
    for name in body:
        for wrong in ({"$ne": None}, {"$gt": ""}, {"$where": "1"}, ["x"], None, 1, True):
            answer = await api.call("POST", path, json={**body, name: wrong})
            assert (answer.status, answer.json["errors"][0]["at"]) == (422, f"/{name}"), wrong
        strange = await api.call("POST", path, json={**body, name: "\x00\u202e'\"$ne"})
        assert strange.status in (401, 422)
    for extra in ("roles", "role", "lots", "is_admin", "state", "id", "_id", "version", "email_verified_at", "$set"):
        answer = await api.call("POST", path, json={**body, extra: ["admin"]})
        assert (answer.status, answer.json["errors"][0]["at"]) == (422, f"/{extra}")
    assert await contents(api.town) == before


async def contents(town: Town) -> dict[str, int]:
    """How many documents there are, apart from counters of tries."""
    raw = town.database.collection("accounts").database
    names = [name for name in await raw.list_collection_names() if name != "attempts"]
    return {name: await raw[name].count_documents({}) for name in names if await raw[name].count_documents({})}


@pytest.mark.parametrize(
    "email", ["dora", "dora@", "a@b@c.org", "dora@example.org\nBcc: x@example.org", "x" * 250 + "@example.org"]
)
async def test_what_is_no_address_is_refused(api: PeopleApi, email: str) -> None:
    answer = await api.call("POST", "/v1/auth/password-reset", json={"email": email})
    assert (answer.status, answer.json["errors"][0]["at"]) == (422, "/email")


async def test_one_address_cannot_try_for_ever(town: Town) -> None:
    async with people_api(town, rates=DEFAULT_RATES) as api:
        answers = [await try_login(api, f"user{number}@example.org", "a guess or another") for number in range(32)]
        assert [answer.status for answer in answers] == [401] * 30 + [429] * 2
        assert int(answers[-1].headers["Retry-After"]) > 0
        codes = [
            await api.call("POST", "/v1/auth/password-reset", json={"email": f"user{number}@example.org"})
            for number in range(12)
        ]
        assert [answer.status for answer in codes] == [204] * 10 + [429] * 2
    assert DEFAULT_RATES[LimitClass.SIGN_IN].address == "30/minute"


async def test_one_account_cannot_be_tried_for_ever_from_one_network(town: Town) -> None:
    await town.driver(EMAIL)
    async with people_api(town) as api:
        answers = [await try_login(api, EMAIL, "a guess or another") for _ in range(6)]
        assert [answer.status for answer in answers] == [401] * 5 + [429]
        assert answers[-1].code == "too_many_attempts"
        town.clock.move(timedelta(minutes=15))
        assert (await try_login(api, EMAIL, PASSWORD)).status == 200


async def test_no_answer_and_no_log_repeats_a_secret(api: PeopleApi, capsys: pytest.CaptureFixture[str]) -> None:
    tokens = await registered(api)
    wrong = await try_login(api, EMAIL, "hunter2-hunter2")
    refused = await api.call(
        "POST", "/v1/auth/register", json={"email": EMAIL, "password": "hunter2-hunter2", "name": ["x"]}
    )
    await api.call("POST", "/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"] + "!"})
    assert b"hunter2" not in wrong.body + refused.body
    output = capsys.readouterr()
    for secret in ("hunter2", tokens["refresh_token"], tokens["access_token"], PASSWORD):
        assert secret not in output.out + output.err
