"""Mail through a real mail server: taken, refused for good, refused for now, dead, cut off."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from autospot.domain.due import GiveUp
from autospot.domain.errors import Unavailable
from autospot.domain.mail import Mail
from autospot.services.smtp import SmtpServer, SmtpTransport, smtp_server
from autospot.storage.due import DueRows
from autospot.storage.mongo import Database
from tests.support.people import SENDER, Town, a_town
from tests.support.smtp import HOST, MailServer

TO = "dora@example.org"
CODE = Mail("verify_email", TO, {"code": "123456", "minutes": "10"})


@pytest.fixture
def server() -> Iterator[MailServer]:
    server = MailServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def town(database: Database, server: MailServer) -> AsyncIterator[Town]:
    town = a_town(database, transport=SmtpTransport(smtp_server(server.url), answer_seconds=2))
    yield town
    town.people.passwords.close()


async def post(town: Town, mail: Mail = CODE, key: str = "occasion-1") -> None:
    await town.people.postman.post(mail, key, town.clock.now())


async def reasons(town: Town) -> list[str]:
    return [letter.reason for letter in await DueRows(town.database).dead(10)]


async def test_a_mail_arrives_with_text_and_html(town: Town, server: MailServer) -> None:
    await post(town)
    await town.settle()

    [mail] = server.inbox.mails
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert server.inbox.recipients == [[TO]]
    assert (mail["From"], mail["To"], mail["Subject"]) == (SENDER, TO, "Your AutoSpot code")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert text is not None
    assert html is not None
    assert "    123456" in text.get_content().splitlines()
    assert ">123456</p>" in html.get_content()


async def test_one_occasion_is_one_mail(town: Town, server: MailServer) -> None:
    await post(town)
    await post(town)
    await town.settle()
    assert len(server.inbox.mails) == 1


async def test_a_mail_that_waits_cannot_be_read_in_the_database(town: Town) -> None:
    await post(town)
    [row] = [repr(row) async for row in town.database.collection("due").find()]
    assert TO not in row
    assert "123456" not in row


async def test_a_mail_put_off_comes_later(town: Town, server: MailServer) -> None:
    server.inbox.replies = ["451 try again later", "421 too busy"]
    await post(town)
    await town.settle()
    assert server.inbox.mails == []
    for _ in range(2):
        town.clock.move(timedelta(seconds=10))
        await town.settle()
    assert len(server.inbox.mails) == 1


async def test_a_mail_refused_for_good_is_a_dead_letter_at_once(town: Town, server: MailServer) -> None:
    server.inbox.replies = ["554 no"]
    await post(town)
    server.inbox.refuse_recipient = None
    await town.settle()
    assert await reasons(town) == ["the mail server refused the mail: 554"]

    server.inbox.refuse_recipient = "550 no such user"
    await post(town, key="occasion-2")
    await town.settle()
    assert (await reasons(town))[0] == "the mail server refused the mail: 550"
    assert server.inbox.mails == []


async def test_mail_waits_for_a_dead_server(town: Town, server: MailServer) -> None:
    await asyncio.to_thread(server.stop)
    await post(town)
    await town.settle()
    await asyncio.to_thread(server.start)
    town.clock.move(timedelta(seconds=10))
    await town.settle()
    assert len(server.inbox.mails) == 1


async def test_a_mail_whose_answer_was_lost_comes_again_and_can_be_told_as_the_same(
    town: Town, server: MailServer
) -> None:
    server.inbox.replies = ["take it, then hang up"]
    await post(town)
    await town.settle()
    town.clock.move(timedelta(seconds=10))
    await town.settle()

    first, second = server.inbox.mails
    assert first["Message-ID"] == second["Message-ID"]
    await post(town, key="occasion-2")
    await town.settle()
    assert server.inbox.mails[2]["Message-ID"] != first["Message-ID"]


async def test_a_code_that_has_expired_is_not_sent_any_more(town: Town, server: MailServer) -> None:
    now = town.clock.now()
    await town.people.postman.post(CODE, "occasion-1", now, until=now + timedelta(minutes=10))
    town.clock.move(timedelta(minutes=10))
    await town.settle()
    assert server.inbox.mails == []


@pytest.mark.parametrize(
    "to",
    [
        "dora@example.org\r\nBcc: everybody@example.org",
        "dora@example.org\nSubject: hello",
        "dora@example.org, carl@example.org",
        "friends: dora@example.org;",
        "dora",
        "",
    ],
)
async def test_an_address_is_one_address(town: Town, server: MailServer, to: str) -> None:
    await post(town, Mail("verify_email", to, {"code": "123456", "minutes": "10"}))
    await town.settle()
    assert server.inbox.mails == []
    assert await reasons(town) == ["this is no mail address"]


async def test_values_make_no_headers_and_no_html(town: Town, server: MailServer) -> None:
    nasty = "x\r\nBcc: everybody@example.org\r\n\r\n<script>alert(1)</script>"
    await post(town, Mail("password_changed", TO, {"at": nasty, "but": nasty}))
    await town.settle()
    [mail] = server.inbox.mails
    html = mail.get_body(("html",))
    assert mail["Bcc"] is None
    assert server.inbox.recipients == [[TO]]
    assert html is not None
    assert "<script>" not in html.get_content()


async def test_a_mail_that_cannot_be_written_is_a_dead_letter(town: Town) -> None:
    await post(town, Mail("verify_email", TO, {"minutes": "10"}), key="no code")
    await post(town, Mail("no_such_text", TO, {}), key="no template")
    await town.settle()
    assert sorted(await reasons(town)) == [
        "the template 'no_such_text' cannot be filled: TemplateNotFound",
        "the template 'verify_email' cannot be filled: UndefinedError",
    ]


# Transport: TLS and sign-in


@pytest.fixture
def tls(tmp_path: Path) -> tuple[ssl.SSLContext, Path]:
    """A certificate for the loopback address, made on the spot: the server's context and where clients find it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.example.org")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = tmp_path / "certificate.pem", tmp_path / "key.pem"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate_file, key_file)
    return context, certificate_file


async def send(server: SmtpServer) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "parking@example.org", TO, "hello"
    message.set_content("hello")
    await SmtpTransport(server, answer_seconds=3).send(message, TO)


async def test_a_password_is_not_sent_without_tls() -> None:
    server = MailServer(user="autospot", password="right one")
    server.start()
    with pytest.raises(Unavailable):
        await send(smtp_server(f"smtp://autospot:right%20one@{HOST}:{server.port}"))
    assert server.inbox.mails == []
    server.stop()


async def test_a_server_that_cannot_prove_its_name_gets_no_mail(tls: tuple[ssl.SSLContext, Path]) -> None:
    server = MailServer(tls=tls[0])
    server.start()
    with pytest.raises(Unavailable):
        await send(smtp_server(server.url + "?starttls=1"))
    assert server.inbox.mails == []
    server.stop()


async def test_starttls_and_sign_in(tls: tuple[ssl.SSLContext, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    context, certificate = tls
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    server = MailServer(tls=context, user="autospot", password="right one")
    server.start()
    await send(smtp_server(f"smtp://autospot:right%20one@localhost:{server.port}"))
    assert (server.inbox.signed_in, server.inbox.over_tls) == ([True], [True])

    with pytest.raises(Unavailable):
        await send(smtp_server(f"smtp://autospot:wrong@localhost:{server.port}"))
    server.stop()


async def test_an_unknown_recipient_is_given_up(server: MailServer) -> None:
    server.inbox.refuse_recipient = "550 no such user"
    with pytest.raises(GiveUp):
        await send(smtp_server(server.url))
