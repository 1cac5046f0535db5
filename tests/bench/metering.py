"""An hour of a pilot (20 hosts, 15 workloads each) taken in, metered and checked, in SQLite.

python -m tests.bench.metering
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from console.actions.catalogue import seed_catalogue
from console.actions.ingest import ingest
from console.actions.metering import hours_due, meter_hour
from console.domain.hours import HOUR
from console.store import schema
from console.store.queries import ledger
from console.store.session import Database, Operator
from tests.readings import START, batch, measured, reading

HOSTS = 20
WORKLOADS = 15
NOW = START + 2 * HOUR
Result = TypeVar("Result")


def main() -> None:
    """Print what each step takes."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'console.db'}")
        with database.schema() as connection:
            schema.upgrade(connection)
        with database.write(Operator()) as session:
            seed_catalogue(session, datetime.now(UTC).date())
        timed(f"take in {HOSTS * 60} readings, one by one", lambda: take_in(database))
        timed(f"meter and post {HOSTS} host hours", lambda: meter(database))
        residue_mj = timed("check the ledger", lambda: check(database))
        print(f"residue: {residue_mj} mJ")
        database.close()


def timed(what: str, work: Callable[[], Result]) -> Result:
    started = time.perf_counter()
    result = work()
    print(f"{what}: {time.perf_counter() - started:.2f} s")
    return result


def take_in(database: Database) -> None:
    cpu_ms = {f"workload {number}": 100 * number for number in range(WORKLOADS)}
    for minute in range(1, 61):
        for host in range(HOSTS):
            one = batch(reading(minute, measured(6_000_000), **cpu_ms), host=f"srv-{host:02}")
            with database.write(Operator()) as session:
                ingest(session, one, now=NOW)


def meter(database: Database) -> None:
    with database.read(Operator()) as session:
        due = hours_due(session, now=NOW)
    for host_id, hour in due:
        with database.write(Operator()) as session:
            meter_hour(session, host_id, hour, now=NOW)


def check(database: Database) -> int:
    with database.read(Operator()) as session:
        return ledger.check(session, START, START + HOUR, now=NOW).residue_mj


if __name__ == "__main__":
    main()
