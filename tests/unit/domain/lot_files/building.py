"""Lot files for these tests: one small lot with a plan, and ways to damage it."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable
from typing import Any

from autospot.domain.lot import Lot
from autospot.domain.lot_files import InvalidLots, read_lots

YARD: dict[str, Any] = {
    "lot": "yard",
    "name": "Yard",
    "time_zone": "Europe/Berlin",
    "levels": [{"level": "P0"}, {"level": "P1", "ordinal": 1}],
    "bays": [
        {"bay": "1", "level": "P0", "x": 2.0, "y": 5.5},
        {"bay": "2", "level": "P0", "x": 4.5, "y": 5.5, "sensor": {"id": "s-2"}},
        {"bay": "3", "level": "P1", "x": 2.0, "y": -5.5, "rotation": 180.0, "aisle": "up"},
    ],
    "nodes": [
        {"node": "a", "level": "P0", "x": 0.0, "y": 0.0},
        {"node": "b", "level": "P0", "x": 20.0, "y": 0.0},
        {"node": "c", "level": "P1", "x": 20.0, "y": 0.0},
        {"node": "d", "level": "P1", "x": 0.0, "y": 0.0},
    ],
    "aisles": [{"aisle": "down", "path": ["a", "b"]}, {"aisle": "up", "path": ["c", "d"]}],
    "ramps": [{"ramp": "ramp", "path": ["b", "c"], "metres": 20.0}],
    "lifts": [{"lift": "lift", "path": ["a", "d"]}],
    "entrances": [{"entrance": "in", "node": "a"}],
    "exits": [{"exit": "out", "node": "a"}],
    "doors": [{"door": "door", "node": "a"}],
    "signs": [{"sign": "sign", "entrance": "in", "levels": ["P0"]}],
}
"""Two levels with an aisle each, joined by a ramp and a lift; three bays."""


def yard(**changes: Any) -> dict[str, Any]:
    """The yard with some of its fields replaced."""
    return {**copy.deepcopy(YARD), **changes}


def yard_with(path: str, value: Any) -> dict[str, Any]:
    """The yard with one value put at a place such as `bays/1/level`; `…/-` appends to a list."""
    lot = copy.deepcopy(YARD)
    *steps, last = path.split("/")
    place: Any = lot
    for step in steps:
        place = place[int(step)] if isinstance(place, list) else place[step]
    if last == "-":
        place.append(value)
    elif isinstance(place, list):
        place[int(last)] = value
    else:
        place[last] = value
    return lot


def file_with(*lots: Any) -> str:
    return json.dumps({"lots": list(lots)})


def read(text: str, *, chunk: int = 1 << 16) -> list[Lot]:
    return list(read_lots(text[start : start + chunk] for start in range(0, len(text), chunk)))


def problems_in(*lots: Any) -> list[str]:
    """What the reader says about a file with these lots, `place: message`; nothing if it is fine."""
    return said_of(lambda: read(file_with(*lots)))


def said_of(reading: Any) -> list[str]:
    """The problems that `reading()` is refused for."""
    try:
        outcome = reading()
        if isinstance(outcome, Iterable):
            list(outcome)
    except InvalidLots as error:
        return [str(problem) for problem in error.problems]
    return []
