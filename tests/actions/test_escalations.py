"""Levels of escalation: stored with the clocks, told once by whoever comes first, gone once it stops."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from console.actions.alerting import Readers
from console.actions.delivering import Envelope
from console.actions.escalations import tell
from console.actions.incidents import (
    Particulars,
    Revision,
    open_incident,
    record_event,
    set_particulars,
)
from console.domain.access import Role
from console.domain.clock import EventKind
from console.domain.escalation import Promise
from console.jobs import Means, escalate
from console.store.models import catalogue as c
from console.store.models import coordination as k
from console.store.models import escalation as e
from console.store.models import tenant as t
from console.store.queries.escalations import due_escalations
from console.store.session import Database, Operator, Tenants
from tests import given

pytestmark = pytest.mark.both_databases

CH = 11
MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)  # 9:00 in Paris
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
READERS = Readers(Envelope("mail", ("ops@inr.example",), "inr.example"), "https://console.inr.example")
Row = tuple[str, int, datetime | None, bool]


@pytest.fixture
def office(database: Database) -> Database:
    """Subscription 2 counts working hours: an hour before the due date, and a working day after it."""
    with database.write(Operator()) as session:
        given.an_adherent(session, CH, "CH de Fleyriat")
        assert given.a_subscription(session, CH, "payroll") == 2
        assert given.a_subscription(session, CH, "hds-iaas") == 3
        given.an_account(session, "anne", Role.ACCOUNT_MANAGER, [CH], email="anne@inr.example")
    return database


def opened(database: Database, subscription: int = 2, priority: str = "P2", at: datetime = MONDAY) -> int:
    with database.write(Operator()) as session:
        return given.an_incident(session, CH, f"Panne {at:%H:%M}", priority, subscription, at)


def then(database: Database, number: int, kind: str, at: datetime) -> None:
    with database.write(Operator()) as session:
        given.it_is(session, kind, CH, number, at)


def levels(database: Database, number: int) -> list[Row]:
    with database.read(Operator()) as session:
        rows = session.scalars(
            select(e.Escalation).where(e.Escalation.incident == number).order_by(e.Escalation.level)
        )
        return [(row.promise.value, row.level, row.due_at, row.told_at is not None) for row in rows]


def work(database: Database, now: datetime, readers: Readers = READERS) -> None:
    escalate(Means(database, {}, readers, HOUR, MONDAY, clock=lambda: now))


def mails(database: Database) -> list[tuple[str, tuple[str, ...]]]:
    with database.read(Operator()) as session:
        rows = session.scalars(select(k.Delivery).order_by(k.Delivery.delivery_id))
        return [
            (row.subject.replace("\u00a0", " ").removeprefix("[Console INR] "), tuple(row.recipients))
            for row in rows
        ]


def body(database: Database) -> str:
    with database.read(Operator()) as session:
        newest = select(k.Delivery.body).order_by(k.Delivery.delivery_id.desc()).limit(1)
        return session.scalars(newest).one().replace("\u00a0", " ").replace("\u202f", " ")


def test_the_levels_of_a_plan_are_stored_when_an_incident_opens(office: Database) -> None:
    number = opened(office)
    assert levels(office, number) == [
        ("ttr", 1, MONDAY + 7 * HOUR, False),
        ("ttr", 2, MONDAY + 8 * HOUR + DAY, False),
    ]


def test_each_level_is_told_once_and_the_second_to_the_account_managers_too(office: Database) -> None:
    number = opened(office)
    work(office, MONDAY + 7 * HOUR - MINUTE)
    assert mails(office) == []
    for _again in range(2):
        work(office, MONDAY + 7 * HOUR)
    first = (f"Escalade de niveau 1 : n° {number}, CH de Fleyriat", ("ops@inr.example",))
    assert mails(office) == [first]
    assert "approche de son échéance" in body(office)
    work(office, MONDAY + 8 * HOUR + DAY)
    second = (
        f"Escalade de niveau 2 : n° {number}, CH de Fleyriat",
        ("ops@inr.example", "anne@inr.example"),
    )
    assert mails(office) == [first, second]
    assert "est dépassé" in body(office)


def test_a_mail_explains_the_due_date(office: Database) -> None:
    opened(office, at=MONDAY + 3 * HOUR)  # noon: eight hours end on the next morning
    work(office, MONDAY + DAY + 2 * HOUR)
    told = body(office)
    assert "Comment cette échéance est calculée :" in told
    assert "Temps compté (6 h)" in told
    assert "Fermé, hors des heures de service" in told
    assert "24 novembre 2026, 10:00 (UTC+1) : Échéance" in told


def test_who_comes_late_tells_of_the_highest_level_alone(office: Database) -> None:
    number = opened(office)
    work(office, MONDAY + 7 * DAY)
    assert [subject for subject, _ in mails(office)] == [
        f"Escalade de niveau 2 : n° {number}, CH de Fleyriat"
    ]
    assert [told for *_, told in levels(office, number)] == [True, True]


def test_without_readers_a_level_is_passed_and_not_told_later(office: Database) -> None:
    number = opened(office)
    work(office, MONDAY + 7 * HOUR, Readers(None, READERS.public_url))
    assert [told for *_, told in levels(office, number)] == [True, False]
    work(office, MONDAY + 7 * HOUR)
    assert mails(office) == []


def test_a_level_is_told_by_one_of_several_processes(office: Database) -> None:
    number = opened(office)

    def once(_: int) -> bool:
        with office.write(Operator()) as session:
            return tell(session, CH, number, Promise.TTR, now=MONDAY + 7 * HOUR, readers=READERS)

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(once, range(4))) == 1
    assert len(mails(office)) == 1


def test_a_wait_takes_the_instant_away_and_the_resumption_gives_a_later_one(office: Database) -> None:
    number = opened(office)
    then(office, number, "waiting", MONDAY + HOUR)
    assert [due for _, _, due, _ in levels(office, number)] == [None, None]
    work(office, MONDAY + 3 * DAY)
    then(office, number, "resumed", MONDAY + 2 * HOUR)  # due at the closing: at the next opening
    assert [due for _, _, due, _ in levels(office, number)] == [MONDAY + 8 * HOUR, MONDAY + 2 * DAY - HOUR]
    assert mails(office) == []


def test_what_was_told_before_a_wait_is_not_told_again_after_it(office: Database) -> None:
    number = opened(office)
    work(office, MONDAY + 7 * HOUR)
    then(office, number, "waiting", MONDAY + 7 * HOUR + 30 * MINUTE)
    then(office, number, "resumed", MONDAY + DAY)
    work(office, MONDAY + DAY + MINUTE)
    assert len(mails(office)) == 1
    assert levels(office, number)[0] == ("ttr", 1, MONDAY + 7 * HOUR, True)


def test_a_resolution_takes_what_was_not_told_away_and_a_reopening_plans_it_again(office: Database) -> None:
    number = opened(office)
    work(office, MONDAY + 7 * HOUR)
    then(office, number, "resolved", MONDAY + 7 * HOUR + MINUTE)
    assert [level for _, level, _, _ in levels(office, number)] == [1]
    then(office, number, "reopened", MONDAY + 7 * HOUR + 2 * MINUTE)
    assert [level for _, level, _, _ in levels(office, number)] == [1, 2]


def test_a_lower_priority_moves_the_levels_and_tells_them_again(office: Database) -> None:
    number = opened(office, subscription=3, priority="P1")
    at = MONDAY + 3 * HOUR
    work(office, at)
    assert len(mails(office)) == 2  # of the time to own, which is long past, and of the time to restore
    with office.write(Operator()) as session:
        revision = Revision(priority=t.Priority.P2)
        set_particulars(session, tenant_id=CH, number=number, revision=revision, at=at, now=at, by="test")
    assert ("ttr", 1, MONDAY + 7 * HOUR, False) in levels(office, number)


def test_levels_of_another_version_of_the_plan_take_the_place_of_the_first(office: Database) -> None:
    number = opened(office)
    with office.write(Operator()) as session:
        rule = {"clock": "tto", "amount": -10, "unit": "minutes", "level": 3}
        session.execute(update(c.SlaPlan).where(c.SlaPlan.code == "standard").values(escalations=[rule]))
    with office.write(Operator()) as session:
        revision = Revision(impact=2)
        set_particulars(
            session, tenant_id=CH, number=number, revision=revision, at=MONDAY, now=MONDAY, by="test"
        )
    assert [(promise, level) for promise, level, _, _ in levels(office, number)] == [("tto", 3)]


def test_a_backlog_is_recorded_without_a_mail_for_what_had_passed(office: Database) -> None:
    for hour in range(3):
        with office.write(Operator()) as session:
            open_incident(
                session,
                tenant_id=CH,
                subscription=2,
                title=f"Ancienne panne {hour}",
                told=Particulars(priority=t.Priority.P2),
                at=MONDAY + hour * HOUR,
                now=MONDAY + 7 * DAY,
                by="desk",
            )
    work(office, MONDAY + 7 * DAY)
    assert mails(office) == []
    assert [told for *_, told in levels(office, 1)] == [True, True]


def test_a_level_that_comes_after_an_incident_was_recorded_is_told(office: Database) -> None:
    now = MONDAY + 9 * HOUR  # level 1 was due two hours ago
    with office.write(Operator()) as session:
        number = open_incident(
            session,
            tenant_id=CH,
            subscription=2,
            title="Panne déclarée tard",
            told=Particulars(priority=t.Priority.P2),
            at=MONDAY,
            now=now,
            by="desk",
        )
    work(office, now)
    assert mails(office) == []
    work(office, MONDAY + 8 * HOUR + DAY)
    assert [subject for subject, _ in mails(office)] == [
        f"Escalade de niveau 2 : n° {number}, CH de Fleyriat"
    ]


def test_who_declares_an_incident_late_still_tells_of_it(office: Database) -> None:
    now = MONDAY + 7 * HOUR + 10 * MINUTE  # level 1 was due ten minutes ago
    with office.write(Operator()) as session:
        open_incident(
            session,
            tenant_id=CH,
            subscription=2,
            title="Panne déclarée tard",
            told=Particulars(priority=t.Priority.P2),
            at=MONDAY,
            now=now,
            by="claire",
        )
    work(office, now)
    assert len(mails(office)) == 1


def test_an_old_incident_that_resumes_after_it_was_recorded_is_told_of_again(office: Database) -> None:
    recorded = MONDAY + 7 * DAY
    with office.write(Operator()) as session:
        number = open_incident(
            session,
            tenant_id=CH,
            subscription=2,
            title="En attente depuis longtemps",
            told=Particulars(priority=t.Priority.P2),
            at=MONDAY,
            now=recorded,
            by="desk",
        )
        for kind, at in ((EventKind.WAITING, MONDAY + HOUR), (EventKind.RESUMED, recorded)):
            record_event(session, tenant_id=CH, number=number, kind=kind, at=at, now=recorded, by="desk")
    assert [told for *_, told in levels(office, number)] == [False, False]
    work(office, recorded + 6 * HOUR)
    assert len(mails(office)) == 1


def test_an_adherent_sees_its_own_levels_alone(office: Database) -> None:
    opened(office)
    with office.read(Tenants(frozenset({CH + 1}))) as session:
        assert session.scalars(select(e.Escalation)).all() == []


def test_what_is_due_is_found_by_its_index(office: Database) -> None:
    number = opened(office)
    with office.write(Operator()) as session:
        session.add_all(
            e.Escalation(
                tenant_id=CH, incident=number, promise=Promise.TTO, level=level, due_at=MONDAY + level * DAY
            )
            for level in range(10, 2010)
        )
    with office.read(Operator()) as session:
        assert due_escalations(session, now=MONDAY + 10 * DAY)[-1] == (CH, number, Promise.TTO)
        assert "ix_escalation_due_at" in _plan(session)


def _plan(session: Session) -> str:
    """How the database finds what is due."""
    query = (
        "SELECT tenant_id FROM escalation WHERE told_at IS NULL AND due_at IS NOT NULL "
        "AND due_at <= :now ORDER BY due_at LIMIT 200"
    )
    if session.get_bind().dialect.name == "sqlite":
        rows = session.execute(text("EXPLAIN QUERY PLAN " + query), {"now": MONDAY.isoformat()})
    else:
        session.execute(text("ANALYZE escalation"))
        rows = session.execute(text("EXPLAIN " + query), {"now": MONDAY})
    return "\n".join(str(row) for row in rows)
