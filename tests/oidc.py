"""A real identity provider as a process of its own, and a door before it that writes down what passes."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.running import BIN, free_port, wait_until

PEOPLE = (
    {"sub": "ana-1", "email": "ana@inr.example", "email_verified": True},
    {"sub": "ana-2", "email": "ANA@inr.example", "email_verified": True},
    {"sub": "bob-1", "email": "bob@inr.example", "email_verified": False},
    {"sub": "mute-1", "email": "ana@inr.example"},
    {"sub": "stranger", "email": "stranger@inr.example", "email_verified": True},
)
Answer = dict[str, Any]


@dataclass
class Door:
    """Passes each request on; `alter` changes the JSON answers of a path, by its name."""

    behind: str
    port: int = field(default_factory=free_port)
    asked: list[tuple[str, dict[str, list[str]]]] = field(default_factory=list)
    alter: dict[str, Callable[[Answer], Answer]] = field(default_factory=dict)
    hanging: threading.Event | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def forms(self, path: str) -> list[dict[str, list[str]]]:
        return [form for asked, form in self.asked if asked == path]


@contextlib.contextmanager
def provider(**options: str) -> Iterator[str]:
    """The address of a provider that knows the people above; `options` are those of its command."""
    port = free_port()
    people = [f"--user-claims={json.dumps(person)}" for person in PEOPLE]
    told = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    process = subprocess.Popen(
        [BIN / "oidc-provider-mock", f"--port={port}", *people, *told],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: _answers(address), 30, "the provider does not answer")
        yield address
    finally:
        process.terminate()
        process.wait(timeout=10)


@contextlib.contextmanager
def door(behind: str) -> Iterator[Door]:
    """A door before a provider: it goes by the address of the door."""
    door = Door(behind)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._pass(None)

        def do_POST(self) -> None:
            self._pass(self.rfile.read(int(self.headers["Content-Length"])))

        def _pass(self, body: bytes | None) -> None:
            path = urlsplit(self.path).path
            door.asked.append((path, parse_qs((body or b"").decode())))
            if door.hanging is not None:
                door.hanging.wait()
                return
            status, told, content = _ask(door, self.path, dict(self.headers), body)
            if path in door.alter:
                content = json.dumps(door.alter[path](json.loads(content))).encode()
            self.send_response(status)
            for name in ("Content-Type", "Location"):
                if name in told:
                    self.send_header(name, told[name])
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", door.port), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield door
    finally:
        if door.hanging is not None:
            door.hanging.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def agree(address: str, subject: str, **changes: str) -> str:
    """What a person's browser does at the provider: where it is sent back to, as a path with its query.

    `changes` replace values of the request, as somebody in the middle would.
    """
    url = urlsplit(address)
    asked = {name: values[0] for name, values in parse_qs(url.query).items()} | changes
    request = urllib.request.Request(
        f"{url.scheme}://{url.netloc}{url.path}?{urlencode(asked)}", data=urlencode({"sub": subject}).encode()
    )
    try:
        urllib.request.build_opener(_Stay).open(request, timeout=10)
    except urllib.error.HTTPError as sent_back:
        with sent_back:
            back = urlsplit(sent_back.headers["Location"])
            return f"{back.path}?{back.query}"
    raise AssertionError("the provider sent nobody back")


def _ask(door: Door, path: str, headers: dict[str, str], body: bytes | None) -> tuple[int, Message, bytes]:
    request = urllib.request.Request(door.behind + path, data=body, headers=headers)
    try:
        with urllib.request.build_opener(_Stay).open(request, timeout=10) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def _answers(address: str) -> bool:
    with contextlib.suppress(OSError):
        return urllib.request.urlopen(address, timeout=5).status == 200
    return False
