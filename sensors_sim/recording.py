"""A recorded file of sensor events, in the order in which they arrived, as readings.

CSV with a header line, or JSON lines; both with these names, others are ignored:

| name | meaning |
|---|---|
| `device` | the sensor, becomes the topic's sensor code |
| `event_time_utc` | RFC 3339 with its zone: when it happened, by the sensor's clock |
| `event` | `parking` (a change), `parking_repeat` (the state again), `keepalive` (says nothing about the bay) |
| `occupied` | 0 or 1, with the first two |
| `battery_mv` | optional, see `sensors_sim.battery` |
| `temp_min_c`, `temp_max_c` | optional, since the last keep-alive; signed bytes that may be written unsigned |
| `network` | optional, the log that the line comes from; only paces a replay |

Nothing is sorted: real sensors deliver newest first, late, and twice, and that is what a replay is for.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec

from sensors_sim.battery import charge
from sensors_sim.lots import Sensor, is_code
from sensors_sim.reading import Kind, Reading

EVENTS_LIMIT = 1_000_000
"""Longest recording: all of it is read and checked before the first message is sent."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_KINDS: Mapping[str, Kind] = {"parking": "change", "parking_repeat": "heartbeat", "keepalive": "heartbeat"}


class RecordingError(ValueError):
    """A recording that cannot be played; the text names the line."""


class _Row(msgspec.Struct):
    device: str
    event_time_utc: str
    event: Literal["parking", "parking_repeat", "keepalive"]
    occupied: bool | None = None
    battery_mv: int | None = None
    temp_min_c: int | None = None
    temp_max_c: int | None = None
    network: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A reading as it was recorded, and the log it arrived in."""

    reading: Reading
    network: str


def read_recording(text: str, lot: str) -> list[Recorded]:
    """All events of `text`, in its order, as readings of sensors of `lot`. `RecordingError` for the first bad line."""
    recorded: list[Recorded] = []
    rows = _json_rows(text) if text.lstrip().startswith("{") else _csv_rows(text)
    for line, fields in rows:
        if len(recorded) == EVENTS_LIMIT:
            raise RecordingError(f"line {line}: more than {EVENTS_LIMIT} events")
        try:
            row = msgspec.convert(fields, _Row, strict=False)
            recorded.append(Recorded(_reading(row, lot), row.network))
        except ValueError as error:  # msgspec's errors are among them
            raise RecordingError(f"line {line}: {error}") from None
    return recorded


def _csv_rows(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.DictReader(text.splitlines())
    for fields in reader:
        yield reader.line_num, {name: value for name, value in fields.items() if value not in ("", None)}


def _json_rows(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for line, row in enumerate(text.splitlines(), start=1):
        if not row.strip():
            continue
        try:
            yield line, msgspec.json.decode(row, type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise RecordingError(f"line {line}: {error}") from None


def _reading(row: _Row, lot: str) -> Reading:
    if not is_code(row.device):
        raise ValueError(f"a device is 1 to 64 of A-Z a-z 0-9 . _ -, not {row.device!r}")
    if (row.occupied is None) != (row.event == "keepalive"):
        raise ValueError("parking events say whether the bay is occupied, keep-alives do not")
    return Reading(
        lot=lot,
        sensor=Sensor(row.device),
        at_ms=_instant_ms(row.event_time_utc),
        kind=_KINDS[row.event],
        occupied=row.occupied,
        battery=None if row.battery_mv is None else charge(row.battery_mv),
        temperature=_temperature(row),
    )


def _instant_ms(text: str) -> int:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return (instant - EPOCH) // timedelta(milliseconds=1)


def _temperature(row: _Row) -> float | None:
    """Half way between the least and the most of the day, in degrees Celsius."""
    if row.temp_min_c is None or row.temp_max_c is None:
        return None
    return (_signed(row.temp_min_c) + _signed(row.temp_max_c)) / 2


def _signed(octet: int) -> int:
    """251 is -5: the recorded gateway printed the sensors' int8 as unsigned."""
    return octet - 256 if octet > 127 else octet
