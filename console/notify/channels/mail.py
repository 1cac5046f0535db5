"""Mail over SMTP (RFC 5321), plain, with STARTTLS or over TLS; the replies decide what became of a letter.

A reply of class 4 is passing, one of class 5 permanent. A connection that cannot be made or that is lost
before the text leaves is passing; one that is lost after, before the reply, leaves the outcome uncertain.
One refused address does not hold back the others. TLS is verified, and never given up for a plain connection.
"""

from __future__ import annotations

import contextlib
import re
import smtplib
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr

from console.notify.letter import Letter, Outcome, Passing, Permanent, Sent, Uncertain

REPLY_S = 10  # for each reply of the server
OPENING_S = 60  # for everything before the text: a claim must not lapse while the text leaves
VERDICT_S = 45  # for the reply to the text, which the server may scan first
LONGEST_REPLY = 300
ADDRESS = re.compile(r"[^\s@,;:<>()\[\]\"\\]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,253}[A-Za-z0-9])?", re.ASCII)

Refusal = Passing | Permanent


@dataclass(frozen=True, slots=True)
class Smtp:
    """Where mail goes out; `security` is plain, starttls or tls."""

    host: str
    port: int
    security: str
    user: str | None
    password: str | None
    sender: str


def domain_of(sender: str) -> str:
    """The domain of a sender, for Message-IDs."""
    _, at, domain = parseaddr(sender)[1].rpartition("@")
    return domain if at and domain else "localhost"


def is_address(text: str) -> bool:
    """Whether mail can be sent to a text: one plain ASCII address."""
    return text.isascii() and ADDRESS.fullmatch(text) is not None


def send(settings: Smtp, letter: Letter) -> Outcome:
    """Hand a letter to the server; never raises for what the server or the network does."""
    deadline = time.monotonic() + OPENING_S
    server: smtplib.SMTP | None = None
    try:
        server = _connect(settings)
        return _converse(server, settings, letter, deadline)
    except smtplib.SMTPResponseException as error:
        return _refusal(error.smtp_code, error.smtp_error)
    except (smtplib.SMTPNotSupportedError, UnicodeError) as error:
        return Permanent(_one_line(error))
    except OSError as error:
        return Passing(f"{settings.host}:{settings.port}: {_one_line(error)}")
    finally:
        if server is not None:
            _leave(server)


def compose(letter: Letter, sender: str) -> bytes:
    """The text of a letter as it goes over the wire."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = ", ".join(filter(is_address, letter.recipients))
    message["Subject"] = letter.subject
    message["Date"] = letter.sent_at
    message["Message-ID"] = letter.message_id
    message["Auto-Submitted"] = "auto-generated"
    if letter.unsubscribe is not None:
        message["List-Unsubscribe"] = f"<{letter.unsubscribe}>"  # RFC 2369
    message.set_content(letter.body, cte="quoted-printable")
    return message.as_bytes()


def _connect(settings: Smtp) -> smtplib.SMTP:
    tls = ssl.create_default_context()
    name = socket.gethostname()  # the full name would ask the DNS, which may hang
    if settings.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            settings.host, settings.port, name, timeout=REPLY_S, context=tls
        )
    else:
        server = smtplib.SMTP(settings.host, settings.port, name, timeout=REPLY_S)
    try:
        if settings.security == "starttls":
            server.starttls(context=tls)
        if settings.user is not None:
            server.login(settings.user, settings.password or "")
    except BaseException:
        server.close()
        raise
    return server


def _converse(server: smtplib.SMTP, settings: Smtp, letter: Letter, deadline: float) -> Outcome:
    text = compose(letter, settings.sender)
    server.ehlo_or_helo_if_needed()
    code, reply = server.mail(parseaddr(settings.sender)[1])
    if code != 250:
        return _refusal(code, reply)
    refused = {address: refusal for address in letter.recipients if (refusal := _offer(server, address))}
    if len(refused) == len(letter.recipients):
        return _all_refused(refused)
    if time.monotonic() > deadline:
        return Passing(f"the server took more than {OPENING_S} s to listen")
    outcome = _hand_over(server, text)
    return _except_for(refused, outcome) if isinstance(outcome, Sent) else outcome


def _offer(server: smtplib.SMTP, address: str) -> Refusal | None:
    """None where the server takes mail for the address."""
    if not is_address(address):
        return Permanent("not a mail address")
    code, reply = server.rcpt(address)
    return None if code in (250, 251) else _refusal(code, reply)


def _hand_over(server: smtplib.SMTP, text: bytes) -> Outcome:
    code, reply = server.docmd("DATA")
    if code != 354:
        return _refusal(code, reply)
    try:
        if server.sock is not None:
            server.sock.settimeout(VERDICT_S)
        server.send(re.sub(rb"(?m)^\.", b"..", text) + b".\r\n")
        code, reply = server.getreply()
    except OSError as error:
        return Uncertain(_one_line(error))
    return Sent(_reply(code, reply)) if code == 250 else _refusal(code, reply)


def _all_refused(refused: Mapping[str, Refusal]) -> Refusal:
    reason = _by_address(refused)
    passing = any(isinstance(refusal, Passing) for refusal in refused.values())
    return Passing(reason) if passing else Permanent(reason)


def _except_for(refused: Mapping[str, Refusal], sent: Sent) -> Sent:
    later = tuple(address for address, refusal in refused.items() if isinstance(refusal, Passing))
    reasons = [sent.reason, *([f"but {_by_address(refused)}"] if refused else [])]
    return Sent("; ".join(reasons), later)


def _by_address(refused: Mapping[str, Refusal]) -> str:
    return "; ".join(f"{address}: {refusal.reason}" for address, refusal in refused.items())


def _refusal(code: int, reply: bytes | str) -> Refusal:
    """A code that is no reply at all, such as a broken line, may be better another time."""
    return Permanent(_reply(code, reply)) if 500 <= code < 600 else Passing(_reply(code, reply))


def _reply(code: int, reply: bytes | str) -> str:
    text = reply if isinstance(reply, str) else reply.decode(errors="replace")
    return _one_line(f"{code} {text}")


def _one_line(said: object) -> str:
    line = " ".join(str(said).split()) or type(said).__name__
    return "".join(c if c.isprintable() else "?" for c in line)[:LONGEST_REPLY]


def _leave(server: smtplib.SMTP) -> None:
    """The letter's fate is known by now: a server that does not say goodbye changes nothing."""
    if server.sock is not None:
        server.sock.settimeout(1)
        with contextlib.suppress(OSError):
            server.quit()
    server.close()
