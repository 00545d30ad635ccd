"""How full parking is by the hour of the week, how long cars stay, and the arrivals that make the one out of the other.

Occupancy of garages between 8 and 17 o'clock is measured: UCI "Parking Birmingham" (Birmingham City Council, UK Open
Government Licence), 29 car parks from 2016-10-04 to 2016-11-27, cleaned of repeats, of negative counts and of counts
above capacity; a value is the mean over all readings in that hour. `office` takes the six car parks that are at least
twice as full on weekdays as on Saturdays, `shopping` the eleven whose Saturday peak is at least a tenth above their
weekday peak (of both the event arena's three are left out), `mixed` all 29. The other hours were not recorded: they are
assumptions that join the ends smoothly.

`street` is an assumption throughout, shaped after Seattle Department of Transportation, "Evening Paid Parking" (April
2014): on-street bays are scarcest at 18-20 o'clock, 70 to 100 % and more. Its stays are those of the 27 in-ground
sensors of foxcodenine/iot-parking-gateway (Apache-2.0).

Arrivals are a non-homogeneous Poisson process, stays are independent of them: Tavafoghi, Poolla and Varaiya, "A Queuing
Approach to Parking" (arXiv 1908.11479) find both to hold in 16 months of data of 29 truck parking sites.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

Use = Literal["office", "shopping", "street", "mixed"]
USES: tuple[Use, ...] = get_args(Use)
HOURS_PER_WEEK = 168
LONGEST_STAY_HOURS = 72

_Day = tuple[int, ...]

OCCUPANCY_PERCENT: Mapping[Use, tuple[_Day, _Day, _Day]] = {
    # hour 0 ... 7,  8 ... 16 (measured),  17 ... 23
    "office": (
        (6, 5, 5, 5, 5, 6, 9, 20, 41, 69, 81, 87, 88, 87, 85, 80, 70, 48, 30, 20, 14, 10, 8, 7),
        (6, 5, 5, 5, 5, 6, 8, 11, 16, 19, 22, 24, 27, 31, 32, 35, 35, 30, 24, 18, 14, 11, 9, 7),
        (6, 5, 5, 5, 5, 6, 8, 10, 13, 15, 17, 19, 21, 22, 25, 26, 26, 22, 18, 14, 11, 9, 8, 7),
    ),
    "shopping": (
        (5, 5, 5, 5, 5, 5, 8, 14, 21, 28, 37, 46, 52, 54, 52, 47, 41, 36, 31, 24, 17, 12, 8, 6),
        (5, 5, 5, 5, 5, 5, 7, 12, 19, 27, 40, 52, 60, 70, 74, 76, 73, 62, 48, 35, 24, 16, 10, 7),
        (5, 5, 5, 5, 5, 5, 7, 12, 17, 20, 26, 40, 51, 57, 60, 57, 49, 38, 28, 20, 14, 10, 8, 6),
    ),
    "street": (
        (66, 62, 60, 59, 58, 56, 52, 47, 46, 50, 54, 58, 62, 62, 60, 61, 66, 76, 86, 91, 90, 85, 78, 71),
        (68, 65, 63, 62, 61, 60, 58, 56, 55, 57, 61, 65, 69, 71, 71, 72, 76, 84, 91, 94, 93, 90, 85, 78),
        (72, 69, 67, 66, 65, 64, 63, 62, 60, 59, 60, 62, 64, 65, 65, 66, 68, 73, 78, 80, 78, 74, 71, 68),
    ),
    "mixed": (
        (8, 7, 7, 7, 7, 8, 11, 18, 28, 42, 52, 59, 62, 63, 61, 56, 49, 40, 32, 25, 19, 14, 11, 9),
        (8, 7, 7, 7, 7, 7, 9, 12, 17, 23, 32, 39, 46, 52, 54, 56, 54, 46, 37, 29, 22, 16, 12, 9),
        (8, 7, 7, 7, 7, 7, 9, 12, 16, 18, 23, 31, 39, 42, 45, 43, 39, 32, 26, 20, 16, 12, 10, 9),
    ),
}
"""Per cent of the bays taken in the mean of each local hour: weekday, Saturday, Sunday."""


@dataclass(frozen=True, slots=True)
class Stay:
    """Log-normal: half of the cars leave within `median_minutes`; `sigma` is the deviation of the logarithm. Whoever is
    there after `LONGEST_STAY_HOURS` leaves."""

    median_minutes: float
    sigma: float

    def share_longer_than(self, minutes: float) -> float:
        if minutes <= 0:
            return 1.0
        if minutes >= LONGEST_STAY_HOURS * 60:
            return 0.0
        return 0.5 * math.erfc(math.log(minutes / self.median_minutes) / (self.sigma * math.sqrt(2)))


STAYS: Mapping[Use, Stay] = {
    "office": Stay(420, 0.5),  # a working day; assumption
    "shopping": Stay(110, 0.7),  # assumption
    "street": Stay(145, 1.5),  # in-ground sensors: median and spread within a bay of 1,917 stays of 5 minutes and more
    "mixed": Stay(150, 0.9),  # assumption
}


@dataclass(frozen=True, slots=True)
class KindDemand:
    """How a kind of bay differs from a general one: `occupancy` and `stay` multiply the lot's table and median."""

    occupancy: float
    stay: float


KINDS: Mapping[str, KindDemand] = {
    "general": KindDemand(1.0, 1.0),
    "disabled": KindDemand(0.55, 1.15),  # kept free for few, who need longer
    "ev": KindDemand(0.85, 0.8),  # who charges leaves, or pays for blocking
    "family": KindDemand(0.8, 0.7),
    "motorcycle": KindDemand(0.5, 1.0),
    "oversize": KindDemand(0.6, 0.9),
    "car_share": KindDemand(0.7, 1.5),  # the fleet's own cars stand between rides
}
"""Assumptions, all of them: no open data by kind of bay was found. An unknown kind is taken for a general one."""

FULLEST_SHARE = 0.96
"""A pool of bays is never planned fuller: beyond it, arriving cars mostly find nothing and drive on."""


def stay_of(use: Use, kind: str) -> Stay:
    stay = STAYS[use]
    return Stay(stay.median_minutes * KINDS.get(kind, KINDS["general"]).stay, stay.sigma)


def planned_share(use: Use, kind: str, hour_of_week: int) -> float:
    """The mean share 0..1 of such bays that is taken in local hour 0..167 (0 = Monday, midnight to one)."""
    day, hour = divmod(hour_of_week % HOURS_PER_WEEK, 24)
    percent = OCCUPANCY_PERCENT[use][max(0, day - 4)][hour]
    return min(percent / 100 * KINDS.get(kind, KINDS["general"]).occupancy, FULLEST_SHARE)


_WEEKS_TO_SETTLE = 3


@cache
def arrivals_per_bay_hour(use: Use, kind: str) -> tuple[float, ...]:
    """The arrival rate of each local hour of the week, in cars per bay and hour.

    Found by going forward hour by hour: what is missing to the planned share at the end of the hour, once those who
    came earlier and are still there are counted, must arrive in it. Where the plan falls faster than cars leave, the
    rate is 0 and the lot empties at its own pace.
    """
    stay = stay_of(use, kind)
    still_there = [stay.share_longer_than((k + 0.5) * 60) for k in range(LONGEST_STAY_HOURS)]
    rates: list[float] = []
    for hour in range(_WEEKS_TO_SETTLE * HOURS_PER_WEEK):
        planned = (planned_share(use, kind, hour) + planned_share(use, kind, hour + 1)) / 2
        earlier = reversed(rates[-(LONGEST_STAY_HOURS - 1) :])
        present = sum(rate * share for rate, share in zip(earlier, still_there[1:], strict=False))
        rates.append(max(0.0, (planned - present) / still_there[0]))
    return tuple(rates[-HOURS_PER_WEEK:])
