from __future__ import annotations

import json
import stat
from pathlib import Path

from autospot.embedded import Endpoints, Login, published
from autospot.embedded.endpoints import withdraw

PAGES = {page: f"http://127.0.0.1:8080/{page}" for page in ("display", "driver", "operator", "docs")}


def endpoints(http: str = "http://127.0.0.1:8080") -> Endpoints:
    return Endpoints(
        http=http,
        mqtt="mqtt://sensors:secret@127.0.0.1:1883",
        mongo="mongodb://127.0.0.1:27017/?replicaSet=autospot",
        logins={"driver": Login("driver@example.org", "one"), "operator": Login("operator@example.org", "two")},
        pages=PAGES,
    )


def test_the_file_has_the_keys_of_the_contract(tmp_path: Path) -> None:
    with published(endpoints(), tmp_path) as file:
        assert file == tmp_path / "endpoints.json"
        assert json.loads(file.read_text()) == {
            "http": "http://127.0.0.1:8080",
            "mqtt": "mqtt://sensors:secret@127.0.0.1:1883",
            "mongo": "mongodb://127.0.0.1:27017/?replicaSet=autospot",
            "logins": {
                "driver": {"email": "driver@example.org", "password": "one"},
                "operator": {"email": "operator@example.org", "password": "two"},
            },
            "pages": PAGES,
        }


def test_it_holds_passwords_so_only_its_owner_may_read_it(tmp_path: Path) -> None:
    with published(endpoints(), tmp_path) as file:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_it_is_gone_afterwards_and_nothing_else_is_left(tmp_path: Path) -> None:
    with published(endpoints(), tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_reader_of_the_old_file_never_sees_half_of_the_new_one(tmp_path: Path) -> None:
    (tmp_path / "endpoints.json").write_text(json.dumps({"http": "http://old"}))
    with (tmp_path / "endpoints.json").open() as reader, published(endpoints(), tmp_path):
        assert json.load(reader) == {"http": "http://old"}


def test_withdrawing_what_is_not_there_is_fine(tmp_path: Path) -> None:
    withdraw(tmp_path)
