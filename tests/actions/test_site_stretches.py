"""A contract that begins or ends within a month cuts what meters tell of it; each stretch has its price."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from console.actions import facility
from console.actions.sharing_keys import assign_meter
from console.domain.facility import NO_POINT, Contract, ContractKind, Quantity
from console.domain.factors import Basis
from console.domain.hours import HOUR, month_bounds
from console.domain.month_lines import LineKind
from console.domain.site_measures import Measure, Quality
from console.store.models import carbon as b
from console.store.queries.month_ledger import check_months
from console.store.session import Database, Operator
from tests.carbon_past import NOW, PARIS, hours_of, intensity, reckon_all
from tests.given import an_adherent, an_empty_database
from tests.sharing_past import SERVICE, a_metered_month, pool, shared, sites_again, takes, tells, total

pytestmark = pytest.mark.both_databases

MARCH, APRIL, OCTOBER = date(2026, 3, 1), date(2026, 4, 1), date(2026, 10, 1)
KWH = 3_600_000_000
DAY = 24 * KWH  # of a power of 1 kW


@pytest.fixture
def database(database: Database) -> Database:
    with database.write(Operator()) as session:
        _adherents(session)
    return database


def _adherents(session: Session) -> None:
    for tenant_id in (7, 8):
        an_adherent(session, tenant_id, f"CH {tenant_id}")
        takes(session, tenant_id)


def buys(
    session: Session, first: date, end: date, intensity_mg_per_kwh: int, share_ppm: int = 1_000_000
) -> int:
    """A contract of the site from a day to another, excluded; its number."""
    kind = ContractKind.GUARANTEE
    told = Contract(kind, "Fournisseur", first, end, share_ppm, intensity_mg_per_kwh, None, "GO 1")
    return facility.add_contract(session, "tls", told, now=NOW, by="test")


def storage_is_shared(session: Session, month: date) -> None:
    assign_meter(session, "tls", Quantity.STORAGE, SERVICE, valid_from=month, now=NOW, by="test")
    for tenant_id, volume in ((7, 3), (8, 1)):
        tells(session, tenant_id, 2, month, volume)


def a_reading(session: Session, start: datetime, end: datetime, mj: int, declared: bool = False) -> None:
    """Storage between two instants."""
    quality = Quality.DECLARED if declared else Quality.MEASURED
    told = Measure(start, end, Quantity.STORAGE, NO_POINT, "site", mj, quality)
    facility.record_measure(session, "tls", told, now=NOW, by="test")


def market(session: Session, *kinds: LineKind) -> list[tuple[datetime, int | None]]:
    """Market-based carbon by the start of its line, of lines that have any energy."""
    row = b.CarbonLine
    rows = session.scalars(
        select(row)
        .where(row.basis == Basis.MARKET_BASED, row.kind.in_(kinds))
        .order_by(row.since, row.claim_id)
    )
    return [(one.since, one.carbon_ug) for one in rows if one.covered_mj]


def day(at: date) -> datetime:
    return datetime(at.year, at.month, at.day, tzinfo=PARIS)


@pytest.mark.parametrize(
    ("month", "contracts", "found"),
    [
        (APRIL, [(date(2026, 1, 1), date(2027, 1, 1), 10)], [(1, 30 * 24, 10)]),
        (APRIL, [(date(2026, 4, 15), date(2027, 1, 1), 10)], [(15, 16 * 24, 10)]),
        (APRIL, [(date(2026, 1, 1), date(2026, 4, 11), 10)], [(1, 10 * 24, 10)]),
        (
            APRIL,
            [(date(2026, 1, 1), date(2026, 4, 11), 10), (date(2026, 4, 11), date(2027, 1, 1), 20)],
            [(1, 10 * 24, 10), (11, 20 * 24, 20)],
        ),
        (
            APRIL,
            [(date(2026, 4, 3), date(2026, 4, 4), 10), (date(2026, 4, 30), date(2026, 6, 1), 20)],
            [(3, 24, 10), (30, 24, 20)],
        ),
        (MARCH, [(date(2026, 3, 29), date(2026, 3, 30), 10)], [(29, 23, 10)]),
        (OCTOBER, [(date(2026, 10, 25), date(2026, 10, 26), 10)], [(25, 25, 10)]),
    ],
)
def test_each_stretch_of_what_meters_tell_is_priced_by_its_own_contracts(
    database: Database,
    month: date,
    contracts: list[tuple[date, date, int]],
    found: list[tuple[int, int, int]],
) -> None:
    """Storage of 1 kW, 1 kW more that no one tells of, and as much overhead; g/kWh."""
    start, after = month_bounds(month, PARIS)
    hours = (after - start) // HOUR
    with database.write(Operator()) as session:
        a_metered_month(session, "tls", month, 2 * hours * KWH, 4 * hours * KWH, storage=hours * KWH)
        storage_is_shared(session, month)
        for first, end, grams in contracts:
            buys(session, first, end, grams * 1000)
        reckon_all(session)
        expected = [(day(month.replace(day=at)), 2 * of * grams * 10**6) for at, of, grams in found]
        assert market(session, LineKind.POOL) == expected
        assert market(session, LineKind.IT_REST) == expected
        by_share = [
            (day(month.replace(day=at)), part * of * grams * 10**6 // 2)
            for at, of, grams in found
            for part in (3, 1)
        ]
        assert sorted(market(session, LineKind.SHARE)) == sorted(by_share)
        assert check_months(session, day(month), day(month) + timedelta(days=32)).holds


def test_a_reading_of_its_own_tells_what_of_the_month_was_used_before_the_contract(
    database: Database,
) -> None:
    start, end = month_bounds(APRIL, PARIS)
    middle = day(date(2026, 4, 15))
    with database.write(Operator()) as session:
        a_metered_month(session, "tls", APRIL, 100 * DAY, 100 * DAY)
        a_reading(session, start, middle, 9 * DAY)
        a_reading(session, middle, end, DAY, declared=True)
        storage_is_shared(session, APRIL)
        buys(session, date(2026, 4, 15), date(2027, 1, 1), 10_000)
        reckon_all(session)
        before, after = pool(session)
        assert (before.energy_mj, before.measured_mj, before.declared_mj) == (9 * DAY, 9 * DAY, 0)
        assert (after.energy_mj, after.measured_mj, after.declared_mj) == (DAY, 0, DAY)
        assert market(session, LineKind.POOL) == [(middle, 24 * 10 * 10**6)]
        assert [row.terms["share"]["pool_mj"] for row in shared(session)] == [9 * DAY] * 2 + [DAY] * 2


def test_a_contract_that_is_put_right_cuts_the_month_otherwise_and_leaves_nothing_behind(
    database: Database,
) -> None:
    with database.write(Operator()) as session:
        a_metered_month(session, "tls", APRIL, 90 * DAY + 1, 120 * DAY, storage=30 * DAY + 1)
        storage_is_shared(session, APRIL)
        intensity(session, day(APRIL), 720, 20_000)
        reckon_all(session)
        once = _lines(session)
        number = buys(session, date(2026, 4, 11), date(2027, 1, 1), 10_000)
        reckon_all(session)
        cut = _lines(session)
        assert {row.since for row in pool(session)} == {day(APRIL), day(date(2026, 4, 11))}
        elsewhere = Contract(
            ContractKind.GUARANTEE, "Fournisseur", date(2030, 1, 1), date(2031, 1, 1), 1, 1, None, "GO 1"
        )
        facility.correct_contract(session, "tls", number, elsewhere, now=NOW, by="test")
        reckon_all(session)
        assert _lines(session) == once
    assert len(cut) > len(once)
    for basis in (Basis.YEARLY_AVERAGE, Basis.HOURLY_DIRECT):
        of_cut, of_once = ([line for line in told if line[2] is basis] for told in (cut, once))
        assert sum(line[3] for line in of_cut) == sum(line[3] for line in of_once)
        difference_ug = sum(line[4] for line in of_cut) - sum(line[4] for line in of_once)
        assert abs(difference_ug) <= len(of_cut)  # each line is rounded once


def _lines(session: Session) -> list[tuple[LineKind, datetime, Basis, int, int]]:
    """What is priced of the site, with the energy of the line and its carbon."""
    row, line = b.CarbonLine, b.MonthLine
    assert session.query(row).count() == session.query(row).join(
        line,
        (line.tenant_id == row.tenant_id) & (line.month == row.month) & (line.since == row.since)
        & (line.host_id == row.host_id) & (line.workload_id == row.workload_id)
        & (line.claim_id == row.claim_id) & (line.revision == row.revision),
    ).count()  # fmt: skip
    rows = session.scalars(select(row).order_by(row.kind, row.since, row.basis, row.tenant_id, row.claim_id))
    return [(one.kind, one.since, one.basis, one.energy_mj, one.carbon_ug or 0) for one in rows]


days_of_april = st.integers(1, 30).map(lambda number: date(2026, 4, number))


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    contracts=st.lists(st.tuples(days_of_april, days_of_april), max_size=3),
    storage=st.lists(st.integers(0, 10**13), min_size=1, max_size=3),
    used_mj=st.integers(0, 10**12),
    used_from=st.integers(0, 29),
    rest_mj=st.integers(0, 10**13),
    overhead_mj=st.integers(0, 10**13),
)
def test_however_contracts_cut_a_month_its_lines_are_the_site_to_the_millijoule(
    database: Database,
    contracts: Sequence[tuple[date, date]],
    storage: Sequence[int],
    used_mj: int,
    used_from: int,
    rest_mj: int,
    overhead_mj: int,
) -> None:
    an_empty_database(database)
    start, end = month_bounds(APRIL, PARIS)
    with database.write(Operator()) as session:
        sites_again(session)
        _adherents(session)
        storage_is_shared(session, APRIL)
        hours_of(session, "srv-01", start + timedelta(days=used_from), 2, {"vm": used_mj})
        it_mj = 2 * used_mj + sum(storage) + rest_mj
        a_metered_month(session, "tls", APRIL, it_mj, it_mj + overhead_mj)
        at = [start + place * (720 // len(storage)) * HOUR for place in range(len(storage))]
        for since, until, amount in zip(at, [*at[1:], end], storage, strict=True):
            a_reading(session, since, until, amount)
        for one, other in contracts:
            buys(session, min(one, other), max(one, other) + timedelta(days=1), 10_000, 300_000)
        reckon_all(session)
        found = check_months(session, start - timedelta(days=40), end + timedelta(days=40))
        rows = session.scalars(select(b.MonthLine).where(b.MonthLine.site == "tls")).all()
        held = [row for row in rows if row.kind not in (LineKind.SHARE, LineKind.UNALLOCATED)]
        pools = pool(session)
        assert found.holds
        assert found.site_months == (1 if it_mj else 0)
        assert sum(row.energy_mj for row in held) == it_mj
        assert sum(row.energy_mj for row in pools) == sum(storage)
        assert sum(row.energy_mj for row in rows if row.kind is LineKind.IT_REST) == rest_mj
        assert all(row.energy_mj >= 0 and (row.overhead_mj or 0) >= 0 for row in held)
        for since in {row.since for row in pools}:
            of_stretch = [row for row in pools if row.since == since]
            parts = [row for row in shared(session) if row.since == since]
            for name in ("energy_mj", "measured_mj", "overhead_mj", "embodied_ug"):
                assert total(parts, name) == total(of_stretch, name), name
