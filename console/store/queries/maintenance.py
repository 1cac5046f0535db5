"""Planned work: whom it touches, what it may clash with, the list, one record, stretches of a calendar."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache

import holidays
from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from console.domain.claims import OPERATOR_TENANT
from console.domain.contract import Status
from console.domain.criticality import Window
from console.domain.errors import Invalid, NotFound
from console.domain.maintenance import Critical, MaintenanceState, Meeting, OtherWork, Slot, Timing
from console.domain.major_incidents import ScopeKind
from console.domain.outages import Effect
from console.store.models import catalogue as c
from console.store.models import follow_up as f
from console.store.models import maintenance as h
from console.store.models import offer as o
from console.store.models import tenant as t
from console.store.queries.major_incidents import services_in
from console.store.queries.service_names import ServiceName, name_of


@dataclass(frozen=True, slots=True)
class Touched:
    """A subscription that work touches; `notice_hours` is what its plan wants, None without a plan."""

    tenant_id: int
    adherent: str
    number: int
    starts_on: date
    ends_on: date | None
    notice_hours: int | None

    def runs_on(self, day: date) -> bool:
        return self.starts_on <= day and (self.ends_on is None or day <= self.ends_on)


@dataclass(frozen=True, slots=True)
class Reach:
    """The services that work touches with their names, and the subscriptions to them."""

    services: Mapping[str, ServiceName]
    subscriptions: Sequence[Touched]

    @property
    def adherents(self) -> Mapping[int, str]:
        """The adherents by number, in the order of their names."""
        return {one.tenant_id: one.adherent for one in self.subscriptions}

    def notices(self, day: date) -> Counter[int]:
        """How many subscriptions want so many hours of notice of work on a day."""
        running = [one for one in self.subscriptions if one.runs_on(day)]
        return Counter(one.notice_hours for one in running if one.notice_hours is not None)


@dataclass(frozen=True, slots=True)
class Held:
    """An occurrence that was announced."""

    slot: Slot
    announced_at: datetime
    cancelled_at: datetime | None
    changed_by: str | None
    revision: int

    @property
    def was_moved(self) -> bool:
        return self.slot.occurrence != self.slot.starts_at


@dataclass(frozen=True, slots=True)
class Record:
    """Planned work as it was written down."""

    maintenance_id: int
    title: str
    description: str | None
    timing: Timing
    scope: Sequence[str]
    adherents: Sequence[int]
    effect: Effect
    state: MaintenanceState
    created_by: str
    created_at: datetime
    announced_by: str | None
    announced_at: datetime | None
    cancelled_by: str | None
    cancelled_at: datetime | None


@dataclass(frozen=True, slots=True)
class ListedWork:
    """A line of the list: the record, and when its next occurrence begins if it has one."""

    record: Record
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class PlannedDay:
    """An occurrence on a calendar: of the operator's records, or of one adherent with its services."""

    maintenance_id: int
    title: str
    effect: Effect
    slot: Slot
    announced_at: datetime
    cancelled_at: datetime | None
    revision: int
    services: Sequence[ServiceName]


def timing_of(row: h.Maintenance) -> Timing:
    return Timing(
        first=datetime.fromisoformat(row.first_wall),
        zone=row.zone,
        duration_min=row.duration_min,
        rule=row.rule,
        until_on=row.until_on,
        excluded=frozenset(date.fromisoformat(day) for day in row.excluded),
    )


def reach_of(session: Session, scope: Sequence[str], adherents: Collection[int], day: date) -> Reach:
    """What work on a scope touches, seen from a day, by adherent's name; raises `Invalid` for the scope.

    Subscriptions that are to begin are among them; `adherents` keeps some, all where it is empty.
    """
    codes: set[str] = set()
    for value in scope:
        kind, _colon, code = value.partition(":")
        try:
            codes |= services_in(session, ScopeKind(kind), code, day).keys()
        except NotFound as error:
            raise Invalid("scope", error.message) from None
    row, plan = t.Subscription, c.SlaPlan
    rows = session.execute(
        select(row.tenant_id, c.Adherent.name, row.number, row.starts_on, row.ends_on, plan.notice_hours)
        .join(c.Adherent, c.Adherent.tenant_id == row.tenant_id)
        .outerjoin(plan, and_(plan.code == row.plan_code, plan.version == row.plan_version))
        .where(
            row.service_code.in_(codes),
            row.status.in_((Status.ACTIVE, Status.SUSPENDED)),
            or_(row.ends_on.is_(None), row.ends_on >= day),
            row.tenant_id != OPERATOR_TENANT,
        )
        .order_by(c.Adherent.name, row.tenant_id, row.number)
    )
    found = [Touched(*columns) for columns in rows]
    return Reach(
        services={code: name for code, name in service_names(session).items() if code in codes},
        subscriptions=[one for one in found if not adherents or one.tenant_id in adherents],
    )


def critical_days(session: Session, services: Collection[str]) -> list[Critical]:
    """The services of these that have critical days."""
    rows = session.execute(
        select(c.Service.code, o.CriticalityCalendar.windows)
        .join(o.CriticalityCalendar, o.CriticalityCalendar.code == c.Service.criticality_code)
        .where(c.Service.code.in_(services))
    )
    return [Critical(code, [Window(*window) for window in windows]) for code, windows in rows]


def other_work(
    session: Session, maintenance_id: int | None, start: datetime, end: datetime
) -> list[OtherWork]:
    """The announced occurrences of other records that meet a stretch of time."""
    work, record = h.MaintenanceOccurrence, h.Maintenance
    rows = session.execute(
        select(record.title, record.services, work)
        .join(work, work.maintenance_id == record.maintenance_id)
        .where(work.cancelled_at.is_(None), work.starts_at < end, work.ends_at > start)
        .where(record.maintenance_id != (maintenance_id or 0))
        .order_by(work.starts_at)
    )
    return [OtherWork(title, frozenset(services), _slot(row)) for title, services, row in rows]


def committees_between(
    session: Session, adherents: Collection[int], start: datetime, end: datetime
) -> list[Meeting]:
    """The committees with some adherents, those cancelled left out, that begin in `[start, end)`."""
    row = f.Committee
    rows = session.execute(
        select(c.Adherent.name, row.starts_at)
        .join(c.Adherent, c.Adherent.tenant_id == row.tenant_id)
        .where(row.tenant_id.in_(adherents), row.cancelled_at.is_(None))
        .where(row.starts_at >= start, row.starts_at < end)
    )
    return [Meeting(*columns) for columns in rows]


@cache
def french_holidays() -> Mapping[date, str]:
    """The public holidays of France; a year is reckoned when it is asked for."""
    return holidays.country_holidays("FR", language="fr")


def service_names(session: Session) -> dict[str, ServiceName]:
    """Every service of the catalogue by its code."""
    return {row.code: name_of(row) for row in session.scalars(select(c.Service).order_by(c.Service.name_fr))}


def record_of(session: Session, maintenance_id: int) -> Record:
    """A record; raises `NotFound`."""
    row = session.get(h.Maintenance, maintenance_id)
    if row is None:
        raise NotFound("Travaux introuvables.")
    return _record(row)


def list_work(session: Session, *, now: datetime) -> list[ListedWork]:
    """The records that are drafts or announced, the next first, drafts before them; two statements."""
    row, work = h.Maintenance, h.MaintenanceOccurrence
    ahead = select(work.maintenance_id, func.min(work.starts_at)).where(
        work.ends_at > now, work.cancelled_at.is_(None)
    )
    rows_ahead = session.execute(ahead.group_by(work.maintenance_id))
    next_at = {row[0]: row[1] for row in rows_ahead}
    live = (MaintenanceState.DRAFT, MaintenanceState.ANNOUNCED)
    rows = session.scalars(select(row).where(row.state.in_(live)).order_by(row.maintenance_id))
    found = [ListedWork(_record(one), next_at.get(one.maintenance_id)) for one in rows]
    return sorted(found, key=lambda one: (one.record.state is not MaintenanceState.DRAFT, str(one.next_at)))


def occurrences_of(session: Session, maintenance_id: int, since: datetime) -> list[Held]:
    """The announced occurrences of a record that end after an instant, in order."""
    row = h.MaintenanceOccurrence
    rows = session.scalars(
        select(row)
        .where(row.maintenance_id == maintenance_id, row.ends_at > since)
        .order_by(row.starts_at, row.occurrence)
    )
    return [
        Held(_slot(one), one.announced_at, one.cancelled_at, one.changed_by, one.revision) for one in rows
    ]


def work_between(session: Session, start: datetime, end: datetime) -> list[PlannedDay]:
    """Every announced occurrence that meets `[start, end)`, in order; for the operator."""
    work, record = h.MaintenanceOccurrence, h.Maintenance
    rows = session.execute(
        select(record, work)
        .join(work, work.maintenance_id == record.maintenance_id)
        .where(work.starts_at < end, work.ends_at > start)
        .order_by(work.starts_at, work.maintenance_id)
    ).all()
    called = service_names(session)
    return [
        PlannedDay(
            maintenance_id=one.maintenance_id,
            title=one.title,
            effect=one.effect,
            slot=_slot(row),
            announced_at=row.announced_at,
            cancelled_at=row.cancelled_at,
            revision=row.revision,
            services=[called[code] for code in one.services if code in called],
        )
        for one, row in rows
    ]


def work_of(session: Session, tenant_id: int, start: datetime, end: datetime) -> list[PlannedDay]:
    """The occurrences announced to an adherent that meet `[start, end)`, in order, each once."""
    work, subscription = t.PlannedWork, t.Subscription
    rows = session.execute(
        select(work, c.Service, subscription.ends_on)
        .join(
            subscription,
            and_(subscription.tenant_id == work.tenant_id, subscription.number == work.subscription),
        )
        .join(c.Service, c.Service.code == subscription.service_code)
        .where(work.tenant_id == tenant_id, work.starts_at < end, work.ends_at > start)
        .where(work.announced_at.is_not(None))
        .order_by(work.starts_at, work.maintenance_id, c.Service.name_fr)
    )
    of_each: dict[tuple[int, datetime], list[tuple[t.PlannedWork, c.Service]]] = {}
    for row, service, ends_on in rows:
        if ends_on is None or row.starts_at.date() <= ends_on:
            of_each.setdefault((row.maintenance_id, row.occurrence), []).append((row, service))
    return [_of_adherent(parts) for parts in of_each.values()]


def work_due(session: Session, *, now: datetime) -> list[tuple[int]]:
    """The records whose occurrences are to be carried on, the longest due first."""
    row = h.Maintenance
    due = select(row.maintenance_id).where(row.extends_at <= now)
    return [(number,) for number in session.scalars(due.order_by(row.extends_at, row.maintenance_id))]


def _of_adherent(parts: Sequence[tuple[t.PlannedWork, c.Service]]) -> PlannedDay:
    """What an adherent's subscriptions were told of one occurrence: cancelled once it is for all of them."""
    rows = [row for row, _service in parts]
    first = rows[0]
    standing = [row for row in rows if row.cancelled_at is None]
    return PlannedDay(
        maintenance_id=first.maintenance_id,
        title=first.title,
        effect=first.effect,
        slot=Slot(first.occurrence, first.starts_at, first.ends_at),
        announced_at=max(row.announced_at for row in rows if row.announced_at),
        cancelled_at=None if standing else max(row.cancelled_at for row in rows if row.cancelled_at),
        revision=max(row.revision for row in rows),
        services=[name_of(service) for _row, service in parts],
    )


def _slot(row: h.MaintenanceOccurrence) -> Slot:
    return Slot(row.occurrence, row.starts_at, row.ends_at)


def _record(row: h.Maintenance) -> Record:
    return Record(
        maintenance_id=row.maintenance_id,
        title=row.title,
        description=row.description,
        timing=timing_of(row),
        scope=row.scope,
        adherents=row.adherents,
        effect=row.effect,
        state=row.state,
        created_by=row.created_by,
        created_at=row.created_at,
        announced_by=row.announced_by,
        announced_at=row.announced_at,
        cancelled_by=row.cancelled_by,
        cancelled_at=row.cancelled_at,
    )
