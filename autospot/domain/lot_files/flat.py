"""A bay as one row of a table: the columns of a CSV file and the properties of a GeoJSON feature."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autospot.domain.lot import Bay

BAY_COLUMNS = (
    "bay",
    "kind",
    "level",
    "x",
    "y",
    "width",
    "length",
    "rotation",
    "aisle",
    "max_height_metres",
    "charger_kw",
    "bookable",
)
SENSOR_COLUMNS = {
    "sensor": "id",
    "model": "model",
    "gateway": "gateway",
    "heartbeat_seconds": "heartbeat_seconds",
    "threshold_mm": "threshold_mm",
}
"""Columns that describe the bay's sensor, and the field of `SensorRef` each one is."""


def nested(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row as the lot file nests it: the sensor's columns become an object. Other columns are passed on."""
    bay = {name: value for name, value in row.items() if name not in SENSOR_COLUMNS}
    sensor = {field: row[column] for column, field in SENSOR_COLUMNS.items() if column in row}
    if sensor:
        bay["sensor"] = sensor
    return bay


def column_of(pointer: tuple[str, ...]) -> str:
    """The column that a place inside a nested bay, such as `("sensor", "id")`, came from."""
    if pointer[:1] == ("sensor",):
        fields = {field: column for column, field in SENSOR_COLUMNS.items()}
        return fields.get(pointer[1], "sensor") if len(pointer) > 1 else "sensor"
    return pointer[0] if pointer else ""


def flattened(bay: Bay) -> dict[str, Any]:
    """The bay's columns, without those that are empty."""
    columns: dict[str, Any] = {name: getattr(bay, name) for name in BAY_COLUMNS}
    if bay.sensor is not None:
        columns |= {column: getattr(bay.sensor, field) for column, field in SENSOR_COLUMNS.items()}
    return {name: value for name, value in columns.items() if value is not None}
