"""Request bodies as I-JSON (RFC 7493): the part of JSON that every program reads the same way.

JSON leaves room for mischief: a name given twice (two programs see two different orders), numbers that one reader
rounds and another refuses, half of a surrogate pair, nesting that exhausts a stack. All of it is refused before a
validator sees it, with the place.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

import orjson

from api.problems import UnreadableRequest

DEPTH_LIMIT: Final = 32
"""Arrays and objects inside each other. The deepest body of this API needs 6."""

SAFE_INTEGER: Final = 2**53 - 1
"""Integers beyond it are not the same in every reader (RFC 7493, section 2.2), nor storable beyond 64 bits."""

_token = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[{]|[\]}]', re.DOTALL)


def checked_json(body: bytes) -> Any:
    """The value of `body`; `UnreadableRequest` if it is not I-JSON or nests deeper than `DEPTH_LIMIT`."""
    try:
        orjson.loads(body)  # strict where `json` is not: UTF-8, surrogates, control characters, NaN, infinite numbers
    except orjson.JSONDecodeError as error:  # its text may quote what was sent
        raise UnreadableRequest("the body is not valid JSON in UTF-8", code="malformed_json") from error
    if _depth(body) > DEPTH_LIMIT:
        raise UnreadableRequest(f"arrays and objects may be nested {DEPTH_LIMIT} deep", code="too_deep")
    return _decoder.decode(body.decode())


def _depth(body: bytes) -> int:
    """The deepest nesting in valid JSON, brackets inside strings left aside. Looks at each byte once, or not at all
    where there are not enough brackets for more than is allowed."""
    if (most := body.count(b"[") + body.count(b"{")) <= DEPTH_LIMIT:
        return most
    depth = deepest = 0
    for match in _token.finditer(body):
        first = body[match.start()]
        if first in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif first in b"]}":
            depth -= 1
    return deepest


def _no_name_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise UnreadableRequest("an object has the same name twice", code="duplicate_name")
    return members


def _safe_integer(text: str) -> int:
    if len(text) > 17 or abs(value := int(text)) > SAFE_INTEGER:
        raise UnreadableRequest("an integer is beyond ±(2^53 - 1)", code="number_out_of_range")
    return value


_decoder = json.JSONDecoder(object_pairs_hook=_no_name_twice, parse_int=_safe_integer)
