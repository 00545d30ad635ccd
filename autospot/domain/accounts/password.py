"""Which passwords are accepted (after NIST SP 800-63B-4, 3.1.1.2): length, and not what everybody tries first.

No composition rules, no expiry. A password is refused only where it is known to be guessed early: too short, a common
word with decoration, a walk over the keyboard, a repetition, or the person's own address.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from itertools import groupby

from autospot.domain.accounts.common_passwords import COMMON_WORDS, KEYBOARD_WALKS
from autospot.domain.errors import InvalidInput

MIN_CHARACTERS = 8
MAX_CHARACTERS = 128
"""Bounds the work of one hash; longer than any password manager's default."""

_LEET = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i"})
_LONGEST_PERIOD = 5
_SHORTEST_STEP = 2.5
"""A string whose pieces of keyboard walk are this long on average is a walk: chance makes pieces of about 1.1."""


def normalised_password(password: str) -> str:
    """The form that is hashed: NFKC, so that one password typed on two keyboards is one password."""
    return unicodedata.normalize("NFKC", password)


def check_password(password: str, *, email: str, at: str = "/password") -> str:
    """The normalised password, or `InvalidInput` (code `weak_password`) that says why not."""
    text = normalised_password(password)
    if reason := weakness(text, email):
        raise InvalidInput(reason, at=at, code="weak_password")
    return text


def weakness(text: str, email: str) -> str | None:
    """Why `text` is no acceptable password for the owner of `email`; None where it is one."""
    if len(text) < MIN_CHARACTERS:
        return f"a password has at least {MIN_CHARACTERS} characters"
    if len(text) > MAX_CHARACTERS:
        return f"a password has at most {MAX_CHARACTERS} characters"
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in text):
        return "a password holds no control characters"
    folded = text.casefold()
    if _is_repetition(folded) or _is_walk(folded):
        return "this password is a repetition or a walk over the keyboard, which is tried first"
    if not _cores(folded).isdisjoint(COMMON_WORDS | _own_words(email)):
        return "this password is a common word or your address with little added, which is tried first"
    return None


def _own_words(email: str) -> frozenset[str]:
    local, _, domain = email.casefold().partition("@")
    parts = local.replace("_", ".").replace("-", ".").split(".")
    words = {local, "".join(parts), *parts, email.casefold(), domain, domain.partition(".")[0]}
    return frozenset(word for word in words if len(word) > 3)


def _cores(folded: str) -> frozenset[str]:
    """What remains of the word inside when digits and signs around it, and letters written as digits, are undone."""
    bare = _letters_inside(folded)
    return frozenset({folded, bare, bare.translate(_LEET), folded.translate(_LEET), _letters_inside(folded[::-1])})


def _letters_inside(text: str) -> str:
    letters = [index for index, character in enumerate(text) if character.isalpha()]
    return text[letters[0] : letters[-1] + 1] if letters else ""


def _is_repetition(text: str) -> bool:
    period = (text + text).find(text, 1)
    return period <= _LONGEST_PERIOD and period < len(text)


def _is_walk(text: str) -> bool:
    once = "".join(character for character, _ in groupby(text))  # 11223344 walks like 1234
    return len(once) >= _SHORTEST_STEP * _walk_pieces(once)


def _walk_pieces(text: str) -> int:
    """How many pieces `text` falls into when each is taken as long as some known walk goes on."""
    pieces, start = 0, 0
    while start < len(text):
        end = start + 1
        while end < len(text) and text[start : end + 1] in _steps_of_walks():
            end += 1
        pieces, start = pieces + 1, end
    return pieces


@cache
def _steps_of_walks() -> frozenset[str]:
    both_ways = [walk for forward in KEYBOARD_WALKS for walk in (forward, forward[::-1])]
    return frozenset(
        walk[start:end] for walk in both_ways for start in range(len(walk)) for end in range(start + 1, len(walk) + 1)
    )
