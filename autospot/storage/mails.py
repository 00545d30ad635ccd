"""`mails`: the demo's mailbox. Only the demo writes it; a real installation sends mail by SMTP and keeps none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pymongo import DESCENDING

from autospot.storage.mongo import Capped, Database, Document, Index
from autospot.storage.outages import answering

MAILBOX = Capped("mails", max_bytes=8 * 1024 * 1024, max_documents=500)
INDEXES: tuple[Index | Capped, ...] = (MAILBOX,)


@dataclass(frozen=True, slots=True)
class StoredMail:
    """A mail as its reader would see it. `message_id` is the one of its header."""

    id: str
    message_id: str
    to: str
    subject: str
    text: str
    html: str
    at: datetime


class Mails:
    """Reads and writes `mails`: the newest 500."""

    def __init__(self, database: Database) -> None:
        self._mails = database.collection("mails")

    async def add(self, mail: StoredMail) -> None:
        row = {
            "_id": mail.id,
            "message_id": mail.message_id,
            "to": mail.to,
            "subject": mail.subject,
            "text": mail.text,
            "html": mail.html,
            "at": mail.at,
        }
        with answering():
            await self._mails.insert_one(row)

    async def newest(self, most: int, *, to: str | None = None) -> Sequence[StoredMail]:
        """The newest mails first, at most `most`; those to one address, or all."""
        wanted = {} if to is None else {"to": to}
        with answering():
            return [_mail(row) async for row in self._mails.find(wanted).sort("$natural", DESCENDING).limit(most)]

    async def find(self, mail_id: str) -> StoredMail | None:
        with answering():
            row = await self._mails.find_one({"_id": mail_id})
        return None if row is None else _mail(row)


def _mail(row: Document) -> StoredMail:
    return StoredMail(row["_id"], row["message_id"], row["to"], row["subject"], row["text"], row["html"], row["at"])
