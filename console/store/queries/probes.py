"""Probes as the pages of operators show them, and those that are due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import Session

from console.domain.alerts import DownProbe
from console.domain.errors import NotFound
from console.domain.outages import Effect, Source
from console.domain.probes import Fault, ProbeKind
from console.store.models import catalogue as c
from console.store.models import probes as p
from console.store.models import tenant as t

LAST_ANSWERS = 60
LAST_OUTAGES = 20
WATCHED = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ProbeAnswered:
    """The answer of a slot; `fault` None is a good one."""

    slot: datetime
    fault: Fault | None
    took_ms: int
    detail: str


@dataclass(frozen=True, slots=True)
class ListedProbe:
    """A probe and where it stands; `last` None where it has not answered yet."""

    probe_id: int
    name: str
    kind: ProbeKind
    target: str
    status: int
    text: str | None
    timeout_s: int
    every_s: int
    effect: Effect
    service_code: str
    service_fr: str
    service_en: str
    tenant_id: int | None
    subscription: int | None
    adherent: str | None
    stopped_at: datetime | None
    down_since: datetime | None
    certificate_ends_at: datetime | None
    last: ProbeAnswered | None


@dataclass(frozen=True, slots=True)
class ProbeOutage:
    """An outage that a probe told of, and how many subscriptions it touched."""

    began_at: datetime
    ended_at: datetime | None
    subscriptions: int


@dataclass(frozen=True, slots=True)
class ProbePage:
    """A probe with its last answers and outages; `missed` of the `expected` slots of a day have no answer."""

    probe: ListedProbe
    answers: Sequence[ProbeAnswered]
    outages: Sequence[ProbeOutage]
    expected: int
    missed: int


def due_probes(session: Session, *, now: datetime) -> list[int]:
    """The probes whose slot has come, the longest due first."""
    due = select(p.Probe.probe_id).where(p.Probe.due_at <= now).order_by(p.Probe.due_at, p.Probe.probe_id)
    return list(session.scalars(due))


def down_probes(session: Session) -> list[DownProbe]:
    """The probes that tell of an outage now, and of how many subscriptions."""
    row, outage = p.Probe, t.Outage
    of_it = and_(
        outage.source == Source.PROBE, outage.reference == row.probe_id, outage.began_at == row.down_since
    )
    down = (
        select(
            row.probe_id,
            row.name,
            row.target,
            c.Service.name_fr,
            row.down_since,
            func.count(outage.tenant_id),
        )
        .join(c.Service, c.Service.code == row.service_code)
        .join(outage, of_it, isouter=True)
        .where(row.down_since.is_not(None))
        .group_by(row.probe_id, row.name, row.target, c.Service.name_fr, row.down_since)
        .order_by(row.down_since, row.probe_id)
    )
    return [
        DownProbe(
            probe_id=probe_id,
            name=name,
            target=target,
            service=service,
            subscriptions=subscriptions,
            down_since=down_since,
        )
        for probe_id, name, target, service, down_since, subscriptions in session.execute(down)
        if down_since is not None
    ]


def probes(session: Session) -> list[ListedProbe]:
    """Every probe: those that are down first, then by name; the stopped ones last."""
    listed = [_listed(*row) for row in session.execute(_probes())]
    return sorted(
        listed, key=lambda one: (one.stopped_at is not None, one.down_since is None, one.name.casefold())
    )


def probe(session: Session, probe_id: int) -> ListedProbe:
    """One probe; raises `NotFound`."""
    row = session.execute(_probes().where(p.Probe.probe_id == probe_id)).one_or_none()
    if row is None:
        raise NotFound("Sonde introuvable.")
    return _listed(*row)


def probe_page(session: Session, probe_id: int, *, now: datetime) -> ProbePage:
    """One probe with its past; raises `NotFound`."""
    found = probe(session, probe_id)
    answer = p.ProbeAnswer
    of_it = select(answer).where(answer.probe_id == probe_id)
    last = session.scalars(of_it.order_by(answer.slot.desc()).limit(LAST_ANSWERS)).all()
    expected, missed = _missed(session, found, now)
    return ProbePage(found, [_answer(row) for row in last], _outages(session, probe_id), expected, missed)


def _missed(session: Session, found: ListedProbe, now: datetime) -> tuple[int, int]:
    """How many slots there were since the first answer of the last day, and how many have no answer."""
    since = now - WATCHED
    count, first, last = session.execute(
        select(func.count(), func.min(p.ProbeAnswer.slot), func.max(p.ProbeAnswer.slot)).where(
            p.ProbeAnswer.probe_id == found.probe_id, p.ProbeAnswer.slot > since
        )
    ).one()
    if not count:
        return 0, 0
    until = last if found.stopped_at is not None else max(last, now - timedelta(seconds=found.every_s))
    expected = max(count, (until - first) // timedelta(seconds=found.every_s) + 1)
    return expected, expected - count


def _outages(session: Session, probe_id: int) -> list[ProbeOutage]:
    outage = t.Outage
    found = session.execute(
        select(outage.began_at, func.max(outage.ended_at), func.count())
        .where(outage.source == Source.PROBE, outage.reference == probe_id)
        .group_by(outage.began_at)
        .order_by(outage.began_at.desc())
        .limit(LAST_OUTAGES)
    )
    return [ProbeOutage(*row) for row in found]


def _probes() -> Select[p.Probe, str, str, str | None, p.ProbeAnswer | None]:
    return (
        select(p.Probe, c.Service.name_fr, c.Service.name_en, c.Adherent.name, p.ProbeAnswer)
        .join(c.Service, c.Service.code == p.Probe.service_code)
        .join(c.Adherent, c.Adherent.tenant_id == p.Probe.tenant_id, isouter=True)
        .join(
            p.ProbeAnswer,
            and_(p.ProbeAnswer.probe_id == p.Probe.probe_id, p.ProbeAnswer.slot == p.Probe.last_slot),
            isouter=True,
        )
    )


def _listed(
    row: p.Probe, service_fr: str, service_en: str, adherent: str | None, last: p.ProbeAnswer | None
) -> ListedProbe:
    return ListedProbe(
        probe_id=row.probe_id,
        name=row.name,
        kind=row.kind,
        target=row.target,
        status=row.expected_status,
        text=row.expected_text,
        timeout_s=row.timeout_s,
        every_s=row.every_s,
        effect=row.effect,
        service_code=row.service_code,
        service_fr=service_fr,
        service_en=service_en,
        tenant_id=row.tenant_id,
        subscription=row.subscription,
        adherent=adherent,
        stopped_at=row.stopped_at,
        down_since=row.down_since,
        certificate_ends_at=row.certificate_ends_at,
        last=None if last is None else _answer(last),
    )


def _answer(row: p.ProbeAnswer) -> ProbeAnswered:
    return ProbeAnswered(row.slot, row.fault, row.took_ms, row.detail)
