"""The part of a lot file that a simulator needs: lots, their time zones, bays, and who watches each bay."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec

from sensors_sim.frames import LORAWAN_MODELS

NATIVE = "native"
"""The model of a sensor that speaks the AutoSpot contract itself. A model unknown here is taken for this one."""

_CODE = re.compile(r"[A-Za-z0-9._-]{1,64}")
_EUI = re.compile(r"[0-9a-f]{16}")


class LotFileError(ValueError):
    """A lot file that cannot be used; the text names the place."""


@dataclass(frozen=True, slots=True)
class Sensor:
    """`id` is the topic's sensor code, or the device EUI in lower-case hex. `gateway` None means no named gateway,
    `heartbeat_seconds` None the run's own interval."""

    id: str
    model: str = NATIVE
    gateway: str | None = None
    heartbeat_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Bay:
    code: str
    kind: str
    sensor: Sensor


@dataclass(frozen=True, slots=True)
class Lot:
    """`storeys` is the number of levels that are not at street level: none for a street or an open square."""

    code: str
    zone: ZoneInfo
    bays: tuple[Bay, ...]
    storeys: int = 0


class _SensorEntry(msgspec.Struct, frozen=True):
    id: str
    model: str = NATIVE
    gateway: str | None = None
    heartbeat_seconds: Annotated[int, msgspec.Meta(ge=1)] | None = None


class _BayEntry(msgspec.Struct, frozen=True):
    bay: str
    kind: str = "general"
    sensor: _SensorEntry | None = None


class _LevelEntry(msgspec.Struct, frozen=True):
    ordinal: int = 0


class _LotEntry(msgspec.Struct, frozen=True):
    lot: str
    bays: list[_BayEntry]
    time_zone: str = "UTC"
    levels: list[_LevelEntry] = []


class _LotFile(msgspec.Struct, frozen=True):
    lots: list[_LotEntry]


def read_lots(text: bytes) -> tuple[Lot, ...]:
    """The lots of a lot file (JSON). Fields that the simulator does not need are ignored; a bay without a sensor is
    watched by one whose id is the bay's code. `LotFileError` names what is wrong and where."""
    try:
        entries = msgspec.json.decode(text, type=_LotFile).lots
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise LotFileError(f"not a lot file: {error}") from None
    if not entries:
        raise LotFileError("there is no lot in it - at `$.lots`")
    _refuse_repeats((f"$.lots[{i}].lot", entry.lot) for i, entry in enumerate(entries))
    lots = tuple(_lot(entry, f"$.lots[{i}]") for i, entry in enumerate(entries))
    _refuse_repeats(
        (f"lot {lot.code}, bay {bay.code}", bay.sensor.id)
        for lot in lots
        for bay in lot.bays
        if bay.sensor.model in LORAWAN_MODELS
    )
    return lots


def _lot(entry: _LotEntry, place: str) -> Lot:
    try:
        zone = ZoneInfo(entry.time_zone)
    except (KeyError, OSError, ValueError):  # a name that is unknown, is a folder, or points outside the database
        raise LotFileError(f"unknown time zone {entry.time_zone!r} - at `{place}.time_zone`") from None
    bays = tuple(_bay(bay, f"{place}.bays[{i}]") for i, bay in enumerate(entry.bays))
    _refuse_repeats((f"{place}.bays[{i}].bay", bay.code) for i, bay in enumerate(bays))
    _refuse_repeats((f"{place}.bays[{i}].sensor", bay.sensor.id) for i, bay in enumerate(bays))
    storeys = sum(level.ordinal != 0 for level in entry.levels)
    return Lot(_code(entry.lot, f"{place}.lot"), zone, bays, storeys)


def _bay(entry: _BayEntry, place: str) -> Bay:
    code = _code(entry.bay, f"{place}.bay")
    if entry.sensor is None:
        return Bay(code, entry.kind, Sensor(code))
    return Bay(code, entry.kind, _sensor(entry.sensor, f"{place}.sensor"))


def _sensor(entry: _SensorEntry, place: str) -> Sensor:
    gateway = None if entry.gateway is None else _code(entry.gateway, f"{place}.gateway")
    if entry.model not in LORAWAN_MODELS:
        return Sensor(_code(entry.id, f"{place}.id"), NATIVE, gateway, entry.heartbeat_seconds)
    eui = entry.id.lower()
    if _EUI.fullmatch(eui) is None:
        raise LotFileError(
            f"a {entry.model} is known by its device EUI, 16 hex digits, not {entry.id!r} - at `{place}.id`"
        )
    return Sensor(eui, entry.model, gateway, entry.heartbeat_seconds)


def is_code(text: str) -> bool:
    """Whether `text` may name a lot, bay, sensor or gateway: one level of a topic."""
    return _CODE.fullmatch(text) is not None


def _code(text: str, place: str) -> str:
    if not is_code(text):
        raise LotFileError(f"a code is 1 to 64 of A-Z a-z 0-9 . _ -, not {text!r} - at `{place}`")
    return text


def _refuse_repeats(codes: Iterator[tuple[str, str]]) -> None:
    first: dict[str, str] = {}
    for place, code in codes:
        if code in first:
            raise LotFileError(f"{code!r} is there twice - at `{first[code]}` and `{place}`")
        first[code] = place
