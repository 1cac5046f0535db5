"""What is told of an incident anew, written on it, joined to it, and learnt of it."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from console.actions.amendments import amend
from console.actions.attachments import attach, redact_attachment
from console.actions.comments import add_comment, redact_comment, write_comment
from console.actions.incidents import (
    Category,
    Particulars,
    Priority,
    Revision,
    open_incident,
    redact_incident,
    set_particulars,
)
from console.actions.matrix import change_matrix
from console.actions.message_templates import add_template, change_template, retire_template
from console.actions.reviews import plan_action, settle_action, write_review
from console.actions.touched import Site
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.outages import Effect
from console.domain.revisions import Stale
from console.store.models import follow_up as f
from console.store.models import incident as i
from console.store.models import tenant as t
from console.store.queries import incident_file
from console.store.queries.incident_log import changes_of
from console.store.queries.message_templates import template
from console.store.session import Database, Operator, Tenants
from tests import given

CH, OTHER = 11, 12
OWN = Tenants(frozenset({CH}))
MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)  # 9:00 in Paris
HOUR = timedelta(hours=1)
NOW = MONDAY + 5 * HOUR


@pytest.fixture
def office(database: Database) -> Database:
    """Incident 1 on subscription 2, which counts working hours; 3 counts all hours."""
    with database.write(Operator()) as session:
        given.an_adherent(session, CH, "CH de Fleyriat")
        given.an_adherent(session, OTHER, "CH voisin")
        given.a_subscription(session, CH, "payroll")
        given.a_subscription(session, CH, "hds-iaas")
        session.add(f.OwnSite(tenant_id=CH, number=1, name="Annexe", town="Bourg"))
        given.an_incident(session, CH, "Paie en panne", "P3", 2, MONDAY)
    return database


def incident(database: Database, number: int = 1) -> t.Incident:
    with database.read(OWN) as session:
        return session.get_one(t.Incident, (CH, number))


def revise(database: Database, at: datetime = NOW, number: int = 1, **told: object) -> bool:
    with database.write(OWN) as session:
        revision = Revision(**told)  # type: ignore[arg-type]
        return set_particulars(
            session, tenant_id=CH, number=number, revision=revision, at=at, now=NOW, by="ops"
        )


def then(database: Database, *kinds: str) -> None:
    for hours, kind in enumerate(kinds, start=1):
        with database.write(OWN) as session:
            given.it_is(session, kind, CH, 1, MONDAY + hours * HOUR / 4)


def lines(database: Database, number: int = 1) -> list[tuple[str, str | None, str | None]]:
    with database.read(OWN) as session:
        return [(line.what.value, line.was, line.value) for line in changes_of(session, CH, number)]


@pytest.mark.both_databases
def test_another_priority_is_logged_and_the_clocks_are_read_again(office: Database) -> None:
    before = incident(office)
    assert revise(office, priority=Priority.P1)
    after = incident(office)
    assert after.priority is Priority.P1
    assert after.due_at is not None
    assert before.due_at is not None
    assert after.due_at < before.due_at
    assert lines(office) == [("priority", "P3", "P1")]


def test_impact_and_urgency_give_the_priority_unless_it_is_told(office: Database) -> None:
    assert revise(office, impact=1, urgency=1)
    assert incident(office).priority is Priority.P1
    assert revise(office, impact=1, urgency=1, priority=Priority.P4)
    assert incident(office).priority is Priority.P4
    assert lines(office) == [
        ("impact", None, "1"),
        ("urgency", None, "1"),
        ("priority", "P3", "P1"),
        ("priority", "P1", "P4"),
    ]


def test_another_matrix_holds_for_what_is_declared_from_then_on(office: Database) -> None:
    with office.write(Operator()) as session:
        change_matrix(session, [[5] * 5] * 5, "Essai", version=0, now=NOW, by="admin")
    assert revise(office, impact=1, urgency=1)
    assert incident(office).priority is Priority.P1
    told = Particulars(impact=1, urgency=1)
    with office.write(OWN) as session:
        number = open_incident(
            session, tenant_id=CH, subscription=2, title="Bulletins", told=told, at=MONDAY, now=NOW, by="ops"
        )
    assert incident(office, number).priority is Priority.P5


def test_what_is_told_again_as_it_was_changes_nothing(office: Database) -> None:
    told = {"category": Category.PAYROLL, "is_security": True, "effect": Effect.OUTAGE, "touches": [3]}
    assert revise(office, **told)
    assert not revise(office, **told)
    assert lines(office) == [
        ("category", None, "payroll"),
        ("security", "no", "yes"),
        ("effect", None, "outage"),
    ]


def test_a_priority_that_is_not_of_the_matrix_is_logged_at_the_opening(office: Database) -> None:
    told = Particulars(impact=3, urgency=3, priority=Priority.P1, description="Depuis 9 h\nrien ne sort")
    with office.write(OWN) as session:
        number = open_incident(
            session, tenant_id=CH, subscription=2, title="Bulletins", told=told, at=MONDAY, now=NOW, by="ops"
        )
    assert lines(office, number) == [("priority", "P3", "P1")]
    assert incident(office, number).description == "Depuis 9 h\nrien ne sort"


def test_a_change_does_not_stand_in_the_way_of_what_happens_next(office: Database) -> None:
    then(office, "acknowledged")
    revise(office, effect=Effect.DEGRADED)
    with office.write(OWN) as session:  # earlier than the change, later than the last event
        given.it_is(session, "resolved", CH, 1, MONDAY + HOUR)
        kinds = session.scalars(select(t.IncidentEvent.kind).order_by(t.IncidentEvent.position)).all()
    assert kinds == ["opened", "acknowledged", "effect", "resolved"]


@pytest.mark.both_databases
def test_a_plan_that_changes_is_logged_in_the_incidents_that_are_open(office: Database) -> None:
    before = incident(office)
    with office.write(OWN) as session:
        plan = session.get_one(t.Subscription, (CH, 3))
        changes = {"plan_code": plan.plan_code, "plan_version": plan.plan_version}
        was = session.get_one(t.Subscription, (CH, 2)).plan_code
        amend(session, CH, 2, effective_on=date(2026, 11, 23), changes=changes, now=NOW, by="manager")
    assert lines(office) == [("plan", f"1 {was}", f"{changes['plan_version']} {changes['plan_code']}")]
    assert incident(office).due_at != before.due_at


def test_it_touches_services_and_sites_of_its_adherent_only(office: Database) -> None:
    assert revise(office, touches=[2, 3], sites=[Site(own_site=1)])
    with office.read(OWN) as session:
        touched = incident_file.touched_services(session, CH, 1)
        places = incident_file.touched_sites(session, CH, 1)
    assert [one.subscription for one in touched] == [3]  # its own is not another
    assert [place.name for place in places] == ["Annexe"]
    for wrong in (Site(own_site=9), Site(finess_et="010000000")):
        with pytest.raises(Invalid, match="sites"):
            revise(office, sites=[wrong])
    with pytest.raises(NotFound):
        revise(office, touches=[77])
    assert revise(office, touches=[], sites=[])


@pytest.mark.both_databases
def test_a_closed_incident_takes_comments_and_its_review_and_nothing_else(office: Database) -> None:
    then(office, "resolved", "closed")
    with pytest.raises(Conflict, match="clos"):
        revise(office, priority=Priority.P1)
    with pytest.raises(Conflict, match="clos"), office.write(OWN) as session:
        attach(session, CH, 1, "a.txt", b"text", shared=False, now=NOW, by="ops")
    with office.write(OWN) as session:
        add_comment(session, CH, 1, "Vu avec la DSI", shared=True, now=NOW, by="ops")
        write_review(session, CH, 1, cause="Disque", done="", seen_version=None, now=NOW, by="ops")


@pytest.mark.both_databases
def test_an_adherent_reads_what_is_shared_and_the_operator_all(office: Database) -> None:
    with office.write(OWN) as session:
        for shared in (False, True):
            text = f"vu : {shared}"
            add_comment(session, CH, 1, text, shared=shared, now=NOW, by="ops")
            attach(session, CH, 1, f"{shared}.txt", text.encode(), shared=shared, now=NOW, by="ops")
    with office.read(OWN) as session:
        all_of_it = incident_file.timeline(session, CH, 1, internal=True)
        shared_only = incident_file.timeline(session, CH, 1, internal=False)
        with pytest.raises(NotFound):
            incident_file.file_content(session, CH, 1, 1, internal=False)
        assert incident_file.file_content(session, CH, 1, 2, internal=False).content == b"vu : True"
    assert [entry.comment.text for entry in all_of_it if entry.comment] == ["vu : True", "vu : False"]
    assert [entry.comment.text for entry in shared_only if entry.comment] == ["vu : True"]
    assert [entry.file.name for entry in shared_only if entry.file] == ["True.txt"]


@pytest.mark.both_databases
def test_what_is_redacted_is_gone_and_can_be_redacted_once(office: Database) -> None:
    with office.write(OWN) as session:
        comment = add_comment(session, CH, 1, "un nom", shared=True, now=NOW, by="ops")
        file = attach(session, CH, 1, "nom.txt", b"un nom", shared=True, now=NOW, by="ops")
        redact_comment(session, CH, 1, comment, now=NOW, by="admin")
        redact_attachment(session, CH, 1, file, now=NOW, by="admin")
        redact_incident(session, tenant_id=CH, number=1)
    with office.read(OWN) as session:
        assert session.get_one(i.Comment, (CH, 1, comment)).text == ""
        kept = session.get_one(i.Attachment, (CH, 1, file))
        content = session.scalar(select(i.Attachment.content).where(i.Attachment.number == file))
        assert (content, kept.name, kept.redacted_by) == (b"", "", "admin")
        assert session.get_one(t.Incident, (CH, 1)).title != "Paie en panne"
        with pytest.raises(NotFound):
            incident_file.file_content(session, CH, 1, file, internal=True)
    with pytest.raises(Conflict), office.write(OWN) as session:
        redact_comment(session, CH, 1, comment, now=NOW, by="admin")
    with pytest.raises(Conflict), office.write(OWN) as session:
        redact_attachment(session, CH, 1, file, now=NOW, by="admin")


@pytest.mark.both_databases
def test_a_comment_of_a_form_that_is_sent_twice_is_written_once(office: Database) -> None:
    def write(text: str = "Vu ", by: str = "ops", after: int = 0) -> int:
        now = NOW + timedelta(seconds=after)
        with office.write(OWN) as session:
            return write_comment(session, CH, 1, text, shared=False, now=now, by=by)

    assert write() == 1
    with pytest.raises(Conflict, match="vient d'être écrit"):
        write("Vu", after=59)
    assert [write("Vu aussi"), write(by="claire"), write(after=60)] == [2, 3, 4]


def test_the_same_file_is_joined_once(office: Database) -> None:
    with office.write(OWN) as session:
        attach(session, CH, 1, "a.txt", b"text", shared=False, now=NOW, by="ops")
        with pytest.raises(Conflict, match="déjà joint"):
            attach(session, CH, 1, "b.txt", b"text", shared=True, now=NOW, by="ops")


@pytest.mark.both_databases
def test_a_review_comes_after_the_resolution_and_its_actions_stay_open(
    office: Database,
) -> None:
    said = {"cause": "Disque plein", "done": "Purge", "now": NOW, "by": "ops"}
    with pytest.raises(Conflict, match="résolu"), office.write(OWN) as session:
        write_review(session, CH, 1, seen_version=None, **said)  # type: ignore[arg-type]
    then(office, "resolved")
    with office.write(OWN) as session:
        write_review(session, CH, 1, seen_version=None, **said)  # type: ignore[arg-type]
        for title, due_on in (("Sonde", date(2026, 12, 20)), ("Purge", date(2026, 12, 1))):
            plan_action(session, CH, 1, title=title, in_charge="L. Petit", due_on=due_on, now=NOW, by="ops")
    with pytest.raises(Stale), office.write(OWN) as session:
        write_review(session, CH, 1, seen_version=None, **said)  # type: ignore[arg-type]
    with office.write(OWN) as session:
        write_review(session, CH, 1, seen_version=1, **said)  # type: ignore[arg-type]
    with office.read(OWN) as session:
        assert [one.title for one in incident_file.open_actions(session, page=1).rows] == ["Purge", "Sonde"]
    with office.write(OWN) as session:
        settle_action(session, CH, 1, 1, done=True, now=NOW, by="ops")
        with pytest.raises(Conflict):
            settle_action(session, CH, 1, 1, done=False, now=NOW, by="ops")
    with office.read(OWN) as session:
        left = incident_file.open_actions(session, page=1)
    assert (left.total, [one.title for one in left.rows]) == (1, ["Purge"])


def test_reopening_continues_the_clock_and_takes_events_again(office: Database) -> None:
    then(office, "acknowledged", "resolved", "reopened")
    row = incident(office)
    assert (row.phase, row.resolved_at) == ("running", None)
    assert row.due_at == MONDAY + timedelta(days=3) + HOUR / 4  # later by what lay between


def test_what_belongs_to_another_adherent_is_not_there(office: Database) -> None:
    with office.write(Operator()) as session:
        number = given.an_incident(session, OTHER)
    with pytest.raises(NotFound), office.write(OWN) as session:
        add_comment(session, OTHER, number, "x", shared=True, now=NOW, by="ops")
    with pytest.raises(NotFound), office.write(OWN) as session:
        attach(session, OTHER, number, "a.txt", b"x", shared=True, now=NOW, by="ops")


@pytest.mark.both_databases
def test_templates_are_added_changed_and_retired(office: Database) -> None:
    texts = {"text_fr": "Bonjour {numero}", "text_en": "Hello {numero}"}
    with office.write(Operator()) as session:
        number = add_template(session, name="Accueil", **texts)
        with pytest.raises(Conflict):
            add_template(session, name=" Accueil ", **texts)
        seen = template(session, number).version
        change_template(session, number, name="Premier mot", **texts, seen_version=seen)
        with pytest.raises(Stale):
            change_template(session, number, name="Autre mot", **texts, seen_version=seen)
        retire_template(session, number, now=NOW)
        with pytest.raises(NotFound):
            retire_template(session, number, now=NOW)
        add_template(session, name="Premier mot", **texts)
