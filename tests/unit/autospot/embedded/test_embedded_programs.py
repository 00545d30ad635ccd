from __future__ import annotations

import os
from pathlib import Path

import pytest

from autospot.embedded import programs
from autospot.embedded.errors import EmbeddedError
from autospot.embedded.programs import find_broker, find_mongod

MONGOD_6 = "echo 'db version v6.0.5'; echo 'Build Info: {}'"


def script(path: Path, body: str, *, mode: int = 0o755) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(mode)
    return path


def asked_mongod(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    monkeypatch.setenv("AUTOSPOT_MONGOD", str(path))


def test_the_mongod_that_is_asked_for_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked_mongod(monkeypatch, script(tmp_path / "mongod", MONGOD_6))
    found = find_mongod()
    assert (found.path, found.release) == (tmp_path / "mongod", "6.0")


def test_a_mongod_without_its_run_bit_gets_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked_mongod(monkeypatch, script(tmp_path / "mongod", MONGOD_6, mode=0o644))
    assert os.access(find_mongod().path, os.X_OK)


def test_the_wheel_has_a_mongod(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUTOSPOT_MONGOD", raising=False)
    assert find_mongod().path.parts[-4:] == ("fiftyone", "db", "bin", "mongod")


def test_without_the_wheel_the_one_on_path_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("AUTOSPOT_MONGOD", raising=False)
    monkeypatch.setattr(programs, "_in_wheel", lambda: None)
    script(tmp_path / "mongod", MONGOD_6)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_mongod().path == tmp_path / "mongod"


def test_no_mongod_at_all_names_the_extra_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("AUTOSPOT_MONGOD", raising=False)
    monkeypatch.setattr(programs, "_in_wheel", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    refuses_mongod(r"autospot\[demo\]")


def test_a_wrong_setting_is_not_silently_replaced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked_mongod(monkeypatch, tmp_path / "nothing")
    refuses_mongod("AUTOSPOT_MONGOD names .*nothing, which is no file")


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    complaint = "mongod: error while loading shared libraries: libcurl.so.4: cannot open shared object file"
    asked_mongod(monkeypatch, script(tmp_path / "mongod", f"echo '{complaint}' >&2; exit 127"))
    error = refuses_mongod("install the system package libcurl4")
    assert error.log_tail == (complaint,)


def test_a_program_for_another_machine_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "mongod").write_bytes(b"\xcf\xfa\xed\xfe not for here")
    asked_mongod(monkeypatch, tmp_path / "mongod")
    refuses_mongod("does not run")


def test_a_mongod_that_is_too_old_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked_mongod(monkeypatch, script(tmp_path / "mongod", "echo 'db version v4.4.29'"))
    refuses_mongod("is MongoDB 4.4; 6.0 or newer")


def test_a_mongod_that_never_answers_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(programs, "PROBE_SECONDS", 0.1)
    asked_mongod(monkeypatch, script(tmp_path / "mongod", "exec sleep 60"))
    refuses_mongod("does not run")


def test_mosquitto_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script(tmp_path / "mosquitto", "")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_broker() == programs.BrokerProgram("mosquitto", tmp_path / "mosquitto")


def test_mosquitto_is_found_where_an_ordinary_path_does_not_look(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script(tmp_path / "sbin" / "mosquitto", "")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(programs, "SYSTEM_FOLDERS", (str(tmp_path / "sbin"),))
    assert find_broker().path == tmp_path / "sbin" / "mosquitto"


def test_without_mosquitto_the_wheel_has_a_broker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(programs, "SYSTEM_FOLDERS", ())
    found = find_broker()
    assert (found.kind, found.path.name) == ("nats", "nats-server")


def test_no_broker_at_all_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(programs, "SYSTEM_FOLDERS", ())
    monkeypatch.setattr("sysconfig.get_path", {"scripts": str(tmp_path)}.__getitem__)
    with pytest.raises(EmbeddedError, match=r"install mosquitto .*autospot\[demo\]") as refusal:
        find_broker()
    assert refusal.value.code == "program_missing"


def refuses_mongod(message: str) -> EmbeddedError:
    with pytest.raises(EmbeddedError, match=message) as refusal:
        find_mongod()
    assert refusal.value.code == "program_missing"
    return refusal.value
