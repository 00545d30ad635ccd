"""Rows of sensor changes as columns, and back: how a feed document holds them.

Each column is one value: codes joined by commas, one letter per occupancy, 64-bit integers in a row (little-endian).
There and back a change costs 0.7 us this way; as BSON arrays, which spell out every index, it cost 1.3 and most of the
document was indices. A column with gaps is an array after all, and one that says the same throughout a single value.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

from autospot.domain.change import SensorChange

_LETTERS = {True: "1", False: "0", None: "?"}
_OCCUPIED = {letter: occupied for occupied, letter in _LETTERS.items()}


def columns_of(rows: Sequence[SensorChange]) -> dict[str, Any]:
    """The columns of `rows`: `since` unless each row just took its value, `boot` and `seq` only if any has it."""
    at, since = [row.at_ms for row in rows], [row.since_ms for row in rows]
    seqs, boots = [row.seq for row in rows], [row.boot for row in rows]
    columns: dict[str, Any] = {
        "bay": ",".join([row.bay for row in rows]),
        "occupied": "".join([_LETTERS[row.occupied] for row in rows]),
        "at": _integers(at),
    }
    if since != at:
        columns["since"] = _integers(since)
    if seqs.count(None) < len(rows):
        columns["seq"] = _integers(seqs)
        columns["boot"] = boots[0] if boots.count(boots[0]) == len(rows) else boots
    return columns


def rows_of(columns: Mapping[str, Any]) -> list[SensorChange]:
    """The rows that `columns` hold. `ValueError` or `KeyError` for what `columns_of` never made."""
    bays = columns["bay"].split(",")
    occupied = [_OCCUPIED[letter] for letter in columns["occupied"]]
    at, boot = _listed(columns["at"]), columns.get("boot")
    since = _listed(columns["since"]) if "since" in columns else at
    seqs = _listed(columns["seq"]) if "seq" in columns else [None] * len(bays)
    boots = boot if isinstance(boot, list) else [boot] * len(bays)
    if {len(column) for column in (occupied, since, at, boots, seqs)} != {len(bays)}:
        raise ValueError("a feed entry has columns of different lengths")
    return list(map(SensorChange, bays, occupied, since, at, boots, seqs))


def _integers(values: list[int | None]) -> bytes | list[int | None]:
    try:
        return struct.pack(f"<{len(values)}q", *values)
    except struct.error:
        return values


def _listed(column: bytes | list[int | None]) -> Sequence[int | None]:
    return struct.unpack(f"<{len(column) // 8}q", column) if isinstance(column, bytes) else column
