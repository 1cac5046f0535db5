"""The list of incidents with 50 000 that are open, through the application.

    python -m tests.bench.incident_list [--requests 20]

Generates the past that `adherents_list` does into SQLite in a folder of its own, opens all of its incidents
again, and asks for the list as an administrator.
"""

from __future__ import annotations

import argparse
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select, update

from console.app import create_app
from console.config import read_config
from console.domain.access import Role
from console.store.models import tenant as t
from console.store.session import Database, Operator
from tests.bench.adherents_list import SETTINGS, fill, measure
from tests.browser import Browser

ADDRESSES = (
    "/incidents",
    "/incidents?priority=P1&awaited=operator",
    "/incidents?state=breached&page=20",
    "/incidents?words=CH&agency=Toulouse",
)


def main() -> None:
    """Print the median and the 95th percentile of each address, and its statements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--requests", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'console.db'}"
        fill(url)
        print(f"{open_again(url)} open incidents", flush=True)
        app = create_app(read_config({**SETTINGS, "CONSOLE_VAR": folder, "CONSOLE_DATABASE_URL": url}))
        app.test_client_class = Browser
        for address in ADDRESSES:
            measure(app, Role.ADMINISTRATOR, [], address, options.requests)
        app.extensions["console"].database.close()


def open_again(url: str) -> int:
    """Take the resolution of every incident away; how many are open then."""
    database = Database(url)
    soon = datetime.now(UTC) + timedelta(days=1)
    row = t.Incident
    with database.write(Operator()) as session:
        session.execute(
            update(row)
            .where(row.resolved_at.is_not(None))
            .values(resolved_at=None, phase="running", at_risk_at=soon, outcome="on_time")
        )
        count = session.scalar(select(func.count()).select_from(row)) or 0
    database.close()
    return count


if __name__ == "__main__":
    main()
