"""The tariff document: what a stay costs, as data that an operator writes and a version freezes.

`docs/tariffs.md` shows how one is written. Amounts are minor units of `currency`, VAT is in basis points (1900 for
19 %), clock times are `HH:MM` in `time_zone`. Unknown fields, floats, and numbers written as strings are refused. What
is well-formed but unwise (gaps, overlaps, prices that fall) is left to `autospot.domain.tariff.lint`.
"""

from __future__ import annotations

from datetime import date
from functools import cached_property
from hashlib import sha256
from typing import Annotated, Literal, Self, get_args

from pydantic import AfterValidator, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from autospot.domain.ids import Code
from autospot.domain.lot import BayKind, TimeZone
from autospot.domain.money import CURRENCIES
from autospot.domain.tariff.canonical import canonical_json
from autospot.domain.tariff.localtime import DAY_MINUTES, holiday_problem
from autospot.domain.tariff.prices import (
    EVERY_DAY,
    MINUTES_LIMIT,
    Bands,
    Flat,
    Ladder,
    Limit,
    Minutes,
    Name,
    Part,
    Progressive,
    Slabs,
    Window,
)

OFFERS_LIMIT = 10
CAPS_LIMIT = 8
DATES_LIMIT = 400


def _known_currency(code: str) -> str:
    if code not in CURRENCIES:
        raise PydanticCustomError("unknown_currency", "a currency is an ISO 4217 code in use, such as EUR")
    return code


FindingCode = Literal[
    "band_gap",
    "band_overlap",
    "band_unreachable",
    "step_unreachable",
    "open_end",
    "cap_below_first_step",
    "cap_unreachable",
    "offer_unlimited",
    "price_falls",
    "price_may_fall",
]
"""What `lint` can find. A tariff that means it says so in `accepts`."""


class SessionCap(Part):
    """The most that one stay can cost."""

    window: Literal["session"]
    amount: Limit


class RollingCap(Part):
    """The most that each `minutes` from entry can cost. With `ladder_restarts` the price begins anew in each."""

    window: Literal["rolling"]
    minutes: Annotated[int, Field(ge=60, le=MINUTES_LIMIT)]
    amount: Limit
    ladder_restarts: bool


class DayCap(Part):
    """The most that each calendar day of the lot can cost. With `ladder_restarts` the price begins anew at midnight."""

    window: Literal["calendar_day"]
    amount: Limit
    ladder_restarts: bool


Cap = Annotated[SessionCap | RollingCap | DayCap, Field(discriminator="window")]
Caps = Annotated[tuple[Cap, ...], Field(max_length=CAPS_LIMIT)]
OfferPrice = Annotated[Ladder | Progressive | Slabs | Flat | Bands, Field(discriminator="type")]


class Offer(Part):
    """One way to price a stay. `entry`, `exit` and `max_stay_minutes` say which stays it is for; `caps` are its own."""

    name: Name
    price: OfferPrice
    caps: Caps = ()
    entry: Window | None = None
    exit: Window | None = None
    max_stay_minutes: Minutes | None = None

    @property
    def unconditional(self) -> bool:
        """True if every stay may have it."""
        return self.entry is None and self.exit is None and self.max_stay_minutes is None


class CheapestOf(Part):
    """The driver gets the offer that costs least, of those the stay may have; of equal ones the first."""

    type: Literal["cheapest_of"]
    offers: Annotated[tuple[Offer, ...], Field(min_length=2, max_length=OFFERS_LIMIT)]

    @field_validator("offers")
    @classmethod
    def _one_for_everybody(cls, offers: tuple[Offer, ...]) -> tuple[Offer, ...]:
        if not any(offer.unconditional for offer in offers):
            raise PydanticCustomError("offers", "at least one offer must be open to every stay")
        return offers


TariffPrice = Annotated[Ladder | Progressive | Slabs | Flat | Bands | CheapestOf, Field(discriminator="type")]


class Vat(Part):
    """Value added tax. `included` prices are gross; otherwise VAT is added as the last line of a quote."""

    basis_points: Annotated[int, Field(ge=0, le=10_000)]
    included: bool


class HolidayCalendar(Part):
    """Public holidays of a country (ISO 3166-1) or its `subdivision`, as the library `holidays` knows them.

    `also` adds dates and `except` takes dates away, for what the town council decides.
    """

    country: Annotated[str, Field(pattern="^[A-Z]{2}$")]
    subdivision: Annotated[str, Field(pattern="^[A-Z0-9]{1,3}$")] | None = None
    also: Annotated[tuple[date, ...], Field(max_length=DATES_LIMIT)] = ()
    except_: Annotated[tuple[date, ...], Field(alias="except", max_length=DATES_LIMIT)] = ()

    @model_validator(mode="after")
    def _known_place(self) -> Self:
        if problem := holiday_problem(self.country, self.subdivision):
            raise PydanticCustomError("holidays", "{problem}", {"problem": problem})
        return self


class Tariff(Part):
    """One version of a lot's tariff, whole. Valid from the beginning of `valid_from` in `time_zone`.

    `free_minutes` is a threshold: a stay of at most this long is free, a longer one is charged from its first second.
    `kinds` names bay kinds with their own level of prices, in percent of the document's: every price and cap of such a
    bay is multiplied and rounded half up to the minor unit. `accepts` lists findings of the linter that are meant so.
    """

    format: Literal["autospot-tariff/1"]
    id: Code
    version: Annotated[int, Field(ge=1, le=1_000_000)]
    name: Name
    valid_from: date
    time_zone: TimeZone
    currency: Annotated[str, AfterValidator(_known_currency)]
    vat: Vat
    free_minutes: Annotated[int, Field(ge=0, le=DAY_MINUTES)] = 0
    price: TariffPrice
    caps: Caps = ()
    kinds: dict[BayKind, Annotated[int, Field(ge=0, le=1000)]] = Field(default_factory=dict)
    holidays: HolidayCalendar | None = None
    accepts: Annotated[tuple[FindingCode, ...], Field(max_length=len(get_args(FindingCode)))] = ()

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the document in canonical JSON, in hex: two versions with one fingerprint charge the same.

        What has its default is left out, so that a field added to the format later leaves old fingerprints as they are.
        """
        return sha256(canonical_json(self.model_dump(mode="json", exclude_defaults=True))).hexdigest()

    @property
    def version_id(self) -> str:
        """What a quote freezes: id, version, and the beginning of the fingerprint, so that a silent edit shows."""
        return f"{self.id}/{self.version}@{self.fingerprint[:16]}"

    @model_validator(mode="after")
    def _holidays_are_known(self) -> Self:
        if self.holidays is None and any(
            window.days != EVERY_DAY and "holiday" in window.days for window in _windows_of(self.price)
        ):
            raise PydanticCustomError("holidays", "a window names holiday, so the tariff must state holidays")
        return self


def _windows_of(price: TariffPrice) -> list[Window]:
    if isinstance(price, Bands):
        return list(price.bands)
    if not isinstance(price, CheapestOf):
        return []
    stated = [window for offer in price.offers for window in (offer.entry, offer.exit) if window]
    return stated + [window for offer in price.offers for window in _windows_of(offer.price)]
