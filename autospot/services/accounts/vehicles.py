"""A driver's vehicles. Plates are sealed before they are stored, and opened for their owner alone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson

from autospot.clock import Clock
from autospot.domain.accounts.plate import Plate, normalised_plate
from autospot.domain.accounts.vehicle import Vehicle, forget_at, require_room
from autospot.domain.audit import Actor
from autospot.domain.errors import NotFound
from autospot.domain.ids import new_id
from autospot.services.accounts.profile import changed_meanwhile
from autospot.services.audit import Audit
from autospot.services.clockwork import Clockwork, DueKind, Schedule
from autospot.services.keys import Purpose, SecretKeys
from autospot.storage.mongo import Database, Session
from autospot.storage.vehicles import SealedVehicle, Vehicles, plate_taken


@dataclass(frozen=True, slots=True)
class Forgotten:
    """A vehicle that its owner removed, whose plate is to be erased."""

    vehicle_id: str


FORGET_PLATE = DueKind("forget_plate", Forgotten)


class Garage:
    """The vehicles of drivers."""

    def __init__(
        self,
        database: Database,
        vehicles: Vehicles,
        keys: SecretKeys,
        schedule: Schedule,
        clockwork: Clockwork,
        audit: Audit,
        clock: Clock,
    ) -> None:
        self._database = database
        self._vehicles = vehicles
        self._keys = keys
        self._schedule = schedule
        self._audit = audit
        self._clock = clock
        clockwork.exactly_once(FORGET_PLATE, self._forget)

    async def of_owner(self, owner: str) -> Sequence[Vehicle]:
        """The owner's vehicles, oldest first."""
        return [self._opened(sealed) for sealed in await self._vehicles.of_owner(owner)]

    async def get(self, owner: str, vehicle_id: str) -> Vehicle:
        """One of the owner's vehicles; `NotFound` for everybody else's."""
        sealed = await self._vehicles.find(vehicle_id, owner)
        if sealed is None:
            raise no_such_vehicle()
        return self._opened(sealed)

    async def add(self, owner: str, country: str, typed: str, label: str, actor: Actor) -> Vehicle:
        """Adds a vehicle. `InvalidInput` (code `bad_plate`), `Conflict` (codes `plate_taken`, `too_many_vehicles`)."""
        plate, now = normalised_plate(country, typed), self._clock.now()
        vehicle = Vehicle(new_id("veh"), owner, plate, label, added_at=now, version=1)

        async def work(session: Session) -> Vehicle:
            others = await self._vehicles.of_owner(owner, session=session)
            require_room(len(others))
            self._require_new(plate, others)
            await self._vehicles.add(self._sealed(vehicle), session=session)
            await self._audit.record(session, actor, "vehicle.added", vehicle.id, now)
            return vehicle

        return await self._database.transaction(work)

    async def change(
        self,
        owner: str,
        vehicle_id: str,
        actor: Actor,
        *,
        label: str | None = None,
        country: str | None = None,
        typed: str | None = None,
        versions: Collection[int] | None = None,
    ) -> Vehicle:
        """Changes what is given. Errors as for `add`; `NotFound`, `PreconditionFailed`."""
        now = self._clock.now()

        async def work(session: Session) -> Vehicle:
            sealed = await self._vehicles.find(vehicle_id, owner, session=session)
            if sealed is None:
                raise no_such_vehicle()
            if versions is not None and sealed.version not in versions:
                raise changed_meanwhile()
            before = self._opened(sealed)
            after = _edited(before, label, country, typed)
            others = [other for other in await self._vehicles.of_owner(owner, session=session) if other.id != sealed.id]
            self._require_new(after.plate, others)
            fields = self._stored_fields(before, after)
            changed = await self._vehicles.change(vehicle_id, owner, sealed.version, fields, session=session)
            if changed is None:
                raise changed_meanwhile()
            old, new = _audited(before), _audited(after)
            await self._audit.record(session, actor, "vehicle.changed", vehicle_id, now, before=old, after=new)
            return self._opened(changed)

        return await self._database.transaction(work)

    async def remove(self, owner: str, vehicle_id: str, actor: Actor) -> None:
        """Takes a vehicle off the list. Its plate is erased at once if it never parked, else 30 days after it last
        did: until then a dispute about that may need it."""
        now = self._clock.now()

        async def work(session: Session) -> None:
            if not await self.remove_within(session, owner, vehicle_id, now):
                raise no_such_vehicle()
            await self._audit.record(session, actor, "vehicle.removed", vehicle_id, now)

        await self._database.transaction(work)

    async def remove_within(self, session: Session, owner: str, vehicle_id: str, now: datetime) -> bool:
        """The same as part of a bigger step; False if the owner has no such vehicle."""
        sealed = await self._vehicles.unlist(vehicle_id, owner, session=session)
        if sealed is None:
            return False
        at = forget_at(sealed.last_parked_at, now)
        await self._schedule.put(FORGET_PLATE, vehicle_id, at, Forgotten(vehicle_id), session=session)
        return True

    async def remove_all_within(self, session: Session, owner: str, now: datetime) -> None:
        """Removes every vehicle of an owner."""
        for sealed in await self._vehicles.of_owner(owner, session=session):
            await self.remove_within(session, owner, sealed.id, now)

    async def owners_of_plate(self, country: str, typed: str) -> Mapping[str, str]:
        """Who has this plate on his list, as vehicle by owner: what a camera at the gate asks."""
        hashes = self._keys.keyed_hashes(Purpose.PLATE_HASH, normalised_plate(country, typed).matched_as)
        return {sealed.owner: sealed.id for sealed in await self._vehicles.with_plate(hashes)}

    async def parked(self, vehicle_id: str, until: datetime, *, session: Session | None = None) -> None:
        """Notes a session of this vehicle: when it begins with the end that is expected, and when it ends. The plate is
        remembered for 30 days from then, also if its owner removes it meanwhile."""
        await self._vehicles.parked(vehicle_id, until, session=session)

    async def reseal(self, said: Callable[[int], None] = lambda _: None) -> int:
        """Seals with the present key what was sealed with an older one; afterwards the older one may go. Returns how
        many there were; `said` hears of every one."""
        count = 0
        async for sealed in self._vehicles.sealed_by_others(self._keys.current_id):
            await self._vehicles.reseal(sealed, self._sealed(self._opened(sealed)))
            count += 1
            said(count)
        return count

    async def _forget(self, session: Session, forgotten: Forgotten, now: datetime) -> None:
        sealed = await self._vehicles.unlisted(forgotten.vehicle_id, session=session)
        if sealed is None:
            return
        at = forget_at(sealed.last_parked_at, now)
        if at > now:  # it was still parked when it was removed
            await self._schedule.put(FORGET_PLATE, sealed.id, at, forgotten, session=session)
            return
        await self._vehicles.erase(sealed.id, session=session)

    def _require_new(self, plate: Plate, others: Sequence[SealedVehicle]) -> None:
        # The unique index sees one key's hashes only; while keys rotate, an older hash means the same plate.
        hashes = self._keys.keyed_hashes(Purpose.PLATE_HASH, plate.matched_as)
        if any(other.plate_hash in hashes for other in others):
            raise plate_taken()

    def _stored_fields(self, before: Vehicle, after: Vehicle) -> dict[str, Any]:
        fields: dict[str, Any] = {"label": after.label}
        if after.plate != before.plate:
            sealed = self._sealed(after)
            fields |= {"sealed_plate": sealed.sealed_plate, "plate_hash": sealed.plate_hash, "key_id": sealed.key_id}
        return fields

    def _sealed(self, vehicle: Vehicle) -> SealedVehicle:
        plate = vehicle.plate
        text = orjson.dumps([plate.country, plate.text, plate.shown]).decode()
        return SealedVehicle(
            id=vehicle.id,
            owner=vehicle.owner,
            sealed_plate=self._keys.seal(Purpose.PLATE_SEAL, text, bound_to=vehicle.id),
            plate_hash=self._keys.keyed_hash(Purpose.PLATE_HASH, plate.matched_as),
            key_id=self._keys.current_id,
            label=vehicle.label,
            added_at=vehicle.added_at,
            version=vehicle.version,
            last_parked_at=vehicle.last_parked_at,
        )

    def _opened(self, sealed: SealedVehicle) -> Vehicle:
        plate = Plate(*orjson.loads(self._keys.open(Purpose.PLATE_SEAL, sealed.sealed_plate, bound_to=sealed.id)))
        return Vehicle(
            sealed.id, sealed.owner, plate, sealed.label, sealed.added_at, sealed.version, sealed.last_parked_at
        )


def _edited(vehicle: Vehicle, label: str | None, country: str | None, typed: str | None) -> Vehicle:
    plate = vehicle.plate
    if country is not None or typed is not None:
        plate = normalised_plate(country or plate.country, typed or plate.shown)
    return replace(vehicle, plate=plate, label=vehicle.label if label is None else label)


def _audited(vehicle: Vehicle) -> dict[str, str]:
    return {"plate": vehicle.plate.matched_as, "label": vehicle.label}


def no_such_vehicle() -> NotFound:
    return NotFound("there is no such vehicle")
