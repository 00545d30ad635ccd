"""An e-mail address as a subject of limits and codes: a keyed hash, the same for known and unknown ones."""

from __future__ import annotations

from autospot.domain.accounts.account import email_key
from autospot.domain.accounts.one_time_code import CodePurpose
from autospot.services.keys import Purpose, SecretKeys


def address_subject(keys: SecretKeys, email: str) -> str:
    """What stands for `email` in collections that hold rows for anybody's address."""
    return keys.keyed_hash(Purpose.ADDRESS_HASH, email_key(email)).hex()[:40]


def code_hash(keys: SecretKeys, purpose: CodePurpose, subject: str, code: str) -> bytes:
    """How a code is stored and compared. Keyed: six digits under a plain hash are found in a second."""
    return keys.keyed_hash(Purpose.CODE_HASH, f"{purpose}:{subject}:{code}")
