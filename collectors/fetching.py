"""One answer of a server that is not the console: an instrument, an exporter.

Certificates are verified against `ca_file`, or against what the system trusts; there is no way not to. A
controller whose certificate bears another name than its address is reached with `server_name`. Nothing is
followed to another address, no proxy is used, and an answer is bounded in size and in time.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

LARGEST = 8 * 1024 * 1024
CHUNK = 64 * 1024


class Unfetched(Exception):
    """No answer, or one that is not believed; the message says why and holds no secret."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Server:
    """An address such as https://bmc.example (with what follows in `path`), and how it is known to be it."""

    scheme: str
    host: str
    port: int
    path: str
    ca_file: Path | None = None
    server_name: str | None = None
    timeout_s: float = 10.0

    def ask(
        self,
        path: str | None = None,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """One request; any status is an answer. Raises `Unfetched`."""
        deadline_s = time.monotonic() + self.timeout_s
        connection = self._connection()
        try:
            connection.request(method, path or self.path, body, dict(headers or {}))
            response = connection.getresponse()
            content = _bounded(response, connection, deadline_s)
        except ssl.SSLCertVerificationError as error:
            raise Unfetched(f"its certificate is not believed: {error.verify_message}") from None
        except TimeoutError:
            raise Unfetched(f"no whole answer within {self.timeout_s:g} s") from None
        except (OSError, HTTPException) as error:
            raise Unfetched(_cause(error)) from None
        finally:
            connection.close()
        return Answer(
            response.status, {name.lower(): value for name, value in response.getheaders()}, content
        )

    def _connection(self) -> HTTPConnection:
        if self.scheme == "http":
            return HTTPConnection(self.host, self.port, timeout=self.timeout_s)
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:
            raise Unfetched(f"{self.ca_file}: {error.strerror or 'not a certificate'}") from None
        return Named(self.host, self.port, self.server_name or self.host, self.timeout_s, context)


class Named(HTTPSConnection):
    """A connection whose certificate bears a name of its own."""

    def __init__(self, host: str, port: int, name: str, timeout_s: float, context: ssl.SSLContext) -> None:
        super().__init__(host, port, timeout=timeout_s, context=context)
        self._name = name
        self._trusted = context

    def connect(self) -> None:
        plain = socket.create_connection((self.host, self.port), self.timeout)
        try:
            self.sock = self._trusted.wrap_socket(plain, server_hostname=self._name)
        except BaseException:
            plain.close()
            raise


def server_at(
    address: str,
    *,
    schemes: tuple[str, ...] = ("https",),
    ca_file: Path | None = None,
    server_name: str | None = None,
    timeout_s: float = 10.0,
) -> Server:
    """The server of an address; raises `ValueError` with what would be right."""
    example = f"{schemes[0]}://bmc.example"
    if "@" in address:
        raise ValueError("a user and a password do not belong in an address")
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise ValueError(f"{address!r} is not an address such as {example}") from None
    if parts.scheme not in schemes or not parts.hostname or parts.fragment:
        raise ValueError(f"{address!r} is not an address such as {example}")
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    standard = 443 if parts.scheme == "https" else 80
    return Server(
        parts.scheme, parts.hostname, port or standard, path or "/", ca_file, server_name, timeout_s
    )


def _bounded(response: HTTPResponse, connection: HTTPConnection, deadline_s: float) -> bytes:
    """The whole body, each part within what is left of the time."""
    received = bytearray()
    while True:
        left_s = deadline_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        if connection.sock is not None:
            connection.sock.settimeout(left_s)
        part = response.read1(CHUNK)
        if not part:
            return bytes(received)
        received += part
        if len(received) > LARGEST:
            raise Unfetched(f"its answer is larger than {LARGEST} bytes")


def _cause(error: Exception) -> str:
    return str(error) or type(error).__name__
