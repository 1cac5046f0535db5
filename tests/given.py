"""The past, told in phrases: what tests start from."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from console.actions import directory, maintenance, waiting_files
from console.actions.catalogue import seed_catalogue
from console.actions.certificates import Wording, add_certificate
from console.actions.equipment_files import store_thing
from console.actions.incidents import Particulars, Priority, open_incident, record_event
from console.actions.ingest import ingest
from console.actions.major_incidents import Declaration, communicate, declare
from console.actions.metering import PACE, hours_due, meter_hour
from console.actions.passing_on import Post, pass_on
from console.actions.reckoning import months_due, reckon_month
from console.actions.services import plan_end
from console.actions.sign_in import HASHER, open_sign_in
from console.actions.statements import issue_statement
from console.actions.subscriptions import subscribe
from console.domain.access import Role
from console.domain.certificates import Framework, Validity
from console.domain.clock import EventKind
from console.domain.directory import GroupRole
from console.domain.equipment import EquipmentKind
from console.domain.equipment_files import ThingRow
from console.domain.formats import read_sae
from console.domain.hours import hour_of
from console.domain.major_incidents import ScopeKind
from console.domain.offer import Life
from console.domain.outages import Effect
from console.store.audit import record
from console.store.base import Base
from console.store.models import audit as u
from console.store.models import catalogue as c
from console.store.models import directory as d
from console.store.models import measurement as m
from console.store.models import people as p
from console.store.models import tenant as t
from console.store.session import Database, Operator
from tests.readings import MINUTE, batch, measured, reading

NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)

PASSWORD = "correct horse battery staple"
PASSWORD_HASH = HASHER.hash(PASSWORD)  # once: it is slow on purpose
SAE = Path(__file__).parent / "data" / "sae" / "ID_2023r.csv"


def an_empty_database(database: Database) -> None:
    """No row but the sites that a new one has: for properties that try many pasts on one database."""
    tables = [table for table in reversed(Base.metadata.sorted_tables) if table.name != "site"]
    with database.schema() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"TRUNCATE {', '.join(table.name for table in tables)}"))
            return
        for table in tables:
            connection.execute(table.delete())


def an_account(session: Session, login: str, role: Role, tenants: Iterable[int] = (), **columns: Any) -> int:
    """Somebody with an account and the password above."""
    account = p.Account(
        login=login,
        name=columns.pop("name", login.title()),
        role=role,
        password_hash=PASSWORD_HASH,
        must_change_password=columns.pop("must_change_password", False),
        **columns,
    )
    session.add(account)
    session.flush()
    session.add_all(
        p.Portfolio(account_id=account.account_id, tenant_id=tenant_id) for tenant_id in set(tenants)
    )
    return account.account_id


def signed_in(session: Session, role: Role, tenants: Iterable[int] = (), locale: str = "fr") -> str:
    """Somebody of a role who just signed in; the token of their cookie."""
    login = f"{role.value}-{secrets.token_hex(4)}"
    account_id = an_account(session, login, role, tenants, locale=locale)
    return open_sign_in(session, account_id, now=datetime.now(UTC))


def an_adherent(session: Session, tenant_id: int, name: str, zone: str = "Europe/Paris") -> int:
    """A hospital that takes the first service of the catalogue, under its subscription number 1."""
    seed_catalogue(session, date(2026, 1, 1))
    session.add(
        c.Adherent(
            tenant_id=tenant_id,
            name=name,
            kind=c.AdherentKind.HOSPITAL,
            zone=zone,
            since=date(2026, 1, 1),
        )
    )
    session.flush()
    service = session.scalars(select(c.Service).order_by(c.Service.code)).first()
    assert service is not None
    subscribe(session, tenant_id, service.code, starts_on=date(2026, 1, 1), now=NOW)
    return tenant_id


def a_metered_morning(session: Session, started_at: datetime, host: str = "srv-01", **claims: int) -> None:
    """Ten minutes of a host with two workloads, in the ledger; `claims` says whose a workload is.

    Each minute is 60 J measured over 11 s of CPU time: 9 s of `payroll`, 1 s of `nginx`, 1 s of the kernel.
    """
    now = started_at + timedelta(hours=1)
    for name, tenant_id in claims.items():
        session.add(_claim(host, name, tenant_id, started_at))
    minutes = [
        reading(
            number,
            measured(60_000, idle_power_mw=0),
            started_at=started_at + (number - 1) * MINUTE,
            payroll=9_000,
            nginx=1_000,
        )
        for number in range(1, 11)
    ]
    ingest(session, batch(*minutes, host=host), now=now)
    for host_id, hour in hours_due(session, now=now):
        meter_hour(session, host_id, hour, now=now)
    for tenant_id, month in months_due(session, now=now + PACE):
        reckon_month(session, tenant_id, month, now=now)


def _claim(host: str, workload: str, tenant_id: int, started_at: datetime) -> c.WorkloadClaim:
    return c.WorkloadClaim(
        tenant_id=tenant_id,
        subscription=1,
        host_id=m.stable_id(host),
        workload_id=m.stable_id(workload),
        host_name=host,
        workload_name=workload,
        valid_from=hour_of(started_at),
        claimed_by="test",
        claimed_at=started_at,
    )


def a_subscription(session: Session, tenant_id: int, service: str = "payroll", **terms: Any) -> int:
    """The adherent takes a service; its number. Payroll counts working hours, hosting counts all hours."""
    return subscribe(session, tenant_id, service, **{"starts_on": date(2026, 1, 1), "now": NOW} | terms)


def an_incident(
    session: Session,
    tenant_id: int,
    title: str = "Impression des bulletins en panne",
    priority: str = "P2",
    subscription: int = 1,
    opened_at: datetime = NOW,
    **told: Any,
) -> int:
    """An incident that was recorded as it began; its number. `told` are other `Particulars` of it."""
    return open_incident(
        session,
        tenant_id=tenant_id,
        subscription=subscription,
        title=title,
        told=Particulars(priority=Priority(priority), **told),
        at=opened_at,
        now=opened_at,
        by="test",
    )


def it_is(session: Session, kind: str, tenant_id: int, number: int, at: datetime) -> None:
    """Something happens to an incident and is recorded at once: "acknowledged", "waiting", "resolved"..."""
    record_event(session, tenant_id=tenant_id, number=number, kind=EventKind(kind), at=at, now=at, by="test")


def the_directory(session: Session) -> None:
    """The directory holds the 3 975 sites of the SAE survey of 2023."""
    listing = read_sae(SAE.read_bytes())
    directory.store_records(session, listing, listing.records.values())


def a_statement(session: Session, tenant_id: int, now: datetime | None = None) -> int:
    """The statement of an adherent's month so far."""
    now = now or datetime.now(UTC)
    return issue_statement(session, tenant_id, now.date().replace(day=1), now=now, by="test")


def an_open_incident(session: Session, tenant_id: int, title: str) -> int:
    """An incident of the adherent's first subscription, opened an hour ago."""
    now = datetime.now(UTC)
    return open_incident(
        session,
        tenant_id=tenant_id,
        subscription=1,
        title=title,
        told=Particulars(priority=t.Priority.P2),
        at=now - timedelta(hours=1),
        now=now,
        by="test",
    )


def a_certificate(session: Session, *services: str, number: str = "ESSAI-1", **days: date) -> int:
    """A made-up HDS certificate that names some services, the hosting ones where none is told; its number."""
    return add_certificate(
        session,
        Wording(
            framework=Framework.HDS,
            name="Hébergement de données de santé",
            body="Organisme d'essai",
            number=number,
            scope="Activités 1 à 6, centres d'essai",
            validity=Validity(
                days.get("valid_from", date(2024, 1, 1)), days.get("valid_to", date(2030, 12, 31))
            ),
        ),
        services or ("hds-iaas", "hds-paas"),
        b"%PDF-1.7\n" + number.encode(),
        now=NOW,
        by="test",
    )


def a_service_that_ends(
    session: Session, code: str = "payroll", successor: str | None = "hr", support_ends_on: date | None = None
) -> None:
    """The support of a service ends, and another follows it."""
    plan_end(session, code, Life(support_ends_on=support_ends_on or date(2027, 6, 30)), successor)


def a_short_log(database: Database, *tenants: int) -> None:
    """Whatever was done before, the audit log of each adherent holds two entries."""
    with database.schema() as connection:
        for table in (u.AuditCheckpoint, u.AuditPayload, u.AuditHead, u.AuditEntry):
            emptied = "TRUNCATE {} CASCADE" if connection.dialect.name == "postgresql" else "DELETE FROM {}"
            connection.exec_driver_sql(emptied.format(table.__tablename__))
    with database.write(Operator(), by="claire") as session:
        for tenant_id in tenants:
            record(session, tenant_id, "adherent.added", f"adherent/{tenant_id}")
            record(session, tenant_id, "subscription.added", "subscription/1")


def a_group(session: Session, code: str, support: str, *members: str, since: date = date(2020, 1, 1)) -> None:
    """A hospital group: the FINESS number of its support establishment, then those of its members."""
    session.add(d.Ght(code=code, name=f"GHT {code}", source="test", as_of=since))
    session.flush()
    for finess_ej in (support, *members):
        a_membership(session, code, finess_ej, "support" if finess_ej == support else "member", since)


def a_membership(
    session: Session, code: str, finess_ej: str, role: str, start: date, end: date | None = None
) -> None:
    """A legal entity is in a group from a day up to another, which is not in it any more."""
    session.add(
        d.GhtMembership(
            ght_code=code,
            finess_ej=finess_ej,
            role=GroupRole(role),
            valid_from=start,
            valid_to=end,
            source="test",
            as_of=start,
        )
    )
    session.flush()


def a_file_sent(session: Session, path: Path, content: bytes | None = None, as_of: date | None = None) -> int:
    """A file for the directory, sent and not decided upon; the number of its import."""
    content = path.read_bytes() if content is None else content
    return waiting_files.receive(session, content, path.name, as_of=as_of, complete=True, now=NOW, by="ana")


def a_major_incident(session: Session, *tenants: int, title: str = "Panne du centre de Toulouse") -> int:
    """An attack on the first service of the catalogue, begun an hour ago, that touches some adherents."""
    now = datetime.now(UTC)
    service = session.scalars(select(c.Service).order_by(c.Service.code)).first()
    assert service is not None
    told = Declaration(
        title=title,
        description="Deux salles sont arrêtées.",
        scope_kind=ScopeKind.SERVICE,
        scope_code=service.code,
        priority=t.Priority.P1,
        category=None,
        is_security=True,
        effect=Effect.OUTAGE,
        at=now - timedelta(hours=1),
    )
    major_id = declare(session, told, tenants, now=now, by="test")
    communicate(session, major_id, "Nous y travaillons.", is_mailed=True, is_notice=True, now=now, by="test")
    session.flush()
    for tenant_id in tenants:
        pass_on(session, major_id, tenant_id, post_by=Post(None, "https://console.example"), now=now)
    return major_id


def planned_work(session: Session, service: str = "payroll") -> int:
    """Work on a service one night a week from next week on, announced, its second date cancelled."""
    now = datetime.now(UTC)
    first = (now + timedelta(days=7)).replace(hour=22, minute=0, second=0, microsecond=0, tzinfo=None)
    plan = maintenance.Plan(
        title="Mise à jour du socle",
        description="Retour arrière prévu.",
        first=first,
        zone="Europe/Paris",
        duration_min=120,
        rule="FREQ=WEEKLY",
        until_on=None,
        excluded="",
        scope=[f"service:{service}"],
        adherents=[],
        effect=Effect.OUTAGE,
    )
    number = maintenance.draft_work(session, plan, now=now, by="test")
    maintenance.announce(session, number, now=now, by="test")
    _first, second, *_later = maintenance.foresee(session, number, now=now).ahead
    maintenance.cancel_occurrence(session, number, second.held.slot.occurrence, now=now, by="test")
    return number


def a_server(session: Session) -> int:
    """A server of the inventory, of which an impact waits to be confirmed."""
    facts = {
        "kind": EquipmentKind.SERVER,
        "manufacturer": "Dell",
        "model": "PowerEdge R740",
        "purchased_on": date(2022, 3, 14),
        "planned_months": 60,
    }
    row = ThingRow(0, "SRV-A", facts)
    return store_thing(session, row, equipment_id=None, now=datetime.now(UTC), by="test")
