"""What a driver was told: bookings moved, sessions ended, refusals and credits."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from api.call import Call
from api.contract import Output, operation
from api.pages import Page, PageQuery, cursor_at, position_at
from api.values import Instant
from autospot.domain.access import Action
from autospot.domain.instant import from_ms, to_ms
from autospot.domain.notice import Notice
from autospot.storage.notices import Notices


class NoticeView(Output):
    """One notice. `subject` is the id of what it is about."""

    what: str = Field(description="a stable word, such as `booking_moved`")
    subject: str
    lot: str
    at: Instant
    facts: dict[str, Any]


class NotificationOperations:
    """Reading one's own notices."""

    def __init__(self, notices: Notices) -> None:
        self._notices = notices

    @operation("GET /v1/me/notifications", summary="What I was told", tag="accounts", access=Action.ACCOUNT)
    async def list_notices(self, call: Call, query: PageQuery) -> Page[NoticeView]:
        """Newest first, of the last 90 days."""
        before_ms = position_at(query.cursor, int)
        before = None if before_ms is None else from_ms(before_ms)
        told = await self._notices.of_driver(call.principal.user_id, query.limit, before)
        more = len(told) == query.limit
        return Page(
            data=[_view(at, notice) for at, notice in told],
            next_cursor=cursor_at(to_ms(told[-1][0])) if more else None,
        )


def _view(at: datetime, notice: Notice) -> NoticeView:
    return NoticeView(what=notice.what, subject=notice.subject, lot=notice.lot, at=at, facts=dict(notice.facts))
