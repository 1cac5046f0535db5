"""Month lines: hours, what the facility takes beside them, three bases of carbon, and the whole of a site."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from console.actions import facility
from console.actions.grid import take
from console.actions.posting import post
from console.actions.reckoning_due import Step, make_due, make_months_due
from console.domain.claims import OPERATOR_TENANT
from console.domain.facility import Basis as GridBasis
from console.domain.facility import Contract, ContractKind, DeclaredPue, Quantity
from console.domain.factors import Basis, Perimeter
from console.domain.grid import Intensity, State
from console.domain.hours import HOUR, month_bounds
from console.domain.month_lines import Facility, LineKind
from console.store.models import carbon as b
from console.store.models import catalogue as c
from console.store.models import measurement as m
from console.store.queries.month_ledger import check_months
from console.store.session import Database, Operator
from tests.carbon_past import NOW, PARIS, a_host, a_meter, hours_of, intensity, reckon_all
from tests.given import an_adherent, an_empty_database

pytestmark = pytest.mark.both_databases

MARCH = date(2026, 3, 1)
START, END = month_bounds(MARCH, PARIS)
KWH = 3_600_000_000
PAYROLL = m.stable_id("payroll")


@pytest.fixture
def database(database: Database) -> Database:
    with database.write(Operator()) as session:
        an_adherent(session, 7, "CH de Foix")
    return database


def claim(session: Session, tenant_id: int, workload: str, host: str = "srv-01") -> None:
    session.add(
        c.WorkloadClaim(
            tenant_id=tenant_id,
            subscription=1,
            host_id=m.stable_id(host),
            workload_id=m.stable_id(workload),
            host_name=host,
            workload_name=workload,
            valid_from=START - timedelta(days=90),
            claimed_by="test",
            claimed_at=START,
        )
    )
    session.flush()


def lines(session: Session, **wanted: object) -> Sequence[b.MonthLine]:
    found = session.scalars(select(b.MonthLine).order_by(b.MonthLine.tenant_id, b.MonthLine.since)).all()
    return [row for row in found if all(getattr(row, name) == value for name, value in wanted.items())]


def carbon(session: Session, basis: Basis, **wanted: object) -> Sequence[b.CarbonLine]:
    found = session.scalars(select(b.CarbonLine).where(b.CarbonLine.basis == basis)).all()
    return [row for row in found if all(getattr(row, name) == value for name, value in wanted.items())]


def pue(session: Session, value: str, provisional: bool = False) -> None:
    window = (date(2025, 1, 1), date(2025, 12, 31))
    ppm = int(float(value) * 1_000_000)
    told = DeclaredPue(date(2026, 1, 1), ppm, 3, *window, is_provisional=provisional, note="Audit")
    facility.declare_pue(session, "tls", told, now=NOW, by="test")


def test_a_metered_site_gives_each_line_its_overhead_and_all_of_it_adds_up(database: Database) -> None:
    with database.write(Operator()) as session:
        claim(session, 7, "payroll")
        hours_of(session, "srv-01", START, 3, {"payroll": 1_000_001, "other": 333}, kept_mj=7)
        a_meter(session, "tls", MARCH, Quantity.IT, 5_000_000, category=3)
        a_meter(session, "tls", MARCH, Quantity.TOTAL, 7_700_003)
        a_meter(session, "tls", MARCH, Quantity.WATER, 9_001)
        reckon_all(session)
        (own,) = lines(session, kind=LineKind.OWN)
        told = lines(session)
    assert own.tenant_id == 7
    assert own.overhead_mj == 3 * 1_000_001 * 2_700_003 // 5_000_000
    assert own.water_ml == 3 * 1_000_001 * 9_001 // 5_000_000
    assert own.terms["facility"]["origin"] == "metered"
    assert sum(row.energy_mj for row in told) == 5_000_000
    assert sum(row.energy_mj + (row.overhead_mj or 0) for row in told) == 7_700_003
    assert {row.kind for row in told} == {
        LineKind.OWN,
        LineKind.UNCLAIMED,
        LineKind.IT_REST,
        LineKind.SITE_REST,
    }


def test_a_declared_pue_is_applied_to_the_lines_and_keeps_them_provisional_if_it_is(
    database: Database,
) -> None:
    with database.write(Operator()) as session:
        claim(session, 7, "payroll")
        hours_of(session, "srv-01", START, 2, {"payroll": KWH})
        pue(session, "1.42", provisional=True)
        reckon_all(session)
        (own,) = lines(session, tenant_id=7)
        (priced,) = carbon(session, Basis.YEARLY_AVERAGE, tenant_id=7)
    assert own.overhead_mj == 2 * KWH * 42 // 100
    assert priced.carbon_ug == 2 * 52_000_000 * 142 // 100
    assert priced.covered_mj == 2 * KWH * 142 // 100
    assert priced.provisional


def test_without_meter_or_pue_the_overhead_is_unknown_and_carbon_is_of_the_it_alone(
    database: Database,
) -> None:
    with database.write(Operator()) as session:
        claim(session, 7, "payroll")
        a_host(session, "srv-01", site=None)
        hours_of(session, "srv-01", START, 2, {"payroll": KWH})
        reckon_all(session)
        (own,) = lines(session, tenant_id=7)
        (priced,) = carbon(session, Basis.YEARLY_AVERAGE, tenant_id=7)
    assert (own.site, own.overhead_mj, own.water_ml, own.embodied_ug) == (None, None, None, None)
    assert (priced.covered_mj, priced.carbon_ug) == (2 * KWH, 104_000_000)


def test_a_site_that_comes_to_be_known_takes_the_lines_of_the_hosts_that_named_it(database: Database) -> None:
    with database.write(Operator()) as session:
        claim(session, 7, "payroll")
        a_host(session, "srv-01", site="cas")
        hours_of(session, "srv-01", START, 2, {"payroll": KWH})
        reckon_all(session)
        assert [row.site for row in lines(session, tenant_id=7)] == [None]
        facility.add_site(session, "cas", "Castres", "Europe/Paris", "FR", "", now=NOW)
        reckon_all(session)
        assert [(row.site, row.overhead_mj) for row in lines(session, tenant_id=7)] == [("cas", None)]
        window = (date(2025, 1, 1), date(2025, 12, 31))
        pue = DeclaredPue(MARCH, 1_500_000, 3, *window, is_provisional=False, note="Audit")
        facility.declare_pue(session, "cas", pue, now=NOW, by="test")
        reckon_all(session)
        assert [row.overhead_mj for row in lines(session, tenant_id=7)] == [KWH]


def test_hosts_above_the_it_meter_are_refused_with_both_values_once_they_are_known(
    database: Database,
) -> None:
    with database.write(Operator()) as session:
        claim(session, 7, "payroll")
        a_meter(session, "tls", MARCH, Quantity.IT, KWH, category=3)
        a_meter(session, "tls", MARCH, Quantity.TOTAL, 2 * KWH)
        reckon_all(session)
        hours_of(session, "srv-01", START, 2, {"payroll": KWH})
        reckon_all(session)
        (own,) = lines(session, tenant_id=7)
        month = session.get_one(b.SiteMonth, ("tls", MARCH))
    assert own.overhead_mj is None
    assert month.terms["values"] == {"it": KWH, "hosts": 2 * KWH}


def test_hosts_that_are_metered_again_under_the_it_meter_are_refused_no_more(database: Database) -> None:
    with database.write(Operator()) as session:
        claim(session, 7, "payroll")
        a_meter(session, "tls", MARCH, Quantity.IT, KWH, category=3)
        a_meter(session, "tls", MARCH, Quantity.TOTAL, 2 * KWH)
        host = hours_of(session, "srv-01", START, 2, {"payroll": KWH})
        reckon_all(session)
        of_refused = [row.overhead_mj for row in lines(session, tenant_id=7)]
        for hour in (m.HostHour, m.WorkloadHour):
            session.execute(update(hour).where(hour.energy_mj > 0).values(energy_mj=KWH // 2))
        post(session, host, START, START + 2 * HOUR, now=NOW)
        reckon_all(session)
        month = session.get_one(b.SiteMonth, ("tls", MARCH), populate_existing=True)
    assert of_refused == [None]
    assert "refused" not in month.terms
    assert [row.overhead_mj for row in lines(session, tenant_id=7)] == [KWH]


def test_a_meter_that_comes_later_changes_the_lines_of_its_month(database: Database) -> None:
    with database.write(Operator()) as session:
        claim(session, 7, "payroll")
        hours_of(session, "srv-01", START, 2, {"payroll": KWH})
        pue(session, "1.5")
        reckon_all(session)
        assert lines(session, tenant_id=7)[0].overhead_mj == KWH
        a_meter(session, "tls", MARCH, Quantity.IT, 2 * KWH, category=3)
        a_meter(session, "tls", MARCH, Quantity.TOTAL, 5 * KWH)
        reckon_all(session)
        assert lines(session, tenant_id=7)[0].overhead_mj == 3 * KWH


def test_the_three_bases_stand_side_by_side_each_with_what_it_is_made_of(database: Database) -> None:
    """1 kWh in an hour of 20 g and 1 in an hour that nobody knows; 60 % bought at 10 g, no residual mix."""
    contract = Contract(
        kind=ContractKind.PPA,
        supplier="Parc du Lauragais",
        valid_from=date(2026, 1, 1),
        valid_to=date(2027, 1, 1),
        share_ppm=600_000,
        intensity_mg_per_kwh=10_000,
        renewable_ppm=1_000_000,
        evidence="PPA 12",
    )
    with database.write(Operator()) as session:
        claim(session, 7, "payroll")
        hours_of(session, "srv-01", START, 2, {"payroll": KWH})
        intensity(session, START, 1, 20_000)
        facility.add_contract(session, "tls", contract, now=NOW, by="test")
        pue(session, "1.5")
        reckon_all(session)
        found = {row.basis: row for row in session.scalars(select(b.CarbonLine)) if row.tenant_id == 7}
    assert found[Basis.YEARLY_AVERAGE].carbon_ug == 3 * 52_000_000
    assert found[Basis.HOURLY_DIRECT].carbon_ug == 30_000_000
    assert found[Basis.HOURLY_DIRECT].covered_mj == KWH * 3 // 2
    assert found[Basis.MARKET_BASED].carbon_ug == 3 * 6_000_000
    assert found[Basis.MARKET_BASED].covered_mj == 3 * KWH * 6 // 10
    assert found[Basis.MARKET_BASED].terms["parts"] == [
        {"contract": 1, "share_ppm": 600_000, "intensity_mg_per_kwh": 10_000},
        {"factor_id": None, "share_ppm": 400_000, "intensity_mg_per_kwh": None},
    ]


def a_factor(perimeter: Perimeter, mg_per_kwh: int) -> b.EmissionFactor:
    """The factor of the year itself."""
    return b.EmissionFactor(
        factor_id=f"{perimeter.value}-fra-2026",
        publisher="AIB",
        title="Mix",
        vintage=2026,
        perimeter=perimeter,
        geography="FRA",
        intensity_mg_per_kwh=mg_per_kwh,
        licence="-",
        source="-",
        confirmed=True,
        known_since=date(2026, 1, 1),
    )


def test_carbon_by_the_hour_is_provisional_while_an_hour_of_it_is_of_real_time(database: Database) -> None:
    """The line says how much of its energy is; the yearly average, of which hours tell nothing, is final."""
    with database.write(Operator()) as session:
        claim(session, 7, "payroll")
        session.add(a_factor(Perimeter.CONSUMPTION_LIFE_CYCLE, 50_000))
        hours_of(session, "srv-01", START, 4, {"payroll": KWH})
        intensity(session, START, 2, 20_000, state="consolidated")
        intensity(session, START + 2 * HOUR, 1, 26_000, state="realtime")
        pue(session, "1.5")
        reckon_all(session)
        (hourly,) = carbon(session, Basis.HOURLY_DIRECT, tenant_id=7)
        (yearly,) = carbon(session, Basis.YEARLY_AVERAGE, tenant_id=7)
    assert hourly.terms == {"known_mj": 3 * KWH, "mg_mj": 66_000 * KWH, "realtime_mj": KWH}
    assert (hourly.provisional, yearly.provisional) == (True, False)


def test_it_is_final_once_the_hours_are_consolidated_though_no_value_changes(database: Database) -> None:
    quarter = timedelta(minutes=15)
    realtime = [
        Intensity(GridBasis.DIRECT_PRODUCTION, START + n * quarter, quarter, 20_000, "RTE", State.REALTIME)
        for n in range(8)
    ]
    consolidated = [replace(one, state=State.CONSOLIDATED) for one in realtime]
    with database.write(Operator()) as session:
        claim(session, 7, "payroll")
        hours_of(session, "srv-01", START, 2, {"payroll": KWH})
        pue(session, "1")
    found = []
    for told in (realtime, consolidated[:4], consolidated):
        with database.write(Operator()) as session:
            take(session, "FR", told, now=NOW)
            reckon_all(session)
            (line,) = carbon(session, Basis.HOURLY_DIRECT, tenant_id=7)
            found.append((line.provisional, line.terms["realtime_mj"], line.carbon_ug))
    assert found == [(True, 2 * KWH, 40_000_000), (True, KWH, 40_000_000), (False, 0, 40_000_000)]


def test_what_no_host_tells_is_as_provisional_as_the_hours_of_its_month(database: Database) -> None:
    """The IT energy that nobody carries is told by no hour: half of the known ones are of real time."""
    hours = (END - START) // HOUR
    with database.write(Operator()) as session:
        a_host(session, "srv-01")
        a_meter(session, "tls", MARCH, Quantity.IT, hours * KWH, category=3)
        intensity(session, START, 10, 20_000)
        intensity(session, START + 10 * HOUR, 10, 20_000, state="realtime")
        make_due(session, Step.SITE, [("tls", MARCH)], now=NOW)
        reckon_all(session)
        (rest,) = carbon(session, Basis.HOURLY_DIRECT, kind=LineKind.IT_REST)
    assert rest.terms == {"known_mj": 20 * KWH, "mg_mj": 400_000 * KWH, "realtime_mj": 10 * KWH}
    assert rest.provisional


def test_what_contracts_do_not_buy_is_of_the_residual_mix(database: Database) -> None:
    residual = a_factor(Perimeter.RESIDUAL_MIX, 40_000)
    contract = Contract(
        ContractKind.STANDARD, "Fournisseur", date(2026, 1, 1), date(2027, 1, 1), 250_000, 8_000, None, ""
    )
    with database.write(Operator()) as session:
        session.add(residual)
        claim(session, 7, "payroll")
        hours_of(session, "srv-01", START, 1, {"payroll": KWH})
        facility.add_contract(session, "tls", contract, now=NOW, by="test")
        reckon_all(session)
        (priced,) = carbon(session, Basis.MARKET_BASED, tenant_id=7)
    assert priced.carbon_ug == (250_000 * 8_000 + 750_000 * 40_000) // 1000
    assert (priced.covered_mj, priced.provisional) == (KWH, False)


def test_a_contract_that_begins_within_a_month_cuts_it_in_two_lines(database: Database) -> None:
    contract = Contract(
        ContractKind.GUARANTEE, "F", date(2026, 3, 1), date(2026, 3, 2), 1_000_000, 5_000, None, "GO 1"
    )
    with database.write(Operator()) as session:
        claim(session, 7, "payroll")
        hours_of(session, "srv-01", START, 30, {"payroll": KWH})
        facility.add_contract(session, "tls", contract, now=NOW, by="test")
        reckon_all(session)
        first, second = lines(session, tenant_id=7)
        (priced,) = carbon(session, Basis.MARKET_BASED, tenant_id=7)
        total = sum(row.carbon_ug or 0 for row in carbon(session, Basis.YEARLY_AVERAGE, tenant_id=7))
    assert (first.energy_mj, second.energy_mj) == (24 * KWH, 6 * KWH)
    assert (first.since, second.since) == (START, START + 24 * HOUR)
    assert (priced.since, priced.carbon_ug) == (START, 24 * 5_000_000)
    assert total == 30 * 52_000_000


def test_an_adherent_elsewhere_has_its_own_month_cut_where_that_of_the_site_begins(
    database: Database,
) -> None:
    """In Saint-Denis de La Réunion March begins three hours before it does in Paris."""
    with database.write(Operator()) as session:
        an_adherent(session, 8, "CHU Réunion", zone="Indian/Reunion")
        claim(session, 8, "payroll")
        hours_of(session, "srv-01", START - 3 * HOUR, 5, {"payroll": KWH})
        a_meter(session, "tls", MARCH, Quantity.IT, 2 * KWH, category=3)
        a_meter(session, "tls", MARCH, Quantity.TOTAL, 3 * KWH)
        pue(session, "1.2")
        reckon_all(session)
        first, second = lines(session, tenant_id=8)
    assert {first.month, second.month} == {MARCH}
    assert (first.energy_mj, first.overhead_mj) == (3 * KWH, 3 * KWH // 5)
    assert (second.energy_mj, second.overhead_mj) == (2 * KWH, KWH)


@pytest.mark.parametrize(
    ("month", "hours"), [(date(2026, 3, 1), 743), (date(2026, 10, 1), 745), (date(2026, 2, 1), 672)]
)
def test_a_month_has_the_hours_of_its_zone(database: Database, month: date, hours: int) -> None:
    start, _ = month_bounds(month, PARIS)
    with database.write(Operator()) as session:
        claim(session, 7, "payroll")
        session.query(c.WorkloadClaim).update({"valid_from": datetime(2026, 1, 1, tzinfo=UTC)})
        hours_of(session, "srv-01", start - 2 * HOUR, hours + 4, {"payroll": 1_000})
        reckon_all(session)
        (own,) = lines(session, tenant_id=7, month=month)
    assert (own.hours, own.energy_mj) == (hours, hours * 1_000)


def test_reckoning_twice_gives_the_same_rows(database: Database) -> None:
    with database.write(Operator()) as session:
        claim(session, 7, "payroll")
        hours_of(session, "srv-01", START, 3, {"payroll": KWH, "other": 5}, kept_mj=3)
        a_meter(session, "tls", MARCH, Quantity.IT, 4 * KWH, category=3)
        a_meter(session, "tls", MARCH, Quantity.TOTAL, 5 * KWH)
        reckon_all(session)
        before = _content(session)
        make_months_due(session, [(7, MARCH), (OPERATOR_TENANT, MARCH)], now=NOW)
        make_due(session, Step.SITE, [("tls", MARCH)], now=NOW)
        reckon_all(session)
        assert _content(session) == before


AMOUNTS = st.integers(1, 10**12)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    used=st.lists(st.tuples(AMOUNTS, st.sampled_from([None, 7, 8])), min_size=1, max_size=4),
    kept_mj=st.integers(0, 10**9),
    rest_mj=st.integers(0, 10**12),
    overhead_mj=st.integers(0, 10**12),
    water_ml=st.integers(0, 10**9),
)
def test_the_lines_of_all_adherents_are_the_site_to_the_millijoule(
    database: Database,
    used: list[tuple[int, int | None]],
    kept_mj: int,
    rest_mj: int,
    overhead_mj: int,
    water_ml: int,
) -> None:
    an_empty_database(database)
    with database.write(Operator()) as session:
        an_adherent(session, 7, "CH de Foix")
        an_adherent(session, 8, "CHU Réunion", zone="Indian/Reunion")
        for number, (_, owner) in enumerate(used):
            if owner:
                claim(session, owner, f"vm-{number}")
        workloads = {f"vm-{number}": mj for number, (mj, _) in enumerate(used)}
        hours_of(session, "srv-01", START, 2, workloads, kept_mj=kept_mj)
        hours_of(session, "srv-01", END - HOUR, 1, workloads, kept_mj=kept_mj)
        it_mj = 3 * (sum(workloads.values()) + kept_mj) + rest_mj
        a_meter(session, "tls", MARCH, Quantity.IT, it_mj, category=3)
        a_meter(session, "tls", MARCH, Quantity.TOTAL, it_mj + overhead_mj)
        a_meter(session, "tls", MARCH, Quantity.WATER, water_ml)
        reckon_all(session)
        told = [row for row in lines(session, site="tls") if START <= row.since < END or row.since < START]
        of_march = [row for row in told if row.since >= START and row.since < END]
        found = check_months(session, START - timedelta(days=40), END + timedelta(days=40))
        (own, *_) = [row for row in told if row.kind in (LineKind.OWN, LineKind.UNCLAIMED)]
        own.energy_mj += 1
        session.flush()
        wrong = check_months(session, START - timedelta(days=40), END + timedelta(days=40))
        own.energy_mj -= 1
    assert found.holds
    assert (found.site_months, found.waiting_months) == (1, 0)
    assert (wrong.month_residue_mj, wrong.holds) == (1, False)
    assert sum(row.energy_mj for row in of_march) == it_mj
    assert sum(row.energy_mj + (row.overhead_mj or 0) for row in of_march) == it_mj + overhead_mj
    assert sum(row.water_ml or 0 for row in of_march) <= water_ml
    assert all(row.overhead_mj is not None and row.overhead_mj >= 0 for row in of_march)
    for row in of_march:
        terms = Facility.of_terms(row.terms)
        assert terms is not None
        if row.kind is not LineKind.SITE_REST:
            assert row.overhead_mj == terms.overhead_of(row.energy_mj)


def _content(session: Session) -> list[object]:
    session.expire_all()
    told = [
        tuple(value for name, value in vars(row).items() if name not in ("_sa_instance_state", "reckoned_at"))
        for model in (b.MonthLine, b.CarbonLine)
        for row in session.scalars(select(model).order_by(*model.__table__.primary_key))
    ]
    return [repr(sorted(map(repr, one))) for one in told]
