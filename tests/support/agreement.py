"""Judges whether all that is stored about the parking of one lot agrees: bookings, calendars, claims, sessions, money.

It reads the documents themselves and knows nothing of the code that wrote them. What it says is what must never be,
at whatever moment nobody is at work.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from autospot.storage.mongo import Database

OPEN = frozenset({"held", "confirmed", "active"})

Row = Mapping[str, Any]


@dataclass
class Books:
    """The documents of one lot; `promises` and `claims` one row each, with their bay."""

    bookings: list[Row] = field(default_factory=list)
    assignments: list[Row] = field(default_factory=list)
    sessions: list[Row] = field(default_factory=list)
    payments: list[Row] = field(default_factory=list)
    promises: list[Row] = field(default_factory=list)
    claims: list[Row] = field(default_factory=list)


async def books_of(database: Database, lot: str) -> Books:
    """All that is stored of `lot`. Nobody may be at work meanwhile."""

    async def rows(name: str, wanted: Row) -> list[Row]:
        return [row async for row in database.collection(name).find(dict(wanted))]

    living = {"lot": lot, "state": {"$exists": True}}  # the rest are ids that were given up
    return Books(
        bookings=await rows("bookings", living),
        assignments=await rows("assignments", living),
        sessions=await rows("sessions", living),
        payments=await rows("payments", {"lot": lot, "subject": {"$exists": True}}),
        promises=[
            {"bay": each["bay"], **hold} for each in await rows("calendars", {"lot": lot}) for hold in each["holds"]
        ],
        claims=[
            {"bay": each["bay"], "kind": claim[0], "ref": claim[3]}
            for each in await rows("claims", {"lot": lot})
            for _from_ms, claim in each["claims"]
        ],
    )


def disagreements(books: Books, now: datetime) -> list[str]:
    """Everything that does not agree at `now`, in words; empty if all does."""
    return [
        *_overlaps(books.bookings),
        *_promises(books, now),
        *_claims(books),
        *_running(books),
        *_at_once(books.sessions),
        *_money(books),
    ]


def _open(bookings: Sequence[Row]) -> list[Row]:
    return [each for each in bookings if each["state"] in OPEN]


def _overlaps(bookings: Sequence[Row]) -> Iterator[str]:
    by_bay = defaultdict(list)
    for each in _open(bookings):
        by_bay[each["bay"]].append(each)
    for bay, those in by_bay.items():
        for one, other in pairwise(sorted(those, key=lambda each: each["from"])):
            if other["from"] < one["until"]:
                yield f"{one['_id']} and {other['_id']} overlap on {bay}"


def _promises(books: Books, now: datetime) -> Iterator[str]:
    """A promise may be gone once its time is: nothing can overlap it any more."""
    over = {each["promise"] for each in books.bookings if each["until"] <= now}
    kept = {each["promise"]: (each["_id"], each["bay"], each["from"], each["until"]) for each in _open(books.bookings)}
    waiting = {each["promise"]: (each["_id"], each["bay"]) for each in books.assignments if each["state"] == "waiting"}
    made = {each["id"]: (each["ref"], each["bay"], each["from"], each["until"]) for each in books.promises}
    for promise, what in made.items():
        if kept.get(promise) != what and waiting.get(promise) != what[:2]:
            yield f"{what[1]} is promised to {what[0]}, which does not need it"
    for promise, needs in [*kept.items(), *waiting.items()]:
        if promise not in made and promise not in over:
            yield f"{needs[0]} has no promise of {needs[1]}"


def _claims(books: Books) -> Iterator[str]:
    wanted = {(each["_id"], each["bay"], "reserved") for each in _open(books.bookings) if each["claimed"]}
    wanted |= {(each["_id"], each["bay"], "assigned") for each in books.assignments if each["state"] == "waiting"}
    stands = {(each["ref"], each["bay"], each["kind"]) for each in books.claims}
    yield from (f"{bay} is shown {kind} for {ref}, which does not claim it" for ref, bay, kind in stands - wanted)
    yield from (f"{ref} claims {bay}, and it is not shown {kind}" for ref, bay, kind in wanted - stands)


def _running(books: Books) -> Iterator[str]:
    bookings = {each["_id"]: each for each in books.bookings}
    running = [each for each in books.sessions if each["state"] == "running"]
    for bay, count in Counter(each["bay"] for each in running).items():
        if count > 1:
            yield f"{count} sessions run on {bay}"
    for each in running:
        booking = bookings.get(each["booking"]) if each["booking"] else None
        if each["booking"] and (booking is None or booking["state"] != "active" or booking["bay"] != each["bay"]):
            yield f"{each['_id']} runs, and {each['booking']} is not active there"
    runs = {each["_id"] for each in running}
    for booking in books.bookings:
        if booking["state"] == "active" and booking["session"] not in runs:
            yield f"{booking['_id']} is active without a session"


def _at_once(sessions: Sequence[Row]) -> Iterator[str]:
    by_bay = defaultdict(list)
    for each in sessions:
        if each["ended_at"] is not None:
            by_bay[each["bay"]].append(each)
    for bay, those in by_bay.items():
        for one, other in pairwise(sorted(those, key=lambda each: (each["began_at"], each["ended_at"]))):
            if other["began_at"] < one["ended_at"]:
                yield f"{one['_id']} and {other['_id']} were both on {bay}"


def _money(books: Books) -> Iterator[str]:
    kept: Counter[tuple[str, str]] = Counter()
    for payment in books.payments:
        gone = sum(each["amount"] for each in payment["refunds"] if each["to_wallet"] or each["state"] != "failed")
        kept[payment["subject"]["kind"], payment["subject"]["id"]] += payment["captured"] - gone
    owed = {("booking", each["_id"]): each["paid"] for each in books.bookings}
    owed |= {("session", each["_id"]): each["paid"] - each["booked"] for each in books.sessions}
    for subject in kept.keys() | owed.keys():
        if subject[0] in ("booking", "session") and kept[subject] != owed.get(subject, 0):
            yield f"{subject[1]} says {owed.get(subject, 0)} was paid, its payments kept {kept[subject]}"
