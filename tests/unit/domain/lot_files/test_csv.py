"""CSV: a table of bays becomes lots, and every mistake is told with line and column."""

from __future__ import annotations

import pytest

from autospot.domain.lot import Lot
from autospot.domain.lot_files.csv_file import read_csv
from tests.unit.domain.lot_files.building import said_of

ABOUT = {"lot": "court", "time_zone": "Europe/Berlin"}


def read(table: str, **about: str) -> list[Lot]:
    return list(read_csv(table.splitlines(keepends=True), {**ABOUT, **about}))


def test_the_bay_is_all_a_row_needs() -> None:
    (lot,) = read("bay\n1\n2\n")
    assert (lot.lot, lot.name, lot.time_zone) == ("court", "court", "Europe/Berlin")
    assert [(bay.bay, bay.level, bay.kind) for bay in lot.bays] == [
        ("1", "street", "general"),
        ("2", "street", "general"),
    ]


def test_columns_come_in_any_order_and_empty_fields_have_their_default() -> None:
    (lot,) = read("x,kind,bay,sensor,threshold_mm,bookable\n1.5,ev,A1,s-1,800,no\n,,A2,,,\n")
    first, second = lot.bays
    assert (first.x, first.kind, first.bookable) == (1.5, "ev", False)
    assert first.sensor is not None
    assert (first.sensor.id, first.sensor.threshold_mm) == ("s-1", 800)
    assert (second.x, second.kind, second.sensor, second.bookable) == (0.0, "general", None, True)


def test_a_table_saved_by_a_spreadsheet_is_read() -> None:
    (lot,) = read('\ufeffbay;level\r\n"1";"P 0"\r\n'.replace("P 0", "P0"))
    assert [bay.level for bay in lot.bays] == ["P0"]


def test_a_column_tells_several_lots_apart() -> None:
    lots = read("lot,bay,level\nA,1,P0\nB,1,P0\nA,2,P1\n")
    assert [(lot.lot, [bay.bay for bay in lot.bays]) for lot in lots] == [("A", ["1", "2"]), ("B", ["1"])]
    assert [(level.level, level.ordinal) for level in lots[0].levels] == [("P0", 0), ("P1", 1)]


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("", "/1: the column bay is needed"),
        ("bay\n", "there is no bay in the table"),
        ("kind\nev\n", "/1: the column bay is needed"),
        ("bay,colour\n1,red\n", "/1/colour: no such column; there are aisle, bay"),
        ("bay,bay\n1,2\n", "/1: a column is there twice"),
        ("bay,kind\n1,evv\n", "/2/kind: 'evv' is none of"),
        ("bay,x\n1,wide\n", "/2/x: 'wide' is not a number"),
        ("bay,x\n1,nan\n", "/2/x: input should be a finite number"),
        ("bay,threshold_mm,sensor\n1,1.5,s\n", "/2/threshold_mm: '1.5' is not a number"),
        ("bay,bookable\n1,perhaps\n", "/2/bookable: 'perhaps' is not yes or no"),
        ("bay,gateway\n1,g\n", "/2/sensor: this field is needed"),
        ("bay\n1\n1\n", "/3/bay: bay '1' is there twice"),
        ("bay\n1\n\n\n1\n", "/5/bay: bay '1' is there twice"),
        ("bay,sensor\n1,s\n2,s\n", "/3/sensor: sensor 's' also watches bay '1'"),
        ("lot,bay,sensor\nA,1,s\nB,1,s\n", "/3/sensor: sensor 's' also watches a bay of lot 'A'"),
        ("bay\n1,2\n", "/2: 2 fields under 1 columns"),
        ('bay\n"1\n', "/2: unexpected end of data"),
        ("bay\na b\n", "/2/bay: not a code"),
    ],
)
def test_a_mistake_is_told_with_line_and_column(table: str, told: str) -> None:
    assert said_of(lambda: read(table))[0].startswith(told)


def test_a_table_that_names_no_lot_needs_one_from_the_import() -> None:
    assert said_of(lambda: read_csv(["bay\n", "1\n"], {"time_zone": "UTC"})) == [
        "/2/lot: which lot? Name it in a column or with the import"
    ]
