"""Oneself: profile, vehicles, and one's own data."""

from __future__ import annotations

from typing import Any

from api.account_views import (
    AccountChange,
    AccountView,
    VehicleBody,
    VehicleChange,
    VehiclePath,
    VehiclesView,
    VehicleView,
    account_view,
    vehicle_view,
)
from api.call import Call
from api.contract import Reply, operation
from api.etag import IfMatch
from api.limits import LimitClass
from api.sign_in import BUSY, TOO_MANY_ATTEMPTS, WEAK_PASSWORD
from autospot.domain.access import Action
from autospot.domain.audit import actor_of
from autospot.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from autospot.services.accounts.own_data import OwnData
from autospot.services.accounts.profile import Profiles
from autospot.services.accounts.vehicles import Garage, no_such_vehicle
from autospot.storage.vehicles import plate_taken

WRONG_PASSWORD = InvalidInput("this is not your present password", at="/current_password", code="wrong_password")
SIGN_IN_AGAIN = Forbidden("this needs your password: sign in again, then repeat it", code="sign_in_again")
IN_USE = Conflict("there is money in your wallet", code="account_in_use")
GONE = NotFound("there is no such account")
BAD_PLATE = InvalidInput("this is no plate of DE", at="/plate", code="bad_plate")
TOO_MANY_VEHICLES = Conflict("an account has at most 10 vehicles", code="too_many_vehicles")


class AccountOperations:
    """Everything under `/me`."""

    def __init__(self, profiles: Profiles, garage: Garage, own_data: OwnData) -> None:
        self._profiles = profiles
        self._garage = garage
        self._own_data = own_data

    @operation("GET /v1/me", summary="My account", tag="me", access=Action.ACCOUNT, etag=True, errors=(GONE,))
    async def get(self, call: Call) -> Reply[AccountView]:
        """The caller's own account."""
        account = await self._profiles.get(call.principal)
        return Reply(account_view(account), etag=str(account.version))

    @operation(
        "PATCH /v1/me",
        summary="Change my account",
        tag="me",
        access=Action.ACCOUNT,
        etag=True,
        if_match=True,
        errors=(GONE, WRONG_PASSWORD, WEAK_PASSWORD, TOO_MANY_ATTEMPTS, BUSY),
    )
    async def change(self, call: Call, body: AccountChange) -> Reply[AccountView]:
        """Name and language, or the password; a new password signs out every other device."""
        versions = versions_of(call.if_match)
        if body.current_password is not None and body.new_password is not None:
            account = await self._profiles.change_password(
                call.principal,
                body.current_password,
                body.new_password,
                versions=versions,
                place=call.address,
                request_id=call.request_id,
            )
        else:
            fields = body.model_dump(include={"name", "language"}, exclude_none=True)
            account = await self._profiles.change(call.principal, fields, versions=versions, request_id=call.request_id)
        return Reply(account_view(account), etag=str(account.version))

    @operation(
        "DELETE /v1/me",
        summary="Close my account",
        tag="me",
        access=Action.ACCOUNT,
        status=204,
        errors=(GONE, SIGN_IN_AGAIN, IN_USE),
    )
    async def close(self, call: Call) -> None:
        """For good. Needs a sign-in of the last 15 minutes. Erases what may be erased; `docs/accounts.md` says what
        the law makes AutoSpot keep, under an id that leads to nobody."""
        await self._own_data.erase(call.principal, call.request_id)

    @operation(
        "GET /v1/me/export",
        summary="All my data",
        tag="me",
        access=Action.ACCOUNT,
        limit=LimitClass.REPORT,
        errors=(GONE,),
    )
    async def export(self, call: Call) -> dict[str, Any]:
        """Everything that AutoSpot knows of the caller, by kind."""
        return dict(await self._own_data.export(call.principal))

    @operation("GET /v1/me/vehicles", summary="My vehicles", tag="me", access=Action.DRIVE)
    async def list_vehicles(self, call: Call) -> VehiclesView:
        """Oldest first; there are at most ten."""
        vehicles = await self._garage.of_owner(call.principal.user_id)
        return VehiclesView(data=[vehicle_view(vehicle) for vehicle in vehicles])

    @operation(
        "POST /v1/me/vehicles",
        summary="Add a vehicle",
        tag="me",
        access=Action.DRIVE,
        status=201,
        etag=True,
        errors=(BAD_PLATE, plate_taken(), TOO_MANY_VEHICLES),
    )
    async def add_vehicle(self, call: Call, body: VehicleBody) -> Reply[VehicleView]:
        """A plate is on one's list once, however it is written."""
        owner, actor = call.principal.user_id, actor_of(call.principal, call.request_id)
        vehicle = await self._garage.add(owner, body.country, body.plate, body.label, actor)
        location = f"/v1/me/vehicles/{vehicle.id}"
        return Reply(vehicle_view(vehicle), etag=str(vehicle.version), location=location)

    @operation(
        "PATCH /v1/me/vehicles/{id}",
        summary="Change a vehicle",
        tag="me",
        access=Action.DRIVE,
        etag=True,
        if_match=True,
        errors=(no_such_vehicle(), BAD_PLATE, plate_taken()),
    )
    async def change_vehicle(self, call: Call, path: VehiclePath, body: VehicleChange) -> Reply[VehicleView]:
        """Plate or label."""
        vehicle = await self._garage.change(
            call.principal.user_id,
            path.id,
            actor_of(call.principal, call.request_id),
            label=body.label,
            country=body.country,
            typed=body.plate,
            versions=versions_of(call.if_match),
        )
        return Reply(vehicle_view(vehicle), etag=str(vehicle.version))

    @operation(
        "DELETE /v1/me/vehicles/{id}",
        summary="Remove a vehicle",
        tag="me",
        access=Action.DRIVE,
        status=204,
        errors=(no_such_vehicle(),),
    )
    async def remove_vehicle(self, call: Call, path: VehiclePath) -> None:
        """Its plate is erased at once if it never parked, else 30 days after it last did."""
        await self._garage.remove(call.principal.user_id, path.id, actor_of(call.principal, call.request_id))


def versions_of(if_match: IfMatch) -> frozenset[int] | None:
    """The versions that the caller is ready to overwrite; None for any."""
    if if_match.tags is None:
        return None
    return frozenset(int(tag) for tag in if_match.tags if tag.isascii() and tag.isdigit() and len(tag) < 12)
