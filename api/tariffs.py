"""What parking costs: quotes for drivers, tariffs for operators."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from api.call import Call
from api.contract import Reply, operation
from api.current import NO_SUCH_BAY, NO_SUCH_LOT, NOT_LIVE
from api.limits import LimitClass
from api.problems import InvalidInputs
from api.tariff_views import (
    PreviewBody,
    PreviewView,
    QuoteBody,
    QuoteView,
    StayBody,
    TariffDocument,
    TariffLotPath,
    TariffView,
    preview_view,
    quote_view,
    tariff_view,
)
from autospot.domain.access import Action
from autospot.domain.audit import actor_of
from autospot.domain.errors import InvalidInput
from autospot.domain.period import Period
from autospot.domain.tariff import Finding, InvalidTariff, Problem
from autospot.services.quoting import QUOTE_LIMIT, Quoting
from autospot.services.tariffs import LotTariffs, QuestionableTariff, no_tariff

NO_TARIFF = InvalidTariff((Problem("/price/steps/1/price", "Input should be a valid integer"),))
QUESTIONABLE = QuestionableTariff([Finding("band_gap", "/price/bands", "no band for Sun 00:00 to 06:00")])
OTHER_CURRENCY = InvalidInput("payments are in EUR", at="/currency", code="currency_mismatch")


class TariffOperations:
    """Quotes, and the tariffs that they come from."""

    def __init__(self, quoting: Quoting, tariffs: LotTariffs) -> None:
        self._quoting = quoting
        self._tariffs = tariffs

    @operation(
        "POST /v1/quotes",
        summary="What a stay will cost me",
        tag="bookings",
        access=Action.DRIVE,
        limit=LimitClass.READ,
        errors=(NO_SUCH_LOT, NO_SUCH_BAY, NOT_LIVE),
    )
    async def quote(self, call: Call, body: QuoteBody) -> QuoteView:
        """The fee with its timeline, rule by rule, under the tariff that is valid when the stay begins, less what the
        caller's subscriptions cover. Promises nothing: a booking made now has this price and this hash."""
        period = Period(body.from_, body.until)
        quoted = await self._quoting.quote(call.principal.user_id, body.lot, body.bay, body.kind, period)
        return quote_view(quoted, self._tariffs.currency)

    @operation(
        "GET /v1/operator/lots/{lot}/tariff",
        summary="The tariff of a lot",
        tag="operator",
        access=Action.EDIT_LOT,
        etag=True,
        errors=(no_tariff(),),
    )
    async def get(self, path: TariffLotPath) -> Reply[TariffView]:
        """The newest document, and all versions. The ETag is the number of the newest."""
        current = await self._tariffs.current(path.lot)
        return Reply(tariff_view(path.lot, current), etag=str(current.newest.version))

    @operation(
        "PUT /v1/operator/lots/{lot}/tariff",
        summary="Give a lot a new version of its tariff",
        tag="operator",
        access=Action.EDIT_LOT,
        etag=True,
        if_match=True,
        errors=(NO_TARIFF, QUESTIONABLE, OTHER_CURRENCY, NO_SUCH_LOT),
    )
    async def put(self, call: Call, path: TariffLotPath, body: TariffDocument) -> Reply[TariffView]:
        """A whole document with the next number, valid from today or later. Bookings made and stays begun keep the
        version they have. What the linter finds is refused unless the document `accepts` it."""
        self._quoting.require_lot(path.lot)
        actor = actor_of(call.principal, call.request_id)
        with _places():
            current = await self._tariffs.put(path.lot, body.root, actor, versions=call.if_match.tags)
        return Reply(tariff_view(path.lot, current), etag=str(current.newest.version))

    @operation(
        "POST /v1/operator/lots/{lot}/tariff/preview",
        summary="Try a tariff on last month's sessions",
        tag="operator",
        access=Action.EDIT_LOT,
        limit=LimitClass.REPORT,
        errors=(NO_TARIFF,),
    )
    async def preview(self, path: TariffLotPath, body: PreviewBody) -> PreviewView:
        """Nothing is stored. Prices as stated, without subscriptions and discounts."""
        stays = [(_stay(number, each), each.kind) for number, each in enumerate(body.stays)]
        with _places("/tariff"):
            return preview_view(await self._tariffs.preview(path.lot, body.tariff.root, stays))


def _stay(number: int, given: StayBody) -> Period:
    period = Period(given.from_, given.until)
    if period.duration > QUOTE_LIMIT:
        raise InvalidInput(f"at most {QUOTE_LIMIT.days} days are priced", at=f"/stays/{number}/until")
    return period


@contextmanager
def _places(under: str = "") -> Iterator[None]:
    """Names every place of a document that is refused, not only the first."""
    try:
        yield
    except (InvalidTariff, QuestionableTariff) as refused:
        named = InvalidInputs([(under + problem.at, problem.message) for problem in refused.problems])
        named.code = refused.code
        raise named from refused
