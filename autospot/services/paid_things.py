"""Rules for the audit: what is paid has its money, and each payment its thing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from autospot.services.auditor import Check, Mismatch
from autospot.storage.mongo import Database, Session
from autospot.storage.paid_things import Disagreement, PaidThings


def paid_things(database: Database) -> Check:
    """The check for `Auditor.also`: bookings, sessions and subscriptions say of money what their payments say."""
    things = PaidThings(database)

    async def check(session: Session) -> Sequence[Mismatch]:
        return [
            *_named("booking", await things.bookings(session)),
            *_named("session", await things.sessions(session)),
            *_named("subscription", await things.subscriptions(session)),
        ]

    return check


def _named(kind: str, found: Sequence[Disagreement]) -> Iterator[Mismatch]:
    for each in found:
        if each.says is None:
            yield Mismatch("payment_has_its_thing", each.thing_id, f"{each.kept} is paid for no {kind}")
        else:
            words = f"says that {each.says} is paid, its payments keep {each.kept}"
            yield Mismatch(f"{kind}_has_its_money", each.thing_id, words)
