"""Who books what in scenario `bookings`: fixed by numbers, so that load, floor and gate agree without talking."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from bench.schedule import lot_code

Case = Literal["spread", "five bays"]
CASES: Final[tuple[Case, ...]] = ("spread", "five bays")

LOTS: Final = 4
BAYS: Final = 500
HOT_BAYS: Final = 5
STAY: Final = timedelta(minutes=30)
SLOTS: Final = 80 * 48
"""Stays that follow each other on one bay, within the 90 days that may be booked ahead."""

OPEN_PER_DRIVER: Final = 5
"""The terms of the lots allow a driver as many open bookings."""

WALLET_MINOR: Final = 100_000


@dataclass(frozen=True, slots=True)
class Ask:
    """One booking as it is asked for."""

    lot: str
    bay: str
    start: datetime
    until: datetime
    driver: int


@dataclass(frozen=True, slots=True)
class Asks:
    """Every booking of a run by its number. `first_start` is a full half hour.

    Guarantees: no two numbers below `limit` overlap; a driver has at most `OPEN_PER_DRIVER` of them, as far apart as
    there are drivers, so that one driver's bookings never wait for each other.
    """

    case: Case
    drivers: int
    first_start: datetime

    @property
    def limit(self) -> int:
        """How many bookings there are to be asked for."""
        bays = LOTS * BAYS if self.case == "spread" else HOT_BAYS
        return min(bays * SLOTS, self.drivers * OPEN_PER_DRIVER)

    def ask(self, number: int) -> Ask:
        """The booking of that number."""
        bays = LOTS * BAYS if self.case == "spread" else HOT_BAYS
        slot, place = divmod(number, bays)
        lot, bay = (place % LOTS, place // LOTS) if self.case == "spread" else (0, place)
        start = self.first_start + slot * STAY
        return Ask(lot_code(lot), f"B{bay:05}", start, start + STAY, number % self.drivers)

    def as_json(self) -> dict[str, Any]:
        """Plain values, for a worker's command line."""
        return {"case": self.case, "drivers": self.drivers, "first_start": self.first_start.isoformat()}

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Asks:
        """The reverse."""
        return cls(fields["case"], fields["drivers"], datetime.fromisoformat(fields["first_start"]))


def tomorrow(now: datetime) -> datetime:
    """The beginning of the day after `now`, UTC: nothing that begins then is shown on a screen yet."""
    return datetime(now.year, now.month, now.day, tzinfo=UTC) + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Booked:
    """A booking as the database has it."""

    id: str
    place: str
    start: datetime
    until: datetime
    owner: str
    paid: int


def overlaps(booked: Iterable[Booked]) -> list[str]:
    """Every pair of bookings of one bay that share time, in words."""
    by_place: dict[str, list[Booked]] = {}
    for each in booked:
        by_place.setdefault(each.place, []).append(each)
    found: list[str] = []
    for place, stays in by_place.items():
        stays.sort(key=lambda each: each.start)
        latest = stays[0]
        for stay in stays[1:]:
            if stay.start < latest.until:
                found.append(f"{place}: {latest.id} and {stay.id} overlap")
            latest = max(latest, stay, key=lambda each: each.until)
    return found


def wrong_wallets(booked: Sequence[Booked], filled: int, left: dict[str, int]) -> list[str]:
    """Wallets that do not have what was put in (`filled`) less what their bookings cost, in words."""
    spent: dict[str, int] = {}
    for each in booked:
        spent[each.owner] = spent.get(each.owner, 0) + each.paid
    return [
        f"{owner} has {has} left, not {filled - spent.get(owner, 0)}"
        for owner, has in left.items()
        if has != filled - spent.get(owner, 0)
    ]


def untold(booked: Sequence[Booked], acknowledged: Sequence[str]) -> list[str]:
    """Bookings that were acknowledged and are not there, or are there and were not acknowledged, in words."""
    there, told = {each.id for each in booked}, set(acknowledged)
    return [
        *(f"{each} was acknowledged and is not there" for each in sorted(told - there)),
        *(f"{each} is there and was not acknowledged" for each in sorted(there - told)),
    ]
