"""Random small tariffs and stays for property tests, drawn so that edges meet often."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from autospot.domain.period import Period
from tests.support.tariff_reference import whole_second_stay
from tests.support.tariffs import document, local

prices = st.integers(0, 12).map(lambda number: number * 25) | st.integers(0, 400)
minutes = st.sampled_from([1, 5, 10, 15, 30, 45, 60, 90])
clocks = st.sampled_from(
    ["00:00", "00:30", "01:00", "01:15", "02:00", "02:30", "03:00", "06:00", "12:00", "18:00", "23:00", "23:59"]
)
ends = clocks | st.just("24:00")
day_sets = st.sampled_from(
    [None, ["mon", "tue", "wed", "thu", "fri"], ["sat", "sun"], ["sun"], ["fri", "holiday"], ["mon", "sat", "holiday"]]
)
zones = st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Chatham"])

_SECOND, _FIVE_MINUTES = timedelta(seconds=1), timedelta(minutes=5)

ENTRIES = [
    "2026-03-28 23:20",  # Berlin sets clocks forward in this night, back in the next two
    "2026-03-29 01:10",
    "2026-10-24 23:30",
    "2026-10-25 01:20",
    "2026-03-08 00:40",  # New York, forward and back
    "2026-11-01 00:30",
    "2028-02-28 22:45",  # before a leap day, and on it
    "2028-02-29 23:00",
    "2026-12-31 22:30",
    "2026-05-01 05:10",  # a holiday in Germany
    "2026-06-05 17:05",  # a Friday evening
]


@st.composite
def _ladders(draw: st.DrawFn) -> dict[str, Any]:
    steps = [{"minutes": draw(minutes), "price": draw(prices)} for _ in range(draw(st.integers(1, 3)))]
    steps[-1]["repeat"] = draw(st.booleans())
    return {"type": "ladder", "steps": steps}


@st.composite
def _progressives(draw: st.DrawFn) -> dict[str, Any]:
    unit = draw(st.sampled_from([1, 5, 15]))
    edges = sorted(draw(st.sets(st.integers(1, 8), max_size=2)))
    rates: list[dict[str, Any]] = [{"until_minute": edge * 15, "per_hour": draw(prices)} for edge in edges]
    if not rates or draw(st.booleans()):
        rates.append({"per_hour": draw(prices)})
    return {"type": "progressive", "unit_minutes": unit, "rates": rates}


@st.composite
def _slabs(draw: st.DrawFn) -> dict[str, Any]:
    lengths = sorted(draw(st.sets(minutes, min_size=1, max_size=3)))
    amounts = sorted(draw(st.lists(prices, min_size=len(lengths), max_size=len(lengths))))
    listed = zip(lengths, amounts, strict=True)
    return {"type": "slabs", "slabs": [{"up_to_minutes": length, "price": price} for length, price in listed]}


flats = prices.map(lambda price: {"type": "flat", "price": price})
hourly = prices.map(lambda price: {"type": "per_hour", "price": price})
whole_prices = _ladders() | _slabs() | flats
"""Prices of whole minor units: nothing is lost or won by rounding when a stay is split."""

by_length = whole_prices | _progressives()


@st.composite
def _windows(draw: st.DrawFn) -> dict[str, Any]:
    days = draw(day_sets)
    return {
        "from": draw(clocks),
        "until": draw(ends.filter(lambda end: end != "00:00")),
        **({"days": days} if days else {}),
    }


@st.composite
def _bands(draw: st.DrawFn) -> dict[str, Any]:
    scope = draw(st.sampled_from(["band", "session", "block"]))
    kinds_of_price = by_length | hourly if scope == "band" else hourly
    if draw(st.booleans()):  # one price for all bands: under session rounding the only one that falls nowhere
        kinds_of_price = st.just(draw(kinds_of_price))
    listed = []
    for number in range(draw(st.integers(1, 3))):
        one = {"name": f"Band {number}", **draw(_windows()), "price": draw(kinds_of_price)}
        if draw(st.integers(0, 3)) == 0:
            one["cap"] = draw(st.integers(1, 400))
        listed.append(one)
    unit = draw(st.sampled_from([1, 10, 15, 60]))
    return {"type": "bands", "rounding_scope": scope, "unit_minutes": unit, "bands": listed}


@st.composite
def _caps(draw: st.DrawFn) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = []
    for window in draw(st.lists(st.sampled_from(["session", "rolling", "calendar_day"]), max_size=3)):
        cap: dict[str, Any] = {"window": window, "amount": draw(st.integers(1, 900))}
        if window != "session":
            cap["ladder_restarts"] = draw(st.booleans())
        if window == "rolling":
            cap["minutes"] = draw(st.sampled_from([60, 75, 90, 120]))
        listed.append(cap)
    return listed


@st.composite
def _offers(draw: st.DrawFn) -> dict[str, Any]:
    offers = [{"name": "Always", "price": draw(by_length | _bands()), "caps": draw(_caps())}]
    for number in range(draw(st.integers(1, 2))):
        offer = {"name": f"Offer {number}", "price": draw(by_length | _bands())}
        conditions = {"entry": _windows(), "exit": _windows(), "max_stay_minutes": minutes}
        offer |= {name: draw(values) for name, values in conditions.items() if draw(st.booleans())}
        offers.append(offer)
    return {"type": "cheapest_of", "offers": offers}


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Any kind of tariff."""
    return document(
        draw(by_length | _bands() | _offers()),
        time_zone=draw(zones),
        free_minutes=draw(st.sampled_from([0, 0, 1, 10, 30])),
        caps=draw(_caps()),
        kinds={"ev": draw(st.sampled_from([0, 33, 50, 120]))},
        vat={"basis_points": draw(st.sampled_from([0, 700, 1900])), "included": draw(st.booleans())},
        holidays={"country": "DE", "subdivision": "BE"},
    )


@st.composite
def stays(draw: st.DrawFn, zone: str, longest_minutes: int = 240) -> Period:
    """A stay of whole seconds, often an exact number of minutes or one second off."""
    entry = local(draw(st.sampled_from(ENTRIES)), zone, draw(st.integers(0, 1)))
    start = whole_second_stay(entry, 1).start + draw(st.integers(0, 40).map(lambda number: number * _FIVE_MINUTES))
    length = draw(st.integers(1, longest_minutes)) * 60 + draw(st.sampled_from([-1, 0, 0, 1, 29]))
    return whole_second_stay(start + draw(st.sampled_from([0, 0, 0, 1, 59])) * _SECOND, length)
