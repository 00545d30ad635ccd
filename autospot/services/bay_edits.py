"""Editing single bays of a lot: who they are for, and whether they can be booked."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from autospot.clock import Clock
from autospot.domain.access import Action, Principal, require
from autospot.domain.audit import actor_of
from autospot.domain.errors import InvalidInput
from autospot.domain.lot import Bay, BayKind, Lot
from autospot.services.audit import Audit
from autospot.storage.lots import Lots
from autospot.storage.mongo import Database, Session


@dataclass(frozen=True, slots=True)
class BayEdit:
    """What is to be different; None stays as it is."""

    kind: BayKind | None = None
    bookable: bool | None = None

    @property
    def is_empty(self) -> bool:
        """True if nothing is to be different."""
        return self == BayEdit()

    def of(self, bay: Bay) -> Bay:
        """`bay`, edited."""
        return replace(bay, **{name: value for name, value in asdict(self).items() if value is not None})


class BayEdits:
    """Stores edits as the next version of the lot; every process takes it up at once. What was booked before stays
    booked: a promise is one of the bay."""

    def __init__(self, database: Database, lots: Lots, audit: Audit, clock: Clock) -> None:
        self._database = database
        self._lots = lots
        self._audit = audit
        self._clock = clock

    async def edit(self, principal: Principal, lot: str, bay: str, edit: BayEdit, request_id: str) -> None:
        """Edits a bay; nothing happens where it is so already. `InvalidInput` for a bay that is not there."""
        require(principal, Action.EDIT_LOT, lot)
        now = self._clock.now()

        async def work(session: Session) -> None:
            before, after = await self._lots.edit(session, lot, lambda found: _edited(found, bay, edit), now)
            old, new = _facts(before, bay), _facts(after, bay)
            if old != new:
                actor = actor_of(principal, request_id)
                await self._audit.record(session, actor, "bay.edited", bay, now, lot=lot, before=old, after=new)

        await self._database.transaction(work)


def _edited(lot: Lot, code: str, edit: BayEdit) -> Lot:
    if all(bay.bay != code for bay in lot.bays):
        raise InvalidInput("there is no such bay", at="/bay")
    return lot.model_copy(update={"bays": tuple(edit.of(bay) if bay.bay == code else bay for bay in lot.bays)})


def _facts(lot: Lot, code: str) -> dict[str, Any]:
    return next({"kind": bay.kind, "bookable": bay.bookable} for bay in lot.bays if bay.bay == code)
