"""What is said of lots and bays, and how it is made from live state."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, PlainValidator, TypeAdapter, WithJsonSchema, model_validator

from api.contract import Input, Output
from api.pages import PageQuery
from api.values import Instant
from autospot.domain.bay import State
from autospot.domain.errors import InvalidInput
from autospot.domain.history import Span
from autospot.domain.ids import Code
from autospot.domain.instant import from_ms
from autospot.domain.lot import Bay, BayKind, BookingTerms, Lot
from autospot.domain.messages import BayView, Counts
from autospot.domain.nearby import MapBox, MapPoint, map_box, map_point
from autospot.domain.vacancy import free_places
from autospot.live import LiveBay, LiveLot

RADIUS_METRES = 5_000
"""How far `near` looks unless told otherwise."""


def _box(text: str) -> MapBox:
    try:
        return map_box(text)
    except InvalidInput as error:
        raise ValueError(error.message) from error


def _point(text: str) -> MapPoint:
    try:
        return map_point(text)
    except InvalidInput as error:
        raise ValueError(error.message) from error


def _numbers(count: int, description: str, example: str) -> WithJsonSchema:
    number = r"-?[0-9]+(\.[0-9]+)?"
    pattern = f"^{','.join([number] * count)}$"
    return WithJsonSchema({"type": "string", "pattern": pattern, "description": description, "examples": [example]})


BoxText = Annotated[MapBox, PlainValidator(_box), _numbers(4, "west,south,east,north in degrees", "9.9,53.5,10.1,53.6")]
PointText = Annotated[
    MapPoint, PlainValidator(_point), _numbers(2, "lat,lon in degrees; the nearest first", "53.54,9.99")
]


class LotsQuery(PageQuery):
    """Lots inside a box, or around a point, or all."""

    bbox: BoxText | None = None
    near: PointText | None = None
    radius_metres: int | None = Field(None, ge=1, le=100_000, description=f"around `near`; {RADIUS_METRES} if left out")

    @model_validator(mode="after")
    def _one_way_to_ask(self) -> Self:
        if self.bbox and self.near:
            raise ValueError("ask by bbox or by near, not both")
        if self.radius_metres and not self.near:
            raise ValueError("radius_metres goes with near")
        return self


class LotPath(Input):
    """A lot."""

    lot: Code


class BayPath(Input):
    """A bay of a lot."""

    lot: Code
    bay: Code


class BaysQuery(PageQuery):
    """Bays of some kinds and in some states; all where none are named. Each may be given several times."""

    kind: list[BayKind] = Field([], max_length=10)
    state: list[State] = Field([], max_length=10)


class Place(Output):
    """A place on the map, WGS 84."""

    lat: float
    lon: float


class LotSummary(Output):
    """A lot as a list shows it."""

    lot: Code
    name: str
    address: str
    place: Place | None
    time_zone: str
    places: int = Field(description="vehicles that may be inside at once")
    free: int
    free_by_kind: dict[BayKind, int]
    distance_metres: float | None = Field(description="from the point that was asked for")


class LevelView(Output):
    """A level of a lot."""

    level: Code
    name: str
    ordinal: int
    max_height_metres: float | None


class GateView(Output):
    """An entrance, or a door for walkers: where one can ask to be guided from or to."""

    code: Code
    name: str
    closed: bool


class LotView(LotSummary):
    """A lot with everything but its plan and its bays."""

    country: str | None
    currency: str
    booking: BookingTerms
    levels: list[LevelView]
    entrances: list[GateView]
    doors: list[GateView]
    counts: Counts
    layout: int = Field(description="version of the layout")
    epoch: str
    rev: int


class BayDetail(Output):
    """A bay: what it is, and how it is now."""

    bay: Code
    level: Code
    kind: BayKind
    bookable: bool
    charger_kw: float | None
    max_height_metres: float | None
    rev: int = Field(description="position of its last change")
    now: BayView


class BaySpan(Output):
    """The bay was so from one instant until another."""

    occupied: bool | None = Field(description="null: nobody knew")
    from_: Instant = Field(serialization_alias="from")
    until: Instant | None = Field(description="null: it still is")


def lot_summary(lot: LiveLot, metres: float | None) -> LotSummary:
    """A lot for a list; `metres` is its distance where one was asked for."""
    return LotSummary(**_summary(lot, metres))


def _summary(lot: LiveLot, metres: float | None) -> dict[str, Any]:
    layout, counts = lot.layout, lot.counts()
    return {
        "lot": layout.lot,
        "name": layout.name,
        "address": layout.address,
        "place": Place(lat=layout.anchor.lat, lon=layout.anchor.lon) if layout.anchor else None,
        "time_zone": layout.time_zone,
        "places": layout.places,
        "free": free_places(counts["total"], layout.places),
        "free_by_kind": {kind: states.get("free", 0) for kind, states in counts.items() if kind != "total"},
        "distance_metres": None if metres is None else round(metres, 1),
    }


def lot_view(lot: LiveLot, epoch: str) -> LotView:
    """A lot, whole, in the history `epoch`."""
    layout = lot.layout
    return LotView(
        **_summary(lot, None),
        country=layout.country,
        currency=layout.currency,
        booking=layout.booking,
        levels=[
            LevelView(level=each.level, name=each.name, ordinal=each.ordinal, max_height_metres=each.max_height_metres)
            for each in layout.levels
        ],
        entrances=[GateView(code=each.entrance, name=each.name, closed=each.closed) for each in layout.entrances],
        doors=[GateView(code=each.door, name=each.name, closed=each.closed) for each in layout.doors],
        counts=lot.counts(),
        layout=layout.version,
        epoch=epoch,
        rev=lot.rev,
    )


def bay_detail(bay: Bay, live: LiveBay) -> BayDetail:
    """A bay and its state."""
    return BayDetail(
        bay=bay.bay,
        level=bay.level,
        kind=bay.kind,
        bookable=bay.bookable,
        charger_kw=bay.charger_kw,
        max_height_metres=bay.max_height_metres,
        rev=live.rev,
        now=live.view(),
    )


def bay_span(span: Span) -> BaySpan:
    """A span of a bay's history."""
    return BaySpan(
        occupied=span.occupied,
        from_=from_ms(span.from_ms),
        until=None if span.until_ms is None else from_ms(span.until_ms),
    )


_lot_json: TypeAdapter[Lot] = TypeAdapter(Lot)


def layout_bytes(lot: LiveLot) -> bytes:
    """The plan as JSON, without the sensors: whoever knows their ids can try to speak for them."""
    return _lot_json.dump_json(lot.layout, exclude={"bays": {"__all__": {"sensor"}}}, exclude_none=True)
