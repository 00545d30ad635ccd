"""What a driver was told: bookings moved, sessions ended, refusals and credits; and what of it is mailed."""

from __future__ import annotations

from datetime import time
from typing import Annotated, Any

from pydantic import Field

from api.accounts import versions_of
from api.call import Call
from api.contract import Input, Output, Reply, operation
from api.pages import Page, PageQuery, cursor_after, instant_at
from api.values import Instant
from autospot.clock import Clock
from autospot.domain.access import Action
from autospot.domain.errors import InvalidInput
from autospot.domain.notice import ToldNotice
from autospot.domain.notice_mail import MailWishes, QuietHours, Topic
from autospot.domain.reminding import LONGEST_MINUTES
from autospot.services.noticeboard import Noticeboard
from autospot.storage.notices import Notices, Position

ClockTime = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["22:00"])]

SAME_TIMES = InvalidInput("quiet hours must end at another time than they begin", at="/quiet_hours/until")


class NoticeView(Output):
    """One notice. `subject` is the id of what it is about. The websocket tells of it as `me`, by the same `id`."""

    id: str
    what: str = Field(description="a stable word, such as `booking_moved`")
    subject: str
    lot: str
    at: Instant
    facts: dict[str, Any]


class QuietHoursBody(Input):
    """From one time of day until another, over midnight if that is earlier; on the clock of the lot."""

    from_: ClockTime = Field(alias="from")
    until: ClockTime


LeadMinutes = Annotated[int, Field(ge=0, le=LONGEST_MINUTES, description="0: not reminded at all")]


class LeadsBody(Input):
    """How long before something its reminder comes. What is left out stays."""

    booking_begins: LeadMinutes | None = None
    booking_ends: LeadMinutes | None = Field(None, description="not before the middle of the booking")
    subscription_expiring: LeadMinutes | None = Field(None, description="also before a renewal")


class PreferencesBody(Input):
    """What shall be different. What is left out stays; `quiet_hours` null: none."""

    mail: list[Topic] | None = Field(None, max_length=len(Topic), description="what is mailed; null: as before")
    quiet_hours: QuietHoursBody | None = None
    lead_minutes: LeadsBody | None = None

    def fields(self) -> dict[str, Any]:
        """As the service takes them; `leads` are the minutes that were named."""
        fields: dict[str, Any] = {}
        if self.lead_minutes is not None:
            fields["leads"] = self.lead_minutes.model_dump(exclude_none=True)
        if self.mail is not None:
            fields["topics"] = frozenset(self.mail)
        if "quiet_hours" in self.model_fields_set:
            hours = self.quiet_hours
            fields["quiet"] = hours and QuietHours(time.fromisoformat(hours.from_), time.fromisoformat(hours.until))
        return fields


class QuietHoursView(Output):
    """When nothing is mailed, on the clock of the lot."""

    from_: ClockTime = Field(serialization_alias="from")
    until: ClockTime


class LeadsView(Output):
    """How many minutes before something its reminder comes; 0: never."""

    booking_begins: int
    booking_ends: int
    subscription_expiring: int


class PreferencesView(Output):
    """Which notices are mailed, and when reminders come."""

    mail: list[Topic]
    quiet_hours: QuietHoursView | None
    lead_minutes: LeadsView


class NotificationOperations:
    """One's own notices, and which of them are mailed."""

    def __init__(self, notices: Notices, noticeboard: Noticeboard, clock: Clock) -> None:
        self._notices = notices
        self._clock = clock
        self._noticeboard = noticeboard

    @operation("GET /v1/me/notifications", summary="What I was told", tag="me", access=Action.ACCOUNT)
    async def list_notices(self, call: Call, query: PageQuery) -> Page[NoticeView]:
        """Newest first, of the last 90 days."""
        told = await self._notices.of_driver(call.principal.user_id, query.limit + 1, _position(query.cursor))
        page, more = told[: query.limit], len(told) > query.limit
        last = page[-1] if page else None
        return Page(
            data=[notice_view(each) for each in page],
            next_cursor=cursor_after(last.at, last.id) if more and last else None,
        )

    @operation(
        "GET /v1/me/notification-preferences",
        summary="Which notices are mailed to me",
        tag="me",
        access=Action.ACCOUNT,
        etag=True,
    )
    async def preferences(self, call: Call) -> Reply[PreferencesView]:
        """Notices themselves are always kept, and told to whoever is connected."""
        return _preferences(await self._noticeboard.wishes_of(call.principal.user_id))

    @operation(
        "PATCH /v1/me/notification-preferences",
        summary="Choose which notices are mailed to me",
        tag="me",
        access=Action.ACCOUNT,
        etag=True,
        if_match=True,
        errors=(SAME_TIMES,),
    )
    async def prefer(self, call: Call, body: PreferencesBody) -> Reply[PreferencesView]:
        """In quiet hours nothing is mailed: what is of use later comes when they end, the rest not at all. New times
        for reminders hold for bookings and subscriptions that are there already, too."""
        user, versions = call.principal.user_id, versions_of(call.if_match)
        return _preferences(await self._noticeboard.wish(user, body.fields(), versions, self._clock.now()))


def _preferences(wishes: MailWishes) -> Reply[PreferencesView]:
    quiet = wishes.quiet and QuietHoursView(from_=f"{wishes.quiet.start:%H:%M}", until=f"{wishes.quiet.until:%H:%M}")
    view = PreferencesView(
        mail=sorted(wishes.topics), quiet_hours=quiet, lead_minutes=LeadsView(**wishes.leads.as_json())
    )
    return Reply(view, etag=str(wishes.version))


def _position(cursor: str | None) -> Position | None:
    found = instant_at(cursor)
    return None if found is None else Position(*found)


def notice_view(told: ToldNotice) -> NoticeView:
    """A notice, to the driver whom it is for."""
    notice = told.notice
    return NoticeView(
        id=told.id, what=notice.what, subject=notice.subject, lot=notice.lot, at=told.at, facts=dict(notice.facts)
    )
