"""Every table declares its plane and keeps its rules."""

from dataclasses import dataclass

import psycopg
import pytest
from sqlalchemy import Table, UniqueConstraint

from console.store import (
    models,  # noqa: F401 - registers the tables
    rights,
)
from console.store.base import Base, OwnedRow, Plane

MAPPERS = list(Base.registry.mappers)
PLANES = {str(mapper.local_table): mapper.class_.plane for mapper in MAPPERS}
TABLES = list(Base.metadata.tables.values())


def of(plane: Plane) -> list[Table]:
    return [table for table in TABLES if PLANES[table.name] is plane]


def targets(table: Table) -> set[str]:
    return {key.column.table.name for key in table.foreign_keys}


def names(table: Table) -> str:
    return table.name


@pytest.mark.parametrize("table", TABLES, ids=names)
def test_a_table_has_a_plane(table: Table) -> None:
    assert PLANES[table.name] in Plane


@pytest.mark.parametrize("table", of(Plane.CATALOGUE), ids=names)
def test_the_catalogue_points_to_the_catalogue_only(table: Table) -> None:
    assert {PLANES[name] for name in targets(table)} <= {Plane.CATALOGUE}


@pytest.mark.parametrize("table", of(Plane.MEASUREMENT), ids=names)
def test_measurement_is_keyed_by_host_and_knows_no_tenant(table: Table) -> None:
    assert "host_id" in table.primary_key.columns
    assert "tenant_id" not in table.columns
    assert {PLANES[name] for name in targets(table)} <= {Plane.MEASUREMENT, Plane.CATALOGUE}


@pytest.mark.parametrize("table", of(Plane.TENANT), ids=names)
def test_every_key_of_the_tenant_plane_is_led_by_the_tenant(table: Table) -> None:
    assert next(iter(table.primary_key.columns)).name == "tenant_id"
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint):
            assert next(iter(constraint.columns)).name == "tenant_id"
    for constraint in table.foreign_key_constraints:
        referred = constraint.referred_table.name
        assert PLANES[referred] in {Plane.TENANT, Plane.CATALOGUE}
        if PLANES[referred] is Plane.TENANT:
            assert constraint.column_keys[0] == "tenant_id"


@pytest.mark.parametrize("table", of(Plane.COORDINATION), ids=names)
def test_coordination_stays_by_itself(table: Table) -> None:
    assert {PLANES[name] for name in targets(table)} <= {Plane.COORDINATION}


def test_what_names_a_tenant_is_guarded() -> None:
    naming = {str(m.local_table) for m in MAPPERS if "tenant_id" in m.local_table.columns}
    guarded = {str(m.local_table) for m in MAPPERS if issubclass(m.class_, OwnedRow)}
    to_do = {str(m.local_table) for m in MAPPERS if m.class_.plane is Plane.COORDINATION}
    assert naming - to_do == guarded


@dataclass(frozen=True)
class Held:
    """What a PostgreSQL database says of one of its tables."""

    is_held: bool
    policies: dict[str, tuple[str, list[str], str, str, str]]
    web: list[str]
    engine: list[str]
    others: int  # grants to anybody else


PEOPLE = {"account", "delegation"}  # catalogue rows that nobody with a scope may read
OWNERS_ALONE = {"TRUNCATE", "REFERENCES", "TRIGGER"}
FACTS = """
    SELECT relname, relrowsecurity AND relforcerowsecurity,
        ARRAY(SELECT r FROM unnest(%(rights)s::text[]) r
              WHERE has_table_privilege('console_web', c.oid, r)),
        ARRAY(SELECT r FROM unnest(%(rights)s::text[]) r
              WHERE has_table_privilege('console_engine', c.oid, r)),
        (SELECT count(*) FROM aclexplode(relacl) a
         WHERE a.grantee NOT IN (relowner, 'console_web'::regrole, 'console_engine'::regrole))
        + (SELECT count(*) FROM pg_attribute WHERE attrelid = c.oid AND attacl IS NOT NULL)
    FROM pg_class c WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
"""
POLICIES = """
    SELECT policyname, permissive, roles::text[], cmd, qual, with_check
    FROM pg_policies WHERE tablename = %s
"""


@pytest.fixture(scope="module")
def held(postgres_server: str) -> dict[str, Held]:
    """What PostgreSQL says of every table after the migrations."""
    rights = ["SELECT", "INSERT", "UPDATE", "DELETE", *OWNERS_ALONE]
    with psycopg.connect(postgres_server.format(name="ready")) as connection:
        facts = connection.execute(FACTS, {"rights": rights}).fetchall()
        policies = {
            name: {row[0]: row[1:] for row in connection.execute(POLICIES, [name])} for name, *_ in facts
        }
    return {name: Held(is_held, policies[name], *rest) for name, is_held, *rest in facts}


def guarded(table: Table) -> bool:
    return any(issubclass(m.class_, OwnedRow) for m in MAPPERS if m.local_table is table)


@pytest.mark.postgres
@pytest.mark.parametrize("table", [table for table in TABLES if guarded(table)], ids=names)
def test_a_table_with_an_owner_is_under_the_two_policies(held: dict[str, Held], table: Table) -> None:
    assert held[table.name].is_held
    policies = held[table.name].policies
    assert policies.keys() == {"scope", "engine"}
    for name, role in (("scope", "console_web"), ("engine", "console_engine")):
        permissive, roles, command, using, check = policies[name]
        assert (permissive, roles, command) == ("PERMISSIVE", [role], "ALL")
        assert using == check
    assert "app.tenants" in policies["scope"][3]
    assert policies["engine"][3] == "(CURRENT_USER = 'console_engine'::name)"


@pytest.mark.postgres
@pytest.mark.parametrize("table", TABLES, ids=names)
def test_a_scope_has_no_right_beyond_its_plane(held: dict[str, Held], table: Table) -> None:
    facts, plane = held[table.name], PLANES[table.name]
    assert facts.others == 0
    assert not OWNERS_ALONE & set(facts.web)
    if guarded(table):
        assert "SELECT" in facts.web
    elif plane is Plane.CATALOGUE and table.name not in PEOPLE:
        assert set(facts.web) <= {"SELECT"}
    else:
        assert facts.web == []


@pytest.mark.postgres
@pytest.mark.parametrize("name", sorted(rights.of_web()))
def test_the_rights_of_a_scope_are_those_that_are_told(held: dict[str, Held], name: str) -> None:
    assert set(held[name].web) == rights.of_web()[name]


@pytest.mark.postgres
@pytest.mark.parametrize("table", TABLES, ids=names)
def test_jobs_may_work_on_every_table_and_own_none(held: dict[str, Held], table: Table) -> None:
    assert "SELECT" in held[table.name].engine
    assert not OWNERS_ALONE & set(held[table.name].engine)


@pytest.mark.postgres
def test_nobody_changes_what_the_audit_log_holds(held: dict[str, Held]) -> None:
    assert held["audit_entry"].web == held["audit_entry"].engine == ["SELECT", "INSERT"]
    assert held["audit_payload"].web == ["SELECT", "INSERT"]
    for name in ("audit_entry", "audit_payload", "audit_head", "audit_checkpoint"):
        assert "DELETE" not in {*held[name].web, *held[name].engine}
