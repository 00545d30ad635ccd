"""Telling drivers who are connected what they were told: kept first, then passed on, whichever process kept it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import structlog

from autospot.clock import Clock
from autospot.domain.errors import Unavailable
from autospot.domain.instant import rfc3339
from autospot.domain.notice import ToldNotice
from autospot.services.signals import Signals
from autospot.storage.notices import Notices

MARGIN = timedelta(minutes=1)
"""How much older than the last one a notice may be that was not heard: the time between deciding and committing, and
what the clocks of two machines differ by."""

MISSED_LIMIT = 1_000
"""Notices that are passed on late after one interruption, the oldest ones. Every client can read the rest, and does
when it comes back."""

REMEMBERED = 10_000
"""Ids of notices that were passed on: more than are told in `MARGIN`."""

RELOAD_PAUSE_SECONDS = 1.0

log = structlog.get_logger(__name__)

TellUser = Callable[[str, Mapping[str, Any]], None]
"""Sends an event to every connection that a user has in this process; nothing if there is none."""


class LiveNotices:
    """Passes notices on to the drivers who are connected to this process.

    Guarantees: nothing is passed on that is not durable; a notice is passed on once while the process lives, also one
    that was kept while the change stream was down (at most `MISSED_LIMIT` of them). Nothing waits for a slow client:
    what it has not read is bounded by its socket.
    """

    def __init__(self, notices: Notices, clock: Clock, signals: Signals, tell_user: TellUser) -> None:
        self._notices = notices
        self._tell_user = tell_user
        self._newest = clock.now()
        self._passed_on: OrderedDict[str, None] = OrderedDict()
        self._stale = asyncio.Event()
        signals.on_notice(self._pass_on)
        signals.on_resync(self._stale.set)

    async def run(self) -> None:
        """Reads what was missed, at the start and after every interruption, until cancelled."""
        while True:
            await self._stale.wait()
            self._stale.clear()
            try:
                missed = await self._notices.to_drivers_since(self._newest - MARGIN, MISSED_LIMIT)
            except Unavailable as error:
                log.warning("notices wait for the database", reason=error.message)
                self._stale.set()
                await asyncio.sleep(RELOAD_PAUSE_SECONDS)
                continue
            for told in missed:
                self._pass_on(told)

    def _pass_on(self, told: ToldNotice) -> None:
        if told.id in self._passed_on or told.notice.user is None:
            return
        self._passed_on[told.id] = None
        if len(self._passed_on) > REMEMBERED:
            self._passed_on.popitem(last=False)
        self._newest = max(self._newest, told.at)
        self._tell_user(told.notice.user, me_event(told))


def me_event(told: ToldNotice) -> Mapping[str, Any]:
    """The websocket's `me` message of a notice, without its type."""
    notice = told.notice
    return {
        "event": notice.what,
        "id": told.id,
        "subject": notice.subject,
        "lot": notice.lot,
        "at": rfc3339(told.at),
        "facts": dict(notice.facts),
    }
