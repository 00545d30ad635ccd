"""Single bookings, to those who run the lot."""

from __future__ import annotations

from api.booking_views import BookingPath, OperatorBookingView, operator_booking_view
from api.call import Call
from api.contract import Idempotency, Input, Reply, operation
from api.values import Reason
from autospot.domain.access import Action
from autospot.domain.booking.booking import Booking
from autospot.domain.booking.life import IllegalStep
from autospot.services.desk.overruling import Overruling
from autospot.services.desk.register import no_such_booking

OVER = IllegalStep("this booking is active: cancel is not possible any more")


class CancellationBody(Input):
    """Why a booking is cancelled. The driver reads it."""

    reason: Reason


class OperatorBookingOperations:
    """What an operator does with one booking. That of another lot is not there."""

    def __init__(self, overruling: Overruling) -> None:
        self._overruling = overruling

    @operation(
        "GET /v1/operator/bookings/{id}",
        summary="One booking of my lots with its history",
        tag="operator",
        access=Action.SEE_LOT,
        etag=True,
        errors=(no_such_booking(),),
    )
    async def get(self, call: Call, path: BookingPath) -> Reply[OperatorBookingView]:
        """Every event, with who made it happen and why."""
        return _replied(await self._overruling.find(call.principal, path.id))

    @operation(
        "POST /v1/operator/bookings/{id}/cancel",
        summary="Cancel a driver's booking",
        tag="operator",
        access=Action.REFUND,
        idempotency=Idempotency.MONEY,
        etag=True,
        errors=(no_such_booking(), OVER),
    )
    async def cancel(self, call: Call, path: BookingPath, body: CancellationBody) -> Reply[OperatorBookingView]:
        """Whatever was paid comes back, whatever the terms say; the driver is told why. Not once he is there."""
        once = call.once(_replied)
        await self._overruling.cancel(call.principal, path.id, body.reason, call.request_id, once)
        return once.kept


def _replied(booking: Booking) -> Reply[OperatorBookingView]:
    return Reply(operator_booking_view(booking), etag=str(booking.version))
