"""Twelve facts about real bay sensors and their networks, each of which breaks a hub that does not know it."""

from __future__ import annotations

import json

import pytest

from autospot.domain.reading import Ignored, Rejected
from hub.decoding import decode
from tests.unit.hub.decoding.messages import (
    ARRIVED_MS,
    HEARD_AT,
    HEARD_MS,
    THINGS_STACK_TOPIC,
    chirpstack_topic,
    chirpstack_up,
    frame,
    readings,
    refused,
    registry,
    things_stack_up,
)

BOSCH = registry("bosch-tps110")
HOUR_MS = 3_600_000
STORED_AND_FORWARDED = "3b6772a5ce1a0c00040051006772a5ba1a130192013200"
"""IoT Park: free at 1735566798, and before that in time, after it in the frame, occupied at 1735566778."""


def test_1_stored_events_come_newest_first_and_leave_in_the_order_of_time() -> None:
    left, parked = 1_735_566_798_000, 1_735_566_778_000
    said = frame("iot-park-lora", 1, STORED_AND_FORWARDED)
    assert [(reading.at_ms, reading.occupied) for reading in said] == [(parked, True), (left, False)]


def test_1_a_sensor_that_delivers_late_is_ordered_by_its_times_and_not_by_its_frames() -> None:
    for reading in frame("iot-park-lora", 1, STORED_AND_FORWARDED):
        assert (reading.boot, reading.seq, reading.clock) == (None, None, "device")


def test_2_two_transitions_in_one_frame_are_two_readings_and_the_last_is_the_state() -> None:
    said = frame("pni-placepod", 2, "156600156601")
    assert [(reading.occupied, reading.seq) for reading in said] == [(False, 4 * 256), (True, 4 * 256 + 1)]


@pytest.mark.parametrize(
    ("gateway", "server", "expected"),
    [
        (HEARD_AT, "2026-11-22T10:00:00.300Z", (HEARD_MS, "gateway")),
        (None, "2026-11-22T10:00:00.300Z", (HEARD_MS + 50, "server")),
        ("2026-11-22T10:02:00.301Z", "2026-11-22T10:00:00.300Z", (HEARD_MS + 50, "server")),
        ("2026-11-21T10:00:00.299Z", "2026-11-22T10:00:00.300Z", (HEARD_MS + 50, "server")),
        ("2026-11-21T10:00:00.300Z", "2026-11-22T10:00:00.300Z", (HEARD_MS + 50 - 24 * HOUR_MS, "gateway")),
        ("1980-01-06T00:00:00Z", "2026-11-22T10:00:00.300Z", (HEARD_MS + 50, "server")),
        (HEARD_AT, None, (HEARD_MS, "gateway")),
        ("2019-01-01T00:00:00Z", None, (None, None)),
        (None, None, (None, None)),
    ],
)
def test_3_the_gateways_clock_counts_unless_it_cannot_be_right_and_the_reading_tells_whose_it_was(
    gateway: str | None, server: str | None, expected: tuple[int | None, str | None]
) -> None:
    heard = [{"gwTime": gateway, "rssi": -80}]
    (reading,) = readings(chirpstack_topic(), chirpstack_up(time=server, rxInfo=heard), BOSCH)
    assert (reading.at_ms, reading.clock) == expected
    heard = [{"time": gateway, "rssi": -80}]
    (reading,) = readings(
        THINGS_STACK_TOPIC, things_stack_up(top={"received_at": None}, received_at=server, rx_metadata=heard), BOSCH
    )
    assert (reading.at_ms, reading.clock) == expected


def test_3_a_quieter_gateway_helps_out_when_the_loudest_has_no_clock() -> None:
    heard = [{"rssi": -50}, {"gwTime": "1980-01-06T00:00:00Z", "rssi": -60}, {"gwTime": HEARD_AT, "rssi": -110}]
    (reading,) = readings(chirpstack_topic(), chirpstack_up(rxInfo=heard), BOSCH)
    assert (reading.at_ms, reading.clock, reading.rssi) == (HEARD_MS, "gateway", -50)


def test_3_of_the_servers_clocks_the_one_nearest_to_the_radio_counts() -> None:
    network, later = "2026-11-22T10:00:00.250Z", "2026-11-22T10:00:07Z"
    event = chirpstack_up(time=later, rxInfo=[{"nsTime": network, "rssi": -80}])
    assert readings(chirpstack_topic(), event, BOSCH)[0].at_ms == HEARD_MS
    message = things_stack_up(top={"received_at": later}, received_at=network, rx_metadata=[])
    assert readings(THINGS_STACK_TOPIC, message, BOSCH)[0].at_ms == HEARD_MS


def test_4_what_a_network_server_leaves_out_is_zero_and_never_an_error() -> None:
    first = things_stack_up(b"\x01", 1, f_cnt=0, rx_metadata=[{"rssi": -40}])
    assert '"f_cnt"' not in first.decode()
    (reading,) = readings(THINGS_STACK_TOPIC, first, BOSCH)
    assert (reading.seq, reading.snr, reading.clock) == (0, 0, "server")

    bare = json.dumps({"end_device_ids": {"device_id": "bay-7"}, "uplink_message": {}}).encode()
    (reading,) = readings(THINGS_STACK_TOPIC, bare, BOSCH)
    assert (reading.occupied, reading.at_ms, reading.rssi) == (None, None, None)


def test_5_the_port_does_not_tell_whose_frame_it_is() -> None:
    assert frame("nwave-ncc405", 1, "06ab")[0].occupied is None
    assert refused("bosch-tps110", 1, "06ab") == "bad_frame"
    assert frame("bosch-tps110", 2, "01d3")[0].temperature == -45
    assert refused("nwave-nps405", 2, "01d3") == "bad_frame"


def test_6_one_product_has_several_layouts() -> None:
    assert frame("nwave-nps405", 1, "94")[0].occupied is False  # bit 7 was the state in an early revision of its codec
    assert frame("nwave-nps405", 1, "15")[0].occupied is True
    assert [frame("nwave-nps405", 10, tag)[0].occupied for tag in ("d11f345678", "d1201f345678")] == [True, True]


def test_7_we_do_not_share_the_bugs_of_public_codecs() -> None:
    assert frame("nwave-nps405", 2, "00d3d800590b")[0].battery_volts == pytest.approx(3.344)
    assert frame("pni-placepod", 2, "0267ff9c")[0].temperature == pytest.approx(-10.0)
    assert frame("fleximodo", 2, "0003" + "00" * 8)[0].occupied is None


@pytest.mark.parametrize("hexadecimal", ["01", "0112", "00000000990200d1"])
def test_8_hex_in_the_place_of_base64_is_refused_and_never_read_as_other_bytes(hexadecimal: str) -> None:
    for f_port in (1, 2):
        outcome = decode(chirpstack_topic(), chirpstack_up(b"", f_port, data=hexadecimal), ARRIVED_MS, BOSCH)
        assert isinstance(outcome, Rejected)


def test_9_numbers_that_come_as_strings_do_no_harm_where_we_do_not_read_them() -> None:
    payload = things_stack_up(settings={"frequency": "868300000"}, rx_metadata=[{"frequency_offset": "671"}])
    assert readings(THINGS_STACK_TOPIC, payload, BOSCH)[0].occupied is True


@pytest.mark.parametrize(
    ("model", "f_port", "heartbeat", "occupied"),
    [
        ("bosch-tps110", 2, "0112", True),
        ("nwave-nps405", 2, "00d3d800590b", False),
        ("netvox-r719a", 6, "0159012401000000000000", True),
        ("pni-placepod", 2, "376601", True),
        ("fleximodo", 2, "1001" + "00" * 8, False),
        ("libelium-parking-v3", 1, "81c60014053300d90c80c8", True),
        ("tekzitel-tekzipark", 1, "a12d63", True),
        ("pni-placepod", 2, "026700f0", None),
        ("iot-park-sigfox", 1, "3c063ffc001900060d000080", None),
    ],
)
def test_10_a_heartbeat_reports_the_state_for_nearly_all_sensors(
    model: str, f_port: int, heartbeat: str, occupied: bool | None
) -> None:
    (reading,) = frame(model, f_port, heartbeat)
    assert reading.occupied is occupied


@pytest.mark.parametrize(
    ("model", "f_port", "startup", "occupied"),
    [
        ("bosch-tps110", 3, "d0000000ab0301f50c0000000017030401", True),
        ("nwave-nps405", 3, "0204090200", False),
        ("libelium-parking-v3", 1, "84001e0e7cf2d9f91e0ddf", None),
        ("netvox-r719a", 6, "015900640b202004240000", None),
    ],
)
def test_11_startup_frames_are_marked_as_such(model: str, f_port: int, startup: str, occupied: bool | None) -> None:
    (reading,) = frame(model, f_port, startup)
    assert (reading.kind, reading.occupied) == ("startup", occupied)


def test_11_a_sensor_that_says_it_is_not_calibrated_is_not_believed() -> None:
    assert frame("fleximodo", 2, "4002" + "00" * 8)[0].occupied is None


def test_12_a_frame_that_is_delivered_twice_gives_the_same_readings() -> None:
    twice = [chirpstack_up(deduplicationId=uplink) for uplink in ("one", "two")]
    first, second = (readings(chirpstack_topic(), payload, BOSCH) for payload in twice)
    assert first == second


def test_12_a_counter_that_starts_over_after_a_join_belongs_to_another_session() -> None:
    before, after = (chirpstack_up(devAddr=address, fCnt=count) for address, count in (("01020304", 900), ("0a", 0)))
    (old,), (new,) = (readings(chirpstack_topic(), payload, BOSCH) for payload in (before, after))
    assert (old.boot, new.boot, new.seq) == ("01020304", "0a", 0)
    message = things_stack_up(session_key_id="AWiZpAyXrAfEkUNkBljRoA==")
    assert readings(THINGS_STACK_TOPIC, message, BOSCH)[0].boot == "AWiZpAyXrAfEkUNkBljRoA=="


def test_12_the_servers_note_on_a_retransmission_is_no_reading() -> None:
    note = json.dumps({"level": "WARNING", "code": "UPLINK_F_CNT_RETRANSMISSION"}).encode()
    assert decode(chirpstack_topic("log"), note, ARRIVED_MS, BOSCH) == Ignored("log")
