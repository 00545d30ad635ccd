"""The gateways of an installation, by name."""

from __future__ import annotations

from collections.abc import Sequence

from autospot.domain.errors import Conflict, NotFound
from autospot.services.gateway.interface import Gateway


class NoCardPayments(Conflict):
    """This installation has no payment gateway."""

    code = "no_card_payments"


class Gateways:
    """New payments go through the first; older ones stay with the gateway that has them. Without any, there are no card
    payments."""

    def __init__(self, gateways: Sequence[Gateway]) -> None:
        self._gateways = {gateway.provider: gateway for gateway in gateways}
        self._current = next(iter(gateways), None)

    @property
    def current(self) -> Gateway:
        """Where new payments go; `NoCardPayments` if there is none."""
        if self._current is None:
            raise NoCardPayments("payments by card are not set up here")
        return self._current

    def named(self, provider: str) -> Gateway:
        """The gateway of that name; `NotFound` if there is none."""
        gateway = self._gateways.get(provider)
        if gateway is None:
            raise NotFound("there is no such payment provider")
        return gateway

    async def close(self) -> None:
        """Closes all."""
        for gateway in self._gateways.values():
            await gateway.close()
