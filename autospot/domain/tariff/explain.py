"""A quote in words for people: one sentence a line, in the lot's own time."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from autospot.domain.money import Money
from autospot.domain.tariff.quote import Line, Quote, percent_text

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def explain(quote: Quote) -> list[str]:
    """The timeline, sentence by sentence, and the total last. The amounts named add up to the total."""
    zone, currency = ZoneInfo(quote.time_zone), quote.total.currency
    return [_sentence(line, zone, currency) for line in quote.lines] + [_total(quote)]


def _sentence(line: Line, zone: ZoneInfo, currency: str) -> str:
    amount = Money(line.amount, currency)
    match line.kind:
        case "discount":
            return f"Discount: {amount}."
        case "vat":
            return f"{line.rule}: {amount}."
        case "free" | "covered":
            return f"{_span(line, zone)}: {line.rule}."
        case "cap":
            return f"{_span(line, zone)}: {line.rule}, which takes off {-amount}."
        case "charge":
            return f"{_span(line, zone)}: {line.rule}{_reckoning(line, currency)}: {amount}."


def _reckoning(line: Line, currency: str) -> str:
    """How the amount comes about, where the rule and the amount alone do not say it."""
    price = Money(line.unit_price, currency)
    if line.per_seconds != line.unit_seconds:
        return f", {duration_text(line.quantity * line.unit_seconds)} at {price} an hour" if line.unit_price else ""
    return f", {line.quantity} times {price}" if line.quantity > 1 else ""


def _span(line: Line, zone: ZoneInfo) -> str:
    start, until = line.start.astimezone(zone), line.until.astimezone(zone)
    end = _clock(until) if start.date() == until.date() else local_text(until)
    return f"{local_text(start)} to {end}"


def local_text(local: datetime) -> str:
    """`Mon 2026-06-01 16:40`, with seconds where there are any."""
    return f"{_WEEKDAYS[local.weekday()]} {local:%Y-%m-%d} {_clock(local)}"


def _clock(local: datetime) -> str:
    return f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"


def duration_text(seconds: int) -> str:
    """`5400` as `1 h 30 min`, `61` as `1 min 1 s`."""
    hours, rest = divmod(seconds, 3600)
    parts = [(hours, "h"), (rest // 60, "min"), (rest % 60, "s")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"


def _total(quote: Quote) -> str:
    if not quote.vat_basis_points or not quote.total.amount:
        return f"Total: {quote.total}."
    return f"Total: {quote.total}, of which VAT ({percent_text(quote.vat_basis_points)}): {quote.vat}."
