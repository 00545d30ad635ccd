"""Cursors come back as what they were made from, or not at all."""

from __future__ import annotations

from base64 import urlsafe_b64encode

import pytest
from pydantic import TypeAdapter, ValidationError

from api.pages import Cursor, PageQuery, cursor_at, position_at
from api.problems import InvalidInputs


def test_a_cursor_is_the_position_it_was_made_at() -> None:
    for position in ((12.5, "harbour"), (0.0, "höfe/~")):
        cursor = cursor_at(position)

        assert TypeAdapter(Cursor).validate_python(cursor) == cursor
        assert position_at(cursor, tuple[float, str]) == position


def test_the_first_page_has_no_position() -> None:
    assert position_at(None, int) is None


@pytest.mark.parametrize(
    "forged",
    ["x", "====", "AAAA", cursor_at("5"), cursor_at({"$gt": 1}), cursor_at([5]), urlsafe_b64encode(b"NaN").decode()],
)
def test_what_no_list_gave_out_is_refused(forged: str) -> None:
    with pytest.raises(InvalidInputs) as refusal:
        position_at(forged, int)

    assert refusal.value.at == "/query/cursor"


@pytest.mark.parametrize(
    "query", [{"limit": "0"}, {"limit": "201"}, {"limit": "ten"}, {"cursor": "a b"}, {"cursor": ""}]
)
def test_a_page_has_between_1_and_200_items(query: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        PageQuery.model_validate_strings(query)
