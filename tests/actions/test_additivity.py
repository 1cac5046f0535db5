"""Sums of carbon are the same whichever way they are made: over months, services, sites, adherents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from console.domain.claims import OPERATOR_TENANT
from console.domain.factors import Basis
from console.store.models import carbon as b
from console.store.models import catalogue as c
from console.store.models import contract as k
from console.store.models import measurement as m
from console.store.models import tenant as t
from console.store.session import Database, Operator
from tests.carbon_past import a_host, hours_of, intensity, reckon_all
from tests.given import a_subscription, an_adherent, an_empty_database

pytestmark = pytest.mark.both_databases

ZONES = {7: "Europe/Paris", 8: "Indian/Reunion", 9: "America/Martinique", OPERATOR_TENANT: "Europe/Paris"}
EDGES = (  # hours around which a year, and both clock changes, begin in one zone or another
    datetime(2025, 12, 31, 19, tzinfo=UTC),
    datetime(2026, 3, 28, 22, tzinfo=UTC),
    datetime(2026, 3, 31, 19, tzinfo=UTC),
    datetime(2026, 10, 24, 22, tzinfo=UTC),
    datetime(2026, 10, 31, 21, tzinfo=UTC),
    datetime(2026, 12, 31, 19, tzinfo=UTC),
)
HOURS = 11
NOW = datetime(2027, 2, 1, tzinfo=UTC)

pasts = st.lists(
    st.tuples(
        st.sampled_from(EDGES),
        st.sampled_from(["tls", "ami"]),
        st.sampled_from(["7", "8", "9", "shared", "nobody"]),
        st.integers(1, 10**11),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda one: one[:3],
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(past=pasts)
def test_a_year_is_the_sum_of_its_months_in_each_zone_and_all_sums_agree(
    database: Database, past: Sequence[tuple[datetime, str, str, int]]
) -> None:
    an_empty_database(database)
    with database.write(Operator()) as session:
        _tell(session, past)
        reckon_all(session, NOW)
    with database.read(Operator()) as session:
        lines = [row for row in session.scalars(select(b.MonthLine)) if row.counts]
        priced = [row for row in session.scalars(select(b.CarbonLine)) if row.counts]
        hours = session.scalars(select(t.EnergyLine)).all()
        keys = {_key(row): row for row in lines}
        whole_mj = sum(row.energy_mj for row in hours)
        for name, of_row in _WAYS.items():
            assert sum(_summed(lines, of_row).values()) == whole_mj, name
        for basis in Basis:
            of_basis = [row for row in priced if row.basis is basis]
            totals = {
                name: sum(_carbon(of_basis, lambda row, way=way: way(keys[_key(row)])).values())
                for name, way in _WAYS.items()
            }
            assert len(set(totals.values())) == 1, basis
        for tenant_id, name in ZONES.items():
            year = [datetime(2026 + after, 1, 1, tzinfo=ZoneInfo(name)) for after in (0, 1)]
            own = [row for row in lines if row.tenant_id == tenant_id and row.host_id]
            told = [row for row in hours if row.tenant_id == tenant_id and not row.service_code]
            months = Counter[date]()
            for row in own:
                months[row.month] += row.energy_mj
            of_year = sum(energy_mj for month, energy_mj in months.items() if month.year == 2026)
            assert of_year == sum(row.energy_mj for row in told if year[0] <= row.hour < year[1])


def _tell(session: Session, past: Sequence[tuple[datetime, str, str, int]]) -> None:
    for tenant_id, zone in ZONES.items():
        if tenant_id != OPERATOR_TENANT:
            an_adherent(session, tenant_id, f"CH {tenant_id}", zone=zone)
            a_subscription(session, tenant_id)
    since = datetime(2025, 1, 1, tzinfo=UTC)
    for number, edge in enumerate(EDGES):
        intensity(session, edge, HOURS, 20_000 + number)
    for place, (edge, site, owner, energy_mj) in enumerate(past):
        host, workload = f"{site}-{place}", f"vm-{owner}-{place}"
        host_id = a_host(session, host, site)
        whose = {"host_id": host_id, "workload_id": m.stable_id(workload), "host_name": host}
        whose |= {"workload_name": workload, "valid_from": since, "claimed_by": "test", "claimed_at": since}
        if owner == "shared":
            session.add(k.ServiceClaim(service_code="payroll", **whose))
        elif owner != "nobody":
            session.add(c.WorkloadClaim(tenant_id=int(owner), subscription=1, **whose))
        session.flush()
        hours_of(session, host, edge, HOURS, {workload: energy_mj}, kept_mj=energy_mj // 7)


def _key(row: b.MonthLine | b.CarbonLine) -> tuple[object, ...]:
    return row.tenant_id, row.month, row.since, row.host_id, row.workload_id, row.claim_id, row.revision


_WAYS: dict[str, Callable[[b.MonthLine], object]] = {
    "months": lambda row: row.month,
    "services": lambda row: (row.service_code, row.subscription),
    "sites": lambda row: row.site,
    "adherents": lambda row: row.tenant_id,
    "kinds": lambda row: row.kind,
}


def _summed(rows: Sequence[b.MonthLine], of_row: Callable[[b.MonthLine], object]) -> Counter[object]:
    sums: Counter[object] = Counter()
    for row in rows:
        sums[of_row(row)] += row.energy_mj
    return sums


def _carbon(rows: Sequence[b.CarbonLine], of_row: Callable[[b.CarbonLine], object]) -> Counter[object]:
    sums: Counter[object] = Counter()
    for row in rows:
        sums[of_row(row)] += row.carbon_ug or 0
    return sums
