"""Which sign-ins and API keys ended a moment ago: what an access token cannot say of itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from autospot.clock import Clock
from autospot.domain.accounts.sign_in import ACCESS_LIFETIME
from autospot.domain.errors import Unavailable
from autospot.services.signals import Signals
from autospot.storage.tokens import Families

MARGIN = timedelta(minutes=1)
"""For clocks that differ between machines."""
RELOAD_PAUSE_SECONDS = 1.0

log = structlog.get_logger(__name__)


class Revocations:
    """The sessions that ended within the life of an access token, kept in memory in every process.

    Guarantees: a session that ended is known here a few milliseconds after the database knows, in every process, and
    is forgotten when its last access token has expired by itself; after an interruption everything missed is read.
    Memory: one entry per session that ended in the last 11 minutes.
    """

    def __init__(self, families: Families, clock: Clock, signals: Signals) -> None:
        self._families = families
        self._clock = clock
        self._ended: dict[str, datetime] = {}
        self._listeners: list[Callable[[str], None]] = []
        self._stale = asyncio.Event()
        self._stale.set()
        signals.on_revoked(self._add)
        signals.on_resync(self._stale.set)

    def is_revoked(self, session_id: str | None) -> bool:
        """True if the session (`Principal.session_id`) has ended; a few milliseconds late at worst."""
        return session_id in self._ended

    def on_session_revoked(self, listener: Callable[[str], None]) -> None:
        """`listener(session_id)`, once per session, when it ends: the place to close its websockets."""
        self._listeners.append(listener)

    async def run(self) -> None:
        """Reads what was missed, at the start and after every interruption, until cancelled."""
        while True:
            await self._stale.wait()
            self._stale.clear()
            try:
                await self.load()
            except Unavailable as error:
                log.warning("revocations wait for the database", reason=error.message)
                self._stale.set()
                await asyncio.sleep(RELOAD_PAUSE_SECONDS)

    async def load(self) -> None:
        """Reads every session that ended lately. To be called once before the first request is served."""
        since = self._clock.now() - ACCESS_LIFETIME - MARGIN
        for session_id, at in (await self._families.revoked_since(since)).items():
            self._add(session_id, at)

    def _add(self, session_id: str, at: datetime) -> None:
        if session_id in self._ended:
            return
        self._forget_expired()
        self._ended[session_id] = at
        for listener in self._listeners:
            listener(session_id)

    def _forget_expired(self) -> None:
        oldest_needed = self._clock.now() - ACCESS_LIFETIME - MARGIN
        self._ended = {session_id: at for session_id, at in self._ended.items() if at >= oldest_needed}
