"""One hash of what a seed decides: the same for the same options, wherever and whenever the rows are kept.

Not in it: the catalogue that every console is seeded with, accounts with their passwords and what they leave
behind, and the audit log, which tells of the day the rows were made on. Whoever is in charge is in it by
login, for the number of an account depends on those that were there before.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, select
from sqlalchemy.orm import Session

from console.domain.claims import OPERATOR_TENANT
from console.store.base import Base
from console.store.models import people as p

LEFT_OUT = frozenset(
    {
        *("generation", "account", "account_use", "sign_in", "recovery_code"),
        *("api_token", "api_token_use", "audit_entry", "audit_payload", "audit_head", "audit_checkpoint"),
        *("service_calendar", "sla_plan", "service", "emission_factor", "criticality_calendar"),
        "service_dependency",
    }
)


def fingerprint(session: Session) -> str:
    """SHA-256 of those rows, table by table, in the order of their keys."""
    found = hashlib.sha256()
    for table in sorted(Base.metadata.sorted_tables, key=lambda table: table.name):
        if table.name not in LEFT_OUT:
            for line in _lines(session, table):
                found.update(line.encode())
    return found.hexdigest()


def _lines(session: Session, table: Table) -> Iterator[str]:
    columns = sorted(table.columns, key=lambda column: column.name)
    rows = select(*map(_told, columns)).order_by(*table.primary_key.columns)
    if table.name == "adherent":
        rows = rows.where(table.columns["tenant_id"] != OPERATOR_TENANT)
    for row in session.execute(rows.execution_options(yield_per=10_000)):
        yield json.dumps([table.name, *map(_plain, row)], sort_keys=True) + "\n"


def _told(column: Column[Any]) -> ColumnElement[Any]:
    """A column as it is, but for the number of an account, which is told by its login."""
    if all(key.target_fullname != "account.account_id" for key in column.foreign_keys):
        return column
    return select(p.Account.login).where(p.Account.account_id == column).scalar_subquery()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return value.value if isinstance(value, Enum) else value
