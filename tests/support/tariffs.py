"""Tariffs for tests, built from documents with sensible defaults."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from autospot.domain.period import Period
from autospot.domain.tariff import Quote, Tariff, parse_tariff, quote

BERLIN = "Europe/Berlin"
NEW_YORK = "America/New_York"

HOURLY = {"type": "ladder", "steps": [{"minutes": 60, "price": 200, "repeat": True}]}
"""2.00 for each started hour."""

CLIMBING = {"type": "ladder", "steps": [{"minutes": 60, "price": 300}, {"minutes": 30, "price": 100, "repeat": True}]}
"""3.00 for the first hour, 1.00 for each started half hour after it."""


def document(price: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """A tariff document in euros for Berlin, with `changes` to its fields; None leaves a field out."""
    whole = {
        "format": "autospot-tariff/1",
        "id": "harbour",
        "version": 1,
        "name": "Harbour",
        "valid_from": "2024-01-01",
        "time_zone": BERLIN,
        "currency": "EUR",
        "vat": {"basis_points": 1900, "included": True},
        "price": price or CLIMBING,
        **changes,
    }
    return {field: value for field, value in whole.items() if value is not None}


def tariff(price: dict[str, Any] | None = None, **changes: Any) -> Tariff:
    """The tariff of `document`."""
    return parse_tariff(document(price, **changes))


def band(name: str, begin: str, until: str, price: int | dict[str, Any], **more: Any) -> dict[str, Any]:
    """A band; a number is its price per hour."""
    stated = {"type": "per_hour", "price": price} if isinstance(price, int) else price
    return {"name": name, "from": begin, "until": until, "price": stated, **more}


def bands(*listed: dict[str, Any], rounding_scope: str = "band", unit_minutes: int = 15) -> dict[str, Any]:
    """A price by bands."""
    return {"type": "bands", "rounding_scope": rounding_scope, "unit_minutes": unit_minutes, "bands": list(listed)}


def day_and_night(rounding_scope: str = "band", unit_minutes: int = 15) -> dict[str, Any]:
    """2.00 an hour from 6 to 18, 1.00 at night."""
    return bands(
        band("Day", "06:00", "18:00", 200),
        band("Night", "18:00", "06:00", 100),
        rounding_scope=rounding_scope,
        unit_minutes=unit_minutes,
    )


def session_cap(amount: int) -> dict[str, Any]:
    """A cap on the whole stay."""
    return {"window": "session", "amount": amount}


def rolling_cap(amount: int, minutes: int = 1440, *, ladder_restarts: bool = True) -> dict[str, Any]:
    """A cap on each so many minutes from entry."""
    return {"window": "rolling", "minutes": minutes, "amount": amount, "ladder_restarts": ladder_restarts}


def day_cap(amount: int, *, ladder_restarts: bool = True) -> dict[str, Any]:
    """A cap on each calendar day."""
    return {"window": "calendar_day", "amount": amount, "ladder_restarts": ladder_restarts}


def local(text: str, zone: str = BERLIN, fold: int = 0) -> datetime:
    """`2026-06-01 08:30` on a clock in `zone`; `fold=1` is the second coming of an hour that comes twice."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


def stay(start: str, until: str, zone: str = BERLIN) -> Period:
    """A stay between two times on the clock in `zone`."""
    return Period(local(start, zone), local(until, zone))


def lasting(length: str, entry: str = "2026-06-01 08:00", zone: str = BERLIN) -> Period:
    """A stay of `HH:MM:SS` of real time."""
    hours, minutes, seconds = (int(part) for part in length.split(":"))
    start = local(entry, zone).astimezone(UTC)
    return Period(start, start + timedelta(hours=hours, minutes=minutes, seconds=seconds))


def amount(priced: Tariff, period: Period, **terms: Any) -> int:
    """The total of a quote in minor units."""
    return quote(priced, period, **terms).total.amount


def rows(quoted: Quote) -> list[tuple[str, int]]:
    """The lines as rule and amount."""
    return [(line.rule, line.amount) for line in quoted.lines]
