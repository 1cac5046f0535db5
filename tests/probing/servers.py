"""Real servers that answer a probe well, badly, slowly or not at all."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Pages(BaseHTTPRequestHandler):
    """/ok says that all is well, /moved leads there, /broken fails, /slow lets one wait, /drip never ends."""

    def do_GET(self) -> None:
        match self.path:
            case "/ok" | "/ok?depth=1" | "/%C3%A9tat":
                self._answer(200, "Tout va bien à la paie")
            case "/latin":
                self._answer(200, "Tout va bien à la paie", "iso-8859-1")
            case "/moved":
                self.send_response(302)
                self.send_header("Location", "/ok")
                self.end_headers()
            case "/broken":
                self._answer(500, "panne")
            case "/slow":
                time.sleep(3)
                self._answer(200, "enfin")
            case "/drip":
                self._drip()
            case _:
                self._answer(404, "")

    def _answer(self, status: int, text: str, charset: str = "utf-8") -> None:
        body = text.encode(charset)
        self.send_response(status)
        self.send_header("Content-Type", f"text/plain; charset={charset}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _drip(self) -> None:
        self.send_response(200)
        self.end_headers()
        for _ in range(60):
            try:
                self.wfile.write(b".")
            except OSError:
                return
            time.sleep(0.2)

    def log_message(self, *_: object) -> None:
        pass


class Quiet(ThreadingHTTPServer):
    """Clients that hang up are what these tests are about."""

    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        pass


@contextmanager
def pages(context: ssl.SSLContext | None = None, port: int = 0) -> Iterator[int]:
    """The pages on a port of this machine, over TLS where a context is given."""
    server = Quiet(("127.0.0.1", port), Pages)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def one_answer(said: bytes) -> Iterator[int]:
    """A port that answers those bytes to whoever connects, once."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(said)

        thread = threading.Thread(target=answer)
        thread.start()
        yield listening.getsockname()[1]
        thread.join()
