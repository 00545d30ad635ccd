"""Six digits sent by e-mail: when one may be sent, and what a guess is worth.

What an attacker can do about one address, whatever the number of machines: 5 guesses for each of 5 codes a day, each
guess right with probability 1/1,000,000. That is 1 in 40,000 a day, for an address under attack all day.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from autospot.domain.errors import InvalidInput

CODE_DIGITS = 6
CODE_PATTERN = r"^[0-9]{6}$"
CODE_LIFETIME = timedelta(minutes=10)
CODE_TRIES = 5
CODES_PER_HOUR = 3
CODES_PER_DAY = 5
CODE_MEMORY = timedelta(days=1)
"""How long an issued code counts against its address."""

CodePurpose = Literal["register", "reset_password"]


@dataclass(frozen=True, slots=True)
class IssuedCode:
    """A code that is out, as it was before the guess at hand took one of its tries. Only its keyed hash is kept."""

    code_hash: bytes
    expires_at: datetime
    tries_left: int


def new_code() -> str:
    """Six random digits, leading zeros included."""
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"


def may_issue(issued_at: Sequence[datetime], now: datetime) -> bool:
    """True if an address that was sent codes at `issued_at` may be sent another."""
    day = [at for at in issued_at if now - at < CODE_MEMORY]
    hour = [at for at in day if now - at < timedelta(hours=1)]
    return len(hour) < CODES_PER_HOUR and len(day) < CODES_PER_DAY


def opens(issued: IssuedCode | None, guess_hash: bytes, now: datetime) -> bool:
    """True if the guess is the code, in time and within its tries. Takes the same time whatever the answer."""
    known = issued or IssuedCode(b"", now, 0)
    is_equal = secrets.compare_digest(known.code_hash, guess_hash)
    return is_equal and known.tries_left > 0 and now < known.expires_at


def wrong_code() -> InvalidInput:
    """The one answer to every guess that does not open: it does not tell whether a code, or an account, exists."""
    return InvalidInput("the code is wrong, used or too old", at="/code", code="wrong_code")
