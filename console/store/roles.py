"""The two roles of PostgreSQL: `console_web` sees the adherents of a scope, `console_engine` sees them all.

The login of the console becomes one or the other for a transaction. By itself it sees no row of an adherent,
even as the owner of the tables: policies are forced upon it, and none is for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

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
# By name: the role, the condition the migrations write, and how PostgreSQL tells it, without white space.
POLICIES = {
    "scope": (
        WEB,
        "tenant_id = ANY ((SELECT nullif(current_setting('app.tenants', true), '')::bigint[])::bigint[])",
        "(tenant_id=ANY((SELECT(NULLIF(current_setting('app.tenants'::text,true),''::text))::bigint[]"
        'AS"nullif")::bigint[]))',
    ),
    "engine": (ENGINE, "current_user = 'console_engine'", "(CURRENT_USER='console_engine'::name)"),
}
TABLES = text(
    """
    SELECT relname AS name, relrowsecurity AND relforcerowsecurity AS is_held,
           pg_get_userbyid(relowner) AS owner
    FROM pg_class c
    WHERE relname = ANY (:owned) AND relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace
    ORDER BY relname
    """
)
TOLD = text(
    """
    SELECT tablename AS "table", policyname AS name, permissive, roles::text[] AS roles, cmd,
           regexp_replace(qual, '\\s', '', 'g') AS seen, regexp_replace(with_check, '\\s', '', 'g') AS written
    FROM pg_policies
    WHERE tablename = ANY (:owned) AND schemaname = current_schema()
    ORDER BY policyname
    """
)
RIGHTS = text(
    """
    SELECT relname AS name, ARRAY(
        SELECT told FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) told
        WHERE has_any_column_privilege(CAST(:web AS name), c.oid, told)
        UNION ALL
        SELECT told FROM unnest(ARRAY['DELETE', 'TRUNCATE', 'TRIGGER']) told
        WHERE has_table_privilege(CAST(:web AS name), c.oid, told)) AS given
    FROM pg_class c
    WHERE relname = ANY (:names) AND relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace
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
    login = str(connection.scalar(text("SELECT current_user")))
    policies = defaultdict(list)
    for policy in connection.execute(TOLD, {"owned": owned}):
        policies[policy.table].append(policy)
    _refuse({table.name: [*_to_hold(table, policies[table.name], login)] for table in tables})
    return len(tables) == len(owned)


def check_rights(connection: Connection, expected: Mapping[str, frozenset[str]]) -> None:
    """Refuse a table on which `console_web` has a right beyond those expected."""
    if connection.dialect.name != "postgresql":
        return
    rights = connection.execute(RIGHTS, {"names": [*expected], "web": WEB})
    beyond = {row.name: sorted({*row.given} - expected[row.name]) for row in rights}
    if statements := [
        f"REVOKE {', '.join(given)} ON {name} FROM {WEB}, PUBLIC;" for name, given in beyond.items() if given
    ]:
        names = ", ".join(name for name, given in beyond.items() if given)
        raise UnsafeRole(f"role {WEB} has rights beyond its own on {names}: {' '.join(statements)}")


def _refuse(remedies: Mapping[str, list[str]]) -> None:
    if names := [name for name, remedy in remedies.items() if remedy]:
        statements = " ".join(statement for remedy in remedies.values() for statement in remedy)
        raise UnsafeRole(f"row policies do not hold on {', '.join(names)}: {statements}")


def _to_become(login: str, given: dict[str, bool]) -> Iterator[str]:
    for name in (WEB, ENGINE):
        if name not in given:
            yield f"CREATE ROLE {name};"
        if not given.get(name):
            yield f"GRANT {name} TO {login};"


def _to_hold(table: Row[Any], policies: list[Row[Any]], login: str) -> Iterator[str]:
    if table.owner in (WEB, ENGINE):
        yield f"ALTER TABLE {table.name} OWNER TO {login};"
    if not table.is_held:
        yield f"ALTER TABLE {table.name} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
    for policy in policies:
        if not _is_ours(policy):
            yield f"DROP POLICY {policy.name} ON {table.name};"
    for name in POLICIES.keys() - {policy.name for policy in policies if _is_ours(policy)}:
        role, condition, _told = POLICIES[name]
        yield (
            f"CREATE POLICY {name} ON {table.name} TO {role} USING ({condition}) WITH CHECK ({condition});"
        )


def _is_ours(policy: Row[Any]) -> bool:
    """Whether a policy is as the migrations made it, and not only called so."""
    if policy.name not in POLICIES:
        return False
    role, _condition, told = POLICIES[policy.name]
    found = (policy.permissive, [*policy.roles], policy.cmd, policy.seen, policy.written)
    return found == ("PERMISSIVE", [role], "ALL", told, told)
