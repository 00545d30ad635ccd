"""The answers of the API as this client uses them. Fields that it does not know are left as they come."""

from __future__ import annotations

from typing import TypedDict

from autospot.domain.messages import Counts, LotState

__all__ = ["Account", "Lot", "LotState", "LotSummary", "Tokens", "Vehicle"]


class Account(TypedDict):
    """Oneself. `created_at` is RFC 3339."""

    id: str
    email: str
    name: str
    language: str
    roles: list[str]
    lots: list[str]
    created_at: str


class Tokens(TypedDict):
    """A sign-in; `expires_in` is the seconds that the access token holds."""

    access_token: str
    token_type: str
    expires_in: int
    refresh_token: str
    account: Account


class Vehicle(TypedDict):
    """One of one's own vehicles."""

    id: str
    country: str
    plate: str
    label: str
    added_at: str


class LotSummary(TypedDict):
    """A lot as a list shows it."""

    lot: str
    name: str
    address: str
    time_zone: str
    places: int
    free: int
    free_by_kind: dict[str, int]
    distance_metres: float | None


class Lot(LotSummary):
    """A lot with everything but its plan and its bays."""

    currency: str
    counts: Counts
    layout: int
    epoch: str
    rev: int
