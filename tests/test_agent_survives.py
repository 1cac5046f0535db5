"""The agent against the real console: what goes wrong between them loses nothing and counts nothing twice."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.serving import make_server

from collectors.instrument import SecretFile
from collectors.outbox import Outbox
from collectors.sender import Backoff, Sender
from collectors.sender import Console as Address
from console.actions import api_tokens
from console.store.models import measurement as m
from console.store.session import Database, Operator
from tests.readings import MINUTE, measured, reading

A_DAY = 1440


@dataclass
class Front:
    """Stands before the console as a load balancer does; may refuse for it."""

    console: Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]
    broken: bool = False
    refused: list[str] = field(default_factory=list)
    url: str = ""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not self.broken:
            return self.console(environ, start_response)
        environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        self.refused.append(str(environ["PATH_INFO"]))
        start_response("500 Internal Server Error", [("Content-Type", "text/html")])
        return [b"<html>Bad day</html>"]


@pytest.fixture
def front(app: Flask) -> Iterator[Front]:
    front = Front(app.wsgi_app)
    server = make_server("127.0.0.1", 0, front)  # type: ignore[arg-type]
    front.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield front
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def quick_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: a day of readings is flushed in no time."""
    memory = Path("/dev/shm")  # noqa: S108 - a disk, not a name to guess
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


def token(database: Database, name: str = "hosts") -> str:
    with database.write(Operator()) as session:
        return api_tokens.renew_token(session, name, now=datetime.now(UTC))


def kept(outbox: Outbox, minutes: int) -> None:
    """So many minutes up to now, measured while nobody listened."""
    first = datetime.now(UTC).replace(second=0, microsecond=0) - (minutes + 2) * MINUTE
    for minute in range(minutes):
        one = reading(1, measured(60_000), started_at=first + minute * MINUTE, payroll=30_000)
        outbox.put(replace(one, sequence=0))


def stored(database: Database) -> list[int]:
    with database.read(Operator()) as session:
        return list(session.scalars(select(m.Reading.sequence).order_by(m.Reading.started_at)))


def sender(outbox: Outbox, front: Front, path: Path) -> Sender:
    return Sender(outbox, Address(front.url, SecretFile(path)))


def test_a_day_of_500_is_sent_in_its_order_afterwards(
    front: Front, database: Database, tmp_path: Path, quick_disk: Path
) -> None:
    path = tmp_path / "token"
    path.write_text(token(database))
    front.broken = True
    with Outbox(quick_disk / "outbox", "agent", "srv-01") as outbox:
        kept(outbox, A_DAY)
        sending = sender(outbox, front, path)
        assert [sending.drain() for _ in range(3)] == [False] * 3
        assert len(outbox.kept()) == A_DAY
        assert len(front.refused) == 3
        front.broken = False
        assert sending.drain()
        assert outbox.kept() == []
        assert not (outbox.folder / "refused").exists()
    assert stored(database) == list(range(1, A_DAY + 1))


def test_in_a_day_of_500_the_pauses_are_bounded_and_the_attempts_few() -> None:
    backoff, at_s, pauses = Backoff(), 0.0, []
    while at_s < timedelta(days=1).total_seconds():
        pauses.append(backoff.next_pause_s())
        at_s += pauses[-1]
    assert max(pauses) <= 60
    assert 1440 <= len(pauses) <= 4 * 1440


def test_a_token_is_replaced_while_the_agent_runs_and_nothing_is_lost(
    front: Front, database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "token"
    path.write_text(token(database))
    with Outbox(tmp_path / "outbox", "agent", "srv-01") as outbox:
        sending = sender(outbox, front, path)
        kept(outbox, 3)
        assert sending.drain()
        new = token(database)  # the text before opens nothing from here on
        one = reading(1, measured(60_000), started_at=datetime.now(UTC) - MINUTE, duration=MINUTE / 2)
        outbox.put(replace(one, sequence=0))
        assert [sending.drain() for _ in range(2)] == [False, False]
        assert len(outbox.kept()) == 1
        path.write_text(f"{new}\n")
        assert sending.drain()
    assert stored(database) == [1, 2, 3, 4]


def test_what_the_console_stored_without_its_answer_arriving_is_not_counted_twice(
    front: Front, database: Database, tmp_path: Path
) -> None:
    """The answer is lost on the way; the agent is killed, and another one on its outbox sends again."""
    path = tmp_path / "token"
    path.write_text(token(database))
    console = front.console

    def lose_the_answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def ignored(*_: Any) -> Any:
            return lambda _: None

        list(console(environ, ignored))
        start_response("502 Bad Gateway", [])
        return [b""]

    with Outbox(tmp_path / "outbox", "agent", "srv-01") as outbox:
        kept(outbox, 5)
        front.console = lose_the_answer
        assert not sender(outbox, front, path).drain()
        assert stored(database) == [1, 2, 3, 4, 5]
    with Outbox(tmp_path / "outbox", "agent", "srv-01") as outbox:
        assert len(outbox.kept()) == 5
        front.console = console
        assert sender(outbox, front, path).drain()
        assert outbox.kept() == []
    assert stored(database) == [1, 2, 3, 4, 5]
