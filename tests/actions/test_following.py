"""Virtual machines move from host to host, and belong to the same holder wherever they run."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from collectors.reading import Kind, Reading, Use
from console.actions.claims import claim_for_service, claim_workload, end_claim
from console.actions.ingest import forget_readings, ingest
from console.actions.metering import hours_due, meter_hour, meter_waiting
from console.actions.quarantine import accept
from console.domain.claims import OPERATOR_TENANT
from console.domain.hours import HOUR
from console.store.models import catalogue as c
from console.store.models import contract as k
from console.store.models import measurement as m
from console.store.models import tenant as t
from console.store.queries import ledger
from console.store.queries.coverage import coverage_of
from console.store.session import Database, Operator
from tests import given as past
from tests.readings import batch, measured, reading

UID = "4c4c4544-0051-3710-8052-b9c04f565931"
MACHINE = m.workload_key("web", UID)
DAY = datetime.fromisoformat("2026-11-25T00:00+00:00")
NOW = DAY + timedelta(days=2)
CHU, GHT = 7, 8
HOSTS = ("srv-01", "srv-02", "srv-03")


@pytest.fixture
def database(database: Database) -> Database:
    prepare(database)
    return database


def prepare(database: Database) -> None:
    with database.write(Operator()) as session:
        for tenant_id in (CHU, GHT):
            past.an_adherent(session, tenant_id, f"adherent {tenant_id}", zone="UTC")


def ran(host: str, hour: int, uid: str | None = UID, name: str = "web") -> tuple[str, Reading]:
    """Ten minutes of a machine on a host: 60 kJ, of which the machine used nine tenths."""
    one = reading(
        hour + 1,
        measured(60_000_000),
        started_at=DAY + hour * HOUR + timedelta(minutes=5),
        duration=timedelta(minutes=10),
        **{name: 9_000},
    )
    (use,) = one.workloads
    return host, replace(one, workloads=(Use(name, Kind.VM, use.cpu_ms, 2_000, 4_096, uid=uid),))


def take_in(database: Database, *told: tuple[str, Reading], meters: bool = True) -> None:
    with database.write(Operator()) as session:
        for host, one in told:
            ingest(session, batch(one, host=host), now=NOW)
    if meters:
        meter(database)


def meter(database: Database) -> None:
    with database.write(Operator()) as session:
        for host_id, hour in sorted(hours_due(session, now=NOW)):
            meter_hour(session, host_id, hour, now=NOW)


def claim(database: Database, host: str, tenant_id: int = CHU, last_day: date | None = None) -> int:
    with database.write(Operator()) as session:
        return claim_workload(
            session,
            tenant_id=tenant_id,
            subscription=1,
            host_id=m.stable_id(host),
            workload_id=MACHINE,
            first_day=DAY.date(),
            last_day=last_day,
            now=NOW,
            by="ana",
        )


def holders(database: Database) -> dict[tuple[str, int], int]:
    """Whose the machine was, by host and hour."""
    line = t.EnergyLine
    names = {m.stable_id(host): host for host in HOSTS}
    with database.read(Operator()) as session:
        rows = session.execute(
            select(line.host_id, line.hour, line.tenant_id).where(line.workload_id == MACHINE)
        )
        return {(names[host_id], int((hour - DAY) / HOUR)): tenant_id for host_id, hour, tenant_id in rows}


def residue(database: Database, now: datetime = NOW) -> int:
    with database.read(Operator()) as session:
        return ledger.check(session, DAY - HOUR, NOW, now=now).residue_mj


@pytest.mark.both_databases
def test_a_machine_that_moves_is_still_its_holders_and_when_it_returns(database: Database) -> None:
    take_in(database, ran("srv-01", 8))
    claim(database, "srv-01")
    take_in(database, ran("srv-02", 9), ran("srv-01", 10), ran("srv-02", 11), ran("srv-03", 12))
    assert holders(database) == {
        ("srv-01", 8): CHU,
        ("srv-02", 9): CHU,
        ("srv-01", 10): CHU,
        ("srv-02", 11): CHU,
        ("srv-03", 12): CHU,
    }
    with database.read(Operator()) as session:
        claims = session.scalars(select(c.WorkloadClaim).order_by(c.WorkloadClaim.claim_id)).all()
    assert [(one.host_name, one.valid_from, one.claimed_by, one.follows) for one in claims] == [
        ("srv-01", DAY, "ana", None),
        ("srv-02", DAY + 9 * HOUR, "console", claims[0].claim_id),
        ("srv-03", DAY + 12 * HOUR, "console", claims[0].claim_id),
    ]
    assert residue(database) == 0


def test_a_statement_has_the_hosts_metered_that_a_machine_moved_to(database: Database) -> None:
    take_in(database, ran("srv-01", 8))
    claim(database, "srv-01")
    take_in(database, ran("srv-02", 9), meters=False)
    with database.write(Operator()) as session:
        meter_waiting(session, CHU, DAY, NOW, now=NOW)
    assert holders(database) == {("srv-01", 8): CHU, ("srv-02", 9): CHU}


def claim_by_name(database: Database, host: str, name: str = "web") -> None:
    with database.write(Operator()) as session:
        claim_workload(
            session,
            tenant_id=CHU,
            subscription=1,
            host_id=m.stable_id(host),
            workload_id=m.workload_key(name, None),
            first_day=DAY.date(),
            now=NOW,
            by="ana",
        )


def by_hour(database: Database) -> dict[tuple[str, int], int]:
    """Whose all that ran was, machines and names, by host and hour."""
    line, names = t.EnergyLine, {m.stable_id(host): host for host in HOSTS}
    with database.read(Operator()) as session:
        rows = session.execute(
            select(line.host_id, line.hour, line.tenant_id).where(line.workload_id > m.UNATTRIBUTED)
        )
        return {(names[host_id], int((hour - DAY) / HOUR)): tenant_id for host_id, hour, tenant_id in rows}


def test_a_machine_that_was_told_by_its_name_alone_keeps_its_holder_once_its_uid_is_told(
    database: Database,
) -> None:
    take_in(database, ran("srv-01", 8, uid=None), ran("srv-01", 10))
    claim_by_name(database, "srv-01")
    take_in(database, ran("srv-01", 11), ran("srv-02", 12), ran("srv-01", 9, uid=None))
    whose = {("srv-01", hour): CHU for hour in (8, 9, 10, 11)} | {("srv-02", 12): CHU}
    assert by_hour(database) == whose
    assert residue(database) == 0
    with database.read(Operator()) as session:
        claims = session.scalars(select(c.WorkloadClaim).order_by(c.WorkloadClaim.claim_id)).all()
        held = [(one.workload_id, one.valid_from, one.valid_to, one.claimed_by) for one in claims]
    assert held == [
        (m.workload_key("web", None), DAY, DAY + 12 * HOUR, "ana"),
        (MACHINE, DAY, None, "console"),
        (MACHINE, DAY + 12 * HOUR, None, "console"),
    ]


def test_of_two_machines_of_one_name_nobody_knows_which_was_claimed_by_it(database: Database) -> None:
    take_in(database, ran("srv-01", 8, uid=None), ran("srv-01", 9, uid="another"), ran("srv-01", 10))
    claim_by_name(database, "srv-01")
    take_in(database, ran("srv-01", 11))
    assert by_hour(database) == {
        ("srv-01", 8): CHU,
        ("srv-01", 9): OPERATOR_TENANT,
        ("srv-01", 10): OPERATOR_TENANT,
        ("srv-01", 11): OPERATOR_TENANT,
    }


def test_a_claim_on_a_name_is_of_its_host_alone(database: Database) -> None:
    take_in(database, ran("srv-01", 8, uid=None), ran("srv-02", 8, uid=None))
    claim_by_name(database, "srv-01")
    take_in(database, ran("srv-02", 9))
    assert by_hour(database)["srv-02", 9] == OPERATOR_TENANT


def test_a_claim_of_long_ago_follows_to_where_the_machine_went_before_readings_are_kept(
    database: Database,
) -> None:
    take_in(database, ran("srv-01", 8), ran("srv-02", 9), ran("srv-02", 11), ran("srv-03", 12))
    later = DAY + timedelta(days=45)
    with database.write(Operator()) as session:
        assert forget_readings(session, now=later) == 4
        claimed = {"tenant_id": CHU, "subscription": 1, "workload_id": MACHINE, "by": "ana"}
        claim_workload(session, host_id=m.stable_id("srv-01"), first_day=DAY.date(), now=later, **claimed)
    with database.write(Operator()) as session:
        for host_id, hour in hours_due(session, now=later):
            meter_hour(session, host_id, hour, now=later)
    assert holders(database) == {
        ("srv-01", 8): CHU,
        ("srv-02", 9): CHU,
        ("srv-02", 11): CHU,
        ("srv-03", 12): CHU,
    }
    assert residue(database, later) == 0


def test_a_reading_that_is_let_in_too_late_brings_the_claim_on_its_machine_along(database: Database) -> None:
    take_in(database, ran("srv-01", 8))
    claim(database, "srv-01")
    later = DAY + timedelta(days=45)
    host, late = ran("srv-02", 9)
    with database.write(Operator()) as session:
        ingest(session, batch(late, host=host), now=later)
        fingerprint = session.scalars(select(m.QuarantinedReading.fingerprint)).one()
        accept(session, m.stable_id(host), fingerprint, note=None, now=later, by="ana")
    assert holders(database) == {("srv-01", 8): CHU, ("srv-02", 9): CHU}
    assert residue(database, later) == 0


def test_what_is_due_of_a_machine_that_moved_is_the_host_it_ran_on(database: Database) -> None:
    take_in(database, ran("srv-01", 8))
    claim(database, "srv-01")
    take_in(database, *(ran("srv-02", hour) for hour in range(9, 14)))
    others = (ran("srv-01", hour, uid="another", name="other") for hour in range(14, 20))
    take_in(database, *others)  # it is still on srv-02, of which nothing is known any more
    with database.read(Operator()) as session:
        told = coverage_of(session, CHU, DAY + 8 * HOUR, DAY + 14 * HOUR)
        unknown = coverage_of(session, CHU, DAY + 14 * HOUR, DAY + 20 * HOUR)
        both = coverage_of(session, CHU, DAY + 8 * HOUR, DAY + 20 * HOUR)
    assert (told.covered_hours, told.elapsed_hours) == (1, 6)  # ten minutes of each
    assert (unknown.covered_hours, unknown.elapsed_hours) == (0, 6)
    assert (both.covered_hours, both.elapsed_hours) == (1, 12)


def test_a_machine_keeps_its_holder_under_another_name_and_one_of_its_name_is_another(
    database: Database,
) -> None:
    take_in(database, ran("srv-01", 8))
    claim(database, "srv-01")
    take_in(database, ran("srv-01", 9, name="web-old"), ran("srv-01", 10, uid="another", name="web"))
    assert holders(database) == {("srv-01", 8): CHU, ("srv-01", 9): CHU}
    with database.read(Operator()) as session:
        names = session.execute(
            select(m.Workload.name, m.Workload.uid).where(m.Workload.uid.is_not(None))
        ).all()
    assert {(name, uid) for name, uid in names} == {("web-old", UID), ("web", "another")}


def test_a_claim_made_after_the_machine_moved_follows_it_to_where_it_went(database: Database) -> None:
    take_in(database, ran("srv-01", 8), ran("srv-02", 9), ran("srv-02", 10))
    claim(database, "srv-01")
    meter(database)
    assert set(holders(database).values()) == {CHU}
    assert residue(database) == 0


def test_an_ended_claim_ends_where_it_was_carried_on_and_is_not_revived(database: Database) -> None:
    take_in(database, ran("srv-01", 8))
    number = claim(database, "srv-01")
    take_in(database, ran("srv-02", 9), ran("srv-02", 30))
    with database.write(Operator()) as session:
        end_claim(session, CHU, number, last_day=DAY.date(), now=NOW)
    take_in(database, ran("srv-02", 31), ran("srv-01", 32), ran("srv-03", 33))
    assert holders(database) == {
        ("srv-01", 8): CHU,
        ("srv-02", 9): CHU,
        ("srv-02", 30): OPERATOR_TENANT,
        ("srv-02", 31): OPERATOR_TENANT,
        ("srv-01", 32): OPERATOR_TENANT,
        ("srv-03", 33): OPERATOR_TENANT,
    }


def test_a_claim_that_was_ended_on_one_host_alone_is_not_revived_there(database: Database) -> None:
    take_in(database, ran("srv-01", 8))
    claim(database, "srv-01")
    take_in(database, ran("srv-02", 9))
    with database.write(Operator()) as session:
        carried = session.scalars(select(c.WorkloadClaim).where(c.WorkloadClaim.follows.is_not(None))).one()
        end_claim(session, CHU, carried.claim_id, last_day=DAY.date(), now=NOW)
    take_in(database, ran("srv-02", 30), ran("srv-01", 31))
    assert holders(database)["srv-02", 30] == OPERATOR_TENANT
    assert holders(database)["srv-01", 31] == CHU


def test_a_machine_that_serves_everyone_does_so_wherever_it_runs(database: Database) -> None:
    take_in(database, ran("srv-01", 8))
    with database.write(Operator()) as session:
        service = session.scalars(select(c.Service.code).order_by(c.Service.code)).first()
        claim_for_service(
            session,
            service_code=str(service),
            host_id=m.stable_id("srv-01"),
            workload_id=MACHINE,
            first_day=DAY.date(),
            now=NOW,
            by="ana",
        )
    take_in(database, ran("srv-02", 9))
    with database.read(Operator()) as session:
        carried = session.scalars(select(k.ServiceClaim).where(k.ServiceClaim.follows.is_not(None))).one()
        line = session.scalars(
            select(t.EnergyLine).where(
                t.EnergyLine.workload_id == MACHINE, t.EnergyLine.hour == DAY + 9 * HOUR
            )
        ).one()
    assert (carried.host_name, carried.service_code) == ("srv-02", service)
    assert (line.tenant_id, line.service_code, line.claim_id) == (OPERATOR_TENANT, service, carried.claim_id)


def test_a_machine_that_two_holders_claim_belongs_to_neither_by_itself(database: Database) -> None:
    take_in(database, ran("srv-01", 8), ran("srv-02", 8))
    claim(database, "srv-01", CHU)
    claim(database, "srv-02", GHT)
    take_in(database, ran("srv-03", 9))
    assert holders(database)["srv-03", 9] == OPERATOR_TENANT


def test_metering_an_hour_again_makes_no_other_claim(database: Database) -> None:
    take_in(database, ran("srv-01", 8))
    claim(database, "srv-01")
    take_in(database, ran("srv-02", 9))
    with database.write(Operator()) as session:
        hour = DAY + 9 * HOUR
        session.add(m.HourDue(host_id=m.stable_id("srv-02"), hour=hour, due_at=NOW, waits_since=NOW))
    meter(database)
    with database.read(Operator()) as session:
        assert session.scalar(select(func.count()).select_from(c.WorkloadClaim)) == 2


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from(HOSTS), st.integers(6, 12)), min_size=2, max_size=6, unique=True),
    st.none() | st.just(DAY.date()),
    st.randoms(use_true_random=False),
)
def test_hours_that_come_late_or_out_of_order_give_the_same_holders(database, told, last_day, rng) -> None:
    found = []
    for order in (sorted(told, key=lambda one: one[1]), rng.sample(told, len(told))):
        past.an_empty_database(database)
        prepare(database)
        take_in(database, ran("srv-01", 5))
        claim(database, "srv-01", last_day=last_day)
        for host, hour in order:
            take_in(database, ran(host, hour), meters=rng.random() < 0.7)
        meter(database)
        with database.read(Operator()) as session:
            rows = session.scalars(select(c.WorkloadClaim))
            claims = {(row.host_name, row.valid_from, row.valid_to) for row in rows}
            told_to = session.execute(
                select(t.CoverageHour.tenant_id, t.CoverageHour.host_id, t.CoverageHour.hour)
            )
            found.append((holders(database), claims, {tuple(row) for row in told_to}))
        assert residue(database) == 0
    assert found[0] == found[1]
