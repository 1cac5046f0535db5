"""One hash of everything that was generated: the same for the same options, wherever the rows are kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from console.domain.claims import OPERATOR_TENANT
from console.store.base import Base

# What `console prepare` fills, what depends on the day it was done, and who signs in.
LEFT_OUT = frozenset(
    {
        *("generation", "account", "account_use", "sign_in", "portfolio", "recovery_code"),
        *("api_token", "api_token_use", "audit_entry", "audit_payload", "audit_head", "audit_checkpoint"),
        *("service_calendar", "sla_plan", "service", "emission_factor", "criticality_calendar"),
        *("service_version", "service_dependency", "hosting_statement", "certificate", "certified_service"),
    }
)


def fingerprint(session: Session) -> str:
    """SHA-256 of every generated row, table by table, in the order of their keys."""
    found = hashlib.sha256()
    for table in sorted(Base.metadata.sorted_tables, key=lambda table: table.name):
        if table.name not in LEFT_OUT:
            for line in _lines(session, table):
                found.update(line.encode())
    return found.hexdigest()


def _lines(session: Session, table: Table) -> Iterator[str]:
    names = sorted(column.name for column in table.columns)
    rows = select(*(table.columns[name] for name in names)).order_by(*table.primary_key.columns)
    if table.name == "adherent":
        rows = rows.where(table.columns["tenant_id"] != OPERATOR_TENANT)
    for row in session.execute(rows.execution_options(yield_per=10_000)):
        yield json.dumps([table.name, *map(_plain, row)], sort_keys=True) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value
