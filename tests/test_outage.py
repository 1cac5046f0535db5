"""The web process goes away and is killed in the middle of requests: no reading is lost or counted twice."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from console.actions.metering import hours_due, meter_hour
from console.domain.hours import HOUR
from console.store.models import measurement as m
from console.store.queries import ledger
from console.store.session import Database, Operator
from tests.running import Installation, free_port, installation, wait_until

OUTAGE_S = 120
HEADERS_END = b"\r\n\r\n"


class Door:
    """Stands between agent and console and passes requests on, until it is told to make an accident of one.

    `accident` gets the request and the connection to the console; the agent then gets no answer.
    """

    def __init__(self, console_port: int) -> None:
        self.console_port = console_port
        self.port = free_port()
        self.accident: Callable[[bytes, socket.socket], None] | None = None
        self._server = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._server.close()

    def _serve(self) -> None:
        while True:
            try:
                agent, _ = self._server.accept()
            except OSError:
                return
            with agent:
                self._pass_on(agent)

    def _pass_on(self, agent: socket.socket) -> None:
        agent.settimeout(30)
        try:
            request = _whole_request(agent)
            with socket.create_connection(("127.0.0.1", self.console_port), timeout=30) as console:
                if self.accident is not None and request:
                    self.accident(request, console)
                    self.accident = None
                    return
                console.sendall(request)
                while part := console.recv(65536):
                    agent.sendall(part)
        except OSError:
            return  # the console is away: the agent sees its connection closed


def _whole_request(agent: socket.socket) -> bytes:
    request = b""
    while HEADERS_END not in request:
        part = agent.recv(65536)
        if not part:
            return b""
        request += part
    head, _, body = request.partition(HEADERS_END)
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    missing = int(fields.get(b"content-length", b"0")) - len(body)
    while missing > 0:
        part = agent.recv(missing)
        request, missing = request + part, missing - len(part)
    # One request a connection: the console then closes, and the end of its answer is seen.
    return request.replace(b"HTTP/1.1\r\n", b"HTTP/1.0\r\n", 1)


def stored(database: Database) -> int:
    with database.read(Operator()) as session:
        return session.scalar(select(func.count()).select_from(m.Reading)) or 0


def test_no_reading_is_lost_or_counted_twice(tmp_path: Path) -> None:
    with installation(tmp_path) as console:
        database = Database(f"sqlite:///{tmp_path / 'console.db'}")
        door = Door(console.port)
        web = console.start_web()
        agent = console.start_agent(f"http://127.0.0.1:{door.port}")
        wait_until(lambda: stored(database) >= 3, 90, "no reading was stored")

        def killed_after_the_commit(request: bytes, connection: socket.socket) -> None:
            before = stored(database)
            connection.sendall(request)
            wait_until(lambda: stored(database) > before, 60, "the request was not stored")
            os.killpg(web.pid, signal.SIGKILL)

        door.accident = killed_after_the_commit
        wait_until(lambda: web.poll() is not None, 120, "the accident did not happen")
        before = stored(database)
        time.sleep(OUTAGE_S)
        assert stored(database) == before

        web = console.start_web()
        wait_until(lambda: stored(database) > before + OUTAGE_S // 2, 180, "the outbox was not sent")

        def killed_half_way(request: bytes, connection: socket.socket) -> None:
            connection.sendall(request[: len(request) // 2])
            time.sleep(0.2)
            os.killpg(web.pid, signal.SIGKILL)

        door.accident = killed_half_way
        wait_until(lambda: web.poll() is not None, 120, "the accident did not happen")
        console.start_web()
        wait_until(
            lambda: stored(database) > before + OUTAGE_S, 180, "nothing came after the second accident"
        )
        assert console.stop(agent) == 0
        door.close()
        send_the_rest(console)
        assert_complete(database)


def send_the_rest(console: Installation) -> None:
    """A last agent on the same outbox, straight to the console, sends what was left."""
    agent = console.start_agent(console.url, "--once")
    assert agent.wait(timeout=30) == 0
    assert not list((console.var / "outbox").glob("0*.json"))


def assert_complete(database: Database) -> None:
    with database.write(Operator()) as session:
        for host_id, hour in hours_due(session, now=datetime.now(UTC)):
            meter_hour(session, host_id, hour, now=hour + HOUR)
    with database.read(Operator()) as session:
        readings = session.scalars(select(m.Reading).order_by(m.Reading.sequence)).all()
        first, last = readings[0], readings[-1]
        found = ledger.check(
            session, first.started_at - HOUR, last.ended_at + HOUR, now=last.ended_at + timedelta(minutes=1)
        )
        assert session.scalar(select(func.count()).select_from(m.QuarantinedReading)) == 0
    sequences = [reading.sequence for reading in readings]
    assert sequences == list(range(sequences[0], sequences[0] + len(sequences)))
    assert len({reading.stream for reading in readings}) == 1
    assert found.residue_mj == 0
    measured = sum(
        one["energy_mj"] for row in readings for one in row.measurements if one["source"] == "model"
    )
    assert found.energy_mj == measured > 0
    assert last.ended_at - first.started_at > timedelta(seconds=OUTAGE_S)
