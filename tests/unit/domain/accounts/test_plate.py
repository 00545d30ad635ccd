"""Plates: one plate written in many ways is one plate, and slips are caught."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autospot.domain.accounts.plate import PLATE_LENGTH, normalised_plate
from autospot.domain.errors import InvalidInput


@pytest.mark.parametrize(
    ("country", "written"),
    [
        ("DE", ["B-AB 1234", "b ab 1234", "BAB1234", " b·ab-1234 "]),
        ("DE", ["MÜ-X 12E", "mü x12e", "MU\u0308-X 12E"]),
        ("FR", ["AB-123-CD", "ab 123 cd"]),
        ("GB", ["AB12 CDE", "ab12cde"]),
        ("NL", ["12-ABC-3", "12abc3"]),
        ("GR", ["ΑΒΕ-1234", "ABE 1234"]),
        ("UA", ["АА 1234 ВС", "AA1234BC"]),
        ("JP", ["ABC 123", "abc-123"]),
    ],
)
def test_one_plate_in_many_hands(country: str, written: list[str]) -> None:
    assert len({normalised_plate(country, text).matched_as for text in written}) == 1


def test_equal_letters_of_two_countries_are_two_plates() -> None:
    assert normalised_plate("AT", "W 12345").matched_as != normalised_plate("DE", "W 12345").matched_as


@pytest.mark.parametrize(
    ("country", "text"),
    [
        ("DE", "1234"),
        ("DE", "ABCDEF 1"),
        ("FR", "AB-123-CI"),
        ("ES", "1234 ABC"),
        ("NL", "ABCDEF"),
        ("CH", "ZH"),
        ("GB", "AB12 CDEF"),
        ("JP", "A"),
        ("DE", ""),
        ("DE", "B . - A - B . - 1 2 3"),
        ("DE", "<script>"),
        ("DE", "B-AB\x0012"),
    ],
)
def test_what_no_country_issues_is_refused_without_repeating_it(country: str, text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        normalised_plate(country, text)
    assert refused.value.code == "bad_plate"
    assert not text.strip() or text not in refused.value.message


def test_a_plate_does_not_show_itself_in_logs() -> None:
    plate = normalised_plate("DE", "B-AB 1234")
    assert "1234" not in f"{plate!r} {plate}"


@given(st.text(max_size=2 * PLATE_LENGTH))
def test_normalising_twice_is_normalising_once(text: str) -> None:
    try:
        plate = normalised_plate("DE", text)
    except InvalidInput:
        return
    assert normalised_plate("DE", plate.shown) == plate
    assert normalised_plate("DE", plate.text).matched_as == plate.matched_as
