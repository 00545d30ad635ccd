"""The part of GeoJSON (RFC 7946) that a lot can be read from, as pydantic values."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from autospot.domain.ids import Code
from autospot.domain.lot_files.problems import InvalidLots, Problem, shape_problems
from autospot.domain.plan import PATH_LIMIT
from autospot.domain.planar import Point

FEATURES_LIMIT = 200_000

Longitude = Annotated[float, Field(strict=True, ge=-180, le=180, allow_inf_nan=False)]
Latitude = Annotated[float, Field(strict=True, ge=-90, le=90, allow_inf_nan=False)]


def _without_height(position: Any) -> Any:
    return position[:2] if isinstance(position, list) else position


Position = Annotated[tuple[Longitude, Latitude], BeforeValidator(_without_height)]
"""Longitude first; a height may follow and is dropped."""

Line = Annotated[list[Position], Field(min_length=2, max_length=PATH_LIMIT)]
Ring = Annotated[list[Position], Field(min_length=4, max_length=PATH_LIMIT)]


class _Open(BaseModel):
    """GeoJSON allows members of one's own everywhere."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class OnePoint(_Open):
    type: Literal["Point"]
    coordinates: Position

    def places(self) -> list[Point]:
        return [self.coordinates]


class ManyPoints(_Open):
    type: Literal["MultiPoint"]
    coordinates: list[Position]

    def places(self) -> list[Point]:
        return self.coordinates


class LineString(_Open):
    type: Literal["LineString"]
    coordinates: Line

    def places(self) -> list[Point]:
        return self.coordinates


class Polygon(_Open):
    """Holes are ignored; `places` repeats the first corner at the end."""

    type: Literal["Polygon"]
    coordinates: Annotated[list[Ring], Field(min_length=1)]

    def places(self) -> list[Point]:
        return self.coordinates[0]


class Properties(BaseModel):
    """What places a feature in the plan. Everything else is a field of the lot file and judged there."""

    model_config = ConfigDict(frozen=True, extra="allow")

    type: str | None = None
    level: Code | None = None
    levels: Annotated[list[Code], Field(min_length=1)] | None = None
    path: Annotated[list[Code], Field(min_length=1)] | None = None
    node: Code | None = None

    @property
    def fields(self) -> dict[str, Any]:
        """The other properties."""
        return dict(self.model_extra or {})


class Feature(_Open):
    type: Literal["Feature"]
    properties: Properties | None = None
    geometry: Annotated[OnePoint | ManyPoints | LineString | Polygon, Field(discriminator="type")] | None = None

    @property
    def kind(self) -> str:
        """What it is, by its property `type`, else by its geometry."""
        if self.properties is not None and self.properties.type is not None:
            return self.properties.type
        return "aisle" if isinstance(self.geometry, LineString) else "bay"

    def places(self) -> list[Point]:
        """(longitude, latitude) of its points; empty without a geometry."""
        return self.geometry.places() if self.geometry is not None else []


class FeatureCollection(_Open):
    type: Literal["FeatureCollection"]
    lot: dict[str, Any] = {}
    features: Annotated[list[Feature], Field(min_length=1, max_length=FEATURES_LIMIT)]


def parse_collection(text: str) -> FeatureCollection:
    """The document as a value. `InvalidLots` names what is wrong, by pointers into the document."""
    try:
        return FeatureCollection.model_validate_json(text)
    except ValidationError as error:
        raise InvalidLots(
            # pydantic puts the kind of geometry it chose into the place, where the document has no such step
            Problem(re.sub(r"/geometry/[A-Z]\w+", "/geometry", problem.at), problem.message)
            for problem in shape_problems(error)
        ) from error
