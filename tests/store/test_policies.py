"""On PostgreSQL the policies keep adherents apart by themselves, whatever a statement asks."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import date

import psycopg
import pytest
from psycopg import sql
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import text
from sqlalchemy.exc import DataError

from console.store.models.catalogue import Adherent, AdherentKind
from console.store.models.tenant import Statement
from console.store.session import Database, Operator, Scope, Tenants
from tests.given import NOW

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.parametrize("database", ["postgresql"], indirect=True),
]

SEEN = "SELECT tenant_id FROM statement ORDER BY tenant_id"
ADDED = """
    INSERT INTO statement (tenant_id, number, month, status, figures, sha256, issued_at, issued_by)
    VALUES ({}, 9, '2026-11-01', 'draft', '', '', now(), 'test')
"""
WHO = text("SELECT current_user, coalesce(current_setting('app.tenants', true), ''), pg_backend_pid()")


@pytest.fixture
def three(database: Database) -> Database:
    """Three adherents with a statement each."""
    with database.write(Operator()) as session:
        for tenant_id in (11, 12, 13):
            name, kind = f"CH {tenant_id}", AdherentKind.HOSPITAL
            session.add(Adherent(tenant_id=tenant_id, name=name, kind=kind, since=date(2026, 1, 1)))
            session.flush()
            session.add(
                Statement(
                    tenant_id=tenant_id,
                    number=1,
                    month=date(2026, 11, 1),
                    status="draft",
                    figures="",
                    sha256="",
                    issued_at=NOW,
                    issued_by="test",
                )
            )
    return database


@pytest.fixture
def login(three: Database) -> Iterator[psycopg.Connection]:
    """The console's login on that database, past our sessions and their guard."""
    url = three.engine.url.render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def seen(connection: psycopg.Connection) -> list[int]:
    return [row[0] for row in connection.execute(SEEN)]


def become(connection: psycopg.Connection, role: str, tenants: str | None = None) -> None:
    connection.execute(f"SET ROLE {role}")
    if tenants is not None:
        connection.execute(f"SET app.tenants = '{tenants}'")


def test_the_owner_of_the_tables_sees_no_row_by_itself(login: psycopg.Connection) -> None:
    assert seen(login) == []
    with pytest.raises(InsufficientPrivilege):
        login.execute(ADDED.format(11))


@pytest.mark.parametrize(
    ("tenants", "rows"), [(None, []), ("", []), ("{}", []), ("{11}", [11]), ("{11,13,99}", [11, 13])]
)
def test_a_scope_sees_the_adherents_of_the_setting_and_none_without(
    login: psycopg.Connection, tenants: str | None, rows: list[int]
) -> None:
    become(login, "console_web", tenants)
    assert seen(login) == rows


@pytest.mark.parametrize("tenants", ["11", "{11", "{eleven}", "{11,null}x", "*"])
def test_a_setting_that_is_no_list_of_numbers_shows_nothing(login: psycopg.Connection, tenants: str) -> None:
    become(login, "console_web", tenants)
    with pytest.raises(psycopg.DataError):
        seen(login)


def test_a_scope_adds_changes_and_removes_its_own_rows_only(login: psycopg.Connection) -> None:
    become(login, "console_web", "{11}")
    login.execute(ADDED.format(11))
    with pytest.raises(InsufficientPrivilege):
        login.execute(ADDED.format(12))
    with pytest.raises(InsufficientPrivilege):
        login.execute("UPDATE statement SET tenant_id = 12, number = 7")
    assert login.execute("UPDATE statement SET status = 'read'").rowcount == 2
    assert login.execute("DELETE FROM statement").rowcount == 2
    become(login, "console_engine")
    assert seen(login) == [12, 13]


@pytest.mark.parametrize("table", ["host", "reading", "account", "sign_in", "delivery"])
def test_a_scope_has_no_right_on_hosts_accounts_and_messages(login: psycopg.Connection, table: str) -> None:
    become(login, "console_web", "{11}")
    with pytest.raises(InsufficientPrivilege):
        login.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table)))


def test_nobody_but_jobs_and_the_operator_sees_every_adherent(login: psycopg.Connection) -> None:
    become(login, "console_engine")
    assert seen(login) == [11, 12, 13]


def test_a_plan_that_could_leak_through_an_error_does_not(login: psycopg.Connection) -> None:
    """The rows of others are taken away before a condition that tells what it reads is asked."""
    become(login, "console_web", "{11}")
    asked = "SELECT tenant_id FROM statement WHERE 1 / (tenant_id - 12) < 5"
    assert [row[0] for row in login.execute(asked)] == [11]


SCOPES = [Tenants(frozenset({11, 12})), Operator()]


def lent(database: Database, scope: Scope, end: str) -> tuple[str, str, int]:
    """Who a transaction was, for whom, and on which connection; it ends as asked."""
    with suppress(DataError), database.read(scope) if end == "rollback" else database.write(scope) as session:
        who = session.execute(WHO).one()
        if end == "error":
            session.execute(text("SELECT 1 / 0"))
    return who[0], who[1], who[2]


@pytest.mark.parametrize("scope", SCOPES, ids=["tenants", "operator"])
@pytest.mark.parametrize("end", ["commit", "rollback", "error"])
def test_neither_role_nor_adherents_outlive_their_transaction(
    three: Database, scope: Scope, end: str
) -> None:
    role, tenants, backend = lent(three, scope, end)
    expected = ("console_engine", "") if isinstance(scope, Operator) else ("console_web", "{11,12}")
    assert (role, tenants) == expected
    with three.engine.connect() as connection:
        assert tuple(connection.execute(WHO).one()) == ("console", "", backend)


def test_a_connection_of_the_pool_that_was_lent_to_one_scope_serves_another(three: Database) -> None:
    shown = [lent(three, Tenants(frozenset({tenant_id})), "commit") for tenant_id in (11, 12, 13)]
    assert [tenants for _role, tenants, _backend in shown] == ["{11}", "{12}", "{13}"]
    assert len({backend for _role, _tenants, backend in shown}) == 1
