"""Rows of sensor changes and the columns that a feed document holds."""

import pytest
from bson import decode, encode
from hypothesis import given
from hypothesis import strategies as st

from autospot.domain.change import SensorChange
from autospot.storage.feed_columns import columns_of, rows_of

INSTANTS = st.none() | st.integers(-(2**62), 2**62)
ROWS = st.builds(
    SensorChange,
    bay=st.text("ABz019._-", min_size=1, max_size=8),
    occupied=st.sampled_from([True, False, None]),
    since_ms=INSTANTS,
    at_ms=INSTANTS,
    boot=st.none() | st.integers(0, 2**40) | st.text("0123456789abcdef", max_size=8),
    seq=st.none() | st.integers(0, 2**40),
)


def stored(columns: dict[str, object]) -> dict[str, object]:
    """The columns as the database gives them back."""
    return decode(encode(columns))


def as_kept(row: SensorChange) -> SensorChange:
    """A boot without a sequence number orders nothing and is not kept where no row of its lot has one."""
    return SensorChange(row.bay, row.occupied, row.since_ms, row.at_ms, None, None)


@given(st.lists(ROWS, min_size=1, max_size=20))
def test_rows_come_back_as_they_were_stored(rows: list[SensorChange]) -> None:
    has_order = any(row.seq is not None for row in rows)
    assert rows_of(stored(columns_of(rows))) == (rows if has_order else [as_kept(row) for row in rows])


def test_a_document_says_only_what_cannot_be_told_from_its_other_columns() -> None:
    just_changed = [SensorChange("A", True, 5, 5, 1, 7), SensorChange("B", None, 6, 6, 1, 8)]
    assert columns_of(just_changed) | {"at": b"", "seq": b""} == {
        "bay": "A,B",
        "occupied": "1?",
        "at": b"",
        "seq": b"",
        "boot": 1,
    }
    assert columns_of([SensorChange("A", False, 4, 5)]).keys() == {"bay", "occupied", "at", "since"}


@pytest.mark.parametrize("column", ["occupied", "at", "seq"])
def test_columns_of_different_lengths_are_refused(column: str) -> None:
    columns = columns_of([SensorChange("A", True, 5, 5, 1, 7), SensorChange("B", True, 6, 6, 1, 8)])
    columns[column] = columns[column][: len(columns[column]) // 2]
    with pytest.raises(ValueError, match="different lengths"):
        rows_of(columns)
