"""Planned work carried on day by day: whole in the end, the same however often, and nobody told each day."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console import jobs
from console.actions.alerting import Readers
from console.actions.committees import cancel_committee
from console.actions.delivering import Envelope
from console.actions.dependencies import add_dependency
from console.actions.hosting import state_facts
from console.actions.maintenance import (
    AT_ONCE,
    Plan,
    announce,
    cancel_occurrence,
    draft_work,
    extend,
    foresee,
    move_occurrence,
)
from console.actions.sealing import Seal
from console.actions.status_mail import Links, PostOffice, ask_reader, confirm_reader
from console.domain.hosting import DataCentre, HostingFacts
from console.domain.maintenance import Clash, ClashKind
from console.domain.outages import Effect
from console.store.models import coordination as k
from console.store.models import tenant as t
from console.store.queries.maintenance import work_due, work_of
from console.store.session import Database, Operator, Tenants
from tests import followed_up, given

pytestmark = pytest.mark.both_databases

FOIX, GAP = 11, 12
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FIRST = datetime(2026, 12, 6, 21, 0, tzinfo=UTC)  # Sunday, 22:00 in Paris
WEEKLY = Plan(
    title="Mise à jour du socle",
    description="",
    first=datetime(2026, 12, 6, 22, 0),
    zone="Europe/Paris",
    duration_min=120,
    rule="FREQ=WEEKLY",
    until_on=None,
    excluded="2026-12-27",
    scope=["service:hds-iaas"],
    adherents=[],
    effect=Effect.OUTAGE,
)
ROW = t.PlannedWork
COLUMNS = [column for column in ROW.__table__.columns if column.name != "maintenance_id"]


@pytest.fixture
def hosted(database: Database) -> Database:
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        given.an_adherent(session, GAP, "CH de Gap")
        for tenant_id in (FOIX, GAP):
            given.a_subscription(session, tenant_id, "hds-iaas")
    return database


def announced(session: Session, plan: Plan = WEEKLY, now: datetime = NOW) -> int:
    number = draft_work(session, plan, now=now, by="ops")
    announce(session, number, now=now, by="ops")
    return number


def means(database: Database, now: datetime) -> jobs.Means:
    """What the jobs work with, at a time of our own; mails wait."""
    envelope = Envelope("mail", ("ops@inr.example",), "inr.example")
    return jobs.Means(
        database=database,
        channels={},
        readers=Readers(envelope, "https://console.inr.example"),
        silent_after=timedelta(minutes=3),
        started_at=NOW,
        clock=lambda: now,
        status_mail=PostOffice("inr.example", Links("https://console.inr.example", Seal("essai", "status"))),
    )


def rows_of(session: Session, number: int) -> list[tuple[object, ...]]:
    """What the adherents were told of a record, in order, without its number."""
    told = select(*COLUMNS).where(ROW.maintenance_id == number)
    return [
        tuple(row) for row in session.execute(told.order_by(ROW.tenant_id, ROW.subscription, ROW.occurrence))
    ]


def count(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(ROW)) or 0


@pytest.mark.parametrize("days", [[0, 0], [1, 1, 40]])
def test_carried_on_twice_at_one_instant_the_rows_are_the_same(hosted: Database, days: list[int]) -> None:
    with hosted.write(Operator()) as session:
        number = announced(session)
        for day in days:
            extend(session, number, now=NOW + day * DAY)
        before = rows_of(session, number)
        extend(session, number, now=NOW + days[-1] * DAY)
        assert rows_of(session, number) == before


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@hypothesis_given(
    days=st.lists(st.integers(0, 60), max_size=4).map(sorted),
    changes=st.permutations(["move", "cancel", "extend"]),
)
def test_what_is_told_in_the_end_does_not_hang_on_when_it_was_carried_on(
    hosted: Database, days: Sequence[int], changes: Sequence[str]
) -> None:
    end = NOW + 61 * DAY
    with hosted.write(Operator()) as session:
        sparse = replace(WEEKLY, rule="FREQ=WEEKLY;INTERVAL=4")
        one, other = announced(session, sparse), announced(session, sparse)
        for number, order in ((one, changes), (other, ["move", "cancel"])):
            for change in order:
                _change(session, number, change)
        for day in days:
            extend(session, one, now=NOW + DAY + day * DAY)
        for number in (one, other):
            extend(session, number, now=end)
        assert rows_of(session, one) == rows_of(session, other)
        session.rollback()


def _change(session: Session, number: int, change: str) -> None:
    later, second = NOW + HOUR, FIRST + 28 * DAY
    if change == "move":
        move_occurrence(session, number, FIRST, datetime(2026, 12, 7, 23, 0), 60, now=later, by="ops")
    elif change == "cancel":
        cancel_occurrence(session, number, second, now=later, by="ops")
    else:
        extend(session, number, now=later)


def test_more_rows_than_one_transaction_holds_follow_in_the_next_ones_told_at_the_same_time(
    hosted: Database,
) -> None:
    with hosted.write(Operator()) as session:
        for number in range(12):
            given.a_subscription(session, GAP, "hds-iaas", contract=f"M-{number}")
        number = announced(session, replace(WEEKLY, rule="FREQ=DAILY", excluded=""))
        assert count(session) == AT_ONCE
        assert work_due(session, now=NOW) == [(number,)]
    jobs.carry_work_on(means(hosted, NOW + timedelta(seconds=15)))
    with hosted.read(Operator()) as session:
        assert work_due(session, now=NOW + HOUR) == []
        dates = session.scalar(select(func.count(ROW.occurrence.distinct())))
        assert dates is not None
        assert dates > 380  # each day of thirteen months but the first two weeks
        assert count(session) == 14 * dates > AT_ONCE
        assert set(session.scalars(select(ROW.announced_at))) == {NOW}


def test_the_job_carries_on_what_is_due_and_leaves_the_rest(hosted: Database) -> None:
    with hosted.write(Operator()) as session:
        number = announced(session)
        draft_work(session, WEEKLY, now=NOW, by="ops")
        before = count(session)
    jobs.carry_work_on(means(hosted, NOW + HOUR))
    with hosted.read(Operator()) as session:
        assert count(session) == before
    jobs.carry_work_on(means(hosted, NOW + 14 * DAY))
    with hosted.read(Operator()) as session:
        assert count(session) == before + 2 * 2  # two Sundays more for two subscriptions
        assert work_due(session, now=NOW + 14 * DAY) == []
        assert work_due(session, now=NOW + 15 * DAY) == [(number,)]


def test_readers_are_told_of_the_series_once_and_not_of_each_date_that_comes_within_reach(
    hosted: Database,
) -> None:
    with hosted.write(Operator()) as session:
        number = ask_reader(session, FOIX, "astreinte@foix.example", "fr", now=NOW, by="ana")
        confirm_reader(session, FOIX, number, now=NOW)
        work = announced(session, now=NOW + HOUR)
    assert mails(hosted, NOW + HOUR) == 1
    for day in range(1, 15):
        jobs.carry_work_on(means(hosted, NOW + HOUR + day * DAY))
        assert mails(hosted, NOW + HOUR + day * DAY) == 1
    joined = NOW + HOUR + 15 * DAY
    with hosted.write(Operator()) as session:  # one more service of this adherent: that is news, once
        given.a_subscription(session, FOIX, "hds-iaas", starts_on=joined.date(), now=joined)
    for day in range(15, 40):
        now = NOW + HOUR + day * DAY
        jobs.carry_work_on(means(hosted, now))
        assert mails(hosted, now) == 2
    with hosted.write(Operator()) as session:
        move_occurrence(session, work, FIRST + 28 * DAY, datetime(2027, 1, 4, 22, 0), None, now=now, by="ops")
    assert mails(hosted, now) == 3


def mails(database: Database, now: datetime) -> int:
    """How many mails the readers were posted in all, once the job has run."""
    jobs.tell_status(means(database, now))
    with database.read(Operator()) as session:
        return session.scalar(select(func.count()).select_from(k.Delivery)) or 0


def test_work_on_a_data_centre_reaches_what_is_hosted_there_and_what_needs_it(hosted: Database) -> None:
    with hosted.write(Operator()) as session:
        given.a_subscription(session, GAP, "payroll")
        facts = HostingFacts(date(2026, 1, 1), data_centres=[DataCentre.TOULOUSE])
        state_facts(session, "hds-iaas", facts, now=NOW, by="ana")
        add_dependency(session, "payroll", "hds-iaas", since=date(2026, 1, 1))
        announced(session, replace(WEEKLY, rule="", excluded="", scope=["data_centre:toulouse"]))
        assert _told(session) == {(FOIX, "hds-iaas"), (GAP, "hds-iaas"), (GAP, "payroll")}
    with hosted.read(Tenants(frozenset({GAP}))) as session:
        (day,) = work_of(session, GAP, NOW, NOW + 60 * DAY)
        assert sorted(service.code for service in day.services) == ["hds-iaas", "payroll"]
        assert work_of(session, FOIX, NOW, NOW + 60 * DAY) == []


def _told(session: Session) -> set[tuple[int, str]]:
    subscription = t.Subscription
    rows = session.execute(
        select(ROW.tenant_id, subscription.service_code).join(
            subscription,
            (subscription.tenant_id == ROW.tenant_id) & (subscription.number == ROW.subscription),
        )
    )
    return {(tenant_id, service) for tenant_id, service in rows}


def test_committees_of_those_that_are_touched_are_foreseen_on_their_day(hosted: Database) -> None:
    with hosted.write(Operator()) as session:
        given.an_adherent(session, 13, "CH de Tulle")  # without the service
        for tenant_id in (FOIX, GAP, 13):
            followed_up.a_committee(session, tenant_id, datetime(2026, 12, 6, 10, 0))
        cancelled = followed_up.a_committee(session, FOIX, datetime(2026, 12, 13, 10, 0))
        cancel_committee(session, FOIX, cancelled, now=NOW)
        number = draft_work(session, WEEKLY, now=NOW, by="ops")
        first, second, *_later = foresee(session, number, now=NOW).ahead
        met = Clash(ClashKind.COMMITTEE, date(2026, 12, 6), ("CH de Foix", "CH de Gap"))
        assert [one for one in first.clashes if one.kind is ClashKind.COMMITTEE] == [met]
        assert ClashKind.COMMITTEE not in [one.kind for one in second.clashes]
