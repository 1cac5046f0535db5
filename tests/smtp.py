"""A real SMTP server for the length of a test: what it received, and what it was told to do wrong."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller

from console.notify.channels.mail import Smtp
from tests.running import free_port


@dataclass
class Mail:
    """One message as the server took it: the envelope and the text."""

    sender: str
    recipients: list[str]
    text: EmailMessage

    @property
    def subject(self) -> str:
        return str(self.text["Subject"])

    @property
    def message_id(self) -> str:
        return str(self.text["Message-ID"])

    @property
    def body(self) -> str:
        return str(self.text.get_content())


@dataclass
class MailServer:
    """The handler of the server: set `refuse`, `data_replies` or `after_data` to make it fail.

    `data_replies` are given to the next texts in turn. `after_data` is what happens once a text has arrived:
    "reply", "drop" the connection, or "hang" until the test lets go. `received` holds every text that came,
    whatever became of it; `taken` those that were answered with 250.
    """

    port: int = field(default_factory=free_port)
    received: list[Mail] = field(default_factory=list)
    taken: list[Mail] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    data_replies: list[str] = field(default_factory=list)
    after_data: str = "reply"
    arrived: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def settings(self) -> Smtp:
        return Smtp("127.0.0.1", self.port, "plain", None, None, "Console INR <console@inr.example>")

    async def handle_RCPT(  # noqa: N802 - the name that the server calls
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        text = message_from_bytes(envelope.content, policy=default)
        assert isinstance(text, EmailMessage)
        mail = Mail(envelope.mail_from, envelope.rcpt_tos, text)
        self.received.append(mail)
        self.arrived.set()
        if self.after_data == "drop":
            server.transport.abort()
        while self.after_data == "hang" and not self.released.is_set():
            await asyncio.sleep(0.02)
        reply = self.data_replies.pop(0) if self.data_replies else "250 Taken"
        if reply.startswith("250") and self.after_data == "reply":
            self.taken.append(mail)
        return reply


@contextmanager
def mail_server(**options: Any) -> Iterator[MailServer]:
    """A server on a free port of this machine; `options` are those of aiosmtpd."""
    server = MailServer()
    controller = Controller(server, hostname="127.0.0.1", port=server.port, **options)
    controller.start()
    try:
        yield server
    finally:
        server.released.set()
        controller.stop()
