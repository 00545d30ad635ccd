"""Assignments: the nearest suitable bay, kept while a driver is on the way to it."""

from __future__ import annotations

from api.booking_views import AssignmentBody, AssignmentPath, AssignmentView, assignment_view
from api.call import Call
from api.contract import Idempotency, Reply, operation
from api.current import NO_SUCH_LOT, NOT_LIVE
from api.guidance_views import NO_SUCH_PLACE
from api.lot_views import LotPath
from autospot.domain.access import Action
from autospot.domain.assignment import Assignment
from autospot.domain.booking.alternatives import BayTaken
from autospot.domain.errors import Conflict
from autospot.services.assigning import Assigning, no_such_assignment

NONE_FREE = BayTaken("no general bay is free at this moment")
ASSIGNED = Conflict("a bay is kept for you already", code="assigned_already")
KEPT_TOO_LONG = Conflict("a bay is kept for 60 minutes at most: book it", code="kept_too_long")
OVER = Conflict("this assignment is expired already", code="illegal_step")


class AssignmentOperations:
    """Everything about assignments."""

    def __init__(self, assigning: Assigning) -> None:
        self._assigning = assigning

    @operation(
        "POST /v1/lots/{lot}/assignments",
        summary="Keep the nearest suitable bay for me",
        tag="guidance",
        access=Action.DRIVE,
        status=201,
        idempotency=Idempotency.DAY,
        errors=(NO_SUCH_LOT, NO_SUCH_PLACE, NONE_FREE, ASSIGNED, NOT_LIVE),
    )
    async def assign(self, call: Call, path: LotPath, body: AssignmentBody) -> Reply[AssignmentView]:
        """For a driver on the way, for 15 minutes; screens show the bay as assigned at once. Drivers who ask at one
        moment are matched together: each gets a bay of their own, and all their ways together are the shortest."""
        once = call.once(_made)
        await self._assigning.assign(call.principal.user_id, path.lot, body.wish(), once)
        return once.kept

    @operation(
        "GET /v1/assignments/{id}",
        summary="One assignment",
        tag="guidance",
        access=Action.DRIVE,
        errors=(no_such_assignment(),),
    )
    async def get(self, call: Call, path: AssignmentPath) -> AssignmentView:
        """Whether the bay is still kept, and until when."""
        return assignment_view(await self._assigning.find(call.principal.user_id, path.id))

    @operation(
        "POST /v1/assignments/{id}/renew",
        summary="I am still on the way",
        tag="guidance",
        access=Action.DRIVE,
        errors=(no_such_assignment(), NONE_FREE, KEPT_TOO_LONG, OVER, NOT_LIVE),
    )
    async def renew(self, call: Call, path: AssignmentPath) -> AssignmentView:
        """For another 15 minutes from now, an hour in all."""
        return assignment_view(await self._assigning.renew(call.principal.user_id, path.id))

    @operation(
        "DELETE /v1/assignments/{id}",
        summary="Give the bay back",
        tag="guidance",
        access=Action.DRIVE,
        status=204,
        errors=(no_such_assignment(),),
    )
    async def release(self, call: Call, path: AssignmentPath) -> None:
        """Nothing happens if it is over already."""
        await self._assigning.release(call.principal.user_id, path.id)


def _made(assignment: Assignment) -> Reply[AssignmentView]:
    return Reply(assignment_view(assignment), location=f"/v1/assignments/{assignment.id}")
