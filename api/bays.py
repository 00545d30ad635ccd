"""Bays for those who run a lot: out of service and back."""

from __future__ import annotations

from pydantic import Field

from api.booking_views import OperatorBookingView, operator_booking_view
from api.call import Call
from api.contract import Input, Output, operation
from api.current import NO_SUCH_LOT, NOT_LIVE
from api.lot_views import BayPath
from api.values import Instant
from autospot.domain.access import Action
from autospot.domain.errors import Forbidden
from autospot.services.closing import Closing

ANOTHER_LOT = Forbidden("this needs another role, or another lot")


class ClosureBody(Input):
    """Why a bay is out of service, and until when; without an end until it is opened."""

    reason: str = Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")
    until: Instant | None = None


class BayChange(Input):
    """What is to be different. `closed` null opens the bay."""

    closed: ClosureBody | None


class BayChangeView(Output):
    """What became of the bookings that a closed bay had: each under its new booking, or cancelled with a credit."""

    moved: list[OperatorBookingView]


class BayOperations:
    """What an attendant or operator does with a bay."""

    def __init__(self, closing: Closing) -> None:
        self._closing = closing

    @operation(
        "PATCH /v1/operator/lots/{lot}/bays/{bay}",
        summary="Take a bay out of service, or back",
        tag="operator",
        access=Action.ATTEND_LOT,
        errors=(NO_SUCH_LOT, ANOTHER_LOT, NOT_LIVE),
    )
    async def change(self, call: Call, path: BayPath, body: BayChange) -> BayChangeView:
        """Whoever is parked there stays. Bookings that begin within a day are moved at once, later ones before they
        begin, if the bay is still closed then."""
        if body.closed is None:
            await self._closing.open(call.principal, path.lot, path.bay, call.request_id)
            return BayChangeView(moved=[])
        closed = body.closed
        moved = await self._closing.close(
            call.principal, path.lot, path.bay, closed.reason, closed.until, call.request_id
        )
        return BayChangeView(moved=[operator_booking_view(booking) for booking in moved])
