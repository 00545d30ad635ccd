"""`mail_wishes`: what each driver wants to be told by mail, and when. Who never said has no document."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time

from pymongo.errors import DuplicateKeyError

from autospot.domain.errors import PreconditionFailed
from autospot.domain.notice_mail import MailWishes, QuietHours, Topic
from autospot.domain.reminding import USUAL, Leads
from autospot.storage.batches import Batches
from autospot.storage.mongo import Database, Document, Session
from autospot.storage.outages import answering


class MailWishesStore:
    """Reads and writes `mail_wishes`."""

    def __init__(self, database: Database) -> None:
        self._wishes = database.collection("mail_wishes")
        self._looks: Batches[str, Leads] = Batches(self._leads)

    async def of(self, user: str, *, session: Session | None = None) -> MailWishes:
        """What a driver wants."""
        with answering(session):
            row = await self._wishes.find_one({"_id": user}, session=session)
        return MailWishes() if row is None else _wishes(row)

    async def leads_of(self, user: str) -> Leads:
        """How long before something a driver wants to be reminded. Few ever said: one look tells of all who are asked
        about at the same moment."""
        return await self._looks.ask(user)

    async def _leads(self, users: Sequence[str]) -> Sequence[Leads]:
        with answering():
            wanted = {"_id": {"$in": list(set(users))}}
            rows = await self._wishes.visit(lambda wishes: list(wishes.find(wanted, {"leads": 1})))
        said = {row["_id"]: _leads(row) for row in rows}
        return [said.get(user, USUAL) for user in users]

    async def replace(self, user: str, before: MailWishes, after: MailWishes, *, session: Session) -> None:
        """Stores what became of `before`; `PreconditionFailed` if it changed since it was read."""
        row: Document = {
            "topics": sorted(after.topics),
            "quiet": None
            if after.quiet is None
            else [f"{each:%H:%M}" for each in (after.quiet.start, after.quiet.until)],
            "leads": after.leads.as_json(),
            "version": after.version,
        }
        try:
            done = await self._wishes.replace_one(
                {"_id": user, "version": before.version}, row, upsert=before.version == 0, session=session
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
    return MailWishes(topics=topics, quiet=quiet, leads=_leads(row), version=row["version"])


def _leads(row: Document) -> Leads:
    return Leads(**row["leads"]) if "leads" in row else USUAL
