"""The waiting list: what is taken now and may come free."""

from __future__ import annotations

from pydantic import Field

from api.booking_views import VehicleId
from api.bookings import BROKEN_TERMS
from api.call import Call
from api.contract import Idempotency, Input, Output, Reply, operation
from api.current import NO_SUCH_LOT, NOT_LIVE
from api.lot_views import LotPath
from api.values import Instant
from autospot.domain.access import Action
from autospot.domain.errors import Conflict
from autospot.domain.lot import BayKind
from autospot.domain.period import Period
from autospot.domain.waiting import Wish, WishState
from autospot.services.waiting import Waiting, no_such_wish

FULL = Conflict("at most 5 wishes at a time", code="waiting_list_full")


class WishBody(Input):
    """What is waited for."""

    kind: BayKind = "general"
    from_: Instant = Field(alias="from")
    until: Instant
    vehicle: VehicleId | None = None


class WishPath(Input):
    """A wish."""

    id: str = Field(pattern=r"^wsh_[0-9a-f]{32}$")


class WishView(Output):
    """A wish. `booking` is the offer, a held booking: confirm it or cancel it."""

    id: str
    lot: str
    kind: BayKind
    from_: Instant = Field(serialization_alias="from")
    until: Instant
    state: WishState
    made_at: Instant
    booking: str | None


class WishesView(Output):
    """All of one's wishes."""

    data: list[WishView]


class WaitingOperations:
    """Everything about the waiting list."""

    def __init__(self, waiting: Waiting) -> None:
        self._waiting = waiting

    @operation(
        "POST /v1/lots/{lot}/waiting",
        summary="Wait for a kind of bay",
        tag="bookings",
        access=Action.DRIVE,
        status=201,
        idempotency=Idempotency.DAY,
        errors=(NO_SUCH_LOT, BROKEN_TERMS, FULL, NOT_LIVE),
    )
    async def join(self, call: Call, path: LotPath, body: WishBody) -> Reply[WishView]:
        """A bay that comes free for that time is offered for some minutes, to whoever has waited longest."""
        once, period = call.once(_made), Period(body.from_, body.until)
        await self._waiting.join(call.principal.user_id, path.lot, body.kind, period, body.vehicle, once)
        return once.kept

    @operation("GET /v1/waiting", summary="What I wait for", tag="bookings", access=Action.DRIVE)
    async def list_wishes(self, call: Call) -> WishesView:
        """Oldest first."""
        return WishesView(data=[wish_view(wish) for wish in await self._waiting.of(call.principal.user_id)])

    @operation(
        "DELETE /v1/waiting/{id}",
        summary="Wait no longer",
        tag="bookings",
        access=Action.DRIVE,
        status=204,
        errors=(no_such_wish(),),
    )
    async def leave(self, call: Call, path: WishPath) -> None:
        """An offer that was made already is declined by cancelling its booking."""
        await self._waiting.leave(call.principal.user_id, path.id)


def _made(wish: Wish) -> Reply[WishView]:
    return Reply(wish_view(wish))


def wish_view(wish: Wish) -> WishView:
    """A wish, to its driver."""
    return WishView(
        id=wish.id,
        lot=wish.lot,
        kind=wish.kind,
        from_=wish.period.start,
        until=wish.period.until,
        state=wish.state,
        made_at=wish.made_at,
        booking=wish.booking,
    )
