"""What can go wrong between a program and AutoSpot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ApiError(Exception):
    """AutoSpot refused a request (RFC 9457). `code` is the stable word for it; `after_seconds` says when the same
    request may succeed, where the server said so."""

    def __init__(self, status: int, problem: Mapping[str, Any], after_seconds: float | None = None) -> None:
        super().__init__(f"{status} {problem.get('code', '')}: {problem.get('detail', '')}")
        self.status = status
        self.code = str(problem.get("code", "unknown"))
        self.detail = str(problem.get("detail", ""))
        self.errors: list[Mapping[str, str]] = list(problem.get("errors", ()))
        self.after_seconds = after_seconds


class LiveEndedError(Exception):
    """The server closed the live connection for a reason that coming back unchanged does not cure (4000-4099)."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
