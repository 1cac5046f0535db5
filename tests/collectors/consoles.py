"""A console's door for readings, as small as the protocol: a real HTTP server in a thread."""

from __future__ import annotations

import gzip
import json
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

Batch = dict[str, Any]
Reply = tuple[int, Any]


def accept(batch: Batch) -> Reply:
    """Every reading accepted."""
    return 202, {"readings": [_item(reading["sequence"], "accepted") for reading in batch["readings"]]}


def refuse(status: int, message: str) -> Callable[[Batch], Reply]:
    """Every batch refused with the same words."""
    return lambda _: (status, {"error": {"code": "refused", "message": message}})


def _item(sequence: int, status: str, reason: str | None = None) -> dict[str, Any]:
    return {"sequence": sequence, "status": status, "reason": reason}


@dataclass
class Console:
    """Answers each batch with `reply`; keeps what it was sent and with which token."""

    reply: Callable[[Batch], Reply] = accept
    batches: list[Batch] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    encodings: list[str | None] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    port: int = 0
    headers: dict[str, str] = field(default_factory=dict)

    def __enter__(self) -> Self:
        console = self

        class Door(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers["Content-Encoding"] == "gzip":
                    body = gzip.decompress(body)
                console.bodies.append(body)
                batch = json.loads(body)
                console.paths.append(self.path)
                console.encodings.append(self.headers["Content-Encoding"])
                console.tokens.append(str(self.headers["Authorization"]))
                console.batches.append(batch)
                status, body = console.reply(batch)
                content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
                self.send_response_only(status)
                self.send_header("Date", console.headers.get("Date", self.date_time_string()))
                for name, value in console.headers.items():
                    if name != "Date":
                        self.send_header(name, value)
                if status in (301, 302, 307):
                    self.send_header("Location", f"http://127.0.0.1:{console.port}/elsewhere")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def do_GET(self) -> None:
                console.paths.append(self.path)
                self.send_error(404)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it overrides
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Door)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def encrypt(self, context: ssl.SSLContext) -> None:
        """Speak TLS from here on."""
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def sequences(self) -> list[int]:
        """Every sequence received, in order, as often as it came."""
        return [int(reading["sequence"]) for batch in self.batches for reading in batch["readings"]]
