"""The list of 700 adherents with filter and sort, on a generated base with a year of 50 000 incidents.

    python -m tests.bench.adherents_list [--database URL] [--requests 50]

Generates into the database that is given, unless that was done already, or into SQLite in a folder of its
own, and asks for the list through the application, as an administrator and as an account manager of 60
adherents. No SMTP, no network: the times are those of the application and its database.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask
from sqlalchemy import event, select
from werkzeug.test import TestResponse

from console.actions.generating.scale import Scale
from console.app import create_app
from console.config import read_config
from console.domain.access import Role
from console.store import schema
from console.store.models import catalogue as c
from console.store.queries.generation import Origin, origin
from console.store.session import Database, Operator
from console.web import access
from tests import given
from tests.actions.generating.generated import generate
from tests.bench.metering import timed
from tests.browser import Browser

ADDRESSES = (
    "/adherents",
    "/adherents?words=CH&sort=incidents&order=descending",
    "/adherents?kind=hospital&sort=carbon&order=descending",
    "/adherents?agency=Toulouse&only=incidents&sort=energy&page=2",
)
PORTFOLIO = 60
SETTINGS = {"CONSOLE_PUBLIC_URL": "http://localhost"}  # as in the tests: the cookie then has its plain name


def main() -> None:
    """Print the median and the 95th percentile of each address, and its statements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--database", metavar="URL")
    parser.add_argument("--requests", type=int, default=50)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = options.database or f"sqlite:///{Path(folder) / 'console.db'}"
        tenants = fill(url)
        app = create_app(read_config({**SETTINGS, "CONSOLE_VAR": folder, "CONSOLE_DATABASE_URL": url}))
        app.test_client_class = Browser
        for role, entrusted in ((Role.ADMINISTRATOR, []), (Role.ACCOUNT_MANAGER, tenants[:PORTFOLIO])):
            for address in ADDRESSES:
                measure(app, role, entrusted, address, options.requests)
        app.extensions["console"].database.close()


def fill(url: str) -> list[int]:
    """Generate up to today, so that the list shows a month with energy; the adherents' numbers."""
    database = Database(url)
    with database.schema() as connection:
        schema.upgrade(connection)
    with database.read(Operator()) as session:
        empty = origin(session) is Origin.REAL
    if empty:
        scale = Scale(seed=1, years=1, ledger_days=0, until=datetime.now(UTC).date())
        timed("generate", lambda: generate(database, scale))
    with database.read(Operator()) as session:
        tenants = session.scalars(select(c.Adherent.tenant_id).order_by(c.Adherent.tenant_id)).all()
    database.close()
    return list(tenants[1:])


def measure(app: Flask, role: Role, tenants: list[int], address: str, requests: int) -> None:
    """Time the same request again and again, in one process."""
    database: Database = app.extensions["console"].database
    with database.write(Operator()) as session:
        token = given.signed_in(session, role, tenants)
    browser = app.test_client()
    browser.set_cookie(access.COOKIE, token)
    statements = counted(database, lambda: browser.get(address))
    took = [timed_ms(lambda: browser.get(address)) for _ in range(requests)]
    took_ms, cpu_ms = (sorted(times) for times in zip(*took, strict=True))
    print(
        f"{role.value:16}{address:62} median {statistics.median(took_ms):6.1f} ms, "
        f"p95 {took_ms[int(0.95 * (requests - 1))]:6.1f} ms, of CPU {statistics.median(cpu_ms):5.1f} ms, "
        f"{statements} statements",
        flush=True,
    )


def counted(database: Database, ask: Callable[[], TestResponse]) -> int:
    """How many statements the first request needs; it must succeed."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, text: str, *_: object) -> None:
        statements.append(text)

    event.listen(database.engine, "before_cursor_execute", note)
    answer = ask()
    assert answer.status_code == 200, answer.status
    event.remove(database.engine, "before_cursor_execute", note)
    return len(statements)


def timed_ms(ask: Callable[[], TestResponse]) -> tuple[float, float]:
    """How long a request took, and how long the processor worked: others lengthen the first."""
    started, worked = time.perf_counter(), time.process_time()
    assert ask().status_code == 200
    return (time.perf_counter() - started) * 1000, (time.process_time() - worked) * 1000


if __name__ == "__main__":
    main()
