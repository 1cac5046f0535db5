"""Shared services: pools of workloads and meters, split by keys and volumes, to the millijoule."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from console.actions.claims import end_service_claim
from console.actions.grid import portions, take
from console.actions.reckoning_due import Step, make_due, make_months_due
from console.actions.sharing_keys import assign_meter, set_key
from console.actions.subscriptions import end_subscription
from console.domain.carbon_months import Doubt
from console.domain.claims import OPERATOR_TENANT
from console.domain.contract import Status
from console.domain.errors import Conflict, Invalid
from console.domain.facility import Quantity
from console.domain.factors import Basis, Perimeter
from console.domain.hours import HOUR, month_bounds
from console.domain.month_lines import LineKind, SharingKeyKind
from console.store.models import carbon as b
from console.store.models import catalogue as c
from console.store.models import contract as k
from console.store.models import measurement as m
from console.store.models import site as s
from console.store.queries.carbon_months import month_seen
from console.store.queries.month_figures import month_figures
from console.store.queries.month_ledger import check_months
from console.store.session import Database, Operator
from reports.figures import Status as StatementStatus
from tests.carbon_past import NOW, PARIS, a_host, hours_of, intensity, reckon_all
from tests.given import an_adherent, an_empty_database
from tests.grids import half_hours
from tests.sharing_past import (
    AMOUNTS,
    SERVICE,
    a_metered_month,
    a_platform,
    lines_of,
    pool,
    shared,
    sites_again,
    takes,
    tells,
    total,
)

pytestmark = pytest.mark.both_databases

MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
START, END = month_bounds(MARCH, PARIS)
KWH = 3_600_000_000


@pytest.fixture
def database(database: Database) -> Database:
    with database.write(Operator()) as session:
        an_adherent(session, 7, "CH de Foix")
        an_adherent(session, 8, "CHU Réunion", zone="Indian/Reunion")
        an_adherent(session, 9, "CH de Pamiers")
        for tenant_id in (7, 8, 9):
            takes(session, tenant_id)
    return database


def key(session: Session, kind: SharingKeyKind, month: date = date(2026, 1, 1)) -> int:
    return set_key(session, SERVICE, kind, valid_from=month, note="Comité", now=NOW, by="test")


def state(session: Session) -> list[tuple[object, ...]]:
    """Shares and their carbon, without when they were reckoned."""
    told = ("tenant_id", "kind", "claim_id", "counts", *AMOUNTS, "terms")
    lines = [tuple(getattr(row, name) for name in told) for row in shared(session)]
    priced = session.scalars(
        select(b.CarbonLine)
        .where(b.CarbonLine.service_code == SERVICE)
        .order_by(b.CarbonLine.tenant_id, b.CarbonLine.claim_id, b.CarbonLine.basis, b.CarbonLine.since)
    )
    return [*lines, *((row.tenant_id, row.basis, row.carbon_ug, row.covered_mj, row.terms) for row in priced)]


def test_a_months_platform_is_split_by_payslips_to_the_millijoule(database: Database) -> None:
    with database.write(Operator()) as session:
        a_platform(session, START, 3, 1_000_003)
        a_metered_month(session, "tls", MARCH, 5_000_000, 7_700_003)
        intensity(session, START, 1, 20_111)
        intensity(session, START + HOUR, 1, 20_111, state="realtime")
        for tenant_id, payslips in ((7, 1_200), (8, 4_999), (9, 0)):
            tells(session, tenant_id, 2, MARCH, payslips)
        reckon_all(session)
        (whole,) = pool(session)
        rows = shared(session)
        hourly = session.scalars(select(b.CarbonLine).where(b.CarbonLine.basis == Basis.HOURLY_DIRECT)).all()
    assert [(row.tenant_id, row.kind, row.subscription) for row in rows] == [
        (7, LineKind.SHARE, 2),
        (8, LineKind.SHARE, 2),
        (9, LineKind.SHARE, 2),
    ]
    assert not whole.counts
    assert all(row.counts for row in rows)
    for name in AMOUNTS:
        assert total(rows, name) == getattr(whole, name), name
    foix, _, pamiers = rows
    assert abs(foix.energy_mj * 6_199 - whole.energy_mj * 1_200) < 6_199
    assert (pamiers.energy_mj, pamiers.overhead_mj) == (0, 0)
    assert foix.terms["share"] == {
        "service_code": SERVICE,
        "key": "volume",
        "key_from": "2026-03-01",
        "key_version": 0,
        "weight": 1_200,
        "weights": 6_199,
        "estimated": False,
        "origin": "told",
        "pool_mj": 3_000_009,
        "missing": 0,
    }
    of_pool = [row for row in hourly if row.kind is LineKind.POOL and row.service_code == SERVICE]
    of_shares = [row for row in hourly if row.kind is LineKind.SHARE]
    for name in ("known_mj", "mg_mj", "realtime_mj"):
        assert sum(row.terms[name] for row in of_shares) == sum(row.terms[name] for row in of_pool) > 0
    assert all(row.provisional for row in (*of_pool, *of_shares))
    known_ug, of_pool_ug = (sum(row.carbon_ug or 0 for row in some) for some in (of_shares, of_pool))
    assert abs(known_ug - of_pool_ug) <= 2  # each line is rounded once


def test_a_volume_that_is_missing_leaves_its_share_with_the_operator_until_it_comes(
    database: Database,
) -> None:
    with database.write(Operator()) as session:
        a_platform(session, START, 3, KWH)
        tells(session, 7, 2, MARCH, 300)
        tells(session, 8, 2, MARCH, 300)
        tells(session, 9, 2, date(2026, 1, 1), 600)
        reckon_all(session)
        foix, reunion, pamiers = (
            *lines_of(session, LineKind.SHARE),
            *lines_of(session, LineKind.UNALLOCATED),
        )
        assert (foix.energy_mj, reunion.energy_mj, pamiers.energy_mj) == (
            3 * KWH // 4,
            3 * KWH // 4,
            3 * KWH // 2,
        )
        assert (pamiers.tenant_id, pamiers.subscription, pamiers.counts) == (OPERATOR_TENANT, None, True)
        assert pamiers.terms["missing"] == {"tenant_id": 9, "subscription": 2}
        assert (pamiers.terms["share"]["origin"], foix.terms["share"]["missing"]) == ("last_volume", 1)
        priced = session.scalars(select(b.CarbonLine).where(b.CarbonLine.kind == LineKind.SHARE)).all()
        assert all(row.provisional for row in priced)
        tells(session, 9, 2, MARCH, 100)
        reckon_all(session)
        assert lines_of(session, LineKind.UNALLOCATED) == []
        energies = [row.energy_mj for row in shared(session)]
        assert energies == [4_628_571_429, 4_628_571_428, 1_542_857_143]
        tells(session, 9, 2, MARCH, None)
        reckon_all(session)
        assert [row.terms["missing"]["tenant_id"] for row in lines_of(session, LineKind.UNALLOCATED)] == [9]


def test_a_pool_that_nobody_takes_or_used_is_unallocated_as_a_whole(database: Database) -> None:
    with database.write(Operator()) as session:
        a_platform(session, START, 3, KWH)
        a_platform(session, START, 2, KWH, service_code="finance", host="srv-09", workload="ledger")
        for tenant_id in (7, 8, 9):
            tells(session, tenant_id, 2, MARCH, 0)
        reckon_all(session)
        (nobody,) = lines_of(session, LineKind.UNALLOCATED, service_code="finance")
        (unused,) = lines_of(session, LineKind.UNALLOCATED)
        assert lines_of(session, LineKind.SHARE, LineKind.SHARE) == []
    assert (nobody.energy_mj, nobody.terms["missing"]) == (2 * KWH, {"reason": "no_subscriber"})
    assert (unused.energy_mj, unused.terms["missing"]) == (3 * KWH, {"reason": "no_volume"})


def test_a_key_holds_from_its_month_on_and_another_of_the_same_month_takes_its_place(
    database: Database,
) -> None:
    with database.write(Operator()) as session:
        a_platform(session, START, 3, KWH)
        a_platform(session, END, 3, KWH, host="platform-02")
        reckon_all(session)
        assert key(session, SharingKeyKind.SUBSCRIPTION, APRIL) == 1
        reckon_all(session)
        by_month = {row.month: row.terms["share"] for row in shared(session)}
        assert (by_month[MARCH]["key"], by_month[MARCH]["key_version"]) == ("volume", 0)
        assert (by_month[APRIL]["key"], by_month[APRIL]["key_from"]) == ("subscription", "2026-04-01")
        with pytest.raises(Conflict):
            key(session, SharingKeyKind.SUBSCRIPTION, APRIL)
        with pytest.raises(Invalid):
            key(session, SharingKeyKind.VOLUME, date(2026, 4, 2))
        assert key(session, SharingKeyKind.VOLUME, APRIL) == 2
        reckon_all(session)
        assert {row.terms["share"]["key_version"] for row in shared(session) if row.month == APRIL} == {2}
        assert len(session.scalars(select(b.SharingKey)).all()) == 2


def test_a_network_is_split_by_the_energy_of_what_it_serves(database: Database) -> None:
    with database.write(Operator()) as session:
        claims = [(7, "vm-7", 4_000), (8, "vm-8", 1_000)]
        for tenant_id, name, _ in claims:
            _claim(session, tenant_id, name)
        hours_of(session, "srv-01", START, 2, {name: mj for _, name, mj in claims})
        a_platform(session, START, 1, 10_000, workload="router")
        key(session, SharingKeyKind.IT_ENERGY)
        reckon_all(session)
        assert [(row.tenant_id, row.energy_mj) for row in shared(session)] == [(7, 8_000), (8, 2_000), (9, 0)]
        _claim(session, 9, "vm-9")
        hours_of(session, "srv-02", START, 1, {"vm-9": 10_000})
        reckon_all(session)
        assert [(row.tenant_id, row.energy_mj) for row in shared(session)] == [
            (7, 4_000),
            (8, 1_000),
            (9, 5_000),
        ]


def test_who_subscribes_no_more_keeps_no_share_and_the_others_take_it(database: Database) -> None:
    with database.write(Operator()) as session:
        a_platform(session, START, 3, 1_000)
        key(session, SharingKeyKind.SUBSCRIPTION)
        reckon_all(session)
        assert [row.tenant_id for row in shared(session)] == [7, 8, 9]
        end_subscription(session, 8, 2, ends_on=date(2026, 2, 28), note="Erreur", now=NOW)
        reckon_all(session)
        assert [(row.tenant_id, row.energy_mj) for row in shared(session)] == [(7, 1_500), (9, 1_500)]
        priced = session.scalars(select(b.CarbonLine).where(b.CarbonLine.kind == LineKind.SHARE)).all()
        assert {row.tenant_id for row in priced} == {7, 9}
        takes(session, 9, contract="Second")
        reckon_all(session)
        assert [(row.tenant_id, row.subscription, row.energy_mj) for row in shared(session)] == [
            (7, 2, 1_000),
            (9, 2, 1_000),
            (9, 3, 1_000),
        ]


def test_shares_go_with_the_claim_that_made_the_pool(database: Database) -> None:
    with database.write(Operator()) as session:
        a_platform(session, START, 3, KWH)
        reckon_all(session)
        assert shared(session)
        (claim,) = session.scalars(select(k.ServiceClaim))
        end_service_claim(session, claim.service_claim_id, last_day=date(2025, 12, 31), now=NOW)
        reckon_all(session)
        assert (pool(session), shared(session)) == ([], [])
        assert (
            session.scalars(select(b.CarbonLine).where(b.CarbonLine.kind.in_(("share", "pool")))).all() == []
        )


def test_a_platform_at_two_sites_is_shared_with_what_each_takes(database: Database) -> None:
    with database.write(Operator()) as session:
        a_host(session, "platform-02", site="ami")
        a_platform(session, START, 2, 1_001)
        a_platform(session, START, 2, 999, host="platform-02", workload="replica", site="ami")
        a_metered_month(session, "tls", MARCH, 10_000, 15_000)
        a_metered_month(session, "ami", MARCH, 10_000, 12_000)
        for tenant_id in (7, 8):
            tells(session, tenant_id, 2, MARCH, 10)
        reckon_all(session)
        by_site = {row.site: row for row in pool(session)}
        rows = shared(session)
        found = check_months(session, START - timedelta(days=1), END + timedelta(days=1))
    assert len(rows) == 6
    for site, whole in by_site.items():
        there = [row for row in rows if row.site == site]
        assert total(there, "energy_mj") == whole.energy_mj
        assert total(there, "overhead_mj") == whole.overhead_mj
    assert by_site["tls"].overhead_mj == 1_001
    assert (found.share_residue_mj, found.site_residue_mj) == (0, 0)


def test_storage_that_a_site_meters_is_the_pool_of_the_service_it_is_assigned_to(database: Database) -> None:
    with database.write(Operator()) as session:
        a_metered_month(session, "tls", MARCH, 10_000, 15_000, storage=4_000, backup=1_000)
        intensity(session, START, (END - START) // HOUR, 20_000)
        assign_meter(session, "tls", Quantity.STORAGE, SERVICE, valid_from=MARCH, now=NOW, by="test")
        for tenant_id, gigabytes in ((7, 3), (8, 1), (9, 0)):
            tells(session, tenant_id, 2, MARCH, gigabytes)
        reckon_all(session)
        (whole,) = pool(session)
        assert (whole.energy_mj, whole.overhead_mj, whole.measured_mj, whole.counts) == (
            4_000,
            2_000,
            4_000,
            False,
        )
        assert [(row.tenant_id, row.energy_mj, row.overhead_mj) for row in shared(session)] == [
            (7, 3_000, 1_500),
            (8, 1_000, 500),
            (9, 0, 0),
        ]
        assert _rest(session, LineKind.IT_REST) == 6_000
        hourly = session.scalars(select(b.CarbonLine).where(b.CarbonLine.basis == Basis.HOURLY_DIRECT)).all()
        assert sum(row.covered_mj for row in hourly if row.kind is LineKind.SHARE) == 6_000
        found = check_months(session, START - timedelta(days=1), END + timedelta(days=1))
        assert found.holds
        assert found.site_months == 1
        assign_meter(session, "tls", Quantity.STORAGE, None, valid_from=MARCH, now=NOW, by="test")
        reckon_all(session)
        assert (pool(session), shared(session)) == ([], [])
        assert _rest(session, LineKind.IT_REST) == 10_000


def test_what_meters_tell_is_priced_by_the_hours_of_a_grid_that_come_later(database: Database) -> None:
    with database.write(Operator()) as session:
        a_metered_month(session, "tls", MARCH, 10_000, 15_000, storage=4_000)
        assign_meter(session, "tls", Quantity.STORAGE, SERVICE, valid_from=MARCH, now=NOW, by="test")
        for tenant_id, gigabytes in ((7, 2), (8, 1), (9, 1)):
            tells(session, tenant_id, 2, MARCH, gigabytes)
        reckon_all(session)
        for portion in portions(half_hours((END - START) // HOUR, START)):
            take(session, "FR", portion, now=NOW)
        reckon_all(session)
        hourly = session.scalars(select(b.CarbonLine).where(b.CarbonLine.basis == Basis.HOURLY_DIRECT)).all()
        covered = {kind: sum(row.covered_mj for row in hourly if row.kind is kind) for kind in LineKind}
    assert covered[LineKind.POOL] == covered[LineKind.SHARE] == 6_000


def test_a_month_is_not_final_while_a_volume_is_missing_of_whoever_it_is(database: Database) -> None:
    with database.write(Operator()) as session:
        a_metered_month(session, "tls", MARCH, 10_000, 15_000, storage=4_000)
        assign_meter(session, "tls", Quantity.STORAGE, SERVICE, valid_from=MARCH, now=NOW, by="test")
        tells(session, 7, 2, MARCH, 1)
        tells(session, 8, 2, MARCH, 1)
        takes(session, 8, status=Status.DRAFT, contract="Second")  # has nothing to tell yet
        reckon_all(session)
        seen = {one: month_seen(session, one, MARCH, NOW) for one in (OPERATOR_TENANT, 7, 8, 9)}
    assert {one: Doubt.VOLUME in told.doubts for one, told in seen.items()} == dict.fromkeys(seen, True)
    missing = {one: told.inputs.missing_volumes for one, told in seen.items()}
    assert missing == {OPERATOR_TENANT: (), 7: (), 8: (), 9: (2,)}


def test_a_statement_says_that_a_share_is_missing_and_is_not_final(database: Database) -> None:
    with database.write(Operator()) as session:
        _claim(session, 9, "vm-9")
        hours_of(session, "srv-02", START, (END - START) // HOUR, {"vm-9": KWH})
        a_platform(session, START, 3, KWH, host="platform-02")
        a_metered_month(session, "tls", MARCH, 1_000 * KWH, 1_500 * KWH)
        session.add(
            b.EmissionFactor(
                factor_id="test-2026", publisher="ADEME", title="Mix", vintage=2026, geography="FRA",
                perimeter=Perimeter.CONSUMPTION_LIFE_CYCLE, intensity_mg_per_kwh=50_000, licence="LO",
                source="test", confirmed=True, known_since=date(2027, 1, 1),
            )
        )  # fmt: skip
        tells(session, 7, 2, MARCH, 3)
        tells(session, 8, 2, MARCH, 3)
        reckon_all(session)
        without = month_figures(session, 9, MARCH, now=NOW, by="test")
        tells(session, 9, 2, MARCH, 3)
        reckon_all(session)
        told = month_figures(session, 9, MARCH, now=NOW, by="test")
    assert (without.status, without.missing_volumes) == (StatementStatus.PROVISIONAL, (2,))
    assert (told.status, told.missing_volumes) == (StatementStatus.FINAL, ())


def test_a_month_that_a_meter_tells_in_part_is_no_pool(database: Database) -> None:
    with database.write(Operator()) as session:
        a_metered_month(session, "tls", MARCH, 10_000, 15_000)
        session.add(_measure(START, END - HOUR))
        assign_meter(session, "tls", Quantity.NETWORK, SERVICE, valid_from=MARCH, now=NOW, by="test")
        reckon_all(session)
        assert (pool(session), shared(session)) == ([], [])
        assert _rest(session, LineKind.IT_REST) == 10_000


def test_meters_beside_hosts_above_the_it_are_refused_with_the_three_values(database: Database) -> None:
    with database.write(Operator()) as session:
        hours_of(session, "srv-01", START, 1, {"vm": 7_000})
        a_metered_month(session, "tls", MARCH, 10_000, 15_000, storage=4_000)
        reckon_all(session)
        month = session.get_one(b.SiteMonth, ("tls", MARCH))
    assert month.terms["values"] == {"it": 10_000, "hosts": 7_000, "pools": 4_000}
    assert month.overhead_mj is None


def test_only_storage_backup_and_network_are_assigned_from_the_first_of_a_month(database: Database) -> None:
    with database.write(Operator()) as session:
        for quantity, code, day in (
            (Quantity.IT, SERVICE, MARCH),
            (Quantity.STORAGE, "nothing", MARCH),
            (Quantity.STORAGE, SERVICE, date(2026, 3, 2)),
        ):
            with pytest.raises(Invalid):
                assign_meter(session, "tls", quantity, code, valid_from=day, now=NOW, by="test")


def test_what_is_open_of_a_closed_month_does_not_count(database: Database) -> None:
    with database.write(Operator()) as session:
        session.add(
            b.CarbonMonth(
                tenant_id=7, month=MARCH, revision=1, inputs="{}", sha256="0", provisional=True, energy_mj=0,
                causes={}, closed_at=NOW, closed_by="test",
            )
        )  # fmt: skip
        a_platform(session, START, 3, KWH)
        key(session, SharingKeyKind.SUBSCRIPTION)
        reckon_all(session)
        assert [(row.tenant_id, row.counts) for row in shared(session)] == [(7, False), (8, True), (9, True)]


@pytest.mark.parametrize(("month", "hours"), [(date(2026, 3, 1), 743), (date(2026, 10, 1), 745)])
def test_a_share_is_of_the_operators_month_also_where_clocks_change_and_far_away(
    database: Database, month: date, hours: int
) -> None:
    start, end = month_bounds(month, PARIS)
    with database.write(Operator()) as session:
        a_platform(session, start - 5 * HOUR, hours + 10, 3)
        key(session, SharingKeyKind.SUBSCRIPTION)
        reckon_all(session)
        rows = [row for row in shared(session) if row.month == month]
        assert (total(rows, "energy_mj"), {row.hours for row in rows}) == (3 * hours, {hours})
        assert {row.since for row in rows} == {start}
        assert sum(row.energy_mj for row in shared(session)) == 3 * (hours + 10)
    assert month_bounds(month, ZoneInfo("Indian/Reunion"))[0] < start < end


def test_splitting_twice_and_in_any_order_gives_the_same_rows(database: Database) -> None:
    with database.write(Operator()) as session:
        a_platform(session, START, 3, 1_000_003)
        tells(session, 7, 2, MARCH, 11)
        tells(session, 8, 2, MARCH, 31)
        reckon_all(session)
        before = state(session)
        make_due(session, Step.SERVICE, [(SERVICE, MARCH)], now=NOW)
        reckon_all(session)
        assert state(session) == before
        tells(session, 8, 2, MARCH, None)
        tells(session, 7, 2, MARCH, 5)
        tells(session, 8, 2, MARCH, 31)
        tells(session, 7, 2, MARCH, 11)
        reckon_all(session)
        assert state(session) == before


def test_shares_stay_when_the_adherents_own_month_is_reckoned_or_priced_again(database: Database) -> None:
    with database.write(Operator()) as session:
        _claim(session, 7, "vm-7")
        hours_of(session, "srv-01", START, 2, {"vm-7": 4_000})
        a_platform(session, START, 3, 1_000_003)
        a_metered_month(session, "tls", MARCH, 5_000_000, 7_700_003)
        intensity(session, START, 2, 20_111)
        key(session, SharingKeyKind.SUBSCRIPTION)
        reckon_all(session)
        before = state(session)
        make_months_due(session, [(7, MARCH), (OPERATOR_TENANT, MARCH)], now=NOW)
        reckon_all(session)
        assert state(session) == before
        make_due(session, Step.PRICES, [("7", MARCH), ("8", MARCH)], now=NOW)
        make_due(session, Step.SITE, [("tls", MARCH)], now=NOW)
        reckon_all(session)
        assert state(session) == before
        assert {row[1] for row in before if len(row) == 5} == {Basis.YEARLY_AVERAGE, Basis.HOURLY_DIRECT}


def test_a_pue_that_comes_later_comes_to_the_shares(database: Database) -> None:
    with database.write(Operator()) as session:
        a_platform(session, START, 3, 1_000_000)
        key(session, SharingKeyKind.SUBSCRIPTION)
        reckon_all(session)
        assert {row.overhead_mj for row in shared(session)} == {None}
        a_metered_month(session, "tls", MARCH, 4_000_000, 6_000_000)
        reckon_all(session)
        assert {row.overhead_mj for row in shared(session)} == {500_000}


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pools=st.lists(
        st.tuples(st.integers(0, 10**12), st.sampled_from(["tls", "ami"])), min_size=1, max_size=3
    ),
    volumes=st.lists(st.none() | st.integers(0, 10**9), min_size=1, max_size=4),
    overhead_mj=st.integers(0, 10**12),
    storage_mj=st.none() | st.integers(0, 10**12),
    known=st.integers(0, 3),
)
def test_whatever_is_told_shares_and_what_is_unallocated_are_the_pool(
    database: Database,
    pools: list[tuple[int, str]],
    volumes: list[int | None],
    overhead_mj: int,
    storage_mj: int | None,
    known: int,
) -> None:
    an_empty_database(database)
    with database.write(Operator()) as session:
        sites_again(session)
        for number, volume in enumerate(volumes, start=20):
            an_adherent(
                session, number, f"CH {number}", zone="Indian/Reunion" if number % 2 else "Europe/Paris"
            )
            taken = takes(session, number)
            if volume is not None:
                tells(session, number, taken, MARCH, volume)
        intensity(session, START, known, 12_345)
        for number, (mj, site) in enumerate(pools):
            a_host(session, f"h-{number}", site=site)
            a_platform(session, START, 2, mj, host=f"h-{number}", workload=f"w-{number}", site=site)
        it_mj = 2 * sum(mj for mj, _ in pools) + (storage_mj or 0) + 7
        a_metered_month(session, "tls", MARCH, it_mj, it_mj + overhead_mj)
        if storage_mj is not None:
            a_metered_month(session, "tls", MARCH, it_mj, it_mj + overhead_mj, storage=storage_mj)
            assign_meter(session, "tls", Quantity.STORAGE, SERVICE, valid_from=MARCH, now=NOW, by="test")
        reckon_all(session)
        whole, rows = pool(session), shared(session)
        assert sum(row.energy_mj for row in whole) == 2 * sum(mj for mj, _ in pools) + (storage_mj or 0)
        for site in ("tls", "ami"):
            of_site = [row for row in whole if row.site == site]
            parts = [row for row in rows if row.site == site]
            for name in ("energy_mj", "measured_mj", "modelled_mj", "declared_mj", "overhead_mj", "water_ml"):
                assert total(parts, name) == total(of_site, name), name
        assert {row.tenant_id for row in rows if row.kind is LineKind.UNALLOCATED} <= {OPERATOR_TENANT}
        hourly = session.scalars(select(b.CarbonLine).where(b.CarbonLine.basis == Basis.HOURLY_DIRECT)).all()
        for name in ("known_mj", "mg_mj"):
            of_pool = sum(row.terms[name] for row in hourly if row.kind is LineKind.POOL)
            assert of_pool == sum(row.terms[name] for row in hourly if row.kind in ("share", "unallocated"))
        assert check_months(session, START - timedelta(days=40), END + timedelta(days=40)).holds


def _claim(session: Session, tenant_id: int, workload: str) -> None:
    host = "srv-02" if workload == "vm-9" else "srv-01"
    session.add(
        c.WorkloadClaim(
            tenant_id=tenant_id, subscription=1, host_id=m.stable_id(host), host_name=host,
            workload_id=m.stable_id(workload), workload_name=workload,
            valid_from=START, claimed_by="test", claimed_at=START,
        )
    )  # fmt: skip
    session.flush()


def _rest(session: Session, kind: LineKind) -> int:
    return sum(row.energy_mj for row in session.scalars(select(b.MonthLine).where(b.MonthLine.kind == kind)))


def _measure(start: object, end: object) -> s.SiteMeasure:
    return s.SiteMeasure(
        site="tls", quantity=Quantity.NETWORK, category=0, meter="site", started_at=start, ended_at=end,
        amount=500, quality="measured", recorded_by="test", recorded_at=NOW,
    )  # fmt: skip
