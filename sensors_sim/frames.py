"""What real LoRaWAN bay sensors put on the air: one small function per device, from the vendor's payload description.

Bytes are numbered from 0; BE = most significant byte first. A frame is (fPort, bytes). All of these sensors repeat
their state in every heartbeat, so a lost change repairs itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sensors_sim.battery import millivolts

if TYPE_CHECKING:
    from sensors_sim.reading import Reading

Frame = tuple[int, bytes]
POWER_ON_RESET = 2
"""Bosch and Nwave number their reset causes alike here."""


def bosch_tps110(reading: Reading) -> Frame:
    """fPort 1 status, 2 heartbeat with int8 degrees, 3 startup: 12 debug bytes, firmware, reset cause, state in bit 0.

    Bosch, Parking Lot Sensor, communication interface (firmware 0.23.3)."""
    occupied = _bit(reading)
    if reading.kind == "change":
        return 1, bytes([occupied])
    if reading.kind == "heartbeat":
        return 2, bytes([occupied]) + _int8(_celsius(reading))
    return 3, bytes(12) + bytes([0, 23, 3, POWER_ON_RESET, occupied])


def nwave_nps405(reading: Reading) -> Frame:
    """fPort 1: bit 0 state, bits 7..1 compressed minutes in the previous state; 2: state, battery 2500 + 4 n mV, three
    temperatures (now, least, most) as int8 / 2 + 10 degrees, current in 10 uA; 3: firmware, reset cause, state.

    Nwave G4 integration guide, as in the LoRaWAN device repository."""
    occupied = _bit(reading)
    if reading.kind == "change":
        return 1, bytes([nwave_minutes(reading.held_minutes) << 1 | occupied])
    if reading.kind == "startup":
        return 3, bytes([2, 4, 9, POWER_ON_RESET, occupied])
    battery = min(max((_millivolts(reading) - 2500) // 4, 0), 255)
    temperature = _int8((_celsius(reading) - 10) * 2)
    return 2, bytes([occupied, battery]) + temperature * 3 + bytes([11])


def nwave_minutes(minutes: int) -> int:
    """Seven bits: exact below 90, then steps of 5 to 239, steps of 60 to 659, and 127 for 660 and more."""
    if minutes < 90:
        return max(minutes, 0)
    if minutes < 240:
        return 90 + (minutes - 90) // 5
    return min(120 + (minutes - 240) // 60, 127)


def netvox_r719a(reading: Reading) -> Frame:
    """fPort 6, 11 bytes: version 1, device type 0x59, report 1 = status, battery in 0.1 V, car 0 or 1, six reserved.
    No flag tells a change from a periodic report.

    Netvox R719A application command, as in the LoRaWAN device repository."""
    return 6, bytes([1, 0x59, 1, round(_millivolts(reading) / 100), _bit(reading)]) + bytes(6)


def pni_placepod(reading: Reading) -> Frame:
    """fPort 2, Cayenne LPP triples: 15 66 state (change), 37 66 state (keep-alive), 02 67 temperature in 0.1 degrees
    BE, 03 02 battery in 0.01 V BE, 3F 01 01 rebooted.

    PNI, PlacePod communications protocol."""
    if reading.kind == "change":
        return 2, bytes([0x15, 0x66, _bit(reading)])
    battery = bytes([0x03, 0x02]) + round(_millivolts(reading) / 10).to_bytes(2, "big")
    temperature = bytes([0x02, 0x67]) + round(_celsius(reading) * 10).to_bytes(2, "big", signed=True)
    rebooted = bytes([0x3F, 0x01, 0x01]) if reading.kind == "startup" else b""
    return 2, rebooted + battery + temperature + bytes([0x37, 0x66, _bit(reading)])


FLEXIMODO_FREE, FLEXIMODO_BUSY, FLEXIMODO_CHANGE, FLEXIMODO_KEEP_ALIVE = 0x0001, 0x0002, 0x0008, 0x1000
FLEXIMODO_FULL_CHARGE = 13_000


def fleximodo(reading: Reading) -> Frame:
    """fPort 2, ten bytes: uint16 BE flags, in keep-alives the used charge as uint16 LE at 6-7 (of 13,000).

    Fleximodo raw data payload description, as far as the captured frames confirm it."""
    state = FLEXIMODO_BUSY if reading.occupied else FLEXIMODO_FREE
    if reading.kind == "change":
        return 2, (FLEXIMODO_CHANGE | state).to_bytes(2, "big") + bytes(8)
    used = round(FLEXIMODO_FULL_CHARGE * (1 - (1.0 if reading.battery is None else reading.battery)))
    return 2, (FLEXIMODO_KEEP_ALIVE | state).to_bytes(2, "big") + bytes(4) + used.to_bytes(2, "little") + bytes(2)


@dataclass(frozen=True, slots=True)
class LorawanModel:
    """`brand` and `product` are the ids of the LoRaWAN device repository where it has the device; `profile` is the
    name that an operator would give the device profile."""

    brand: str
    product: str
    profile: str
    frame: Callable[[Reading], Frame]


LORAWAN_MODELS: Mapping[str, LorawanModel] = {
    "bosch-tps110": LorawanModel("bosch", "tps110", "Bosch TPS110", bosch_tps110),
    "nwave-nps405": LorawanModel("nwave", "nps405", "Nwave NPS405", nwave_nps405),
    "netvox-r719a": LorawanModel("netvox", "r719a", "Netvox R719A", netvox_r719a),
    "pni-placepod": LorawanModel("pni", "placepod", "PNI PlacePod", pni_placepod),
    "fleximodo": LorawanModel("fleximodo", "in-ground", "Fleximodo in-ground", fleximodo),
}
"""Every LoRaWAN device that the simulator can be, by the model name used in lot files."""


def _bit(reading: Reading) -> int:
    return 1 if reading.occupied else 0


def _celsius(reading: Reading) -> float:
    return 15.0 if reading.temperature is None else reading.temperature


def _millivolts(reading: Reading) -> int:
    return millivolts(1.0 if reading.battery is None else reading.battery)


def _int8(value: float) -> bytes:
    return min(max(round(value), -128), 127).to_bytes(1, "big", signed=True)
