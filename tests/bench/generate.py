"""A generated year: how long each subject takes, how large the base is, and whether its ledger adds up.

    python -m tests.bench.generate [--database URL] [--hosts 30] [--workloads 400] [--ledger-days 31]

One tenth of the size planned for, but for the ledger's days; into SQLite in a folder of its own by default.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
from pathlib import Path

from sqlalchemy import text

from console.actions.generating.generation import counts
from console.actions.generating.scale import Scale
from console.store import schema
from console.store.queries import ledger
from console.store.session import Database, Operator
from tests.actions.generating.generated import generate
from tests.bench.metering import timed


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--database", metavar="URL")
    for name, default in (("hosts", 30), ("workloads", 400), ("ledger-days", 31)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    scale = Scale(
        seed=1,
        adherents=70,
        subscriptions=1_000,
        incidents_a_year=5_000,
        hosts=options.hosts,
        workloads=options.workloads,
        years=1,
        ledger_days=options.ledger_days,
    )
    with tempfile.TemporaryDirectory() as folder:
        database = Database(options.database or f"sqlite:///{Path(folder) / 'console.db'}")
        with database.schema() as connection:
            schema.upgrade(connection)
        timed("generate", lambda: generate(database, scale))
        conclude(database, scale)
        database.close()


def conclude(database: Database, scale: Scale) -> None:
    """Counts, size, memory, and the check of the ledger."""
    with database.read(Operator()) as session:
        held = counts(session)
        start = ledger.first_hour(session) or scale.now
        found = timed("check the ledger", lambda: ledger.check(session, start, scale.now, now=scale.now))
    lines = held["workload_hour"]
    size = size_of(database)
    print(f"{sum(held.values()):,} rows, of which {lines:,} hours of workloads; {size / 1e9:.2f} GB")
    print(f"{size / lines:.0f} bytes for an hour of a workload, all that hangs on it and the rest included")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    print(f"residue: {found.residue_mj} mJ")


def size_of(database: Database) -> int:
    """Bytes on disk."""
    if database.engine.dialect.name == "sqlite":
        return Path(str(database.engine.url.database)).stat().st_size
    with database.engine.connect() as connection:
        return int(connection.scalar(text("SELECT pg_database_size(current_database())")))


if __name__ == "__main__":
    main()
