"""What people send about tariffs and quotes, and what they are told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from pydantic import Field, GetJsonSchemaHandler, RootModel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from api.contract import Input, Output
from api.values import Instant
from autospot.domain.ids import Code
from autospot.domain.instant import EPOCH
from autospot.domain.lot import BayKind
from autospot.domain.money import Money
from autospot.domain.period import Period
from autospot.domain.tariff import Finding, Tariff, explain, valid_from
from autospot.domain.tariff.model import FindingCode
from autospot.domain.tariff.preview import Compared
from autospot.domain.tariff.quote import Line, LineKind
from autospot.services.quoting import Quoted
from autospot.services.tariffs import LotTariff, Previewed, StaySource, document_as_mapping

STAYS_LIMIT = 200


class TariffDocument(RootModel[dict[str, Any]]):
    """A tariff document, as `docs/tariffs.md` describes it. What is wrong with one is named at its place."""

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(Tariff.__pydantic_core_schema__)


class TariffLotPath(Input):
    """A lot."""

    lot: Code


class QuoteBody(Input):
    """A stay to be priced: on a bay, or on a bay of a kind (`general` where neither is said)."""

    lot: Code
    bay: Code | None = None
    kind: BayKind | None = None
    from_: Instant = Field(alias="from")
    until: Instant


class StayBody(Input):
    """A stay to try a tariff on."""

    from_: Instant = Field(alias="from")
    until: Instant
    kind: BayKind | None = None


class PreviewBody(Input):
    """The tariff to try, and the stays to try it on: those of last month where none are given."""

    tariff: TariffDocument
    stays: list[StayBody] = Field(default_factory=list, max_length=STAYS_LIMIT)


class QuoteLineView(Output):
    """One entry of the timeline. The amounts of all lines, in minor units, add up to the total."""

    from_: Instant = Field(alias="from", serialization_alias="from")
    until: Instant
    kind: LineKind
    rule: str
    quantity: int
    unit_seconds: int
    unit_price: int
    per_seconds: int
    amount: int


class QuoteView(Output):
    """What a stay costs and why. Where parking is free of charge there is no tariff, no line, and no hash."""

    lot: str
    bay: str | None
    kind: BayKind
    from_: Instant = Field(alias="from", serialization_alias="from")
    until: Instant
    tariff_version: str | None
    time_zone: str | None
    offer: str
    lines: list[QuoteLineView]
    explanation: list[str] = Field(description="the lines as sentences, in the lot's own time")
    total: Money
    net: Money
    vat: Money
    vat_basis_points: int
    package_seconds: int = Field(description="how much of a minutes package it would use up")
    hash: str | None = Field(description="SHA-256 of the quote: equal for equal terms, times and lines")


class FindingView(Output):
    """What the linter says, at a JSON pointer into the document."""

    code: FindingCode
    at: str
    message: str
    accepted: bool


class VersionView(Output):
    """One version of a lot's tariff."""

    version: int
    version_id: str
    name: str
    valid_from: date
    valid_since: Instant
    in_force: bool


class TariffView(Output):
    """A lot's tariff: the newest document, all versions by when they become valid, and what the linter says."""

    lot: str
    version: int
    tariff: dict[str, Any]
    in_force: int | None = Field(description="the version valid now; null before the first one is")
    versions: list[VersionView]
    findings: list[FindingView]


class ComparedView(Output):
    """One stay under both tariffs. `before` is null where none was valid at its beginning."""

    from_: Instant = Field(alias="from", serialization_alias="from")
    until: Instant
    kind: BayKind | None
    before: Money | None
    after: Money


class PreviewView(Output):
    """What the tariff would have made of stays that are over. `source` says which: last month's sessions, the given
    ones, or usual ones where there were no sessions."""

    source: StaySource
    from_: Instant | None = Field(alias="from", serialization_alias="from")
    until: Instant | None
    stays: int
    truncated: bool
    before: Money
    after: Money
    dearer: int
    cheaper: int
    examples: list[ComparedView] = Field(description="the stays whose fee changes most")
    findings: list[FindingView]


def quote_view(quoted: Quoted, currency: str) -> QuoteView:
    found = quoted.quote
    nothing = Money(0, currency if found is None else found.total.currency)
    return QuoteView(
        lot=quoted.lot,
        bay=quoted.bay,
        kind=quoted.kind,
        **_span(quoted.period),
        tariff_version=found.tariff_version if found else None,
        time_zone=found.time_zone if found else None,
        offer=found.offer if found else "",
        lines=[_line_view(line) for line in found.lines] if found else [],
        explanation=explain(found) if found else [f"Parking is free of charge. Total: {nothing}."],
        total=found.total if found else nothing,
        net=found.net if found else nothing,
        vat=found.vat if found else nothing,
        vat_basis_points=found.vat_basis_points if found else 0,
        package_seconds=found.package_seconds if found else 0,
        hash=found.hash if found else None,
    )


def _line_view(line: Line) -> QuoteLineView:
    fields = ("kind", "rule", "quantity", "unit_seconds", "unit_price", "per_seconds", "amount")
    named = {name: getattr(line, name) for name in fields}
    return QuoteLineView.model_validate({"from": line.start, "until": line.until, **named})


def _span(period: Period) -> dict[str, Any]:
    return {"from": period.start, "until": period.until}


def finding_views(findings: Sequence[Finding]) -> list[FindingView]:
    return [FindingView(**each._asdict()) for each in findings]


def tariff_view(lot: str, current: LotTariff) -> TariffView:
    force = current.in_force
    return TariffView(
        lot=lot,
        version=current.newest.version,
        tariff=document_as_mapping(current.newest),
        in_force=None if force is None else force.version,
        versions=[_version_view(each, force) for each in current.book.versions()],
        findings=finding_views(current.findings),
    )


def _version_view(tariff: Tariff, in_force: Tariff | None) -> VersionView:
    return VersionView(
        version=tariff.version,
        version_id=tariff.version_id,
        name=tariff.name,
        valid_from=tariff.valid_from,
        valid_since=_instant(valid_from(tariff)),
        in_force=tariff is in_force,
    )


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, EPOCH.tzinfo)


def preview_view(previewed: Previewed) -> PreviewView:
    made, currency = previewed.preview, previewed.currency
    within = previewed.within
    return PreviewView(
        source=previewed.source,
        **(_span(within) if within else {"from": None, "until": None}),
        stays=made.stays,
        truncated=previewed.truncated,
        before=Money(made.before, currency),
        after=Money(made.after, currency),
        dearer=made.dearer,
        cheaper=made.cheaper,
        examples=[_compared_view(each, currency) for each in made.examples],
        findings=finding_views(previewed.findings),
    )


def _compared_view(compared: Compared, currency: str) -> ComparedView:
    fields = {
        "kind": compared.kind,
        "before": None if compared.before is None else Money(compared.before, currency),
        "after": Money(compared.after, currency),
    }
    return ComparedView.model_validate({**_span(compared.period), **fields})
