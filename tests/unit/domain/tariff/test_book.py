"""The version that is valid at entry holds to the end of the stay."""

from __future__ import annotations

import pytest

from autospot.domain.errors import InvalidInput, NotFound
from autospot.domain.tariff import Tariff, TariffBook
from tests.support.tariffs import NEW_YORK, local, tariff


def version(number: int, valid_from: str, **changes: object) -> Tariff:
    return tariff(version=number, valid_from=valid_from, **changes)


BOOK = TariffBook([version(2, "2026-06-01"), version(1, "2026-01-01"), version(3, "2027-01-01")])


@pytest.mark.parametrize(
    ("entry", "number"),
    [
        ("2026-01-01 00:00", 1),
        ("2026-05-31 23:59:59", 1),
        ("2026-06-01 00:00", 2),
        ("2026-12-31 23:59:59", 2),
        ("2027-01-01 00:00", 3),
        ("2030-01-01 00:00", 3),
    ],
)
def test_a_version_holds_from_its_midnight_in_the_lots_zone_until_the_next(entry: str, number: int):
    assert BOOK.valid_at(local(entry)).version == number


def test_midnight_is_that_of_the_lot():
    book = TariffBook([version(1, "2026-01-01", time_zone=NEW_YORK), version(2, "2026-06-01", time_zone=NEW_YORK)])
    assert book.valid_at(local("2026-06-01 05:59:59")).version == 1  # 23:59:59 in New York
    assert book.valid_at(local("2026-06-01 06:00")).version == 2


def test_before_the_first_version_there_is_no_tariff():
    with pytest.raises(NotFound) as refusal:
        BOOK.valid_at(local("2025-12-31 23:59:59"))
    assert refusal.value.code == "no_tariff"


def test_a_correction_for_the_same_day_replaces_what_it_corrects():
    book = TariffBook([version(2, "2026-01-01"), version(1, "2026-01-01")])
    assert book.valid_at(local("2026-01-01 00:00")).version == 2
    assert book.version(1).version == 1


def test_a_frozen_version_is_found_by_number_whatever_is_valid_now():
    assert BOOK.version(1).valid_from.year == 2026
    with pytest.raises(NotFound):
        BOOK.version(4)


def test_versions_are_listed_in_the_order_of_their_validity():
    assert [each.version for each in BOOK.versions()] == [1, 2, 3]


def test_a_book_refuses_other_tariffs_and_two_versions_of_one_number():
    with pytest.raises(InvalidInput) as stranger:
        TariffBook([version(1, "2026-01-01"), version(2, "2026-01-01", id="station")])
    with pytest.raises(InvalidInput) as double:
        TariffBook([version(1, "2026-01-01"), version(1, "2026-01-02")])
    assert (stranger.value.at, double.value.at) == ("/id", "/version")
    assert TariffBook([version(1, "2026-01-01"), version(1, "2026-01-01")]).version(1)
