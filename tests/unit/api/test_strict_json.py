"""Only I-JSON gets in."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest

from api.problems import UnreadableRequest
from api.strict_json import DEPTH_LIMIT, SAFE_INTEGER, checked_json


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"name": "H\xc3\xa4fen", "n": 1.5}', {"name": "Häfen", "n": 1.5}),
        (b'"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["', "[" * 40),
        (b'["\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["]', ['"' + "[" * 36]),
        (b"[" * DEPTH_LIMIT + b"]" * DEPTH_LIMIT, None),
        (str(SAFE_INTEGER).encode(), SAFE_INTEGER),
        (str(-SAFE_INTEGER).encode(), -SAFE_INTEGER),
        (b"[[1],[2],[3]]", [[1], [2], [3]]),
    ],
)
def test_good_json_is_taken(body: bytes, value: object) -> None:
    assert value is None or checked_json(body) == value
    checked_json(body)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "malformed_json"),
        (b"{", "malformed_json"),
        (b"{'a': 1}", "malformed_json"),
        (b'{"a": 1,}', "malformed_json"),
        (b"\xff\xfe{\x00}\x00", "malformed_json"),
        (b'{"a": "\xc3\x28"}', "malformed_json"),
        (b"\xef\xbb\xbf{}", "malformed_json"),
        (b'["\\ud800"]', "malformed_json"),
        (b"[NaN]", "malformed_json"),
        (b"[-Infinity]", "malformed_json"),
        (b"[1e999]", "malformed_json"),
        (b'"tab\there"', "malformed_json"),
        (b'{"role": "driver", "role": "admin"}', "duplicate_name"),
        (b'[{"deep": {"a": 1, "\\u0061": 2}}]', "duplicate_name"),
        (b"[" * (DEPTH_LIMIT + 1) + b"]" * (DEPTH_LIMIT + 1), "too_deep"),
        (b'{"a":' * 500 + b"1" + b"}" * 500, "too_deep"),
        (b"[" * 60_000 + b"]" * 60_000, "malformed_json"),
        (str(SAFE_INTEGER + 1).encode(), "number_out_of_range"),
        (b"-9223372036854775809", "number_out_of_range"),
        (b"1" * 100, "number_out_of_range"),
        (b"1" * 5000, "malformed_json"),
    ],
)
def test_anything_else_is_refused_with_its_reason(body: bytes, code: str) -> None:
    with pytest.raises(UnreadableRequest) as refusal:
        checked_json(body)

    assert refusal.value.code == code


@pytest.mark.parametrize(
    "nasty", [b'"' + b'\\"' * 32_000, b'"' * 64_000, b'["' + b"\\\\" * 32_000 + b'"]', b"[" * 64_000]
)
def test_no_body_of_the_largest_size_takes_long(nasty: bytes) -> None:
    began = time.process_time()
    with suppress(UnreadableRequest):
        checked_json(nasty)

    assert time.process_time() - began < 0.5
