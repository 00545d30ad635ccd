"""The tariffs of lots: which version a stay is under, new versions, and what one would change."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from autospot.clock import Clock
from autospot.domain.audit import Actor
from autospot.domain.errors import InvalidInput, NotFound, PreconditionFailed
from autospot.domain.period import Period
from autospot.domain.tariff import Finding, Problem, Tariff, TariffBook, lint, parse_tariff
from autospot.domain.tariff.preview import Preview, last_month, preview, usual_stays
from autospot.services.audit import Audit
from autospot.storage.mongo import Database, Session
from autospot.storage.tariffs import Tariffs, document_of

SESSIONS_PREVIEWED: Final = 5_000
"""Most sessions of last month that a preview prices: some seconds of one thread."""

Stays = Sequence[tuple[Period, str | None]]
StaySource = Literal["sessions", "given", "usual"]


class QuestionableTariff(InvalidInput):
    """The linter found what the document does not accept. `problems` are the findings at their places."""

    code = "questionable_tariff"

    def __init__(self, findings: Sequence[Finding]) -> None:
        first = findings[0]
        super().__init__(f"{first.code}: {first.message}", at=first.at)
        self.problems = tuple(Problem(each.at, f"{each.code}: {each.message}") for each in findings)


@dataclass(frozen=True, slots=True)
class LotTariff:
    """What a lot charges. `newest` is the version with the highest number, `in_force` the one valid now, if any."""

    newest: Tariff
    in_force: Tariff | None
    book: TariffBook
    findings: Sequence[Finding]


@dataclass(frozen=True, slots=True)
class Previewed:
    """A preview, over which stays it was made, and what the linter says. `truncated`: there were more sessions."""

    preview: Preview
    source: StaySource
    within: Period | None
    findings: Sequence[Finding]
    currency: str
    truncated: bool = False


def no_tariff() -> NotFound:
    """For a lot that is free of charge."""
    return NotFound("this lot has no tariff", code="no_tariff")


class LotTariffs:
    """Edits tariffs by adding versions; none is ever changed, so what was quoted or begun under one stays explained."""

    def __init__(self, database: Database, audit: Audit, clock: Clock, currency: str) -> None:
        self._database = database
        self._tariffs = Tariffs(database)
        self._audit = audit
        self._clock = clock
        self.currency = currency

    async def book(self, lot: str) -> TariffBook | None:
        """All versions of a lot, None for one that is free of charge: the `TariffsOf` of the booking desk."""
        return await self._tariffs.book(lot)

    async def current(self, lot: str) -> LotTariff:
        """What holds in a lot and what will; `NotFound` (code `no_tariff`) where nothing does."""
        book = await self.book(lot)
        if book is None:
            raise no_tariff()
        newest = max(book.versions(), key=lambda each: each.version)
        return LotTariff(newest, _valid(book, self._clock.now()), book, lint(newest))

    async def put(
        self, lot: str, document: Mapping[str, Any], actor: Actor, *, versions: frozenset[str] | None = None
    ) -> LotTariff:
        """Stores the next version of a lot's tariff. `versions`: the numbers that the caller expects to be the newest.

        `InvalidTariff` for what is no tariff, `QuestionableTariff` for findings that it does not accept, `InvalidInput`
        for another currency, id, or a day that is over, `PreconditionFailed` unless it is numbered next.
        """
        tariff = parse_tariff(document)
        if doubts := [each for each in lint(tariff) if not each.accepted]:
            raise QuestionableTariff(doubts)
        now = self._clock.now()

        async def work(session: Session) -> None:
            before = await self._tariffs.newest(lot, session=session)
            self._require_next(before, tariff, versions, now)
            await self._tariffs.add(lot, tariff, now, session=session)
            await self._audit.record(
                session,
                actor,
                "tariff.changed",
                lot,
                now,
                lot=lot,
                before=_audited(before),
                after=_audited(tariff),
            )

        await self._database.transaction(work)
        return await self.current(lot)

    def _require_next(
        self, before: Tariff | None, tariff: Tariff, versions: frozenset[str] | None, now: datetime
    ) -> None:
        number = 0 if before is None else before.version
        if (versions is not None and str(number) not in versions) or tariff.version != number + 1:
            raise PreconditionFailed(f"the newest version is {number}: read it again, then store {number + 1}")
        self._require_currency(tariff)
        if before is None:
            return
        if tariff.id != before.id:
            raise InvalidInput(f"the tariff of this lot has the id {before.id}", at="/id")
        if tariff.valid_from < now.astimezone(ZoneInfo(tariff.time_zone)).date():
            raise InvalidInput("a new version is valid from today or a later day on", at="/valid_from")

    async def preview(self, lot: str, document: Mapping[str, Any], given: Stays) -> Previewed:
        """What the document would have made of the given stays, else of last month's sessions, else of usual ones."""
        tariff = parse_tariff(document)
        self._require_currency(tariff)
        book, now = await self.book(lot), self._clock.now()
        stays, within, truncated = given, None, False
        source: StaySource = "given"
        if not given:
            within = last_month(now, tariff.time_zone)
            past = await self._tariffs.past_stays(lot, within, SESSIONS_PREVIEWED + 1)
            truncated = len(past) > SESSIONS_PREVIEWED
            stays = [(each.period, each.kind) for each in past[:SESSIONS_PREVIEWED]]
            source = "sessions"
        if not stays:
            stays, source, within = usual_stays(now, tariff.time_zone), "usual", None
        made = await asyncio.to_thread(preview, book, tariff, stays)  # seconds of work must not hold up the live path
        return Previewed(made, source, within, lint(tariff), tariff.currency, truncated)

    def _require_currency(self, tariff: Tariff) -> None:
        if tariff.currency != self.currency:
            raise InvalidInput(f"payments are in {self.currency}", at="/currency", code="currency_mismatch")


async def load_tariff(tariffs: LotTariffs, lot: str, document: str | bytes, actor: Actor) -> bool:
    """Gives a lot its first tariff, from a file; False and nothing done if it has one."""
    if await tariffs.book(lot) is not None:
        return False
    await tariffs.put(lot, document_as_mapping(parse_tariff(document)), actor)
    return True


def document_as_mapping(tariff: Tariff) -> dict[str, Any]:
    """The document as plain JSON values, as it was written: without what it left out."""
    return dict(tariff.model_dump(mode="json", by_alias=True, exclude_unset=True))


def _valid(book: TariffBook, now: datetime) -> Tariff | None:
    try:
        return book.valid_at(now)
    except NotFound:
        return None


def _audited(tariff: Tariff | None) -> Mapping[str, Any] | None:
    if tariff is None:
        return None
    valid_from = tariff.valid_from.isoformat()
    return {"version_id": tariff.version_id, "valid_from": valid_from, "document": document_of(tariff)}
