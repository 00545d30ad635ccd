"""What people send about themselves, and what they are told."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import EmailStr, Field, StringConstraints, model_validator

from api.contract import Input, Output
from api.values import Instant
from autospot.domain.access import Role
from autospot.domain.accounts.account import LANGUAGE_PATTERN, NAME_LENGTH, Account
from autospot.domain.accounts.one_time_code import CODE_PATTERN
from autospot.domain.accounts.password import MAX_CHARACTERS, MIN_CHARACTERS
from autospot.domain.accounts.plate import COUNTRY_PATTERN
from autospot.domain.accounts.vehicle import LABEL_LENGTH, Vehicle

NO_CONTROLS = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"

Email = Annotated[EmailStr, Field(max_length=254, examples=["dora@example.org"])]
NewPassword = Annotated[
    str,
    Field(
        min_length=MIN_CHARACTERS,
        max_length=MAX_CHARACTERS,
        description="8 to 128 characters of any kind; refused if it is among those that are tried first",
    ),
]
GivenPassword = Annotated[str, Field(min_length=1, max_length=MAX_CHARACTERS)]
MailedCode = Annotated[
    str, Field(pattern=CODE_PATTERN, description="the six digits from the mail", examples=["049201"])
]
RefreshToken = Annotated[str, Field(min_length=20, max_length=200, pattern=r"^[A-Za-z0-9_-]+$")]
Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=NAME_LENGTH, pattern=NO_CONTROLS)
]
Language = Annotated[str, Field(pattern=LANGUAGE_PATTERN, examples=["en", "pt-BR"])]
Client = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=200, pattern=NO_CONTROLS),
    Field(description="what the device or app calls itself, for the list of sign-ins"),
]
Country = Annotated[str, Field(pattern=COUNTRY_PATTERN, description="ISO 3166-1 alpha-2", examples=["DE"])]
PlateText = Annotated[
    str, Field(min_length=1, max_length=40, description="as it is written; case and separators do not matter")
]
Label = Annotated[str, StringConstraints(strip_whitespace=True, max_length=LABEL_LENGTH, pattern=NO_CONTROLS)]


class RegistrationBody(Input):
    """Somebody who wants to be a driver."""

    email: Email
    password: NewPassword
    name: Name
    language: Language = "en"


class RegistrationView(Output):
    """What the code in the mail goes with."""

    registration: str = Field(examples=["reg_5b1c…"])
    expires_in: int = Field(description="seconds that the code in the mail works")


class VerificationBody(Input):
    """The proof that an address is one's own."""

    registration: str = Field(pattern=r"^reg_[0-9a-f]{32}$")
    code: MailedCode
    client: Client = ""


class LoginBody(Input):
    """An address and its password."""

    email: Email
    password: GivenPassword
    client: Client = ""


class RefreshBody(Input):
    """A refresh token."""

    refresh_token: RefreshToken


class LogoutBody(Input):
    """The refresh token of the sign-in that ends."""

    refresh_token: RefreshToken
    everywhere: bool = Field(False, description="end every sign-in of this account")


class ResetBody(Input):
    """Whose password is lost."""

    email: Email


class ResetConfirmBody(Input):
    """The code from the mail, and the new password."""

    email: Email
    code: MailedCode
    password: NewPassword


class AccountView(Output):
    """An account, to its owner."""

    id: str = Field(examples=["usr_5b1c…"])
    email: str
    name: str
    language: str
    roles: list[Role]
    lots: list[str] = Field(description="the lots that this person works for")
    created_at: Instant


class TokensView(Output):
    """A sign-in. Use the refresh token once: it is replaced with every use, and using an old one ends the sign-in."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105 - the scheme's name (RFC 6750)
    expires_in: int = Field(description="seconds that the access token holds")
    refresh_token: str
    account: AccountView


class AccountChange(Input):
    """What is to change; left out stays as it is. A new password needs the present one, and comes alone."""

    name: Name | None = None
    language: Language | None = None
    current_password: GivenPassword | None = None
    new_password: NewPassword | None = None

    @model_validator(mode="after")
    def _passwords_come_together(self) -> Self:
        if (self.current_password is None) != (self.new_password is None):
            raise ValueError("current_password and new_password go together")
        if self.new_password is not None and (self.name is not None or self.language is not None):
            raise ValueError("change the password by itself")
        return self


class VehiclePath(Input):
    """One of one's own vehicles."""

    id: str = Field(pattern=r"^veh_[0-9a-f]{32}$")


class VehicleBody(Input):
    """A vehicle."""

    country: Country
    plate: PlateText
    label: Label = Field("", description="what its owner calls it")


class VehicleChange(Input):
    """What is to change; left out stays as it is."""

    country: Country | None = None
    plate: PlateText | None = None
    label: Label | None = None


class VehicleView(Output):
    """A vehicle, to its owner."""

    id: str = Field(examples=["veh_5b1c…"])
    country: str
    plate: str = Field(examples=["B-AB 1234"])
    label: str
    added_at: Instant


class VehiclesView(Output):
    """All of one's vehicles."""

    data: list[VehicleView]


def account_view(account: Account) -> AccountView:
    return AccountView(
        id=account.id,
        email=account.email,
        name=account.name,
        language=account.language,
        roles=sorted(account.roles),
        lots=sorted(account.lots),
        created_at=account.created_at,
    )


def vehicle_view(vehicle: Vehicle) -> VehicleView:
    return VehicleView(
        id=vehicle.id,
        country=vehicle.plate.country,
        plate=vehicle.plate.shown,
        label=vehicle.label,
        added_at=vehicle.added_at,
    )
