"""Calendars and plans that change: what is held stays, and clocks under what changed are read again."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from console.actions.amendments import amend
from console.actions.calendars import (
    add_calendar,
    clocks_due,
    edit_calendar,
    postpone_clocks,
    read_clocks,
)
from console.actions.matrix import change_matrix
from console.actions.plans import add_plan_version
from console.domain.calendar import Closure
from console.domain.errors import Conflict
from console.domain.revisions import Stale
from console.domain.service_hours import ServiceHours
from console.store.models import tenant as t
from console.store.queries.calendars import is_held, service_calendar
from console.store.queries.matrix import matrix_on
from console.store.queries.plan_versions import plan_history
from console.store.session import Database, Operator
from tests import given
from tests.given import NOW

pytestmark = pytest.mark.both_databases
FOIX = 11


@pytest.fixture
def foix(database: Database) -> Database:
    """An adherent whose subscription 1 counts working hours."""
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
    return database


def hours(session: Session, code: str = "working-hours") -> ServiceHours:
    return service_calendar(session, code).hours


def edit(session: Session, hours: ServiceHours, code: str = "working-hours") -> int:
    seen = service_calendar(session, code).version
    return edit_calendar(session, code, "Jours ouvrés", hours, seen_version=seen, today=NOW.date(), now=NOW)


def due_at(session: Session, number: int) -> datetime | None:
    incident = session.get(t.Incident, (FOIX, number))
    assert incident is not None
    return incident.due_at


def test_a_closure_ahead_moves_the_due_dates_of_open_incidents_once(foix: Database) -> None:
    with foix.write(Operator()) as session:
        number = given.an_incident(session, FOIX, "Écran noir", "P4")
        before = due_at(session, number)
        assert before is not None
        tomorrow = NOW.date() + timedelta(days=1)
        closed = Closure(tomorrow, tomorrow + timedelta(days=13), name="Déménagement")
        assert edit(session, replace(hours(session), closures=(closed,))) == 1
    with foix.read(Operator()) as session:
        assert clocks_due(session, now=NOW) == [(FOIX, 1)]
    with foix.write(Operator()) as session:
        assert read_clocks(session, FOIX, 1, now=NOW)
        after = due_at(session, number)
        assert after is not None
        assert after >= before + timedelta(days=13)
    with foix.write(Operator()) as session:
        assert not read_clocks(session, FOIX, 1, now=NOW)
        assert clocks_due(session, now=NOW) == []


def test_what_fails_waits_behind_the_others(foix: Database) -> None:
    with foix.write(Operator()) as session:
        for subscription in (1, given.a_subscription(session, FOIX)):
            given.an_incident(session, FOIX, "Écran noir", "P4", subscription)
        closed = Closure(NOW.date() + timedelta(days=9), NOW.date() + timedelta(days=9))
        assert edit(session, replace(hours(session), closures=(closed,))) == 2
        postpone_clocks(session, FOIX, 1, until=NOW + timedelta(minutes=1))
        assert clocks_due(session, now=NOW) == [(FOIX, 2)]
        assert clocks_due(session, now=NOW + timedelta(minutes=1)) == [(FOIX, 2), (FOIX, 1)]


def test_a_calendar_that_somebody_changed_meanwhile_is_not_set_back(foix: Database) -> None:
    with foix.write(Operator()) as session:
        given.an_incident(session, FOIX, "Écran noir", "P4")
        old = service_calendar(session, "working-hours")
        closed = Closure(NOW.date() + timedelta(days=9), NOW.date() + timedelta(days=9))
        edit(session, replace(old.hours, closures=(closed,)))
        for seen in (old.version, None):
            with pytest.raises(Stale):
                edit_calendar(
                    session,
                    "working-hours",
                    "Jours ouvrés",
                    old.hours,
                    seen_version=seen,
                    today=NOW.date(),
                    now=NOW,
                )
        assert hours(session).closures == (closed,)


def test_a_new_name_moves_no_clock(foix: Database) -> None:
    with foix.write(Operator()) as session:
        given.an_incident(session, FOIX)
        assert edit(session, hours(session)) == 0
        assert clocks_due(session, now=NOW) == []


def test_a_calendar_is_held_by_the_plans_of_today_of_the_past_and_to_come(foix: Database) -> None:
    with foix.write(Operator()) as session:
        assert is_held(session, "working-hours")
        assert not is_held(session, "24x7")
        plan = {"plan_code": "critical", "plan_version": 1}
        amend(session, FOIX, 1, effective_on=date(2027, 1, 1), changes=plan, now=NOW, by="test")
        assert is_held(session, "working-hours")
        assert is_held(session, "24x7")


def test_the_week_of_a_calendar_that_is_held_stays_and_that_of_its_copy_changes(foix: Database) -> None:
    with foix.write(Operator()) as session:
        office = hours(session)
        longer = replace(office, week=(*office.week[:5], office.week[0], ()))
        with pytest.raises(Conflict):
            edit(session, longer)
        add_calendar(session, "six-days", "Six jours", office, now=NOW)
        assert edit(session, longer, "six-days") == 0
        assert hours(session, "six-days") == longer


def test_of_two_who_write_the_next_version_the_second_is_told(foix: Database) -> None:
    with foix.write(Operator()) as session:
        terms = replace(plan_history(session, "standard").latest.terms, notice_hours=96)
        assert add_plan_version(session, "standard", terms, after=1, now=NOW, by="anne") == 2
        with pytest.raises(Conflict):
            add_plan_version(session, "standard", terms, after=1, now=NOW, by="paul")
        latest = plan_history(session, "standard").latest
    assert (latest.made_by, latest.made_at, latest.terms.notice_hours) == ("anne", NOW, 96)
    assert [one.term for one in latest.changes] == ["notice_hours"]


def test_an_incident_takes_the_matrix_that_holds_as_it_is_declared(foix: Database) -> None:
    rows = [[1] * 5] * 5
    with foix.write(Operator()) as session:
        later = NOW + timedelta(minutes=1)
        assert change_matrix(session, rows, "Tout est urgent", version=0, now=later, by="anne") == 1
        assert (matrix_on(session, NOW)[5][5], matrix_on(session, later)[5][5]) == (5, 1)
        with pytest.raises(Conflict):
            change_matrix(session, rows, "Encore", version=0, now=later, by="paul")
