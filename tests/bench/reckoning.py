"""A whole month of 4 000 workloads of 700 adherents reckoned from its hours, on PostgreSQL.

    python -m tests.bench.reckoning [--adherents 700] [--hosts 300] [--workloads 4000]

A PostgreSQL server is started for it, and the month's hours are written at once. Then everything of the month
is due, as it is after an hour of every host was metered: how the making of each host is shared, each
adherent's lines, the site and its rest. What the jobs process does at each turn is timed by step.
"""

from __future__ import annotations

import argparse
import os
import time
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, insert, select, text
from sqlalchemy.orm import Session

from console.actions import facility
from console.actions.catalogue import seed_catalogue
from console.actions.equipment import Impact, record_impact, record_thing
from console.actions.reckoning import months_due, reckon_month
from console.actions.reckoning_due import Step, make_due, make_months_due, steps_due
from console.domain.equipment import EquipmentKind, ImpactSource, Thing
from console.domain.facility import NO_POINT, Quantity
from console.domain.hours import HOUR, month_bounds
from console.domain.site_measures import Measure, Quality
from console.jobs import RECKONINGS
from console.store import schema
from console.store.models import carbon as b
from console.store.models import catalogue as c
from console.store.models import measurement as m
from console.store.session import Database, Operator
from tests import postgres

PARIS = ZoneInfo("Europe/Paris")
MONTH = date(2025, 10, 1)  # of 745 hours
START, END = month_bounds(MONTH, PARIS)
NOW = datetime(2025, 12, 1, tzinfo=UTC)
FIRST_ADHERENT, KG = 1_000, 1_000_000_000
EVERY = 1_000_000

WORKLOADS = """
INSERT INTO workload (host_id, workload_id, name, kind)
SELECT n % :hosts + 1, n + 10, 'vm-' || n, 'vm' FROM generate_series(0, :workloads - 1) n
"""
WORKLOAD_HOURS = """
INSERT INTO workload_hour (hour, host_id, workload_id, source_id, energy_mj, idle_mj, low_mj, high_mj, gpu_mj,
                           cpu_ms, reserved_mcpu, reserved_mb)
SELECT h, n % :hosts + 1, n + 10, :source, 90000000 + n, 40000000, 90000000, 90000000 + n, 0, 1000, 4000, 8000
FROM generate_series(0, :workloads - 1) n,
     generate_series(cast(:start AS timestamptz), cast(:last AS timestamptz), interval '1 hour') h
"""
HOST_HOURS = """
INSERT INTO host_hour (hour, host_id, energy_mj, gpu_mj, covered_ms, policy)
SELECT hour, host_id, sum(energy_mj), 0, 3600000, 'reserved/1' FROM workload_hour GROUP BY hour, host_id
"""
ENERGY_LINES = """
INSERT INTO energy_line (tenant_id, hour, host_id, workload_id, source_id, claim_id, subscription, energy_mj,
                         low_mj, high_mj)
SELECT :first + workload_id % :adherents, hour, host_id, workload_id, source_id, workload_id, 1, energy_mj,
       low_mj, high_mj
FROM workload_hour
"""
GRID_HOURS = """
INSERT INTO grid_hour (grid_zone, basis, hour, intensity_mg_per_kwh, state)
SELECT 'FR', 'direct_production', h, 20000, 'definitive'
FROM generate_series(cast(:start AS timestamptz), cast(:last AS timestamptz), interval '1 hour') h
"""


def main() -> None:
    """Print what each step takes, the first time and again."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--adherents", type=int, default=700)
    parser.add_argument("--hosts", type=int, default=300)
    parser.add_argument("--workloads", type=int, default=4_000)
    options = parser.parse_args()
    programs = postgres.find_programs()
    assert programs is not None, "no PostgreSQL 15+"
    with postgres.server(programs) as address:
        database = Database(postgres.create(address, "bench"))
        with database.schema() as connection:
            schema.upgrade(connection)
        with database.write(Operator()) as session:
            seed_catalogue(session, MONTH)
        fill(database, options.adherents, options.hosts, options.workloads)
        print(f"{os.cpu_count()} cores; {options.workloads * ((END - START) // HOUR):,} hours of workloads")
        for what in ("the first time", "again, with nothing changed"):
            make_all_due(database, options.adherents, options.hosts)
            print(what)
            turn(database)
        database.close()


def fill(database: Database, adherents: int, hosts: int, workloads: int) -> None:
    """A month of hours, its meters, its grid, and the inventory of its hosts."""
    with database.write(Operator()) as session:
        rows = [
            {"tenant_id": FIRST_ADHERENT + n, "name": f"CH {n}", "folded_name": f"ch {n}"}
            | {"since": date(2020, 1, 1), "kind": c.AdherentKind.HOSPITAL, "zone": "Europe/Paris"}
            for n in range(adherents)
        ]
        session.execute(insert(c.Adherent), rows)
        source = c.EnergySource(name="bmc", authority="bmc", boundary="server_input", quality="measured")
        session.add(source)
        session.flush()
        known = {"agent": "bench", "vcpu": 64, "ram_mb": 512_000, "gaps": [], "site": "tls"}
        seen = {"first_seen_at": START, "last_seen_at": END}
        named = [{"host_id": n + 1, "name": f"srv-{n:03}"} | known | seen for n in range(hosts)]
        session.execute(insert(m.Host), named)
        facts = {"hosts": hosts, "workloads": workloads, "source": source.source_id}
        facts |= {"start": START, "last": END - HOUR, "first": FIRST_ADHERENT, "adherents": adherents}
        for statement in (WORKLOADS, WORKLOAD_HOURS, HOST_HOURS, ENERGY_LINES, GRID_HOURS):
            session.execute(text(statement), facts)
        total_mj = int(session.scalar(select(func.sum(m.HostHour.energy_mj))) or 0)
        for quantity, amount in ((Quantity.IT, total_mj * 11 // 10), (Quantity.TOTAL, total_mj * 3 // 2)):
            category = 3 if quantity is Quantity.IT else NO_POINT
            told = Measure(START, END, quantity, category, "site", amount, Quality.MEASURED)
            facility.record_measure(session, "tls", told, now=NOW, by="bench")
        for number in range(hosts):
            add_server(session, f"srv-{number:03}")
    with database.schema() as connection:
        for table in ("energy_line", "workload_hour", "host_hour", "grid_hour"):
            connection.exec_driver_sql(f"ANALYZE {table}")


def add_server(session: Session, name: str) -> None:
    """A server of the inventory, that the manufacturer's sheet tells of."""
    told = Thing(
        name, EquipmentKind.SERVER, host_name=name, commissioned_on=date(2024, 1, 1), planned_months=60
    )
    number = record_thing(session, told, now=NOW, by="bench")
    sheet = Impact(ImpactSource.MANUFACTURER, "sheet", 1_300 * KG, confirmed=True)
    record_impact(session, number, sheet, now=NOW, by="bench")


def make_all_due(database: Database, adherents: int, hosts: int) -> None:
    """Everything of the month, and of no other."""
    with database.write(Operator()) as session:
        session.execute(text("DELETE FROM reckoning_due"))
        session.execute(text("DELETE FROM month_due"))
        make_due(session, Step.SITE, [("tls", MONTH)], now=NOW)
        make_due(session, Step.HOST, [(str(n + 1), MONTH) for n in range(hosts)], now=NOW)
        make_months_due(session, [(FIRST_ADHERENT + n, MONTH) for n in range(adherents)], now=NOW)


def turn(database: Database) -> None:
    """One turn of the jobs, in their order, each piece of work a transaction."""
    total_s = 0.0
    for step in (Step.SITE, Step.HOST, None, Step.REST):
        started, count = time.perf_counter(), 0
        with database.read(Operator()) as session:
            due = (
                months_due(session, now=NOW, limit=EVERY)
                if step is None
                else steps_due(session, step, now=NOW, limit=EVERY)
            )
        for subject, month in due:
            with database.write(Operator()) as session:
                work = reckon_month if step is None else RECKONINGS[step]
                count += bool(work(session, subject, month, now=NOW))
        took_s = time.perf_counter() - started
        total_s += took_s
        print(f"  {'adherents' if step is None else step.value}: {count} in {took_s:.1f} s")
    print(f"  in all {total_s:.1f} s")
    with database.read(Operator()) as session:
        print(f"  {session.scalar(select(func.count()).select_from(b.MonthLine)):,} lines")


if __name__ == "__main__":
    main()
