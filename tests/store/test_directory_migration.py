"""The directory that was there keeps its sites, with the day that their year stood for."""

import pytest
from alembic import command
from sqlalchemy import select, text

from console.store import schema
from console.store.models import catalogue as c
from console.store.session import Database, Operator

pytestmark = pytest.mark.both_databases

SITE = """
    INSERT INTO directory_site
        (finess_et, finess_ej, name, category, legal_status, department, town, source, vintage)
    VALUES ('010000024', '010780054', 'CH DE FLEYRIAT', '355', '13', '01', 'VIRIAT', 'DREES, SAE', 2023)
"""

ADHERENT = """
    INSERT INTO adherent (tenant_id, name, kind, zone, since)
    VALUES (50, 'CH d''Épernay', 'hospital', 'Europe/Paris', '2026-01-01')
"""


def test_a_year_becomes_its_last_day_and_back(database: Database) -> None:
    with database.schema() as connection:
        command.downgrade(schema.settings(connection), "0002")
        connection.execute(text(SITE))
        schema.upgrade(connection)
        row = connection.execute(text("SELECT as_of, closed, legal_status FROM directory_site")).one()
        assert (str(row.as_of), bool(row.closed), row.legal_status) == ("2023-12-31", False, "13")
        connection.execute(text("UPDATE directory_site SET category = NULL"))
        command.downgrade(schema.settings(connection), "0002")
        row = connection.execute(text("SELECT vintage, category FROM directory_site")).one()
        assert (row.vintage, row.category) == (2023, "")
        schema.upgrade(connection)


def test_names_that_are_there_are_folded(database: Database) -> None:
    with database.schema() as connection:
        command.downgrade(schema.settings(connection), "0002")
        connection.execute(text(SITE.replace("CH DE FLEYRIAT", "CH ST-ÉTIENNE")))
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL ROLE console_engine"))
        connection.execute(text(ADHERENT))
        if connection.dialect.name == "postgresql":
            connection.execute(text("RESET ROLE"))
        schema.upgrade(connection)
        row = connection.execute(text("SELECT folded_name, folded_town FROM directory_site")).one()
        assert tuple(row) == ("CH SAINT ETIENNE", "VIRIAT")
    with database.read(Operator()) as session:
        assert session.scalars(select(c.Adherent.folded_name).where(c.Adherent.tenant_id == 50)).all() == [
            "CH D EPERNAY"
        ]
