"""One small resource with every sort of operation there is."""

from __future__ import annotations

from pydantic import Field

from api.call import Call
from api.contract import PUBLIC, Encoded, File, Input, Output, Reply, operation
from api.limits import LimitClass
from api.pages import Page, PageQuery
from api.values import Instant
from autospot.domain.access import Action, Role
from autospot.domain.errors import Conflict, InvalidInput, NotFound, Unavailable
from tests.support.api import bearer


class BoxPath(Input):
    """A box of a lot."""

    lot: str = Field(pattern="^[a-z]{1,20}$")
    box: int = Field(ge=1, le=9)


class NewBox(Input):
    """What a box is made of."""

    name: str = Field(max_length=20)
    at: Instant | None = None
    sizes: list[int] = Field([], max_length=5)


class BoxView(Output):
    """A box."""

    name: str
    at: Instant | None = None
    note: str | None = None


class BoxesQuery(PageQuery):
    """A filter."""

    colour: list[str] = Field([])
    heavy: bool | None = None


class Boxes:
    """Every sort of operation there is."""

    def __init__(self) -> None:
        self.version = 1

    @operation("GET /v1/{lot}/boxes/{box}", summary="A box", tag="boxes", access=PUBLIC, etag=True)
    async def one(self, path: BoxPath) -> Reply[BoxView]:
        return Reply(BoxView(name=f"{path.lot}/{path.box}"), etag=f"v{self.version}")

    @operation("PATCH /v1/{lot}/boxes/{box}", summary="Change", tag="boxes", access=Action.EDIT_LOT, if_match=True)
    async def change(self, call: Call, path: BoxPath, body: NewBox) -> Reply[BoxView]:
        call.if_match.check(f"v{self.version}")
        self.version += 1
        return Reply(BoxView(name=body.name), etag=f"v{self.version}")

    @operation("GET /v1/boxes", summary="Boxes", tag="boxes", access=PUBLIC)
    async def listed(self, query: BoxesQuery) -> Page[BoxView]:
        return Page(data=[BoxView(name=each) for each in query.colour], next_cursor=f"{query.limit}-{query.heavy}")

    @operation("POST /v1/boxes", summary="Make", tag="boxes", access=Action.DRIVE, status=201)
    async def make(self, call: Call, body: NewBox) -> Reply[BoxView]:
        return Reply(BoxView(name=body.name, at=body.at, note=call.principal.user_id), location="/v1/boxes/1")

    @operation("POST /v1/boxes/touch", summary="Touch", tag="boxes", access=PUBLIC, status=204)
    async def touch(self) -> None: ...

    @operation("GET /v1/boxes/state", summary="Live", tag="boxes", access=PUBLIC, limit=LimitClass.LIVE, etag=True)
    async def live(self) -> Encoded[BoxView]:
        return Encoded(b'{"name":"live","at":null,"note":null}', "e1:7")

    @operation("GET /v1/boxes/picture", summary="Picture", tag="boxes", access=PUBLIC, media=("image/svg+xml",))
    async def picture(self) -> File:
        return File(b"<svg/>", "image/svg+xml", "box.svg")

    @operation("GET /v1/boxes/fail/{lot}/{box}", summary="Fails", tag="boxes", access=PUBLIC)
    async def fail(self, path: BoxPath) -> BoxView:
        raise {
            1: NotFound("there is no such box"),
            2: Conflict("somebody was faster", code="box_taken"),
            3: InvalidInput("in the past", at="/from"),
            4: Unavailable("the database does not answer"),
            5: KeyError("mongodb://user:secret@db/"),
            6: TimeoutError("inner"),
            7: RecursionError(),
        }[path.box]


OPERATOR = bearer("usr_2", Role.OPERATOR, lots=["harbour"])
