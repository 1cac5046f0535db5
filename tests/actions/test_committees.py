"""Committees and tasks, from the plan to the approved minutes and what follows from them."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from console.actions.committees import (
    add_addendum,
    approve_minutes,
    cancel_committee,
    change_committee,
    write_minutes,
)
from console.actions.tasks import change_task, settle_task
from console.domain.access import Role
from console.domain.committees import CommitteeKind, TaskState
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.revisions import Stale
from console.store.models import catalogue as c
from console.store.queries import tasks
from console.store.queries.committees import CommitteePage, Standing, Which, committee_page, list_committees
from console.store.queries.managers import Colleague, colleague
from console.store.session import Database, Operator, Tenants
from tests import followed_up, given
from tests.followed_up import TOMORROW, committee_facts, task_facts
from tests.given import NOW

pytestmark = pytest.mark.both_databases
FOIX, SAINT_DENIS = 2, 3
BOTH = Tenants(frozenset({FOIX, SAINT_DENIS}))
TODAY = date(2026, 11, 25)
AFTER = NOW + timedelta(days=2)


@pytest.fixture
def two(database: Database) -> Database:
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        given.an_adherent(session, SAINT_DENIS, "CHU de Saint-Denis", "Indian/Reunion")
    return database


def the_committee(database: Database, now: datetime = NOW, tenant_id: int = FOIX) -> CommitteePage:
    with database.read(BOTH) as session:
        return committee_page(session, tenant_id, 1, now=now, today=TODAY)


def test_a_committee_is_at_a_time_of_its_adherents_clock(two: Database) -> None:
    with two.write(BOTH) as session:
        followed_up.a_committee(session, FOIX)
        followed_up.a_committee(session, SAINT_DENIS)
    assert the_committee(two).starts_at == datetime(2026, 11, 26, 13, tzinfo=UTC)
    assert the_committee(two, tenant_id=SAINT_DENIS).starts_at == datetime(2026, 11, 26, 10, tzinfo=UTC)


def test_the_same_committee_is_planned_once(two: Database) -> None:
    with two.write(BOTH) as session:
        number = followed_up.a_committee(session, FOIX)
        with pytest.raises(Conflict, match="déjà prévu"):
            followed_up.a_committee(session, FOIX)
        cancel_committee(session, FOIX, number, now=NOW)
        session.flush()
        assert followed_up.a_committee(session, FOIX) == number + 1


def test_a_committee_is_held_while_the_adherent_is_one(two: Database) -> None:
    with two.write(Operator()) as session:
        followed_up.a_committee(session, FOIX, TOMORROW - timedelta(days=1))
        session.get_one(c.Adherent, FOIX).until = TODAY
    with pytest.raises(Invalid, match="dernier jour est le 2026-11-25"), two.write(BOTH) as session:
        followed_up.a_committee(session, FOIX)
    with pytest.raises(Invalid, match="dernier jour est le 2026-11-25"), two.write(BOTH) as session:
        change_committee(session, FOIX, 1, committee_facts(), seen_version=1)


def test_contacts_of_the_adherent_are_asked_and_changed(two: Database) -> None:
    with two.write(BOTH) as session:
        one, other = (followed_up.a_contact(session, FOIX, name=name) for name in ("Alix", "Bao"))
        followed_up.a_committee(session, FOIX, contacts=(one,))
    with two.write(BOTH) as session:
        facts = committee_facts(contacts=(other,), guests="Zoé\nYann")
        change_committee(session, FOIX, 1, facts, seen_version=1)
    page = the_committee(two)
    assert ([member.name for member in page.members], page.guests) == (["Bao"], "Zoé\nYann")
    with pytest.raises(NotFound, match="Contact"), two.write(BOTH) as session:
        change_committee(session, FOIX, 1, committee_facts(contacts=(9,)), seen_version=page.version)


def test_a_form_filled_in_from_an_older_version_is_stale(two: Database) -> None:
    with two.write(BOTH) as session:
        followed_up.a_committee(session, FOIX)
    with two.write(BOTH) as session:
        write_minutes(session, FOIX, 1, "Dit.", "", seen_version=1)
    for seen_version in (1, None):
        with pytest.raises(Stale), two.write(BOTH) as session:
            change_committee(session, FOIX, 1, committee_facts(), seen_version=seen_version)
        with pytest.raises(Stale), two.write(BOTH) as session:
            write_minutes(session, FOIX, 1, "Autre.", "", seen_version=seen_version)
        with pytest.raises(Stale), two.write(BOTH) as session:
            approve_minutes(session, FOIX, 1, seen_version=seen_version, now=AFTER, by="zoe")
    assert the_committee(two).minutes == "Dit."


def test_approved_minutes_are_frozen_and_corrected_by_an_addendum(two: Database) -> None:
    with two.write(BOTH) as session:
        followed_up.a_committee(session, FOIX)
        with pytest.raises(Conflict, match="pas encore approuvé"):
            add_addendum(session, FOIX, 1, "Précision.", now=AFTER, by="zoe")
        followed_up.approved_minutes(session, FOIX, 1, AFTER)
    page = the_committee(two, AFTER)
    assert (page.standing, page.approved_by) == (Standing.APPROVED, followed_up.BY)
    frozen = (page.minutes, page.decisions, page.version)
    deeds: tuple[Callable[[Session], None], ...] = (
        lambda session: write_minutes(session, FOIX, 1, "", "", seen_version=page.version),
        lambda session: change_committee(session, FOIX, 1, committee_facts(), seen_version=page.version),
        lambda session: cancel_committee(session, FOIX, 1, now=AFTER),
        lambda session: approve_minutes(session, FOIX, 1, seen_version=page.version, now=AFTER, by="ana"),
    )
    for deed in deeds:
        with pytest.raises(Conflict, match="approuvé"), two.write(BOTH) as session:
            deed(session)
    with two.write(BOTH) as session:
        add_addendum(session, FOIX, 1, "Précision.", now=AFTER, by="ana")
        session.flush()
        add_addendum(session, FOIX, 1, "Encore une.", now=AFTER, by="ana")
        with pytest.raises(Invalid):
            add_addendum(session, FOIX, 1, " ", now=AFTER, by="ana")
    page = the_committee(two, AFTER)
    assert (page.minutes, page.decisions, page.version) == frozen
    assert [(addendum.position, addendum.text) for addendum in page.addenda] == [
        (1, "Précision."),
        (2, "Encore une."),
    ]


def test_minutes_are_not_approved_before_the_committee(two: Database) -> None:
    with two.write(BOTH) as session:
        followed_up.a_committee(session, FOIX)
    with two.write(BOTH) as session:
        write_minutes(session, FOIX, 1, "Dit.", "", seen_version=1)
    with pytest.raises(Conflict, match="une fois"), two.write(BOTH) as session:
        approve_minutes(session, FOIX, 1, seen_version=2, now=NOW, by="zoe")


def test_lists_tell_what_comes_what_waits_and_what_is_over(two: Database) -> None:
    with two.write(BOTH) as session:
        for days in (0, 7, -7, -14):
            followed_up.a_committee(session, FOIX, TOMORROW + timedelta(days=days))
        followed_up.a_committee(session, SAINT_DENIS, kind=CommitteeKind.OPERATIONAL)
        followed_up.approved_minutes(session, FOIX, 4)
        found = {which: list_committees(session, now=NOW, which=which) for which in Which}
        alone = list_committees(session, now=NOW, tenant_id=FOIX)
    lines = {which: [(line.tenant_id, line.number) for line in found[which].rows] for which in Which}
    assert lines == {
        Which.COMING: [(SAINT_DENIS, 1), (FOIX, 1), (FOIX, 2)],
        Which.TO_APPROVE: [(FOIX, 3)],
        Which.PAST: [(FOIX, 4)],
    }
    assert found[Which.PAST].counts == {Which.COMING: 3, Which.TO_APPROVE: 1, Which.PAST: 1}
    assert alone.total == 2


def test_a_task_is_in_charge_of_a_colleague_or_of_a_contact(two: Database) -> None:
    with two.write(Operator()) as session:
        account_id = given.an_account(session, "zoe", Role.ACCOUNT_MANAGER, name="Zoé Martin")
        cio = given.an_account(session, "dsi", Role.CIO)
        assert colleague(session, account_id) == Colleague(account_id, "Zoé Martin")
        with pytest.raises(Invalid):
            colleague(session, cio)
    with two.write(BOTH) as session:
        contact = followed_up.a_contact(session, FOIX)
        followed_up.a_task(session, FOIX, in_charge=Colleague(account_id, "Zoé Martin"))
        followed_up.a_task(session, FOIX, "Relire", in_charge=contact)
        found = tasks.list_tasks(session, today=TODAY, tenant_id=FOIX)
        mine = tasks.list_tasks(session, today=TODAY, account_id=account_id)
        with pytest.raises(NotFound):
            followed_up.a_task(session, FOIX, in_charge=9)
        with pytest.raises(NotFound):
            followed_up.a_task(session, FOIX, committee=9)
        for facts in (task_facts("Autre", in_charge=9), task_facts("Autre", committee=9)):
            with pytest.raises(NotFound):
                change_task(session, FOIX, 1, facts, seen_version=1)
    assert [task.in_charge for task in found.rows] == ["Zoé Martin", "Camille Durand"]
    assert [task.number for task in mine.rows] == [1]


def test_the_second_of_two_people_at_a_task_is_told(two: Database) -> None:
    with two.write(BOTH) as session:
        followed_up.a_task(session, FOIX)
    with two.write(BOTH) as session:
        change_task(session, FOIX, 1, task_facts("Envoyer deux devis"), seen_version=1)
    with pytest.raises(Stale), two.write(BOTH) as session:
        change_task(session, FOIX, 1, task_facts("Ne rien envoyer"), seen_version=1)
    with two.read(BOTH) as session:
        assert tasks.task(session, FOIX, 1, TODAY).title == "Envoyer deux devis"


def test_a_task_sent_twice_is_one_and_once_done_may_come_again(two: Database) -> None:
    with two.write(BOTH) as session:
        followed_up.a_task(session, FOIX, due_on=TODAY)
    with pytest.raises(Conflict, match="déjà"), two.write(BOTH) as session:
        followed_up.a_task(session, FOIX, due_on=TODAY)
    with two.write(BOTH) as session:
        settle_task(session, FOIX, 1, TaskState.DONE, now=NOW, by="zoe")
        assert followed_up.a_task(session, FOIX, due_on=TODAY) == 2
        assert followed_up.a_task(session, FOIX) == 3


def test_a_task_is_done_dropped_or_opened_again_once(two: Database) -> None:
    with two.write(BOTH) as session:
        followed_up.a_task(session, FOIX)
        settle_task(session, FOIX, 1, TaskState.DONE, now=NOW, by="zoe")
        done = tasks.task(session, FOIX, 1, TODAY)
        with pytest.raises(Conflict):
            settle_task(session, FOIX, 1, TaskState.DROPPED, now=NOW, by="ana")
        with pytest.raises(Conflict, match="rouvrez"):
            change_task(session, FOIX, 1, task_facts(), seen_version=done.version)
        settle_task(session, FOIX, 1, TaskState.OPEN, now=NOW, by="ana")
        again = tasks.task(session, FOIX, 1, TODAY)
    assert (done.state, done.settled_at, done.settled_by) == (TaskState.DONE, NOW, "zoe")
    assert (again.state, again.settled_at, again.settled_by) == (TaskState.OPEN, None, None)


def test_open_tasks_come_by_their_day_and_overdue_ones_are_said(two: Database) -> None:
    with two.write(BOTH) as session:
        followed_up.a_task(session, FOIX, "sans jour")
        followed_up.a_task(session, SAINT_DENIS, "bientôt", due_on=TODAY + timedelta(days=1))
        followed_up.a_task(session, FOIX, "hier", due_on=TODAY - timedelta(days=1))
        found = tasks.list_tasks(session, today=TODAY)
        late = tasks.list_tasks(session, today=TODAY, which=tasks.Which.OVERDUE)
    assert [(task.title, task.overdue) for task in found.rows] == [
        ("hier", True),
        ("bientôt", False),
        ("sans jour", False),
    ]
    assert [task.title for task in late.rows] == ["hier"]
