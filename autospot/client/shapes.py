"""The answers of the API as this client uses them. Fields that it does not know are left as they come."""

from __future__ import annotations

from typing import Any, TypedDict

from autospot.domain.messages import Counts, LotState

__all__ = [
    "Account",
    "Assignment",
    "Lot",
    "LotState",
    "LotSummary",
    "Notification",
    "Recommendation",
    "Route",
    "Tokens",
    "Vehicle",
]


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


class Recommendation(TypedDict):
    """A bay, and how far it is. The lower the score the better."""

    bay: str
    level: str
    kind: str
    entrance: str | None
    destination: str | None
    drive_metres: float
    walk_metres: float
    score: float


class Route(TypedDict):
    """A way: `text` in words, `steps` one by one, `lines` to draw on each level."""

    lot: str
    layout: int
    way: str
    metres: float
    text: str
    steps: list[dict[str, Any]]
    lines: list[dict[str, Any]]


class Assignment(TypedDict):
    """A bay that is kept while one is on the way. Times are RFC 3339."""

    id: str
    lot: str
    bay: str
    state: str
    made_at: str
    until: str


class Notification(TypedDict):
    """Something one was told; a `me` message of the websocket has the same `id`."""

    id: str
    what: str
    subject: str
    lot: str
    at: str
    facts: dict[str, Any]
