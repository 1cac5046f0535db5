"""A management controller: the DMTF's mockup of a rack server, served over HTTPS by a real server."""

from __future__ import annotations

import base64
import json
import ssl
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import trustme

MOCKUP = Path(__file__).parents[1] / "data" / "redfish"
ROOT = "/redfish/v1"
USER, PASSWORD = "inr-readonly", "s3cret"
SESSIONS = f"{ROOT}/SessionService/Sessions"


class Quiet(ThreadingHTTPServer):
    """Clients that do not believe the certificate hang up in the middle."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


@dataclass
class Controller:
    """Serves the mockup; what `changed` holds for a path goes before the file (None: not there).

    `moves` is where a path without a slash at its end is redirected to; `session_at` is what a new session is
    told to be at.
    """

    authority: trustme.CA
    name: str = "127.0.0.1"
    changed: dict[str, dict[str, Any] | bytes | int | None] = field(default_factory=dict)
    password: str = PASSWORD
    slow_s: float = 0.0
    moves: str | None = None
    session_at: str = f"{SESSIONS}/"
    asked: Counter[str] = field(default_factory=Counter)
    sessions: set[str] = field(default_factory=set)
    most_sessions: int = 0
    attempts: int = 0
    port: int = 0

    @property
    def address(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def resource(self, path: str) -> dict[str, Any]:
        """A resource of the mockup, to be changed and put back."""
        text = (MOCKUP / path.strip("/") / "index.json").read_text(encoding="utf-8")
        resource: dict[str, Any] = json.loads(text)
        return resource

    def change(self, path: str, **fields: Any) -> None:
        """The resource of the mockup with other fields; a field that is None is taken out."""
        resource = self.resource(path) | fields
        self.changed[path] = {name: value for name, value in resource.items() if value is not None}

    def __enter__(self) -> Self:
        self._server = Quiet(("127.0.0.1", 0), type("Bound", (Handler,), {"controller": self}))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert(self.name).configure_cert(context)
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def knows(self, headers: Any) -> bool:
        pair = base64.b64encode(f"{USER}:{self.password}".encode()).decode()
        if "Authorization" in headers:
            self.attempts += 1
        return headers.get("X-Auth-Token") in self.sessions or headers.get("Authorization") == f"Basic {pair}"

    def content(self, path: str) -> tuple[int, bytes]:
        if path in self.changed:
            changed = self.changed[path]
            if changed is None:
                return 404, b"{}"
            if isinstance(changed, int):
                return changed, b"{}"
            return 200, changed if isinstance(changed, bytes) else json.dumps(changed).encode()
        file = MOCKUP / path / "index.json"
        return (200, file.read_bytes()) if file.is_file() else (404, b"{}")


class Handler(BaseHTTPRequestHandler):
    """What the controller answers."""

    controller: Controller

    def do_GET(self) -> None:
        time.sleep(self.controller.slow_s)
        if not self.controller.knows(self.headers):
            return self.answer(401, b"{}")
        if self.moved():
            return None
        path = self.path.removeprefix(ROOT).strip("/")
        self.controller.asked[path] += 1
        return self.answer(*self.controller.content(path))

    def moved(self) -> bool:
        """Whether the path was redirected."""
        if self.controller.moves is None or self.path.endswith("/"):
            return False
        self.answer(308, b"", {"Location": self.controller.moves.format(path=self.path)})
        return True

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.moved():
            return None
        self.controller.attempts += 1
        if self.path.rstrip("/") != SESSIONS or body != {
            "UserName": USER,
            "Password": self.controller.password,
        }:
            return self.answer(401, b"{}")
        token = f"token-{self.controller.attempts}"
        self.controller.sessions.add(token)
        self.controller.most_sessions = max(self.controller.most_sessions, len(self.controller.sessions))
        headers = {"X-Auth-Token": token, "Location": f"{self.controller.session_at}{token}"}
        return self.answer(201, b"{}", headers)

    def do_DELETE(self) -> None:
        self.controller.sessions.discard(self.path.rpartition("/")[2])
        self.answer(200, b"{}")

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass
