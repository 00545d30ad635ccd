"""A meter that ticks: the price of a stay, second by second.

Written from the document and `docs/tariffs.md`, without a line of the engine: no runs, no offsets, no search for the
edges of bands, no arithmetic on lengths of time. It goes through every second of the stay, looks at the clock on the
wall, and decides what falls due in that second. Slow, and simple enough to be believed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import holidays

from autospot.domain.period import Period

WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)

Json = dict[str, Any]
Due = tuple[Fraction | int, dict[str, Hashable]]
"""An amount that falls due, and for each kind of cap the window it falls in."""


def reference_fee(
    document: Json, stay: Period, *, kind: str | None = None, coverage: Sequence[Period] = (), package_seconds: int = 0
) -> int:
    """The total in minor units. The stay is in whole seconds."""
    percent = document.get("kinds", {}).get(kind, 100)
    seconds = (stay.start + timedelta(seconds=number) for number in range(stay.duration // SECOND))
    charged = [n for n, second in enumerate(seconds) if not any(part.contains(second) for part in coverage)]
    if len(charged) <= document.get("free_minutes", 0) * 60:
        return 0
    ticks = Ticks(document, stay, set(charged[package_seconds:]))
    offers = (
        document["price"]["offers"] if document["price"]["type"] == "cheapest_of" else [{"price": document["price"]}]
    )
    prices = [_offer_price(offer, document, ticks, percent) for offer in offers if _may_have(offer, ticks)]
    price = int(min(prices) + Fraction(1, 2))
    vat = document["vat"]
    return price if vat["included"] else price + int(Fraction(price * vat["basis_points"], 10_000) + Fraction(1, 2))


class Ticks:
    """The seconds of a stay with what the wall shows: the latest date and time it has shown so far.

    So a clock that is set back does not count until it has caught up with itself.
    """

    def __init__(self, document: Json, stay: Period, charged: set[int]) -> None:
        self.zone = ZoneInfo(document["time_zone"])
        self.stay = stay
        self.calendar = document.get("holidays")
        self.seconds = []
        start, length = int(stay.start.timestamp()), stay.duration // SECOND
        latest = max(self._shown(start - second) for second in [*range(60), *range(60, 3 * 3600, 60)])
        for second in range(length):
            latest = max(latest, self._shown(start + second))
            self.seconds.append((second, latest, second in charged))
        self.entered = self.seconds[0][1]
        self.left = max(latest, self._shown(start + length))

    def _shown(self, instant: int) -> datetime:
        return datetime.fromtimestamp(instant, self.zone).replace(tzinfo=None)

    def day_name(self, day: date) -> str:
        if self.calendar and _is_holiday(day, self.calendar["country"], self.calendar.get("subdivision")):
            return "holiday"
        return WEEK[day.weekday()]

    def holder(self, price: Json, shown: datetime) -> tuple[int, date] | None:
        """The band that holds, by number, and the day on which it began."""
        begun = ((number, self.begun_on(band, shown)) for number, band in enumerate(price.get("bands", [])))
        return next(((number, day) for number, day in begun if day is not None), None)

    def begun_on(self, window: Json, shown: datetime) -> date | None:
        """The day on which the window that is open at `shown` began; None if it is closed."""
        begin, end = _minutes(window["from"]), _minutes(window["until"])
        now = shown.hour * 60 + shown.minute
        days = window.get("days", [*WEEK, "holiday"])
        today, yesterday = shown.date(), shown.date() - DAY
        if end > begin:
            return today if begin <= now < end and self.day_name(today) in days else None
        if now >= begin and self.day_name(today) in days:
            return today
        if now < end and self.day_name(yesterday) in days:
            return yesterday
        return None


@cache
def _is_holiday(day: date, country: str, subdivision: str | None) -> bool:
    return day in holidays.country_holidays(country, subdiv=subdivision, years=day.year)


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def _may_have(offer: Json, ticks: Ticks) -> bool:
    longest = offer.get("max_stay_minutes")
    return (
        (longest is None or ticks.stay.duration <= timedelta(minutes=longest))
        and ("entry" not in offer or ticks.begun_on(offer["entry"], ticks.entered) is not None)
        and ("exit" not in offer or ticks.begun_on(offer["exit"], ticks.left) is not None)
    )


def _offer_price(offer: Json, document: Json, ticks: Ticks, percent: int) -> Fraction:
    caps = _shorter_first(offer.get("caps", [])) + _shorter_first(document.get("caps", []))
    dues = list(_dues(offer["price"], caps, ticks, percent))
    dues = _under("band", None, dues)
    for number, cap in enumerate(caps):
        dues = _under(str(number), Fraction(_at(percent, cap["amount"])), dues)
    return sum((amount for amount, _ in dues), Fraction(0))


def _shorter_first(caps: list[Json]) -> list[Json]:
    return sorted(caps, key=lambda cap: {"calendar_day": 1440, "session": 10**9}.get(cap["window"]) or cap["minutes"])


def _at(percent: int, amount: int) -> int:
    return (amount * percent + 50) // 100


def _under(cap: str, limit: Fraction | None, dues: list[Due]) -> list[Due]:
    """What is left of the dues when no window of the cap may take in more than its limit.

    The windows of bands carry their own limits, as the second part of their name.
    """
    taken: dict[Hashable, Fraction] = defaultdict(Fraction)
    kept = []
    for amount, windows in dues:
        window = windows[cap]
        most = window[1] if cap == "band" else limit  # type: ignore[index]
        left = amount if most is None else min(amount, most - taken[window])
        taken[window] += left
        kept.append((left, windows))
    return kept


def _dues(price: Json, caps: list[Json], ticks: Ticks, percent: int) -> Iterator[Due]:
    """What falls due in each second, in order."""
    walk = Walk(price, percent)
    windows: dict[str, Hashable] = {}
    for second, shown, charged in ticks.seconds:
        walk.see(ticks.holder(price, shown))
        if not charged:
            continue
        now = {str(number): _window(cap, second, shown) for number, cap in enumerate(caps)}
        restarts = [str(number) for number, cap in enumerate(caps) if cap.get("ladder_restarts")]
        if windows and any(windows[number] != now[number] for number in restarts):
            yield walk.surplus(), windows
            walk.start_anew()
        windows = {**now, "band": walk.stretch()}
        if due := walk.tick():
            yield due, windows
    if windows:
        yield walk.surplus(), windows


class Walk:
    """Where the price stands: how long since it began, which band holds, how long that band has been charged."""

    def __init__(self, price: Json, percent: int) -> None:
        self.price = price
        self.percent = percent
        self.scope = price.get("rounding_scope")
        self.unit = price.get("unit_minutes", 1)
        self.holder: tuple[int, date] | None = None
        self.changes = 0
        self.start_anew()

    def start_anew(self) -> None:
        """The price begins again, with the band that holds."""
        self.elapsed = 0
        self.meter = _meter(self.price, self.percent)
        self._start_band()

    def see(self, holder: tuple[int, date] | None) -> None:
        """A second passes with this band in force, be it charged or not."""
        if holder != self.holder:
            self.holder = holder
            self._start_band()

    def _start_band(self) -> None:
        self.changes += 1
        self.in_band = 0
        self.band = None if self.holder is None else self.price["bands"][self.holder[0]]
        self.band_meter = _meter(self.band["price"], self.percent, self.unit) if self.band else lambda _: 0
        self.rate = Fraction(_at(self.percent, self.band["price"].get("price", 0)) if self.band else 0)

    def stretch(self) -> tuple[int, Fraction | None]:
        """A name for the stretch of the band that holds, with the most it may cost."""
        capped = self.band is not None and "cap" in self.band
        return self.changes, Fraction(_at(self.percent, self.band["cap"])) if capped else None

    def tick(self) -> Fraction | int:
        """What falls due in a charged second."""
        due = self._due()
        self.elapsed += 1
        self.in_band += 1
        return due

    def _due(self) -> Fraction | int:
        if self.scope is None:
            return self.meter(self.elapsed)
        if self.scope == "band":
            return self.band_meter(self.in_band)
        if self.scope == "session":
            return self.rate / 3600
        return self.rate * self.unit / 60 if self.elapsed % (self.unit * 60) == 0 else 0

    def surplus(self) -> Fraction | int:
        """What is owed to make the time since the beginning whole units."""
        missing = 0
        while self.scope == "session" and (self.elapsed + missing) % (self.unit * 60):
            missing += 1
        return self.rate * missing / 3600


def _window(cap: Json, second: int, shown: datetime) -> Hashable:
    if cap["window"] == "rolling":
        return second // (cap["minutes"] * 60)
    return shown.date() if cap["window"] == "calendar_day" else "session"


def _meter(price: Json, percent: int, unit_minutes: int = 1) -> Callable[[int], Fraction | int]:
    """What falls due in the n-th second (from 0) since the price began. Asked for each second in turn."""
    if price["type"] == "flat":
        return lambda second: _at(percent, price["price"]) if second == 0 else 0
    if price["type"] == "per_hour":
        return lambda second: _per_unit(second, unit_minutes, _at(percent, price["price"]))
    if price["type"] == "progressive":
        return lambda second: _per_unit(
            second, price.get("unit_minutes", 1), _at(percent, _rate(price["rates"], second))
        )
    if price["type"] == "slabs":
        return lambda second: _slab(price["slabs"], second, percent) - _slab(price["slabs"], second - 1, percent)
    if price["type"] == "ladder":
        return _climb(price["steps"], percent)
    return lambda _: 0


def _per_unit(second: int, unit_minutes: int, per_hour: int) -> Fraction | int:
    return Fraction(per_hour * unit_minutes, 60) if second % (unit_minutes * 60) == 0 else 0


def _rate(rates: list[Json], second: int) -> int:
    for rate in rates:
        if "until_minute" not in rate or second < rate["until_minute"] * 60:
            return int(rate["per_hour"])
    return 0


def _slab(slabs: list[Json], second: int, percent: int) -> int:
    """What a stay that ends after this second costs."""
    if second < 0:
        return 0
    fitting = next((slab for slab in slabs if second + 1 <= slab["up_to_minutes"] * 60), slabs[-1])
    return _at(percent, fitting["price"])


def _climb(steps: list[Json], percent: int) -> Callable[[int], Fraction | int]:
    waiting = list(steps)
    begins = 0

    def due(second: int) -> int:
        nonlocal begins
        if not waiting or second != begins:
            return 0
        step = waiting[0] if waiting[0].get("repeat") else waiting.pop(0)
        begins += step["minutes"] * 60
        return _at(percent, step["price"])

    return due


def whole_second_stay(start: datetime, seconds: int) -> Period:
    """A stay of so many seconds from the whole second of `start`."""
    begin = start.astimezone(UTC).replace(microsecond=0)
    return Period(begin, begin + timedelta(seconds=seconds))
