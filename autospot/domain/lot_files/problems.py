"""What is wrong with a lot file, said to the person who wrote it: each problem with its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pydantic import ValidationError

from autospot.domain.errors import InvalidInput

PROBLEMS_LIMIT = 100
"""More problems than this are not listed: the first ones explain the rest."""


@dataclass(frozen=True, slots=True)
class Problem:
    """`at` is a JSON pointer (RFC 6901) into the file, empty for the whole of it; `message` is for people."""

    at: str
    message: str

    def __str__(self) -> str:
        return f"{self.at}: {self.message}" if self.at else self.message


class InvalidLots(InvalidInput):
    """A lot file cannot be used. `problems` has at least one entry and at most `PROBLEMS_LIMIT`."""

    code = "invalid_lots"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(islice(problems, PROBLEMS_LIMIT))
        first = self.problems[0]
        super().__init__(first.message, at=first.at)


_WORDS = {
    "missing": "this field is needed",
    "extra_forbidden": "no such field",
    "unexpected_keyword_argument": "no such field",
    "string_pattern_mismatch": "not a code: 1 to 64 of A-Z a-z 0-9 . _ - are",
}


def shape_problems(error: ValidationError, at: str = "") -> Iterator[Problem]:
    """The problems in `error`, in the order of the file. `at` is where the validated value stands."""
    for detail in error.errors(include_url=False, include_context=True):
        place = at + "".join(f"/{_escaped(str(step))}" for step in detail["loc"])
        yield Problem(place, _words(detail))


def _words(detail: Any) -> str:
    kind = detail["type"]
    if kind == "string_pattern_mismatch" and "{1,64}" not in detail["ctx"]["pattern"]:
        return f"does not match {detail['ctx']['pattern']}"
    if kind == "literal_error":
        return f"{detail['input']!r:.80} is none of {detail['ctx']['expected']}"
    return _WORDS.get(kind) or f"{detail['msg'][:1].lower()}{detail['msg'][1:]}"


def _escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")
