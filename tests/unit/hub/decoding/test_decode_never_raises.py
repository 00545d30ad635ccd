"""Whatever arrives, `decode` answers with one of its four kinds, and never because one of our decoders failed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autospot.domain.devices import SENSOR_MODELS
from autospot.domain.reading import Ignored, Reading, Rejected, Status
from hub.decoding import decode, decoders
from tests.unit.hub.decoding.messages import (
    ARRIVED_MS,
    NOBODY,
    THINGS_STACK_TOPIC,
    Registry,
    chirpstack_topic,
    chirpstack_up,
    registry,
    things_stack_up,
    vectors,
)

TOPICS = (
    "autospot/v1/harbour/B-07/reading",
    "autospot/v1/harbour/B-07/status",
    "autospot/v1/harbour/gateways/G1/status",
    chirpstack_topic("up"),
    chirpstack_topic("status"),
    THINGS_STACK_TOPIC,
)
MODELS = sorted(SENSOR_MODELS)
RECORDED = [
    (row["model"], row["f_port"] or 1, bytes.fromhex(row["bytes_hex"])) for row in vectors("lorawan_frames.json")
]
NATIVE_FIELDS = ("occupied", "at", "seq", "boot", "battery", "rssi", "snr", "temperature", "kind")

many = settings(max_examples=100, deadline=None)

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**400, -(2**63), 2**64])
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(["2026-11-22T10:00:00Z", "9999-12-31T23:59:59.999999999Z", "0001-01-01T00:00:00+14:00", "AQ=="])
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=5,
)


def judged(topic: str, payload: bytes, known: Registry = NOBODY, arrived_ms: int = ARRIVED_MS) -> None:
    outcome = decode(topic, payload, arrived_ms, known)
    if isinstance(outcome, Rejected):
        assert outcome.reason != "decoder_failed", outcome
        assert len(outcome.detail) < 1000
    elif isinstance(outcome, list):
        assert outcome
        for reading in outcome:
            believable(reading)
    else:
        assert isinstance(outcome, Status | Ignored)


def believable(reading: Reading) -> None:
    assert isinstance(reading, Reading)
    assert reading.occupied in (True, False, None)
    assert reading.battery is None or 0 <= reading.battery <= 1
    assert reading.rssi is None or -200 <= reading.rssi <= 20
    assert reading.temperature is None or -60 <= reading.temperature <= 125
    assert reading.seq is None or 0 <= reading.seq < 2**53
    assert (reading.at_ms is None) == (reading.clock is None)


@many
@given(topic=st.text() | st.sampled_from(TOPICS), payload=st.binary(max_size=400), arrived_ms=st.integers())
def test_for_any_topic_and_bytes(topic: str, payload: bytes, arrived_ms: int) -> None:
    judged(topic, payload, registry("bosch-tps110"), arrived_ms)


@many
@given(fields=st.dictionaries(st.sampled_from(NATIVE_FIELDS) | st.text(max_size=8), values, max_size=9))
def test_for_a_native_reading_of_any_values(fields: dict[str, Any]) -> None:
    judged(TOPICS[0], json.dumps(fields).encode())


@many
@given(model=st.sampled_from(MODELS), f_port=st.integers(0, 255), frame=st.binary(max_size=80))
def test_for_any_frame_of_any_model(model: str, f_port: int, frame: bytes) -> None:
    judged(chirpstack_topic(), chirpstack_up(frame, f_port), registry(model, threshold_mm=800))
    judged(THINGS_STACK_TOPIC, things_stack_up(frame, f_port), registry(model))


@many
@given(recorded=st.sampled_from(RECORDED), cut=st.integers(0, 60), at=st.integers(0, 59), byte=st.integers(0, 255))
def test_for_a_recorded_frame_cut_off_and_damaged(
    recorded: tuple[str, int, bytes], cut: int, at: int, byte: int
) -> None:
    model, f_port, data = recorded
    damaged = bytearray(data[: len(data) - cut])
    if at < len(damaged):
        damaged[at] = byte
    judged(chirpstack_topic(), chirpstack_up(bytes(damaged), f_port), registry(model))


@many
@given(data=st.data())
def test_for_an_envelope_with_any_field_replaced(data: st.DataObject) -> None:
    whole = json.loads(chirpstack_up(object={"occupied": True}))
    whole[data.draw(st.sampled_from([*whole, "objectJSON", "devEUI", "batteryLevel"]))] = data.draw(values)
    for event in ("up", "status"):
        judged(chirpstack_topic(event), json.dumps(whole).encode(), registry())

    whole = json.loads(things_stack_up(decoded_payload={"occupied": True}, version_ids={"brand_id": "bosch"}))
    part = data.draw(st.sampled_from([whole, whole["uplink_message"], whole["end_device_ids"]]))
    part[data.draw(st.sampled_from([*part, "simulated", "attributes", "last_battery_percentage"]))] = data.draw(values)
    judged(THINGS_STACK_TOPIC, json.dumps(whole).encode(), registry())


@many
@given(codec=values, text=st.text(max_size=80))
def test_for_any_object_of_a_codec(codec: object, text: str) -> None:
    judged(chirpstack_topic(), chirpstack_up(object=codec), registry("lorawan-codec"))
    judged(chirpstack_topic(), chirpstack_up(objectJSON=text), registry())


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize("bomb", [b"[" * 16_000, b'{"object":' * 1600, b'{"rxInfo":[' * 1400, b'"' + b"\\u0000" * 2600])
def test_for_nested_bombs(topic: str, bomb: bytes) -> None:
    judged(topic, bomb)


def test_a_decoder_that_raises_costs_one_message_and_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(f_port: int, data: bytes) -> Rejected:
        raise ZeroDivisionError

    monkeypatch.setitem(decoders.DECODERS, "bosch", broken)
    outcome = decode(chirpstack_topic(), chirpstack_up(), ARRIVED_MS, registry("bosch-tps110"))
    assert outcome == Rejected("decoder_failed", "ZeroDivisionError")
