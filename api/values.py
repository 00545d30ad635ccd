"""Values that many bodies share, in the one form this API gives them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from autospot.domain.instant import rfc3339

_RFC3339: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def _from_rfc3339(given: object) -> object:
    """The instant of a text that RFC 3339 allows (section 5.6), and of no other: not of the seconds since 1970, which
    pydantic takes as well."""
    if not isinstance(given, str):
        return given
    if not _RFC3339.fullmatch(given):
        raise ValueError("a date, a time and an offset are needed, such as 2026-11-22T10:00:00Z")
    return datetime.fromisoformat(given.upper())


def _in_utc(instant: datetime) -> datetime:
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("an instant between the years 1 and 9999 in UTC is needed") from error


Instant = Annotated[
    AwareDatetime,
    BeforeValidator(_from_rfc3339),
    AfterValidator(_in_utc),
    PlainSerializer(rfc3339, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-22T10:00:00.000Z"]}),
]
"""RFC 3339. Comes in with any offset, never without one; goes out in UTC with `Z` and milliseconds."""

Reason = Annotated[str, Field(min_length=1, max_length=200, pattern="^[^\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]*$")]
"""Why somebody does something, in one line of words for somebody else."""
