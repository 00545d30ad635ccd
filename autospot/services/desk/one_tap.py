"""Extending with one tap: the link that a reminder carries, and what its page shows and does.

Whoever has the link may make one booking longer, once, from the end that it had to the end that was offered, and
nothing else. The link is signed and names both, so nothing is stored for it: a second tap finds the booking as long as
it shall be, and a link whose booking was changed meanwhile is refused. It is good until the end that it starts from.
"""

from __future__ import annotations

import hmac
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from autospot.clock import Clock
from autospot.domain.booking.booking import Booking
from autospot.domain.booking.extension import Extension, offered
from autospot.domain.booking.terms import require_changeable
from autospot.domain.errors import Conflict, NotFound
from autospot.domain.instant import rfc3339
from autospot.domain.lot import Lot
from autospot.domain.money import Money
from autospot.domain.period import Period
from autospot.services.desk.booking import LotOf
from autospot.services.desk.changes import BookingChanges, offer_is_over
from autospot.services.keys import Purpose, SecretKeys
from autospot.storage.bookings import Bookings
from autospot.storage.idempotency import Unkept

PATH: Final = "/extend"
"""Where the page is."""

_OFFER: Final = struct.Struct(">16sQQ")
"""The booking's id, and both ends in seconds since the epoch."""

MARK_BYTES: Final = 16
"""Of the HMAC: guessing one takes 2^128 tries."""


@dataclass(frozen=True, slots=True)
class Prospect:
    """What a link leads to. `cost` is what the extension takes from the wallet; None in a lot that is free of charge.
    `is_done`: the booking is as long as was offered already."""

    booking: Booking
    lot: Lot
    extension: Extension
    cost: Money | None
    is_done: bool


class OneTap:
    """Makes links, and does what they say."""

    def __init__(
        self, keys: SecretKeys, bookings: Bookings, changes: BookingChanges, lot_of: LotOf, clock: Clock
    ) -> None:
        self._keys = keys
        self._bookings = bookings
        self._changes = changes
        self._lot_of = lot_of
        self._clock = clock

    def facts(self, booking: Booking) -> Mapping[str, str]:
        """For a notice: `longer`, until when the booking could be, and `extend`, the path of the link; the same each
        time. Nothing where the terms leave no room."""
        extension = offered(booking)
        if extension is None:
            return {}
        return {"longer": rfc3339(extension.until), "extend": f"{PATH}?offer={self._token(extension)}"}

    async def look(self, token: str) -> Prospect:
        """What a tap would do, without doing it. `NotFound` (code `no_such_offer`) for a link that was not made here,
        `Conflict` (code `offer_over`) for one that is no longer good, `IllegalStep` for a booking that is over."""
        extension = self._opened(token)
        booking = await self._booking(extension)
        lot = self._lot_of(booking.lot).layout
        if booking.period.until == extension.until:
            return Prospect(booking, lot, extension, None, is_done=True)
        now = self._clock.now()
        _require_good(extension, booking, now)
        longer = Period(booking.period.start, extension.until)
        require_changeable(booking, longer, now)
        cost = await self._changes.difference(booking, longer)
        return Prospect(booking, lot, extension, cost, is_done=False)

    async def accept(self, token: str) -> Prospect:
        """Extends the booking, from the wallet of its driver; done already, it stays done. Refused as by `look` and as
        `BookingChanges.extend`: `BayTaken`, `InsufficientFunds`, and then nothing has changed."""
        extension = self._opened(token)
        booking = await self._booking(extension)
        if booking.period.until != extension.until:
            _require_good(extension, booking, self._clock.now())
            booking = await self._changes.extend(
                booking.owner, booking.id, extension.until, Unkept(), since=extension.since
            )
        return Prospect(booking, self._lot_of(booking.lot).layout, extension, None, is_done=True)

    async def _booking(self, extension: Extension) -> Booking:
        booking = await self._bookings.find(extension.booking)
        if booking is None:
            raise no_such_offer()
        return booking

    def _token(self, extension: Extension) -> str:
        ends = (int(each.timestamp()) for each in (extension.since, extension.until))
        offer = _OFFER.pack(bytes.fromhex(extension.booking.removeprefix("bkg_")), *ends)
        mark = self._keys.keyed_hash(Purpose.EXTENSION_LINK, offer.hex())[:MARK_BYTES]
        return urlsafe_b64encode(offer + mark).decode()

    def _opened(self, token: str) -> Extension:
        try:
            opened = urlsafe_b64decode(token.encode("ascii"))
        except (UnicodeEncodeError, Base64Error, ValueError):
            raise no_such_offer() from None
        offer, mark = opened[: _OFFER.size], opened[_OFFER.size :]
        known = (each[:MARK_BYTES] for each in self._keys.keyed_hashes(Purpose.EXTENSION_LINK, offer.hex()))
        if not any(hmac.compare_digest(mark, each) for each in known):
            raise no_such_offer()
        booking, since, until = _OFFER.unpack(offer)
        return Extension(f"bkg_{booking.hex()}", datetime.fromtimestamp(since, UTC), datetime.fromtimestamp(until, UTC))


def _require_good(extension: Extension, booking: Booking, now: datetime) -> None:
    if booking.period.until != extension.since:
        raise offer_is_over()
    if now >= extension.since:
        raise Conflict("this link is too old: the time of the booking is over", code="offer_over")


def no_such_offer() -> NotFound:
    return NotFound("this link is not one of ours, or a part of it is missing", code="no_such_offer")
