"""The two roles of PostgreSQL: `console_web` sees the adherents of a scope, `console_engine` sees them all.

The login of the console becomes one or the other for a transaction. By itself it sees no row of an adherent,
even as the owner of the tables: policies are forced upon it, and none is for it.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, Row, text

WEB = "console_web"
ENGINE = "console_engine"
TENANTS = "app.tenants"  # the setting that holds the adherents of a transaction, as an array

TO_CREATE = f"CREATE ROLE {WEB}; CREATE ROLE {ENGINE}; GRANT {WEB}, {ENGINE} TO {{login}};"
TO_SIGN_IN = "CREATE ROLE console LOGIN PASSWORD '...';"

BYPASSING = text("SELECT rolname FROM pg_roles WHERE rolname = ANY (:names) AND (rolsuper OR rolbypassrls)")
PRESENT = text(
    """
    SELECT rolname, pg_has_role(current_user, oid, 'MEMBER') AS is_given FROM pg_roles
    WHERE rolname = ANY (:names)
    """
)
TABLES = text(
    """
    SELECT relname AS name, relrowsecurity AND relforcerowsecurity AS is_held,
           pg_get_userbyid(relowner) AS owner,
           ARRAY(SELECT polname FROM pg_policy WHERE polrelid = c.oid AND polname NOT IN ('scope', 'engine')
                 ORDER BY polname) AS others
    FROM pg_class c
    WHERE relname = ANY (:owned) AND relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace
    ORDER BY relname
    """
)


class UnsafeRole(Exception):
    """Under these roles the row policies would not hold; the message is a line with the SQL that mends it."""


def check_login(connection: Connection) -> None:
    """Refuse a login that row policies would not hold; there is nothing to check on SQLite."""
    if connection.dialect.name != "postgresql":
        return
    login = connection.scalar(text("SELECT current_user"))
    bypassing = connection.scalars(BYPASSING, {"names": [login, WEB, ENGINE]}).all()
    if login in bypassing:
        raise UnsafeRole(f"role {login} bypasses row policies, use another one: {TO_SIGN_IN}")
    for name in bypassing:
        raise UnsafeRole(f"role {name} bypasses row policies: ALTER ROLE {name} NOSUPERUSER NOBYPASSRLS;")
    given = {role.rolname: role.is_given for role in connection.execute(PRESENT, {"names": [WEB, ENGINE]})}
    if remedy := [*_to_become(str(login), given)]:
        raise UnsafeRole(f"role {login} cannot become {WEB} and {ENGINE}: {' '.join(remedy)}")


def check_tables(connection: Connection, owned: list[str]) -> bool:
    """Whether the tables of adherents' rows are all there; refuse one that is not under forced policies."""
    if connection.dialect.name != "postgresql":
        return True
    tables = connection.execute(TABLES, {"owned": owned}).all()
    login = connection.scalar(text("SELECT current_user"))
    if remedies := {table.name: remedy for table in tables if (remedy := [*_to_hold(table, str(login))])}:
        statements = " ".join(statement for remedy in remedies.values() for statement in remedy)
        raise UnsafeRole(f"row policies do not hold on {', '.join(remedies)}: {statements}")
    return len(tables) == len(owned)


def _to_become(login: str, given: dict[str, bool]) -> Iterator[str]:
    for name in (WEB, ENGINE):
        if name not in given:
            yield f"CREATE ROLE {name};"
        if not given.get(name):
            yield f"GRANT {name} TO {login};"


def _to_hold(table: Row[tuple[str, bool, str, list[str]]], login: str) -> Iterator[str]:
    if table.owner in (WEB, ENGINE):
        yield f"ALTER TABLE {table.name} OWNER TO {login};"
    if not table.is_held:
        yield f"ALTER TABLE {table.name} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
    for policy in table.others:
        yield f"DROP POLICY {policy} ON {table.name};"
