"""Every recorded frame and message in `tests/vectors`, through the one public function."""

from __future__ import annotations

import json
from typing import Any

import pytest

from autospot.domain.instant import rfc3339_ms
from autospot.domain.reading import Ignored, Reading, Rejected
from hub.decoding import decode
from tests.unit.hub.decoding.messages import (
    ARRIVED_MS,
    NOBODY,
    chirpstack_topic,
    chirpstack_up,
    readings,
    registry,
    vectors,
)

FRAMES = vectors("lorawan_frames.json")
MESSAGES = vectors("chirpstack_v4.json") + vectors("things_stack_v3.json")
TOLD = ("occupied", "kind", "battery", "battery_volts", "temperature", "distance_mm")
ANY_PORT = 1
"""For frames whose source does not state the port: their sensors use one only."""


def named(vector: dict[str, Any]) -> str:
    what = vector.get("bytes_hex") or vector["topic"]
    return f"{vector.get('model', 'unregistered')}-{what[:40]}"


def told(reading: Reading) -> dict[str, Any]:
    said = {name: getattr(reading, name) for name in TOLD if getattr(reading, name) is not None}
    if reading.clock == "device":
        assert reading.at_ms is not None
        said["at"] = rfc3339_ms(reading.at_ms).replace(".000Z", "Z")
    return said


def compare(said: list[Reading], events: list[dict[str, Any]]) -> None:
    assert len(said) == len(events)
    for reading, event in zip(said, events, strict=True):
        expected = dict(event)
        if (battery_low := expected.pop("battery_low", None)) is not None:
            assert reading.battery_low is battery_low
        assert told(reading) == pytest.approx(expected)


def test_no_vector_was_lost() -> None:
    assert (len(FRAMES), len(MESSAGES)) == (96, 21)


@pytest.mark.parametrize("vector", FRAMES, ids=named)
def test_a_recorded_frame_says_what_its_source_says(vector: dict[str, Any]) -> None:
    f_port = vector["f_port"]
    payload = chirpstack_up(bytes.fromhex(vector["bytes_hex"]), ANY_PORT if f_port is None else f_port)
    outcome = decode(chirpstack_topic(), payload, ARRIVED_MS, registry(vector["model"]))
    if "rejected" in vector:
        assert isinstance(outcome, Rejected)
        assert outcome.reason == vector["rejected"]
    else:
        assert isinstance(outcome, list), outcome
        compare(outcome, vector["events"])


@pytest.mark.parametrize("vector", MESSAGES, ids=named)
def test_a_recorded_message_says_what_its_source_says(vector: dict[str, Any]) -> None:
    known = registry(vector["model"]) if "model" in vector else NOBODY
    payload = json.dumps(vector["body"]).encode()
    if "ignored" in vector:
        assert decode(vector["topic"], payload, ARRIVED_MS, known) == Ignored(vector["ignored"])
    else:
        compare(readings(vector["topic"], payload, known), vector["events"])
