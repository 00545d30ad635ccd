"""Every error of the product has its place in HTTP."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import orjson
import pytest

import api
import autospot
from api.problems import (
    ANSWERS,
    InternalError,
    InvalidInputs,
    NoSuchMethod,
    answer_to,
    headers_of,
    problem_body,
    problem_of,
)
from autospot.domain.errors import AutoSpotError, Conflict, InvalidInput, LimitReached, NotFound, Unavailable


def every_error(kind: type[AutoSpotError] = AutoSpotError) -> Iterator[type[AutoSpotError]]:
    for child in kind.__subclasses__():
        yield child
        yield from every_error(child)


@pytest.fixture(scope="module", autouse=True)
def _whole_product_imported() -> None:
    for package in (api, autospot):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)


NEVER_IN_A_REQUEST = {"EmbeddedError", "GiveUp"}
"""Raised to whoever starts the demo's servers, and to the worker that does what is due."""


def test_only_what_nobody_foresaw_is_a_500() -> None:
    unplaced = {kind.__name__ for kind in every_error() if answer_to(kind).status == 500}

    assert unplaced - NEVER_IN_A_REQUEST == {InternalError.__name__}


def test_codes_are_words_and_belong_to_one_status() -> None:
    statuses: dict[str, set[int]] = {}
    for kind in every_error():
        statuses.setdefault(kind.code, set()).add(answer_to(kind).status)

    assert all(code.replace("_", "").isalnum() and code.islower() for code in statuses)
    assert {code: found for code, found in statuses.items() if len(found) > 1} == {}


def test_a_subclass_answers_like_its_parent() -> None:
    class BayTaken(Conflict):
        code = "bay_taken"

    assert answer_to(BayTaken("somebody was faster")) == ANSWERS[Conflict]


def test_a_problem_says_what_a_caller_may_know() -> None:
    problem = problem_of(NotFound("there is no such lot"), "abc12345")

    assert orjson.loads(problem_body(problem)) == {
        "type": "/docs/errors#not_found",
        "title": "Not found",
        "status": 404,
        "detail": "there is no such lot",
        "code": "not_found",
        "request_id": "abc12345",
    }


def test_bad_input_names_its_places() -> None:
    one = problem_of(InvalidInput("in the past", at="/from"), "abc12345")
    several = problem_of(InvalidInputs([("/from", "missing"), ("/lot", "unknown field")]), "abc12345")

    assert [(place.at, place.message) for place in one.errors] == [("/from", "in the past")]
    assert [place.at for place in several.errors] == ["/from", "/lot"]


def test_headers_say_when_to_come_back_and_what_is_possible() -> None:
    assert headers_of(LimitReached("slow down", after_seconds=6.2))["Retry-After"] == "7"
    assert headers_of(LimitReached("slow down", after_seconds=0))["Retry-After"] == "1"
    assert "Retry-After" in headers_of(Unavailable("away"))
    assert headers_of(NoSuchMethod("no", allowed=["POST", "GET"]))["Allow"] == "GET, POST"
    assert not headers_of(NotFound("gone"))
