"""A generated past keeps the rules of a real one, and is the same each time."""

import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from console.actions.catalogue import seed_catalogue
from console.actions.generating.fingerprint import fingerprint
from console.actions.generating.generation import begin
from console.actions.generating.ledger import ledger_start
from console.actions.generating.people import add_managers
from console.actions.generating.scale import ZONE
from console.actions.generating.statements import count_statements
from console.actions.incidents import Particulars, open_incident, record_event
from console.actions.ingest import forget_readings, mark_due
from console.actions.metering import hours_due, meter_hour
from console.actions.reckoning import months_due, reckon, reckon_month
from console.actions.statements import issue_statement
from console.domain.access import Role
from console.domain.clock import EventKind
from console.domain.errors import Conflict, Invalid
from console.domain.facility import Quantity
from console.domain.hours import HOUR, day_bounds, month_bounds
from console.domain.month_lines import NO_HOST, LineKind
from console.store.base import Base
from console.store.models import carbon as b
from console.store.models import catalogue as c
from console.store.models import coordination as k
from console.store.models import fleet
from console.store.models import follow_up as f
from console.store.models import measurement as m
from console.store.models import people as p
from console.store.models import site as s
from console.store.models import tenant as t
from console.store.queries import ledger
from console.store.queries.generation import Origin, origin
from console.store.queries.month_ledger import check_months
from console.store.queries.statements import archived_figures
from console.store.session import Database, Operator, Tenants
from reports.figures import DraftReason, Quality
from tests import given
from tests.actions.generating.generated import SMALL, Past, generate, imagined

pytestmark = pytest.mark.both_databases


def rows(session: Session, model: type[Base], *conditions: Any) -> list[tuple[Any, ...]]:
    """Every row as a plain tuple, by key."""
    table = Base.metadata.tables[model.__tablename__]
    found = session.execute(select(table).where(*conditions).order_by(*table.primary_key.columns))
    return [tuple(row) for row in found]


def count(session: Session, model: type[Base]) -> int:
    return session.scalar(select(func.count()).select_from(model)) or 0


def test_there_is_as_much_as_was_asked_for(past: Past) -> None:
    database = past.database
    with database.read(Operator()) as session:
        assert count(session, c.Adherent) == 1 + SMALL.adherents
        assert count(session, t.Subscription) == SMALL.subscriptions
        assert count(session, t.Incident) == SMALL.incidents
        assert count(session, m.Host) == SMALL.hosts
        assert count(session, m.Workload) == SMALL.workloads + 2 * SMALL.hosts
        assert origin(session) is Origin.GENERATED


def test_the_ledger_adds_up_from_the_meter_to_the_adherents(past: Past) -> None:
    database, world = past
    start = ledger_start(world)
    with database.read(Operator()) as session:
        found = ledger.check(session, start, SMALL.now, now=SMALL.now)  # so readings count as kept
    assert (found.residue_mj, found.waiting_hours) == (0, 0)
    assert found.energy_mj > 0
    assert found.hosts == SMALL.hosts


def test_the_months_add_up_to_the_hours_the_shares_to_the_pools_and_the_lines_to_the_meters(
    past: Past,
) -> None:
    database, world = past
    with database.read(Operator()) as session:
        found = check_months(session, ledger_start(world), SMALL.now)
    assert found.holds
    assert (found.months > 1, found.site_months, found.waiting_months) == (True, 2, 0)


def test_metering_the_generated_readings_again_changes_nothing(past: Past) -> None:
    database, world = past
    hours = [ledger_start(world) + place * 7 * HOUR for place in range(8)]
    silent = [span[0].replace(minute=0, second=0) for host in world.hosts for span in host.silences]
    hours += [hour for hour in silent if ledger_start(world) <= hour < SMALL.now]
    tables = (m.HostHour, fleet.SourceHour, m.WorkloadHour, t.EnergyLine, t.CoverageHour)
    with database.read(Operator()) as session:
        before = [rows(session, model) for model in tables]
    with database.write(Operator()) as session:
        for host in world.hosts:
            mark_due(session, host.host_id, hours, SMALL.now)
        for host_id, hour in hours_due(session, now=SMALL.now):
            meter_hour(session, host_id, hour, now=SMALL.now)
    with database.read(Operator()) as session:
        assert [rows(session, model) for model in tables] == before


def test_reckoning_a_month_of_the_ledger_again_changes_nothing(past: Past) -> None:
    database, world = past
    with database.read(Operator()) as session:
        before = rows(session, b.CarbonLine)
    with database.write(Operator()) as session:
        for adherent in world.adherents:
            reckon(session, adherent.tenant_id, date(2025, 12, 1), now=SMALL.now)
    with database.read(Operator()) as session:
        assert rows(session, b.CarbonLine) == before


def test_a_month_is_cut_by_a_contract_and_its_storage_is_of_a_service(past: Past) -> None:
    database, _ = past
    december, cut = date(2025, 12, 1), date(2025, 12, 16)
    line, told = b.MonthLine, s.SiteMeasure
    with database.read(Operator()) as session:
        pools = session.scalars(
            select(line)
            .where(line.kind == LineKind.POOL, line.host_id == NO_HOST, line.site == "tls")
            .order_by(line.since)
        ).all()
        stored_mj = session.scalar(
            select(told.amount).where(
                told.site == "tls",
                told.quantity == Quantity.STORAGE,
                told.started_at == month_bounds(december, ZONE)[0],
            )
        )
    assert [one.since for one in pools] == [day_bounds(day, ZONE)[0] for day in (december, cut)]
    assert {one.service_code for one in pools} == {"hds-storage"}
    assert sum(one.energy_mj for one in pools) == stored_mj
    assert all(one.embodied_ug for one in pools)


def test_a_month_before_the_ledger_is_what_its_hours_would_have_given(past: Past) -> None:
    """With a longer ledger the sums of an adherent's month differ by what rounding each hour loses."""
    database, world = past
    with database.read(Operator()) as session:
        told = _energy(session, date(2025, 11, 1))
    given.an_empty_database(database)
    generate(database, replace(SMALL, ledger_days=60))
    with database.read(Operator()) as session:
        metered = _energy(session, date(2025, 11, 1))
    assert told.keys() == metered.keys()
    lines = 30 * 24 * len(world.hosts)
    for tenant_id, energy_mj in told.items():
        assert energy_mj == pytest.approx(metered[tenant_id], abs=lines * SMALL.workloads, rel=0.002)


def test_a_statement_of_a_month_before_the_ledger_is_made_from_its_sums(past: Past) -> None:
    database, world = past
    november = date(2025, 11, 1)
    with database.read(Operator()) as session:
        told, before = _energy(session, november), rows(session, b.CarbonLine)
    tenant_id = next(one.tenant_id for one in world.adherents if one.tenant_id in told)
    with database.write(Operator()) as session:
        number = issue_statement(session, tenant_id, november, now=SMALL.now, by="test")
    with database.read(Tenants(frozenset({tenant_id}))) as session:
        figures = archived_figures(session, tenant_id, number)
    assert figures.energy_mj == told[tenant_id]
    assert figures.quality_share(Quality.DECLARED) == 1
    assert figures.carbon_ug == sum(line.carbon_ug or 0 for line in figures.lines) > 0
    assert {day.energy_mj for day in figures.days} == {None}
    assert DraftReason.COVERAGE_LOW in figures.draft_reasons
    with database.read(Operator()) as session:
        assert rows(session, b.CarbonLine) == before


def test_an_hour_of_the_ledger_leaves_the_month_before_it_as_it_was(past: Past) -> None:
    """It begins with the month of the easternmost adherent, which elsewhere is late in another one."""
    database, world = past
    with database.read(Operator()) as session:
        before = rows(session, b.CarbonLine, b.CarbonLine.month == date(2025, 11, 1))
    with database.write(Operator()) as session:
        session.add(k.MonthDue(tenant_id=1, month=date(2025, 11, 1), due_at=ledger_start(world)))
    with database.write(Operator()) as session:
        for tenant_id, month in months_due(session, now=SMALL.now):
            assert reckon_month(session, tenant_id, month, now=SMALL.now)
    with database.read(Operator()) as session:
        assert rows(session, b.CarbonLine, b.CarbonLine.month == date(2025, 11, 1)) == before != []
        assert months_due(session, now=SMALL.now) == []


def test_the_last_closed_months_have_statements_issued_within_the_past(past: Past) -> None:
    database, world = past
    with database.read(Operator()) as session:
        issued = session.scalars(
            select(t.Statement).order_by(t.Statement.tenant_id, t.Statement.number)
        ).all()
        figures = {
            (one.tenant_id, one.month): archived_figures(session, one.tenant_id, one.number) for one in issued
        }
    assert len(issued) == count_statements(world) > 0
    for one in issued:
        statement = figures[one.tenant_id, one.month]
        assert statement.period.ends_at <= SMALL.now
        assert one.issued_at == statement.generated_at <= SMALL.now
    assert any(one.days[0].energy_mj for (_, month), one in figures.items() if month == date(2025, 12, 1))


def test_some_adherents_have_sites_of_their_own_and_some_minutes_an_addendum(database: Database) -> None:
    generate(database, replace(SMALL, adherents=40))
    with database.read(Operator()) as session:
        assert 0 < count(session, f.OwnSite) < 40
        approved = select(func.count()).where(f.Committee.approved_at.is_not(None))
        assert 0 < count(session, f.Addendum) < (session.scalar(approved) or 0)


def test_generated_readings_are_kept_however_old_they_are(past: Past) -> None:
    database = past.database
    with database.read(Operator()) as session:
        before = count(session, m.Reading)
    with database.write(Operator()) as session:
        assert forget_readings(session, now=SMALL.now + timedelta(days=400)) == 0
    with database.read(Operator()) as session:
        assert count(session, m.Reading) == before > 0


def _energy(session: Session, month: date) -> dict[int, int]:
    """Of what ran on hosts: sites have lines of their own only where there are hours."""
    line = b.MonthLine
    found = session.execute(
        select(line.tenant_id, func.sum(line.energy_mj))
        .where(line.month == month, line.host_id != NO_HOST)
        .group_by(line.tenant_id)
    )
    return {tenant_id: int(energy_mj) for tenant_id, energy_mj in found}


def test_incidents_are_as_if_each_event_had_been_recorded(past: Past) -> None:
    database, world = past
    adherent = max(world.adherents, key=lambda one: len(world.contracts[one.tenant_id]))
    of_adherent = t.Incident.tenant_id == adherent.tenant_id
    with database.read(Operator()) as session:
        incidents = session.scalars(select(t.Incident).where(of_adherent).order_by(t.Incident.number)).all()
        events = session.scalars(
            select(t.IncidentEvent)
            .where(t.IncidentEvent.tenant_id == adherent.tenant_id)
            .order_by(t.IncidentEvent.incident, t.IncidentEvent.position)
        ).all()
        of_outages = t.Outage.tenant_id == adherent.tenant_id
        before, outages = rows(session, t.Incident, of_adherent), rows(session, t.Outage, of_outages)
    assert len(incidents) > 10
    assert outages
    with database.write(Operator()) as session:
        session.execute(t.Outage.__table__.delete())  # type: ignore[attr-defined]
        session.execute(t.IncidentEvent.__table__.delete())  # type: ignore[attr-defined]
        session.execute(t.Incident.__table__.delete())  # type: ignore[attr-defined]
    for incident in incidents:
        log = [event for event in events if event.incident == incident.number]
        with database.write(Operator()) as session:
            number = open_incident(
                session,
                tenant_id=adherent.tenant_id,
                subscription=incident.subscription,
                title=incident.title,
                told=Particulars(
                    impact=incident.impact,
                    urgency=incident.urgency,
                    category=incident.category,
                    effect=incident.effect,
                    origin=incident.origin,
                ),
                at=incident.opened_at,
                now=incident.opened_at,
                by="test",
            )
            assert number == incident.number
            for event in log[1:]:
                record_event(
                    session,
                    tenant_id=adherent.tenant_id,
                    number=number,
                    kind=EventKind(event.kind),
                    at=event.at,
                    now=event.at,
                    by="test",
                )
    with database.read(Operator()) as session:
        assert rows(session, t.Incident, of_adherent) == before
        assert rows(session, t.Outage, of_outages) == outages


def test_most_incidents_keep_their_plan_and_some_do_not(database: Database) -> None:
    generate(database, replace(SMALL, incidents_a_year=400))
    with database.read(Operator()) as session:
        outcomes = dict(
            session.execute(select(t.Incident.outcome, func.count()).group_by(t.Incident.outcome)).all()
        )
    assert 0.75 < outcomes["met"] / (outcomes["met"] + outcomes["missed"]) < 0.95


def test_claims_lie_within_their_subscription_and_never_overlap(database: Database) -> None:
    world = generate(database, replace(SMALL, workloads=60))
    held = [(host, workload) for host in world.hosts for workload in host.workloads]
    assert any(not workload.claims for _, workload in held)
    assert any(workload.claims for _, workload in held)
    for _, workload in held:
        spans = workload.claims
        for one, following in pairwise(spans):
            assert one.valid_to is not None
            assert one.valid_to <= following.valid_from


def test_a_change_to_one_subject_leaves_the_others_as_they_were(database: Database) -> None:
    with database.write(Operator()) as session:
        seed_catalogue(session, SMALL.since)
    world = imagined(database, SMALL)
    assert imagined(database, replace(SMALL, incidents_a_year=61)).hosts == world.hosts
    assert imagined(database, replace(SMALL, hosts=4)).contracts == world.contracts
    assert imagined(database, replace(SMALL, subscriptions=41)).adherents == world.adherents
    assert imagined(database, replace(SMALL, seed=8)).adherents != world.adherents


def test_the_same_options_give_the_same_rows_in_every_database(
    past: Past, sqlite_template: Path, tmp_path: Path
) -> None:
    database = past.database
    shutil.copy(sqlite_template, tmp_path / "other.db")
    other = Database(f"sqlite:///{tmp_path / 'other.db'}")
    generate(other)
    with database.read(Operator()) as session, other.read(Operator()) as other_session:
        assert fingerprint(session) == fingerprint(other_session)
    with database.write(Operator()) as session:
        session.execute(update(t.Incident).where(t.Incident.number == 1).values(title="Autre"))
    with database.read(Operator()) as session, other.read(Operator()) as other_session:
        assert fingerprint(session) != fingerprint(other_session)
    other.close()


def test_who_is_in_charge_of_whom_is_in_the_hash_whatever_accounts_were_there_before(
    database: Database, sqlite_template: Path, tmp_path: Path
) -> None:
    shutil.copy(sqlite_template, tmp_path / "other.db")
    other = Database(f"sqlite:///{tmp_path / 'other.db'}")
    with other.write(Operator()) as session:
        given.an_account(session, "first", Role.ADMINISTRATOR)
    for one in (database, other):
        world = generate(one)
        with one.write(Operator()) as session:
            add_managers(session, world)
    with database.read(Operator()) as session, other.read(Operator()) as other_session:
        assert fingerprint(session) == fingerprint(other_session)
    with other.write(Operator()) as session:
        session.delete(session.scalars(select(p.Portfolio)).first())
    with database.read(Operator()) as session, other.read(Operator()) as other_session:
        assert fingerprint(session) != fingerprint(other_session)
    other.close()


def test_overseas_adherents_live_by_their_own_clock(database: Database) -> None:
    with database.write(Operator()) as session:
        seed_catalogue(session, SMALL.since)
    world = imagined(database, replace(SMALL, adherents=300, subscriptions=300))
    zones = {adherent.zone.key for adherent in world.adherents}
    assert {"Europe/Paris", "Indian/Reunion"} < zones
    assert sum(adherent.site is None for adherent in world.adherents) == 10


def test_a_database_with_anything_real_is_refused(database: Database) -> None:
    with database.write(Operator()) as session:
        given.an_adherent(session, 2, "CH de Foix")
    with pytest.raises(Conflict, match="adherent"), database.write(Operator()) as session:
        begin(session, SMALL, now=datetime.now(UTC))
    with database.read(Operator()) as session:
        assert origin(session) is Origin.REAL


def test_a_generated_database_is_not_generated_again(database: Database) -> None:
    with database.write(Operator()) as session:
        seed_catalogue(session, SMALL.since)
        begin(session, SMALL, now=datetime.now(UTC))
    with pytest.raises(Conflict, match="déjà générée"), database.write(Operator()) as session:
        begin(session, SMALL, now=datetime.now(UTC))
    with database.read(Operator()) as session:
        assert origin(session) is Origin.INCOMPLETE


@pytest.mark.parametrize(
    ("field", "options"),
    [
        ("adherents", {"adherents": 0}),
        ("subscriptions", {"subscriptions": 3}),
        ("workloads", {"workloads": 2}),
        ("years", {"years": 0}),
        ("ledger_days", {"ledger_days": -1}),
        ("until", {"until": date(10, 1, 1)}),
        ("until", {"until": date(9999, 12, 31)}),
        ("until", {"until": date(2030, 1, 1), "years": 20}),
    ],
)
def test_a_scale_that_cannot_be_is_refused_by_its_field(field: str, options: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refusal:
        replace(SMALL, **options)
    assert refusal.value.field == field


def test_the_past_ends_where_it_is_told_to() -> None:
    assert replace(SMALL, until=date(2026, 3, 31)).since == date(2024, 3, 28)
    assert SMALL.now == datetime(2025, 12, 31, 23, tzinfo=UTC)
    assert SMALL.start == datetime(2023, 12, 31, 23, tzinfo=UTC)
    assert SMALL.ledger_from == SMALL.now - timedelta(days=2)
