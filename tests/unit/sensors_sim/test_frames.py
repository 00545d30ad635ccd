"""Frames equal, byte for byte, what real sensors sent: the recorded frames that also drive the hub's decoders.

Each recorded frame names its source and licence in `tests/vectors/lorawan_frames.json`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sensors_sim.battery import charge, millivolts
from sensors_sim.frames import LORAWAN_MODELS, nwave_minutes
from sensors_sim.lots import Sensor
from sensors_sim.reading import Reading
from tests.unit.sensors_sim.building import a_reading

VECTORS = Path(__file__).parents[2] / "vectors" / "lorawan_frames.json"
RECORDED: list[dict[str, Any]] = json.loads(VECTORS.read_text())


def frame(model: str, reading: Reading) -> tuple[int, str]:
    port, octets = LORAWAN_MODELS[model].frame(reading)
    return port, octets.hex()


def is_recorded(model: str, port: int, octets: str) -> bool:
    """PlacePod's sources do not state the port; one of them (akenza) names 2."""
    return any(
        entry["model"] == model and entry["bytes_hex"] == octets and entry["f_port"] in {port, None}
        for entry in RECORDED
    )


@pytest.mark.parametrize(
    ("model", "reading", "port", "octets"),
    [
        ("bosch-tps110", a_reading("change", True), 1, "01"),
        ("bosch-tps110", a_reading("change", False), 1, "00"),
        ("bosch-tps110", a_reading("heartbeat", True, temperature=-1.0), 2, "01ff"),
        ("bosch-tps110", a_reading("heartbeat", True, temperature=18.0), 2, "0112"),
        ("nwave-nps405", a_reading("change", True, held_minutes=74), 1, "95"),
        ("nwave-nps405", a_reading("startup", False), 3, "0204090200"),
        ("netvox-r719a", a_reading("change", True, battery=charge(3000)), 6, "0159011e01000000000000"),
        ("netvox-r719a", a_reading("heartbeat", True, battery=1.0), 6, "0159012401000000000000"),
        ("pni-placepod", a_reading("change", True), 2, "156601"),
    ],
)
def test_frames_equal_recorded_ones(model: str, reading: Reading, port: int, octets: str) -> None:
    assert frame(model, reading) == (port, octets)
    assert is_recorded(model, port, octets)


def test_a_bosch_startup_ends_like_the_recorded_one_of_its_firmware() -> None:
    recorded = "0000000099020206006f00000017030200"
    assert is_recorded("bosch-tps110", 3, recorded)
    port, octets = frame("bosch-tps110", a_reading("startup", False))
    assert port == 3
    assert len(octets) == len(recorded)
    assert octets[24:] == recorded[24:]  # what comes before is debug data without a published meaning


def test_a_placepod_keep_alive_is_two_recorded_frames_in_one() -> None:
    battery_and_temperature, state = "0302016d026700eb", "376601"
    assert is_recorded("pni-placepod", 2, battery_and_temperature)
    assert is_recorded("pni-placepod", 2, state)
    reading = a_reading("heartbeat", True, battery=(3650 - 2000) / 1600, temperature=23.5)
    assert frame("pni-placepod", reading) == (2, battery_and_temperature + state)


def test_a_placepod_startup_says_that_it_rebooted() -> None:
    _, octets = frame("pni-placepod", a_reading("startup", False, battery=1.0, temperature=-0.5))
    assert octets == "3f0101" + "03020168" + "0267fffb" + "376600"


def test_an_nwave_heartbeat_carries_battery_and_temperature() -> None:
    """3.344 V and -10 degrees are 0xd3 and 0xd8 (device repository, NPS405 codec)."""
    reading = a_reading("heartbeat", False, battery=(3344 - 2000) / 1600, temperature=-10.0)
    assert frame("nwave-nps405", reading) == (2, "00d3d8d8d80b")


@pytest.mark.parametrize(
    ("minutes", "code"),
    [(0, 0), (89, 89), (90, 90), (94, 90), (95, 91), (239, 119), (240, 120), (659, 126), (660, 127)],
)
def test_nwave_minutes_are_exact_at_first_and_coarser_later(minutes: int, code: int) -> None:
    assert nwave_minutes(minutes) == code
    assert nwave_minutes(10**6) == 127


@pytest.mark.parametrize(
    ("reading", "octets"),
    [
        (a_reading("change", False), "00090000000000000000"),  # the flags of the one published capture, 0x0009
        (a_reading("change", True), "000a0000000000000000"),
        (a_reading("heartbeat", True, battery=0.5), "10020000000064190000"),  # 6,500 of 13,000 used, low byte first
        (a_reading("startup", False, battery=1.0), "10010000000000000000"),
    ],
)
def test_fleximodo_frames_have_the_published_flags(reading: Reading, octets: str) -> None:
    assert frame("fleximodo", reading) == (2, octets)


@pytest.mark.parametrize("model", sorted(LORAWAN_MODELS))
@pytest.mark.parametrize("kind", ["change", "heartbeat", "startup"])
def test_extreme_values_still_make_a_frame(model: str, kind: Any) -> None:
    for battery, temperature in ((0.0, -60.0), (1.0, 90.0), (None, None)):
        reading = a_reading(kind, sensor=Sensor("0" * 16, model), battery=battery, temperature=temperature)
        _, octets = LORAWAN_MODELS[model].frame(reading)
        assert 1 <= len(octets) <= 51  # the least that every data rate of EU868 carries


def test_battery_charge_and_voltage_are_one_formula() -> None:
    assert [charge(mv) for mv in (3600, 3598, 2992, 2800, 2000, 1900)] == [1.0, 1.0, 0.62, 0.5, 0.0, 0.0]
    assert charge(352) is None
    assert [millivolts(battery) for battery in (1.0, 0.5, 0.0)] == [3600, 2800, 2000]
