"""A filled installation, and its contents as one hash for each table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from console.domain.access import Role
from console.domain.hours import hour_of
from console.store.base import Base
from console.store.portrait import contents
from console.store.session import Database, Operator
from tests import given

FOIX, PAMIERS = 11, 12


def fill(database: Database) -> None:
    """Two adherents with subscriptions, energy, incidents, a statement, people and what was done."""
    now = datetime.now(UTC)
    with database.write(Operator(), by="claire") as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        given.an_adherent(session, PAMIERS, "CH de Pamiers à l'Épi d'or")
        given.an_account(session, "marie", Role.CIO, [FOIX], password_allowed=True)
        given.a_metered_morning(session, hour_of(now) - timedelta(hours=3), nginx=PAMIERS)
    with database.write(Operator(), by="claire") as session:
        given.an_incident(session, FOIX, opened_at=now - timedelta(hours=5))
        given.it_is(session, "waiting", FOIX, 1, now - timedelta(hours=4))
        given.a_statement(session, PAMIERS)


def fingerprints(database: Database) -> dict[str, str]:
    """The contents of every table."""
    with database.read(Operator()) as session:
        connection = session.connection()
        return {table.name: contents(connection, table) for table in Base.metadata.sorted_tables}
