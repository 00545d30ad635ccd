from __future__ import annotations

import json
from typing import Any

import pytest

from autospot.domain.reading import Ignored, Reading, Rejected, Status
from hub.decoding import MAX_PAYLOAD_BYTES, decode
from tests.unit.hub.decoding.messages import ARRIVED_MS, NOBODY, readings

TOPIC = "autospot/v1/harbour/B-07/reading"
WHOLE = (
    b'{"occupied": true, "at": "2026-11-22T10:00:00.123Z", "seq": 1234, "boot": 7, "battery": 0.87, "rssi": -71, '
    b'"snr": 9.5, "temperature": 21.5, "kind": "change"}'
)


def said(**fields: Any) -> bytes:
    return json.dumps({"occupied": True} | fields).encode()


def rejected(payload: bytes, topic: str = TOPIC) -> Rejected:
    outcome = decode(topic, payload, ARRIVED_MS, NOBODY)
    assert isinstance(outcome, Rejected), outcome
    return outcome


def test_the_contracts_example_becomes_a_reading() -> None:
    assert readings(TOPIC, WHOLE) == [
        Reading(
            "B-07",
            "harbour",
            occupied=True,
            at_ms=1_795_341_600_123,
            boot=7,
            seq=1234,
            kind="change",
            battery=0.87,
            rssi=-71,
            snr=9.5,
            temperature=21.5,
            clock="device",
        )
    ]


def test_only_occupied_is_required() -> None:
    assert readings(TOPIC, b'{"occupied": false}') == [Reading("B-07", "harbour", occupied=False)]


def test_a_heartbeat_may_leave_occupied_out() -> None:
    (reading,) = readings(TOPIC, b'{"kind": "heartbeat", "battery": 1}')
    assert (reading.occupied, reading.kind, reading.battery) == (None, "heartbeat", 1.0)


@pytest.mark.parametrize("payload", [b"{}", b'{"kind": "change"}', b'{"kind": "startup"}', b'{"occupied": null}'])
def test_anything_else_may_not(payload: bytes) -> None:
    assert rejected(payload).reason == "bad_value"
    assert "$.occupied" in rejected(payload).detail


def test_null_means_not_given() -> None:
    assert readings(TOPIC, said(at=None, seq=None, battery=None)) == [Reading("B-07", "harbour", occupied=True)]


def test_fields_of_later_versions_are_ignored() -> None:
    assert readings(TOPIC, said(colour="red", nested={"a": [1, {}]})) == [Reading("B-07", "harbour", occupied=True)]


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        ("2026-11-22T10:00:00Z", 1_795_341_600_000),
        ("2026-11-22T10:00:00.123456789Z", 1_795_341_600_123),
        ("2026-11-22T11:00:00.5+01:00", 1_795_341_600_500),
        ("2026-11-22T04:30:00-05:30", 1_795_341_600_000),
        ("1999-12-31T23:59:59Z", 946_684_799_000),
        ("2100-01-01T00:00:00Z", 4_102_444_800_000),
    ],
)
def test_times_are_rfc_3339_with_up_to_nine_decimals(text: str, at_ms: int) -> None:
    """Whether a time can be right is the ingest's to judge: 1999 and 2100 pass here."""
    assert readings(TOPIC, said(at=text))[0].at_ms == at_ms


@pytest.mark.parametrize("at", ["2026-11-22T10:00:00", "2026-11-22", "10:00", "now", "", 1795341600, True, {}])
def test_a_time_without_a_zone_is_no_time(at: object) -> None:
    assert rejected(said(at=at)).reason == "bad_value"
    assert "$.at" in rejected(said(at=at)).detail


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("occupied", 1),
        ("occupied", "true"),
        ("occupied", {"$ne": None}),
        ("occupied", []),
        ("seq", -1),
        ("seq", 1.5),
        ("seq", "1"),
        ("seq", True),
        ("seq", 2**53),
        ("seq", 10**400),
        ("boot", {"$gt": ""}),
        ("boot", "seven"),
        ("battery", 1.01),
        ("battery", -0.01),
        ("battery", "0.87"),
        ("battery", True),
        ("rssi", -500),
        ("rssi", 100),
        ("snr", 1000),
        ("temperature", -273.15),
        ("temperature", 500),
        ("kind", "alarm"),
        ("kind", 3),
        ("kind", {"$in": ["change"]}),
    ],
)
def test_a_wrong_value_is_refused_and_its_place_named(field: str, value: object) -> None:
    refusal = rejected(said(**{field: value}))
    assert refusal.reason == "bad_value"
    assert f"$.{field}" in refusal.detail


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"occupied",
        b"{",
        b'{"occupied": true',
        b'{"occupied": true}}',
        b'{"occupied": true} {"occupied": false}',
        b'{"occupied": tru}',
        b'{"battery": NaN, "occupied": true}',
        b'{"battery": Infinity, "occupied": true}',
        b"\xef\xbb\xbf" + WHOLE,
        b'{"occupied": true, "x": "\\ud800"}',
        b'{"occupied": true, "x": ' + b"[" * 8000,
        b'{"occupied": true, "x": ' + b"[" * 8000 + b"]" * 8000 + b"}",
        b'{"x":' * 3000 + b"1" + b"}" * 100,
    ],
    ids=lambda payload: payload[:24].decode(errors="replace"),
)
def test_what_is_no_json_is_bad_json(payload: bytes) -> None:
    assert rejected(payload).reason == "bad_json"


@pytest.mark.parametrize("payload", [b"null", b"true", b"[]", b'"occupied"', b"7", b"[" * 9000])
def test_json_that_is_no_object_is_a_bad_value(payload: bytes) -> None:
    assert rejected(payload).reason == "bad_value"


def test_bytes_that_are_no_text_are_bad_utf8_even_in_a_field_that_nobody_reads() -> None:
    assert rejected(b'{"occupied": true, "note": "\xff\xfe"}').reason == "bad_utf8"
    assert rejected(b"\x80").reason == "bad_utf8"
    assert readings(TOPIC, '{"occupied": true, "note": "Überdachung"}'.encode())


def test_of_a_name_given_twice_the_last_counts() -> None:
    assert readings(TOPIC, b'{"occupied": true, "occupied": false}')[0].occupied is False


def test_a_payload_may_fill_the_limit_and_not_a_byte_more() -> None:
    full = WHOLE + b" " * (MAX_PAYLOAD_BYTES - len(WHOLE))
    assert readings(TOPIC, full)
    assert rejected(full + b" ").reason == "too_large"


def test_details_are_no_longer_than_people_can_read() -> None:
    assert len(rejected(said(kind="x" * 10_000)).detail) <= 200
    assert len(rejected(b"{}", "x" * 60_000).detail) <= 200


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "autospot/v1/harbour/B-07",
        "autospot/v2/harbour/B-07/reading",
        "autospot/v1/harbour/B-07/reading/",
        "autospot/v1/harbour/B-07/reading\n",
        "autospot/v1/harbour/B 07/reading",
        "autospot/v1/harbour/Bä/reading",
        "autospot/v1/harbour//reading",
        "autospot/v1/harbour/" + "b" * 65 + "/reading",
        "autospot/v1/harbour/level/B-07/reading",
        "autospot/v1/+/B-07/reading",
        "$SYS/broker/uptime",
        "autospot/v1/harbour/gateways/G1/reading",
    ],
)
def test_a_topic_outside_the_contract_is_refused(topic: str) -> None:
    assert rejected(WHOLE, topic).reason == "bad_topic"


def test_a_code_may_be_sixty_four_characters_of_the_alphabet() -> None:
    code = "AZaz09._-" + "x" * 55
    assert readings(f"autospot/v1/{code}/{code}/reading", WHOLE)[0].sensor == code


@pytest.mark.parametrize(
    ("topic", "payload", "status"),
    [
        ("autospot/v1/harbour/B-07/status", b"online", Status("harbour", online=True, sensor="B-07")),
        ("autospot/v1/harbour/B-07/status", b"offline", Status("harbour", online=False, sensor="B-07")),
        ("autospot/v1/harbour/gateways/G.1/status", b"online", Status("harbour", online=True, gateway="G.1")),
        ("autospot/v1/harbour/gateways/G.1/status", b"offline", Status("harbour", online=False, gateway="G.1")),
        ("autospot/v1/harbour/gateways/status", b"online", Status("harbour", online=True, sensor="gateways")),
    ],
)
def test_sensors_and_gateways_say_whether_they_are_there(topic: str, payload: bytes, status: Status) -> None:
    assert decode(topic, payload, ARRIVED_MS, NOBODY) == status


def test_taking_back_a_retained_status_says_nothing() -> None:
    assert decode("autospot/v1/harbour/B-07/status", b"", ARRIVED_MS, NOBODY) == Ignored("cleared")


@pytest.mark.parametrize("payload", [b"Online", b"online ", b"1", b'"online"', b"{}"])
def test_any_other_status_is_refused(payload: bytes) -> None:
    assert rejected(payload, "autospot/v1/harbour/B-07/status").reason == "bad_value"
