"""Whose request it is, seen through the proxies that are trusted and no others."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from aiohttp import web

Network = IPv4Network | IPv6Network

FORWARDED_LIMIT: Final = 16
"""Hops of `X-Forwarded-For` that are looked at, from the nearest."""

UNKNOWN: Final = "unknown"


class ClientAddresses:
    """The address of the client behind `trusted` proxies (networks such as `10.0.0.0/8`; none by default).

    A peer that is no trusted proxy is the client, whatever its headers claim. Behind a trusted one the client is the
    nearest address in `X-Forwarded-For` that is not a trusted proxy itself.
    """

    def __init__(self, trusted: Sequence[str] = ()) -> None:
        self._trusted: tuple[Network, ...] = tuple(ip_network(text) for text in trusted)
        self._is_trusted = lru_cache(maxsize=1024)(self._within_trusted)

    def of(self, request: web.BaseRequest) -> str:
        """The client's address as text, for an IPv6 client its /64 network: that much a household is given."""
        peer = request.remote or UNKNOWN
        if not self._trusted or not self._is_trusted(peer):
            return subject(peer)
        hops = ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")
        for hop in reversed(hops[-FORWARDED_LIMIT:]):
            address = hop.strip()
            if not self._is_trusted(address):
                return subject(address) if _parsed(address) else subject(peer)
        return subject(peer)

    def _within_trusted(self, text: str) -> bool:
        address = _parsed(text)
        return address is not None and any(address in network for network in self._trusted)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


@lru_cache(maxsize=4096)
def subject(text: str) -> str:
    """What is counted for an address: itself for IPv4, the /64 network for IPv6, `unknown` for anything else."""
    address = _parsed(text)
    if address is None:
        return UNKNOWN
    if isinstance(address, IPv6Address):
        return str(ip_network((address, 64), strict=False))
    return str(address)
