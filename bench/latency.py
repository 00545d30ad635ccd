"""A latency histogram of fixed size, after the log-linear layout of HdrHistogram (Gil Tene, hdrhistogram.org)."""

from __future__ import annotations

import math
from array import array
from typing import Any, Final

PRECISION_BITS: Final = 7
"""Values keep their seven leading bits after the first: a percentile is at most 1/128 above the true value."""

LONGEST_US: Final = 3_600_000_000
"""One hour. Longer waits are recorded as one hour: by then the run has failed anyway."""

PERCENTILES: Final = (50.0, 90.0, 99.0, 99.9)


def bucket_of(value_us: int) -> int:
    """The bucket that holds `value_us`: exact below 256, then 128 buckets for each doubling."""
    shift = max(0, value_us.bit_length() - PRECISION_BITS - 1)
    return (shift << PRECISION_BITS) + (value_us >> shift)


def highest_in(bucket: int) -> int:
    """The largest value that falls into `bucket`; percentiles round up to it, never down."""
    shift = max(0, (bucket >> PRECISION_BITS) - 1)
    return ((bucket - (shift << PRECISION_BITS) + 1) << shift) - 1


class Latencies:
    """Counts of durations in whole microseconds.

    Guarantees: memory does not grow with the number of records; the greatest value is kept exactly; a percentile is
    never understated and overstated by less than one part in 128.
    """

    def __init__(self) -> None:
        self._counts = array("Q", bytes(8 * (bucket_of(LONGEST_US) + 1)))
        self.count = 0
        self.max_us = 0

    def record(self, value_us: int, times: int = 1) -> None:
        """Add `value_us`, `times` over. Raises ValueError for a negative duration: nothing is seen before it is due."""
        if value_us < 0:
            raise ValueError(f"a latency cannot be negative, got {value_us} us")
        value_us = min(value_us, LONGEST_US)
        self._counts[bucket_of(value_us)] += times
        self.count += times
        self.max_us = max(self.max_us, value_us)

    def percentile_us(self, percent: float) -> int:
        """The smallest recorded value that at least `percent` of all records do not exceed; 0 when there are none."""
        wanted = math.ceil(self.count * percent / 100)
        seen = 0
        for bucket, number in enumerate(self._counts):
            seen += number
            if number and seen >= wanted:
                return min(highest_in(bucket), self.max_us)
        return 0

    def summary(self) -> dict[str, Any]:
        """Plain values for JSON: count, percentiles and maximum in milliseconds, and the buckets that are not empty."""
        named = {f"p{percent:g}_ms": self.percentile_us(percent) / 1000 for percent in PERCENTILES}
        buckets = [[highest_in(bucket), number] for bucket, number in enumerate(self._counts) if number]
        return {"count": self.count, **named, "max_ms": self.max_us / 1000, "buckets_us": buckets}
