"""The prices of a tariff document: by length of stay, and by time of day.

Part of the document that `autospot.domain.tariff.model` describes, and under its rules.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal, Self, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from autospot.domain.money import AMOUNT_LIMIT
from autospot.domain.tariff.localtime import DAY_MINUTES

STEPS_LIMIT = 50
"""Most steps, rates or slabs of one price."""

BANDS_LIMIT = 50
MINUTES_LIMIT = 366 * 24 * 60


def _clock_minutes(text: object) -> int:
    """Minutes since midnight of `HH:MM`, 00:00 to 24:00."""
    hours, colon, minutes = text.partition(":") if isinstance(text, str) else ("", "", "")
    digits = len(hours) == len(minutes) == 2 and (hours + minutes).isascii() and (hours + minutes).isdigit()
    total = int(hours) * 60 + int(minutes) if digits and colon else -1
    if not 0 <= total <= DAY_MINUTES or int(minutes) > 59:
        raise PydanticCustomError("clock_time", "a clock time is a string HH:MM, from 00:00 to 24:00")
    return total


def clock_text(minutes: int) -> str:
    """`90` as `01:30`, `1440` as `24:00`."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday"]
EVERY_DAY: tuple[Day, ...] = get_args(Day)

ClockTime = Annotated[
    int,
    BeforeValidator(_clock_minutes),
    PlainSerializer(clock_text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$"}),
]
Price = Annotated[int, Field(ge=0, le=AMOUNT_LIMIT)]
Limit = Annotated[int, Field(ge=1, le=AMOUNT_LIMIT)]
Minutes = Annotated[int, Field(ge=1, le=MINUTES_LIMIT)]
Name = Annotated[str, Field(min_length=1, max_length=60)]


class Part(BaseModel):
    """A piece of the document: frozen, strict, closed to unknown fields."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", serialize_by_alias=True)


class Step(Part):
    """One rung: `price` as soon as its `minutes` have begun. A repeating one is owed again for each started unit."""

    minutes: Minutes
    price: Price
    repeat: bool = False


class Ladder(Part):
    """Steps one after the other: the first, the next, then the repeating last one."""

    type: Literal["ladder"]
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=STEPS_LIMIT)]


class Rate(Part):
    """`per_hour` for the time up to `until_minute` of the stay; without `until_minute` for all the rest."""

    until_minute: Minutes | None = None
    per_hour: Price


class Progressive(Part):
    """Rates by how long one has stayed, owed per started `unit_minutes`."""

    type: Literal["progressive"]
    unit_minutes: Minutes = 1
    rates: Annotated[tuple[Rate, ...], Field(min_length=1, max_length=STEPS_LIMIT)]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        last = 0
        for number, rate in enumerate(self.rates, start=1):
            if rate.until_minute is None:
                if number < len(self.rates):
                    raise PydanticCustomError("rates", "only the last rate may leave until_minute out")
            elif rate.until_minute <= last or rate.until_minute % self.unit_minutes:
                raise PydanticCustomError(
                    "rates",
                    "rate {number}: until_minute must be later than the one before and a multiple of unit_minutes",
                    {"number": number},
                )
            last = rate.until_minute or last
        return self


class Slab(Part):
    """The price of a whole stay of at most `up_to_minutes`."""

    up_to_minutes: Minutes
    price: Price


class Slabs(Part):
    """A table by length of stay: the price is that of the first slab the stay fits in, not a sum."""

    type: Literal["slabs"]
    slabs: Annotated[tuple[Slab, ...], Field(min_length=1, max_length=STEPS_LIMIT)]

    @field_validator("slabs")
    @classmethod
    def _rising(cls, slabs: tuple[Slab, ...]) -> tuple[Slab, ...]:
        for number, (shorter, longer) in enumerate(pairwise(slabs), start=2):
            if longer.up_to_minutes <= shorter.up_to_minutes or longer.price < shorter.price:
                raise PydanticCustomError(
                    "slabs", "slab {number} must be longer than the one before and cost no less", {"number": number}
                )
        return slabs


class Flat(Part):
    """One price, however long."""

    type: Literal["flat"]
    price: Price


class PerHour(Part):
    """A price for time that passes, owed per started unit of the bands it stands in."""

    type: Literal["per_hour"]
    price: Price


class Window(Part):
    """A stretch of the day, `[from, until)` on the clock of the lot, on each of `days`.

    `until` at or before `from` lies on the next day; the window belongs to the day on which it begins. A public holiday
    is the day `holiday` and no other, if the tariff states a holiday calendar. A window begins at the first instant at
    which the clock shows its time or a later one, so the hour that comes twice in autumn belongs to it once.
    """

    days: Annotated[tuple[Day, ...], Field(min_length=1, max_length=len(EVERY_DAY))] = EVERY_DAY
    from_: Annotated[ClockTime, Field(alias="from", le=DAY_MINUTES - 1)]
    until: Annotated[ClockTime, Field(ge=1)]

    @property
    def end_minute(self) -> int:
        """Minutes from the midnight before `from` to the end."""
        return self.until if self.until > self.from_ else self.until + DAY_MINUTES


BandPrice = Annotated[PerHour | Ladder | Progressive | Slabs | Flat, Field(discriminator="type")]


class Band(Window):
    """A window with its price. `cap` is the most that one occurrence (one evening, one night) can cost."""

    name: Name
    price: BandPrice
    cap: Limit | None = None


RoundingScope = Literal["band", "session", "block"]


class Bands(Part):
    """Prices by time of day and day of week. Where two bands overlap the first one listed holds.

    `rounding_scope` says where started units are counted up: in each `band`, each occurrence of it priced on its own;
    over the `session`, the surplus falling in the last band; or in `block`s from entry, each priced by the band in
    which it begins. The last two are for bands with hourly prices only.
    """

    type: Literal["bands"]
    rounding_scope: RoundingScope
    unit_minutes: Minutes
    bands: Annotated[tuple[Band, ...], Field(min_length=1, max_length=BANDS_LIMIT)]

    @model_validator(mode="after")
    def _units_make_sense(self) -> Self:
        if self.rounding_scope != "band" and any(not isinstance(band.price, PerHour) for band in self.bands):
            raise PydanticCustomError(
                "rounding_scope", "a ladder or flat price in a band needs the rounding scope band"
            )
        return self
