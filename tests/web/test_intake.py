"""What agents send is bounded: its size, how much at once, the hours left behind; a database may be away."""

from __future__ import annotations

import fcntl
import gzip
import json
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from console.actions.api_tokens import issue_token, note_use
from console.actions.catalogue import seed_catalogue
from console.actions.ingest import mark_due
from console.actions.metering import meter_hour
from console.app import create_app
from console.config import Config
from console.domain.hours import HOUR, hour_of
from console.store.models import measurement as m
from console.store.session import Database, Operator
from console.web import access
from console.web.api import LARGEST_BATCH
from tests import postgres
from tests.running import wait_until
from tests.web.test_api import body

HOLDER = """
import fcntl, sys
held = open(sys.argv[1], "w")
fcntl.flock(held, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def token(database: Database) -> str:
    with database.write(Operator()) as session:
        return issue_token(session, "test", now=datetime.now(UTC))


def sender(app: Flask, token: str) -> Callable:
    client = app.test_client()

    def send(content: bytes | str, **headers: str):
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"} | headers
        return client.post("/api/v1/readings", data=content, headers=headers)

    return send


@pytest.fixture
def consoles() -> Iterator[list[Flask]]:
    made: list[Flask] = []
    yield made
    for app in made:
        app.extensions["console"].database.close()


def test_a_compressed_batch_is_taken_in(app: Flask, token: str) -> None:
    send = sender(app, token)
    answer = send(gzip.compress(body().encode()), **{"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json["readings"][0]["status"]) == (202, "accepted")


def test_a_batch_without_readings_asks_nothing_and_is_answered(app: Flask, token: str) -> None:
    empty = json.loads(body()) | {"readings": []}
    answer = sender(app, token)(json.dumps(empty))
    assert (answer.status_code, answer.json) == (202, {"readings": []})


def test_a_batch_that_swells_past_its_bound_is_refused_before_it_does(app: Flask, token: str) -> None:
    bomb = zlib.compress(b" " * (20 * LARGEST_BATCH), level=9, wbits=31)
    assert len(bomb) < LARGEST_BATCH
    answer = sender(app, token)(bomb, **{"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json["error"]["code"]) == (413, "batch_too_large")


@pytest.mark.parametrize(
    ("content", "encoding", "status", "code"),
    [
        (b"{}", "gzip", 422, "unreadable_batch"),
        (gzip.compress(b"{}")[:-4], "gzip", 422, "unreadable_batch"),
        (gzip.compress(b"{}") + b"more", "gzip", 422, "unreadable_batch"),
        (b"", "gzip", 422, "unreadable_batch"),
        (b"{}", "br", 415, "unknown_encoding"),
    ],
    ids=["not gzip", "torn", "more after it", "nothing", "another encoding"],
)
def test_what_is_not_one_gzip_stream_is_refused(
    app: Flask, token: str, content: bytes, encoding: str, status: int, code: str
) -> None:
    answer = sender(app, token)(content, **{"Content-Encoding": encoding})
    assert (answer.status_code, answer.json["error"]["code"]) == (status, code)


def test_more_batches_at_once_than_the_bound_are_told_to_come_back(
    config: Config, database: Database, token: str, consoles: list[Flask]
) -> None:
    consoles.append(create_app(replace(config, ingest_at_once=1)))
    send, answers = sender(consoles[0], token), []
    assert send(body()).status_code == 202  # the use of the token is noted
    first = threading.Thread(target=lambda: answers.append(sender(consoles[0], token)(body()).status_code))
    with database.write(Operator()) as session:  # nobody else writes meanwhile: the first batch has to wait
        session.execute(text("SELECT 1"))
        first.start()
        wait_until(lambda: _is_held(config.var / "intake" / "batch.0"), 20, "the first batch never began")
        second = send(body())
        assert (second.status_code, second.json["error"]["code"]) == (429, "busy")
        assert int(second.headers["Retry-After"]) > 0
    first.join(20)
    assert answers == [202]
    assert send(body()).status_code == 202


def _is_held(path: Path) -> bool:
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_the_bound_is_one_for_all_processes_and_what_is_killed_lets_go(
    config: Config, token: str, consoles: list[Flask]
) -> None:
    consoles.append(create_app(replace(config, ingest_at_once=1)))
    send = sender(consoles[0], token)
    other = subprocess.Popen(
        [sys.executable, "-c", HOLDER, config.var / "intake" / "batch.0"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert other.stdout is not None
    assert other.stdout.readline() == b"held\n"
    assert send(body()).status_code == 429
    other.kill()
    other.communicate()
    assert send(body()).status_code == 202


def test_hours_left_behind_hold_batches_back_until_they_are_metered(
    config: Config, database: Database, token: str, consoles: list[Flask]
) -> None:
    hour = hour_of(datetime.now(UTC)) - 3 * HOUR
    with database.write(Operator()) as session:
        seed_catalogue(session, hour.date())
        host = m.Host(host_id=1, name="a", agent="1", vcpu=1, first_seen_at=hour, last_seen_at=hour, gaps=[])
        session.add(host)
        session.flush()
        mark_due(session, 1, [hour, hour + HOUR], hour)
    settings = replace(config, ingest_hours_behind=1)
    consoles.append(create_app(settings))
    answer = sender(consoles[0], token)(body())
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 10
    with database.write(Operator()) as session:
        assert meter_hour(session, 1, hour, now=hour + HOUR)
    consoles.append(create_app(settings))  # another process, which has not counted yet
    assert sender(consoles[1], token)(body()).status_code == 202


@pytest.mark.postgres
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_two_programs_may_show_a_token_for_the_first_time_at_once(database: Database, token: str) -> None:
    def note() -> None:
        with database.write(Operator()) as session:
            note_use(session, 1, now=datetime.now(UTC))
            done.append(True)

    done: list[bool] = []
    other = threading.Thread(target=note)
    with database.write(Operator()) as session:
        note_use(session, 1, now=datetime.now(UTC))
        session.flush()
        other.start()
        other.join(0.3)  # it waits for us
        assert not done
    other.join(20)
    assert done


@pytest.mark.postgres
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_while_the_database_is_away_batches_are_told_to_come_back_and_nothing_is_half_done(
    app: Flask, database: Database, token: str, postgres_server: str
) -> None:
    send = sender(app, token)
    assert send(body()).status_code == 202
    name = database.engine.url.database
    with postgres._administrator(postgres_server) as administrator:
        administrator.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        administrator.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )
        away = send(body())
        visitor = app.test_client()
        visitor.set_cookie(access.COOKIE, "of a session that has to be looked up")
        page = visitor.get("/")
        administrator.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    assert (away.status_code, away.json["error"]["code"]) == (503, "unavailable")
    assert int(away.headers["Retry-After"]) > 0
    assert page.status_code == 503
    assert "La base de données ne répond pas" in page.text
    assert send(body()).status_code == 202
    with database.read(Operator()) as session:
        assert session.scalar(select(func.count()).select_from(m.Reading)) == 2
