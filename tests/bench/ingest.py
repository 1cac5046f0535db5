"""Readings taken in over HTTP on PostgreSQL, beside a bare COPY of the same rows.

    python -m tests.bench.ingest [--readings 6000] [--workloads 14] [--batch 1 20 100] [--seconds 15] [--jobs]

A PostgreSQL server (fsync off) and a console of two gunicorn workers are started for it; batches are
compressed, each of another host than the one before, and sent by two connections at once, one request each.
Clients, console and database share the machine. The last figures are for batches of one reading that come at
1 000 workload readings a second: what the console and the database then leave of the machine. With `--jobs`
that run is beside `console jobs`, which meters what comes in and what came in before, as in an installation.
"""

from __future__ import annotations

import argparse
import gzip
import os
import socket
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import psycopg

from collectors.reading import Kind, Reading, Use, encode_batch
from console.actions.ingest import Row, stored_row
from console.store.bulk import plain
from tests import postgres
from tests.readings import MINUTE, measured, reading
from tests.running import BIN, Installation, installation

HOSTS = 300
CLIENTS = 2
PACE = 1_000  # workload readings a second
STREAM = "7" * 32


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--readings", type=int, default=6_000)
    parser.add_argument("--workloads", type=int, default=14)
    parser.add_argument("--batch", type=int, nargs="*", default=[1, 20, 100])
    parser.add_argument("--seconds", type=int, default=15, help="of the paced run")
    parser.add_argument("--jobs", action="store_true", help="meter beside the paced run")
    options = parser.parse_args()
    programs = postgres.find_programs()
    assert programs is not None, "no PostgreSQL 15+"
    with postgres.server(programs) as address, tempfile.TemporaryDirectory() as folder:
        url = postgres.create(address, "bench")
        with installation(Path(folder), CONSOLE_DATABASE_URL=url) as console:
            console.start_web()
            told = minutes(options.readings, options.workloads)
            print(f"{options.readings} readings of {options.workloads} workloads, {os.cpu_count()} cores")
            bare_s = copied(url, told)
            say("bare COPY", options.readings, options.workloads, bare_s)
            for place, size in enumerate(options.batch):
                shift = timedelta(days=place + 1)
                bodies = list(batches(told, size, shift))
                took_s = sent(console, bodies)
                say(f"batches of {size}", options.readings, options.workloads, took_s, bare_s)
            if options.jobs:
                console.start(BIN / "console", "jobs")
            paced(console, url, told, options.workloads, options.seconds)


def minutes(count: int, workloads: int) -> list[tuple[int, Reading]]:
    """Minutes of hosts, by number, the latest an hour ago: each host in turn."""
    last = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=1)
    told = []
    for number in range(count):
        minute, host = divmod(number, HOSTS)
        one = reading(
            minute + 1,
            measured(9_000_000 + host, idle_power_mw=60_000),
            measured(12_000_000, source="redfish", authority="bmc", boundary="server_input"),
            started_at=last - (count // HOSTS - minute) * MINUTE,
        )
        uses = tuple(
            Use(
                f"vm-{host}-{place}.example.org",
                Kind.VM,
                900 + place,
                2_000,
                8_192,
                uid=f"{host:08}-{place:04}",
            )
            for place in range(workloads)
        )
        told.append((host, replace(one, vcpu=64, busy_cpu_ms=100_000, workloads=uses)))
    return told


def batches(told: Sequence[tuple[int, Reading]], size: int, shift: timedelta) -> Iterator[bytes]:
    """Bodies of `size` readings of one host each, that many days earlier."""
    by_host: dict[int, list[Reading]] = {}
    for host, one in told:
        earlier = replace(one, started_at=one.started_at - shift, ended_at=one.ended_at - shift)
        by_host.setdefault(host, []).append(earlier)
    longest = max(map(len, by_host.values()))
    for start in range(0, longest, size):
        for host, readings in by_host.items():
            if several := readings[start : start + size]:
                yield gzip.compress(encode_batch("bench 1", f"srv-{host:03}", STREAM, several), 5)


def copied(url: str, told: Iterable[tuple[int, Reading]]) -> float:
    """How long a COPY of the rows takes, made beforehand, into a table of their own with the same keys."""
    now = datetime.now(UTC)
    rows: list[Row] = [stored_row(host, STREAM, one, now) for host, one in told]
    values = [[plain(value) for value in row.values()] for row in rows]
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE bare (LIKE reading INCLUDING ALL)")
        started = time.perf_counter()
        with (
            connection.cursor() as cursor,
            cursor.copy(f"COPY bare ({', '.join(rows[0])}) FROM STDIN") as copy,
        ):
            for row in values:
                copy.write_row(row)
        connection.commit()
        return time.perf_counter() - started


def sent(console: Installation, bodies: Sequence[bytes]) -> float:
    """How long the console takes for all of them, from two clients."""
    requests = [request_of(console, body) for body in bodies]
    failures: list[str] = []

    def send(own: Sequence[bytes]) -> None:
        failures.extend(status for one in own if (status := post(console.port, one)) != "202")

    threads = [threading.Thread(target=send, args=[requests[place::CLIENTS]]) for place in range(CLIENTS)]
    started = time.perf_counter()
    run_all(threads)
    took_s = time.perf_counter() - started
    log = (console.var / "gunicorn.log").read_text()[-2000:]
    assert not failures, f"{len(failures)} batches were not taken in, the first: {failures[0]}\n{log}"
    return took_s


def run_all(threads: Sequence[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def request_of(console: Installation, body: bytes) -> bytes:
    token = (console.var / "collector.token").read_text().strip()
    head = (
        f"POST /api/v1/readings HTTP/1.1\r\nHost: 127.0.0.1:{console.port}\r\n"
        f"Authorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + body


def post(port: int, request: bytes) -> str:
    """The status of the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(request)
        answer = b""
        while part := connection.recv(65_536):
            answer += part
    return answer[9:12].decode()


def paced(
    console: Installation, url: str, told: Sequence[tuple[int, Reading]], workloads: int, seconds: int
) -> None:
    """Batches of one reading at the pace of the aim, and what CPU time it took of whom."""
    count = PACE * seconds // workloads
    bodies = [request_of(console, body) for body in list(batches(told, 1, timedelta(days=9)))[:count]]
    seconds_run = len(bodies) * workloads / PACE
    names = ("console", "jobs")  # in the order in which they were started
    servers = {name: one.pid for name, one in zip(names, console.processes, strict=False)}
    servers["database"] = postmaster(url)
    before = {name: cpu_s(pid) for name, pid in servers.items()}
    started = time.perf_counter()

    def send(first: int) -> None:
        for place in range(first, len(bodies), CLIENTS):
            time.sleep(max(0.0, started + place * workloads / PACE - time.perf_counter()))
            assert post(console.port, bodies[place]) == "202"

    run_all([threading.Thread(target=send, args=[first]) for first in range(CLIENTS)])
    took_s = time.perf_counter() - started
    used = {name: (cpu_s(pid) - before[name]) / took_s for name, pid in servers.items()}
    pace = len(bodies) * workloads / took_s
    shown = ", ".join(f"{name} {cores:.2f}" for name, cores in used.items())
    left = (os.cpu_count() or 1) - sum(used.values())
    print(
        f"at {pace:.0f} workload readings/s for {seconds_run:.0f} s: cores used by {shown}; {left:.2f} left"
    )


def postmaster(url: str) -> int:
    """The process of the server, found by the file that it keeps beside its data."""
    with psycopg.connect(url) as connection:
        backend = connection.info.backend_pid
        return psutil.Process(backend).parent().pid  # type: ignore[union-attr]


def cpu_s(pid: int) -> float:
    """CPU time of a process and of those that it started, ended ones included."""
    process = psutil.Process(pid)
    own = process.cpu_times()
    total = own.user + own.system + own.children_user + own.children_system
    for child in process.children(recursive=True):
        times = child.cpu_times()
        total += times.user + times.system
    return total


def say(what: str, readings: int, workloads: int, took_s: float, bare_s: float | None = None) -> None:
    beside = "" if bare_s is None else f", {took_s / bare_s:.1f} x the bare COPY"
    pace, of_workloads = readings / took_s, readings * workloads / took_s
    print(f"{what}: {pace:,.0f} readings/s, {of_workloads:,.0f} workload readings/s{beside}", flush=True)


if __name__ == "__main__":
    main()
