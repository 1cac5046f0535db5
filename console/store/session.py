"""Sessions that know whose rows they may touch, and on whose behalf.

A session is opened with a `Scope`; there is none without. The guard has three parts: every ORM statement is
narrowed to the tenants of the scope, a flush refuses rows of any other tenant, and a statement that reaches
the database naming an owned table without that narrowing, or setting a tenant, is refused, unless the scope
is `Operator`. On
PostgreSQL the transaction also becomes one of two roles under row policies, which hold by themselves.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import (
    URL,
    BindParameter,
    ColumnClause,
    Connection,
    Engine,
    Table,
    bindparam,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Mapper, ORMExecuteState, Session, SessionTransaction, with_loader_criteria
from sqlalchemy.sql import visitors
from sqlalchemy.sql.selectable import AliasedReturnsRows
from sqlalchemy.sql.visitors import ExternallyTraversible

from console.store import (
    audit,
    models,  # noqa: F401 - a guard must know every owned table
    rights,
    roles,
)
from console.store.base import Base, OwnedRow

SCOPE = "scope_tenants"  # the parameter by which a statement is narrowed
SCHEMAS = frozenset({"main", "temp", "public"})
# Comments, from the first to the last where they may be nested; literals; quoted names.
NO_CODE = re.compile(
    r"--[^\n]*|/\*.*(?:\*/|\Z)|\be'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|\$(\w*)\$.*?\$\1\$|\"[^\"]*\"",
    re.DOTALL,
)
PLAIN_NAME = re.compile(r'"\w+"')
# A column of a SET stands without its table; that of a condition is written with it.
MOVING = re.compile(
    r'\bset\b(?:(?!\breturning\b).)*?(?<![.\w])"?tenant_id"?\s*[=,)]', re.DOTALL | re.IGNORECASE
)
MACHINE = "console"  # who acts where no person does


@dataclass(frozen=True, slots=True)
class Tenants:
    """Some adherents, at least one."""

    ids: frozenset[int]

    def __post_init__(self) -> None:
        if not self.ids:
            raise ValueError("a scope holds at least one tenant")


@dataclass(frozen=True, slots=True)
class Operator:
    """Every adherent: fleet pages, jobs, ingest, commands."""


Scope = Tenants | Operator


class OutOfScope(Exception):
    """A statement or a row reached past the scope of its session: a defect, never a user's mistake."""


class ScopedSession(Session):
    """A session bound to one scope, and to the one who acts, for its whole life."""

    def __init__(self, bind: Engine, scope: Scope, by: str = MACHINE) -> None:
        if not isinstance(scope, Tenants | Operator):
            raise OutOfScope("a session needs a scope")
        super().__init__(bind, expire_on_commit=False)
        self.scope = scope
        self.by = by
        self.flushing = False


class Database:
    """The engine and the two ways to open a session on it; the edges own the transaction."""

    def __init__(self, url: str) -> None:
        self.engine = create_engine(url, **_engine_options(url))
        self._writers = self.engine.execution_options(writes=True)
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        event.listen(self.engine, "before_cursor_execute", _refuse_unnarrowed)
        self._is_checked = self.engine.dialect.name != "postgresql"

    @contextmanager
    def read(self, scope: Scope) -> Iterator[ScopedSession]:
        """A session whose transaction is rolled back at the end."""
        self.check()
        with ScopedSession(self.engine, scope) as session:
            yield session

    @contextmanager
    def write(self, scope: Scope, by: str = MACHINE) -> Iterator[ScopedSession]:
        """A session whose transaction is committed at the end, or rolled back by an exception.

        `by` is the login of the person who acts.
        """
        self.check()
        with ScopedSession(self._writers, scope, by) as session, session.begin():
            yield session

    @contextmanager
    def schema(self) -> Iterator[Connection]:
        """A bare connection for migrations: they know tables, not adherents, and rebuild referred ones.

        What is done on it is done whole or not at all, tables made and dropped included.
        """
        options = _engine_options(self.engine.url)
        engine = create_engine(self.engine.url, execution_options={"writes": True}, **options)
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _leave_transactions_to_us)
            event.listen(engine, "begin", _begin_sqlite)
        try:
            with engine.begin() as connection:
                yield connection
        finally:
            engine.dispose()

    def check(self) -> None:
        """Raise `UnsafeRole` where the database would not keep adherents apart by itself.

        Each session asks until the answer is good; tables that are yet to be made are asked about again.
        """
        if self._is_checked:
            return
        with self.engine.connect() as connection:
            roles.check_login(connection)
            is_whole = roles.check_tables(connection, sorted(_owned()))
            roles.check_rights(connection, rights.of_web())
            self._is_checked = is_whole

    def check_at_start(self) -> None:
        """`check`, or leave it to the first session where the database does not answer yet."""
        with suppress(OperationalError):
            self.check()

    def close(self) -> None:
        self.engine.dispose()


def _engine_options(url: str | URL) -> dict[str, Any]:
    if make_url(url).get_backend_name() == "sqlite":
        return {"connect_args": {"timeout": 30}, "hide_parameters": True}
    return {"pool_pre_ping": True, "hide_parameters": True}


def _leave_transactions_to_us(connection: Any, _record: object) -> None:
    # The driver would open its transaction too late for BEGIN IMMEDIATE, and leave tables made out of it.
    connection.isolation_level = None


def _prepare_sqlite(connection: Any, record: object) -> None:
    _leave_transactions_to_us(connection, record)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    # A deferred transaction that reads and then writes fails at once when another wrote: lock first.
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


audit.listen_to(ScopedSession)


@event.listens_for(ScopedSession, "do_orm_execute")
def _narrow(state: ORMExecuteState) -> None:
    scope = state.session.scope  # type: ignore[attr-defined]
    if isinstance(scope, Operator) or not state.is_orm_statement or state.is_insert:
        return
    tenants: BindParameter[Any] = bindparam(SCOPE, sorted(scope.ids), expanding=True)
    owned, named = _owned(), _tables_in(cast(ExternallyTraversible, state.statement))
    criteria = [
        with_loader_criteria(owned[name], owned[name].tenant_id.in_(tenants), include_aliases=True)
        for name in sorted(named & owned.keys())
    ]
    state.statement = state.statement.options(*criteria)


@event.listens_for(ScopedSession, "before_flush")
def _check_rows(session: ScopedSession, *_: object) -> None:
    session.flushing = True
    if isinstance(session.scope, Operator):
        return
    for row in (*session.new, *session.dirty, *session.deleted):
        if isinstance(row, OwnedRow) and row.tenant_id not in session.scope.ids:
            raise OutOfScope(f"a {type(row).__name__} of another tenant")


@event.listens_for(ScopedSession, "after_flush_postexec")
def _end_flush(session: ScopedSession, *_: object) -> None:
    session.flushing = False


@event.listens_for(ScopedSession, "after_soft_rollback")
def _abandon_flush(session: ScopedSession, *_: object) -> None:
    session.flushing = False


@event.listens_for(ScopedSession, "after_begin")
def _lend_scope(session: ScopedSession, _transaction: SessionTransaction, connection: Connection) -> None:
    connection.execution_options(session=session)
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_becoming(session.scope))


def _becoming(scope: Scope) -> str:
    """The statement that lends a transaction its role and its adherents; both end with it."""
    if isinstance(scope, Operator):
        return f"SET LOCAL ROLE {roles.ENGINE}"
    tenants = ",".join(str(int(tenant_id)) for tenant_id in sorted(scope.ids))
    return f"SET LOCAL ROLE {roles.WEB}; SET LOCAL {roles.TENANTS} = '{{{tenants}}}'"


def _refuse_unnarrowed(
    connection: Connection, _cursor: object, text: str, _parameters: object, context: Any, _many: bool
) -> None:
    session: ScopedSession | None = connection.get_execution_options().get("session")
    if session is not None and (isinstance(session.scope, Operator) or session.flushing):
        return
    compiled = str(context.compiled) if context.compiled is not None else text
    for name in _unnarrowed(compiled):
        raise OutOfScope(f"{name} is named without the tenants of a scope")
    if MOVING.search(compiled):
        raise OutOfScope("a statement moves rows to another tenant")


@lru_cache(maxsize=4096)
def _unnarrowed(text: str) -> list[str]:
    """The owned tables that a statement names more often than it narrows them.

    It reads the text that the database gets, so that no way of building a statement gets round it. A name
    counts wherever it stands, a narrowing in code alone.
    """
    text = text.lower()
    code = NO_CODE.sub(lambda found: found[0] if PLAIN_NAME.fullmatch(found[0]) else " ", text)
    missing = []
    for name in sorted(_owned()):
        named = re.finditer(rf'(?<!\w)(?:(\w+)"?\."?)?{name}"?(?![.\w])(?: as (\w+))?', text)
        known = Counter(found[2] or name for found in named if not _has_columns(found[1], text))
        for alias, count in known.items():
            narrowing = rf"(?<![.\w]){alias}\.tenant_id in \(__\[postcompile_{SCOPE}\]"
            if len(re.findall(narrowing, code)) < count:
                missing.append(name)
    return missing


def _has_columns(qualifier: str | None, text: str) -> bool:
    """Whether what stands before a dot is a table or an alias, and so what follows a column, not a table."""
    if qualifier is None or qualifier in SCHEMAS:
        return False
    return qualifier in Base.metadata.tables or bool(
        re.search(rf'\bas "?{qualifier}\b|(?<!\w){qualifier}"? as \(', text)
    )


def _tables_in(statement: ExternallyTraversible) -> set[str]:
    """The tables whose rows or columns a statement names; one that is missed is refused as unnarrowed."""
    found = set()
    for element in visitors.iterate(statement):
        source = element.table if isinstance(element, ColumnClause) else element
        while isinstance(source, AliasedReturnsRows):
            source = source.element
        if isinstance(source, Table):
            found.add(source.name)
    return found


@lru_cache(maxsize=1)
def _owned() -> dict[str, type[OwnedRow]]:
    """The guarded entities by the name of their table."""
    return {str(m.local_table): m.class_ for m in Base.registry.mappers if issubclass(m.class_, OwnedRow)}


@event.listens_for(Mapper, "after_mapper_constructed")
def _know_another(_mapper: object, _entity: object) -> None:
    _owned.cache_clear()
