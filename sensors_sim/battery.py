"""Battery voltage and charge, one stated formula in both directions.

Bay sensors run on lithium thionyl chloride cells: 3.6 V open circuit, cut-off 2.0 V (the cells' data sheets). Charge is
taken as linear between the two. The real curve is flat for most of a cell's life, so this is a gauge for an operator,
not a measurement.
"""

from __future__ import annotations

FULL_MV = 3600
EMPTY_MV = 2000
PLAUSIBLE_FROM_MV = 1500
"""No sensor runs below this; such a number is no cell voltage (four recorded sensors report 352 and 368 mV)."""


def charge(battery_mv: int) -> float | None:
    """`(mV - 2000) / 1600`, kept within 0..1 and rounded to 0.01; None for a voltage on which nothing could run."""
    if battery_mv < PLAUSIBLE_FROM_MV:
        return None
    return round(min(max((battery_mv - EMPTY_MV) / (FULL_MV - EMPTY_MV), 0.0), 1.0), 2)


def millivolts(battery: float) -> int:
    """The voltage at which `charge` gives `battery` (0..1)."""
    return round(EMPTY_MV + battery * (FULL_MV - EMPTY_MV))
