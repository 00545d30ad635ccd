"""`/me`, `/operator/api-keys` and `/operator/audit` as an app meets them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from api.contract import contract_of
from autospot.domain.access import Role
from autospot.domain.accounts.sign_in import RECENT_SIGN_IN
from tests.support.people import PASSWORD, Town
from tests.support.people_api import PeopleApi, operations_about_people, people_api

Headers = dict[str, str]
ABSENT = "veh_" + "0" * 32


@pytest.fixture
async def api(town: Town) -> AsyncIterator[PeopleApi]:
    async with people_api(town) as api:
        yield api


@pytest.fixture
async def dora(api: PeopleApi) -> Headers:
    return api.bearer(await api.town.driver("dora@example.org"))


@pytest.fixture
async def carl(api: PeopleApi) -> Headers:
    return api.bearer(await api.town.driver("carl@example.org", name="Carl"))


async def member(api: PeopleApi, email: str, *roles: Role, lots: tuple[str, ...] = ()) -> Headers:
    account = await api.town.member(email, *roles, lots=lots)
    return api.bearer(await api.town.people.sign_in.begin(account, "test"))


async def add_vehicle(api: PeopleApi, who: Headers, plate: str = "B-AB 1234") -> Any:
    return await api.post("/v1/me/vehicles", who, country="DE", plate=plate, label="the red one")


# Profile


async def test_a_profile_is_changed_by_the_version_that_was_read(api: PeopleApi, dora: Headers) -> None:
    read = await api.call("GET", "/v1/me", headers=dora)
    etag = read.headers["ETag"]
    assert (await api.call("GET", "/v1/me", headers={**dora, "If-None-Match": etag})).status == 304

    changed = await api.call("PATCH", "/v1/me", headers={**dora, "If-Match": etag}, json={"name": "Dora Bell"})
    stale = await api.call("PATCH", "/v1/me", headers={**dora, "If-Match": etag}, json={"name": "Someone"})
    weird = await api.call("PATCH", "/v1/me", headers={**dora, "If-Match": '"abc"'}, json={"name": "Someone"})

    assert (changed.status, changed.json["name"]) == (200, "Dora Bell")
    assert changed.headers["ETag"] != etag
    assert (stale.status, weird.status) == (412, 412)
    assert (await api.call("GET", "/v1/me", headers=dora)).headers["ETag"] == changed.headers["ETag"]


async def test_the_password_is_changed_with_the_present_one_and_by_itself(api: PeopleApi, dora: Headers) -> None:
    new = {"current_password": PASSWORD, "new_password": "a quite different phrase"}
    alone = await api.call("PATCH", "/v1/me", headers=dora, json={"new_password": "a quite different phrase"})
    mixed = await api.call("PATCH", "/v1/me", headers=dora, json={**new, "name": "Dora Bell"})
    weak = await api.call("PATCH", "/v1/me", headers=dora, json={**new, "new_password": "password1"})
    right = await api.call("PATCH", "/v1/me", headers=dora, json=new)

    assert (alone.status, mixed.status, weak.status, right.status) == (422, 422, 422, 200)
    assert weak.json["errors"][0]["at"] == "/new_password"
    assert (await api.town.sign_in("dora@example.org", "a quite different phrase")).account.name == "Dora"


async def test_nobody_makes_himself_more_than_he_is(api: PeopleApi, dora: Headers) -> None:
    raw = api.town.database.collection("accounts")
    before = [row async for row in raw.find()]
    for field, value in [
        ("roles", ["admin"]),
        ("role", "admin"),
        ("lots", ["harbour"]),
        ("state", "active"),
        ("id", "usr_1"),
        ("_id", "usr_1"),
        ("email", "ada@example.org"),
        ("email_key", "ada@example.org"),
        ("password_hash", "x"),
        ("version", 99),
        ("created_at", "2020-01-01T00:00:00Z"),
        ("$set", {"roles": ["admin"]}),
        ("name.roles", ["admin"]),
        ("__proto__", {"roles": ["admin"]}),
    ]:
        answer = await api.call("PATCH", "/v1/me", headers=dora, json={"name": "Dora Bell", field: value})
        assert answer.status == 422, field
    assert [row async for row in raw.find()] == before


async def test_an_export_and_an_erasure(api: PeopleApi, dora: Headers) -> None:
    await add_vehicle(api, dora)
    exported = await api.call("GET", "/v1/me/export", headers=dora)
    assert exported.json["vehicles"][0]["plate"] == "B-AB 1234"

    assert (await api.call("DELETE", "/v1/me", headers=dora)).status == 204
    await api.town.people.revocations.load()
    assert (await api.call("GET", "/v1/me", headers=dora)).status == 401
    login = await api.call("POST", "/v1/auth/login", json={"email": "dora@example.org", "password": PASSWORD})
    assert login.status == 401


async def test_an_erasure_needs_a_fresh_sign_in(api: PeopleApi) -> None:
    signed_in = await api.town.driver("dora@example.org")
    api.town.clock.move(RECENT_SIGN_IN + timedelta(seconds=1))
    answer = await api.call("DELETE", "/v1/me", headers=api.bearer(signed_in))
    assert (answer.status, answer.code) == (403, "sign_in_again")


# Vehicles


async def test_a_vehicle_from_first_to_last(api: PeopleApi, dora: Headers) -> None:
    added = await api.call("POST", "/v1/me/vehicles", headers=dora, json={"country": "DE", "plate": "b-ab 1234"})
    place = added.headers["Location"]
    assert (added.status, added.json["plate"], added.json["label"]) == (201, "B-AB 1234", "")

    fresh = {**dora, "If-Match": added.headers["ETag"]}
    changed = await api.call("PATCH", place, headers=fresh, json={"plate": "B-XY 77", "label": "the blue one"})
    stale = await api.call("PATCH", place, headers=fresh, json={"label": "other"})
    listed = await api.call("GET", "/v1/me/vehicles", headers=dora)
    assert (changed.status, stale.status) == (200, 412)
    assert [(each["plate"], each["label"]) for each in listed.json["data"]] == [("B-XY 77", "the blue one")]

    assert (await api.call("DELETE", place, headers=dora)).status == 204
    assert (await api.call("DELETE", place, headers=dora)).status == 404
    assert (await api.call("GET", "/v1/me/vehicles", headers=dora)).json["data"] == []


async def test_foreign_and_absent_vehicles_look_the_same(api: PeopleApi, dora: Headers, carl: Headers) -> None:
    vehicle = await add_vehicle(api, dora)
    for method, more in (("PATCH", {"json": {"label": "mine"}}), ("DELETE", {})):
        answers = [
            await api.call(method, f"/v1/me/vehicles/{each}", headers=carl, **more) for each in (vehicle["id"], ABSENT)
        ]
        told = [{**answer.json, "request_id": ""} for answer in answers]
        assert [answer.status for answer in answers] == [404, 404]
        assert told[0] == told[1]
    [mine] = (await api.call("GET", "/v1/me/vehicles", headers=dora)).json["data"]
    assert mine["label"] == "the red one"


@pytest.mark.parametrize("plate", ["", " ", "'; DROP", "B-AB 12345678", "B" * 40, "ﷺ" * 30, "B-AB\u0000 1"])
async def test_what_is_no_plate_is_refused_at_its_field(api: PeopleApi, dora: Headers, plate: str) -> None:
    answer = await api.call("POST", "/v1/me/vehicles", headers=dora, json={"country": "DE", "plate": plate})
    assert (answer.status, answer.json["errors"][0]["at"]) == (422, "/plate")


# Keys and the log


async def test_a_key_is_shown_once_and_works_until_it_is_revoked(api: PeopleApi) -> None:
    otto = await member(api, "otto@example.org", Role.OPERATOR, lots=("harbour",))
    made = await api.post(
        "/v1/operator/api-keys", otto, name="auditor", scopes=["audit:read"], lots=["harbour"], days=30
    )
    [listed] = (await api.call("GET", "/v1/operator/api-keys", headers=otto)).json["data"]
    assert "secret" not in listed
    assert listed["id"] == made["id"]

    key = {"Authorization": f"Bearer {made['secret']}"}
    log = await api.call("GET", "/v1/operator/audit?lot=harbour", headers=key)
    assert [entry["action"] for entry in log.json["data"]] == ["api_key.made"]
    assert (await api.call("GET", "/v1/operator/audit?lot=market", headers=key)).status == 403
    assert (await api.call("GET", "/v1/me", headers=key)).status == 403
    assert (await api.call("GET", "/v1/operator/api-keys", headers=key)).status == 403

    revoked = await api.call("DELETE", f"/v1/operator/api-keys/{made['id']}", headers=otto)
    assert revoked.status == 204
    assert (await api.call("GET", "/v1/operator/audit", headers=key)).status == 401


async def test_a_key_of_another_lots_operator_looks_absent(api: PeopleApi) -> None:
    otto = await member(api, "otto@example.org", Role.OPERATOR, lots=("harbour",))
    olga = await member(api, "olga@example.org", Role.OPERATOR, lots=("market",))
    made = await api.post("/v1/operator/api-keys", otto, name="camera", scopes=["lot:read"], lots=["harbour"])
    answer = await api.call("DELETE", f"/v1/operator/api-keys/{made['id']}", headers=olga)
    assert (answer.status, answer.code) == (404, "not_found")
    wide = await api.call(
        "POST",
        "/v1/operator/api-keys",
        headers=olga,
        json={"name": "camera", "scopes": ["lot:read"], "lots": ["market", "harbour"]},
    )
    assert wide.status == 403


async def test_the_log_comes_in_pages(api: PeopleApi) -> None:
    ada = await member(api, "ada@example.org", Role.ADMIN)
    for number in range(5):
        await api.post("/v1/operator/api-keys", ada, name=f"key {number}", scopes=["lot:read"], lots=["harbour"])

    seen: list[str] = []
    cursor = ""
    while True:
        page = await api.call("GET", f"/v1/operator/audit?lot=harbour&limit=2{cursor}", headers=ada)
        seen += [entry["subject"] for entry in page.json["data"]]
        if page.json["next_cursor"] is None:
            break
        cursor = f"&cursor={page.json['next_cursor']}"
    assert len(seen) == len(set(seen)) == 5
    forged = await api.call("GET", "/v1/operator/audit?cursor=eyIkbmUiOm51bGx9", headers=ada)
    assert forged.status == 422


@pytest.mark.parametrize(
    "query", ["subject[$ne]=x", "subject=%7B%22$ne%22:null%7D", "lot=../x", "actor=a%00b", "limit=0", "limit=9999"]
)
async def test_no_query_is_an_operator(api: PeopleApi, query: str) -> None:
    ada = await member(api, "ada@example.org", Role.ADMIN)
    assert (await api.call("GET", f"/v1/operator/audit?{query}", headers=ada)).status == 422


# All of it


async def test_every_operation_that_is_not_public_refuses_strangers(api: PeopleApi) -> None:
    contract = contract_of(operations_about_people(api.town, api.tokens))
    closed = [bound.operation for bound in contract.values() if bound.operation.access != "public"]
    assert len(closed) >= 12
    for operation in closed:
        path = operation.path.replace("{id}", ABSENT).replace("{key}", "key_" + "0" * 32)
        assert (await api.call(operation.method, path)).status == 401, operation.name


async def test_drivers_do_not_reach_what_is_for_operators_nor_the_reverse(api: PeopleApi, dora: Headers) -> None:
    otto = await member(api, "otto@example.org", Role.OPERATOR, lots=("harbour",))
    attendant = await member(api, "atze@example.org", Role.ATTENDANT, lots=("harbour",))
    for path in ("/v1/operator/api-keys", "/v1/operator/audit"):
        assert (await api.call("GET", path, headers=dora)).status == 403
        assert (await api.call("GET", path, headers=attendant)).status == 403
        assert (await api.call("GET", path, headers=otto)).status == 200
    assert (await api.call("GET", "/v1/me/vehicles", headers=otto)).status == 403
    assert (await api.call("GET", "/v1/me", headers=otto)).status == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/v1/me", {"name": "Dora", "language": "en"}),
        ("POST", "/v1/me/vehicles", {"country": "DE", "plate": "B-AB 1", "label": "x"}),
        ("POST", "/v1/operator/api-keys", {"name": "k", "scopes": ["lot:read"], "lots": ["harbour"], "days": 5}),
    ],
)
async def test_every_field_is_of_its_type(api: PeopleApi, method: str, path: str, body: dict[str, Any]) -> None:
    both = await member(api, "ada@example.org", Role.ADMIN, Role.DRIVER)
    for name, value in body.items():
        for wrong in ({"$ne": None}, {"$gt": ""}, [{"$ne": None}], True, 1.5):
            if name == "language" and wrong is None:
                continue
            answer = await api.call(method, path, headers=both, json={**body, name: wrong})
            assert answer.status == 422, (name, wrong, value)
    for extra in ("owner", "roles", "version", "revoked_at", "secret", "_id"):
        answer = await api.call(method, path, headers=both, json={**body, extra: "x"})
        assert (answer.status, answer.json["errors"][0]["at"]) == (422, f"/{extra}")
