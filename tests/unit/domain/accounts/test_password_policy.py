"""Passwords: what is guessed first is refused, everything else is taken."""

from __future__ import annotations

import string
from random import Random

import pytest

from autospot.domain.accounts.password import MAX_CHARACTERS, MIN_CHARACTERS, check_password, weakness
from autospot.domain.errors import InvalidInput

EMAIL = "ann.miller@garage-nord.example.org"

GUESSED_FIRST = frozenset(
    word
    for line in (
        "12345678 123456789 87654321 11111111 12341234 00000000 11223344 12344321 147258369 789456123 1234567890",
        "password Password1! p@ssw0rd2024 PASSWORD123 passw0rd! drowssap1 passwordpassword passwort1",
        "qwertyui qwerty123 QWERTZUIOP asdfghjk 1q2w3e4r 1qaz2wsx zaq12wsx qazwsxedc q1w2e3r4t5 qwer1234 abcd1234",
        "abcabcabc xkxkxkxk letmein123 iloveyou!! football1 sunshine7 trustno1 dragon2024 fussball123",
        "autospot1 parking2026 carpark!! correcthorsebatterystaple",
        "ann.miller1 annmiller miller1985 garage-nord9 ann.miller@garage-nord.example.org",
    )
    for word in line.split()
)

GOOD = [
    "tr4m-ruled-otter",
    "xK9$vbQ2",
    "Grünkohl und Pinkel",
    "parkbench42hill",
    "ключ от старой двери",
    "合鍵は植木鉢の下にあります",
    "🚗🛵🚌🚲🛴🚕🚙🚓",
]


@pytest.mark.parametrize("password", sorted(GUESSED_FIRST))
def test_what_is_guessed_first_is_refused(password: str) -> None:
    assert weakness(password, EMAIL)


@pytest.mark.parametrize("password", GOOD)
def test_what_is_not_is_taken_whatever_it_is_made_of(password: str) -> None:
    assert weakness(password, EMAIL) is None


def test_chance_is_never_refused() -> None:
    random = Random(7)
    alphabet = string.ascii_lowercase + string.digits
    made = ["".join(random.choices(alphabet, k=MIN_CHARACTERS)) for _ in range(2_000)]
    assert [password for password in made if weakness(password, EMAIL)] == []


def test_length_is_counted_in_characters_and_bounded() -> None:
    assert weakness("ßé漢🚗 xy", EMAIL)
    assert weakness("ßé漢🚗 xyz", EMAIL) is None
    assert weakness("correct " * 16, EMAIL) is None
    assert weakness("ab " * MAX_CHARACTERS, EMAIL)


def test_control_characters_are_refused() -> None:
    assert weakness("otter\x00ruled", EMAIL)


def test_one_password_typed_in_two_ways_is_one_password() -> None:
    composed, decomposed = "Müller geht um", "Mu\u0308ller geht um"
    assert check_password(composed, email=EMAIL) == check_password(decomposed, email=EMAIL)
    with pytest.raises(InvalidInput):
        check_password("ｐａｓｓｗｏｒｄ", email=EMAIL)


def test_a_refusal_names_its_field() -> None:
    with pytest.raises(InvalidInput) as refused:
        check_password("password", email=EMAIL, at="/new_password")
    assert (refused.value.code, refused.value.at) == ("weak_password", "/new_password")
