"""Passing on what other processes did: to the clockwork, to whatever must end when a sign-in ends, to the drivers who
are connected here."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import datetime

import structlog

from autospot.domain.errors import Unavailable
from autospot.domain.notice import ToldNotice
from autospot.storage.mongo import Database
from autospot.storage.signals import NoticeKept, Resync, RowPut, SessionRevoked, Signal, follow_signals

RECONNECT_SECONDS = 1.0

log = structlog.get_logger(__name__)


class Signals:
    """Follows the change stream of `storage/signals.py` and calls whoever asked, in the event loop, in order.

    Guarantees: after every interruption the `on_resync` listeners are called before any other, so that they can read
    what they missed. Listeners are quick and plain functions; there is no queue between.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._on_resync: list[Callable[[], None]] = []
        self._on_row: list[Callable[[datetime], None]] = []
        self._on_revoked: list[Callable[[str, datetime], None]] = []
        self._on_notice: list[Callable[[ToldNotice], None]] = []

    def on_resync(self, listener: Callable[[], None]) -> None:
        """`listener()` when the stream begins, and begins again."""
        self._on_resync.append(listener)

    def on_row(self, listener: Callable[[datetime], None]) -> None:
        """`listener(at)` when somebody wrote a row of the due-queue that falls due at `at`."""
        self._on_row.append(listener)

    def on_revoked(self, listener: Callable[[str, datetime], None]) -> None:
        """`listener(session_id, at)` when a sign-in or an API key ended."""
        self._on_revoked.append(listener)

    def on_notice(self, listener: Callable[[ToldNotice], None]) -> None:
        """`listener(told)` when a driver was told something."""
        self._on_notice.append(listener)

    async def run(self) -> None:
        """Follows until cancelled, through outages."""
        while True:
            try:
                async for signal in follow_signals(self._database):
                    self._pass_on(signal)
            except Unavailable as error:
                log.warning("signals wait for the database", reason=error.message)
            await asyncio.sleep(RECONNECT_SECONDS * (0.5 + random.random()))

    def _pass_on(self, signal: Signal | None) -> None:
        match signal:
            case Resync():
                for resync in self._on_resync:
                    resync()
            case RowPut(at):
                for row in self._on_row:
                    row(at)
            case SessionRevoked(session_id, at):
                for revoked in self._on_revoked:
                    revoked(session_id, at)
            case NoticeKept(told):
                for notice in self._on_notice:
                    notice(told)
            case None:
                return
