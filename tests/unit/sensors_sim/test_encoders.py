"""Messages have the topic and the shape of their sender."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from sensors_sim.encoders import Message, encode, gateway_status_topic, native, sensor_status_topic
from sensors_sim.lots import Sensor
from tests.unit.sensors_sim.building import a_reading

VECTORS = Path(__file__).parents[2] / "vectors"
BOSCH = Sensor("70b3d50000000001", "bosch-tps110", "gw1")
HEARD_MS = 1_795_341_600_250


def document(message: Message) -> Any:
    return json.loads(message.payload)


def test_a_native_reading_is_the_contracts_object() -> None:
    reading = a_reading(
        "change", True, at_ms=HEARD_MS, seq=1234, boot=7, battery=0.87, rssi=-71, snr=9.5, temperature=21.5
    )
    topic, payload = native(reading)
    assert topic == "autospot/v1/harbour/B001/reading"
    assert json.loads(payload) == {
        "occupied": True,
        "at": "2026-11-22T10:00:00.250Z",
        "seq": 1234,
        "boot": 7,
        "battery": 0.87,
        "rssi": -71,
        "snr": 9.5,
        "temperature": 21.5,
        "kind": "change",
    }


def test_a_native_reading_leaves_out_what_the_sensor_does_not_say() -> None:
    reading = a_reading("heartbeat", None, at_ms=HEARD_MS, seq=None, boot=None)
    assert document(native(reading)) == {"at": "2026-11-22T10:00:00.250Z", "kind": "heartbeat"}


def test_a_free_bay_is_said_to_be_free() -> None:
    assert document(native(a_reading("change", False)))["occupied"] is False


def test_status_topics_are_the_contracts() -> None:
    assert gateway_status_topic("harbour", "gw1") == "autospot/v1/harbour/gateways/gw1/status"
    assert sensor_status_topic("harbour", "B001") == "autospot/v1/harbour/B001/status"


def test_native_sensors_speak_for_themselves_whatever_the_network_server() -> None:
    reading = a_reading()
    assert encode(reading, "chirpstack") == encode(reading, "tts") == native(reading)


def test_a_chirpstack_event_has_the_fields_of_the_current_generation() -> None:
    message = encode(a_reading("change", True, sensor=BOSCH, at_ms=HEARD_MS, rssi=-90, snr=7.5), "chirpstack")
    event = document(message)
    application = event["deviceInfo"]["applicationId"]
    assert message.topic == f"application/{application}/device/70b3d50000000001/event/up"
    recorded = json.loads((VECTORS / "chirpstack_v4.json").read_text())[1]["body"]  # 4.1 to 4.5: the one before
    assert set(event) == set(recorded) | {"regionConfigId"}
    assert set(event["deviceInfo"]) == set(recorded["deviceInfo"]) | {"deviceClassEnabled"}
    assert set(event["rxInfo"][0]) == set(recorded["rxInfo"][0]) - {"time", "channel", "rfChain"} | {
        "gwTime",
        "nsTime",
    }
    assert base64.b64decode(event["data"]) == b"\x01"
    assert event["fPort"] == 1
    assert event["time"] == event["rxInfo"][0]["gwTime"] == "2026-11-22T10:00:00.250+00:00"


def test_a_things_stack_uplink_has_the_fields_of_a_recorded_one() -> None:
    message = encode(a_reading("change", True, sensor=BOSCH, at_ms=HEARD_MS, seq=5, rssi=-90, snr=7.5), "tts")
    body = document(message)
    assert message.topic == "v3/autospot-harbour@ttn/devices/eui-70b3d50000000001/up"
    recorded = next(
        entry["body"]
        for entry in json.loads((VECTORS / "things_stack_v3.json").read_text())
        if entry.get("model") == "bosch-tps110"
    )
    assert set(body) == set(recorded)
    assert set(recorded["uplink_message"]) <= set(body["uplink_message"])
    assert body["end_device_ids"]["dev_eui"] == "70B3D50000000001"
    assert body["uplink_message"]["f_cnt"] == 4
    assert isinstance(body["uplink_message"]["settings"]["frequency"], str)


def test_the_things_stack_leaves_out_zeros() -> None:
    uplink = document(encode(a_reading(sensor=BOSCH, seq=1, snr=0.0), "tts"))["uplink_message"]
    assert "f_cnt" not in uplink
    assert "snr" not in uplink["rx_metadata"][0]


def test_frame_counters_begin_at_zero_in_each_session() -> None:
    first = document(encode(a_reading(sensor=BOSCH, seq=1, boot=7), "chirpstack"))
    later = document(encode(a_reading(sensor=BOSCH, seq=1, boot=8), "chirpstack"))
    assert first["fCnt"] == later["fCnt"] == 0
    assert first["devAddr"] != later["devAddr"]


def test_a_repeated_reading_is_repeated_byte_for_byte() -> None:
    for server in ("chirpstack", "tts"):
        assert encode(a_reading(sensor=BOSCH), server) == encode(a_reading(sensor=BOSCH), server)
