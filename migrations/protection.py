"""What each plane allows to whom on PostgreSQL, applied by the migration that makes a table.

Policies hold `console_web` to the rows of `app.tenants` and let `console_engine` see them all; the owner of
the tables sees none, for policies are forced and none is for it. SQLite has no roles: there the guard of the
sessions stands alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import op
from sqlalchemy import text

# A sub-select is evaluated once a statement; the bare call would be evaluated for each row it does not index.
IN_SCOPE = "tenant_id = ANY ((SELECT nullif(current_setting('app.tenants', true), '')::bigint[])::bigint[])"
# A policy is also for those who inherit from its role, as the owner of the tables may.
IS_ENGINE = "current_user = 'console_engine'"
EVERYTHING = "SELECT, INSERT, UPDATE, DELETE"
SEQUENCES = text(
    """
    SELECT s.oid::regclass::text FROM pg_class s JOIN pg_depend d ON d.objid = s.oid
    WHERE s.relkind = 'S' AND d.refobjid = CAST(:table AS regclass)
    """
)


def is_postgres() -> bool:
    return op.get_bind().dialect.name == "postgresql"


@contextmanager
def seeing_rows() -> Iterator[None]:
    """Become the role that sees every adherent: policies hide all rows from the owner of the tables."""
    if not is_postgres():
        yield
        return
    op.execute("SET LOCAL ROLE console_engine")
    yield
    op.execute("RESET ROLE")  # after a failure the transaction ends, and the role with it


def allow(table: str, *, web: str = "", engine: str = EVERYTHING) -> None:
    """Give the two roles their rights on a table and the sequence of its key, if it has one."""
    if not is_postgres():
        return
    _grant(table, "console_engine", engine)
    if web:
        _grant(table, "console_web", web)


def hold_rows(table: str, *, web: str = EVERYTHING, engine: str = EVERYTHING) -> None:
    """Put the rows of a table under policies by `tenant_id`, with the rights that go with them."""
    if not is_postgres():
        return
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY scope ON {table} TO console_web USING ({IN_SCOPE}) WITH CHECK ({IN_SCOPE})")
    op.execute(
        f"CREATE POLICY engine ON {table} TO console_engine USING ({IS_ENGINE}) WITH CHECK ({IS_ENGINE})"
    )
    allow(table, web=web, engine=engine)


def free_rows(table: str) -> None:
    """Undo `hold_rows` and `allow` on a table that stays."""
    if not is_postgres():
        return
    op.execute(f"DROP POLICY IF EXISTS scope ON {table}")
    op.execute(f"DROP POLICY IF EXISTS engine ON {table}")
    op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    op.execute(f"REVOKE ALL ON {table} FROM console_web, console_engine")


def _grant(table: str, role: str, rights: str) -> None:
    op.execute(f"GRANT {rights} ON {table} TO {role}")
    if "INSERT" in rights:
        for sequence in op.get_bind().scalars(SEQUENCES, {"table": table}):
            op.execute(f"GRANT USAGE, SELECT, UPDATE ON SEQUENCE {sequence} TO {role}")
