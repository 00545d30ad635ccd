"""Whose request it is, with and without proxies."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from api.addresses import ClientAddresses, subject


def address(peer: str, *forwarded: str, trusted: tuple[str, ...] = ()) -> str:
    headers = [("X-Forwarded-For", each) for each in forwarded]
    request = make_mocked_request("GET", "/", headers=CIMultiDict(headers))
    return ClientAddresses(trusted).of(request.clone(remote=peer))


def test_without_trusted_proxies_the_peer_is_the_client_whatever_it_claims() -> None:
    assert address("203.0.113.9", "198.51.100.7") == "203.0.113.9"


def test_a_trusted_proxy_is_believed() -> None:
    assert address("10.0.0.2", "198.51.100.7", trusted=("10.0.0.0/8",)) == "198.51.100.7"


def test_only_the_nearest_untrusted_hop_counts_because_the_client_wrote_the_rest() -> None:
    assert address("10.0.0.2", "1.1.1.1, 198.51.100.7, 10.0.0.1", trusted=("10.0.0.0/8",)) == "198.51.100.7"
    assert address("10.0.0.2", "1.1.1.1", "198.51.100.7", trusted=("10.0.0.0/8",)) == "198.51.100.7"


@pytest.mark.parametrize("claim", ["", "unknown", "198.51.100.7:443", "'; drop", "10.0.0.9"])
def test_a_claim_that_is_no_address_leaves_the_proxy_itself(claim: str) -> None:
    assert address("10.0.0.2", claim, trusted=("10.0.0.0/8",)) == "10.0.0.2"


def test_a_very_long_chain_is_looked_at_from_its_near_end_only() -> None:
    chain = ",".join(["198.51.100.7"] + ["10.0.0.1"] * 1000)

    assert address("10.0.0.2", chain, trusted=("10.0.0.0/8",)) == "10.0.0.2"


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("198.51.100.7", "198.51.100.7"),
        ("/run/api.sock", "unknown"),
    ],
)
def test_a_household_counts_as_one(text: str, counted: str) -> None:
    assert subject(text) == counted
