"""The OpenAPI document says what the declarations say."""

from __future__ import annotations

from typing import Any, cast

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from prometheus_client import CollectorRegistry
from pydantic import Field

from api.call import Call
from api.contract import PUBLIC, File, Idempotency, Input, Output, Reply, contract_of, operation
from api.documents import Documents, errors_page, uses_of_codes
from api.health import Health
from api.lots import Lots
from api.openapi import openapi
from api.pages import Page, PageQuery
from autospot.domain.access import Action
from autospot.domain.errors import Conflict, NotFound


class ThingPath(Input):
    """A thing."""

    thing: str = Field(pattern="^[a-z]+$", description="its code")


class NewThing(Input):
    """What a thing is made of."""

    name: str


class ThingView(Output):
    """A thing."""

    name: str
    note: str | None = None


class Things:
    """Operations of every sort."""

    @operation("GET /v1/things", summary="Things", tag="things", access=PUBLIC)
    async def list_things(self, query: PageQuery) -> Page[ThingView]: ...  # type: ignore[empty-body]

    @operation(
        "POST /v1/things",
        summary="Make a thing",
        tag="things",
        access=Action.EDIT_LOT,
        status=201,
        idempotency=Idempotency.MONEY,
        errors=(Conflict("there is one already", code="thing_exists"),),
    )
    async def make(self, call: Call, body: NewThing) -> Reply[ThingView]:  # type: ignore[empty-body]
        """Makes one, and only one."""

    @operation(
        "PATCH /v1/things/{thing}", summary="Change it", tag="things", access=Action.DRIVE, etag=True, if_match=True
    )
    async def change(self, path: ThingPath, body: NewThing) -> Reply[ThingView]: ...  # type: ignore[empty-body]

    @operation("DELETE /v1/things/{thing}", summary="Remove it", tag="things", access=Action.DRIVE, status=204)
    async def remove(self, path: ThingPath) -> None: ...

    @operation(
        "GET /v1/things/{thing}/picture",
        summary="Its picture",
        tag="things",
        access=PUBLIC,
        media=("image/svg+xml",),
        errors=(NotFound("it has no picture", code="no_picture"),),
    )
    async def picture(self, path: ThingPath) -> File: ...  # type: ignore[empty-body]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi(contract_of([Things()]))


def codes_of(described: dict[str, Any], status: int) -> set[str]:
    return set(described["responses"][str(status)]["content"]["application/problem+json"]["examples"])


def test_the_document_is_valid_for_things_and_for_the_product(document: dict[str, Any]) -> None:
    nothing = cast(Any, None)
    product = contract_of([Lots(nothing, nothing), Health({}, CollectorRegistry()), Documents()])

    for each in (document, openapi(product)):
        assert [error.message for error in OpenAPIV31SpecValidator(cast(Any, each)).iter_errors()] == []


def test_parameters_are_those_of_the_models_and_of_the_declaration(document: dict[str, Any]) -> None:
    listing = document["paths"]["/v1/things"]["get"]["parameters"]
    change = document["paths"]["/v1/things/{thing}"]["patch"]["parameters"]
    make = document["paths"]["/v1/things"]["post"]["parameters"]

    assert [(each["name"], each["in"], each.get("required", False)) for each in listing] == [
        ("limit", "query", False),
        ("cursor", "query", False),
    ]
    assert listing[0]["schema"]["maximum"] == 200
    assert [each["name"] for each in change] == ["thing", "If-None-Match", "If-Match"]
    assert change[0]["description"] == "its code"
    assert [(each["name"], each["required"]) for each in make] == [("Idempotency-Key", True)]


def test_bodies_refuse_unknown_fields_and_answers_name_all_of_theirs(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]

    assert schemas["NewThing"]["additionalProperties"] is False
    assert schemas["ThingView"]["required"] == ["name", "note"]


def test_who_may_stands_in_the_security_requirement(document: dict[str, Any]) -> None:
    assert document["paths"]["/v1/things"]["get"]["security"] == []
    assert document["paths"]["/v1/things"]["post"]["security"] == [{"bearer": ["admin", "lot:edit", "operator"]}]


def test_refusals_are_listed_by_status_with_an_example_each(document: dict[str, Any]) -> None:
    make = document["paths"]["/v1/things"]["post"]

    assert set(make["responses"]) == {"201", *["400", "401", "403", "408", "409", "413", "415", "422", "429", "503"]}
    assert codes_of(make, 409) == {"thing_exists", "still_running", "lease_lost", "already_done"}
    assert codes_of(make, 422) == {"invalid_input", "idempotency_key_reused"}
    assert {"idempotency_key_missing", "malformed_json", "duplicate_name"} <= codes_of(make, 400)
    assert codes_of(document["paths"]["/v1/things/{thing}/picture"]["get"], 404) == {"not_found", "no_picture"}
    assert codes_of(document["paths"]["/v1/things/{thing}"]["patch"], 412) == {"precondition_failed"}


def test_answers_that_are_no_json_say_what_they_are(document: dict[str, Any]) -> None:
    picture = document["paths"]["/v1/things/{thing}/picture"]["get"]["responses"]["200"]
    remove = document["paths"]["/v1/things/{thing}"]["delete"]["responses"]["204"]

    assert picture["content"] == {"image/svg+xml": {}}
    assert "content" not in remove


def test_operations_have_names_of_their_own() -> None:
    nothing = cast(Any, None)
    product = openapi(contract_of([Lots(nothing, nothing), Health({}, CollectorRegistry()), Documents(), Things()]))
    names = [each["operationId"] for path in product["paths"].values() for each in path.values()]

    assert len(names) == len(set(names))
    assert "lots_state" in names


def test_the_page_of_errors_has_a_row_for_every_code() -> None:
    contract = contract_of([Things()])
    page = errors_page(contract)

    for code in uses_of_codes(contract):
        assert f'<tr id="{code}">' in page
    assert "method_not_allowed" in page
