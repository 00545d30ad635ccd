from __future__ import annotations

import base64
import hashlib
import json
import stat
from pathlib import Path

import pytest

from autospot.embedded import access


def test_a_mosquitto_password_line_verifies_as_pbkdf2_sha512() -> None:
    user, _, rest = access.mosquitto_passwords({"hub": "correct horse"}).rstrip("\n").partition(":")
    _, scheme, iterations, salt, digest = rest.split("$")
    expected = hashlib.pbkdf2_hmac("sha512", b"correct horse", base64.b64decode(salt), int(iterations))
    assert (user, scheme, base64.b64decode(digest)) == ("hub", "7", expected)


def test_passwords_are_kept_over_a_restart_and_readable_by_their_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "broker-users.json"
    first = access.kept_passwords(file)
    assert access.kept_passwords(file) == first
    assert set(first) == {"hub", "sensors", "display"}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_user_that_is_new_gets_a_password_beside_the_kept_ones(tmp_path: Path) -> None:
    file = tmp_path / "broker-users.json"
    file.write_text(json.dumps({"hub": "kept", "somebody": "gone"}))
    passwords = access.kept_passwords(file)
    assert passwords["hub"] == "kept"
    assert set(passwords) == set(access.ROLES)


@pytest.mark.parametrize("content", ["", "{", "[]", '"hub"', '{"hub": 1}'])
def test_an_unreadable_password_file_is_made_anew(tmp_path: Path, content: str) -> None:
    file = tmp_path / "broker-users.json"
    file.write_text(content)
    passwords = access.kept_passwords(file)
    assert all(isinstance(password, str) and len(password) >= 20 for password in passwords.values())


def test_no_password_is_given_twice() -> None:
    assert len({*access.new_passwords().values(), *access.new_passwords().values()}) == 2 * len(access.ROLES)
