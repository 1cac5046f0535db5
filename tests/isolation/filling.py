"""What an adherent is filled into, and what the database then keeps of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Table, inspect
from sqlalchemy.orm import Session

from console.store.base import Base
from console.store.session import Database, Operator

Id = int | str


@dataclass
class Filled:
    """An adherent, the word that every text of it holds, and what names its rows in addresses and forms."""

    tenant_id: int
    word: str
    finess_ej: str
    ght: str
    now: datetime
    round: int = 0
    ids: dict[str, Id] = field(default_factory=dict)
    people: list[int] = field(default_factory=list)
    emails: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        return f"CH {self.word} de Nulle-Part"

    def text(self, what: str) -> str:
        """A text of its own at each round."""
        return f"{what} {self.word} {self.round}"

    @property
    def host(self) -> str:
        return f"srv-{self.word.lower()}"

    @property
    def subscription(self) -> int:
        """The first of its subscriptions of this round."""
        return int(self.ids["subscription"])


OTHERS_WORDS = {  # not of the adherent's choice
    *("audit_entry.by", "audit_entry.subject"),
    *("adherent.agency", "subscription.service_version", "service_month.inputs"),
    "carbon_month.inputs",
}


def site_of(finess_ej: str) -> str:
    """The FINESS number of the site that the directory holds for an entity."""
    return finess_ej[:-1] + ("1" if finess_ej[-1] != "1" else "2")


def owned_tables() -> list[Table]:
    """Every table that names an adherent, whatever its plane."""
    return [table for table in Base.metadata.sorted_tables if "tenant_id" in table.columns]


def rows_of(database: Database, filled: Filled) -> dict[str, list[str]]:
    """Everything the database keeps of an adherent and of its people, table by table."""
    with database.read(Operator()) as session:
        kept = {
            table.name: _told(session, table, "tenant_id", [filled.tenant_id]) for table in owned_tables()
        }
        for table in Base.metadata.sorted_tables:
            for column in {"account_id", "giver_id"} & set(table.columns.keys()):
                if table.name not in kept:
                    kept[table.name] = _told(session, table, column, filled.people)
    return kept


def _told(session: Session, table: Table, column: str, values: list[int]) -> list[str]:
    rows = session.execute(table.select().where(table.c[column].in_(values)).order_by(*table.primary_key))
    return [repr(tuple(row)) for row in rows]


def texts_without(word: str, database: Database, filled: Filled) -> set[str]:
    """The columns of free text in which no row of the adherent holds its word."""
    missing = set()
    with database.read(Operator()) as session:
        for mapper in Base.registry.mappers:
            table = inspect(mapper.class_).local_table
            if "tenant_id" in table.columns:
                missing |= _texts_without(session, table, word, filled.tenant_id)
    return missing


def _texts_without(session: Session, table: Table, word: str, tenant_id: int) -> set[str]:
    rows = session.execute(table.select().where(table.c.tenant_id == tenant_id)).mappings().all()
    return {
        f"{table.name}.{column.name}"
        for column in table.columns
        if column.type.python_type is str and getattr(column.type, "length", None) in (None, 200)
        if not column.name.endswith("_by") and f"{table.name}.{column.name}" not in OTHERS_WORDS
        if not any(word.lower() in str(row[column.name]).lower() for row in rows)
    }
