"""Every template can be filled, in both its forms; addresses of servers and senders are understood."""

from __future__ import annotations

from importlib.resources import files

import pytest

from autospot.domain.due import GiveUp
from autospot.domain.errors import InvalidInput
from autospot.domain.mail import Mail
from autospot.services.mail_texts import SUBJECT_LENGTH, MailTexts
from autospot.services.postman import sender_address
from autospot.services.smtp import SmtpServer, smtp_server

TEXTS = MailTexts("https://parking.example.org/")

EXAMPLES = {
    "account_closed": {"at": "2026-11-22 10:00 UTC"},
    "already_registered": {},
    "password_changed": {"at": "2026-11-22 10:00 UTC", "but": ""},
    "reset_password": {"code": "123456", "minutes": "10"},
    "verify_email": {"code": "123456", "minutes": "10"},
}


def templates_of_accounts() -> set[str]:
    names = {file.name for file in files("autospot").joinpath("templates/mail").iterdir()}
    return {name.removesuffix(".txt.j2") for name in names if name.endswith(".txt.j2")}


def test_every_template_has_both_its_forms() -> None:
    names = {file.name for file in files("autospot").joinpath("templates/mail").iterdir()}
    assert {f"{name}.html.j2" for name in templates_of_accounts()} == {
        name for name in names if name.endswith(".html.j2") and name != "layout.html.j2"
    }
    assert templates_of_accounts() >= EXAMPLES.keys()


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_a_template_says_the_same_in_text_and_html(name: str) -> None:
    written = TEXTS.written(Mail(name, "dora@example.org", EXAMPLES[name]))
    assert 0 < len(written.subject) <= SUBJECT_LENGTH
    assert f"<title>{written.subject}</title>" in written.html
    assert max(len(line) for line in written.text.splitlines()) <= 90
    for value in filter(None, EXAMPLES[name].values()):
        assert value in written.text
        assert value in written.html
    assert "{{" not in written.text + written.html


def test_a_missing_value_is_no_empty_place() -> None:
    with pytest.raises(GiveUp):
        TEXTS.written(Mail("verify_email", "dora@example.org", {"code": "123456"}))


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.org", SmtpServer("mail.example.org", 25, "if_offered")),
        ("smtp://mail.example.org?starttls=1", SmtpServer("mail.example.org", 25, "required")),
        ("smtp://mail.example.org:2525?starttls=0", SmtpServer("mail.example.org", 2525, "if_offered")),
        ("smtp://u:p@mail.example.org", SmtpServer("mail.example.org", 587, "required", "u", "p")),
        ("smtp://u%40x:p%3Aq@mail.example.org:2587", SmtpServer("mail.example.org", 2587, "required", "u@x", "p:q")),
        ("smtps://u:p@mail.example.org", SmtpServer("mail.example.org", 465, "from_start", "u", "p")),
        ("smtp://u:p@127.0.0.1:1025?starttls=0", SmtpServer("127.0.0.1", 1025, "if_offered", "u", "p")),
    ],
)
def test_a_mail_servers_address(url: str, server: SmtpServer) -> None:
    assert smtp_server(url) == server


@pytest.mark.parametrize(
    "url",
    [
        "http://mail.example.org",
        "mail.example.org",
        "smtp://",
        "smtp://u:hunter2@mail.example.org?starttls=0",
        "smtp://u:hunter2@mail.example.org?tls=1",
        "smtp://u:hunter2@mail.example.org/path",
    ],
)
def test_a_wrong_address_is_refused_without_showing_the_password(url: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        smtp_server(url)
    assert "hunter2" not in refused.value.message


def test_a_server_does_not_show_its_password() -> None:
    assert "hunter2" not in repr(smtp_server("smtp://u:hunter2@mail.example.org"))


def test_a_sender_has_a_name() -> None:
    assert str(sender_address("City Garage <parking@example.org>")) == "City Garage <parking@example.org>"
    assert str(sender_address("parking@example.org")) == "AutoSpot <parking@example.org>"
