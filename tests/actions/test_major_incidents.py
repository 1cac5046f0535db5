"""One outage, one record: whom it touches, what reaches each adherent's incident, and never twice."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from console.actions.contacts import ContactFacts, add_contact
from console.actions.delivering import Envelope
from console.actions.hosting import state_facts
from console.actions.incidents import record_event
from console.actions.major_incidents import (
    Declaration,
    Severity,
    add_adherents,
    adherents_of,
    change_major,
    communicate,
    declare,
    record_step,
    take_out,
    try_again,
)
from console.actions.passing_on import Post, pass_on
from console.actions.subscriptions import end_subscription
from console.domain.clock import EventKind
from console.domain.contacts import ContactRole
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.hosting import DataCentre, HostingFacts
from console.domain.major_incidents import MajorPhase, Progress, ScopeKind
from console.domain.outages import Effect
from console.store.models import coordination as k
from console.store.models import incident as i
from console.store.models import major as j
from console.store.models import regulatory as r
from console.store.models import tenant as t
from console.store.queries.major_incidents import MajorPage, list_majors, major_page, majors_due
from console.store.queries.regulatory import duties_of_incident
from console.store.session import Database, Operator
from tests import given

FOIX, GAP, SENS, TULLE = 11, 12, 13, 14
BEGUN = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
POST = Post(Envelope("mail", (), "inr.example"), "https://console.example")
NO_POST = Post(None, "https://console.example")
TOLD = Declaration(
    title="Panne du centre de Toulouse",
    description="Deux salles sans courant.",
    scope_kind=ScopeKind.SERVICE,
    scope_code="hds-iaas",
    priority=t.Priority.P1,
    category=t.Category.INFRASTRUCTURE,
    is_security=False,
    effect=Effect.OUTAGE,
    at=BEGUN,
)


@pytest.fixture
def office(database: Database) -> Database:
    """Three adherents host with the operator; the fourth has payroll alone, besides what all have."""
    with database.write(Operator()) as session:
        for tenant_id, name in ((FOIX, "CH de Foix"), (GAP, "CH de Gap"), (SENS, "CH de Sens")):
            given.an_adherent(session, tenant_id, name)
            given.a_subscription(session, tenant_id, "hds-iaas")
        given.an_adherent(session, TULLE, "CH de Tulle")
        given.a_subscription(session, TULLE, "payroll")
    return database


def declared(database: Database, adherents: set[int] | None = None, **told: object) -> int:
    with database.write(Operator(), by="ops") as session:
        return declare(
            session,
            replace(TOLD, **told),
            {FOIX, GAP, SENS} if adherents is None else adherents,
            now=BEGUN + MINUTE,
            by="ops",
        )


def pass_all_on(database: Database, now: datetime, post_by: Post = POST) -> int:
    """What the jobs process does; how many adherents it took on."""
    with database.read(Operator()) as session:
        due = majors_due(session, now=now)
    for major_id, tenant_id in due:
        with database.write(Operator()) as session:
            pass_on(session, major_id, tenant_id, post_by=post_by, now=now)
    return len(due)


def step(database: Database, major_id: int, kind: EventKind, at: datetime) -> None:
    with database.write(Operator(), by="ops") as session:
        record_step(session, major_id, kind, at=at, now=at, by="ops")


def tell(database: Database, major_id: int, text: str, now: datetime, **how: bool) -> None:
    with database.write(Operator(), by="ops") as session:
        asked = {"is_mailed": False, "is_notice": False} | how
        communicate(session, major_id, text, now=now, by="ops", **asked)


def page(database: Database, major_id: int, now: datetime = BEGUN + HOUR) -> MajorPage:
    with database.read(Operator()) as session:
        return major_page(session, major_id, now=now)


def incidents(database: Database) -> dict[int, t.Incident]:
    with database.read(Operator()) as session:
        rows = session.scalars(select(t.Incident).where(t.Incident.origin == t.Origin.MAJOR))
        return {row.tenant_id: row for row in rows}


def log(database: Database, tenant_id: int) -> list[str]:
    with database.read(Operator()) as session:
        rows = select(t.IncidentEvent.kind).where(t.IncidentEvent.tenant_id == tenant_id)
        return list(session.scalars(rows.order_by(t.IncidentEvent.position)))


def comments(database: Database, tenant_id: int) -> list[str]:
    with database.read(Operator()) as session:
        rows = select(i.Comment).where(i.Comment.tenant_id == tenant_id).order_by(i.Comment.number)
        return [row.text for row in session.scalars(rows) if row.is_shared]


def letters(database: Database) -> list[k.Delivery]:
    with database.read(Operator()) as session:
        return list(session.scalars(select(k.Delivery).order_by(k.Delivery.delivery_id)))


def a_contact(database: Database, tenant_id: int, role: ContactRole, mail: str | None) -> None:
    facts = ContactFacts(role, "Quelqu'un", "05 61 00 00 00", mail, True, date(2026, 1, 1), None)
    with database.write(Operator()) as session:
        add_contact(session, tenant_id, facts)


def touched(database: Database, kind: ScopeKind, code: str, **only: set[int]) -> dict[int, str]:
    with database.read(Operator()) as session:
        return {one.tenant_id: one.service.code for one in adherents_of(session, kind, code, BEGUN, **only)}


@pytest.mark.both_databases
def test_a_service_touches_those_who_have_it_and_what_stands_on_it(office: Database) -> None:
    assert touched(office, ScopeKind.SERVICE, "hds-iaas", only={FOIX, TULLE}).keys() >= {FOIX}
    assert touched(office, ScopeKind.SERVICE, "payroll") == {TULLE: "payroll"}
    with office.write(Operator()) as session:
        end_subscription(session, TULLE, 2, ends_on=date(2026, 11, 22), now=BEGUN, by="ana")
    assert touched(office, ScopeKind.SERVICE, "payroll") == {}


def test_a_data_centre_touches_what_was_last_said_to_be_hosted_there(office: Database) -> None:
    with office.write(Operator()) as session:
        facts = HostingFacts(date(2026, 1, 1), data_centres=[DataCentre.TOULOUSE, DataCentre.AMIENS])
        state_facts(session, "payroll", facts, now=BEGUN, by="ana")
    assert touched(office, ScopeKind.DATA_CENTRE, "toulouse") == {TULLE: "payroll"}
    with office.write(Operator()) as session:
        facts = HostingFacts(date(2026, 11, 1), data_centres=[DataCentre.AMIENS])
        state_facts(session, "payroll", facts, now=BEGUN, by="ana")
    assert touched(office, ScopeKind.DATA_CENTRE, "toulouse") == {}
    assert touched(office, ScopeKind.DATA_CENTRE, "amiens") == {TULLE: "payroll"}


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"title": " "}, "title"),
        ({"scope_code": "nowhere"}, "scope_code"),
        ({"scope_kind": ScopeKind.DATA_CENTRE}, "scope_code"),
        ({"adherents": set()}, "adherents"),
        ({"adherents": {99}}, "adherents"),
        ({"at": BEGUN + HOUR}, "at"),
    ],
)
def test_a_declaration_that_touches_nobody_or_nothing_is_refused(
    office: Database, told: dict[str, object], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        declared(office, **told)
    assert refused.value.field == field
    with office.read(Operator()) as session:
        assert list_majors(session).total == 0


@pytest.mark.both_databases
def test_each_adherent_gets_an_incident_of_its_own_with_the_clocks_of_its_plan(office: Database) -> None:
    major_id = declared(office)
    assert incidents(office) == {}
    assert page(office, major_id).counts[Progress.DUE] == 3
    assert pass_all_on(office, BEGUN + 2 * MINUTE) == 3
    found = incidents(office)
    assert found.keys() == {FOIX, GAP, SENS}
    for row in found.values():
        assert (row.major, row.opened_at, row.priority, row.effect) == (
            major_id,
            BEGUN,
            t.Priority.P1,
            Effect.OUTAGE,
        )
        assert row.due_at is not None
    assert page(office, major_id).counts[Progress.DONE] == 3


@pytest.mark.both_databases
def test_what_happens_to_the_record_happens_to_each_incident_once(office: Database) -> None:
    major_id = declared(office)
    pass_all_on(office, BEGUN + 2 * MINUTE)
    step(office, major_id, EventKind.ACKNOWLEDGED, BEGUN + 5 * MINUTE)
    tell(office, major_id, "Les équipes sont sur place.", BEGUN + 6 * MINUTE)
    step(office, major_id, EventKind.RESOLVED, BEGUN + 50 * MINUTE)
    for minutes in (51, 52, 53):
        pass_all_on(office, BEGUN + minutes * MINUTE)
    for tenant_id, row in incidents(office).items():
        assert log(office, tenant_id) == ["opened", "acknowledged", "resolved"]
        assert comments(office, tenant_id) == ["Les équipes sont sur place."]
        assert (row.tto_met_at, row.resolved_at) == (BEGUN + 5 * MINUTE, BEGUN + 50 * MINUTE)
    seen = page(office, major_id)
    assert (seen.phase, seen.resolved_at) == (MajorPhase.RESOLVED, BEGUN + 50 * MINUTE)
    assert [(one.kind.value, one.applied) for one in seen.steps] == [
        ("event", 3),
        ("communication", 3),
        ("event", 3),
    ]


def test_a_reopened_record_reopens_its_incidents_whose_clocks_go_on(office: Database) -> None:
    major_id = declared(office)
    for kind, minutes in ((EventKind.RESOLVED, 30), (EventKind.REOPENED, 60), (EventKind.RESOLVED, 90)):
        step(office, major_id, kind, BEGUN + minutes * MINUTE)
        pass_all_on(office, BEGUN + minutes * MINUTE)
    step(office, major_id, EventKind.CLOSED, BEGUN + 95 * MINUTE)
    pass_all_on(office, BEGUN + 96 * MINUTE)
    assert log(office, FOIX) == ["opened", "resolved", "reopened", "resolved", "closed"]
    assert {row.phase for row in incidents(office).values()} == {"closed"}
    with pytest.raises(Conflict):
        step(office, major_id, EventKind.REOPENED, BEGUN + 97 * MINUTE)


@pytest.mark.both_databases
def test_a_process_that_dies_on_its_way_leaves_what_the_next_one_does(office: Database) -> None:
    major_id = declared(office)
    step(office, major_id, EventKind.ACKNOWLEDGED, BEGUN + 5 * MINUTE)
    with pytest.raises(Killed):
        take_on_and_die(office, major_id, BEGUN + 6 * MINUTE)
    assert incidents(office) == {}
    assert page(office, major_id).counts[Progress.DUE] == 3
    pass_all_on(office, BEGUN + 7 * MINUTE)
    assert log(office, FOIX) == ["opened", "acknowledged"]


class Killed(Exception):
    pass


def take_on_and_die(database: Database, major_id: int, now: datetime) -> None:
    with database.write(Operator()) as session:
        assert pass_on(session, major_id, FOIX, post_by=POST, now=now)
        raise Killed


@pytest.mark.both_databases
def test_two_processes_take_each_adherent_once(office: Database) -> None:
    major_id = declared(office)
    step(office, major_id, EventKind.ACKNOWLEDGED, BEGUN + 5 * MINUTE)
    tell(office, major_id, "Nous y travaillons.", BEGUN + 6 * MINUTE)

    def work(tenant_id: int) -> bool:
        with office.write(Operator()) as session:
            return pass_on(session, major_id, tenant_id, post_by=POST, now=BEGUN + 7 * MINUTE)

    with ThreadPoolExecutor(4) as pool:
        did = list(pool.map(work, [FOIX, GAP, SENS] * 3))
    assert sum(did) == 3
    for tenant_id in (FOIX, GAP, SENS):
        assert log(office, tenant_id) == ["opened", "acknowledged"]
        assert comments(office, tenant_id) == ["Nous y travaillons."]


def test_an_incident_that_was_moved_by_hand_is_left_where_it_is(office: Database) -> None:
    major_id = declared(office)
    pass_all_on(office, BEGUN + 2 * MINUTE)
    for kind, minutes in ((EventKind.ACKNOWLEDGED, 3), (EventKind.RESOLVED, 20)):
        with office.write(Operator()) as session:
            record_event(
                session,
                tenant_id=FOIX,
                number=1,
                kind=kind,
                at=BEGUN + minutes * MINUTE,
                now=BEGUN + minutes * MINUTE,
                by="ana",
            )
    step(office, major_id, EventKind.RESOLVED, BEGUN + 50 * MINUTE)
    pass_all_on(office, BEGUN + 51 * MINUTE)
    assert incidents(office)[FOIX].resolved_at == BEGUN + 20 * MINUTE
    assert incidents(office)[GAP].resolved_at == BEGUN + 50 * MINUTE
    assert page(office, major_id).counts[Progress.REFUSED] == 0


def test_what_an_incident_does_not_take_is_kept_for_a_person(office: Database) -> None:
    major_id = declared(office)
    pass_all_on(office, BEGUN + 2 * MINUTE)
    with office.write(Operator()) as session:
        late = BEGUN + 30 * MINUTE
        record_event(session, tenant_id=GAP, number=1, kind=EventKind.WAITING, at=late, now=late, by="ana")
    step(office, major_id, EventKind.RESOLVED, BEGUN + 20 * MINUTE)
    pass_all_on(office, BEGUN + 31 * MINUTE)
    seen = page(office, major_id)
    assert (seen.counts[Progress.REFUSED], seen.counts[Progress.DONE]) == (1, 2)
    first = seen.children.rows[0]
    assert (first.adherent, first.progress) == ("CH de Gap", Progress.REFUSED)
    assert first.refused is not None
    assert "ne peut pas le précéder" in first.refused["message"]
    with office.write(Operator()) as session:
        try_again(session, major_id, GAP, now=BEGUN + HOUR)
    assert page(office, major_id).counts[Progress.REFUSED] == 0


def test_an_adherent_whose_incident_cannot_be_opened_does_not_hold_the_others_back(office: Database) -> None:
    major_id = declared(office)
    with office.write(Operator()) as session:
        given.an_incident(session, SENS, TOLD.title, "P3", 2, BEGUN)
    pass_all_on(office, BEGUN + 2 * MINUTE)
    assert incidents(office).keys() == {FOIX, GAP}
    seen = page(office, major_id)
    assert seen.children.rows[0].refused == {
        "message": "L'incident n° %(number)s, du même titre, n'est pas encore résolu.",
        "values": {"number": "1"},
        "step": 0,
    }
    with office.write(Operator()) as session:
        given.it_is(session, "resolved", SENS, 1, BEGUN + 3 * MINUTE)
        try_again(session, major_id, SENS, now=BEGUN + 4 * MINUTE)
    pass_all_on(office, BEGUN + 5 * MINUTE)
    assert incidents(office).keys() == {FOIX, GAP, SENS}


@pytest.mark.both_databases
def test_an_adherent_that_joins_late_goes_through_all_that_happened(office: Database) -> None:
    major_id = declared(office, adherents={FOIX, GAP})
    step(office, major_id, EventKind.ACKNOWLEDGED, BEGUN + 5 * MINUTE)
    with office.write(Operator()) as session:
        change_major(
            session,
            major_id,
            severity=Severity(priority=t.Priority.P2, effect=Effect.DEGRADED, is_security=False),
            at=BEGUN + 10 * MINUTE,
            now=BEGUN + 10 * MINUTE,
            by="ops",
        )
    tell(office, major_id, "Une salle est revenue.", BEGUN + 11 * MINUTE)
    pass_all_on(office, BEGUN + 12 * MINUTE)
    with office.write(Operator()) as session:
        assert add_adherents(session, major_id, {SENS, GAP}, now=BEGUN + 20 * MINUTE, by="ops") == 1
    pass_all_on(office, BEGUN + 21 * MINUTE)
    found = incidents(office)
    assert found.keys() == {FOIX, GAP, SENS}
    assert log(office, SENS) == log(office, FOIX) == ["opened", "acknowledged", "priority", "effect"]
    assert comments(office, SENS) == ["Une salle est revenue."]
    assert {(row.opened_at, row.priority, row.effect) for row in found.values()} == {
        (BEGUN, t.Priority.P2, Effect.DEGRADED)
    }
    with office.read(Operator()) as session:
        opened = session.get_one(t.IncidentEvent, (SENS, 1, 3))
        assert (opened.was, opened.value, opened.at) == ("P1", "P2", BEGUN + 10 * MINUTE)


def test_an_adherent_that_has_nothing_of_it_cannot_join(office: Database) -> None:
    major_id = declared(office, adherents={FOIX}, scope_code="hds-iaas")
    with office.write(Operator()) as session, pytest.raises(Invalid, match="99"):
        add_adherents(session, major_id, {99}, now=BEGUN + HOUR, by="ops")


def test_an_adherent_that_is_taken_out_goes_its_own_way_and_may_come_back(office: Database) -> None:
    major_id = declared(office)
    pass_all_on(office, BEGUN + 2 * MINUTE)
    with office.write(Operator()) as session:
        take_out(session, major_id, GAP, now=BEGUN + 3 * MINUTE, by="ops")
    step(office, major_id, EventKind.RESOLVED, BEGUN + 50 * MINUTE)
    pass_all_on(office, BEGUN + 51 * MINUTE)
    assert (incidents(office)[GAP].resolved_at, incidents(office)[GAP].major) == (None, None)
    assert page(office, major_id).adherents == 2
    with office.write(Operator()) as session:
        with pytest.raises(Conflict):
            take_out(session, major_id, GAP, now=BEGUN + HOUR, by="ops")
        add_adherents(session, major_id, {GAP}, now=BEGUN + HOUR, by="ops")
    pass_all_on(office, BEGUN + HOUR)
    assert incidents(office)[GAP].resolved_at == BEGUN + 50 * MINUTE
    assert incidents(office)[GAP].major == major_id


def test_a_record_is_declared_once_and_its_steps_are_in_order(office: Database) -> None:
    major_id = declared(office)
    with pytest.raises(Conflict, match="même titre"):
        declared(office)
    step(office, major_id, EventKind.ACKNOWLEDGED, BEGUN + 5 * MINUTE)
    with pytest.raises(Invalid, match="précéder"):
        step(office, major_id, EventKind.RESOLVED, BEGUN + 4 * MINUTE)
    with pytest.raises(Conflict):
        step(office, major_id, EventKind.ACKNOWLEDGED, BEGUN + 6 * MINUTE)
    with pytest.raises(NotFound):
        step(office, major_id + 1, EventKind.RESOLVED, BEGUN + 6 * MINUTE)


@pytest.mark.both_databases
def test_a_communication_is_mailed_once_to_the_people_of_each_adherent(office: Database) -> None:
    a_contact(office, FOIX, ContactRole.CIO, "dsi@foix.example")
    a_contact(office, FOIX, ContactRole.SECURITY, "rssi@foix.example")
    a_contact(office, FOIX, ContactRole.FINANCE, "daf@foix.example")
    a_contact(office, GAP, ContactRole.CIO, "dsi@gap.example")
    a_contact(office, SENS, ContactRole.CIO, None)
    major_id = declared(office)
    tell(office, major_id, "Retour prévu à 14 h.", BEGUN + 5 * MINUTE, is_mailed=True)
    pass_all_on(office, BEGUN + 6 * MINUTE)
    pass_all_on(office, BEGUN + 7 * MINUTE)
    sent = {tuple(row.recipients): row.body for row in letters(office)}
    assert {frozenset(people) for people in sent} == {
        frozenset({"dsi@foix.example", "rssi@foix.example"}),
        frozenset({"dsi@gap.example"}),
    }
    for people, body in sent.items():
        assert "Retour prévu à 14 h." in body
        assert ("Foix" in body) is ("foix" in people[0])
        assert ("Gap" in body) is ("gap" in people[0])
    assert [one.adherent for one in page(office, major_id).children.rows if one.refused] == ["CH de Sens"]
    assert comments(office, SENS) == ["Retour prévu à 14 h."]


@pytest.mark.both_databases
def test_a_security_record_gives_each_adherent_its_notice_and_the_operator_its_own_duties(
    office: Database,
) -> None:
    a_contact(office, FOIX, ContactRole.CIO, "dsi@foix.example")
    major_id = declared(office, adherents={FOIX, GAP}, is_security=True)
    pass_all_on(office, BEGUN + 2 * MINUTE)
    with office.read(Operator()) as session:
        rows = session.scalars(select(r.RegulatoryDuty)).all()
        own = {row.rule_code for row in rows if row.major == major_id}
        theirs = {(row.tenant_id, row.rule_code) for row in rows if row.incident is not None}
    assert own == {"cnil-notification", "nis2-early-warning", "nis2-notification", "nis2-final-report"}
    assert theirs == {(who, code) for who in (FOIX, GAP) for code in ("adherent-notice", "cert-sante")}
    tell(office, major_id, "Des données ont pu fuiter.", BEGUN + HOUR, is_mailed=True, is_notice=True)
    pass_all_on(office, BEGUN + HOUR + MINUTE)
    assert {tenant_id: notice(office, tenant_id) for tenant_id in (FOIX, GAP)} == {
        FOIX: BEGUN + HOUR + MINUTE,
        GAP: None,  # nobody there has an address: it is not informed, and the record says so
    }
    assert [one.adherent for one in page(office, major_id).children.rows if one.refused] == ["CH de Gap"]


def notice(database: Database, tenant_id: int) -> datetime | None:
    with database.read(Operator()) as session:
        found = duties_of_incident(session, tenant_id, 1, now=BEGUN + 2 * HOUR)
        return next(duty.done_at for duty in found.rows if duty.rule.rule.code == "adherent-notice")


def test_an_outage_that_turns_out_to_be_an_attack_gets_its_duties(office: Database) -> None:
    major_id = declared(office, adherents={FOIX})
    pass_all_on(office, BEGUN + 2 * MINUTE)
    with office.write(Operator()) as session:
        change_major(
            session,
            major_id,
            severity=Severity(priority=t.Priority.P1, effect=Effect.OUTAGE, is_security=True),
            at=BEGUN + HOUR,
            now=BEGUN + HOUR,
            by="rssi",
        )
    pass_all_on(office, BEGUN + HOUR)
    assert incidents(office)[FOIX].is_security
    with office.read(Operator()) as session:
        codes = set(session.scalars(select(r.RegulatoryDuty.rule_code)))
    assert {"adherent-notice", "nis2-early-warning"} <= codes


def test_without_a_way_to_send_mail_nobody_is_said_to_be_informed(office: Database) -> None:
    a_contact(office, FOIX, ContactRole.CIO, "dsi@foix.example")
    major_id = declared(office, adherents={FOIX}, is_security=True)
    tell(office, major_id, "Intrusion.", BEGUN + HOUR, is_mailed=True, is_notice=True)
    pass_all_on(office, BEGUN + HOUR, NO_POST)
    assert (letters(office), notice(office, FOIX)) == ([], None)
    assert page(office, major_id).counts[Progress.REFUSED] == 1


@pytest.mark.parametrize(
    ("text", "how", "field"),
    [
        (" ", {}, "text"),
        ("Intrusion.", {"is_notice": True}, "is_notice"),
        ("Intrusion.", {"is_notice": True, "is_mailed": True}, "is_notice"),
    ],
)
def test_a_notice_is_a_mail_on_a_security_incident(
    office: Database, text: str, how: dict[str, bool], field: str
) -> None:
    major_id = declared(office)
    with pytest.raises(Invalid) as refused:
        tell(office, major_id, text, BEGUN + HOUR, **how)
    assert refused.value.field == field


def test_seven_hundred_adherents_are_due_by_an_index(office: Database) -> None:
    with office.read(Operator()) as session:
        plan = session.connection().exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT major_id, tenant_id FROM major_adherent WHERE due_at <= '2026-11-28'"
        )
        assert "ix_major_adherent_due_at" in " ".join(str(row) for row in plan)
    assert session.get_bind().dialect.name == "sqlite"
    assert j.MajorAdherent.__table__.columns["due_at"].index
