"""A year of 4 000 workloads of 700 adherents priced again after a factor changed, on PostgreSQL.

    python -m tests.bench.restate [--adherents 700] [--workloads 4000] [--months 12]

A PostgreSQL server (fsync off) and a console of two gunicorn workers are started for it. Month lines are
written at once, as the reckoning of hours makes them, and priced; then comes a factor that replaces the one
they were priced with, and `console jobs` prices them again while somebody reads a page, whose time is told
beside what it was before. All of them share the machine.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, insert, select

from console.actions.pricing import price_lines
from console.actions.reckoning_due import Step, make_due
from console.domain.access import Role
from console.domain.factors import Basis, Perimeter
from console.domain.hours import month_bounds
from console.domain.month_lines import OPEN_REVISION, Facility, LineKind
from console.store.models import carbon as b
from console.store.models import catalogue as c
from console.store.session import Database, Operator
from console.web.access import COOKIE
from tests import postgres
from tests.bench.adherents_list import SETTINGS
from tests.given import signed_in
from tests.running import BIN, installation, wait_until

PARIS = ZoneInfo("Europe/Paris")
YEAR = 2025
PAGE = "/adherents"
FACILITY = Facility("metered", 3, 40_000_000_000_000, 100_000_000_000_000, provisional=False)
NEW = "bench-fra-2025"
PATIENCE_S = 600


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--adherents", type=int, default=700)
    parser.add_argument("--workloads", type=int, default=4_000)
    parser.add_argument("--months", type=int, default=12)
    options = parser.parse_args()
    programs = postgres.find_programs()
    assert programs is not None, "no PostgreSQL 15+"
    with postgres.server(programs) as address, tempfile.TemporaryDirectory() as folder:
        url = postgres.create(address, "bench")
        with installation(Path(folder), CONSOLE_DATABASE_URL=url, **SETTINGS) as console:
            database = Database(url)
            months = [date(YEAR, number + 1, 1) for number in range(options.months)]
            fill(database, months, options.adherents, options.workloads)
            with database.write(Operator()) as session:
                cookie = signed_in(session, Role.ADMINISTRATOR)
            console.start_web()
            page(console.url, cookie)
            before = [page(console.url, cookie) for _ in range(20)]
            count = replace_factor(database, months)
            started = time.perf_counter()
            console.start(BIN / "console", "jobs")
            beside = []
            while (left := waiting(database)) and time.perf_counter() - started < PATIENCE_S:
                beside.append(page(console.url, cookie))
                time.sleep(0.5)
            took_s = time.perf_counter() - started
            assert not left, f"{left} months still wait"
            wait_until(lambda: waiting(database) == 0, 5, "months wait")
            lines = priced_anew(database)
            print(f"{os.cpu_count()} cores; {count} months of adherents, {lines} lines priced again")
            print(f"{took_s:.1f} s from the start of the jobs process, {lines / took_s:,.0f} lines/s")
            print(f"{PAGE}: median {told(before)} before, {told(beside)} beside it ({len(beside)} times)")
            database.close()


def fill(database: Database, months: list[date], adherents: int, workloads: int) -> None:
    """Adherents with a site, and month lines that are priced."""
    with database.write(Operator()) as session:
        rows = [
            {"tenant_id": 1_000 + n, "name": f"CH {n}", "folded_name": f"ch {n}", "since": date(2020, 1, 1)}
            | {"kind": c.AdherentKind.HOSPITAL, "zone": "Europe/Paris"}
            for n in range(adherents)
        ]
        session.execute(insert(c.Adherent), rows)
    for month in months:
        with database.write(Operator()) as session:
            session.execute(insert(b.MonthLine), list(_lines(month, adherents, workloads)))
            price_lines(session, [1_000 + n for n in range(adherents)], month, now=datetime.now(UTC))
    with database.schema() as connection:
        connection.exec_driver_sql("ANALYZE month_line")
        connection.exec_driver_sql("ANALYZE carbon_line")


def _lines(month: date, adherents: int, workloads: int) -> Iterator[dict[str, Any]]:
    since, now = month_bounds(month, PARIS)[0], datetime.now(UTC)
    for number in range(workloads):
        energy_mj = 90_000_000_000 + number * 1_000_003
        yield {
            "tenant_id": 1_000 + number % adherents,
            "month": month,
            "since": since,
            "host_id": number % 300 + 1,
            "workload_id": number + 10,
            "claim_id": number + 1,
            "revision": OPEN_REVISION,
            "kind": LineKind.OWN,
            "counts": True,
            "subscription": 1,
            "site": "tls",
            "hours": 730,
            "energy_mj": energy_mj,
            "measured_mj": energy_mj,
            "modelled_mj": 0,
            "declared_mj": 0,
            "low_mj": energy_mj,
            "high_mj": energy_mj,
            "overhead_mj": FACILITY.overhead_of(energy_mj),
            "terms": {"facility": FACILITY.to_terms()},
            "reckoned_at": now,
        }


def replace_factor(database: Database, months: list[date]) -> int:
    """A factor of the year comes; how many months it makes due."""
    with database.write(Operator()) as session:
        factor = b.EmissionFactor(
            factor_id=NEW,
            publisher="ADEME",
            title="Mix moyen de consommation",
            vintage=YEAR,
            perimeter=Perimeter.CONSUMPTION_LIFE_CYCLE,
            geography="FRA",
            intensity_mg_per_kwh=44_321,
            licence="-",
            source="bench",
            confirmed=True,
            known_since=date(2026, 1, 1),
        )
        session.add(factor)
        line = b.MonthLine
        due = session.execute(select(line.tenant_id, line.month).where(line.month.in_(months)).distinct())
        found = [(str(tenant_id), month) for tenant_id, month in due]
        make_due(session, Step.PRICES, found, now=datetime.now(UTC))
    return len(found)


def waiting(database: Database) -> int:
    """How many months of adherents still wait."""
    row = b.ReckoningDue
    with database.read(Operator()) as session:
        count = select(func.count()).select_from(row).where(row.step == Step.PRICES.value)
        return session.scalar(count) or 0


def priced_anew(database: Database) -> int:
    """Lines that hold the new factor: all of them."""
    line = b.CarbonLine
    with database.read(Operator()) as session:
        of_basis = select(func.count()).select_from(line).where(line.basis == Basis.YEARLY_AVERAGE)
        anew = session.scalar(of_basis.where(line.factor_id == NEW)) or 0
        assert anew == session.scalar(of_basis)
    return anew


def page(url: str, cookie: str) -> float:
    """How long the page takes, in seconds."""
    request = urllib.request.Request(url + PAGE, headers={"Cookie": f"{COOKIE}={cookie}"})
    started = time.perf_counter()
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert b"<td" in answer.read(), f"{answer.url} is not the page"
    return time.perf_counter() - started


def told(times_s: list[float]) -> str:
    return f"{1000 * statistics.median(times_s):.0f} ms" if times_s else "-"


if __name__ == "__main__":
    main()
