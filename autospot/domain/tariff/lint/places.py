"""The prices of a document with all caps they are under, each with where it stands."""

from __future__ import annotations

from typing import NamedTuple

from autospot.domain.tariff.model import Cap, CheapestOf, Offer, OfferPrice, SessionCap, Tariff
from autospot.domain.tariff.pricelist import window_seconds


class CapPlace(NamedTuple):
    """A cap and its pointer."""

    at: str
    cap: Cap


class PricePlace(NamedTuple):
    """A price, its pointer, and the caps it is under, shorter windows first. `offer` where it is one of several."""

    at: str
    price: OfferPrice
    caps: tuple[CapPlace, ...]
    offer: Offer | None = None

    @property
    def restarts_seconds(self) -> int | None:
        """How long it runs before it begins anew; None for the whole stay. A calendar day counts as 24 hours."""
        spans = [
            window_seconds(cap) or 0 for _, cap in self.caps if not isinstance(cap, SessionCap) and cap.ladder_restarts
        ]
        return min(spans, default=None)


def places_of(tariff: Tariff) -> list[PricePlace]:
    """Every price of the tariff."""
    general = _caps("/caps", tariff.caps)
    if not isinstance(tariff.price, CheapestOf):
        return [PricePlace("/price", tariff.price, _by_length(general))]
    return [
        PricePlace(
            f"/price/offers/{number}/price",
            offer.price,
            _by_length(_caps(f"/price/offers/{number}/caps", offer.caps) + general),
            offer,
        )
        for number, offer in enumerate(tariff.price.offers)
    ]


def _caps(at: str, caps: tuple[Cap, ...]) -> list[CapPlace]:
    return [CapPlace(f"{at}/{number}", cap) for number, cap in enumerate(caps)]


def _by_length(places: list[CapPlace]) -> tuple[CapPlace, ...]:
    return tuple(sorted(places, key=lambda place: (window_seconds(place.cap) is None, window_seconds(place.cap) or 0)))
