"""The ledger's documents: `transfers`, append-only, and `wallets`, the balances of guarded accounts.

A wallet's guard stands in the filter of its update, so nobody decides by a balance that was read before. Busy accounts
(revenue, VAT, clearing) have no balance: a document that every payment writes would make every payment wait for every
other. They are summed when somebody asks.

Everything that writes takes a session: a booking, its transfer and the stored reply are one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from pymongo import ASCENDING, DESCENDING, UpdateOne
from pymongo.errors import BulkWriteError

from autospot.domain.errors import NotFound
from autospot.domain.ledger import (
    Account,
    AlreadySettled,
    Balance,
    Cause,
    CauseKind,
    InsufficientFunds,
    Movement,
    PendingState,
    Transfer,
    TransferExists,
    movements,
    settled,
    state_after,
)
from autospot.storage.money_stop import MoneyStop
from autospot.storage.mongo import Database, Document, Index, Session
from autospot.storage.outages import answering

BOTH_SIDES: Final = ("debit", "credit")
DUPLICATE_KEY: Final = 11000

INDEXES = (
    Index("transfers", [("debit", ASCENDING), ("currency", ASCENDING), ("at", DESCENDING), ("_id", DESCENDING)]),
    Index("transfers", [("credit", ASCENDING), ("currency", ASCENDING), ("at", DESCENDING), ("_id", DESCENDING)]),
    Index(
        "transfers",
        [("settles", ASCENDING)],
        {"unique": True, "partialFilterExpression": {"settles": {"$type": "string"}}},
    ),
    Index("transfers", [("cause.subject", ASCENDING)]),
)
"""The unique one makes a second settlement of a hold impossible, whatever the program believes."""


class Ledger:
    """Writes and reads transfers and wallets.

    Guarantees: a transfer is there with both its movements or not at all; a guarded account never has less than zero
    available; a hold is settled once; while money is stopped (`MoneyStop`) nothing is written.
    """

    def __init__(self, database: Database) -> None:
        self._transfers = database.collection("transfers")
        self._wallets = database.collection("wallets")
        self._stop = MoneyStop(database)

    async def append(self, session: Session, *transfers: Transfer) -> None:
        """Enters transfers in `session`'s transaction, in order: two round trips for however many, beside a look at
        the stop and at each hold that is settled.

        `InsufficientFunds`, `AlreadySettled`, `TransferExists` (this id was used before), `NotFound` (no such hold),
        `MoneyStopped`. After any of them the transaction is over: let the error out of it.
        """
        await self._stop.require_running(session)
        new_holds = {each.id: each for each in transfers if each.kind == "pending"}
        updates: list[UpdateOne] = []
        for transfer in transfers:
            held = await self._hold_to_settle(session, transfer, new_holds) if transfer.settles else None
            moved = (each for each in movements(transfer, held) if each.account.is_guarded)
            updates += [_update(each, transfer.currency) for each in moved]
        await self._move(session, updates)
        await self._insert(session, transfers)

    async def _move(self, session: Session, updates: Sequence[UpdateOne]) -> None:
        if not updates:
            return
        done = await self._wallets.bulk_write(updates, session=session)
        if done.matched_count + done.upserted_count < len(updates):
            raise InsufficientFunds("there is not enough in it that is free")

    async def _insert(self, session: Session, transfers: Sequence[Transfer]) -> None:
        try:
            await self._transfers.insert_many([_row(each) for each in transfers], session=session)
        except BulkWriteError as error:
            first = (error.details or {})["writeErrors"][0]
            if first["code"] != DUPLICATE_KEY:
                raise
            if "settles" in first["keyPattern"]:
                raise AlreadySettled("this amount is no longer held") from error
            raise TransferExists("this transfer was made before") from error

    async def hold(self, transfer_id: str, *, session: Session | None = None) -> Transfer:
        """A pending transfer, settled or not; `NotFound` if there is none."""
        with answering(session):
            row = await self._transfers.find_one({"_id": transfer_id, "kind": "pending"}, session=session)
        if row is None:
            raise NotFound("there is no such hold")
        return _transfer(row)

    async def state(self, hold_id: str, *, session: Session | None = None) -> PendingState:
        """Where a hold stands. In a transaction: as of its snapshot; the unique index decides between two at once."""
        with answering(session):
            row = await self._transfers.find_one({"settles": hold_id}, session=session)
        return state_after(None if row is None else _transfer(row).settlement)

    async def _hold_to_settle(
        self, session: Session, transfer: Transfer, new_holds: Mapping[str, Transfer]
    ) -> Transfer:
        """The hold, from the same batch or from the database."""
        hold_id = str(transfer.settles)
        if hold_id in new_holds:
            return new_holds[hold_id]
        hold = await self.hold(hold_id, session=session)
        settled(await self.state(hold.id, session=session), transfer.settlement)
        return hold

    async def balance(self, account: Account, currency: str, *, session: Session | None = None) -> Balance:
        """What a guarded account has, from its document; zeros if nothing ever happened."""
        with answering(session):
            wallet = await self._wallets.find_one({"_id": _wallet_id(account, currency)}, session=session)
        return Balance() if wallet is None else _balance(wallet)

    async def summed(self, account: Account, currency: str, *, session: Session | None = None) -> int:
        """What stands on any account, summed over its transfers: credits less debits, holds left aside."""
        total = 0
        for side, sign in (("credit", 1), ("debit", -1)):
            counted = {side: str(account), "currency": currency, "kind": {"$in": ["posted", "post"]}}
            group = {"$group": {"_id": None, "sum": {"$sum": "$amount"}}}
            with answering(session):
                rows = await self._transfers.aggregate([{"$match": counted}, group], session=session).to_list(1)
            total += sign * sum(int(row["sum"]) for row in rows)
        return total

    async def history(
        self, account: Account, currency: str, most: int, *, before: tuple[datetime, str] | None = None
    ) -> Sequence[Transfer]:
        """The transfers of an account, newest first, at most `most`; `before`: time and id of the last one seen."""
        sides: list[Document] = [{side: str(account), "currency": currency} for side in BOTH_SIDES]
        wanted: Document = {"$or": sides}
        if before is not None:
            at, last_id = before
            for side in sides:
                side["$or"] = [{"at": {"$lt": at}}, {"at": at, "_id": {"$lt": last_id}}]
        with answering():
            cursor = self._transfers.find(wanted).sort([("at", DESCENDING), ("_id", DESCENDING)]).limit(most)
            return [_transfer(row) async for row in cursor]

    async def caused_by(self, subject: str, *, session: Session | None = None) -> Sequence[Transfer]:
        """All transfers made because of one payment, booking or request, oldest first."""
        with answering(session):
            cursor = self._transfers.find({"cause.subject": subject}, session=session).sort(
                [("at", ASCENDING), ("_id", ASCENDING)]
            )
            return [_transfer(row) async for row in cursor]


_COUNTED = frozenset({"credits", "debits", "pending_credits", "pending_debits"})


def _update(movement: Movement, currency: str) -> UpdateOne:
    change = {name: value for name in _COUNTED if (value := getattr(movement, name))}
    named = {"account": str(movement.account), "currency": currency}
    row_id = _wallet_id(movement.account, currency)
    return UpdateOne(
        {"_id": row_id, **_guard(movement.needs)}, {"$inc": change, "$setOnInsert": named}, upsert=not movement.needs
    )


def _guard(needs: int) -> Mapping[str, Any]:
    """The part of an update's filter that lets it through only if `needs` is available at that very moment. `$sum`
    takes what is not there for 0; a wallet without credits is less than any number."""
    return {"$expr": {"$gte": ["$credits", {"$sum": ["$debits", "$pending_debits", needs]}]}} if needs else {}


def _wallet_id(account: Account, currency: str) -> str:
    return f"{account}:{currency}"


def _balance(row: Document) -> Balance:
    return Balance(**{name: int(row.get(name, 0)) for name in _COUNTED})


def _row(transfer: Transfer) -> Document:
    row: Document = {
        "_id": transfer.id,
        "debit": str(transfer.debit),
        "credit": str(transfer.credit),
        "amount": transfer.amount,
        "currency": transfer.currency,
        "kind": transfer.kind,
        "cause": {"kind": transfer.cause.kind.value, "subject": transfer.cause.subject},
        "at": transfer.at,
    }
    if transfer.settles is not None:
        row["settles"] = transfer.settles
    if transfer.expires_at is not None:
        row["expires_at"] = transfer.expires_at
    return row


def _transfer(row: Document) -> Transfer:
    return Transfer(
        id=row["_id"],
        debit=Account.parse(row["debit"]),
        credit=Account.parse(row["credit"]),
        amount=row["amount"],
        currency=row["currency"],
        kind=row["kind"],
        cause=Cause(CauseKind(row["cause"]["kind"]), row["cause"]["subject"]),
        at=row["at"],
        settles=row.get("settles"),
        expires_at=row.get("expires_at"),
    )
