"""Milesight EM400-MUD: an ultrasonic range finder over a bay. It knows distances, not cars."""

from __future__ import annotations

from hub.decoding.frames import HEARD, Decoded, FrameEvent, tagged_values, unreadable

_BATTERY = (0x01, 0x75)
_TEMPERATURE, _TEMPERATURE_ALARM = (0x03, 0x67), (0x83, 0x67)
_DISTANCE, _DISTANCE_ALARM = (0x04, 0x82), (0x84, 0x82)
_TILT = (0x05, 0x00)

_VALUE_BYTES = {_BATTERY: 1, _TEMPERATURE: 2, _DISTANCE: 2, _TILT: 1, _TEMPERATURE_ALARM: 3, _DISTANCE_ALARM: 3}
"""The alarm forms add a byte that says which alarm."""

_SYSTEM_CHANNELS = (0xFE, 0xFF)
"""Versions, serial number, answers to configuration."""


def em400_mud(f_port: int, data: bytes) -> Decoded:
    """Channel, type, value, on any fPort (85 as delivered): 01 75 battery percent, 03 67 int16 0.1 degrees and 04 82
    uint16 mm, both least significant byte first, 05 00 tilt; 83 67 and 84 82 are alarms.

    Reading stops at the first channel that is not described; what came before it counts. A car is there if the range
    is below the bay's threshold, which the registry holds. Milesight-IoT/SensorDecoders, em400-mud (GPL-3.0, values
    and layout only).
    """
    values = dict(tagged_values(data, _VALUE_BYTES))
    if not values:
        return HEARD if data and data[0] in _SYSTEM_CHANNELS else unreadable(f_port, data)
    battery = values.get(_BATTERY)
    temperature = values.get(_TEMPERATURE_ALARM, values.get(_TEMPERATURE))
    distance = values.get(_DISTANCE_ALARM, values.get(_DISTANCE))
    return (
        FrameEvent(
            battery=None if battery is None else battery[0] / 100,
            temperature=None if temperature is None else int.from_bytes(temperature[:2], "little", signed=True) / 10,
            distance_mm=None if distance is None else int.from_bytes(distance[:2], "little"),
        ),
    )
