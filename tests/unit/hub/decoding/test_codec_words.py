from __future__ import annotations

from typing import Any

import pytest

from autospot.domain.reading import Reading, Rejected
from hub.decoding import decode
from tests.unit.hub.decoding.messages import ARRIVED_MS, chirpstack_topic, chirpstack_up, readings, registry

CODEC = registry("lorawan-codec")


def said(codec: dict[str, Any]) -> Reading:
    (reading,) = readings(chirpstack_topic(), chirpstack_up(object=codec), CODEC)
    return reading


@pytest.mark.parametrize(
    ("codec", "occupied"),
    [
        ({"occupied": True}, True),
        ({"occupied": 0}, False),
        ({"occupied": "on"}, True),
        ({"occupancy": 1.0}, True),
        ({"occupancyStatus": "FREE"}, False),
        ({"parkingStatus": "BUSY"}, True),
        ({"parking_slot_status_name": "empty", "parking_slot_status": 0}, False),
        ({"p_state": "occupied"}, True),
        ({"Presence": "Present"}, True),
        ({"presence": "Unoccupied"}, False),
        ({"CarOnOff": 1}, True),
        ({"status": "VACANT"}, False),
        ({"state": "not-present"}, False),
        ({"state": "true"}, True),
        ({"free": True}, False),
        ({"vacant": "false"}, True),
        ({"occupied": True, "status": "free"}, True),
    ],
)
def test_one_table_of_words_serves_all_codecs(codec: dict[str, Any], occupied: bool) -> None:
    assert said(codec).occupied is occupied


@pytest.mark.parametrize("word", ["unknown", "error", "", 2, -1, 0.5, None, [], {"$ne": None}, "x" * 5000])
def test_a_word_that_is_not_in_the_table_says_nothing_of_the_bay(word: object) -> None:
    assert said({"occupied": word}).occupied is None


@pytest.mark.parametrize(
    ("codec", "kind"),
    [
        ({"type": "heartbeat"}, "heartbeat"),
        ({"frame_type_name": "keep_alive"}, "heartbeat"),
        ({"type": "startup"}, "startup"),
        ({"type": "parking status"}, "change"),
        ({"statusChanged": True}, "change"),
        ({"statusChanged": False}, None),
        ({"type": "novelty"}, None),
        ({"type": 7}, None),
        ({}, None),
    ],
)
def test_the_kind_of_report_is_read_where_a_codec_tells(codec: dict[str, Any], kind: str | None) -> None:
    assert said({"occupied": True} | codec).kind == kind


def test_health_is_read_where_its_unit_is_clear() -> None:
    reading = said({"occupied": 1, "battery_voltage": 3.6, "batteryLevel": 88, "temperature": -3, "battery": 5})
    assert (reading.battery_volts, reading.battery, reading.temperature) == (3.6, 0.88, -3)
    reading = said({"occupied": 1, "batteryVoltage": "3.6", "temperature": True, "battery_percent": 900})
    assert (reading.battery_volts, reading.battery, reading.temperature) == (None, None, None)


@pytest.mark.parametrize("codec", [{"humidity": 40}, {"x" * 100: True}, {"": True}])
def test_an_object_that_speaks_of_no_bay_is_refused(codec: dict[str, Any]) -> None:
    outcome = decode(chirpstack_topic(), chirpstack_up(object=codec), ARRIVED_MS, CODEC)
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "unknown_device_type"


@pytest.mark.parametrize("codec", [[], "occupied", 1, None, {}])
def test_a_codec_that_made_no_object_is_no_codec(codec: object) -> None:
    outcome = decode(chirpstack_topic(), chirpstack_up(object=codec), ARRIVED_MS, CODEC)
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "unknown_device_type"
