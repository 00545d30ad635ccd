"""The one error of the embedded parts."""

from __future__ import annotations

from autospot.domain.errors import AutoSpotError


class EmbeddedError(AutoSpotError):
    """A part could not be started, or died. The CLI prints it and ends with exit code 1.

    `code` is one of

    =================== =============================================================================
    ``program_missing`` no mongod or no broker on this machine; the message says what to install
    ``folder_unusable`` the data folder cannot be made or written
    ``folder_in_use``   another AutoSpot runs on the folder; the message names its process
    ``folder_version``  the folder was written by another version
    ``port_busy``       a port that was asked for is taken
    ``part_failed``     a part ended, or was not ready in time; `log_tail` holds its last lines
    =================== =============================================================================
    """

    def __init__(self, code: str, message: str, log_tail: tuple[str, ...] = ()) -> None:
        super().__init__(message, code=code)
        self.log_tail = log_tail

    def __str__(self) -> str:
        return "\n".join([self.message, *(f"  | {line}" for line in self.log_tail)])
