"""What the recorded frames do not show: frames of our own, written byte by byte from the documented layouts."""

from __future__ import annotations

import base64

import pytest

from tests.unit.hub.decoding.messages import (
    HEARD_MS,
    chirpstack_topic,
    chirpstack_up,
    frame,
    readings,
    refused,
    registry,
)

FLEXIMODO_REST = "000000000000"


@pytest.mark.parametrize(
    ("model", "f_port", "hexadecimal"),
    [
        ("bosch-tps110", 0, "01"),
        ("bosch-tps110", 1, ""),
        ("bosch-tps110", 1, "0100"),
        ("bosch-tps110", 2, "010203"),
        ("bosch-tps110", 3, "00" * 16),
        ("bosch-tps110", 8, "01"),
        ("nwave-nps310", 1, "0101"),
        ("nwave-nps310", 10, "01"),
        ("nwave-nps405", 2, "01"),
        ("nwave-nps405", 10, "d1"),
        ("nwave-ncc405", 1, "01"),
        ("tekzitel-tekzipark", 1, "a82d"),
        ("tekzitel-tekzipark", 1, "a82d63b000"),
        ("tekzitel-tekzipark", 2, "a82d63"),
        ("netvox-r719a", 6, "0159011e0100"),
        ("netvox-r719a", 6, "0132011e01000000000000"),
        ("netvox-r719a", 6, "0159011e02000000000000"),
        ("netvox-r719a", 6, "0159091e01000000000000"),
        ("dingtek-do200", 3, ""),
        ("dingtek-do200", 3, "8000"),
        ("dingtek-do200", 2, "800002011500000000016f0079ffb0fff500000081"),
        ("dingtek-do200", 3, "800002011500000000016f0079ffb0fff500000082"),
        ("dingtek-do200", 3, "800002011400000000016f0079ffb0fff500000081"),
        ("dingtek-do200", 3, "800031011500000000016f0079ffb0fff500000081"),
        ("dingtek-do200", 3, "800002091500000000016f0079ffb0fff500000081"),
        ("pni-placepod", 2, "1566"),
        ("pni-placepod", 2, "ff6601"),
        ("libelium-parking-v1", 1, "00" * 11),
        ("libelium-parking-v1", 1, "06" + "00" * 11),
        ("libelium-parking-v2", 1, "00" * 12),
        ("libelium-parking-v3", 1, "09" + "00" * 10),
        ("fleximodo", 2, "0009"),
        ("fleximodo", 1, "0009" + "00" * 8),
        ("milesight-em400-mud", 85, ""),
        ("milesight-em400-mud", 85, "0482ff"),
        ("milesight-em400-mud", 85, "7701"),
        ("iot-park-lora", 1, "3b"),
        ("iot-park-lora", 1, "396770233e1a0f0005009b00"),
        ("iot-park-lora", 1, "ff6770233e1a0f0005009b00"),
        ("iot-park-lora", 1, "3b6770233e1a0f0005009b"),
        ("iot-park-lora", 1, "3b6770233e1a0f0205009b00"),
        ("iot-park-lora", 1, "3b6770233e1a0f0005009b0267"),
        ("iot-park-lora", 1, "3b6770233e990f0005009b00"),
        ("iot-park-nb", 1, "3a000000"),
        ("iot-park-sigfox", 1, "3c1a"),
        ("iot-park-sigfox", 1, "3c1a02a1"),
        ("iot-park-sigfox", 1, "3c1a01a100"),
        ("iot-park-sigfox", 1, "3c063ffc"),
        ("iot-park-sigfox", 1, "3c9901a1"),
        ("iot-park-sigfox", 1, "dd1a01a1"),
        ("bosch-tps110", 4, "00" * 513),
    ],
)
def test_a_frame_without_a_documented_layout_is_refused(model: str, f_port: int, hexadecimal: str) -> None:
    assert refused(model, f_port, hexadecimal) == "bad_frame"


@pytest.mark.parametrize("model", ["bosch-tps110", "iot-park-lora", "netvox-r719a"])
def test_an_empty_frame_on_port_0_tells_that_the_sensor_lives(model: str) -> None:
    (reading,) = frame(model, 0, "")
    assert (reading.occupied, reading.kind, reading.at_ms) == (None, None, HEARD_MS)


def test_bosch_warns_of_its_temperature_without_a_word_about_the_bay() -> None:
    (reading,) = frame("bosch-tps110", 7, "c4")
    assert (reading.occupied, reading.temperature) == (None, -60)


@pytest.mark.parametrize(
    ("f_port", "hexadecimal", "occupied", "kind"),
    [(1, "00", False, "change"), (3, "0204090201", True, "startup"), (6, "0102", None, None)],
)
def test_nwave_310(f_port: int, hexadecimal: str, occupied: bool | None, kind: str | None) -> None:
    (reading,) = frame("nwave-nps310", f_port, hexadecimal)
    assert (reading.occupied, reading.kind) == (occupied, kind)


def test_nwave_says_nothing_of_the_bay_while_a_tag_is_read_on_a_free_one() -> None:
    (reading,) = frame("nwave-nps405", 10, "d0201f345678")
    assert (reading.occupied, reading.battery_volts) == (None, None)


def test_nwaves_debug_frames_and_the_counters_start_say_nothing_of_a_bay() -> None:
    assert frame("nwave-nps405", 6, "00")[0].occupied is None
    (reading,) = frame("nwave-ncc405", 3, "0204090201")
    assert (reading.occupied, reading.kind) == (None, "startup")


@pytest.mark.parametrize(
    ("flags", "occupied", "kind", "battery_low"),
    [("a0", True, "change", False), ("21", False, "heartbeat", False), ("82", True, "startup", True)],
)
def test_tekzipark_flags(flags: str, occupied: bool, kind: str, battery_low: bool) -> None:
    for f_port, rest in ((1, ""), (2, "00" * 9)):
        (reading,) = frame("tekzitel-tekzipark", f_port, flags + "f663" + rest)
        assert (reading.occupied, reading.kind, reading.battery_low) == (occupied, kind, battery_low)
        assert reading.temperature == -10


def test_netvox_marks_a_low_battery_in_the_voltages_highest_bit() -> None:
    (reading,) = frame("netvox-r719a", 6, "0159019e00000000000000")
    assert (reading.occupied, reading.battery_volts, reading.battery_low) == (False, 3.0, True)


def test_dingtek_parked_battery_alarm_and_temperature() -> None:
    (reading,) = frame("dingtek-do201", 3, "800031021706b4100101610010fff6fff0f62d00010081")
    assert (reading.occupied, reading.battery_low, reading.temperature) == (True, True, -10)
    assert reading.battery_volts == pytest.approx(3.53)


def test_dingteks_parameters_say_nothing_of_the_bay() -> None:
    (reading,) = frame("dingtek-do202", 3, "80003203070081")
    assert (reading.occupied, reading.battery_volts) == (None, None)


@pytest.mark.parametrize(
    ("hexadecimal", "told"),
    [
        ("156600", [(False, "change", None)]),
        ("3f0101", [(None, "startup", None)]),
        ("3f0100", [(None, None, None)]),
        ("210080", [(None, "startup", None)]),
        ("370080", [(None, "startup", None)]),
        ("010101", [(None, None, None)]),
        ("", [(None, "startup", None)]),
        ("3f010103020168026700c3376601", [(True, "startup", 19.5)]),
        ("05000506000e050005060010376601", [(True, "heartbeat", None)]),
        ("026700c31566011566", [(True, "change", 19.5)]),
    ],
)
def test_placepod(hexadecimal: str, told: list[tuple[bool | None, str | None, float | None]]) -> None:
    said = frame("pni-placepod", 2, hexadecimal)
    assert [(reading.occupied, reading.kind, reading.temperature) for reading in said] == told


@pytest.mark.parametrize(
    ("version", "hexadecimal", "occupied", "kind", "temperature"),
    [
        (1, "80050102000000000000000a", True, "change", None),
        (1, "0105010200000000000000ff", False, "heartbeat", None),
        (1, "8405010200000000000000ff", None, "startup", None),
        (2, "8105102af60000000000ff", True, "heartbeat", -10),
        (2, "0205102af60000000000ff", False, "heartbeat", None),
        (3, "810500f6000000000000ff", True, "heartbeat", -10),
        (3, "84051e0e7cf2d9f91e0ddf", None, "startup", None),
    ],
)
def test_libelium(
    version: int, hexadecimal: str, occupied: bool | None, kind: str | None, temperature: float | None
) -> None:
    (reading,) = frame(f"libelium-parking-v{version}", 1, hexadecimal)
    assert (reading.occupied, reading.kind, reading.temperature) == (occupied, kind, temperature)
    assert reading.battery_low is False


def test_libelium_reports_a_low_battery() -> None:
    assert frame("libelium-parking-v3", 1, "c06e000900390000000000")[0].battery_low is True


@pytest.mark.parametrize(
    ("flags", "occupied", "kind"),
    [
        ("0009", False, "change"),
        ("000a", True, "change"),
        ("010a", True, "change"),
        ("1001", False, "heartbeat"),
        ("1002", True, "heartbeat"),
        ("0002", True, None),
        ("000b", None, "change"),
        ("0008", None, "change"),
        ("400a", None, "change"),
        ("5002", None, "heartbeat"),
    ],
)
def test_fleximodo_flags(flags: str, occupied: bool | None, kind: str | None) -> None:
    (reading,) = frame("fleximodo", 2, flags + "0000" + FLEXIMODO_REST)
    assert (reading.occupied, reading.kind) == (occupied, kind)


@pytest.mark.parametrize(("used", "battery"), [("0000", 1.0), ("640a", 0.7954), ("c832", 0.0), ("ffff", 0.0)])
def test_fleximodo_tells_the_charge_it_used_in_keep_alives_alone(used: str, battery: float) -> None:
    (reading,) = frame("fleximodo", 2, "1001" + "00000000" + used + "0000")
    assert reading.battery == pytest.approx(battery, abs=0.0001)
    assert frame("fleximodo", 2, "0009" + "00000000" + used + "0000")[0].battery is None


@pytest.mark.parametrize(
    ("threshold_mm", "distance", "occupied"),
    [(None, "4408", None), (1500, "4408", False), (1500, "dc05", False), (1500, "db05", True), (1500, "0000", True)],
)
def test_milesight_sees_a_car_below_the_bays_threshold(
    threshold_mm: int | None, distance: str, occupied: bool | None
) -> None:
    payload = chirpstack_up(bytes.fromhex("01755c0482" + distance), 85)
    (reading,) = readings(chirpstack_topic(), payload, registry("milesight-em400-mud", threshold_mm))
    assert reading.occupied is occupied
    assert reading.distance_mm == int.from_bytes(bytes.fromhex(distance), "little")


def test_milesights_alarms_carry_the_same_values_and_unknown_channels_end_the_reading() -> None:
    (reading,) = frame("milesight-em400-mud", 85, "8367f6ff01848242030199010203")
    assert (reading.temperature, reading.distance_mm) == (-1.0, 834)
    assert frame("milesight-em400-mud", 85, "ff0bff")[0].distance_mm is None


def test_a_battery_beyond_full_is_left_out() -> None:
    assert frame("milesight-em400-mud", 85, "0175ff")[0].battery is None


def iot_park_event(kind: str, seconds: int, values: str) -> str:
    return f"{seconds:08x}{kind}{values}"


def test_iot_park_skips_beacons_and_settings_to_reach_older_events() -> None:
    parked = iot_park_event("1a", 1_735_402_302, "0f0105009b02" + "0001000299" * 2)
    settings = iot_park_event("0a", 1_735_402_301, "00" * 60)
    left = iot_park_event("1a", 1_735_402_300, "0f0005009b00")
    said = frame("iot-park-lora", 1, "3b" + parked + settings + left)
    assert [reading.occupied for reading in said] == [False, None, True]


def test_iot_parks_clock_follows_the_first_keep_alive_and_any_that_asks_for_it() -> None:
    quiet, asking, clock = "3ffc" + "00" * 29, "3ffc" + "00" * 28 + "77", "676fc8ea"
    first, second, third = (
        iot_park_event("06", seconds, values)
        for seconds, values in ((300, quiet + clock), (200, asking + clock), (100, quiet))
    )
    said = frame("iot-park-lora", 1, "3b" + first + second + third)
    assert [reading.at_ms for reading in said] == [100_000, 200_000, 300_000]
    assert refused("iot-park-lora", 1, "3b" + first + second + third + clock) == "bad_frame"


@pytest.mark.parametrize(("firmware", "fixed"), [("35", 68), ("3a", 64)])
def test_iot_parks_nb_settings_end_with_a_name_of_any_length(firmware: str, fixed: int) -> None:
    name = "696f74"
    settings = iot_park_event("0a", 1_735_402_301, "00" * fixed + "03" + name + "00" * 7)
    left = iot_park_event("1a", 1_735_402_300, "0f0005009b00")
    said = frame("iot-park-nb", 1, firmware + "00" * 7 + settings + left)
    assert [reading.occupied for reading in said] == [False, None]


def test_iot_park_repeats_a_report_as_a_heartbeat() -> None:
    (reading,) = frame("iot-park-lora", 1, "3b" + iot_park_event("1f", 1_735_402_302, "0f0105009b00"))
    assert (reading.occupied, reading.kind) == (True, "heartbeat")


def test_iot_park_over_sigfox_narrow_keep_alive_settings_and_beacons() -> None:
    (reading,) = frame("iot-park-sigfox", 1, "3906bb0000000a20" + "00000000")
    assert (reading.kind, reading.battery_volts, reading.temperature) == ("heartbeat", 2.992, 32)
    assert frame("iot-park-sigfox", 1, "390a010203")[0].occupied is None
    assert frame("iot-park-sigfox", 1, "391a01350001000200030004")[0].occupied is True


def test_iot_parks_temperatures_go_below_zero() -> None:
    (reading,) = frame("iot-park-sigfox", 1, "3906bb000000f6fb" + "00000000")
    assert reading.temperature == -5


@pytest.mark.parametrize("hexadecimal", ["3b676fbc591a1001ff0fc500", "3b6772a5ce1a0c00040051006772a5ba1a130192013200"])
def test_iot_park_frames_stored_as_hex_never_pass_as_base64(hexadecimal: str) -> None:
    mangled = base64.b64decode(hexadecimal + "=" * (-len(hexadecimal) % 4))
    assert refused("iot-park-lora", 1, mangled.hex()) == "bad_frame"
