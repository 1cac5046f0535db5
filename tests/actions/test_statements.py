"""Statements hold the figures of the ledger as they were, and tell when someone changed them."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from console.actions.ingest import ingest
from console.actions.pricing import restate
from console.actions.reckoning_due import Step, make_due
from console.actions.statements import issue_statement
from console.domain.errors import Conflict, Invalid, NotFound
from console.store.models import tenant as t
from console.store.queries import month_figures, statements
from console.store.session import Database, Operator, Tenants
from reports.figures import DraftReason, SlaState
from tests import given
from tests.given import NOW
from tests.readings import MINUTE, batch, measured, reading

pytestmark = pytest.mark.both_databases

CH = 11
MORNING = NOW - timedelta(hours=2)
NOVEMBER = date(2026, 11, 1)
OWN_MJ = 49_091  # of each minute: 60 J over 11 s of CPU time, 9 of them its own


@pytest.fixture
def claimed(database: Database) -> Database:
    """Ten minutes of payroll, for the hospital."""
    with database.write(Operator()) as session:
        given.an_adherent(session, CH, "CH de Foix")
        given.a_metered_morning(session, MORNING, payroll=CH)
    return database


def issue(database: Database, now: datetime = NOW, month: date = NOVEMBER):
    with database.write(Operator()) as session:
        number = issue_statement(session, CH, month, now=now, by="test")
    with database.read(Tenants(frozenset({CH}))) as session:
        return statements.archived_figures(session, CH, number)


def test_a_running_month_gives_a_draft_with_its_reasons(claimed: Database) -> None:
    figures = issue(claimed)
    assert figures.energy_mj == 10 * OWN_MJ
    assert figures.carbon_ug == 7_091  # 491 J at 52 g/kWh
    assert {DraftReason.PERIOD_RUNNING, DraftReason.COVERAGE_LOW} <= set(figures.draft_reasons)
    assert (figures.attribution.policy, figures.attribution.version) == ("used", "1")
    assert [factor.factor_id for factor in figures.factors] == ["ademe-fra-2022-consumption"]


def test_what_waits_to_be_metered_is_metered_first(claimed: Database) -> None:
    late = reading(99, measured(60_000), started_at=MORNING + 20 * MINUTE, payroll=9_000, nginx=1_000)
    with claimed.write(Operator()) as session:
        ingest(session, batch(late), now=NOW)
    assert issue(claimed).energy_mj == 11 * OWN_MJ


def test_what_still_waits_for_a_calculation_makes_a_draft_that_says_so(claimed: Database) -> None:
    with claimed.write(Operator()) as session:
        make_due(session, Step.SERVICE, [("hds-iaas", NOVEMBER)], now=NOW)
        make_due(session, Step.PRICES, [(str(CH), NOVEMBER)], now=NOW)
    assert DraftReason.FIGURES_DUE in issue(claimed).draft_reasons
    with claimed.write(Operator()) as session:
        assert restate(session, NOVEMBER, [CH], now=NOW)
    assert DraftReason.FIGURES_DUE not in issue(claimed).draft_reasons


def test_a_statement_tells_where_an_incident_stands_when_it_is_issued(claimed: Database) -> None:
    with claimed.write(Operator()) as session:
        given.an_incident(session, CH, "Paie bloquée", "P1", opened_at=NOW - timedelta(days=6))
        resolved = given.an_incident(session, CH, "Lenteur", "P4", opened_at=NOW - timedelta(days=1))
        given.it_is(session, "resolved", CH, resolved, NOW - timedelta(hours=20))
        waiting = given.an_incident(session, CH, "Accès", "P3", opened_at=NOW - timedelta(hours=1))
        given.it_is(session, "waiting", CH, waiting, NOW - timedelta(minutes=30))
    states = {incident.title: incident.state for incident in issue(claimed).incidents}
    assert states == {
        "Paie bloquée": SlaState.BREACHED,
        "Lenteur": SlaState.MET,
        "Accès": SlaState.WAITING,
    }


def test_a_month_without_anything_is_unknown_and_not_zero(claimed: Database) -> None:
    october = issue(claimed, month=date(2026, 10, 1))
    assert (october.energy_mj, october.carbon_ug) == (None, None)
    assert {day.energy_mj for day in october.days} == {None}
    assert len(october.days) == 31
    assert october.period.hours == 745


def test_a_month_before_every_factor_needs_none_where_nothing_was_used(claimed: Database) -> None:
    assert issue(claimed, month=date(2000, 1, 1)).factors == ()


def test_days_follow_the_zone_of_the_adherent(database: Database) -> None:
    with database.write(Operator()) as session:
        given.an_adherent(session, CH, "CHU de La Réunion", zone="Indian/Reunion")
        given.a_metered_morning(session, datetime(2026, 11, 25, 20, tzinfo=ZoneInfo("UTC")), payroll=CH)
    known = {
        day.day: day.energy_mj for day in issue(database, now=NOW + timedelta(days=1)).days if day.energy_mj
    }
    assert known == {date(2026, 11, 26): 10 * OWN_MJ}


def test_figures_that_were_changed_are_refused(claimed: Database) -> None:
    issue(claimed)
    with claimed.write(Operator()) as session:
        row = session.get_one(t.Statement, (CH, 1))
        changed = row.figures.replace(f"{10 * OWN_MJ}", f"{9 * OWN_MJ}")
        assert changed != row.figures
        session.execute(update(t.Statement).values(figures=changed))
    with claimed.read(Operator()) as session, pytest.raises(Conflict):
        statements.archived_figures(session, CH, 1)


def test_what_came_later_changes_no_issued_statement(claimed: Database) -> None:
    before = issue(claimed)
    with claimed.write(Operator()) as session:
        given.a_metered_morning(session, MORNING + timedelta(hours=1), host="srv-02", payroll=CH)
    with claimed.read(Operator()) as session:
        assert statements.archived_figures(session, CH, 1) == before
        now_held = month_figures.month_figures(session, CH, NOVEMBER, now=NOW, by="test")
    assert now_held.energy_mj == 2 * 10 * OWN_MJ


def test_a_month_to_come_or_an_unknown_adherent_is_refused(claimed: Database) -> None:
    with claimed.write(Operator()) as session:
        with pytest.raises(Invalid):
            issue_statement(session, CH, date(2026, 12, 1), now=NOW, by="test")
        with pytest.raises(NotFound):
            issue_statement(session, 999, NOVEMBER, now=NOW, by="test")
    with claimed.read(Operator()) as session, pytest.raises(NotFound):
        statements.archived_figures(session, CH, 1)
