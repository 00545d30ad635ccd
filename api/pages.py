"""Lists: `?limit=` and an opaque `cursor`; `{"data": […], "next_cursor": …}`."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from datetime import datetime
from typing import Annotated, Generic, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from api.problems import InvalidInputs
from autospot.domain.instant import from_ms, to_ms

LIMIT_DEFAULT = 50
LIMIT_MAX = 200
CURSOR_MAX = 512
YEAR_10000_MS = 253_402_300_800_000
NOT_OURS = ("/query/cursor", "this cursor was not given out by this list")

Item = TypeVar("Item")
Position = TypeVar("Position")

Cursor = Annotated[
    str,
    Field(max_length=CURSOR_MAX, pattern=r"^[A-Za-z0-9_-]+$", description="`next_cursor` of the page before"),
]


class PageQuery(BaseModel):
    """The query of a list. Lists with filters inherit from it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: int = Field(LIMIT_DEFAULT, ge=1, le=LIMIT_MAX, description="items on a page")
    cursor: Cursor | None = None


class Page(BaseModel, Generic[Item]):
    """Part of a list. `next_cursor` is null on the last page."""

    data: list[Item]
    next_cursor: str | None = None


def cursor_at(position: object) -> str:
    """The cursor that continues after `position`: any small JSON value, usually the sort key of the last item."""
    return urlsafe_b64encode(orjson.dumps(position)).rstrip(b"=").decode()


def position_at(cursor: str | None, kind: type[Position]) -> Position | None:
    """The position a cursor stands for; None for the first page. A cursor that was not made by `cursor_at` from a
    `kind` is the caller's mistake: `InvalidInput` at `/query/cursor`."""
    if cursor is None:
        return None
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return TypeAdapter(kind).validate_json(text, strict=True)
    except (Base64Error, ValidationError, ValueError) as error:
        raise InvalidInputs([NOT_OURS]) from error


def cursor_after(at: datetime, item_id: str) -> str:
    """The cursor of a list in the order of time: several items may be of one millisecond."""
    return cursor_at((to_ms(at), item_id))


def instant_at(cursor: str | None) -> tuple[datetime, str] | None:
    """The position of a cursor made by `cursor_after`. `InvalidInput` as `position_at`."""
    found = position_at(cursor, tuple[int, str])
    return None if found is None else (from_ms(_as_ms(found[0])), found[1])


def ms_at(cursor: str | None) -> int | None:
    """The position of a cursor that is milliseconds since the epoch. `InvalidInput` as `position_at`."""
    found = position_at(cursor, int)
    return None if found is None else _as_ms(found)


def _as_ms(number: int) -> int:
    # Any other number is no time that Python, BSON and RFC 3339 agree on.
    if not 0 <= number < YEAR_10000_MS:
        raise InvalidInputs([NOT_OURS])
    return number
