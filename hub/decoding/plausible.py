"""What a sensor can say of itself and be believed.

The same limits hold for native readings, where a value outside refuses the message (its maker can be told), and for
vendors' frames, where the value is left out and the state of the bay kept (nobody will change the frame).
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

EXACT_INTEGER_MAX = 2**53 - 1
"""Counters stay exact in every JSON reader (RFC 8259, section 6) and far inside the database's 64 bits."""

RSSI_DBM = (-200.0, 20.0)
SNR_DB = (-50.0, 50.0)
TEMPERATURE_C = (-60.0, 125.0)
"""Electronics that work at all are in here; a probe that broke reports its stop."""
BATTERY = (0.0, 1.0)
BATTERY_VOLTS = (0.0, 60.0)

Counter = Annotated[int, Meta(ge=0, le=EXACT_INTEGER_MAX)]
Battery = Annotated[float, Meta(ge=BATTERY[0], le=BATTERY[1])]
Rssi = Annotated[float, Meta(ge=RSSI_DBM[0], le=RSSI_DBM[1])]
Snr = Annotated[float, Meta(ge=SNR_DB[0], le=SNR_DB[1])]
Temperature = Annotated[float, Meta(ge=TEMPERATURE_C[0], le=TEMPERATURE_C[1])]


def within(limits: tuple[float, float], value: float | None) -> float | None:
    """`value`, or None where it cannot be (not a number included)."""
    return value if value is not None and limits[0] <= value <= limits[1] else None
