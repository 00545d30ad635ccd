"""Values that many bodies share, in the one form this API gives them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, PlainSerializer, WithJsonSchema

from autospot.domain.instant import rfc3339


def _in_utc(instant: datetime) -> datetime:
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("an instant between the years 1 and 9999 in UTC is needed") from error


Instant = Annotated[
    AwareDatetime,
    AfterValidator(_in_utc),
    PlainSerializer(rfc3339, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-22T10:00:00.000Z"]}),
]
"""RFC 3339. Comes in with any offset, never without one; goes out in UTC with `Z` and milliseconds."""
