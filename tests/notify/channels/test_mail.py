"""What becomes of a letter, against a real SMTP server."""

import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes
from pathlib import Path

import pytest
import trustme
from aiosmtpd.smtp import AuthResult

from console.notify.channels import open_channels
from console.notify.channels.mail import Smtp, compose, domain_of, is_address, send
from console.notify.letter import Letter, Passing, Permanent, Sent, Uncertain
from tests.given import NOW
from tests.running import free_port
from tests.smtp import MailServer, mail_server

AUTHORITY = trustme.CA()
LETTER = Letter(
    message_id="<1@inr.example>",
    recipients=("ops@inr.example", "night@inr.example"),
    subject="[Console INR] Collecteur muet\u00a0: srv-dpi-01",
    body="Le collecteur ne dit plus rien…\n\n.\n.. deux points\nFin.\n",
    sent_at=NOW,
)


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


def test_a_letter_arrives_as_it_was_written(server: MailServer) -> None:
    assert send(server.settings, LETTER) == Sent("250 Taken")
    mail = server.taken[0]
    assert (mail.sender, mail.recipients) == ("console@inr.example", ["ops@inr.example", "night@inr.example"])
    assert mail.subject == LETTER.subject
    assert mail.body.replace("\r\n", "\n") == LETTER.body
    assert mail.message_id == "<1@inr.example>"
    assert mail.text["From"] == "Console INR <console@inr.example>"
    assert mail.text["To"] == "ops@inr.example, night@inr.example"
    assert mail.text["Date"].datetime == NOW
    assert mail.text["Auto-Submitted"] == "auto-generated"
    assert mail.text.get_content_charset() == "utf-8"
    assert len(server.received) == 1


def test_a_letter_is_seven_bit_on_the_wire() -> None:
    assert compose(LETTER, "console@inr.example").isascii()


def test_a_letter_of_a_list_says_where_one_leaves_it() -> None:
    listed = replace(LETTER, unsubscribe="https://console.inr.example/status/leave/abc")
    read = message_from_bytes(compose(listed, "console@inr.example"))
    assert read["List-Unsubscribe"] == "<https://console.inr.example/status/leave/abc>"
    assert message_from_bytes(compose(LETTER, "console@inr.example"))["List-Unsubscribe"] is None


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("451 4.3.0 try later", Passing("451 4.3.0 try later")),
        ("554 5.7.1 not wanted", Permanent("554 5.7.1 not wanted")),
    ],
)
def test_the_reply_to_the_text_decides(server: MailServer, reply: str, expected: object) -> None:
    server.data_replies = [reply]
    assert send(server.settings, LETTER) == expected


ONE, OTHER = LETTER.recipients


@pytest.mark.parametrize(
    ("refuse", "expected", "reached"),
    [
        ({ONE: "450 greylisted"}, Sent(f"250 Taken; but {ONE}: 450 greylisted", (ONE,)), [OTHER]),
        ({ONE: "550 unknown"}, Sent(f"250 Taken; but {ONE}: 550 unknown"), [OTHER]),
        ({ONE: "550 no", OTHER: "550 no"}, Permanent(f"{ONE}: 550 no; {OTHER}: 550 no"), []),
        ({ONE: "550 no", OTHER: "450 later"}, Passing(f"{ONE}: 550 no; {OTHER}: 450 later"), []),
    ],
    ids=["one later", "one refused", "all refused", "all refused, one for now"],
)
def test_a_refused_address_does_not_hold_back_the_others(
    server: MailServer, refuse: dict[str, str], expected: object, reached: list[str]
) -> None:
    server.refuse = refuse
    assert send(server.settings, LETTER) == expected
    assert [address for mail in server.taken for address in mail.recipients] == reached


def test_a_connection_lost_after_the_text_leaves_the_outcome_uncertain(server: MailServer) -> None:
    server.after_data = "drop"
    assert isinstance(send(server.settings, LETTER), Uncertain)
    assert len(server.received) == 1


def test_a_server_that_is_not_there_is_passing() -> None:
    settings = replace(MailServer().settings, port=free_port())
    outcome = send(settings, LETTER)
    assert isinstance(outcome, Passing)
    assert outcome.reason == f"127.0.0.1:{settings.port}: [Errno 111] Connection refused"


@pytest.mark.parametrize(
    ("banner", "expected"),
    [
        (b"554 no service here\r\n", Permanent("554 no service here")),
        (b"421 too busy\r\n", Passing("421 too busy")),
        (b"\xff\xfe\r\n", Passing),
        (b"", Passing),
    ],
    ids=["554", "421", "noise", "closed"],
)
def test_the_greeting_of_the_server_is_understood(banner: bytes, expected: object) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(banner)

        thread = threading.Thread(target=greet)
        thread.start()
        outcome = send(replace(MailServer().settings, port=listener.getsockname()[1]), LETTER)
        thread.join()
    assert outcome == expected if not isinstance(expected, type) else isinstance(outcome, expected)


@pytest.fixture
def tls() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    AUTHORITY.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """This machine trusts the authority of the test's certificate."""
    AUTHORITY.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))


def secured(server: MailServer, security: str, **changes: str) -> Smtp:
    return replace(server.settings, host="localhost", security=security, **changes)


@pytest.mark.usefixtures("trusted")
def test_starttls_carries_the_letter_and_the_password(tls: ssl.SSLContext) -> None:
    shown = []

    def check(_server, _session, _envelope, _mechanism, credentials) -> AuthResult:
        shown.append((credentials.login, credentials.password))
        return AuthResult(success=True)

    options = {"require_starttls": True, "auth_required": True, "authenticator": check}
    with mail_server(tls_context=tls, **options) as server:
        settings = secured(server, "starttls", user="console", password="secret")
        assert send(settings, LETTER) == Sent("250 Taken")
    assert shown == [(b"console", b"secret")]


@pytest.mark.usefixtures("trusted")
def test_a_refused_password_is_permanent(tls: ssl.SSLContext) -> None:
    refusal = AuthResult(success=False, handled=False)
    with mail_server(tls_context=tls, authenticator=lambda *_: refusal) as server:
        outcome = send(secured(server, "starttls", user="console", password="wrong"), LETTER)
    assert isinstance(outcome, Permanent)
    assert outcome.reason.startswith("535")


@pytest.mark.usefixtures("trusted")
def test_a_letter_goes_over_tls_from_the_first_byte(tls: ssl.SSLContext) -> None:
    with mail_server(ssl_context=tls) as server:
        assert send(secured(server, "tls"), LETTER) == Sent("250 Taken")


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_nobody_vouches_for_gets_no_letter(tls: ssl.SSLContext, security: str) -> None:
    context = "ssl_context" if security == "tls" else "tls_context"
    with mail_server(**{context: tls}) as server:
        outcome = send(secured(server, security), LETTER)
        assert isinstance(outcome, Passing)
        assert "certificate verify failed" in outcome.reason
        assert server.received == []


def test_a_server_without_tls_gets_no_letter_that_asks_for_it(server: MailServer) -> None:
    outcome = send(replace(server.settings, security="starttls"), LETTER)
    assert isinstance(outcome, Permanent)
    assert "STARTTLS" in outcome.reason
    assert server.received == []


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("ops@inr.example", True),
        ("a.b+c@sub.inr.example", True),
        ("root@localhost", True),
        ("ops", False),
        ("ops@", False),
        ("é@inr.example", False),
        ("a@b, c@d", False),
        ("a@b\r\nBcc: c@d", False),
        ("Ops <ops@inr.example>", False),
    ],
)
def test_an_address_is_plain(text: str, right: bool) -> None:
    assert is_address(text) is right


def test_an_unfit_address_is_refused_before_the_server_sees_it(server: MailServer) -> None:
    unfit = "a@b\r\nRCPT TO:<c@d>"
    outcome = send(server.settings, replace(LETTER, recipients=(unfit, OTHER)))
    assert isinstance(outcome, Sent)
    assert "not a mail address" in outcome.reason
    assert [mail.recipients for mail in server.taken] == [[OTHER]]


def test_the_domain_of_the_sender_names_the_messages() -> None:
    assert domain_of("Console <console@inr.example>") == "inr.example"
    assert domain_of("console") == "localhost"


def test_a_channel_without_settings_is_not_open(server: MailServer) -> None:
    assert list(open_channels(smtp=None)) == []
    assert list(open_channels(smtp=server.settings)) == ["mail"]
