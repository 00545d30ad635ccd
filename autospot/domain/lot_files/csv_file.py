"""Import from a table of bays: CSV with a header (RFC 4180), comma or semicolon, one bay a row.

The columns are those of `flat.py`, in any order, and `lot` where the file holds several lots. Only `bay` is needed.
A table knows no aisles, so the lot has no plan: its bays are counted and shown, and nobody is guided.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from autospot.domain.lot import Lot
from autospot.domain.lot_files.checks import SeenInFile
from autospot.domain.lot_files.flat import BAY_COLUMNS, SENSOR_COLUMNS, column_of, nested
from autospot.domain.lot_files.json_file import parse_lot
from autospot.domain.lot_files.problems import InvalidLots, Problem

ROWS_LIMIT = 2_000_000

_NUMBERS = {"x", "y", "width", "length", "rotation", "max_height_metres", "charger_kw"}
_WHOLE_NUMBERS = {"heartbeat_seconds", "threshold_mm"}
_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_COLUMNS = {"lot", *BAY_COLUMNS, *SENSOR_COLUMNS}

DEFAULT_LEVEL = "street"


def read_csv(lines: Iterable[str], about: Mapping[str, Any]) -> Iterator[Lot]:
    """The lots of a CSV file given as its lines.

    `about` holds what a table cannot say, by the names of the lot file: `lot` (where there is no such column),
    `time_zone`, `name`. A place in `InvalidLots` is `/{line}/{column}`; lines count from 1, the header's.
    """
    rows_of: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for line, row in _rows(lines):
        lot = row.pop("lot", about.get("lot"))
        if lot is None:
            raise InvalidLots([Problem(f"/{line}/lot", "which lot? Name it in a column or with the import")])
        rows_of.setdefault(lot, []).append((line, row))
    if not rows_of:
        raise InvalidLots([Problem("", "there is no bay in the table")])
    seen = SeenInFile()
    for code, rows in rows_of.items():
        lot = _lot(code, rows, about)
        clashes = [_in_table(clash, rows) for clash in seen.add(lot, "")]
        if clashes:
            raise InvalidLots(clashes)
        yield lot


def _rows(lines: Iterable[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    rest = iter(lines)
    header_line = next(rest, "").removeprefix("\ufeff")
    delimiter = ";" if header_line.count(";") > header_line.count(",") else ","
    header = [name.strip() for name in next(csv.reader([header_line], delimiter=delimiter), [])]
    _check_header(header)
    reader = csv.reader(rest, delimiter=delimiter, strict=True)
    try:
        for fields in reader:
            line = reader.line_num + 1
            if line > ROWS_LIMIT:
                raise InvalidLots([Problem(f"/{line}", f"more than {ROWS_LIMIT} lines")])
            if len(fields) > len(header):
                raise InvalidLots([Problem(f"/{line}", f"{len(fields)} fields under {len(header)} columns")])
            row = {name: _value(line, name, text) for name, text in zip(header, fields, strict=False) if text.strip()}
            if row:
                yield line, row
    except csv.Error as error:
        raise InvalidLots([Problem(f"/{reader.line_num + 1}", str(error))]) from error


def _check_header(header: list[str]) -> None:
    unknown = [name for name in header if name not in _COLUMNS]
    if unknown:
        raise InvalidLots([Problem(f"/1/{unknown[0]}", f"no such column; there are {', '.join(sorted(_COLUMNS))}")])
    if len(set(header)) != len(header):
        raise InvalidLots([Problem("/1", "a column is there twice")])
    if "bay" not in header:
        raise InvalidLots([Problem("/1", "the column bay is needed")])


def _value(line: int, name: str, text: str) -> Any:
    text = text.strip()
    try:
        if name in _NUMBERS:
            return float(text)
        if name in _WHOLE_NUMBERS:
            return int(text)
        if name == "bookable":
            return _TRUTHS[text.lower()]
    except (ValueError, KeyError):
        wanted = "yes or no" if name == "bookable" else "a number"
        raise InvalidLots([Problem(f"/{line}/{name}", f"{text!r:.80} is not {wanted}")]) from None
    return text


def _lot(code: str, rows: list[tuple[int, dict[str, Any]]], about: Mapping[str, Any]) -> Lot:
    bays = [{"level": DEFAULT_LEVEL, **nested(row)} for _, row in rows]
    levels = list(dict.fromkeys(bay["level"] for bay in bays))
    raw = {
        "name": code,
        **about,
        "lot": code,
        "levels": [{"level": level, "ordinal": ordinal} for ordinal, level in enumerate(levels)],
        "bays": bays,
    }
    try:
        return parse_lot(raw)
    except InvalidLots as error:
        raise InvalidLots(_in_table(problem, rows) for problem in error.problems) from error


def _in_table(problem: Problem, rows: list[tuple[int, dict[str, Any]]]) -> Problem:
    """The problem at its place in the table; a place outside the bays is the import's own `about`."""
    parts = tuple(problem.at.split("/")[1:])
    if len(parts) < 2 or parts[0] != "bays":
        return problem
    column = column_of(parts[2:])
    return Problem(f"/{rows[int(parts[1])][0]}" + (f"/{column}" if column else ""), problem.message)
