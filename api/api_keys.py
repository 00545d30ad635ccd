"""API keys for machines: gate cameras, city dashboards, back offices."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field, StringConstraints

from api.account_views import NO_CONTROLS
from api.call import Call
from api.contract import Input, Output, operation
from api.values import Instant
from autospot.domain.access import Action, Scope
from autospot.domain.accounts.api_key import API_KEY_LIFETIME, API_KEY_NAME_LENGTH, ApiKey
from autospot.domain.errors import Conflict, NotFound
from autospot.domain.ids import Code
from autospot.services.accounts.api_keys import KeyCabinet

NO_SUCH_KEY = NotFound("there is no such key")
TOO_MANY_KEYS = Conflict("one person has at most 50 keys", code="too_many_keys")


class KeyPath(Input):
    """A key."""

    key: str = Field(pattern=r"^key_[0-9a-f]{32}$")


class KeyBody(Input):
    """A key for one purpose: as few scopes and lots as it needs."""

    name: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=API_KEY_NAME_LENGTH, pattern=NO_CONTROLS)
    ]
    scopes: list[Annotated[Scope, Field(strict=False)]] = Field(min_length=1, max_length=len(Scope))
    lots: list[Code] = Field(min_length=1, max_length=100)
    days: int = Field(API_KEY_LIFETIME.days, ge=1, le=2 * API_KEY_LIFETIME.days, description="how long it holds")


class KeyView(Output):
    """A key without its secret."""

    id: str = Field(examples=["key_5b1c…"])
    name: str
    scopes: list[Scope]
    lots: list[str]
    created_at: Instant
    expires_at: Instant
    last_used_at: Instant | None = Field(description="to the minute")
    revoked_at: Instant | None


class NewKeyView(KeyView):
    """A new key. `secret` is shown here and never again."""

    secret: str = Field(description="send it as `Authorization: Bearer`", examples=["aspk_…"])


class KeysView(Output):
    """Keys, oldest first."""

    data: list[KeyView]


class ApiKeyOperations:
    """Making, listing and revoking keys of one's own lots."""

    def __init__(self, cabinet: KeyCabinet) -> None:
        self._cabinet = cabinet

    @operation("GET /v1/operator/api-keys", summary="API keys", tag="operator", access=Action.MANAGE_KEYS)
    async def list_keys(self, call: Call) -> KeysView:
        """Those whose lots all belong to the caller's."""
        return KeysView(data=[key_view(key) for key in await self._cabinet.shown_to(call.principal)])

    @operation(
        "POST /v1/operator/api-keys",
        summary="Make an API key",
        tag="operator",
        access=Action.MANAGE_KEYS,
        status=201,
        errors=(TOO_MANY_KEYS,),
    )
    async def make(self, call: Call, body: KeyBody) -> NewKeyView:
        """For lots that the caller works for, each of them."""
        made = await self._cabinet.make(
            call.principal, body.name, body.scopes, body.lots, timedelta(days=body.days), call.request_id
        )
        return NewKeyView(**key_view(made.key).model_dump(), secret=made.secret)

    @operation(
        "DELETE /v1/operator/api-keys/{key}",
        summary="Revoke an API key",
        tag="operator",
        access=Action.MANAGE_KEYS,
        status=204,
        errors=(NO_SUCH_KEY,),
    )
    async def revoke(self, call: Call, path: KeyPath) -> None:
        """At once, and for good."""
        await self._cabinet.revoke(call.principal, path.key, call.request_id)


def key_view(key: ApiKey) -> KeyView:
    return KeyView(
        id=key.id,
        name=key.name,
        scopes=sorted(key.scopes),
        lots=sorted(key.lots),
        created_at=key.created_at,
        expires_at=key.expires_at,
        last_used_at=key.last_used_at,
        revoked_at=key.revoked_at,
    )
