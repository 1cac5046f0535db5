"""From readings to the hourly ledger, to the adherents and to their carbon."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, text

from console.actions.ingest import forget_readings, ingest, mark_due
from console.actions.metering import PACE, hours_due, meter_hour, postpone_hour
from console.actions.posting import post
from console.actions.reckoning import months_due, reckon_month
from console.domain.claims import OPERATOR_TENANT, UNCLAIMED
from console.domain.hours import HOUR
from console.store.models import carbon as b
from console.store.models import catalogue as c
from console.store.models import contract as k
from console.store.models import measurement as m
from console.store.models import tenant as t
from console.store.queries import ledger
from console.store.session import Database, Operator
from tests.given import an_empty_database
from tests.readings import MINUTE, START, batch, measured, modelled, reading

pytestmark = pytest.mark.both_databases

NOW = START + timedelta(hours=1)
LATER = START + timedelta(days=1)
HOST = m.stable_id("srv-01")
WEB = m.stable_id("web")
CIO = 7


@pytest.fixture
def database(database: Database) -> Database:
    with database.write(Operator()) as session:
        for tenant_id, kind in ((OPERATOR_TENANT, c.AdherentKind.OPERATOR), (CIO, c.AdherentKind.HOSPITAL)):
            name = f"adherent {tenant_id}"
            session.add(c.Adherent(tenant_id=tenant_id, name=name, kind=kind, since=date(2026, 1, 1)))
    return database


def take_in(database: Database, *readings, now=NOW) -> None:
    with database.write(Operator()) as session:
        ingest(session, batch(*readings), now=now)


def meter(database: Database, now=NOW) -> None:
    with database.write(Operator()) as session:
        for host_id, hour in hours_due(session, now=max(now, LATER)):
            assert meter_hour(session, host_id, hour, now=now)


def claim(database: Database, start=START, end=None, workload="web", claim_id=1) -> None:
    with database.write(Operator()) as session:
        row = c.WorkloadClaim(
            claim_id=claim_id,
            tenant_id=CIO,
            subscription=1,
            host_id=HOST,
            workload_id=m.stable_id(workload),
            host_name="srv-01",
            workload_name=workload,
            valid_from=start,
            valid_to=end,
            claimed_by="test",
            claimed_at=NOW,
        )
        session.add(row)


def share(database: Database, start=START, end=None, workload="web") -> None:
    """The workload serves everyone who takes a service."""
    with database.write(Operator()) as session:
        if session.get(c.Service, "s") is None:
            names = {"name_fr": "S", "name_en": "S", "unit_fr": "u", "unit_en": "u"}
            session.add(c.Service(code="s", trade=c.Trade.SOFTWARE, plan_code="p", **names))
            session.flush()
        row = k.ServiceClaim(
            service_code="s",
            host_id=HOST,
            workload_id=m.stable_id(workload),
            host_name="srv-01",
            workload_name=workload,
            valid_from=start,
            valid_to=end,
            claimed_by="test",
            claimed_at=NOW,
        )
        session.add(row)


def check(database: Database, now=NOW) -> ledger.LedgerCheck:
    with database.read(Operator()) as session:
        return ledger.check(session, START - timedelta(days=1), START + timedelta(days=1), now=now)


def energies(database: Database) -> dict[tuple[int, int], int]:
    """Energy of (adherent, workload)."""
    line = t.EnergyLine
    with database.read(Operator()) as session:
        rows = session.execute(
            select(line.tenant_id, line.workload_id, func.sum(line.energy_mj)).group_by(
                line.tenant_id, line.workload_id
            )
        )
        return {(tenant_id, workload_id): energy_mj for tenant_id, workload_id, energy_mj in rows}


def test_an_hour_is_shared_among_its_workloads_and_the_rest(database: Database) -> None:
    take_in(database, reading(1, measured(70_000), web=4_000, db=2_000))
    meter(database)
    assert energies(database) == {
        (OPERATOR_TENANT, WEB): 40_000,
        (OPERATOR_TENANT, m.stable_id("db")): 20_000,
        (OPERATOR_TENANT, m.UNATTRIBUTED): 10_000,
    }


def test_a_claimed_workload_goes_to_its_adherent_from_that_hour_on(database: Database) -> None:
    claim(database, start=START + HOUR)
    take_in(database, reading(1, measured(50_000), web=4_000))
    take_in(database, reading(61, measured(50_000), web=4_000), now=START + 2 * HOUR)
    meter(database)
    assert energies(database) == {
        (OPERATOR_TENANT, WEB): 40_000,
        (CIO, WEB): 40_000,
        (OPERATOR_TENANT, m.UNATTRIBUTED): 20_000,
    }


def test_a_claim_made_afterwards_moves_what_was_posted_and_can_be_taken_back(database: Database) -> None:
    take_in(database, reading(1, measured(50_000), web=4_000))
    meter(database)
    claim(database)
    with database.write(Operator()) as session:
        post(session, HOST, START, START + HOUR, now=NOW)
    assert energies(database)[CIO, WEB] == 40_000
    with database.write(Operator()) as session:
        session.delete(session.get(c.WorkloadClaim, 1))
        session.flush()
        post(session, HOST, START, START + HOUR, now=NOW)
    assert energies(database)[OPERATOR_TENANT, WEB] == 40_000
    assert check(database).residue_mj == 0


def test_the_strongest_instrument_counts_and_the_others_do_not(database: Database) -> None:
    take_in(database, reading(1, modelled(90_000), measured(50_000), web=4_000))
    meter(database)
    assert check(database).energy_mj == 50_000


def test_an_interval_without_a_measurement_is_not_zero_but_uncovered(database: Database) -> None:
    take_in(database, reading(1, measured(50_000), web=4_000), reading(2, web=4_000))
    meter(database)
    with database.read(Operator()) as session:
        hour = session.scalars(select(m.HostHour)).one()
    assert (hour.energy_mj, hour.covered_ms) == (50_000, 60_000)


def test_an_interval_across_two_hours_is_cut_and_adds_up(database: Database) -> None:
    across = reading(1, measured(60_001), started_at=START + HOUR - MINUTE / 4, web=4_000)
    take_in(database, across, now=START + 2 * HOUR)
    meter(database)
    with database.read(Operator()) as session:
        hours = session.scalars(select(m.HostHour).order_by(m.HostHour.hour)).all()
    assert [hour.energy_mj for hour in hours] == [15_000, 45_001]
    assert check(database).residue_mj == 0


def test_bounds_are_kept_where_every_interval_states_them_and_unknown_otherwise(database: Database) -> None:
    bounded = modelled(50_000, min_mj=25_000, max_mj=100_000)
    take_in(database, reading(1, bounded, web=4_000))
    meter(database)
    with database.read(Operator()) as session:
        line = session.scalars(select(m.WorkloadHour).where(m.WorkloadHour.workload_id == WEB)).one()
        assert (line.low_mj, line.energy_mj, line.high_mj) == (20_000, 40_000, 80_000)
    take_in(database, reading(2, modelled(50_000), web=4_000))
    meter(database)
    with database.read(Operator()) as session:
        line = session.scalars(select(m.WorkloadHour).where(m.WorkloadHour.workload_id == WEB)).one()
        assert (line.low_mj, line.energy_mj, line.high_mj) == (None, 80_000, None)


def test_a_change_of_instrument_within_an_hour_makes_two_lines(database: Database) -> None:
    take_in(database, reading(1, measured(50_000), web=4_000), reading(2, modelled(70_000), web=4_000))
    meter(database)
    with database.read(Operator()) as session:
        lines = session.execute(
            select(c.EnergySource.quality, m.WorkloadHour.energy_mj)
            .join(c.EnergySource, c.EnergySource.source_id == m.WorkloadHour.source_id)
            .where(m.WorkloadHour.workload_id == WEB)
        ).all()
    assert dict(lines) == {"measured": 40_000, "modelled": 56_000}


def test_the_energy_of_cards_is_kept_apart_in_the_hour_and_in_its_lines(database: Database) -> None:
    cards = measured(30_000, source="nvml", authority="gpu", boundary="gpu")
    server = measured(90_000, source="redfish", authority="bmc", boundary="server_input")
    one = reading(1, server, cards, web=4_000)
    use = replace(one.workloads[0], gpu_ms=60_000)
    take_in(database, replace(one, workloads=(use,), gpus=2))
    meter(database)
    with database.read(Operator()) as session:
        hour = session.scalars(select(m.HostHour)).one()
        lines = {
            line.workload_id: (line.energy_mj, line.gpu_mj)
            for line in session.scalars(select(m.WorkloadHour))
        }
    assert (hour.energy_mj, hour.gpu_mj) == (90_000, 30_000)
    assert lines == {WEB: (48_000 + 15_000, 15_000), m.UNATTRIBUTED: (12_000 + 15_000, 15_000)}
    assert check(database).residue_mj == 0


def test_an_instrument_may_have_the_longest_name_that_is_read(database: Database) -> None:
    cards = measured(10_000, source="n" * 120, authority="gpu", boundary="gpu")
    take_in(database, reading(1, measured(50_000, source="s" * 120), cards, web=4_000))
    meter(database)
    found = check(database)
    assert (found.energy_mj, found.residue_mj, found.waiting_hours) == (60_000, 0, 0)


def test_the_cpu_time_of_an_interval_across_two_hours_is_cut_between_them(database: Database) -> None:
    across = reading(1, measured(60_000), started_at=START + HOUR - MINUTE / 4, web=4_000)
    take_in(database, across, now=START + 2 * HOUR)
    meter(database)
    with database.read(Operator()) as session:
        lines = session.scalars(
            select(m.WorkloadHour.cpu_ms)
            .where(m.WorkloadHour.workload_id == WEB)
            .order_by(m.WorkloadHour.hour)
        ).all()
    assert lines == [1_000, 3_000]


def test_a_workload_keeps_what_it_reserves_and_its_last_hour_whatever_hour_comes_last(
    database: Database,
) -> None:
    def minute(number: int, reserved_mcpu: int, cpu_ms: int = 4_000):
        one = reading(number, measured(60_000), started_at=START + (number - 1) * MINUTE, web=cpu_ms)
        use = replace(one.workloads[0], reserved_mcpu=reserved_mcpu, reserved_mb=2_048)
        return replace(one, workloads=(use,))

    later = [minute(61, 2_000), minute(62, 5_000)]
    for one in (*later, minute(1, 1_000), minute(121, 4_000, cpu_ms=0)):
        take_in(database, one, now=LATER)
        meter(database)
    with database.read(Operator()) as session:
        workload = session.get_one(m.Workload, (HOST, WEB))
        means = session.scalars(
            select(m.WorkloadHour.reserved_mcpu)
            .where(m.WorkloadHour.workload_id == WEB)
            .order_by(m.WorkloadHour.hour)
        ).all()
    assert (workload.reserved_mcpu, workload.reserved_mb, workload.last_hour) == (4_000, 2_048, START + HOUR)
    assert means == [1_000, 3_500, 4_000]


def test_metering_an_hour_again_changes_nothing(database: Database) -> None:
    take_in(database, reading(1, measured(50_000), web=4_000))
    meter(database)
    before = energies(database)
    take_in(database, reading(1, measured(50_000), web=4_000))  # a duplicate makes nothing due
    with database.write(Operator()) as session:
        assert hours_due(session, now=LATER) == []
        assert not meter_hour(session, HOST, START, now=NOW)
        session.add(m.HourDue(host_id=HOST, hour=START, due_at=NOW, waits_since=NOW))
    meter(database)
    assert energies(database) == before


def test_carbon_is_reckoned_by_month_with_its_factor_and_rounded_once(database: Database) -> None:
    with database.write(Operator()) as session:
        session.add(a_factor())
    claim(database)
    take_in(database, reading(1, measured(4_500_000_000 // 1_000), web=4_000))
    meter(database)
    reckon(database)
    with database.read(Operator()) as session:
        lines = {line.tenant_id: line for line in session.scalars(select(b.CarbonLine))}
    own = lines[CIO]
    assert (own.month, own.energy_mj, own.carbon_ug) == (date(2026, 11, 1), 3_600_000, 52_000)
    assert (own.factor_id, own.intensity_mg_per_kwh, own.provisional) == ("f", 52_000, True)
    assert lines[OPERATOR_TENANT].claim_id == UNCLAIMED


def test_reckoning_again_replaces_the_open_month(database: Database) -> None:
    with database.write(Operator()) as session:
        session.add(a_factor())
    for minute in (1, 2):
        take_in(database, reading(minute, measured(50_000), web=4_000))
        meter(database)
        reckon(database)
    with database.read(Operator()) as session:
        lines = session.scalars(select(b.CarbonLine).where(b.CarbonLine.workload_id == WEB)).all()
    assert [line.energy_mj for line in lines] == [80_000]


def test_a_month_whose_hours_grow_by_the_minute_is_reckoned_at_once_and_then_at_its_pace(
    database: Database,
) -> None:
    take_in(database, reading(1, measured(60_000), web=10_000))
    meter(database)
    with database.write(Operator()) as session:
        (due,) = months_due(session, now=NOW)
        assert reckon_month(session, *due, now=NOW)
    for minute in (1, 2, 3):  # what comes later puts nothing off
        take_in(database, reading(1 + minute, measured(60_000), web=10_000), now=NOW + minute * MINUTE)
        meter(database, now=NOW + minute * MINUTE)
    with database.write(Operator()) as session:
        assert months_due(session, now=NOW + 5 * MINUTE) == []
        assert months_due(session, now=NOW + MINUTE + PACE) == [due]
        post(session, HOST, START, START + HOUR, now=NOW + 4 * MINUTE)
        assert months_due(session, now=NOW + 4 * MINUTE) == [due]


def test_the_check_finds_a_missing_millijoule_wherever_it_is(database: Database) -> None:
    take_in(database, reading(1, measured(50_000), web=4_000))
    meter(database)
    assert check(database).residue_mj == 0
    for table in ("workload_hour", "energy_line", "host_hour"):
        with database.write(Operator()) as session:
            session.execute(text(f"UPDATE {table} SET energy_mj = energy_mj + 1"))  # noqa: S608
        assert check(database).residue_mj > 0
        with database.write(Operator()) as session:
            session.execute(text(f"UPDATE {table} SET energy_mj = energy_mj - 1"))  # noqa: S608
    with database.write(Operator()) as session:
        session.execute(text("DELETE FROM reading"))
    assert check(database).residue_mj == 50_000


def test_the_check_counts_what_waits_and_what_has_a_name(database: Database) -> None:
    take_in(database, reading(1, measured(50_000), web=4_000, db=500))
    waiting = check(database)
    assert (waiting.waiting_hours, waiting.workloads, waiting.energy_mj) == (1, 0, 0)
    meter(database)
    found = check(database)
    assert (found.waiting_hours, found.workloads, found.hosts, found.hours) == (0, 2, 1, 1)
    assert found.coverage == pytest.approx(1 / 60)


def test_raw_readings_end_their_life_and_their_hours_stay(database: Database) -> None:
    take_in(database, reading(1, measured(50_000), web=4_000))
    meter(database)
    for days, forgotten in ((35, 0), (36, 1), (36, 0)):
        with database.write(Operator()) as session:
            assert forget_readings(session, now=START + timedelta(days=days)) == forgotten
    found = check(database, now=START + timedelta(days=36))
    assert (found.energy_mj, found.residue_mj) == (50_000, 0)


def test_readings_of_an_hour_that_waits_outlive_their_retention(database: Database) -> None:
    """A late one came on the last day, and nothing was metered for hours: the sum must not go to nothing."""
    take_in(database, *(reading(number, measured(60_000), web=4_000) for number in range(1, 60)))
    meter(database)
    take_in(database, reading(60, measured(60_000), web=4_000), now=START + timedelta(days=34, hours=23))
    back = START + timedelta(days=35, hours=7)
    with database.write(Operator()) as session:
        assert forget_readings(session, now=back) == 0
    meter(database, now=back)
    found = check(database, now=back)
    assert (found.energy_mj, found.residue_mj, found.waiting_hours) == (60 * 60_000, 0, 0)
    with database.write(Operator()) as session:
        assert forget_readings(session, now=back) == 60


def test_an_hour_whose_readings_are_gone_is_never_metered_from_what_is_left(database: Database) -> None:
    take_in(database, reading(1, measured(60_000), web=4_000), reading(2, measured(70_000), web=4_000))
    meter(database)
    later = START + timedelta(days=36)
    with database.write(Operator()) as session:
        session.execute(delete(m.Reading).where(m.Reading.sequence == 2))
        mark_due(session, HOST, [START], later)
    meter(database, now=later)
    found = check(database, now=later)
    assert (found.energy_mj, found.residue_mj, found.waiting_hours) == (130_000, 0, 0)


def test_the_check_sees_an_hour_that_was_lost_from_the_whole_ledger(database: Database) -> None:
    take_in(database, reading(1, measured(50_000), web=4_000))
    meter(database)
    with database.write(Operator()) as session:
        for model in (t.EnergyLine, m.WorkloadHour, m.HostHour):
            session.execute(delete(model))
    assert check(database).residue_mj == 50_000


def test_an_hour_that_waits_too_long_is_told(database: Database) -> None:
    take_in(database, reading(1, measured(50_000), web=4_000))
    assert check(database, now=NOW + timedelta(minutes=9)).holds
    with database.write(Operator()) as session:
        postpone_hour(session, HOST, START, until=NOW + HOUR)
        assert hours_due(session, now=NOW) == []
    stuck = check(database, now=NOW + timedelta(minutes=11))
    assert (stuck.residue_mj, stuck.late_hours, stuck.holds) == (0, 1, False)
    meter(database)
    assert check(database, now=NOW + timedelta(minutes=11)).holds


def a_factor() -> b.EmissionFactor:
    return b.EmissionFactor(
        factor_id="f",
        publisher="P",
        title="T",
        vintage=2024,
        perimeter="consumption_life_cycle",
        geography="FRA",
        intensity_mg_per_kwh=52_000,
        licence="L",
        source="S",
        confirmed=False,
        known_since=date(2025, 1, 1),
    )


def reckon(database: Database) -> None:
    with database.write(Operator()) as session:
        for tenant_id, month in months_due(session, now=LATER):
            assert reckon_month(session, tenant_id, month, now=NOW)


minutes = st.lists(
    st.tuples(
        st.integers(0, 10**7),  # measured energy
        st.none() | st.integers(0, 200_000),  # idle power
        st.dictionaries(st.sampled_from(["web", "db", "batch"]), st.integers(0, 30_000), max_size=3),
        st.integers(-90, 90),  # seconds by which the label is off the minute
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    minutes,
    st.randoms(),
    st.lists(st.sampled_from([0, 1, 2]), max_size=2, unique=True),
    st.sampled_from([None, 0, 1]),
)
def test_the_residue_is_zero_whatever_comes_in_whatever_order(
    database, told, random, claimed, shared
) -> None:
    an_empty_database(database)
    with database.write(Operator()) as session:
        for tenant_id in (OPERATOR_TENANT, CIO):
            kind = c.AdherentKind.HOSPITAL
            session.add(c.Adherent(tenant_id=tenant_id, name="A", kind=kind, since=date(2026, 1, 1)))
    for number in claimed:
        claim(database, START + number * HOUR, START + (number + 1) * HOUR, claim_id=number + 1)
    if shared is not None:
        share(database, START + shared * HOUR, START + (shared + 1) * HOUR, workload="db")
    readings = [
        reading(
            number,
            measured(energy_mj, idle_power_mw=idle_power_mw),
            started_at=START + number * timedelta(minutes=13) + timedelta(seconds=shift),
            **cpu_ms,
        )
        for number, (energy_mj, idle_power_mw, cpu_ms, shift) in enumerate(told, start=1)
    ]
    random.shuffle(readings)
    for one in readings:
        take_in(database, one, now=START + 4 * HOUR)
        if random.random() < 0.3:
            meter(database)
    meter(database)
    found = check(database)
    assert found.residue_mj == 0
    assert found.energy_mj == sum(energy_mj for energy_mj, *_ in told)
