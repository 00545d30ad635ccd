"""Guidance: which bay to take, and the way there. Open to everybody, like the state of the lot that it is made from."""

from __future__ import annotations

from api.contract import PUBLIC, Reply, operation
from api.current import NO_SUCH_LOT, NOT_LIVE, CurrentLots
from api.guidance_views import (
    NO_ROUTE,
    NO_SUCH_PLACE,
    RecommendationsBody,
    RecommendationsView,
    RouteQuery,
    RouteView,
    recommendations_view,
    route_view,
)
from api.limits import LimitClass
from api.lot_views import LotPath
from autospot.services.guiding import Guiding


class GuidanceOperations:
    """Reads only: nothing is kept for anybody here."""

    def __init__(self, guiding: Guiding, current: CurrentLots) -> None:
        self._guiding = guiding
        self._current = current

    @operation(
        "POST /v1/lots/{lot}/recommendations",
        summary="The best bays for me",
        tag="guidance",
        access=PUBLIC,
        limit=LimitClass.READ,
        errors=(NO_SUCH_LOT, NO_SUCH_PLACE, NOT_LIVE),
    )
    async def recommend(self, path: LotPath, body: RecommendationsBody) -> RecommendationsView:
        """The first is the best, the others are alternatives. Only bays that are free, unclaimed and large enough and
        that can be reached; ties go to the emptier aisle. Nothing is kept: everybody who asks at this moment is told
        the same. Ask for an assignment to have a bay kept, or book it."""
        question = body.question()
        advice = await self._guiding.advise(path.lot, question)
        return recommendations_view(advice, question, self._current.epoch)

    @operation(
        "GET /v1/lots/{lot}/route",
        summary="The way from one place to another",
        tag="guidance",
        access=PUBLIC,
        etag=True,
        errors=(NO_SUCH_LOT, NO_SUCH_PLACE, NO_ROUTE, NOT_LIVE),
    )
    async def route(self, path: LotPath, query: RouteQuery) -> Reply[RouteView]:
        """As a line on the plan and in words. From an entrance to a bay or an exit and from a bay to an exit one
        drives; every other way is walked. Changes only when the operator changes the lot: keep it by its ETag."""
        version, found = await self._guiding.way(
            path.lot, query.from_, query.to, height_metres=query.height_metres, step_free=query.step_free
        )
        return Reply(route_view(path.lot, version, found), etag=f"{self._current.epoch}:{version}")
