"""ChirpStack's envelopes. The messages are our own, after the documented event formats of versions 3 and 4."""

from __future__ import annotations

import json
from typing import Any

import pytest

from autospot.domain.reading import Ignored, Reading, Rejected
from hub.decoding import decode
from tests.unit.hub.decoding.messages import (
    ARRIVED_MS,
    EUI,
    HEARD_AT,
    HEARD_MS,
    NOBODY,
    b64,
    chirpstack_topic,
    chirpstack_up,
    readings,
    registry,
)

BOSCH = registry("bosch-tps110")
TOPIC = chirpstack_topic()


def v3_up(**more: Any) -> bytes:
    """A version 3 uplink of the protobuf marshaler: base64 EUIs, no time of its own, the object inside a string."""
    event = {
        "applicationID": "123",
        "applicationName": "bays",
        "deviceName": "bay 7",
        "devEUI": b64(bytes.fromhex(EUI)),
        "rxInfo": [
            {
                "gatewayID": "AwMDAwMDAwM=",
                "time": HEARD_AT,
                "timeSinceGPSEpoch": None,
                "rssi": -48,
                "loRaSNR": 9,
                "location": {"latitude": 52.3740364},
            }
        ],
        "txInfo": {"frequency": 868100000, "loRaModulationInfo": {"bandwidth": 125}},
        "adr": True,
        "dr": 1,
        "fCnt": 10,
        "fPort": 1,
        "data": "AQ==",
        "objectJSON": '{"temperatureSensor":25}',
        "tags": {"key": "value"},
    } | more
    return json.dumps(event).encode()


def test_an_uplink_of_version_4_6_becomes_a_reading() -> None:
    assert readings(TOPIC, chirpstack_up(), BOSCH) == [
        Reading(
            EUI,
            occupied=True,
            at_ms=HEARD_MS,
            boot="01020304",
            seq=4 * 256,
            kind="change",
            rssi=-89,
            snr=10.5,
            clock="gateway",
        )
    ]


def test_an_uplink_of_version_4_0_leaves_out_what_is_zero() -> None:
    """The first uplink after a join has frame counter 0; an empty frame on port 0 carries MAC commands only."""
    heard = [{"gatewayId": "0016c001f153a14c", "time": HEARD_AT, "rssi": -36}]
    first = chirpstack_up(b"\x01", rxInfo=heard, without=("fCnt", "dr", "confirmed"))
    (reading,) = readings(TOPIC, first, BOSCH)
    assert (reading.occupied, reading.seq, reading.rssi, reading.snr) == (True, 0, -36, 0)
    assert (reading.at_ms, reading.clock) == (HEARD_MS, "gateway")

    (reading,) = readings(TOPIC, chirpstack_up(without=("data", "fPort", "rxInfo")), BOSCH)
    assert (reading.occupied, reading.kind, reading.seq) == (None, None, 4 * 256)


def test_an_uplink_of_version_3_names_no_session_so_only_its_time_orders_it() -> None:
    (reading,) = readings("application/123/device/" + EUI.upper() + "/event/up", v3_up(), BOSCH)
    assert reading == Reading(EUI, occupied=True, at_ms=HEARD_MS, kind="change", rssi=-48, snr=9, clock="gateway")


def test_version_3_before_3_11_has_no_event_level_in_its_topics() -> None:
    assert readings(f"application/123/device/{EUI}/rx", v3_up(), BOSCH)[0].occupied is True
    assert decode(f"application/123/device/{EUI}/tx", b"{}", ARRIVED_MS, BOSCH) == Ignored("downlink")


def test_version_3_with_the_older_marshaler_has_hex_and_a_plain_object() -> None:
    payload = v3_up(devEUI=EUI, data=None, objectJSON=None, object={"occupied": False})
    assert readings(TOPIC, payload, NOBODY)[0].occupied is False


@pytest.mark.parametrize("text", ["", "null", "[]", "7"])
def test_an_object_of_version_3_may_be_nothing(text: str) -> None:
    assert readings(TOPIC, v3_up(objectJSON=text), BOSCH)[0].occupied is True


def test_an_object_of_version_3_that_is_no_json_is_refused() -> None:
    outcome = decode(TOPIC, v3_up(objectJSON="{"), ARRIVED_MS, BOSCH)
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "bad_json"


@pytest.mark.parametrize(
    ("body", "battery"),
    [
        ({"batteryLevel": 88.3, "margin": 10}, 0.883),
        ({"batteryLevel": 75.5, "batteryLevelUnavailable": False, "externalPowerSource": False}, 0.755),
        ({"batteryLevelUnavailable": True, "batteryLevel": 0}, None),
        ({"externalPowerSource": True, "batteryLevel": 0}, None),
        ({"margin": 10}, 0.0),
        ({"batteryLevel": 255}, None),
    ],
)
def test_a_device_status_is_health_and_says_nothing_of_the_bay(body: dict[str, Any], battery: float | None) -> None:
    payload = json.dumps({"time": HEARD_AT, "deviceInfo": {"devEui": EUI}} | body).encode()
    (reading,) = readings(chirpstack_topic("status"), payload)
    assert reading.battery == pytest.approx(battery)
    assert reading == Reading(EUI, at_ms=HEARD_MS, battery=reading.battery, clock="server")


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ("join", "join"),
        ("ack", "downlink"),
        ("txack", "downlink"),
        ("log", "log"),
        ("error", "log"),
        ("location", "location"),
        ("integration", "integration"),
    ],
)
def test_other_events_are_counted_and_not_read(event: str, reason: str) -> None:
    assert decode(chirpstack_topic(event), b"\x08\x01", ARRIVED_MS, BOSCH) == Ignored(reason)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "topic",
    [
        chirpstack_topic("coffee"),
        f"application/1/device/{EUI}/command/down",
        f"application/1/device/{EUI}",
        f"application/1/device/{EUI}00/event/up",
        "application/1/device/XXXXXXc161832b12/event/up",
    ],
)
def test_topics_that_are_no_events_of_a_device_are_refused(topic: str) -> None:
    outcome = decode(topic, chirpstack_up(), ARRIVED_MS, BOSCH)
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "bad_topic"


@pytest.mark.parametrize("eui", ["a81758fffe04b3c3", "XXXXXXc161832b12", b64(bytes(8)), "AQ=", "?"])
def test_a_body_that_names_another_device_than_its_topic_is_refused(eui: str) -> None:
    for payload in (chirpstack_up(device={"devEui": eui}), v3_up(devEUI=eui)):
        outcome = decode(TOPIC, payload, ARRIVED_MS, BOSCH)
        assert isinstance(outcome, Rejected)
        assert outcome.reason == "bad_value"


def test_a_body_that_names_no_device_belongs_to_its_topic() -> None:
    assert readings(TOPIC, chirpstack_up(without=("deviceInfo",)), BOSCH)[0].sensor == EUI


@pytest.mark.parametrize(
    "fields",
    [
        {"data": "?"},
        {"data": "AQ"},
        {"data": 1},
        {"fCnt": -1},
        {"fCnt": 2**32},
        {"fCnt": "4"},
        {"fPort": 256},
        {"time": "2026-11-22T10:00:00"},
        {"devAddr": "0" * 65},
        {"rxInfo": {}},
        {"rxInfo": [{"rssi": "loud"}]},
        {"deviceInfo": []},
    ],
)
def test_a_wrong_value_in_the_envelope_is_refused(fields: dict[str, Any]) -> None:
    outcome = decode(TOPIC, chirpstack_up(**fields), ARRIVED_MS, BOSCH)
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "bad_value"


def test_the_registrys_model_counts_before_every_hint() -> None:
    device = {"deviceProfileName": "Nwave NPS405", "tags": {"model": "netvox-r719a"}}
    assert readings(TOPIC, chirpstack_up(b"\x01", 2, device=device), BOSCH)[0].kind == "heartbeat"


def test_without_it_a_tag_counts_before_the_profiles_name() -> None:
    device = {"deviceProfileName": "Nwave NPS405", "tags": {"model": "bosch-tps110"}}
    assert readings(TOPIC, chirpstack_up(b"\x01", 2, device=device), registry())[0].kind == "heartbeat"


def test_a_profiles_name_gives_a_model_away() -> None:
    payload = chirpstack_up(b"\x01\x12", 2, device={"deviceProfileName": "EU868 Bosch TPS110 v2"})
    assert readings(TOPIC, payload, registry())[0].temperature == 18


def test_a_registered_model_outside_the_catalogue_is_refused() -> None:
    outcome = decode(TOPIC, chirpstack_up(), ARRIVED_MS, registry("acme-9000"))
    assert isinstance(outcome, Rejected)
    assert (outcome.reason, "acme-9000" in outcome.detail) == ("unknown_device_type", True)


def test_raw_bytes_count_before_the_servers_codec() -> None:
    payload = chirpstack_up(b"\x01", object={"occupied": False})
    assert readings(TOPIC, payload, BOSCH)[0].occupied is True


def test_the_servers_codec_counts_where_no_model_is_known_or_no_bytes_are_given() -> None:
    assert readings(TOPIC, chirpstack_up(b"\x01", object={"occupied": False}), registry())[0].occupied is False
    assert readings(TOPIC, chirpstack_up(b"", object={"occupied": False}), BOSCH)[0].occupied is False


def test_an_operator_may_ask_for_the_servers_codec() -> None:
    payload = chirpstack_up(object={"occupied": False}, device={"deviceProfileName": "Bosch TPS110"})
    assert readings(TOPIC, payload, registry("lorawan-codec"))[0].occupied is False


def test_a_registered_device_that_nothing_can_read_is_refused() -> None:
    outcome = decode(TOPIC, chirpstack_up(), ARRIVED_MS, registry())
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "unknown_device_type"


@pytest.mark.parametrize("fields", [{}, {"object": {"humidity": 40}}])
def test_a_device_outside_the_registry_was_heard_whatever_it_is(fields: dict[str, Any]) -> None:
    """Whose it is, is for those to say who know every lot; a weather station in the same network is no bad frame."""
    (reading,) = readings(TOPIC, chirpstack_up(**fields), NOBODY)
    assert (reading.sensor, reading.occupied, reading.kind) == (EUI, None, None)


def test_signal_and_time_are_those_of_the_loudest_copy() -> None:
    heard = [
        {"gwTime": "2026-11-22T10:00:00.900Z", "rssi": -120, "snr": -9},
        {"gwTime": HEARD_AT, "rssi": -60, "snr": 12},
        {"gwTime": "2026-11-22T10:00:00.800Z"},
    ]
    (reading,) = readings(TOPIC, chirpstack_up(rxInfo=heard), BOSCH)
    assert (reading.rssi, reading.snr, reading.at_ms) == (-60, 12, HEARD_MS)


def test_a_signal_that_cannot_be_is_left_out() -> None:
    (reading,) = readings(TOPIC, chirpstack_up(rxInfo=[{"rssi": 400, "snr": -1e30}]), BOSCH)
    assert (reading.rssi, reading.snr, reading.occupied) == (None, None, True)
