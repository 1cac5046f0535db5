"""An adherent with everything the product knows of one: a new subject is a function, named in `SUBJECTS`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import product

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from console.actions import carbon_months as carbon
from console.actions.amendments import amend
from console.actions.attachments import attach
from console.actions.audit import seal_months
from console.actions.calendar_feeds import make_feed
from console.actions.comments import add_comment
from console.actions.incidents import Revision, set_particulars
from console.actions.probing import Terms, add_probe, stop_probe
from console.actions.reviews import plan_action, write_review
from console.actions.service_months import close_month, correct_month
from console.actions.touched import Site
from console.actions.volumes import record_month
from console.domain.access import Role
from console.domain.alert_routes import Fate
from console.domain.committees import CommitteeKind, TaskState
from console.domain.contacts import ContactRole
from console.domain.hours import hour_of
from console.domain.major_incidents import MajorPhase, ScopeKind
from console.domain.outages import Effect
from console.domain.probes import ProbeKind, Question
from console.domain.trace import key_text
from console.store.audit import record
from console.store.models import audit as a
from console.store.models import carbon as b
from console.store.models import catalogue as c
from console.store.models import coordination as k
from console.store.models import follow_up as f
from console.store.models import major as j
from console.store.models import measurement as m
from console.store.models import people as p
from console.store.models import regulatory as r
from console.store.models import signals as s
from console.store.models import tenant as t
from console.store.models import watching as w
from console.store.models.contract import VolumeSource
from console.store.queries.carbon_months import inputs_of
from console.store.session import Database, Operator
from tests import given
from tests.isolation.filling import Filled, site_of

FIRST_DAY = date(2026, 1, 1)
DEEDS = 100


def fill(
    database: Database, tenant_id: int, word: str, finess_ej: str, ght: str, *, rounds: int = 1
) -> Filled:
    """A filled adherent; `rounds` more than another's makes numbers that the other has not."""
    filled = Filled(tenant_id, word, finess_ej, ght, datetime.now(UTC).replace(microsecond=0))
    with database.write(Operator()) as session:
        given.an_adherent(session, tenant_id, filled.name)
        adherent = session.get(c.Adherent, tenant_id)
        assert adherent is not None
        adherent.finess_ej = finess_ej
        adherent.convention = f"Convention {word}"
    filled.ids |= {
        "tenant_id": tenant_id,
        "name": filled.name,
        "finess_ej": finess_ej,
        "finess_et": site_of(finess_ej),
        "ght": ght,
    }
    subjects = [(0, subject) for subject in FIRST]
    subjects += [(number, subject) for number in range(rounds) for subject in SUBJECTS]
    subjects += [(rounds, subject) for subject in LAST]
    for filled.round, subject in subjects:
        with database.write(Operator()) as session:
            subject(session, filled)
    return filled


def subscriptions(session: Session, filled: Filled) -> None:
    contract = filled.text("Marché")
    number = given.a_subscription(session, filled.tenant_id, contract=contract)
    soon = filled.now.date() + timedelta(days=60)
    amend(
        session,
        filled.tenant_id,
        number,
        effective_on=date(2026, 2, 1),
        changes={"volume": 1000 + filled.round, "term_ends_on": soon, "revise_on": soon},
        note=filled.text("Avenant"),
        now=filled.now,
        by="ops",
    )
    record_month(
        session,
        filled.tenant_id,
        number,
        date(2026, 3, 1),
        filled.round,
        source=VolumeSource.FORM,
        now=filled.now,
        by="ops",
    )
    given.a_subscription(session, filled.tenant_id, "hr", with_plan=False, contract=contract)
    filled.ids["subscription"] = number


def incidents(session: Session, filled: Filled) -> None:
    begun_at = filled.now - timedelta(hours=3)
    number = given.an_incident(
        session,
        filled.tenant_id,
        filled.text("Panne"),
        subscription=filled.subscription,
        opened_at=begun_at,
        description=filled.text("Description"),
        touches=[filled.subscription + 1],
    )
    given.it_is(session, "acknowledged", filled.tenant_id, number, begun_at + timedelta(minutes=5))
    filled.ids["incident"] = number


def signals(session: Session, filled: Filled) -> None:
    """A ticket of a desk, an alert and its route."""
    name, now = filled.text("TICKET"), filled.now
    session.add_all(
        [
            s.DeskTicket(
                tenant_id=filled.tenant_id,
                desk="essai",
                external_id=name,
                incident=filled.ids["incident"],
                told={},
                comments=[],
                told_at=now,
            ),
            s.AlertRoute(
                position=filled.round + 1,
                name=filled.text("Route"),
                matchers=["alertname = Essai"],
                ignored=False,
                tenant_id=filled.tenant_id,
            ),
            s.AlertSignal(
                fingerprint=f"{filled.word.lower()}{filled.round}",
                started_at=now,
                labels={"alertname": filled.text("Alerte")},
                annotations={},
                fate=Fate.OPENED,
                route=filled.text("Route"),
                tenant_id=filled.tenant_id,
                incident=filled.ids["incident"],
                first_at=now,
                last_at=now,
                times=1,
            ),
        ]
    )
    filled.ids["ticket"] = name


def duties(session: Session, filled: Filled) -> None:
    """What is owed for a security incident, which follows a major one."""
    tenant_id, number, now = filled.tenant_id, filled.ids["incident"], filled.now
    assert isinstance(number, int)
    major = j.MajorIncident(
        title=filled.text("Majeur"),
        scope_kind=ScopeKind.SERVICE,
        scope_code="payroll",
        priority=t.Priority.P1,
        is_security=True,
        effect=Effect.OUTAGE,
        phase=MajorPhase.OPEN,
        opened_at=now,
        declared_by="ops",
        declared_at=now,
    )
    session.add(major)
    session.flush()
    session.add(
        j.MajorAdherent(
            major_id=major.major_id,
            tenant_id=tenant_id,
            subscription=1,
            others=[],
            incident=number,
            refused={"message": filled.text("Refus"), "values": {}, "step": 0},
            added_by="ops",
            added_at=now,
        )
    )
    set_particulars(
        session,
        tenant_id=tenant_id,
        number=number,
        revision=Revision(is_security=True),
        at=now,
        now=now,
        by="ops",
    )
    owed = select(r.RegulatoryDuty).where(
        r.RegulatoryDuty.tenant_id == tenant_id, r.RegulatoryDuty.incident == number
    )
    withdrawn, *_others, duty = session.scalars(owed.order_by(r.RegulatoryDuty.number))
    duty.reference = filled.text("Référence")
    withdrawn.withdrawn_at, withdrawn.withdrawn_by, withdrawn.reason = now, "ops", filled.text("Motif")
    filled.ids["duty"] = duty.number


def incident_files(session: Session, filled: Filled) -> None:
    """An incident with comments and files of each kind; a resolved one with its review and what follows.

    They are numbered within their incident: those of another round are more.
    """
    tenant_id, incident = filled.tenant_id, filled.ids["incident"]
    said = {"now": filled.now, "by": "ops"}
    rounds = range(filled.round + 1)
    for number, shared in product(rounds, (False, True)):
        text = filled.text(f"Commentaire {number}")
        content = f"{text} {shared}".encode()
        filled.ids["incident_comment"] = add_comment(
            session, tenant_id, incident, text, shared=shared, **said
        )
        filled.ids["incident_file"] = attach(
            session, tenant_id, incident, f"{text}.txt", content, shared=shared, **said
        )
    revision = Revision(effect=Effect.OUTAGE, sites=[Site(own_site=filled.ids["site"])])
    set_particulars(session, tenant_id=tenant_id, number=incident, revision=revision, at=filled.now, **said)
    begun_at = filled.now - timedelta(hours=2)
    resolved = given.an_incident(session, tenant_id, filled.text("Panne passée"), opened_at=begun_at)
    given.it_is(session, "resolved", tenant_id, resolved, begun_at + timedelta(minutes=9))
    learnt = {"cause": filled.text("Cause"), "done": filled.text("Remède")}
    write_review(session, tenant_id, resolved, **learnt, seen_version=None, **said)
    action = {"title": filled.text("Action"), "in_charge": filled.text("Équipe"), "due_on": FIRST_DAY}
    for _round in rounds:
        filled.ids["incident_action"] = plan_action(session, tenant_id, resolved, **action, **said)
    filled.ids["resolved_incident"] = resolved


def energy(session: Session, filled: Filled) -> None:
    started_at = hour_of(filled.now - timedelta(hours=2))
    claimed = dict.fromkeys(("payroll", "nginx", filled.word), filled.tenant_id)
    given.a_metered_morning(session, started_at, filled.host, **claimed)
    claims = select(c.WorkloadClaim).where(c.WorkloadClaim.tenant_id == filled.tenant_id)
    claim = session.scalars(claims).first()
    assert claim is not None
    filled.ids |= {
        "claim_id": claim.claim_id,
        "workload": f"{claim.host_id}:{claim.workload_id}",
        "day": started_at.date().isoformat(),
    }


def carbon_months(session: Session, filled: Filled) -> None:
    """The month of the morning above, closed as one of the past is, and closed anew with a reason."""
    month, later = filled.now.date().replace(day=1), filled.now + timedelta(days=40)
    for own in (k.MonthDue, b.SharingChange):
        session.execute(delete(own).where(own.tenant_id == filled.tenant_id))
    for waiting in (b.ReckoningDue, m.HourDue):
        session.execute(delete(waiting))
    carbon.close_month(session, filled.tenant_id, month, now=later, by="ops")
    first = session.scalars(select(b.CarbonMonth).where(b.CarbonMonth.tenant_id == filled.tenant_id)).one()
    told = {column.name: getattr(first, column.name) for column in b.CarbonMonth.__table__.columns}
    session.add(b.CarbonMonth(**told | {"revision": 2, "reason": filled.text("Révision")}))
    line = inputs_of(session, filled.tenant_id, [month])[month].lines[0]
    filled.ids |= {"carbon_month": f"{month:%Y-%m}", "carbon_line": key_text(line.key)}


def statements(session: Session, filled: Filled) -> None:
    filled.ids["statement"] = given.a_statement(session, filled.tenant_id, filled.now)


def service_months(session: Session, filled: Filled) -> None:
    last_month = (filled.now.date().replace(day=1) - timedelta(days=1)).replace(day=1)
    filled.ids["closed_month"] = f"{last_month:%Y-%m}"
    said = {"now": filled.now, "by": "ops"}
    close_month(session, filled.tenant_id, last_month, **said)
    number = filled.subscription
    record_month(session, filled.tenant_id, number, last_month, 7, source=VolumeSource.FORM, **said)
    correct_month(session, filled.tenant_id, number, last_month, reason=filled.text("Correction"), **said)


def people(session: Session, filled: Filled) -> None:
    login = f"dsi.{filled.word.lower()}.{filled.round}"
    name, email = filled.text("Personne"), f"{login}@chu.example"
    account_id = given.an_account(session, login, Role.CIO, [filled.tenant_id], name=name, email=email)
    filled.people.append(account_id)
    filled.emails.add(email)
    filled.ids |= {"account_id": account_id, "login": login}


def delegations(session: Session, filled: Filled) -> None:
    """Those who follow the adherent are the operator's: their names hold no word of it."""
    login, role = f"am.{filled.tenant_id}.{filled.round}", Role.ACCOUNT_MANAGER
    giver = given.an_account(session, login, role, [filled.tenant_id])
    taker = given.an_account(session, f"{login}.bis", role)
    delegation = p.Delegation(
        giver_id=giver,
        taker_id=taker,
        first_day=FIRST_DAY,
        last_day=date(2100, 1, 1),
        made_by=login,
        made_at=filled.now,
    )
    session.add(delegation)
    session.flush()
    row = p.DelegatedAdherent(delegation_id=delegation.delegation_id, tenant_id=filled.tenant_id)
    session.add(row)
    filled.people += [giver, taker]
    filled.ids |= {"delegation_id": delegation.delegation_id, "manager_id": giver}


def contacts(session: Session, filled: Filled) -> None:
    number = filled.round + 1
    contact = f.Contact(
        tenant_id=filled.tenant_id,
        number=number,
        role=ContactRole.CIO,
        name=filled.text("Contact"),
        phone=f"05 61 00 00 00 poste {filled.word}",
        mail=f"contact@{filled.word.lower()}.example",
        is_primary=True,
        starts_on=FIRST_DAY,
    )
    site = f.OwnSite(
        tenant_id=filled.tenant_id, number=number, name=filled.text("Annexe"), town=filled.text("Ville")
    )
    session.add_all([contact, site])
    filled.ids |= {"contact": number, "site": number}


def notes(session: Session, filled: Filled) -> None:
    note = f.Note(
        tenant_id=filled.tenant_id,
        number=filled.round + 1,
        text=filled.text("Note"),
        written_by="ops",
        written_at=filled.now,
    )
    session.add(note)
    filled.ids["note"] = note.number


def planned_work(session: Session, filled: Filled) -> None:
    session.add(
        t.PlannedWork(
            tenant_id=filled.tenant_id,
            subscription=1,
            maintenance_id=filled.round + 1,
            occurrence=filled.now,
            starts_at=filled.now - timedelta(minutes=1),
            ends_at=filled.now + timedelta(hours=2),
            title=filled.text("Travaux"),
            effect=Effect.OUTAGE,
            announced_at=filled.now - timedelta(days=7),
        )
    )


def committees(session: Session, filled: Filled) -> None:
    tenant_id, number = filled.tenant_id, filled.round + 1
    session.add(
        f.Committee(
            tenant_id=tenant_id,
            number=number,
            kind=CommitteeKind.STEERING,
            starts_at=filled.now + timedelta(days=filled.round),
            duration_min=60,
            place=filled.text("Salle"),
            link=f"https://visio.example/{filled.word}",
            guests=filled.text("Invité"),
            agenda=filled.text("Ordre du jour"),
            minutes=filled.text("Compte rendu"),
            decisions=filled.text("Décision"),
        )
    )
    session.flush()
    session.add(f.CommitteeMember(tenant_id=tenant_id, committee=number, contact=number))
    session.add(
        f.Addendum(
            tenant_id=tenant_id,
            committee=number,
            position=1,
            text=filled.text("Additif"),
            written_by="ops",
            written_at=filled.now,
        )
    )
    filled.ids["committee"] = number


def tasks(session: Session, filled: Filled) -> None:
    task = f.Task(
        tenant_id=filled.tenant_id,
        number=filled.round + 1,
        title=filled.text("Tâche"),
        committee=filled.round + 1,
        contact=filled.round + 1,
        in_charge=filled.text("Contact"),
        due_on=filled.now.date(),
        state=TaskState.OPEN,
        created_by="ops",
        created_at=filled.now,
    )
    session.add(task)
    filled.ids["task"] = task.number


def deeds(session: Session, filled: Filled) -> None:
    """So many that what the walk adds to A's chain does not reach the length of B's."""
    for _number in range(DEEDS * filled.round):
        record(session, filled.tenant_id, "audit.exported", "audit", {"by": filled.text("Essai")})


def what_is_due(session: Session, filled: Filled) -> None:
    later = filled.now + timedelta(days=40)
    seal_months(session, filled.tenant_id, now=later)
    session.add(k.MonthDue(tenant_id=filled.tenant_id, month=FIRST_DAY, due_at=later))
    change = {"service_code": filled.word, "month": FIRST_DAY, "changed_at": later}
    session.add(b.SharingChange(tenant_id=filled.tenant_id, months=0, **change))
    session.add(k.ClockDue(tenant_id=filled.tenant_id, subscription=filled.subscription, due_at=later))
    last = select(func.max(a.AuditEntry.number)).where(a.AuditEntry.tenant_id == filled.tenant_id)
    filled.ids["deed"] = session.scalars(last).one()
    filled.ids["version"] = session.get_one(c.Adherent, filled.tenant_id).version


def status_readers(session: Session, filled: Filled) -> None:
    email = f"etat.{filled.round}@{filled.word.lower()}.example"
    reader = w.StatusReader(
        tenant_id=filled.tenant_id,
        number=filled.round + 1,
        email=email,
        locale="fr",
        asked_by="ops",
        asked_at=filled.now,
        confirmed_at=filled.now,
    )
    incident = filled.ids["incident"]
    notice = w.IncidentNotice(
        tenant_id=filled.tenant_id, incident=incident, effect=Effect.OUTAGE, told_at=filled.now
    )
    work = w.WorkNotice(
        tenant_id=filled.tenant_id,
        maintenance_id=filled.round + 1,
        news=w.News.ANNOUNCED,
        at=filled.now,
        told_at=filled.now,
    )
    filled.emails.add(email)
    session.add_all([reader, notice, work])
    filled.ids["status_reader"] = reader.number


def calendar_feeds(session: Session, filled: Filled) -> None:
    account_id = filled.people[-1]
    make_feed(session, account_id, filled.tenant_id, "fr", now=filled.now)


def probes(session: Session, filled: Filled) -> None:
    """A stopped one: whoever runs the jobs asks nobody."""
    question = Question(
        kind=ProbeKind.HTTP,
        target=f"https://{filled.word.lower()}.example/{filled.round}",
        timeout_s=5,
        text=filled.text("Bonjour"),
    )
    terms = Terms(
        name=filled.text("Sonde"),
        question=question,
        every_s=60,
        effect=Effect.OUTAGE,
        service_code="payroll",
        subscription=(filled.tenant_id, filled.subscription),
    )
    stop_probe(session, add_probe(session, terms, now=filled.now), now=filled.now)


Subject = Callable[[Session, Filled], None]
SUBJECTS: tuple[Subject, ...] = (
    subscriptions,
    incidents,
    duties,
    signals,
    statements,
    service_months,
    people,
    delegations,
    contacts,
    incident_files,
    notes,
    committees,
    tasks,
    status_readers,
    planned_work,
    calendar_feeds,
    probes,
)
FIRST: tuple[Subject, ...] = (energy, carbon_months)
LAST: tuple[Subject, ...] = (deeds, what_is_due)
