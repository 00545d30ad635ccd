"""`mail_wishes`: what each driver wants to be told by mail. Who never said has no document."""

from __future__ import annotations

from datetime import time

from pymongo.errors import DuplicateKeyError

from autospot.domain.errors import PreconditionFailed
from autospot.domain.notice_mail import MailWishes, QuietHours, Topic
from autospot.storage.mongo import Database, Document, Session
from autospot.storage.outages import answering


class MailWishesStore:
    """Reads and writes `mail_wishes`."""

    def __init__(self, database: Database) -> None:
        self._wishes = database.collection("mail_wishes")

    async def of(self, user: str, *, session: Session | None = None) -> MailWishes:
        """What a driver wants."""
        with answering(session):
            row = await self._wishes.find_one({"_id": user}, session=session)
        return MailWishes() if row is None else _wishes(row)

    async def replace(self, user: str, before: MailWishes, after: MailWishes) -> None:
        """Stores what became of `before`; `PreconditionFailed` if it changed since it was read."""
        row: Document = {
            "topics": sorted(after.topics),
            "quiet": None
            if after.quiet is None
            else [f"{each:%H:%M}" for each in (after.quiet.start, after.quiet.until)],
            "version": after.version,
        }
        try:
            with answering():
                done = await self._wishes.replace_one(
                    {"_id": user, "version": before.version}, row, upsert=before.version == 0
                )
        except DuplicateKeyError:
            done = None  # somebody else was the first
        if done is None or not (done.matched_count or done.upserted_id):
            raise PreconditionFailed("it was changed since you read it: read it again, then decide")

    async def erase(self, user: str, *, session: Session) -> None:
        """Forgets what somebody wanted."""
        await self._wishes.delete_one({"_id": user}, session=session)


def _wishes(row: Document) -> MailWishes:
    quiet = None if row["quiet"] is None else QuietHours(*(time.fromisoformat(each) for each in row["quiet"]))
    topics = frozenset(topic for topic in Topic if topic in row["topics"])
    return MailWishes(topics=topics, quiet=quiet, version=row["version"])
