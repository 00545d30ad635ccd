"""Sessions: "I am parked at…", what it costs so far, and the end of it."""

from __future__ import annotations

from api.booking_views import SessionBody, SessionPath, SessionView, session_view
from api.call import Call
from api.contract import Idempotency, Reply, operation
from api.current import NO_SUCH_LOT, NOT_LIVE
from api.pages import Page, PageQuery, cursor_after, instant_at
from autospot.domain.access import Action
from autospot.domain.errors import Conflict, InvalidInput
from autospot.domain.parking_session import ParkingSession, parse_bay_code
from autospot.services.parking import Cost, Parking, no_such_session

IN_USE = Conflict("somebody is parked on this bay already", code="bay_in_use")
PARKED = Conflict("this vehicle is parked already", code="vehicle_parked")
CLAIMED = Conflict("bay B001 is promised to somebody else now", code="bay_claimed")
CLOSED = Conflict("bay B001 is closed: repainting", code="bay_closed")
BOOKED = Conflict("this session ends when you leave the bay, or with its booking", code="booked")
OVER = Conflict("this session is settled already", code="illegal_step")
BAD_CODE = InvalidInput("this is not the code of a bay", at="/code", code="bad_bay_code")


class SessionOperations:
    """Everything about sessions."""

    def __init__(self, parking: Parking) -> None:
        self._parking = parking

    @operation(
        "POST /v1/sessions",
        summary="I am parked at a bay",
        tag="sessions",
        access=Action.DRIVE,
        status=201,
        idempotency=Idempotency.MONEY,
        etag=True,
        errors=(NO_SUCH_LOT, BAD_CODE, IN_USE, PARKED, CLAIMED, CLOSED, NOT_LIVE),
    )
    async def begin(self, call: Call, body: SessionBody) -> Reply[SessionView]:
        """By lot and bay, or by the code on the bay's sign. On a bay that the caller has booked it is the arrival."""
        lot, bay = (body.lot or "", body.bay or "") if body.code is None else parse_bay_code(body.code)
        once = call.once(_begun)
        await self._parking.begin(call.principal.user_id, lot, bay, body.vehicle, once)
        return once.kept

    @operation("GET /v1/sessions", summary="My sessions", tag="sessions", access=Action.DRIVE)
    async def list_sessions(self, call: Call, query: PageQuery) -> Page[SessionView]:
        """The latest beginning first."""
        found = await self._parking.of(call.principal.user_id, instant_at(query.cursor), query.limit + 1)
        page = found[: query.limit]
        return Page(
            data=[session_view(parked, await self._parking.cost(parked)) for parked in page],
            next_cursor=cursor_after(page[-1].began_at, page[-1].id) if len(found) > len(page) else None,
        )

    @operation(
        "GET /v1/sessions/{id}",
        summary="One session with its cost so far",
        tag="sessions",
        access=Action.DRIVE,
        errors=(no_such_session(),),
    )
    async def get(self, call: Call, path: SessionPath) -> SessionView:
        """The cost is that of leaving now, by the tariff that held when the session began."""
        parked = await self._parking.find(call.principal.user_id, path.id)
        return session_view(parked, await self._parking.cost(parked))

    @operation(
        "POST /v1/sessions/{id}/stop",
        summary="End a session",
        tag="sessions",
        access=Action.DRIVE,
        idempotency=Idempotency.MONEY,
        etag=True,
        errors=(no_such_session(), BOOKED, OVER),
    )
    async def stop(self, call: Call, path: SessionPath) -> Reply[SessionView]:
        """Pays from the wallet; a session that cannot be paid ends all the same and stays `ended` until it is."""
        once = call.once(_ended)
        await self._parking.stop(call.principal.user_id, path.id, once)
        return once.kept


def _begun(parked: ParkingSession) -> Reply[SessionView]:
    view = session_view(parked, Cost(parked.began_at, None, None))
    return Reply(view, etag=str(parked.version), location=f"/v1/sessions/{parked.id}")


def _ended(parked: ParkingSession) -> Reply[SessionView]:
    view = session_view(parked, Cost(parked.ended_at or parked.began_at, parked.fee, None))
    return Reply(view, etag=str(parked.version))
