"""What a stay costs, explained to the cent. The same function quotes a booking and settles a session at exit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from typing import Any, Literal, NamedTuple

from autospot.domain.errors import InvalidInput
from autospot.domain.instant import rfc3339
from autospot.domain.money import Money, half_up
from autospot.domain.period import Period
from autospot.domain.tariff.canonical import canonical_json
from autospot.domain.tariff.charges import Charges, charges
from autospot.domain.tariff.localtime import in_utc
from autospot.domain.tariff.model import Tariff
from autospot.domain.tariff.pricelist import PriceList, price_list
from autospot.domain.tariff.runs import SHARES, Rule, pieces
from autospot.domain.tariff.timeline import Timeline, after_package, timeline

LineKind = Literal["charge", "free", "covered", "cap", "discount", "vat"]
BASIS_POINTS = 10_000


@dataclass(frozen=True, slots=True)
class Line:
    """One entry of the timeline, `[start, until)`.

    A charge is `quantity` units of `unit_seconds`, each at `unit_price` per `per_seconds`; where the two lengths are 0
    it is one price however long. `amount` is what the line adds to the total in minor units; what a cap or a discount
    takes off is negative. Fractions of a minor unit are carried to the next line, so an amount may differ from
    quantity times price by less than one minor unit, and the lines add up to the total exactly.
    """

    start: datetime
    until: datetime
    kind: LineKind
    rule: str
    quantity: int
    unit_seconds: int
    unit_price: int
    per_seconds: int
    amount: int

    def as_json(self) -> dict[str, Any]:
        """Names as in the REST contract: `from` and `until`, the rest as here."""
        return {
            "from": rfc3339(self.start),
            "until": rfc3339(self.until),
            "kind": self.kind,
            "rule": self.rule,
            "quantity": self.quantity,
            "unit_seconds": self.unit_seconds,
            "unit_price": self.unit_price,
            "per_seconds": self.per_seconds,
            "amount": self.amount,
        }


@dataclass(frozen=True)
class Quote:
    """The fee of one stay under one frozen tariff version. The amounts of `lines` add up to `total`, to the cent.

    `total` is what is paid: `net` and `vat` together. `offer` names the offer that was taken where the tariff has
    several. `package_seconds` is how much of a minutes package the stay uses up, `discount` how much of the discount
    granted: neither is more than was given.
    """

    tariff_version: str
    period: Period
    time_zone: str
    kind: str | None
    offer: str
    lines: tuple[Line, ...]
    total: Money
    net: Money
    vat: Money
    vat_basis_points: int
    package_seconds: int
    discount: Money

    @cached_property
    def hash(self) -> str:
        """SHA-256, in hex, over the canonical JSON of all fields: equal only for equal terms, times and lines."""
        return sha256(canonical_json(self._terms())).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """The quote for an API or a receipt, with its `hash`."""
        return {**self._terms(), "hash": self.hash}

    def _terms(self) -> dict[str, Any]:
        return {
            "tariff_version": self.tariff_version,
            **self.period.as_json(),
            "time_zone": self.time_zone,
            "kind": self.kind,
            "offer": self.offer,
            "lines": [line.as_json() for line in self.lines],
            "total": self.total.as_json(),
            "net": self.net.as_json(),
            "vat": self.vat.as_json(),
            "vat_basis_points": self.vat_basis_points,
            "package_seconds": self.package_seconds,
            "discount": self.discount.as_json(),
        }


class _Entry(NamedTuple):
    """A line before rounding, with its place in the order: a cap stands at its window's end, before what follows."""

    at: int
    rank: int
    start: int
    until: int
    kind: LineKind
    quantity: int
    unit_seconds: int
    rule: Rule
    shares: int


def quote(
    tariff: Tariff,
    period: Period,
    *,
    kind: str | None = None,
    coverage: Sequence[Period] = (),
    package_seconds: int = 0,
    discount: Money | None = None,
) -> Quote:
    """The fee of a stay from `period.start` to `period.until`, both counted in whole seconds.

    `kind` is the kind of bay. Time within `coverage` (a subscription's hours) is no part of the stay as far as the
    tariff is concerned: nothing is owed for it and ladders do not climb meanwhile. Of the rest, the first
    `package_seconds` are paid by a minutes package, unless the stay is free anyway. `discount` (points) is taken off
    the prices at the end, before VAT is added where prices are without it, and never makes a fee negative.

    `InvalidInput` for a stay that cannot be priced (see `timeline`), or a negative or foreign discount.
    """
    if package_seconds < 0:
        raise InvalidInput("a minutes package cannot be negative", at="/package_seconds")
    granted = _granted(tariff, discount)
    prices = price_list(tariff, kind)
    stay = timeline(period, coverage)
    free = 0 < stay.seconds <= prices.free_seconds
    left = stay if free else after_package(stay, package_seconds)
    owed = Charges("", [], [], 0) if free else charges(prices, left)
    entries = [*_entries(left, owed), *(_free(stay, prices) if free else ())]
    price = half_up(owed.shares, SHARES)
    taken = min(granted, price)
    net, vat = vat_of(tariff, price - taken)
    lines = [*_rounded(entries), *_closing(tariff, stay, taken, vat)]
    currency = tariff.currency
    return Quote(
        tariff_version=tariff.version_id,
        period=period,
        time_zone=tariff.time_zone,
        kind=kind,
        offer=owed.offer,
        lines=tuple(lines),
        total=Money(net + vat, currency),
        net=Money(net, currency),
        vat=Money(vat, currency),
        vat_basis_points=tariff.vat.basis_points,
        package_seconds=stay.seconds - left.seconds,
        discount=Money(taken, currency),
    )


def fee(tariff: Tariff, prices: PriceList, stay: Timeline) -> int:
    """The total of a stay without package or discount, in minor units, and nothing else: for curves and checks."""
    if stay.seconds <= prices.free_seconds:
        return 0
    return sum(vat_of(tariff, half_up(charges(prices, stay).shares, SHARES)))


def vat_of(tariff: Tariff, price: int) -> tuple[int, int]:
    """Net and VAT of a price as the document means it, VAT rounded half up to the minor unit."""
    rate = tariff.vat.basis_points
    if tariff.vat.included:
        vat = half_up(price * rate, BASIS_POINTS + rate)
        return price - vat, vat
    return price, half_up(price * rate, BASIS_POINTS)


def _granted(tariff: Tariff, discount: Money | None) -> int:
    if discount is None:
        return 0
    if discount.currency != tariff.currency or discount.amount < 0:
        raise InvalidInput(f"a discount is an amount in {tariff.currency} and not negative", at="/discount")
    return discount.amount


def _entries(stay: Timeline, owed: Charges) -> Iterator[_Entry]:
    """The timeline: covered time, runs (cut where covered time interrupts them), caps at the ends of their windows."""
    for start, until, by in stay.covered:
        yield _Entry(start, 1, start, until, "covered", 1, 0, Rule(f"covered by a {by}", 0, 0), 0)
    for number, run in pieces(owed.runs, stay.offsets):
        start = stay.instant_at(run.start)
        last = stay.offsets[number + 1] if number + 1 < len(stay.offsets) else stay.seconds
        until = stay.end_at(min(run.until, last))
        yield _Entry(start, 1, start, until, "charge", run.units, run.unit_seconds, run.rule, run.total)
    for begin, end, shares, words in owed.reductions:
        start, until = stay.instant_at(begin), stay.end_at(end)
        yield _Entry(until, 0, start, until, "cap", 1, 0, Rule(words, 0, 0), -shares)


def _free(stay: Timeline, prices: PriceList) -> Iterator[_Entry]:
    words = f"a stay of at most {prices.free_seconds // 60} min is free"
    yield _Entry(stay.entry, 1, stay.entry, stay.exit, "free", 1, 0, Rule(words, 0, 0), 0)


def _rounded(entries: list[_Entry]) -> Iterator[Line]:
    """The entries in order with amounts in minor units: each the difference of two rounded running sums."""
    exact = paid = 0
    for entry in sorted(entries, key=lambda each: (each.at, each.rank)):
        exact += entry.shares
        amount = half_up(exact, SHARES) - paid
        paid += amount
        unit_price = amount if entry.kind == "cap" else entry.rule.price
        yield Line(
            in_utc(entry.start),
            in_utc(entry.until),
            entry.kind,
            entry.rule.words,
            entry.quantity,
            entry.unit_seconds,
            unit_price,
            entry.rule.per_seconds,
            amount,
        )


def _closing(tariff: Tariff, stay: Timeline, taken: int, vat: int) -> Iterator[Line]:
    start, until = in_utc(stay.entry), in_utc(stay.exit)
    if taken:
        yield Line(start, until, "discount", "discount", 1, 0, -taken, 0, -taken)
    if vat and not tariff.vat.included:
        yield Line(start, until, "vat", f"VAT {percent_text(tariff.vat.basis_points)}", 1, 0, vat, 0, vat)


def percent_text(basis_points: int) -> str:
    """`1900` as `19 %`, `770` as `7.7 %`."""
    whole, rest = divmod(basis_points, 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".") + " %"
