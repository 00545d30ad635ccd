"""Access tokens: ours are taken, everything else is not."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from api.auth import AccessTokens
from autospot.domain.accounts.sign_in import ACCESS_LIFETIME
from autospot.domain.errors import Unauthenticated
from autospot.services.accounts.sign_in import SignedIn
from autospot.services.keys import Purpose, SecretKeys
from tests.support.people import SECRET, Town
from tests.support.people_api import PeopleApi, people_api

EMAIL = "dora@example.org"


@pytest.fixture
async def api(town: Town) -> AsyncIterator[PeopleApi]:
    async with people_api(town) as api:
        yield api


@pytest.fixture
async def dora(town: Town) -> SignedIn:
    return await town.driver(EMAIL)


def segment(part: object) -> str:
    text = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def signed(header: object, claims: object, key: bytes, digest: str = "sha256") -> str:
    """A token put together by hand: whatever the header says, the signature is right for `key`."""
    body = f"{segment(header)}.{segment(claims)}"
    return f"{body}.{segment(hmac.digest(key, body.encode(), digest))}"


def forgeries(town: Town, dora: SignedIn) -> dict[str, str]:
    """What somebody might try: some with our own key, as if it had leaked for another purpose."""
    key, kid = town.keys.current(Purpose.ACCESS_TOKEN), town.keys.current_id
    good = AccessTokens(town.keys, town.clock).issue(dora.account, dora.family)
    header = jwt.get_unverified_header(good)
    claims: dict[str, Any] = jwt.decode(good, options={"verify_signature": False})
    head, body, signature = good.split(".")
    stranger = SecretKeys(["somebody else's secret, long enough for one"]).current(Purpose.ACCESS_TOKEN)
    rsa_key = rsa.generate_private_key(65537, 2048)
    pem = rsa_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    now = int(town.clock.now().timestamp())

    def with_claims(**changes: Any) -> str:
        return signed(header, {**claims, **changes}, key)

    def without(name: str) -> str:
        return signed(header, {each: value for each, value in claims.items() if each != name}, key)

    def with_header(**changes: Any) -> str:
        return signed({**header, **changes}, claims, key)

    return {
        "alg none, no signature": f"{segment({**header, 'alg': 'none'})}.{body}.",
        "alg None, signature kept": f"{segment({**header, 'alg': 'None'})}.{body}.{signature}",
        "alg HS384": signed({**header, "alg": "HS384"}, claims, key, "sha384"),
        "alg HS512": signed({**header, "alg": "HS512"}, claims, key, "sha512"),
        "alg RS256": jwt.encode(claims, pem, "RS256", headers={"kid": kid}),
        "alg missing": signed({"typ": "JWT", "kid": kid}, claims, key),
        "alg a list": with_header(alg=["HS256"]),
        "kid missing": signed({"alg": "HS256", "typ": "JWT"}, claims, key),
        "kid unknown": with_header(kid="00000000"),
        "kid empty, empty key": signed({**header, "kid": ""}, claims, b""),
        "kid a path": signed({**header, "kid": "../../../../dev/null"}, claims, b""),
        "kid an injection": signed({**header, "kid": "x' UNION SELECT 'k"}, claims, b"k"),
        "kid an object": with_header(kid={"$ne": None}),
        "jku": with_header(jku="https://evil.example/keys"),
        "jwk": with_header(jwk={"kty": "oct", "k": segment(b"k")}),
        "crit": with_header(crit=["exp"]),
        "typ of the header": with_header(typ="at+jwt"),
        "signed by a stranger": signed(header, claims, stranger),
        "signed with the secret itself": signed(header, claims, SECRET.encode()),
        "signed with a key for something else": signed(header, claims, town.keys.current(Purpose.REFRESH_TOKEN)),
        "signature missing": f"{head}.{body}.",
        "signature cut": f"{head}.{body}.{signature[:-4]}",
        "claims changed": f"{head}.{segment({**claims, 'roles': ['admin']})}.{signature}",
        "issuer": with_claims(iss="somebody"),
        "audience": with_claims(aud="another-api"),
        "audience a list": with_claims(aud=["autospot-api"]),
        "typ refresh": with_claims(typ="refresh"),
        "expired": with_claims(iat=now - 601, exp=now - 1),
        "holds a year": with_claims(exp=now + 365 * 86400),
        "from the future": with_claims(iat=now + 3600, exp=now + 3900),
        "exp a string": with_claims(exp=str(now + 600)),
        "exp true": with_claims(exp=True),
        "no exp": without("exp"),
        "no iat": without("iat"),
        "no jti": without("jti"),
        "no sub": without("sub"),
        "no typ": without("typ"),
        "no fam": without("fam"),
        "a role that is none": with_claims(roles=["root"]),
        "roles a string": with_claims(roles="admin"),
        "one claim more": with_claims(scope="everything"),
        "sub an operator": with_claims(sub={"$gt": ""}),
        "refresh as access": dora.refresh_token,
        "an API key that is none": "aspk_" + "A" * 43,
        "100 KB": f"{head}.{'A' * 100_000}.{signature}",
        "100 KB of dots": "." * 100_000,
        "deep claims": signed(header, b"[" * 2500, key),
        "deep header": signed(b"[" * 2500, claims, key),
        "deep kid": signed(b'{"kid":' * 350 + b"1" + b"}" * 350, claims, key),
        "two parts": f"{head}.{body}",
        "four parts": f"{good}.{signature}",
        "null bytes": f"{head}.{segment(b'null')}.{signature}",
        "not ASCII": "ä" * 40,
        "nothing": "",
    }


async def test_our_own_token_says_who_bears_it(town: Town, dora: SignedIn) -> None:
    tokens = AccessTokens(town.keys, town.clock)
    proof = tokens.read(tokens.issue(dora.account, dora.family))
    assert proof.principal.user_id == dora.account.id
    assert proof.principal.session_id == dora.family.id
    assert proof.principal.roles == dora.account.roles
    assert timedelta() <= town.clock.now() + ACCESS_LIFETIME - proof.expires_at < timedelta(seconds=1)


async def test_no_forged_token_is_read(town: Town, dora: SignedIn) -> None:
    tokens, taken = AccessTokens(town.keys, town.clock), []
    forged = forgeries(town, dora)
    assert len(forged) >= 40
    for name, token in forged.items():
        with suppress(Unauthenticated):
            tokens.read(token)
            taken.append(name)
    assert taken == []


async def test_every_forged_token_is_answered_with_401(api: PeopleApi, dora: SignedIn) -> None:
    good = await api.call("GET", "/v1/me", headers=api.bearer(dora))
    assert good.status == 200
    answers = {}
    for name, token in forgeries(api.town, dora).items():
        if not token.isascii():
            continue  # what HTTP itself does not carry in a header
        answer = await api.call("GET", "/v1/me", headers={"Authorization": f"Bearer {token}"})
        answers[name] = (answer.status, answer.headers.get("WWW-Authenticate"))
    assert len(answers) >= 40
    assert set(answers.values()) == {(401, "Bearer")}, answers


async def test_a_token_holds_ten_minutes(api: PeopleApi, dora: SignedIn) -> None:
    headers = api.bearer(dora)
    api.town.clock.move(ACCESS_LIFETIME - timedelta(seconds=1))
    assert (await api.call("GET", "/v1/me", headers=headers)).status == 200
    api.town.clock.move(timedelta(seconds=1))
    answer = await api.call("GET", "/v1/me", headers=headers)
    assert (answer.status, answer.code) == (401, "token_expired")


async def test_a_token_ends_with_its_sign_in(api: PeopleApi, dora: SignedIn) -> None:
    headers = api.bearer(dora)
    await api.town.people.sign_in.sign_out(dora.refresh_token, everywhere=False)
    await api.town.people.revocations.load()
    answer = await api.call("GET", "/v1/me", headers=headers)
    assert (answer.status, answer.code) == (401, "sign_in_over")


async def test_tokens_of_the_old_secret_hold_while_secrets_change(town: Town, dora: SignedIn) -> None:
    newer = "another secret for tests, newer than the first"
    old_token = AccessTokens(town.keys, town.clock).issue(dora.account, dora.family)
    rotated = AccessTokens(SecretKeys([newer, SECRET]), town.clock)
    alone = AccessTokens(SecretKeys([newer]), town.clock)

    assert rotated.read(old_token).principal.user_id == dora.account.id
    assert alone.read(rotated.issue(dora.account, dora.family)).principal.user_id == dora.account.id
    with pytest.raises(Unauthenticated):
        alone.read(old_token)


async def test_a_person_with_forty_lots_has_a_token_that_fits_a_header(town: Town, dora: SignedIn) -> None:
    lots = frozenset(f"{number:064d}" for number in range(40))
    token = AccessTokens(town.keys, town.clock).issue(replace(dora.account, lots=lots), dora.family)
    assert len(token) <= 4096
    assert AccessTokens(town.keys, town.clock).read(token).principal.lots == lots
