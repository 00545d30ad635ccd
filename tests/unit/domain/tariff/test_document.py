"""A tariff document is read strictly, and what is wrong is named with its place."""

from __future__ import annotations

import json
from typing import Any

import pytest

from autospot.domain.tariff import InvalidTariff, Tariff, parse_tariff
from autospot.domain.tariff.document import DOCUMENT_LIMIT_BYTES, PROBLEMS_LIMIT
from tests.support.tariffs import CLIMBING, HOURLY, band, bands, day_and_night, document, session_cap, tariff

OFFERS = {
    "type": "cheapest_of",
    "offers": [
        {"name": "By the hour", "price": HOURLY, "caps": [session_cap(1800)]},
        {"name": "Early bird", "price": {"type": "flat", "price": 1000}, "entry": {"from": "06:00", "until": "09:00"}},
    ],
}


def with_change(whole: dict[str, Any], pointer: str, value: object) -> dict[str, Any]:
    changed = json.loads(json.dumps(whole))
    here = changed
    *path, last = (int(token) if token.isdigit() else token for token in pointer.split("/")[1:])
    for token in path:
        here = here[token]
    here[last] = value
    return changed


def slabs(*listed: tuple[int, int]) -> dict[str, Any]:
    return {"type": "slabs", "slabs": [{"up_to_minutes": length, "price": price} for length, price in listed]}


def rates(*listed: dict[str, int], unit_minutes: int = 1) -> dict[str, Any]:
    return {"type": "progressive", "unit_minutes": unit_minutes, "rates": list(listed)}


def problems(text: object) -> list[tuple[str, str]]:
    with pytest.raises(InvalidTariff) as refusal:
        parse_tariff(text)  # type: ignore[arg-type]
    assert (refusal.value.at, refusal.value.message) == refusal.value.problems[0]
    return [tuple(problem) for problem in refusal.value.problems]


@pytest.mark.parametrize(
    "price", [CLIMBING, day_and_night(), OFFERS, {"type": "flat", "price": 0}], ids=lambda p: p["type"]
)
def test_a_document_is_read_back_from_what_it_writes(price: dict[str, Any]):
    read = tariff(price, kinds={"ev": 120}, holidays={"country": "DE", "except": ["2026-05-01"]}, accepts=["open_end"])
    assert parse_tariff(read.model_dump_json()) == read
    assert parse_tariff(read.model_dump(mode="json")).version_id == read.version_id


@pytest.mark.parametrize(
    ("price", "at", "value"),
    [
        (CLIMBING, "/price/steps/1/price", "100"),
        (CLIMBING, "/price/steps/1/price", 100.0),
        (CLIMBING, "/price/steps/1/price", True),
        (CLIMBING, "/price/steps/1/price", -1),
        (CLIMBING, "/price/steps/1/price", 1_000_000_001),
        (CLIMBING, "/price/steps/0/minutes", 0),
        (CLIMBING, "/price/steps/0/repeat", "no"),
        (CLIMBING, "/price/steps/0/colour", "red"),
        (CLIMBING, "/price/steps", []),
        (CLIMBING, "/price/type", "magic"),
        (CLIMBING, "/price", 300),
        (CLIMBING, "/format", "autospot-tariff/2"),
        (CLIMBING, "/id", "har/bour"),
        (CLIMBING, "/version", 0),
        (CLIMBING, "/valid_from", "2026-02-30"),
        (CLIMBING, "/time_zone", "Europe/Atlantis"),
        (CLIMBING, "/currency", "EUX"),
        (CLIMBING, "/vat", {"basis_points": 1900, "included": "yes"}),
        (CLIMBING, "/vat", {"basis_points": 10_001, "included": True}),
        (CLIMBING, "/free_minutes", -1),
        (CLIMBING, "/colour", "red"),
        (CLIMBING, "/caps", [{"window": "fortnight", "amount": 1}]),
        (CLIMBING, "/caps", [{"window": "calendar_day", "amount": 1}]),
        (CLIMBING, "/caps", [{"window": "rolling", "minutes": 59, "amount": 1, "ladder_restarts": True}]),
        (CLIMBING, "/caps", [{"window": "session", "amount": 0}]),
        (CLIMBING, "/kinds", {"boat": 50}),
        (CLIMBING, "/kinds", {"ev": 1001}),
        (CLIMBING, "/holidays", {"country": "XX"}),
        (CLIMBING, "/holidays", {"country": "DE", "subdivision": "ZZ"}),
        (CLIMBING, "/accepts", ["everything"]),
        (day_and_night(), "/price/bands/1/from", "18:60"),
        (day_and_night(), "/price/bands/1/from", "24:00"),
        (day_and_night(), "/price/bands/1/from", "6:00"),
        (day_and_night(), "/price/bands/1/from", 360),
        (day_and_night(), "/price/bands/1/until", "00:00"),
        (day_and_night(), "/price/bands/1/until", "２４:００"),
        (day_and_night(), "/price/bands/1/days", ["someday"]),
        (day_and_night(), "/price/bands/1/days", []),
        (day_and_night(), "/price/bands/1/price/price", None),
        (day_and_night(), "/price/bands/1/cap", 0),
        (day_and_night(), "/price/rounding_scope", "year"),
        (OFFERS, "/price/offers/1/price/price", 1.5),
        (OFFERS, "/price/offers/1/entry/from", "later"),
        (OFFERS, "/price/offers/0/caps/0/amount", "1800"),
        (OFFERS, "/price/offers/0/price/steps/0/minutes", 60.5),
    ],
    ids=str,
)
def test_what_is_wrong_is_named_with_its_place(price: dict[str, Any], at: str, value: object):
    found = problems(with_change(document(price), at, value))
    assert all(place.startswith(at) for place, _ in found)
    assert len(found) == 1


@pytest.mark.parametrize(
    "field", ["format", "id", "version", "name", "valid_from", "time_zone", "currency", "vat", "price"]
)
def test_what_is_missing_is_named(field: str):
    whole = document()
    del whole[field]
    assert problems(whole) == [(f"/{field}", "Field required")]


@pytest.mark.parametrize(
    ("price", "at"),
    [
        (slabs((60, 2), (90, 1)), "/price/slabs"),
        (slabs((60, 1), (60, 2)), "/price/slabs"),
        (rates({"per_hour": 1}, {"per_hour": 2}), "/price"),
        (rates({"until_minute": 9, "per_hour": 1}, {"until_minute": 9, "per_hour": 2}), "/price"),
        (rates({"until_minute": 20, "per_hour": 1}, unit_minutes=15), "/price"),
        (bands(band("Night", "18:00", "06:00", {"type": "flat", "price": 5}), rounding_scope="session"), "/price"),
        (bands(band("Free day", "00:00", "24:00", 5, days=["sun", "holiday"])), ""),
        ({**OFFERS, "offers": OFFERS["offers"][1:] * 2}, "/price/offers"),
        ({**OFFERS, "offers": OFFERS["offers"][:1]}, "/price/offers"),
    ],
    ids=[
        "a slab that is cheaper", "a slab that is no longer", "a rate after the last", "a rate that ends at once",
        "a rate that ends within a unit", "a flat price under session rounding", "a holiday without a calendar",
        "no offer for everybody", "a choice of one",
    ],
)  # fmt: skip
def test_what_cannot_hold_together_is_refused(price: dict[str, Any], at: str):
    assert [place for place, _ in problems(document(price))] == [at]


def test_all_problems_are_told_at_once_up_to_a_limit():
    whole = with_change(with_change(document(), "/currency", "EUX"), "/price/steps/0/price", -1)
    assert {place for place, _ in problems(whole)} == {"/currency", "/price/steps/0/price"}
    assert (
        len(problems(document(day_and_night(), **{f"field_{n}": n for n in range(PROBLEMS_LIMIT + 9)})))
        == PROBLEMS_LIMIT
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON: Expecting property name enclosed in double quotes in line 1, column 2"),
        ("", "not JSON"),
        (b"\xff\xfe", "not UTF-8"),
        ("[" * 100_000, "nested too deeply"),
        ('{"version": 1, "version": 2}', "the name 'version' is given twice"),
        ('{"version": NaN}', "NaN is no JSON number"),
        ("[]", "Input should be an object"),
        ("null", "Input should be an object"),
        (" " * (DOCUMENT_LIMIT_BYTES + 1), "a tariff document has at most"),
        ({"version": {1, 2}}, "holds something that JSON cannot"),
        ('{"\\ud800": 1}', "Invalid JSON"),
        (f'{{"version": {"9" * 5000}}}', "holds something that JSON cannot"),
    ],
    ids=[
        "cut",
        "empty",
        "binary",
        "deep",
        "twice",
        "nan",
        "list",
        "null",
        "large",
        "set",
        "surrogate",
        "endless number",
    ],
)
def test_what_is_no_document_at_all_is_refused_with_a_reason(text: object, said: str):
    assert said in problems(text)[0][1]


def test_a_byte_order_mark_does_no_harm():
    assert isinstance(parse_tariff(b"\xef\xbb\xbf" + json.dumps(document()).encode()), Tariff)


def test_a_tariff_describes_itself_in_json_schema():
    schema = Tariff.model_json_schema(by_alias=True)
    assert schema["properties"]["format"]["const"] == "autospot-tariff/1"
    assert "from" in schema["$defs"]["Band"]["properties"]
