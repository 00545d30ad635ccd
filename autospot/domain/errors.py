"""Every refusal AutoSpot can give, as one tree with stable codes.

An error says what is wrong in words a caller may see, and whether trying the same again can help. Programs translate
the tree once, at their edge: `api/problems.py` to HTTP, `hub/protocol.py` to websocket errors, the CLI to an exit code.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any


class AutoSpotError(Exception):
    """Base of the tree.

    `code` is stable and documented in `docs/errors.md`; `message` is for people and holds nothing internal;
    `retryable` says that the same call may succeed later without any change by the caller.
    """

    code = "error"
    retryable = False
    extensions: Mapping[str, Any] = MappingProxyType({})
    """What a program may want to know beside code and message: plain JSON values by name."""

    def __init__(self, message: str, *, code: str | None = None, retryable: bool | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code
        if retryable is not None:
            self.retryable = retryable


class InvalidInput(AutoSpotError):
    """What the caller sent cannot be used. `at` is a JSON pointer (RFC 6901) into it, `""` for the whole."""

    code = "invalid_input"

    def __init__(self, message: str, *, at: str = "", code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.at = at


class Unauthenticated(AutoSpotError):
    """Nobody is signed in, or the proof of identity does not hold."""

    code = "unauthenticated"


class Forbidden(AutoSpotError):
    """The caller is known and may not do this."""

    code = "forbidden"


class NotFound(AutoSpotError):
    """No such thing, or none that the caller may know of: the two look the same on purpose."""

    code = "not_found"


class Conflict(AutoSpotError):
    """The request is fine in itself but the present state refuses it."""

    code = "conflict"


class PreconditionFailed(AutoSpotError):
    """The caller edited an older version than the one that is stored."""

    code = "precondition_failed"


class LimitReached(AutoSpotError):
    """A named limit is used up; `after_seconds` says when to come back."""

    code = "limit_reached"
    retryable = True

    def __init__(self, message: str, *, after_seconds: float, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.after_seconds = after_seconds


class Unavailable(AutoSpotError):
    """A part AutoSpot stands on (database, broker, gateway) does not answer now. Nothing was changed."""

    code = "unavailable"
    retryable = True
