"""What two copies of a database must share: rows of each table, sums of the ledger, hashes that it keeps."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Connection, MetaData, Select, String, Table, Text, cast, func, inspect, select
from sqlalchemy.orm import Session

from console.domain.audit import plain
from console.store import roles
from console.store.models import audit as a
from console.store.models import measurement as m
from console.store.models import tenant as t
from console.store.queries import audit, ledger
from reports import canonical

CHUNK = 2000  # rows in memory at a time


@dataclass(frozen=True, slots=True)
class Portrait:
    """Of one moment; `ledger` is empty where the schema was not that of this version.

    `ledger` is in mJ. `audit` maps an adherent to the number and hash of its last entry, `statements` a
    statement to the hash of its figures as they are. `faults` are in words.
    """

    rows: Mapping[str, int]
    ledger: Mapping[str, int] = field(default_factory=dict)
    audit: Mapping[str, str] = field(default_factory=dict)
    statements: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[str, ...] = ()

    def to_plain(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_plain(cls, told: Mapping[str, Any]) -> Portrait:
        return cls(**{**told, "faults": tuple(told["faults"])})

    def differences(self, other: Portrait) -> Iterator[str]:
        """What the other one has otherwise, without the rows, in words."""
        for name in ("ledger", "audit", "statements"):
            mine, its = getattr(self, name), getattr(other, name)
            for key in sorted({*mine, *its}):
                if mine.get(key) != its.get(key):
                    yield f"{name} {key}: {mine.get(key)} in the backup, {its.get(key)} here"


@contextmanager
def seeing_all(connection: Connection) -> Iterator[None]:
    """Become, for a while, the role that sees every adherent; the owner of the tables sees none."""
    if connection.dialect.name == "sqlite":
        yield
        return
    connection.exec_driver_sql(f"SET LOCAL ROLE {roles.ENGINE}")
    yield
    connection.exec_driver_sql("RESET ROLE")


def count_rows(connection: Connection) -> dict[str, int]:
    """The rows of each table that is there, whatever the schema, but for the number of its migration."""
    names = sorted(inspect(connection).get_table_names())
    return {
        name: connection.scalar(select(func.count()).select_from(Table(name, MetaData()))) or 0
        for name in names
        if name != "alembic_version"
    }


def draw(session: Session, *, now: datetime) -> Portrait:
    """The portrait of a database of this version's schema; needs a session of the operator's scope."""
    start = ledger.first_hour(session) or now
    check = ledger.check(session, start, now, now=now)
    return Portrait(
        rows=count_rows(session.connection()),
        ledger={
            "hosts": _sum(session, m.HostHour),
            "workloads": _sum(session, m.WorkloadHour),
            "adherents": _sum(session, t.EnergyLine),
            "residue": check.residue_mj,
        },
        audit=_heads(session),
        statements={key: sha256 for key, sha256, _kept in _statements(session)},
        faults=tuple(_faults(session, check.residue_mj)),
    )


def contents(connection: Connection, table: Table) -> str:
    """A hash over every row of a table in the order of its key, the same on SQLite and PostgreSQL."""
    hashed = hashlib.sha256()
    with connection.execute(in_order(connection, table)) as rows:
        for row in rows:
            hashed.update(line_of(row))
    return hashed.hexdigest()


def in_order(connection: Connection, table: Table) -> Select[Any]:
    """The rows of a table by its key, texts by their bytes, JSON as it is written; some in memory."""
    collation = "C" if connection.dialect.name == "postgresql" else "BINARY"
    keys = [
        column.collate(collation) if isinstance(column.type, String) else column
        for column in table.primary_key.columns
    ]
    columns = [
        cast(column, Text).label(column.name) if isinstance(column.type, JSON) else column
        for column in table.columns
    ]
    return select(*columns).order_by(*keys).execution_options(yield_per=CHUNK)


def line_of(row: Any) -> bytes:
    """A row as the one text that its hash covers."""
    told = [plain(value) for value in row]
    return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def _sum(session: Session, model: Any) -> int:
    return int(session.scalar(select(func.sum(model.energy_mj))) or 0)


def _heads(session: Session) -> dict[str, str]:
    rows = session.scalars(select(a.AuditHead).order_by(a.AuditHead.tenant_id))
    return {str(row.tenant_id): f"{row.number}:{row.sha256}" for row in rows}


def _statements(session: Session) -> Iterator[tuple[str, str, str]]:
    """Each statement with the hash that its figures have, and the one it was issued with."""
    statement = t.Statement
    rows = session.execute(
        select(statement.tenant_id, statement.number, statement.figures, statement.sha256)
        .order_by(statement.tenant_id, statement.number)
        .execution_options(yield_per=CHUNK)
    )
    for tenant_id, number, figures, sha256 in rows:
        yield f"{tenant_id}/{number}", canonical.sha256(figures), sha256


def _faults(session: Session, residue_mj: int) -> Iterator[str]:
    if residue_mj:
        yield f"ledger: {residue_mj} mJ do not add up"
    for tenant_id, check in audit.verify_every(session):
        if fault := check.fault:
            yield f"audit log of adherent {tenant_id}: entry {fault.number} {fault.reason}"
    for key, sha256, kept in _statements(session):
        if sha256 != kept:
            yield f"statement {key}: its figures are not those that were issued"
