"""HTTP and HTTPS: the status is the expected one, the body holds the expected text, the certificate is good.

Redirects are not followed: where one is right, its status is what to expect. Certificates are verified
against the authorities of the machine. Proxies are not used.
"""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from socket import socket
from urllib.parse import quote, urlsplit

from console.domain.probes import Answer, Fault, Question
from console.probing.stopwatch import Stopwatch

MOST_READ = 1024 * 1024  # bytes of a body in which the text is looked for
CHUNK = 16 * 1024
HEADERS = {"User-Agent": "console-inr-probe", "Accept": "*/*", "Connection": "close"}


def ask_http(question: Question) -> Answer:
    """Ask with GET."""
    watch = Stopwatch(question.timeout_s)
    address = urlsplit(question.target)
    connection = _connection(address.scheme, address.hostname or "", address.port, watch.left_s())
    try:
        connection.connect()
        ends_at = _certificate_end(connection)
        path = quote(address.path or "/", safe="/%:=&?~#+!$,;'@()*[]")
        connection.request("GET", f"{path}?{address.query}" if address.query else path, headers=HEADERS)
        return _judged(question, connection, watch, ends_at)
    except OSError as error:
        return watch.failed(error)
    except (HTTPException, ValueError) as error:
        return watch.bad(Fault.PROTOCOL, str(error) or type(error).__name__)
    finally:
        connection.close()


def _connection(scheme: str, host: str, port: int | None, timeout_s: float) -> HTTPConnection:
    if scheme == "https":
        return HTTPSConnection(host, port, timeout=timeout_s, context=ssl.create_default_context())
    return HTTPConnection(host, port, timeout=timeout_s)


def _judged(
    question: Question, connection: HTTPConnection, watch: Stopwatch, ends_at: datetime | None
) -> Answer:
    sock = connection.sock  # which the connection forgets where the answer ends with it
    sock.settimeout(watch.left_s())
    response = connection.getresponse()
    fault, detail = None, f"{response.status}"
    if response.status != question.status:
        fault = Fault.STATUS
    elif question.text is not None and question.text not in _body(sock, response, watch):
        fault = Fault.TEXT
    return Answer(fault, watch.took_ms, detail, ends_at)


def _body(sock: socket, response: HTTPResponse, watch: Stopwatch) -> str:
    """The body as text, its first `MOST_READ` bytes; raises `TimeoutError` when it takes too long."""
    read = bytearray()
    while len(read) < MOST_READ:
        sock.settimeout(watch.left_s())
        chunk = response.read1(CHUNK)
        if not chunk:
            break
        read += chunk
    charset = response.headers.get_content_charset() or "utf-8"
    try:
        return read.decode(charset, errors="replace")
    except LookupError:  # a charset that nobody knows
        return read.decode("utf-8", errors="replace")


def _certificate_end(connection: HTTPConnection) -> datetime | None:
    certificate = connection.sock.getpeercert() if isinstance(connection.sock, ssl.SSLSocket) else None
    ends = certificate.get("notAfter") if certificate else None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(ends)), UTC) if ends else None
