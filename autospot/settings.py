"""Settings: environment variables `AUTOSPOT_*`, typed, refused with a clear message when wrong.

Every setting is listed in `docs/settings.md` (a test keeps the two the same).
"""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from autospot.domain.errors import InvalidInput

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_ORIGIN = re.compile(r"https?://[^/?#,\s]+")

LogLevel = Literal["debug", "info", "warning", "error"]


class Settings(BaseSettings):
    """What a program is told by its surroundings."""

    model_config = SettingsConfigDict(env_prefix="AUTOSPOT_", env_ignore_empty=True, extra="ignore", frozen=True)

    mongo_url: str = Field("mongodb://127.0.0.1:27017/?replicaSet=rs0", description="MongoDB, a replica set.")
    mongo_db: str = Field("autospot", min_length=1, max_length=38, pattern=r"^[A-Za-z0-9_-]+$", description="Database.")
    mqtt_url: str = Field(
        "mqtt://127.0.0.1:1883", description="Broker, `mqtt://user:password@host:port` or `mqtts://`."
    )
    http_host: str = Field("127.0.0.1", description="Address to listen on.")
    http_port: int = Field(8080, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    secret_key: SecretStr | None = Field(
        None, min_length=32, description="Root of all keys (tokens, plates): 32 characters or more, kept secret."
    )
    previous_secret_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (), description="Former secret keys, newest first, separated by commas: what they sealed stays readable."
    )
    site_url: str | None = Field(None, description="Where people reach this site, for links in mails and for cookies.")
    mail_sender: str = Field("AutoSpot <autospot@localhost>", description="Sender of outgoing mail.")
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Networks of reverse proxies whose X-Forwarded-For is believed, separated by commas."
    )
    hub_shard: str = Field("0/1", pattern=r"^\d+/\d+$", description="Which part of the lots this hub serves, `i/n`.")
    smtp_url: str | None = Field(None, description="Outgoing mail, `smtp://user:password@host:587?starttls=1`.")
    sockets_per_address: int = Field(50, ge=1, description="Websockets from one address at once.")
    sockets_per_user: int = Field(5, ge=1, description="Websockets of one user at once.")
    sockets: int = Field(20_000, ge=1, description="Websockets in this process at once.")
    allowed_origins: Annotated[frozenset[str], NoDecode] = Field(
        frozenset(), description="Origins of other sites whose pages may use the API, separated by commas."
    )
    rate_factor: float = Field(1.0, ge=0, le=10_000, description="Times the usual request rates; 0 turns limits off.")
    currency: str = Field("EUR", pattern=r"^[A-Z]{3}$", description="Currency of all payments, ISO 4217.")
    seller_name: str = Field("AutoSpot", min_length=1, description="Who sells, as on invoices.")
    seller_address: str = Field("", description="The seller's address, its lines separated by commas.")
    seller_vat_id: str = Field("", description="The seller's VAT number.")
    seller_time_zone: str = Field("UTC", description="IANA zone that decides an invoice's day and year.")
    points_paid_per_point: int = Field(100, ge=1, description="Minor units that earn one point.")
    points_worth: int = Field(1, ge=1, description="What a point is worth when redeemed, in minor units.")
    points_redeem_least: int = Field(50, ge=1, description="Fewest points that can be redeemed at once.")
    gateway_url: str | None = Field(None, description="Payment gateway; without one there are no card payments.")
    gateway_key: SecretStr | None = Field(None, description="Key for the payment gateway's API.")
    gateway_webhook_secret: SecretStr | None = Field(
        None, description="Secret that the payment gateway signs its webhooks with, `whsec_…`."
    )
    log_level: LogLevel = Field("info", description="Least level that is logged.")
    log_format: Literal["auto", "json", "text"] = Field(
        "auto", description="`auto` writes text to a terminal and JSON lines elsewhere."
    )

    @field_validator("previous_secret_keys", "trusted_proxies", "allowed_origins", mode="before")
    @classmethod
    def _split(cls, given: object) -> object:
        return [part.strip() for part in given.split(",") if part.strip()] if isinstance(given, str) else given

    @field_validator("mongo_url")
    @classmethod
    def _database(cls, given: str) -> str:
        if not given.startswith(("mongodb://", "mongodb+srv://")):
            raise ValueError("write mongodb://user:password@host:27017/?replicaSet=name")
        return given

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        try:
            return tuple(str(ip_network(text)) for text in given)
        except ValueError:
            raise ValueError("write networks such as 10.0.0.0/8, separated by commas") from None

    @field_validator("allowed_origins")
    @classmethod
    def _origins(cls, given: frozenset[str]) -> frozenset[str]:
        if not all(_ORIGIN.fullmatch(origin) for origin in given):
            raise ValueError("write origins as browsers do: https://app.example, without a path, separated by commas")
        return given


def load_settings(**overrides: object) -> Settings:
    """The settings of this process; `InvalidInput` names the variable that is wrong, never its value."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = "AUTOSPOT_" + "_".join(str(part) for part in first["loc"]).upper()
        raise InvalidInput(f"{name}: {_words(first)}", at=f"/{'/'.join(map(str, first['loc']))}") from None


def _words(error: ErrorDetails) -> str:
    if error["type"] in ("too_short", "string_too_short"):
        return f"at least {error['ctx']['min_length']} characters are needed"
    return error["msg"].removeprefix("Value error, ")
