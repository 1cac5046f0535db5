"""From SQLite to PostgreSQL without loss: every row is copied and read back, or nothing was done.

    source, locked against writers -> table by table, referred ones first -> target, one transaction
    rows and a hash of the contents of each table are compared before that transaction commits

Tables under row policies take rows by INSERT, in the role that sees every adherent; the others by COPY.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import Connection, Row, Table, func, inspect, select, text

from console.store import postgres_programs, roles, schema
from console.store.base import Base
from console.store.portrait import CHUNK, contents, in_order, line_of, seeing_all
from console.store.session import Database, Operator

OLDEST = 15  # of PostgreSQL
GUARDED = text(
    "SELECT relname FROM pg_class WHERE relrowsecurity AND relnamespace = current_schema()::regnamespace"
)
Tell = Callable[[int], None]


class CannotMove(Exception):
    """The source or the target is not fit, or a row did not arrive as it left; one line."""


@dataclass(frozen=True, slots=True)
class MovedTable:
    """A table as it left and as it arrived."""

    name: str
    rows: int
    sha256: str


def count_all(source: Database) -> int:
    """The rows that there are to move; raises `CannotMove` where they cannot be."""
    if source.engine.dialect.name != "sqlite":
        raise CannotMove("the console is on PostgreSQL already")
    if schema.present_revision(source) != schema.wanted_revision():
        raise CannotMove("the schema is not that of this version: run console prepare first")
    with source.read(Operator()) as session:
        connection = session.connection()
        return sum(connection.scalar(select(func.count()).select_from(table)) or 0 for table in _tables())


def move(source: Database, target: Database, tell: Tell) -> list[MovedTable]:
    """Copy every row into an empty database, and compare; `tell` gets the number of rows now and then.

    Nobody writes to the source meanwhile, and it stays as it is. Raises `CannotMove`, `UnsafeRole`.
    """
    with source.write(Operator()) as session, target.schema() as arriving:
        _refuse_unfit(arriving)
        schema.upgrade(arriving)
        leaving = session.connection()
        guarded = set(arriving.scalars(GUARDED))
        for table in reversed(_tables()):  # what its migrations put there comes with the others
            if table.name not in guarded:
                arriving.execute(table.delete())
        moved = [_move(leaving, arriving, table, table.name in guarded, tell) for table in _tables()]
        with seeing_all(arriving):
            for table, told in zip(_tables(), moved, strict=True):
                if contents(arriving, table) != told.sha256:
                    raise CannotMove(f"table {told.name} did not arrive as it left; nothing was kept")
    with target.schema() as connection:
        connection.execute(text("ANALYZE"))
    return moved


def _tables() -> list[Table]:
    """Every table, those that others refer to first."""
    return Base.metadata.sorted_tables


def _refuse_unfit(target: Connection) -> None:
    if target.dialect.name != "postgresql":
        raise CannotMove("the target is not PostgreSQL: give postgresql://user@host/name")
    if (version := postgres_programs.server_version(target)) < OLDEST:
        raise CannotMove(f"the target is PostgreSQL {version}: {OLDEST} or newer is needed")
    roles.check_login(target)
    if tables := inspect(target).get_table_names():
        raise CannotMove(f"the target is not empty, it has {len(tables)} tables: give an empty database")


def _move(leaving: Connection, arriving: Connection, table: Table, guarded: bool, tell: Tell) -> MovedTable:
    rows, hashed = 0, hashlib.sha256()
    put_rows = _by_insert if guarded else _by_copy
    failure = arriving.dialect.dbapi.Error  # type: ignore[union-attr]
    try:
        with put_rows(arriving, table) as put, leaving.execute(in_order(leaving, table)) as left:
            for part in left.partitions(CHUNK):
                put([_raw(row) for row in part])
                for row in part:
                    hashed.update(line_of(row))
                rows += len(part)
                tell(len(part))
    except failure as error:
        cause = " ".join(str(error).split())
        raise CannotMove(f"table {table.name} is refused by the target: {cause}; nothing was kept") from None
    _continue_numbers(leaving, arriving, table)
    return MovedTable(table.name, rows, hashed.hexdigest())


@contextmanager
def _by_insert(arriving: Connection, table: Table) -> Iterator[Callable[[Sequence[Any]], None]]:
    places = ", ".join(["%s"] * len(table.columns))
    statement = f"INSERT INTO {table.name} ({_names(table)}) VALUES ({places})"  # noqa: S608 - our own names
    cursor: Any = arriving.connection.cursor()
    with seeing_all(arriving), cursor:
        yield lambda rows: cursor.executemany(statement, rows)


@contextmanager
def _by_copy(arriving: Connection, table: Table) -> Iterator[Callable[[Sequence[Any]], None]]:
    cursor: Any = arriving.connection.cursor()

    def put(rows: Sequence[Any]) -> None:
        for row in rows:
            copy.write_row(row)

    with cursor, cursor.copy(f"COPY {table.name} ({_names(table)}) FROM STDIN") as copy:
        yield put


def _names(table: Table) -> str:
    return ", ".join(f'"{column.name}"' for column in table.columns)


def _raw(row: Row[Any]) -> tuple[Any, ...]:
    return tuple(value.value if isinstance(value, Enum) else value for value in row)


def _continue_numbers(leaving: Connection, arriving: Connection, table: Table) -> None:
    """The next row of a numbered table comes after those that arrived."""
    column = table.autoincrement_column
    if column is None or (last := leaving.scalar(select(func.max(column)))) is None:
        return
    sequence = arriving.scalar(select(func.pg_get_serial_sequence(table.name, column.name)))
    if sequence is not None:
        arriving.execute(select(func.setval(sequence, last)))
