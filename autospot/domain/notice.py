"""Something a person should hear of: what happened, to what, and who is meant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Notice:
    """`to` is a driver, named by `user`, or the operators of `lot`. `what` is a stable word such as `booking_moved`,
    `subject` the id of the booking, session or offer that it is about; `facts` are plain JSON values for the text.

    The same `what` about the same `subject` with the same `facts` is the same notice.
    """

    to: Literal["driver", "operator"]
    lot: str
    what: str
    subject: str
    user: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ToldNotice:
    """A notice as it is kept: by which id, and when it was told. The id derives from the occasion."""

    id: str
    at: datetime
    notice: Notice
