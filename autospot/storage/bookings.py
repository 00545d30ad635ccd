"""`bookings`: one document per booking, with its whole history of events.

A document `{_id, void_until}` and nothing else is an id that was given up: whoever was about to make that booking has
taken too long, his promise was released, and his insert must fail (`IdGivenUp`). So a process that was paused for a
minute between promise and booking cannot sell a bay that was given to somebody else meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter
from pymongo import ASCENDING, DESCENDING
from pymongo.errors import DuplicateKeyError

from autospot.domain.booking.booking import Booking, Event, Price
from autospot.domain.booking.life import OPEN, BookingState
from autospot.domain.errors import Conflict, PreconditionFailed
from autospot.domain.lot import BookingTerms
from autospot.domain.money import Money
from autospot.domain.period import Period
from autospot.domain.reminding import USUAL, Leads
from autospot.domain.subscription import Drawn
from autospot.storage.mongo import Database, Document, Index, Session
from autospot.storage.outages import answering

VOID_KEPT = timedelta(days=2)

INDEXES = (
    Index("bookings", [("owner", ASCENDING), ("from", DESCENDING), ("_id", DESCENDING)]),
    Index("bookings", [("lot", ASCENDING), ("from", DESCENDING), ("_id", DESCENDING)]),
    Index(
        "bookings",
        [("lot", ASCENDING), ("bay", ASCENDING), ("from", ASCENDING)],
        {"name": "open_by_bay", "partialFilterExpression": {"open": True}},
    ),
    Index("bookings", [("series", ASCENDING)], {"partialFilterExpression": {"series": {"$type": "string"}}}),
    Index("bookings", [("void_until", ASCENDING)], {"expireAfterSeconds": 0}),
    # It has to be there before the first transaction: many that create one collection at once are in each other's way.
    Index("booking_drivers", [("asked_at", ASCENDING)], {"expireAfterSeconds": int(VOID_KEPT.total_seconds())}),
)

_terms: TypeAdapter[BookingTerms] = TypeAdapter(BookingTerms)


class IdGivenUp(Conflict):
    """Too much time went by between promise and booking: the promise was released."""

    code = "too_slow_to_book"
    retryable = True
    after_seconds = 1.0


@dataclass(frozen=True, slots=True)
class BookingQuery:
    """Which bookings. `lots` None means all; `before` is start and id of the last one seen."""

    owner: str | None = None
    lots: Collection[str] | None = None
    bay: str | None = None
    states: Collection[BookingState] = ()
    overlapping: tuple[datetime | None, datetime | None] = (None, None)
    series: str | None = None
    before: tuple[datetime, str] | None = None


class Bookings:
    """Reads and writes `bookings`. A driver's own are looked up by `{_id, owner}` in one query."""

    def __init__(self, database: Database) -> None:
        self._bookings = database.collection("bookings")
        self._drivers = database.collection("booking_drivers")

    async def add(self, booking: Booking, *, session: Session) -> None:
        """Stores a new booking; `IdGivenUp` if its id may not be used any more."""
        try:
            await self._bookings.insert_one(_row(booking), session=session)
        except DuplicateKeyError:
            raise IdGivenUp("this took too long: try again") from None

    async def replace(self, before: Booking, after: Booking, *, session: Session) -> None:
        """Stores what became of `before`; `PreconditionFailed` if it changed since it was read."""
        done = await self._bookings.replace_one(
            {"_id": before.id, "version": before.version}, _row(after), session=session
        )
        if not done.matched_count:
            raise PreconditionFailed("the booking changed meanwhile: read it again, then decide")

    async def find(
        self,
        booking_id: str,
        *,
        owner: str | None = None,
        lots: Collection[str] | None = None,
        session: Session | None = None,
    ) -> Booking | None:
        """One booking, with `owner` only if it is his, with `lots` only if it is of one of these."""
        wanted: Document = {"_id": booking_id, "state": {"$exists": True}}
        if owner is not None:
            wanted["owner"] = owner
        if lots is not None:
            wanted["lot"] = {"$in": sorted(lots)}
        with answering(session):
            row = await self._bookings.find_one(wanted, session=session)
        return None if row is None else _booking(row)

    async def fence(self, booking: Booking) -> None:
        """Makes whoever is about to change `booking` fail: it counts as changed. `PreconditionFailed` if it was."""
        with answering():
            done = await self._bookings.update_one(
                {"_id": booking.id, "version": booking.version}, {"$inc": {"version": 1}}
            )
        if not done.matched_count:
            raise PreconditionFailed("the booking changed meanwhile")

    async def standing(self, ids: Collection[str]) -> frozenset[str]:
        """The promises by which the open ones among these bookings keep their bays."""
        with answering():
            rows = self._bookings.find({"_id": {"$in": list(ids)}, "open": True}, {"promise": 1})
            return frozenset([row["promise"] async for row in rows])

    async def give_up(self, booking_id: str, now: datetime) -> bool:
        """Makes sure that no booking will ever have this id; False if one has it."""
        try:
            with answering():
                await self._bookings.insert_one({"_id": booking_id, "void_until": now + VOID_KEPT})
        except DuplicateKeyError:
            with answering():
                row = await self._bookings.find_one({"_id": booking_id}, {"void_until": 1})
            return row is not None and "void_until" in row
        return True

    async def open_for(self, owner: str, *, session: Session) -> frozenset[str]:
        """What a driver has open: a series as one, any other booking by itself. Two transactions that both ask for one
        driver come one after the other, so a limit that both keep is kept."""
        mark = {"$inc": {"asked": 1}, "$currentDate": {"asked_at": True}}
        await self._drivers.update_one({"_id": owner}, mark, upsert=True, session=session)
        cursor = self._bookings.find({"owner": owner, "open": True}, {"series": 1}, session=session)
        return frozenset([row["series"] or row["_id"] async for row in cursor])

    async def open_on(self, lot: str, bay: str, *, session: Session | None = None) -> Sequence[Booking]:
        """The open bookings of a bay, in the order of time."""
        with answering(session):
            cursor = self._bookings.find({"lot": lot, "bay": bay, "open": True}, session=session).sort(
                "from", ASCENDING
            )
            return [_booking(row) async for row in cursor]

    async def open_within(self, lot: str, bay: str, period: tuple[datetime, datetime | None]) -> Sequence[Booking]:
        """The open bookings of a bay that share time with a period, whose end may be unknown."""
        start, until = period
        wanted: Document = {"lot": lot, "bay": bay, "open": True, "until": {"$gt": start}}
        if until is not None:
            wanted["from"] = {"$lt": until}
        with answering():
            return [_booking(row) async for row in self._bookings.find(wanted).sort("from", ASCENDING)]

    async def newest(self, query: BookingQuery, most: int) -> Sequence[Booking]:
        """At most `most` bookings, the latest start first."""
        with answering():
            cursor = self._bookings.find(_filter(query)).sort([("from", DESCENDING), ("_id", DESCENDING)]).limit(most)
            return [_booking(row) async for row in cursor]


def _filter(query: BookingQuery) -> Document:
    wanted: Document = {"state": {"$in": list(query.states)} if query.states else {"$exists": True}}
    for name, value in (("owner", query.owner), ("bay", query.bay), ("series", query.series)):
        if value is not None:
            wanted[name] = value
    if query.lots is not None:
        wanted["lot"] = {"$in": sorted(query.lots)}
    start, until = query.overlapping
    if start is not None:
        wanted["until"] = {"$gt": start}
    edges: list[Document] = [{"from": {"$lt": until}}] if until is not None else []
    if query.before is not None:
        at, last_id = query.before
        edges.append({"$or": [{"from": {"$lt": at}}, {"from": at, "_id": {"$lt": last_id}}]})
    return {**wanted, "$and": edges} if edges else wanted


_PLAIN = (
    "lot",
    "bay",
    "promise",
    "kind",
    "owner",
    "vehicle",
    "made_at",
    "handled_until",
    "version",
    "by_kind",
    "paid",
    "package_seconds",
    "hold_until",
    "series",
    "moved_from",
    "moved_to",
    "session",
    "claimed",
    "arrived_at",
    "left_at",
    "seen_rev",
)
"""Fields that are stored as they are."""


def _row(booking: Booking) -> Document:
    return {
        "_id": booking.id,
        **{name: getattr(booking, name) for name in _PLAIN},
        "from": booking.period.start,
        "until": booking.period.until,
        "state": booking.state.value,
        "open": booking.state in OPEN,
        "terms": _terms.dump_python(booking.terms, mode="json"),
        "leads": booking.leads.as_json(),
        "leads_since": booking.leads_since,
        "price": _price_row(booking.price),
        "drawn": [asdict(each) for each in booking.drawn],
        "events": [
            {"at": each.at, "what": each.what, "by": each.by, "reason": each.reason, "facts": dict(each.facts)}
            for each in booking.events
        ],
    }


def _booking(row: Document) -> Booking:
    return Booking(
        id=row["_id"],
        **{name: row[name] for name in _PLAIN},
        period=Period(row["from"], row["until"]),
        state=BookingState(row["state"]),
        terms=_terms.validate_python(row["terms"]),
        leads=Leads(**row["leads"]) if "leads" in row else USUAL,
        leads_since=row.get("leads_since"),
        price=_price(row["price"]),
        drawn=tuple(Drawn(**each) for each in row["drawn"]),
        events=tuple(Event(**event) for event in row["events"]),
    )


def _price_row(price: Price | None) -> Mapping[str, Any] | None:
    if price is None:
        return None
    return {
        "total": dict(price.total.as_json()),
        "tariff_version": price.tariff_version,
        "hash": price.quote_hash,
        "vat_basis_points": price.vat_basis_points,
    }


def _price(row: Document | None) -> Price | None:
    if row is None:
        return None
    total = row["total"]
    return Price(Money(total["amount"], total["currency"]), row["tariff_version"], row["hash"], row["vat_basis_points"])
