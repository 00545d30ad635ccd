"""Everything that AutoSpot derives from its secret key, and the keys' rotation.

One secret, `AUTOSPOT_SECRET_KEY`, gives a key of its own to each purpose (HKDF-SHA256, RFC 5869), so that no two
purposes share one. To rotate, put the new secret first and the old ones after it: what was signed or sealed with an old
one stays readable, everything new uses the first. An old secret may go once nothing is sealed with it any more.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from enum import StrEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
NONCE_BYTES = 12
SECRET_MIN_CHARACTERS = 32


class Purpose(StrEnum):
    """What a derived key is for. The words are part of the derivation: changing one makes its old data unreadable."""

    ACCESS_TOKEN = "access token"  # noqa: S105 - a purpose, no secret
    REFRESH_TOKEN = "refresh token"  # noqa: S105 - likewise
    CODE_HASH = "one-time code hash"
    ADDRESS_HASH = "address hash"
    PLATE_SEAL = "plate seal"
    PLATE_HASH = "plate hash"
    MAIL_SEAL = "mail seal"
    EXTENSION_LINK = "extension link"


class Unreadable(ValueError):
    """A sealed text was made by a key that is not here, for something else, or was changed."""


class SecretKeys:
    """The keys derived from the secrets, newest secret first.

    Guarantees: a key id says which secret, and nothing about it; two purposes never share a key; what `seal` made only
    opens unchanged and for the same `bound_to`.
    """

    def __init__(self, secrets_newest_first: Sequence[str]) -> None:
        if not secrets_newest_first:
            raise ValueError("AutoSpot needs a secret key")
        if any(len(secret) < SECRET_MIN_CHARACTERS for secret in secrets_newest_first):
            raise ValueError(f"a secret key has at least {SECRET_MIN_CHARACTERS} characters")
        self._secrets = {_derive(secret, "key id")[:4].hex(): secret for secret in secrets_newest_first}
        self._derived: dict[tuple[str, Purpose], bytes] = {}
        self.current_id = next(iter(self._secrets))

    def all(self, purpose: Purpose) -> Mapping[str, bytes]:
        """The key of each secret for `purpose`, by key id, newest first."""
        return {key_id: self._key(key_id, purpose) for key_id in self._secrets}

    def current(self, purpose: Purpose) -> bytes:
        """The key to use for anything new."""
        return self._key(self.current_id, purpose)

    def keyed_hash(self, purpose: Purpose, text: str) -> bytes:
        """HMAC-SHA256 of `text`: cannot be searched by guessing without the secret, however few texts there are."""
        return hmac.digest(self.current(purpose), text.encode(), hashlib.sha256)

    def keyed_hashes(self, purpose: Purpose, text: str) -> list[bytes]:
        """The same under every secret: what to look for while old rows are not hashed anew."""
        return [hmac.digest(key, text.encode(), hashlib.sha256) for key in self.all(purpose).values()]

    def seal(self, purpose: Purpose, text: str, *, bound_to: str) -> str:
        """`text` encrypted (AES-256-GCM, random nonce) as `keyid.base64`. `bound_to` is where it belongs."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = AESGCM(self.current(purpose)).encrypt(nonce, text.encode(), bound_to.encode())
        return f"{self.current_id}.{base64.b64encode(nonce + sealed).decode()}"

    def open(self, purpose: Purpose, sealed: str, *, bound_to: str) -> str:
        """What `seal` was given; `Unreadable` otherwise."""
        key_id, _, body = sealed.partition(".")
        if key_id not in self._secrets:
            raise Unreadable(f"sealed with the key {key_id}, which is not among the secrets")
        raw = base64.b64decode(body)
        try:
            opened = AESGCM(self._key(key_id, purpose)).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], bound_to.encode())
        except InvalidTag:
            raise Unreadable("sealed for something else, or changed") from None
        return opened.decode()

    def _key(self, key_id: str, purpose: Purpose) -> bytes:
        known = self._derived.get((key_id, purpose))
        if known is None:
            known = self._derived[key_id, purpose] = _derive(self._secrets[key_id], purpose)
        return known


def _derive(secret: str, purpose: str) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=f"autospot v1 {purpose}".encode()).derive(secret.encode())
