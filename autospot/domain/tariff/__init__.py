"""Tariffs: what a stay costs and why.

    tariff = parse_tariff(text)                     # document, model, prices: or InvalidTariff, which names places
    findings = lint(tariff)                         # lint: gaps, overlaps, prices that fall
    book = TariffBook([tariff, …])                  # book: the version valid at entry
    quoted = quote(book.valid_at(entry), period)    # quote: lines that add up to the total, and a hash
    sentences = explain(quoted)                     # explain
    points = curve(tariff, entry, until)            # curve: where the price changes

A quote walks down through the modules: `timeline` (which seconds are charged), `pricelist` (the tariff in seconds and
shares), `charges` (the cheapest offer), `tiers` and `bands` (prices to runs), `runs` (runs under caps). All of it is
pure: no clock is read, and the same arguments give the same quote for ever.
"""

from autospot.domain.tariff.book import TariffBook, valid_from
from autospot.domain.tariff.curve import curve
from autospot.domain.tariff.document import InvalidTariff, Problem, parse_tariff
from autospot.domain.tariff.explain import explain
from autospot.domain.tariff.lint import Finding, lint
from autospot.domain.tariff.model import Tariff
from autospot.domain.tariff.quote import Line, Quote, quote

__all__ = [
    "Finding",
    "InvalidTariff",
    "Line",
    "Problem",
    "Quote",
    "Tariff",
    "TariffBook",
    "curve",
    "explain",
    "lint",
    "parse_tariff",
    "quote",
    "valid_from",
]
