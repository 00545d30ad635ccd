"""Reminding: when a driver chooses another time for reminders, what is open already follows."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from autospot.clock import Clock
from autospot.domain.booking.life import OPEN
from autospot.domain.due import Due
from autospot.domain.reminding import Leads
from autospot.services.clockwork import Clockwork
from autospot.services.desk.register import Register
from autospot.services.noticeboard import LEADS_CHANGED, LeadsChanged
from autospot.services.subscribing import Subscribing
from autospot.storage.bookings import BookingQuery, Bookings
from autospot.storage.mail_wishes import MailWishesStore
from autospot.storage.mongo import Database, Session

OPEN_LIMIT = 2_000
"""Open bookings of one driver that follow: more than terms allow, series of the longest sort included."""


class Reminding:
    """Handles the rows `leads_changed` of the due-queue. A reminder that would have been due by now comes at once; one
    that was given is not given again."""

    def __init__(
        self,
        database: Database,
        bookings: Bookings,
        register: Register,
        subscribing: Subscribing,
        clockwork: Clockwork,
        clock: Clock,
    ) -> None:
        self._database = database
        self._wishes = MailWishesStore(database)
        self._bookings = bookings
        self._register = register
        self._subscribing = subscribing
        self._clock = clock
        clockwork.at_least_once(LEADS_CHANGED, self._follow)

    async def _follow(self, changed: LeadsChanged, due: Due) -> None:  # noqa: ARG002 - the queue's handlers take both
        leads = await self._wishes.leads_of(changed.user)
        query = BookingQuery(owner=changed.user, states=sorted(OPEN))
        for booking in await self._bookings.newest(query, OPEN_LIMIT):
            if booking.leads != leads:
                await self._database.transaction(partial(self._remind_anew, booking.id, leads))
        await self._subscribing.remind_anew(changed.user)

    async def _remind_anew(self, booking_id: str, leads: Leads, session: Session) -> None:
        now, before = self._clock.now(), await self._register.load(session, booking_id)
        if before.is_open:
            after = replace(before, leads=leads, leads_since=now, version=before.version + 1)
            await self._register.store(session, before, after, now, moves_money=False)
