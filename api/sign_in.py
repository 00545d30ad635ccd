"""Becoming known, and proving it: registration, sign-in, refresh, sign-out, a lost password."""

from __future__ import annotations

from api.account_views import (
    LoginBody,
    LogoutBody,
    RefreshBody,
    RegistrationBody,
    RegistrationView,
    ResetBody,
    ResetConfirmBody,
    TokensView,
    VerificationBody,
    account_view,
)
from api.auth import AccessTokens
from api.call import Call
from api.contract import PUBLIC, operation
from api.limits import LimitClass
from autospot.domain.accounts.account import require_active
from autospot.domain.accounts.one_time_code import CODE_LIFETIME, wrong_code
from autospot.domain.errors import Conflict, Forbidden, InvalidInput, LimitReached, Unauthenticated
from autospot.services.accounts.password_reset import PasswordReset
from autospot.services.accounts.registration import Registering
from autospot.services.accounts.sign_in import SignedIn, SignIn, sign_in_over, wrong_credentials

WEAK_PASSWORD = InvalidInput("this password is among those that are tried first", at="/password", code="weak_password")
BUSY = LimitReached("too many sign-ins at once", after_seconds=2, code="busy")
TOO_MANY_ATTEMPTS = LimitReached("too many attempts", after_seconds=60, code="too_many_attempts")
SUSPENDED = Forbidden("this account is suspended", code="account_suspended")
EMAIL_TAKEN = Conflict("this address has an account", code="email_taken")
REUSED = Unauthenticated("this refresh token was used before: sign in again", code="refresh_reused")


class SignInOperations:
    """Everything under `/auth`. Open to everybody, so every answer is the same for known and unknown addresses."""

    def __init__(
        self, registering: Registering, sign_in: SignIn, password_reset: PasswordReset, tokens: AccessTokens
    ) -> None:
        self._registering = registering
        self._sign_in = sign_in
        self._password_reset = password_reset
        self._tokens = tokens

    @operation(
        "POST /v1/auth/register",
        summary="Register as a driver",
        tag="sign-in",
        access=PUBLIC,
        status=202,
        limit=LimitClass.CODE,
        errors=(WEAK_PASSWORD, BUSY),
    )
    async def register(self, body: RegistrationBody) -> RegistrationView:
        """Sends a code to the address. The account is made when the code comes back to `/v1/auth/verify-email` together
        with this answer's `registration`. The answer is the same if the address has an account; the mail is not."""
        registration = await self._registering.ask(body.email, body.password, name=body.name, language=body.language)
        return RegistrationView(registration=registration, expires_in=int(CODE_LIFETIME.total_seconds()))

    @operation(
        "POST /v1/auth/verify-email",
        summary="Confirm an address and sign in",
        tag="sign-in",
        access=PUBLIC,
        limit=LimitClass.CODE,
        errors=(wrong_code(), EMAIL_TAKEN),
    )
    async def verify_email(self, body: VerificationBody) -> TokensView:
        """Makes the account. A code works once, for ten minutes, and is void after five wrong ones."""
        return self._view(await self._registering.verify(body.registration, body.code, client=body.client))

    @operation(
        "POST /v1/auth/login",
        summary="Sign in",
        tag="sign-in",
        access=PUBLIC,
        limit=LimitClass.SIGN_IN,
        errors=(wrong_credentials(), SUSPENDED, TOO_MANY_ATTEMPTS, BUSY),
    )
    async def login(self, call: Call, body: LoginBody) -> TokensView:
        """Five tries for an account from one network in 15 minutes, fifty from everywhere in an hour."""
        signed_in = await self._sign_in.with_password(body.email, body.password, client=body.client, place=call.address)
        return self._view(signed_in)

    @operation(
        "POST /v1/auth/refresh",
        summary="Stay signed in",
        tag="sign-in",
        access=PUBLIC,
        limit=LimitClass.SIGN_IN,
        errors=(sign_in_over(), REUSED),
    )
    async def refresh(self, body: RefreshBody) -> TokensView:
        """Trades a refresh token for its successor and a new access token. The same token again within ten seconds
        gets the same successor; later it ends the sign-in on the spot, because somebody has a copy."""
        return self._view(await self._sign_in.refresh(body.refresh_token))

    @operation("POST /v1/auth/logout", summary="Sign out", tag="sign-in", access=PUBLIC, status=204)
    async def logout(self, body: LogoutBody) -> None:
        """Ends this sign-in, or all of the account's; access tokens and websockets end with it. Always 204."""
        await self._sign_in.sign_out(body.refresh_token, everywhere=body.everywhere)

    @operation(
        "POST /v1/auth/password-reset",
        summary="Ask for a new password",
        tag="sign-in",
        access=PUBLIC,
        status=204,
        limit=LimitClass.CODE,
    )
    async def password_reset(self, body: ResetBody) -> None:
        """Mails a code, if the address has an account: at most three an hour and five a day. Always 204."""
        await self._password_reset.ask(body.email)

    @operation(
        "POST /v1/auth/password-reset/confirm",
        summary="Choose a new password",
        tag="sign-in",
        access=PUBLIC,
        status=204,
        limit=LimitClass.CODE,
        errors=(wrong_code(), WEAK_PASSWORD, BUSY),
    )
    async def confirm_password_reset(self, call: Call, body: ResetConfirmBody) -> None:
        """Sets the password and ends every sign-in of the account. A code works once, for ten minutes, and is void
        after five wrong ones."""
        await self._password_reset.confirm(body.email, body.code, body.password, request_id=call.request_id)

    def _view(self, signed_in: SignedIn) -> TokensView:
        require_active(signed_in.account)
        return TokensView(
            access_token=self._tokens.issue(signed_in.account, signed_in.family),
            expires_in=self._tokens.lifetime_seconds,
            refresh_token=signed_in.refresh_token,
            account=account_view(signed_in.account),
        )
