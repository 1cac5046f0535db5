"""Planned work as it reaches adherents: announced, carried on, moved, cancelled, and never told twice."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from console.actions.maintenance import (
    AHEAD,
    Plan,
    announce,
    cancel_occurrence,
    cancel_work,
    change_draft,
    draft_work,
    extend,
    foresee,
    move_occurrence,
)
from console.actions.subscriptions import end_subscription
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.maintenance import ClashKind, MaintenanceState
from console.domain.outages import Effect
from console.store.models import maintenance as h
from console.store.models import tenant as t
from console.store.queries.maintenance import work_between, work_due, work_of
from console.store.session import Database, Operator, Tenants
from tests import given

pytestmark = pytest.mark.both_databases

FOIX, GAP = 11, 12
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FIRST = datetime(2026, 12, 6, 21, 0, tzinfo=UTC)  # Sunday, 22:00 in Paris
PLAN = Plan(
    title="Mise à jour du socle",
    description="",
    first=datetime(2026, 12, 6, 22, 0),
    zone="Europe/Paris",
    duration_min=120,
    rule="",
    until_on=None,
    excluded="",
    scope=["service:hds-iaas"],
    adherents=[],
    effect=Effect.OUTAGE,
)
MONTHLY = replace(PLAN, rule="FREQ=MONTHLY;BYDAY=1SU")


@pytest.fixture
def hosted(database: Database) -> Database:
    """Two hospitals with hosting; the payroll of Foix stands apart."""
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        given.an_adherent(session, GAP, "CH de Gap")
        for tenant_id in (FOIX, GAP):
            given.a_subscription(session, tenant_id, "hds-iaas")
    return database


def announced(session: Session, plan: Plan = PLAN, now: datetime = NOW) -> int:
    number = draft_work(session, plan, now=now, by="ops")
    announce(session, number, now=now, by="ops")
    return number


def works(session: Session, tenant_id: int = FOIX) -> list[t.PlannedWork]:
    row = t.PlannedWork
    return list(
        session.scalars(
            select(row).where(row.tenant_id == tenant_id).order_by(row.starts_at, row.subscription)
        )
    )


def test_a_draft_is_told_to_nobody_and_may_be_changed(hosted: Database) -> None:
    with hosted.write(Operator()) as session:
        number = draft_work(session, PLAN, now=NOW, by="ops")
        change_draft(session, number, replace(PLAN, duration_min=60), now=NOW)
        assert works(session) == []
        (foreseen,) = foresee(session, number, now=NOW).ahead
        assert foreseen.held.slot.ends_at == FIRST + HOUR


def test_each_subscription_that_is_touched_gets_its_rows_and_others_none(hosted: Database) -> None:
    with hosted.write(Operator()) as session:
        announced(session)
        for tenant_id in (FOIX, GAP):
            (row,) = works(session, tenant_id)
            assert (row.starts_at, row.ends_at, row.announced_at) == (FIRST, FIRST + 2 * HOUR, NOW)
            assert row.subscription == 2
    with hosted.read(Tenants(frozenset({FOIX}))) as session:
        (day,) = work_of(session, FOIX, NOW, NOW + AHEAD)
        assert [service.code for service in day.services] == ["hds-iaas"]


def test_some_adherents_only(hosted: Database) -> None:
    with hosted.write(Operator()) as session:
        announced(session, replace(PLAN, adherents=[GAP]))
        assert (len(works(session, FOIX)), len(works(session, GAP))) == (0, 1)


def test_the_wall_time_stands_over_clock_changes_and_thirteen_months_are_told(hosted: Database) -> None:
    with hosted.write(Operator()) as session:
        announced(session, MONTHLY)
        starts = [row.starts_at for row in works(session)]
        assert len(starts) == 13  # from December to December
        assert {start.hour for start in starts[:4]} == {21}
        assert starts[4].hour == 20


def test_carrying_on_again_adds_nothing_and_a_later_day_adds_what_came_within_reach(hosted: Database) -> None:
    with hosted.write(Operator()) as session:
        number = announced(session, MONTHLY)
        before = len(works(session))
        extend(session, number, now=NOW + HOUR)
        assert len(works(session)) == before
        assert work_due(session, now=NOW + HOUR) == []
        assert work_due(session, now=NOW + 2 * DAY) == [(number,)]
        extend(session, number, now=NOW + 31 * DAY)
        later = works(session)
        assert len(later) == before + 1
        assert later[-1].announced_at == NOW  # the series was: readers are not told again


def test_who_subscribes_later_was_given_no_notice_before(hosted: Database) -> None:
    with hosted.write(Operator()) as session:
        number = announced(session)
        later = NOW + 5 * DAY
        given.a_subscription(session, FOIX, "hds-iaas", starts_on=later.date(), now=later)
        extend(session, number, now=later)
        assert [row.announced_at for row in works(session)] == [NOW, later]


def test_a_subscription_that_ends_before_is_not_told(hosted: Database) -> None:
    with hosted.write(Operator()) as session:
        end_subscription(session, FOIX, 2, ends_on=date(2026, 12, 1), now=NOW)
        announced(session)
        assert works(session) == []


def test_a_date_that_moves_is_announced_again_at_that_moment(hosted: Database) -> None:
    later = NOW + DAY
    with hosted.write(Operator()) as session:
        number = announced(session)
        move_occurrence(session, number, FIRST, datetime(2026, 12, 7, 22, 0), 60, now=later, by="ops")
        (row,) = works(session)
        assert (row.occurrence, row.starts_at) == (FIRST, FIRST + DAY)
        assert (row.ends_at - row.starts_at, row.announced_at, row.revision) == (HOUR, later, 1)
        extend(session, number, now=later)
        assert len(works(session)) == 1
        (day,) = work_between(session, NOW, NOW + AHEAD)
        assert day.slot.starts_at == FIRST + DAY


def test_a_cancelled_date_keeps_its_row_and_the_others_stand(hosted: Database) -> None:
    with hosted.write(Operator()) as session:
        number = announced(session, replace(MONTHLY, until_on=date(2027, 1, 31)))
        cancel_occurrence(session, number, FIRST, now=NOW + HOUR, by="ops")
        extend(session, number, now=NOW + 2 * HOUR)
        assert [(row.cancelled_at, row.revision) for row in works(session)] == [(NOW + HOUR, 1), (None, 0)]
        with pytest.raises(Conflict):
            cancel_occurrence(session, number, FIRST, now=NOW + HOUR, by="ops")


def test_cancelling_all_leaves_what_has_begun(hosted: Database) -> None:
    with hosted.write(Operator()) as session:
        number = announced(session, replace(MONTHLY, until_on=date(2027, 1, 31)))
        cancel_work(session, number, now=FIRST + HOUR, by="ops")
        assert [row.cancelled_at for row in works(session)] == [None, FIRST + HOUR]
        extend(session, number, now=FIRST + HOUR)
        assert session.get_one(h.Maintenance, number).state is MaintenanceState.CANCELLED


def test_it_is_done_once_its_last_date_is_over(hosted: Database) -> None:
    with hosted.write(Operator()) as session:
        number = announced(session)
        extend(session, number, now=FIRST + HOUR)
        assert session.get_one(h.Maintenance, number).state is MaintenanceState.ANNOUNCED
        extend(session, number, now=FIRST + 3 * HOUR)
        assert session.get_one(h.Maintenance, number).state is MaintenanceState.DONE
        assert work_due(session, now=NOW + AHEAD) == []


def test_what_dates_fall_on_is_foreseen(hosted: Database) -> None:
    with hosted.write(Operator()) as session:
        other = announced(session, replace(PLAN, title="Autre", first=datetime(2026, 12, 25, 21, 0)))
        christmas = replace(
            PLAN, scope=["service:hds-iaas", "service:payroll"], first=datetime(2026, 12, 25, 22, 0)
        )
        number = draft_work(session, christmas, now=NOW, by="ops")
        (foreseen,) = foresee(session, number, now=NOW).ahead
        kinds = [clash.kind for clash in foreseen.clashes]
        assert ClashKind.HOLIDAY in kinds
        assert kinds[-1] is ClashKind.OTHER_WORK
        assert foreseen.clashes[-1].names == ("Autre",)
        (alone,) = foresee(session, other, now=NOW).ahead
        assert ClashKind.OTHER_WORK not in [clash.kind for clash in alone.clashes]


def test_payroll_days_are_foreseen(hosted: Database) -> None:
    with hosted.write(Operator()) as session:
        number = draft_work(
            session,
            replace(PLAN, scope=["service:payroll"], first=datetime(2026, 12, 15, 22, 0)),
            now=NOW,
            by="ops",
        )
        (foreseen,) = foresee(session, number, now=NOW).ahead
        (payroll, *_) = foreseen.clashes
        assert (payroll.kind, payroll.day) == (ClashKind.PAYROLL, date(2026, 12, 15))
        assert "payroll" in payroll.names


def test_notice_is_held_against_what_each_plan_wants(hosted: Database) -> None:
    with hosted.write(Operator()) as session:
        number = draft_work(session, PLAN, now=NOW, by="ops")
        (early,) = foresee(session, number, now=FIRST - 72 * HOUR).ahead
        (late,) = foresee(session, number, now=FIRST - 71 * HOUR).ahead
        assert (early.too_late, late.too_late) == ({}, {72: 2})


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": " "}, "title"),
        ({"rule": "FREQ=SECONDLY"}, "rule"),
        ({"rule": "FREQ=MONTHLY;BYDAY=1MO"}, "rule"),
        ({"rule": "FREQ=WEEKLY;UNTIL=20270101;COUNT=2"}, "rule"),
        ({"zone": "Europe/Foix"}, "zone"),
        ({"duration_min": None}, "duration_min"),
        ({"rule": "FREQ=DAILY", "until_on": date(2026, 12, 1)}, "until_on"),
        ({"until_on": date(2026, 12, 31)}, "until_on"),
        ({"excluded": "demain"}, "excluded"),
        ({"excluded": "2026-12-06"}, "excluded"),
        ({"scope": []}, "scope"),
        ({"scope": ["service:nothing"]}, "scope"),
        ({"scope": ["data_centre:foix"]}, "scope"),
        ({"adherents": [999]}, "adherents"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(
    hosted: Database, changes: dict[str, object], field: str
) -> None:
    with hosted.write(Operator()) as session, pytest.raises(Invalid) as refusal:
        draft_work(session, replace(PLAN, **changes), now=NOW, by="ops")  # type: ignore[arg-type]
    assert refusal.value.field == field


def test_what_is_too_late_or_not_there_is_refused(hosted: Database) -> None:
    with hosted.write(Operator()) as session:
        number = draft_work(session, PLAN, now=NOW, by="ops")
        with pytest.raises(Conflict):
            announce(session, number, now=FIRST + DAY, by="ops")
        announce(session, number, now=NOW, by="ops")
        for deed in (
            lambda: announce(session, number, now=NOW, by="ops"),
            lambda: change_draft(session, number, PLAN, now=NOW),
            lambda: move_occurrence(
                session, number, FIRST, datetime(2026, 12, 8, 22), None, now=FIRST, by="ops"
            ),
        ):
            with pytest.raises(Conflict):
                deed()
        with pytest.raises(Invalid):
            move_occurrence(session, number, FIRST, datetime(2026, 11, 1, 22), None, now=NOW, by="ops")
        with pytest.raises(NotFound):
            cancel_occurrence(session, number, FIRST + HOUR, now=NOW, by="ops")
        with pytest.raises(NotFound):
            announce(session, 999, now=NOW, by="ops")
