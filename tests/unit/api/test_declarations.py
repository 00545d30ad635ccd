"""A declaration that contradicts itself does not start."""

from __future__ import annotations

from typing import Any

import pytest

from api.call import Call
from api.contract import (
    PUBLIC,
    Encoded,
    File,
    Idempotency,
    Input,
    Output,
    Reply,
    contract_of,
    operation,
    path_parameters,
    signature_of,
)
from api.limits import LimitClass
from autospot.domain.access import Action


class ThingPath(Input):
    """A thing."""

    thing: str


class ThingView(Output):
    """What is said of it."""

    name: str


def declared(route: str, **more: Any) -> Any:
    return operation(route, summary="A thing", tag="things", access=more.pop("access", PUBLIC), **more)


def test_the_signature_says_what_goes_in_and_what_comes_out() -> None:
    async def handler(self: object, call: Call, path: ThingPath, body: ThingView) -> Reply[ThingView]:
        raise NotImplementedError

    signature = signature_of(handler)

    assert (signature.path, signature.query, signature.body) == (ThingPath, None, ThingView)
    assert signature.takes_call
    assert (signature.result, signature.gives) == (ThingView, Reply)


@pytest.mark.parametrize(
    ("annotation", "result", "gives"),
    [
        (ThingView, ThingView, None),
        (Encoded[ThingView], ThingView, Encoded),
        (Reply[list[ThingView]], list[ThingView], Reply),
        (Reply[None], None, Reply),
        (File, None, File),
        (None, None, None),
    ],
)
def test_what_wraps_an_answer_is_not_part_of_it(annotation: Any, result: Any, gives: Any) -> None:
    async def handler(self: object) -> None: ...

    handler.__annotations__["return"] = annotation

    signature = signature_of(handler)
    assert (signature.result, signature.gives) == (result, gives)


def test_a_parameter_that_nobody_would_fill_is_refused() -> None:
    async def handler(self: object, database: str) -> None: ...

    with pytest.raises(TypeError, match="database"):
        signature_of(handler)


def test_operations_stand_in_the_contract_by_name_in_their_order() -> None:
    class Things:
        @declared("GET /things/{thing}")
        async def one(self, path: ThingPath) -> ThingView: ...

        @declared("DELETE /things/{thing}", status=204)
        async def remove(self, path: ThingPath) -> None:
            """Gone for good."""

        async def helper(self) -> None: ...

    contract = contract_of([Things()])

    assert list(contract) == ["GET /things/{thing}", "DELETE /things/{thing}"]
    assert contract["DELETE /things/{thing}"].description == "Gone for good."


def test_reading_and_writing_have_their_limits_unless_told_otherwise() -> None:
    class Things:
        @declared("GET /things")
        async def get(self) -> ThingView: ...

        @declared("POST /things")
        async def post(self) -> ThingView: ...

        @declared("POST /things/login", limit=LimitClass.SIGN_IN)
        async def login(self) -> ThingView: ...

    assert [bound.operation.limit for bound in contract_of([Things()]).values()] == ["read", "write", "sign_in"]


def test_one_route_belongs_to_one_operation() -> None:
    class Things:
        @declared("GET /things")
        async def get(self) -> ThingView: ...

    with pytest.raises(ValueError, match="declared twice"):
        contract_of([Things(), Things()])


def test_the_path_and_its_model_name_the_same_parameters() -> None:
    class Things:
        @declared("GET /things/{id}")
        async def get(self, path: ThingPath) -> ThingView: ...

    with pytest.raises(ValueError, match="different parameters"):
        contract_of([Things()])


@pytest.mark.parametrize(("status", "annotation"), [(200, None), (204, ThingView)])
def test_204_is_for_no_answer_and_nothing_else_is(status: int, annotation: Any) -> None:
    async def get(self: object) -> None: ...

    get.__annotations__["return"] = annotation
    things = type("Things", (), {"get": declared("GET /things", status=status)(get)})

    with pytest.raises(ValueError, match="204"):
        contract_of([things()])


def test_a_key_belongs_to_a_user_so_a_public_operation_takes_none() -> None:
    with pytest.raises(ValueError, match="public"):
        declared("POST /things", idempotency=Idempotency.DAY)
    assert declared("POST /things", access=Action.DRIVE, idempotency=Idempotency.DAY)


def test_parameters_are_named_in_the_path() -> None:
    assert path_parameters("/v1/lots/{lot}/bays/{bay}") == ("lot", "bay")
