"""ETags as RFC 9110 compares them."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request

from api.etag import IfMatch, is_fresh
from autospot.domain.errors import PreconditionFailed


@pytest.mark.parametrize(
    ("header", "fresh"),
    [
        ('"e1:5"', True),
        ('W/"e1:5"', True),
        ('"other", "e1:5"', True),
        ("*", True),
        ('"e1:6"', False),
        ("e1:5", False),
        ('"e1:5', False),
        ("", False),
    ],
)
def test_if_none_match_is_compared_weakly(header: str, fresh: bool) -> None:
    request = make_mocked_request("GET", "/", headers={"If-None-Match": header})

    assert is_fresh(request, "e1:5") is fresh


def test_without_the_header_nothing_is_fresh() -> None:
    assert not is_fresh(make_mocked_request("GET", "/"), "e1:5")


@pytest.mark.parametrize("header", [None, "*", " * ", '"v3"', '"v2", "v3"'])
def test_a_change_of_a_version_that_the_caller_knows_may_happen(header: str | None) -> None:
    IfMatch(header).check("v3")


@pytest.mark.parametrize("header", ['"v2"', 'W/"v3"', "v3", "", "rubbish"])
def test_any_other_change_may_not(header: str) -> None:
    with pytest.raises(PreconditionFailed):
        IfMatch(header).check("v3")


def test_the_known_versions_can_go_into_a_filter() -> None:
    assert IfMatch('"a", W/"b", "c"').tags == {"a", "c"}
    assert IfMatch(None).tags is None
