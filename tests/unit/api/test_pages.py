"""Cursors come back as what they were made from, or not at all."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime

import pytest
from pydantic import TypeAdapter, ValidationError

from api.pages import YEAR_10000_MS, Cursor, PageQuery, cursor_after, cursor_at, instant_at, ms_at, position_at
from api.problems import InvalidInputs


def test_a_cursor_is_the_position_it_was_made_at() -> None:
    for position in ((12.5, "harbour"), (0.0, "höfe/~")):
        cursor = cursor_at(position)

        assert TypeAdapter(Cursor).validate_python(cursor) == cursor
        assert position_at(cursor, tuple[float, str]) == position


def test_the_first_page_has_no_position() -> None:
    assert (position_at(None, int), instant_at(None), ms_at(None)) == (None, None, None)


def test_a_list_in_the_order_of_time_goes_on_after_an_item() -> None:
    noon = datetime(2040, 11, 26, 12, tzinfo=UTC)
    assert instant_at(cursor_after(noon, "bkg_1")) == (noon, "bkg_1")


@pytest.mark.parametrize("number", [-1, -(10**16), YEAR_10000_MS, 10**16, 10**40])
def test_a_time_that_no_list_has_is_refused(number: int) -> None:
    for position, read in (((number, "bkg_1"), instant_at), (number, ms_at)):
        cursor = urlsafe_b64encode(json.dumps(position).encode()).rstrip(b"=").decode()
        with pytest.raises(InvalidInputs) as refusal:
            read(cursor)
        assert refusal.value.at == "/query/cursor"


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
