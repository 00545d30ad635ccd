"""The Things Stack's envelope."""

from __future__ import annotations

import json
from typing import Any

import pytest

from autospot.domain.reading import Ignored, Reading, Rejected
from hub.decoding import decode
from tests.unit.hub.decoding.messages import (
    ARRIVED_MS,
    EUI,
    HEARD_MS,
    NOBODY,
    THINGS_STACK_TOPIC,
    readings,
    registry,
    things_stack_up,
)

BOSCH = registry("bosch-tps110")


def test_an_uplink_becomes_a_reading() -> None:
    assert readings(THINGS_STACK_TOPIC, things_stack_up(), BOSCH) == [
        Reading(
            EUI,
            occupied=True,
            at_ms=HEARD_MS,
            boot="AYfqmb0pc/1uRZv9xUydgQ==",
            seq=10 * 256,
            kind="change",
            rssi=-35,
            snr=13.2,
            clock="gateway",
        )
    ]


def test_the_open_source_edition_has_no_tenant_in_its_topics() -> None:
    assert readings("v3/parking/devices/bay-7/up", things_stack_up(), BOSCH)[0].occupied is True


def test_a_simulated_message_changes_no_real_bay() -> None:
    payload = things_stack_up(top={"simulated": True})
    assert decode(THINGS_STACK_TOPIC, payload, ARRIVED_MS, BOSCH) == Ignored("simulated")


def test_a_device_without_an_eui_is_known_by_its_id() -> None:
    payload = things_stack_up(top={"end_device_ids": {"device_id": "bay-7"}})
    assert readings(THINGS_STACK_TOPIC, payload, BOSCH)[0].sensor == "bay-7"


def test_version_ids_name_the_model() -> None:
    payload = things_stack_up(b"\x95", version_ids={"brand_id": "nwave", "model_id": "nps405"})
    assert readings(THINGS_STACK_TOPIC, payload, registry())[0].occupied is True


def test_an_attribute_names_the_model_before_the_version_ids() -> None:
    ids = {"brand_id": "nwave", "model_id": "ncc405"}
    payload = things_stack_up(b"\x01\x12", 2, version_ids=ids, attributes={"model": "bosch-tps110"})
    assert readings(THINGS_STACK_TOPIC, payload, registry())[0].temperature == 18


def test_the_servers_codec_reads_what_we_cannot() -> None:
    payload = things_stack_up(decoded_payload={"status": "Unoccupied"}, version_ids={"brand_id": "acme"})
    assert readings(THINGS_STACK_TOPIC, payload, registry())[0].occupied is False


def test_the_networks_own_battery_reading_fills_in() -> None:
    payload = things_stack_up(last_battery_percentage={"f_cnt": 3, "value": 42.5, "received_at": "x"})
    assert readings(THINGS_STACK_TOPIC, payload, BOSCH)[0].battery == pytest.approx(0.425)


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ("join", "join"),
        ("down/queued", "downlink"),
        ("down/failed", "downlink"),
        ("service/data", "integration"),
        ("location/solved", "location"),
    ],
)
def test_other_messages_are_counted_and_not_read(event: str, reason: str) -> None:
    topic = f"v3/parking@tenant/devices/bay-7/{event}"
    assert decode(topic, b"{}", ARRIVED_MS, NOBODY) == Ignored(reason)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "topic", ["v3/parking@tenant/devices/bay-7/UP", "v3/a/b/devices/bay-7/up", "v3/parking@tenant/devices/bay-7/down"]
)
def test_other_topics_are_refused(topic: str) -> None:
    outcome = decode(topic, things_stack_up(), ARRIVED_MS, NOBODY)
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "bad_topic"


@pytest.mark.parametrize(
    "top",
    [
        {"end_device_ids": {}},
        {"end_device_ids": {"device_id": "bay-8"}},
        {"end_device_ids": {"device_id": "bay-7", "dev_eui": "?"}},
        {"end_device_ids": {"device_id": {"$ne": None}}},
        {"uplink_message": None},
        {"uplink_message": {"frm_payload": "0"}},
        {"uplink_message": {"f_cnt": 2**32}},
        {"simulated": "true"},
    ],
)
def test_a_wrong_value_in_the_envelope_is_refused(top: dict[str, Any]) -> None:
    outcome = decode(THINGS_STACK_TOPIC, things_stack_up(top=top), ARRIVED_MS, BOSCH)
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "bad_value"


def test_a_device_id_that_could_not_be_a_code_is_refused() -> None:
    payload = json.dumps({"end_device_ids": {"device_id": "bay 7"}, "uplink_message": {}}).encode()
    outcome = decode("v3/parking@tenant/devices/bay 7/up", payload, ARRIVED_MS, BOSCH)
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "bad_value"
