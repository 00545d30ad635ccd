"""Every collection and index the product needs, from the modules that use them."""

from __future__ import annotations

from autospot.storage import (
    assignments,
    bays,
    bookings,
    calendars,
    claims,
    dead_letters,
    feed,
    history,
    invoices,
    lots,
    mails,
    money,
    notices,
    people,
    sessions,
    subscriptions,
    tariffs,
    waiting,
)
from autospot.storage.mongo import Capped, Index

DECLARED: tuple[Index | Capped, ...] = (
    *assignments.INDEXES,
    *dead_letters.COLLECTIONS,
    *dead_letters.INDEXES,
    *feed.INDEXES,
    *bays.INDEXES,
    *bookings.INDEXES,
    *calendars.INDEXES,
    *claims.INDEXES,
    *history.INDEXES,
    *invoices.INDEXES,
    *lots.INDEXES,
    *sessions.INDEXES,
    *subscriptions.INDEXES,
    *waiting.INDEXES,
    *tariffs.INDEXES,
    *people.DECLARED,
    *mails.INDEXES,
    *money.DECLARED,
    *notices.INDEXES,
)
