"""Bays for those who run a lot: out of service and back, and who they are for."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from api.booking_views import OperatorBookingView, operator_booking_view
from api.call import Call
from api.contract import Input, Output, operation
from api.current import NO_SUCH_LOT, NOT_LIVE
from api.lot_views import BayPath
from api.values import Instant, Reason
from autospot.domain.access import Action
from autospot.domain.errors import Forbidden
from autospot.domain.lot import BayKind
from autospot.services.bay_edits import BayEdit, BayEdits
from autospot.services.closing import Closing

ANOTHER_LOT = Forbidden("this needs another role, or another lot")


class ClosureBody(Input):
    """Why a bay is out of service, and until when; without an end until it is opened."""

    reason: Reason
    until: Instant | None = None


class BayChange(Input):
    """What is to be different; left out stays as it is. `closed` null opens the bay. `bookable` false keeps it for
    drivers who just come."""

    closed: ClosureBody | None = None
    kind: BayKind | None = None
    bookable: bool | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if "closed" not in self.model_fields_set and self.edit.is_empty:
            raise ValueError("say what is to be different: closed, kind or bookable")
        return self

    @property
    def edit(self) -> BayEdit:
        """What is to be different about the bay itself."""
        return BayEdit(self.kind, self.bookable)


class BayChangeView(Output):
    """What became of the bookings that a closed bay had: each under its new booking, or cancelled with a credit."""

    moved: list[OperatorBookingView]


class BayOperations:
    """What an attendant or operator does with a bay."""

    def __init__(self, closing: Closing, edits: BayEdits) -> None:
        self._closing = closing
        self._edits = edits

    @operation(
        "PATCH /v1/operator/lots/{lot}/bays/{bay}",
        summary="Take a bay out of service or back; edit it",
        tag="operator",
        access=Action.ATTEND_LOT,
        errors=(NO_SUCH_LOT, ANOTHER_LOT, NOT_LIVE),
    )
    async def change(self, call: Call, path: BayPath, body: BayChange) -> BayChangeView:
        """Whoever is parked there stays. Bookings that begin within a day are moved at once, later ones before they
        begin, if the bay is still closed then. `kind` and `bookable` are the operators' to say; what was booked stays
        booked."""
        if not body.edit.is_empty:
            await self._edits.edit(call.principal, path.lot, path.bay, body.edit, call.request_id)
        if "closed" not in body.model_fields_set:
            return BayChangeView(moved=[])
        closed = body.closed
        if closed is None:
            await self._closing.open(call.principal, path.lot, path.bay, call.request_id)
            return BayChangeView(moved=[])
        moved = await self._closing.close(
            call.principal, path.lot, path.bay, closed.reason, closed.until, call.request_id
        )
        return BayChangeView(moved=[operator_booking_view(booking) for booking in moved])
