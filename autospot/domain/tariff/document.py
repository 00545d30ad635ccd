"""From bytes to a tariff, or to the list of what is wrong and where."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

from pydantic import ValidationError

from autospot.domain.errors import InvalidInput
from autospot.domain.tariff.model import Tariff

DOCUMENT_LIMIT_BYTES = 256 * 1024
"""Largest tariff document. The longest sensible one has some thirty bands and is below 10 KiB."""

PROBLEMS_LIMIT = 50
"""Most problems of one document that are reported."""


class Problem(NamedTuple):
    """What is wrong, at a JSON pointer (RFC 6901) into the document."""

    at: str
    message: str


class InvalidTariff(InvalidInput):
    """The document is no tariff. `problems` has all that was found; `at` and the message are those of the first."""

    code = "invalid_tariff"

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(problems[0].message, at=problems[0].at)
        self.problems = problems


class _NoDocument(ValueError):
    """A refusal of our own, in words for the caller."""


def parse_tariff(document: str | bytes | Mapping[str, Any]) -> Tariff:
    """The tariff of a JSON text, or of one already read into a mapping; else `InvalidTariff`."""
    try:
        raw = json.loads(_text_of(document), object_pairs_hook=_unique_names, parse_constant=_no_constant)
        return Tariff.model_validate_json(json.dumps(raw))
    except ValidationError as error:
        raise InvalidTariff(tuple(islice(_problems(error, raw), PROBLEMS_LIMIT))) from None
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidTariff((Problem("", _reason(error)),)) from None


def _text_of(document: str | bytes | Mapping[str, Any]) -> str:
    text = json.dumps(document) if isinstance(document, Mapping) else document
    encoded = text.encode() if isinstance(text, str) else text
    if len(encoded) > DOCUMENT_LIMIT_BYTES:
        raise _NoDocument(f"a tariff document has at most {DOCUMENT_LIMIT_BYTES} bytes")
    return encoded.decode("utf-8-sig")  # editors on Windows begin a file with a byte order mark


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """JSON parsers keep the last of two equal names in silence; a price is not left to that."""
    named = dict(pairs)
    if len(named) < len(pairs):
        twice = next(name for index, (name, _) in enumerate(pairs) if name in dict(pairs[:index]))
        raise _NoDocument(f"the name {twice!r} is given twice in one object")
    return named


def _no_constant(name: str) -> None:
    raise _NoDocument(f"{name} is no JSON number")


def _reason(error: Exception) -> str:
    match error:
        case json.JSONDecodeError():
            return f"not JSON: {error.msg} in line {error.lineno}, column {error.colno}"
        case UnicodeDecodeError():
            return "not UTF-8"
        case RecursionError():
            return "nested too deeply"
        case _NoDocument():
            return str(error)
        case _:
            return "holds something that JSON cannot"


def _problems(error: ValidationError, raw: Any) -> Iterator[Problem]:
    for each in error.errors(include_url=False):
        tokens, there = _place(each["loc"], raw)
        if each["type"].startswith("union_tag"):  # the choice itself is wrong or missing
            tokens.append(each["ctx"]["discriminator"].strip("'"))
        if each["type"] == "too_short" and isinstance(there, list) and len(there) >= each["ctx"]["min_length"]:
            continue  # long enough as written: it is short only of the items whose own problems are listed
        pointer = "".join("/" + token.replace("~", "~0").replace("/", "~1") for token in tokens)
        yield Problem(pointer, each["msg"])


def _place(location: tuple[int | str, ...], raw: Any) -> tuple[list[str], Any]:
    """The validator's location as names and positions in the document, and what stands there (None: nothing).

    The validator also names the alternative it took wherever the document has a choice (by `type` or `window`), and
    marks the key of a mapping; neither is a place in the document.
    """
    tokens: list[str] = []
    here, may_be_choice = raw, False
    for step in location:
        chosen = may_be_choice and isinstance(here, dict) and step in (here.get("type"), here.get("window"))
        may_be_choice = False
        if chosen or step == "[key]":
            continue
        tokens.append(str(step))
        present = isinstance(here, list) or (isinstance(here, dict) and step in here)
        here, may_be_choice = (here[step], True) if present else (None, False)
    return tokens, here
