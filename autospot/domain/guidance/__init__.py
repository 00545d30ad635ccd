"""Which bay a driver should take, and the way there: pure decisions over the plan of a lot."""

from autospot.domain.guidance.distances import Guide
from autospot.domain.guidance.recommend import (
    DEFAULT_WEIGHTS,
    MATCH_LIMIT,
    SUITABLE,
    Recommendation,
    Weights,
    Wish,
    match_drivers,
    recommend,
)
from autospot.domain.guidance.route import Route, route
from autospot.domain.guidance.words import RoutePoint, Step

__all__ = [
    "DEFAULT_WEIGHTS",
    "MATCH_LIMIT",
    "SUITABLE",
    "Guide",
    "Recommendation",
    "Route",
    "RoutePoint",
    "Step",
    "Weights",
    "Wish",
    "match_drivers",
    "recommend",
    "route",
]
