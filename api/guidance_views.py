"""What drivers ask about bays and ways, and what they are told."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from api.contract import Input, Output
from api.values import Instant
from autospot.domain.errors import NotFound
from autospot.domain.guidance import SUITABLE, Recommendation, Route, Weights, Wish
from autospot.domain.ids import Code
from autospot.domain.lot import BayKind
from autospot.services.guiding import Advice, Question

NO_SUCH_PLACE: Final = NotFound("there is no such entrance, exit, door, lift, stairs or bay", code="no_such_place")
NO_ROUTE: Final = NotFound("there is no way between the two", code="no_route")

RECOMMENDATIONS_LIMIT: Final = 20

Height = Annotated[float, Field(ge=0, le=10, allow_inf_nan=False, description="of the vehicle in metres, 0: unknown")]
Side = Annotated[float, Field(ge=0, le=30, allow_inf_nan=False, description="of the vehicle in metres, 0: unknown")]
Metres = Annotated[float, Field(ge=0)]


class BayWish(Input):
    """What a driver needs. Every field may be left out."""

    kind: BayKind = Field("general", description="what the driver is entitled to; others that do come after it")
    entrance: Code | None = Field(None, description="where the car is; else wherever is nearest")
    destination: Code | None = Field(None, description="door, lift or stairs to walk to; else the nearest door")
    height_metres: Height = 0.0
    width_metres: Side = 0.0
    length_metres: Side = 0.0
    step_free: bool = Field(False, description="no stairs on the walk")

    def wish(self) -> Wish:
        """As guidance takes it."""
        return Wish(
            entrance=self.entrance,
            destination=self.destination,
            kinds=SUITABLE[self.kind],
            height_metres=self.height_metres,
            width_metres=self.width_metres,
            length_metres=self.length_metres,
            step_free=self.step_free,
        )


class RecommendationsBody(BayWish):
    """Which bays, and for when: for now; with `until` for a stay that begins now; with both times for a booking."""

    from_: Instant | None = Field(None, alias="from")
    until: Instant | None = None
    walk_weight: float = Field(
        2.0, ge=0, le=100, allow_inf_nan=False, description="how many metres driven one metre walked counts"
    )
    limit: int = Field(3, ge=1, le=RECOMMENDATIONS_LIMIT, description="bays, best first")

    @model_validator(mode="after")
    def _times_in_order(self) -> Self:
        if self.from_ is not None and self.until is None:
            raise ValueError("from goes with until")
        if self.from_ is not None and self.until is not None and self.until <= self.from_:
            raise ValueError("until is after from")
        return self

    def question(self) -> Question:
        """As the service takes it."""
        weights = Weights(walk=self.walk_weight)
        return Question(wish=self.wish(), most=self.limit, weights=weights, start=self.from_, until=self.until)


class RecommendationView(Output):
    """A bay, and how far it is. A bay of a kind that only does comes after all of the kind that was asked for,
    whatever its score."""

    bay: Code
    level: Code
    kind: BayKind
    entrance: Code | None = Field(description="to come in by; null in a lot without a plan")
    destination: Code | None = Field(description="walked to; null in a lot without a plan")
    drive_metres: Metres
    walk_metres: Metres = Field(description="a lift or stairs count as what is walked in the same time")
    score: Metres = Field(description="metres driven and walked, each as it counts; the lower the better")


class RecommendationsView(Output):
    """The best bays of a lot, as it was at a position."""

    lot: Code
    epoch: str
    rev: int
    layout: int = Field(description="version of the layout")
    data: list[RecommendationView]


class RouteQuery(Input):
    """From where to where: codes of bays, entrances, exits, doors, lifts or stairs."""

    from_: Code = Field(alias="from")
    to: Code
    height_metres: Height = 0.0
    step_free: bool = Field(False, description="no stairs on the walk")


class StepView(Output):
    """One thing to do, and where."""

    text: str = Field(examples=["second right"])
    level: Code
    x: float
    y: float
    metres: Metres = Field(description="after the start of the route")


class LineView(Output):
    """A stretch of the way on one level, to draw on its plan. The way onto a ramp is drawn on the level one leaves."""

    level: Code
    points: list[tuple[float, float]] = Field(description="x and y in metres of the plan")


class RouteView(Output):
    """A way."""

    lot: Code
    layout: int = Field(description="version of the layout")
    way: Literal["drive", "walk"]
    metres: Metres = Field(description="driven or walked; lifts and stairs add none")
    text: str = Field(examples=["first left, ramp to P1, first left, ramp to P2, bay 214 on the right"])
    steps: list[StepView]
    lines: list[LineView]


def recommendations_view(advice: Advice, question: Question, epoch: str) -> RecommendationsView:
    """An answer to `question`."""
    return RecommendationsView(
        lot=advice.live.lot,
        epoch=epoch,
        rev=advice.rev,
        layout=advice.guide.lot.version,
        data=[_recommendation_view(advice, found, question) for found in advice.found],
    )


def _recommendation_view(advice: Advice, found: Recommendation, question: Question) -> RecommendationView:
    wish, guide, bay = question.wish, advice.guide, found.bay
    return RecommendationView(
        bay=bay.bay,
        level=bay.level,
        kind=bay.kind,
        entrance=wish.entrance or guide.entrance_of(bay.bay, wish.height_metres),
        destination=wish.destination or guide.door_of(bay.bay, step_free=wish.step_free),
        drive_metres=round(found.drive_metres, 1),
        walk_metres=round(found.walk_metres, 1),
        score=found.metres(question.weights),
    )


def route_view(lot: str, version: int, found: Route) -> RouteView:
    """A way, as it is drawn and told."""
    return RouteView(
        lot=lot,
        layout=version,
        way=found.way,
        metres=found.metres,
        text=found.text,
        steps=[
            StepView(
                text=step.text, level=step.point.level, x=_mm(step.point.x), y=_mm(step.point.y), metres=step.metres
            )
            for step in found.steps
        ],
        lines=[LineView(level=level, points=[(_mm(x), _mm(y)) for x, y in points]) for level, points in found.lines()],
    )


def _mm(metres: float) -> float:
    return round(metres, 3)
