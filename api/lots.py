"""Lots: where they are, what is free, and the state and history of every bay. Open to everybody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice

from api.contract import PUBLIC, Encoded, Reply, operation
from api.current import NO_SUCH_BAY, NO_SUCH_LOT, NOT_LIVE, CurrentLots
from api.limits import LimitClass
from api.lot_views import (
    RADIUS_METRES,
    BayDetail,
    BayPath,
    BaySpan,
    BaysQuery,
    LotPath,
    LotsQuery,
    LotSummary,
    LotView,
    bay_detail,
    bay_span,
    layout_bytes,
    lot_summary,
    lot_view,
)
from api.pages import Page, PageQuery, cursor_at, ms_at, position_at
from autospot.domain.history import BayEvent, spans_newest_first
from autospot.domain.lot import Bay, Lot
from autospot.domain.messages import LotState
from autospot.domain.nearby import MapPoint, metres_between
from autospot.live import LiveBay, LiveLot
from autospot.storage.history import BayHistory

EVENTS_READ_LIMIT = 5_000
"""Kept readings that one page of history may be made from; a span longer than that is told in parts."""

LAYOUTS_KEPT = 64
"""Lots whose layout is kept as bytes: 8 MB with 500 bays each."""


class Lots:
    """Reads only: lots come from `LiveLots` in memory, histories from the database."""

    def __init__(self, current: CurrentLots, history: BayHistory) -> None:
        self._current = current
        self._history = history
        self._layout_bytes = lru_cache(maxsize=LAYOUTS_KEPT)(layout_bytes)

    @operation(
        "GET /v1/lots/{lot}/state",
        summary="Every bay of a lot as it is now",
        tag="lots",
        access=PUBLIC,
        limit=LimitClass.LIVE,
        etag=True,
        errors=(NO_SUCH_LOT, NOT_LIVE),
    )
    async def state(self, path: LotPath) -> Encoded[LotState]:
        """The same as the websocket's `snapshot`: go on from its `epoch` and `rev` there. The ETag is `"epoch:rev"`; a
        poll with `If-None-Match` costs next to nothing while nothing has changed."""
        return self._current.snapshot(path.lot)

    @operation(
        "GET /v1/lots",
        summary="Lots in a box, around a point, or all",
        tag="lots",
        access=PUBLIC,
        errors=(NOT_LIVE,),
    )
    async def list_lots(self, query: LotsQuery) -> Page[LotSummary]:
        """By code, or with `near` by distance. Lots without a place on the map are found only without either."""
        found = sorted(_found(self._current.all(), query))
        after = position_at(query.cursor, tuple[float, str])
        if after is not None:
            found = [each for each in found if each[:2] > after]
        page = found[: query.limit]
        more = len(found) > len(page)
        return Page(
            data=[lot_summary(lot, metres if query.near else None) for metres, _code, lot in page],
            next_cursor=cursor_at(page[-1][:2]) if more else None,
        )

    @operation(
        "GET /v1/lots/{lot}", summary="One lot", tag="lots", access=PUBLIC, etag=True, errors=(NO_SUCH_LOT, NOT_LIVE)
    )
    async def lot(self, path: LotPath) -> Reply[LotView]:
        """What a driver wants to know before setting off: free places, terms, entrances."""
        lot = self._current.lot(path.lot)
        epoch = self._current.epoch
        return Reply(lot_view(lot, epoch), etag=f"{epoch}:{lot.rev}")

    @operation(
        "GET /v1/lots/{lot}/layout",
        summary="The plan of a lot",
        tag="lots",
        access=PUBLIC,
        etag=True,
        errors=(NO_SUCH_LOT, NOT_LIVE),
    )
    async def layout(self, path: LotPath) -> Encoded[Lot]:
        """Levels, bays, ways and gates, in metres; see the lot file. Which sensor watches a bay is left out. Changes
        only when the operator changes the lot: keep it by its ETag."""
        lot = self._current.lot(path.lot)
        return Encoded(self._layout_bytes(lot), f"{self._current.epoch}:{lot.layout.version}")

    @operation(
        "GET /v1/lots/{lot}/bays",
        summary="Bays of a lot, by kind and state",
        tag="lots",
        access=PUBLIC,
        errors=(NO_SUCH_LOT, NOT_LIVE),
    )
    async def list_bays(self, path: LotPath, query: BaysQuery) -> Page[BayDetail]:
        """In the order of the plan. Pages are read one after the other while bays change: for one consistent picture of
        all of them take `/state`."""
        lot = self._current.lot(path.lot)
        start = (position_at(query.cursor, int) or 0) if query.cursor else 0
        chosen = list(islice(_chosen(lot, query, start), query.limit + 1))
        page, rest = chosen[: query.limit], chosen[query.limit :]
        return Page(
            data=[bay_detail(bay, live) for _number, bay, live in page],
            next_cursor=cursor_at(rest[0][0]) if rest else None,
        )

    @operation(
        "GET /v1/lots/{lot}/bays/{bay}",
        summary="One bay",
        tag="lots",
        access=PUBLIC,
        etag=True,
        errors=(NO_SUCH_LOT, NO_SUCH_BAY, NOT_LIVE),
    )
    async def bay(self, path: BayPath) -> Reply[BayDetail]:
        """What it is, and how it is now."""
        lot, live = self._current.bay(path.lot, path.bay)
        etag = f"{self._current.epoch}:{max(live.rev, lot.layout_rev)}"
        return Reply(bay_detail(lot.layout.bays[live.number], live), etag=etag)

    @operation(
        "GET /v1/lots/{lot}/bays/{bay}/history",
        summary="What a bay was, newest first",
        tag="lots",
        access=PUBLIC,
        errors=(NO_SUCH_LOT, NO_SUCH_BAY, NOT_LIVE),
    )
    async def bay_history(self, path: BayPath, query: PageQuery) -> Page[BaySpan]:
        """By the time at which things happened, whatever order they were reported in. A span with very many readings is
        told in parts."""
        self._current.bay(path.lot, path.bay)
        before_ms = ms_at(query.cursor)
        events, more = await self._events(path, before_ms, query.limit)
        return Page(
            data=[bay_span(span) for span in spans_newest_first(events, before_ms)],
            next_cursor=cursor_at(events[-1].at_ms) if more else None,
        )

    async def _events(self, path: BayPath, before_ms: int | None, spans: int) -> tuple[list[BayEvent], bool]:
        """The events of the newest `spans` spans before `before_ms`, and whether there are older ones."""
        events: list[BayEvent] = []
        runs = 0
        async for event in self._history.newest_first(path.lot, path.bay, before_ms):
            if not events or event.occupied != events[-1].occupied:
                runs += 1
            if runs > spans or len(events) == EVENTS_READ_LIMIT:
                return events, True
            events.append(event)
        return events, False


def _found(lots: Iterable[LiveLot], query: LotsQuery) -> Iterator[tuple[float, str, LiveLot]]:
    """The lots that were asked for, each with its distance (0 where none was asked for) and code to sort by."""
    radius_metres = query.radius_metres or RADIUS_METRES
    for lot in lots:
        anchor = lot.layout.anchor
        point = MapPoint(anchor.lat, anchor.lon) if anchor else None
        if query.near is None and query.bbox is None:
            yield 0.0, lot.lot, lot
        elif point is None:
            continue
        elif query.bbox is not None:
            if query.bbox.contains(point):
                yield 0.0, lot.lot, lot
        elif query.near is not None and (metres := metres_between(query.near, point)) <= radius_metres:
            yield metres, lot.lot, lot


def _chosen(lot: LiveLot, query: BaysQuery, start: int) -> Iterator[tuple[int, Bay, LiveBay]]:
    kinds, states = frozenset(query.kind), frozenset(query.state)
    for number in range(max(0, start), len(lot.layout.bays)):
        bay = lot.layout.bays[number]
        live = lot.bays[bay.bay]
        if (not kinds or bay.kind in kinds) and (not states or live.state in states):
            yield number, bay, live
