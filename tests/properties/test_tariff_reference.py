"""The engine agrees with a meter that ticks through every second."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autospot.domain.tariff import parse_tariff
from tests.support.tariff_reference import reference_fee
from tests.support.tariff_strategies import documents, stays
from tests.support.tariffs import amount


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_quote_costs_what_the_ticking_meter_shows(data: st.DataObject):
    document = data.draw(documents())
    stay = data.draw(stays(document["time_zone"]))
    kind = data.draw(st.sampled_from([None, "ev", "general"]))
    assert amount(parse_tariff(document), stay, kind=kind) == reference_fee(document, stay, kind=kind)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_covered_time_is_no_part_of_the_stay_for_either_of_them(data: st.DataObject):
    document = data.draw(documents())
    stay = data.draw(stays(document["time_zone"]))
    terms = {
        "coverage": data.draw(st.lists(stays(document["time_zone"], 60), max_size=3)),
        "package_seconds": data.draw(st.sampled_from([0, 0, 1, 600, 3600])),
    }
    assert amount(parse_tariff(document), stay, **terms) == reference_fee(document, stay, **terms)
