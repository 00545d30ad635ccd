"""Settings: typed, refused with the name of the variable and never its value."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from autospot.domain.errors import InvalidInput
from autospot.secret_file import kept_secret
from autospot.settings import load_settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AUTOSPOT_HTTP_PORT", "eighty"),
        ("AUTOSPOT_HTTP_PORT", "70000"),
        ("AUTOSPOT_SECRET_KEY", "hunter2"),
        ("AUTOSPOT_HUB_SHARD", "one of two"),
        ("AUTOSPOT_LOG_LEVEL", "loud"),
        ("AUTOSPOT_MONGO_DB", "a.b"),
        ("AUTOSPOT_SOCKETS_PER_ADDRESS", "0"),
        ("AUTOSPOT_MONGO_URL", "db.example:27018"),
        ("AUTOSPOT_TRUSTED_PROXIES", "10.0.0.0/8, proxy.example"),
        ("AUTOSPOT_ALLOWED_ORIGINS", "https://a.example/"),
        ("AUTOSPOT_ALLOWED_ORIGINS", "*"),
    ],
)
def test_a_wrong_setting_is_named_and_its_value_is_not(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidInput) as refusal:
        load_settings()
    assert name in refusal.value.message
    assert value not in refusal.value.message


def test_a_secret_that_is_too_short_is_told_its_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOSPOT_SECRET_KEY", "hunter2")
    with pytest.raises(InvalidInput, match="AUTOSPOT_SECRET_KEY: at least 32 characters are needed"):
        load_settings()


def test_lists_are_written_with_commas_and_empty_is_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOSPOT_ALLOWED_ORIGINS", "https://a.example, https://b.example")
    monkeypatch.setenv("AUTOSPOT_SMTP_URL", "")
    settings = load_settings()
    assert settings.allowed_origins == {"https://a.example", "https://b.example"}
    assert settings.smtp_url is None


def test_secrets_do_not_show_in_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOSPOT_SECRET_KEY", "correct horse battery staple, thirty-two")
    assert "staple" not in repr(load_settings())


def test_a_kept_secret_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "state" / "secret-key"
    first = kept_secret(file)
    assert len(first) >= 32
    assert kept_secret(file) == first
    assert file.stat().st_mode & 0o777 == 0o600


def test_programs_that_start_at_once_keep_the_same_secret(tmp_path: Path) -> None:
    file = tmp_path / "secret-key"
    with ThreadPoolExecutor(8) as programs:
        secrets = set(programs.map(lambda _: kept_secret(file), range(64)))
    assert secrets == {file.read_text()}
    assert list(tmp_path.iterdir()) == [file]


def test_a_secret_that_cannot_be_kept_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("no folder")
    with pytest.raises(InvalidInput, match="AUTOSPOT_SECRET_KEY is not set"):
        kept_secret(tmp_path / "state" / "secret-key")
