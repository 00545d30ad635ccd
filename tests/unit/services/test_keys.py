"""Keys: one per purpose, replaceable, and sealed texts that open only where they belong."""

from __future__ import annotations

import pytest

from autospot.services.keys import Purpose, SecretKeys, Unreadable

OLD, NEW = "the first secret, long enough to be one", "the second secret, long enough as well"
KEYS = SecretKeys([OLD])


def sealed_then_changed(position: int) -> str:
    sealed = KEYS.seal(Purpose.PLATE_SEAL, "B-AB 1234", bound_to="veh_1")
    letter = "A" if sealed[position] != "A" else "B"
    return sealed[:position] + letter + sealed[position + 1 :]


def test_what_was_sealed_opens() -> None:
    sealed = KEYS.seal(Purpose.PLATE_SEAL, "B-ÄB 1234", bound_to="veh_1")
    assert KEYS.open(Purpose.PLATE_SEAL, sealed, bound_to="veh_1") == "B-ÄB 1234"
    assert "1234" not in sealed


def test_sealing_twice_gives_two_texts() -> None:
    assert len({KEYS.seal(Purpose.PLATE_SEAL, "same", bound_to="veh_1") for _ in range(50)}) == 50


@pytest.mark.parametrize(("purpose", "bound_to"), [(Purpose.PLATE_SEAL, "veh_2"), (Purpose.MAIL_SEAL, "veh_1")])
def test_it_opens_nowhere_else(purpose: Purpose, bound_to: str) -> None:
    sealed = KEYS.seal(Purpose.PLATE_SEAL, "B-AB 1234", bound_to="veh_1")
    with pytest.raises(Unreadable):
        KEYS.open(purpose, sealed, bound_to=bound_to)


@pytest.mark.parametrize("position", [0, 12, 30, -4])
def test_it_does_not_open_when_it_was_changed(position: int) -> None:
    with pytest.raises(Unreadable):
        KEYS.open(Purpose.PLATE_SEAL, sealed_then_changed(position), bound_to="veh_1")


def test_a_new_secret_reads_the_old_ones_texts_and_writes_its_own() -> None:
    rotated, after = SecretKeys([NEW, OLD]), SecretKeys([NEW])
    old_text = KEYS.seal(Purpose.PLATE_SEAL, "B-AB 1234", bound_to="veh_1")
    new_text = rotated.seal(Purpose.PLATE_SEAL, "B-AB 1234", bound_to="veh_1")

    assert rotated.open(Purpose.PLATE_SEAL, old_text, bound_to="veh_1") == "B-AB 1234"
    assert after.open(Purpose.PLATE_SEAL, new_text, bound_to="veh_1") == "B-AB 1234"
    with pytest.raises(Unreadable):
        after.open(Purpose.PLATE_SEAL, old_text, bound_to="veh_1")


def test_a_hash_is_the_same_every_time_and_known_under_every_secret() -> None:
    rotated = SecretKeys([NEW, OLD])
    old_hash = KEYS.keyed_hash(Purpose.PLATE_HASH, "DE:BAB1234")
    assert old_hash == SecretKeys([OLD]).keyed_hash(Purpose.PLATE_HASH, "DE:BAB1234")
    assert old_hash != rotated.keyed_hash(Purpose.PLATE_HASH, "DE:BAB1234")
    assert rotated.keyed_hashes(Purpose.PLATE_HASH, "DE:BAB1234")[1] == old_hash
    assert old_hash != KEYS.keyed_hash(Purpose.CODE_HASH, "DE:BAB1234")


def test_every_purpose_has_a_key_of_its_own() -> None:
    assert len({KEYS.current(purpose) for purpose in Purpose}) == len(Purpose)


def test_a_short_secret_is_refused_without_repeating_it() -> None:
    with pytest.raises(ValueError, match="at least 32") as refused:
        SecretKeys(["hunter2"])
    assert "hunter2" not in str(refused.value)
