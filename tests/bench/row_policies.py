"""What row policies cost on PostgreSQL: a million lines of 700 adherents, in scopes of 1, 50 and all of them.

python -m tests.bench.row_policies
"""

from __future__ import annotations

import time

import psycopg

from console.store import schema
from console.store.session import Database
from migrations.protection import IN_SCOPE
from tests import postgres

TENANTS = 700
SCOPES = (1, 50, TENANTS)
RUNS = 15
LONGEST_MS = 3000  # for all the runs of a read
FILL = """
    SET session_replication_role = replica;  -- no adherent is needed to read their lines
    INSERT INTO energy_line (tenant_id, hour, host_id, workload_id, source_id, claim_id, energy_mj)
    SELECT n % 700, '2026-01-01T00:00Z'::timestamptz + n / 700 * interval '1 hour',
           n % 300, n % 4000, 1, 0, 1000 + n % 977
    FROM generate_series(0, 999999) n
"""
IN_MONTH = "hour >= '2026-02-01T00:00Z' AND hour < '2026-03-01T00:00Z'"
# `{narrowed}` is what the guard of the sessions adds to every statement, and the policy repeats.
READS = {
    "a month of one adherent": """
        SELECT count(*), sum(energy_mj) FROM energy_line WHERE tenant_id = 0 AND {in_month} AND {narrowed}""",
    "a page of 50 lines": """
        SELECT * FROM energy_line WHERE {narrowed} ORDER BY tenant_id, hour, host_id, workload_id LIMIT 50""",
    "the sum of a month": "SELECT sum(energy_mj) FROM energy_line WHERE {in_month} AND {narrowed}",
    "sums by adherent": "SELECT tenant_id, sum(energy_mj) FROM energy_line WHERE {narrowed} GROUP BY 1",
}
BY_ROW = "tenant_id::text = ANY (string_to_array(trim('{}' FROM current_setting('app.tenants')), ','))"
OPEN = "ALTER TABLE energy_line DISABLE ROW LEVEL SECURITY"
OURS = f"ALTER POLICY scope ON energy_line USING ({IN_SCOPE})"
PER_ROW = f"ALTER POLICY scope ON energy_line USING ({BY_ROW})"
WAYS = {  # what holds, and whether the guard's list is in the statement
    "guard": (OPEN, True),
    "guard, policy": (OURS, True),
    "policy": (OURS, False),
    "guard, by row": (PER_ROW, True),
}


def main() -> None:
    """Print what each read takes by the guard alone, with our policy, and with one reckoned for each row."""
    programs = postgres.find_programs()
    assert programs is not None, "no PostgreSQL 15+"
    with postgres.server(programs) as address:
        url = postgres.create(address, "bench")
        prepare(url)
        with psycopg.connect(url, autocommit=True) as owner, psycopg.connect(url, autocommit=True) as web:
            web.execute("SET ROLE console_web; SET jit = off; SET max_parallel_workers_per_gather = 0")
            version = owner.info.server_version // 10000
            print(f"PostgreSQL {version}, 1 000 000 lines: ms (best of {RUNS}), and over the guard alone")
            print(f"{'scope':>5}  {'read':24}" + "".join(f"{way:>20}" for way in WAYS))
            for size in SCOPES:
                for name, read in READS.items():
                    print(f"{size:5}  {name:24}" + "".join(compared(owner, web, size, read)), flush=True)


def prepare(url: str) -> None:
    """Our tables, with a million lines."""
    database = Database(url)
    with database.schema() as connection:
        schema.upgrade(connection)
    database.close()
    with psycopg.connect(url.replace("//console@", "//postgres@"), autocommit=True) as administrator:
        administrator.execute(FILL)
        administrator.execute("VACUUM ANALYZE energy_line")


def compared(owner: psycopg.Connection, web: psycopg.Connection, size: int, read: str) -> list[str]:
    """What a read takes each way, with its ratio to the first."""
    tenants = ",".join(map(str, range(size)))
    web.execute(f"SET app.tenants = '{{{tenants}}}'")
    took_ms = []
    for change, guarded in WAYS.values():
        owner.execute("ALTER TABLE energy_line ENABLE ROW LEVEL SECURITY")
        owner.execute(change)
        narrowed = f"tenant_id IN ({tenants})" if guarded else "true"
        took_ms.append(best_ms(web, read.format(in_month=IN_MONTH, narrowed=narrowed)))
    return [f"{took:10.2f}{took / took_ms[0]:8.2f} x" for took in took_ms]


def best_ms(connection: psycopg.Connection, statement: str) -> float:
    """The shortest of some runs: the others tell of what else the machine did."""
    took: list[float] = []
    while len(took) < RUNS and sum(took) < LONGEST_MS:
        started = time.perf_counter()
        connection.execute(statement).fetchall()
        took.append((time.perf_counter() - started) * 1000)
    return min(took)


if __name__ == "__main__":
    main()
