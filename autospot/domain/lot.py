"""A parking lot as its operator describes it: bays, plan, terms. What the lot file holds and the registry keeps.

The values say what the shapes guarantee (types, ranges, limits, no unknown fields). What must hold between the parts
(codes unique, levels and nodes known, bays reachable) is judged by `autospot.domain.lot_files.problems_of` before a lot
is stored; a stored lot is trusted.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.dataclasses import dataclass
from pydantic_core import PydanticCustomError

from autospot.domain.ids import Code
from autospot.domain.plan import (
    AISLES_LIMIT,
    CLOSED,
    EDGES_LIMIT,
    LEVELS_LIMIT,
    NODES_LIMIT,
    PORTALS_LIMIT,
    RAMPS_LIMIT,
    SHAFTS_LIMIT,
    Aisle,
    Anchor,
    Coordinate,
    Degrees,
    Door,
    Edge,
    Entrance,
    Exit,
    Flag,
    Height,
    Level,
    Lift,
    Name,
    Node,
    Ramp,
    Sign,
    Stairs,
)

BAYS_LIMIT = 20_000
"""Most bays of one lot: at 250 bytes each, its document stays far below MongoDB's 16 MiB."""

CAPACITY_LIMIT = 100_000

BayKind = Literal["general", "disabled", "ev", "family", "motorcycle", "oversize", "car_share"]
"""Who a bay is for. `oversize` takes vans; `car_share` is kept for a sharing fleet."""

DEFAULT_WIDTH_METRES = 2.5
DEFAULT_LENGTH_METRES = 5.0

Side = Annotated[float, Field(strict=True, ge=0.5, le=30, allow_inf_nan=False)]
Minutes = Annotated[int, Field(strict=True, ge=0, le=366 * 24 * 60)]


@lru_cache(maxsize=1024)
def _is_time_zone(key: str) -> bool:
    try:
        ZoneInfo(key)
    except (ValueError, OSError, KeyError):  # a name that points outside, at a folder, or nowhere
        return False
    return True


def _known_time_zone(key: str) -> str:
    if not _is_time_zone(key):
        raise PydanticCustomError(
            "unknown_time_zone",
            "unknown time zone {key}: an IANA name such as Europe/Berlin is needed",
            {"key": repr(key)},
        )
    return key


TimeZone = Annotated[str, Field(max_length=64), AfterValidator(_known_time_zone)]


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class SensorRef:
    """The sensor that watches a bay.

    `id` is its code in MQTT topics, for LoRaWAN the device EUI in lower-case hex. `model` names its entry in the sensor
    catalogue. `heartbeat_seconds` is how often it speaks without a change, None for the model's own; `threshold_mm` is
    the range below which a distance sensor sees a car.
    """

    id: Code
    model: Code = "native"
    gateway: Code | None = None
    heartbeat_seconds: Annotated[int, Field(strict=True, ge=1, le=31 * 24 * 3600)] | None = None
    threshold_mm: Annotated[int, Field(strict=True, ge=1, le=20_000)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class Bay:
    """One place for one vehicle.

    `x`, `y` is the centre in metres, `width` by `length` its size, `rotation` the direction a car that drove in
    forwards looks, in degrees clockwise from +y. `aisle` is the lane it opens on, None takes the nearest of the level.
    `sensor` None means a sensor whose id equals the bay's code, if any speaks. `max_height_metres` is a limit of this
    bay alone, below that of its level. `bookable` False keeps it for drivers who just come.
    """

    bay: Code
    level: Code
    kind: BayKind = "general"
    x: Coordinate = 0.0
    y: Coordinate = 0.0
    width: Side = DEFAULT_WIDTH_METRES
    length: Side = DEFAULT_LENGTH_METRES
    rotation: Degrees = 0.0
    aisle: Code | None = None
    sensor: SensorRef | None = None
    max_height_metres: Height | None = None
    charger_kw: Annotated[float, Field(strict=True, gt=0, le=1000, allow_inf_nan=False)] | None = None
    bookable: Flag = True

    @property
    def registered_sensor(self) -> SensorRef | None:
        """The sensor, if it is known by its id alone and that id may therefore be used only once in all lots.

        None for a native sensor with the code of its own bay: its messages name the lot, so every lot may have a B001.
        """
        if self.sensor is None or (self.sensor.id == self.bay and self.sensor.model == "native"):
            return None
        return self.sensor


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class BookingTerms:
    """What a lot grants and asks when a bay is booked. Minutes, minor units of the lot's currency, and percent.

    A booking is `minimum_minutes` to `maximum_minutes` long, starts within `horizon_days`, begins and ends on a
    multiple of `step_minutes`. The driver may come `early_arrival_minutes` before and leave `late_leave_minutes` after.
    It may be changed until `change_deadline_minutes` before the start and cancelled for nothing until
    `cancel_deadline_minutes` before; later `late_refund_percent` is given back. Nobody there `no_show_minutes` after
    the start: the bay is given back and `no_show_fee` is due. Screens show the bay reserved from
    `reserved_lead_minutes` before the start.
    """

    minimum_minutes: Minutes = 15
    maximum_minutes: Minutes = 7 * 24 * 60
    horizon_days: Annotated[int, Field(strict=True, ge=0, le=730)] = 90
    step_minutes: Annotated[int, Field(strict=True, ge=1, le=1440)] = 5
    reserved_lead_minutes: Minutes = 15
    early_arrival_minutes: Minutes = 15
    late_leave_minutes: Minutes = 10
    change_deadline_minutes: Minutes = 0
    cancel_deadline_minutes: Minutes = 60
    late_refund_percent: Annotated[int, Field(strict=True, ge=0, le=100)] = 50
    no_show_minutes: Minutes = 30
    no_show_fee: Annotated[int, Field(strict=True, ge=0, le=1_000_000_000)] = 0
    open_per_driver: Annotated[int, Field(strict=True, ge=1, le=1000)] = 5
    unpaid_hold_minutes: Annotated[int, Field(strict=True, ge=1, le=60)] = 5
    offer_minutes: Annotated[int, Field(strict=True, ge=1, le=60)] = 5


class Lot(BaseModel):
    """A lot, whole. Frozen; equal lots have equal content.

    `version` counts layouts as they are imported and is 0 in files. `capacity` is how many vehicles may be inside at
    once, None for one per bay: fewer where fire rules cap a lot, more where cars also stand on no marked bay. A lot
    that only counts has `capacity` and no bays. What is free is always derived from bays and never more than what
    `capacity` leaves. `lamps` says that each bay has a light the hub switches. `country` (ISO 3166-1) and `region`
    (ISO 3166-2, without the country) pick the public holidays. A lot without nodes has no plan: its bays are counted
    and shown, their places mean nothing, and nobody is guided.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    lot: Code
    name: Name
    time_zone: TimeZone
    version: Annotated[int, Field(strict=True, ge=0)] = 0
    address: Annotated[str, Field(max_length=300)] = ""
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    region: Annotated[str, Field(pattern=r"^[A-Z0-9]{1,3}$")] | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "EUR"
    anchor: Anchor | None = None
    capacity: Annotated[int, Field(strict=True, ge=0, le=CAPACITY_LIMIT)] | None = None
    lamps: Flag = False
    booking: BookingTerms = BookingTerms()
    levels: Annotated[tuple[Level, ...], Field(min_length=1, max_length=LEVELS_LIMIT)]
    bays: Annotated[tuple[Bay, ...], Field(max_length=BAYS_LIMIT)]
    nodes: Annotated[tuple[Node, ...], Field(max_length=NODES_LIMIT)] = ()
    aisles: Annotated[tuple[Aisle, ...], Field(max_length=AISLES_LIMIT)] = ()
    ramps: Annotated[tuple[Ramp, ...], Field(max_length=RAMPS_LIMIT)] = ()
    lifts: Annotated[tuple[Lift, ...], Field(max_length=SHAFTS_LIMIT)] = ()
    stairs: Annotated[tuple[Stairs, ...], Field(max_length=SHAFTS_LIMIT)] = ()
    edges: Annotated[tuple[Edge, ...], Field(max_length=EDGES_LIMIT)] = ()
    entrances: Annotated[tuple[Entrance, ...], Field(max_length=PORTALS_LIMIT)] = ()
    exits: Annotated[tuple[Exit, ...], Field(max_length=PORTALS_LIMIT)] = ()
    doors: Annotated[tuple[Door, ...], Field(max_length=PORTALS_LIMIT)] = ()
    signs: Annotated[tuple[Sign, ...], Field(max_length=PORTALS_LIMIT)] = ()

    @property
    def places(self) -> int:
        """How many vehicles may be inside at once."""
        return len(self.bays) if self.capacity is None else self.capacity
