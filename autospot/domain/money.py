"""Money: whole minor units of one ISO 4217 currency. Never a float, never a bool, never two currencies in one sum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, GetCoreSchemaHandler, with_config
from pydantic_core import CoreSchema, PydanticCustomError, core_schema
from typing_extensions import TypedDict

from autospot.domain.errors import InvalidInput

AMOUNT_LIMIT = 1_000_000_000
"""Most minor units that one payment, fee or price may have: ten million euros. More is a mistake or an attack."""

CURRENCIES = frozenset(
    """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP
    CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR
    IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU
    MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG
    SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV
    WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
    """.split()  # noqa: SIM905 - a table of 150 codes is read and checked more easily without quotes
)
"""ISO 4217 codes of money that people pay with in 2026. Metals, funds, test and withdrawn codes are left out."""

_WITH_THREE_DECIMALS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
_WITHOUT_DECIMALS = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"}
)


def decimals(currency: str) -> int:
    """How many digits the minor unit has (ISO 4217): 2 for EUR, 0 for JPY, 3 for KWD."""
    if currency in _WITHOUT_DECIMALS:
        return 0
    return 3 if currency in _WITH_THREE_DECIMALS else 2


def half_up(numerator: int, denominator: int) -> int:
    """`numerator / denominator` (positive) to the nearest integer, an exact half upwards. Exact for any size."""
    return (2 * numerator + denominator) // (2 * denominator)


@with_config(ConfigDict(strict=True, extra="forbid", title="Money"))
class MoneyDocument(TypedDict):
    """Money as it stands in JSON: `{"amount": 450, "currency": "EUR"}`, in minor units."""

    amount: int
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units, of either sign, with its currency.

    Whatever is not an `int` in a known currency is an `InvalidInput` at `/amount` or `/currency`. Sums, differences and
    comparisons of two currencies are an `InvalidInput` with the code `currency_mismatch`. As a field of a pydantic
    model it reads and writes `MoneyDocument`, strictly: `"450"`, `450.0` and `true` are no amounts.
    """

    amount: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.amount) is not int:  # a bool is an int to isinstance
            raise InvalidInput("an amount is a whole number of minor units", at="/amount")
        if self.currency not in CURRENCIES:
            raise InvalidInput("a currency is an ISO 4217 code in use, such as EUR", at="/currency")

    def __add__(self, other: Money) -> Money:
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __mul__(self, count: int) -> Money:
        if type(count) is not int:
            raise InvalidInput("money is multiplied by whole numbers only")
        return Money(self.amount * count, self.currency)

    __rmul__ = __mul__

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.amount <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.amount > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.amount >= self._same(other)

    def __str__(self) -> str:
        """`4.50 EUR`, `450 JPY`, `-0.05 EUR`."""
        digits = decimals(self.currency)
        if digits == 0:
            return f"{self.amount} {self.currency}"
        whole, rest = divmod(abs(self.amount), 10**digits)
        sign = "-" if self.amount < 0 else ""
        return f"{sign}{whole}.{rest:0{digits}d} {self.currency}"

    def _same(self, other: Money) -> int:
        if self.currency != other.currency:
            raise InvalidInput(
                f"{self.currency} and {other.currency} cannot be put together", at="/currency", code="currency_mismatch"
            )
        return other.amount

    def payable(self, at: str = "") -> Money:
        """This money, if it can be demanded: 1 to `AMOUNT_LIMIT` minor units. Else `InvalidInput` at `at/amount`."""
        if not 0 < self.amount <= AMOUNT_LIMIT:
            raise InvalidInput(f"the amount must be 1 to {AMOUNT_LIMIT} minor units", at=f"{at}/amount")
        return self

    def as_json(self) -> MoneyDocument:
        """`{"amount": 450, "currency": "EUR"}`."""
        return {"amount": self.amount, "currency": self.currency}

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from_document = core_schema.no_info_after_validator_function(_money_of, handler.generate_schema(MoneyDocument))
        return core_schema.json_or_python_schema(
            json_schema=from_document,
            python_schema=core_schema.union_schema([core_schema.is_instance_schema(cls), from_document]),
            serialization=core_schema.plain_serializer_function_ser_schema(cls.as_json, return_schema=from_document),
        )


def _money_of(document: MoneyDocument) -> Money:
    try:
        return Money(document["amount"], document["currency"])
    except InvalidInput as refusal:
        raise PydanticCustomError("invalid_money", "{reason}", {"reason": refusal.message}) from None


def _payable(money: Money) -> Money:
    try:
        return money.payable()
    except InvalidInput as refusal:
        raise PydanticCustomError("unpayable", "{reason}", {"reason": refusal.message}) from None


PayableMoney = Annotated[Money, AfterValidator(_payable)]
"""For pydantic fields that demand money: neither zero nor negative nor over `AMOUNT_LIMIT`."""
