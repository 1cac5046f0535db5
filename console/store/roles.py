"""The two roles of PostgreSQL: `console_web` sees the adherents of a scope, `console_engine` sees them all.

The login of the console becomes one or the other for a transaction. By itself it sees no row of an adherent,
even as the owner of the tables: policies are forced upon it, and none is for it.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

WEB = "console_web"
ENGINE = "console_engine"
TENANTS = "app.tenants"  # the setting that holds the adherents of a transaction, as an array

TO_CREATE = f"CREATE ROLE {WEB}; CREATE ROLE {ENGINE}; GRANT {WEB}, {ENGINE} TO {{login}};"

BYPASSING = text(
    """
    SELECT rolname FROM pg_roles
    WHERE rolname = ANY (:names) AND (rolsuper OR rolbypassrls) ORDER BY rolname
    """
)
MEMBERSHIPS = text(
    """
    SELECT count(*) FROM pg_roles
    WHERE rolname IN ('console_web', 'console_engine') AND pg_has_role(current_user, oid, 'MEMBER')
    """
)
OPEN_TABLES = text(
    """
    SELECT relname FROM pg_class
    WHERE relname = ANY (:owned) AND relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace
      AND (NOT relrowsecurity OR NOT relforcerowsecurity
           OR pg_get_userbyid(relowner) IN ('console_web', 'console_engine'))
    ORDER BY relname
    """
)


class UnsafeRole(Exception):
    """Under these roles the row policies would not hold; the message says how to put it right."""


def check_login(connection: Connection) -> None:
    """Refuse a login that row policies would not hold; there is nothing to check on SQLite."""
    if connection.dialect.name != "postgresql":
        return
    login = connection.scalar(text("SELECT current_user"))
    for name in connection.scalars(BYPASSING, {"names": [login, WEB, ENGINE]}):
        raise UnsafeRole(f"role {name} bypasses row policies: it must be neither SUPERUSER nor BYPASSRLS")
    if connection.scalar(MEMBERSHIPS) != 2:
        remedy = TO_CREATE.format(login=login)
        raise UnsafeRole(f"role {login} cannot become {WEB} and {ENGINE}: let an administrator run {remedy}")


def check_tables(connection: Connection, owned: list[str]) -> None:
    """Refuse a database in which a table of adherents' rows is not under forced policies."""
    if connection.dialect.name != "postgresql":
        return
    if names := connection.scalars(OPEN_TABLES, {"owned": owned}).all():
        raise UnsafeRole(f"row policies do not hold on {', '.join(names)}: run console prepare")
