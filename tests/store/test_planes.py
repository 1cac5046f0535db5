"""Every table declares its plane and keeps its rules."""

import pytest
from sqlalchemy import Table, UniqueConstraint

from console.store import models  # noqa: F401 - registers the tables
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
