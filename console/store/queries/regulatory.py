"""What the law wants told: the rules with their history, and the duties of an incident."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from console.domain.alerts import DutyClock
from console.domain.claims import OPERATOR_TENANT
from console.domain.errors import NotFound
from console.domain.regulatory import (
    Capacity,
    DutyState,
    Recipient,
    Rule,
    Version,
    due_dates,
    state_of,
    versions_on,
)
from console.store.models import catalogue as c
from console.store.models import major as j
from console.store.models import regulatory as r
from console.store.models import tenant as t


@dataclass(frozen=True, slots=True)
class RuleVersion:
    """A version of a rule as its page shows it."""

    rule: Rule
    since: date
    name_fr: str
    name_en: str
    basis: str
    source: str
    is_retired: bool
    made_by: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class RuleHistory:
    """A rule with all its versions, the latest first; `current` holds today, None where none does."""

    code: str
    versions: Sequence[RuleVersion]
    current: RuleVersion | None

    @property
    def latest(self) -> RuleVersion:
        return self.versions[0]


@dataclass(frozen=True, slots=True)
class Duty:
    """A duty as it stands; `counts_from` is when its delay begins, provisional until that is settled."""

    tenant_id: int
    number: int
    rule: RuleVersion
    aware_at: datetime
    counts_from: datetime
    is_provisional: bool
    due_at: datetime
    done_at: datetime | None
    done_by: str | None
    reference: str | None
    withdrawn_at: datetime | None
    withdrawn_by: str | None
    reason: str | None
    state: DutyState


@dataclass(frozen=True, slots=True)
class Duties:
    """The duties of an incident of an adherent, or of a major incident, by due date."""

    title: str
    adherent: str  # empty for a major incident
    zone: str
    is_security: bool
    major: int | None
    rows: Sequence[Duty]

    @property
    def aware_at(self) -> datetime | None:
        return self.rows[0].aware_at if self.rows else None


def rules(session: Session, today: date) -> list[RuleHistory]:
    """Every rule, by code."""
    rows = session.scalars(
        select(r.RegulatoryRule).order_by(r.RegulatoryRule.code, r.RegulatoryRule.version.desc())
    ).all()
    held = versions_on(_versions(rows), today)
    found: dict[str, list[RuleVersion]] = {}
    for row in rows:
        found.setdefault(row.code, []).append(_rule_version(row))
    return [
        RuleHistory(
            code, versions, next((one for one in versions if one.rule.version == held.get(code)), None)
        )
        for code, versions in found.items()
    ]


def rule_history(session: Session, code: str, today: date) -> RuleHistory:
    """One rule; raises `NotFound`."""
    for history in rules(session, today):
        if history.code == code:
            return history
    raise NotFound("Cette règle n'existe pas.")


def rules_on(session: Session, day: date) -> dict[str, Rule]:
    """The rules that hold on a day, by code."""
    rows = session.scalars(select(r.RegulatoryRule).order_by(r.RegulatoryRule.code)).all()
    held = versions_on(_versions(rows), day)
    return {row.code: rule_of(row) for row in rows if held.get(row.code) == row.version}


def rule_of(row: r.RegulatoryRule) -> Rule:
    """A stored rule in the terms of the domain."""
    return Rule(
        code=row.code,
        version=row.version,
        capacity=Capacity(row.capacity),
        recipient=Recipient(row.recipient),
        hours=row.hours,
        months=row.months,
        by_contract=row.by_contract,
        after=row.after,
        each_adherent=row.each_adherent,
        own_limit=row.own_limit,
    )


def duties_of_incident(session: Session, tenant_id: int, number: int, *, now: datetime) -> Duties:
    """The duties of an incident; raises `NotFound`, also for one out of scope."""
    found = session.execute(
        select(t.Incident, c.Adherent)
        .join(c.Adherent, c.Adherent.tenant_id == t.Incident.tenant_id)
        .where(t.Incident.tenant_id == tenant_id, t.Incident.number == number)
    ).one_or_none()
    if found is None:
        raise NotFound("Incident introuvable.")
    incident, adherent = found
    of_it = and_(r.RegulatoryDuty.tenant_id == tenant_id, r.RegulatoryDuty.incident == number)
    return Duties(
        title=incident.title,
        adherent=adherent.name,
        zone=adherent.zone,
        is_security=incident.is_security,
        major=incident.major,
        rows=_duties(session, of_it, now, contract_hours(session, tenant_id, incident.subscription)),
    )


def duties_of_major(session: Session, major_id: int, *, now: datetime) -> Duties:
    """The operator's own duties of a major incident; raises `NotFound`."""
    major = session.get(j.MajorIncident, major_id)
    if major is None:
        raise NotFound("Incident majeur introuvable.")
    of_it = and_(r.RegulatoryDuty.tenant_id == OPERATOR_TENANT, r.RegulatoryDuty.major == major_id)
    return Duties(
        title=major.title,
        adherent="",
        zone="Europe/Paris",
        is_security=major.is_security,
        major=major_id,
        rows=_duties(session, of_it, now, None),
    )


def contract_hours(session: Session, tenant_id: int, subscription: int) -> int | None:
    """How fast the plan of a subscription has its adherent told of a security incident."""
    row = t.Subscription
    return session.scalar(
        select(c.SlaPlan.breach_notice_hours)
        .join(row, and_(row.plan_code == c.SlaPlan.code, row.plan_version == c.SlaPlan.version))
        .where(row.tenant_id == tenant_id, row.number == subscription)
    )


def duties_past_their_warning(session: Session, now: datetime) -> list[DutyClock]:
    """Open duties that are due soon or late, by due date."""
    duty, rule = r.RegulatoryDuty, r.RegulatoryRule
    rows = session.execute(
        select(duty, rule.name_fr, rule.basis, c.Adherent.name, t.Incident, j.MajorIncident.title)
        .join(rule, and_(rule.code == duty.rule_code, rule.version == duty.rule_version))
        .join(c.Adherent, c.Adherent.tenant_id == duty.tenant_id)
        .outerjoin(
            t.Incident, and_(t.Incident.tenant_id == duty.tenant_id, t.Incident.number == duty.incident)
        )
        .outerjoin(j.MajorIncident, j.MajorIncident.major_id == duty.major)
        .where(duty.warn_at <= now, duty.done_at.is_(None), duty.withdrawn_at.is_(None))
        .order_by(duty.due_at, duty.tenant_id, duty.number)
    )
    return [
        DutyClock(
            group=_group(row, incident),
            name=name,
            basis=basis,
            title=incident.title if incident else title,
            adherent=adherent,
            path=_path(row, incident),
            warn_at=row.warn_at,
            due_at=row.due_at,
        )
        for row, name, basis, adherent, incident, title in rows
    ]


def _group(row: r.RegulatoryDuty, incident: t.Incident | None) -> str:
    """Those of one rule in the incidents of one record are told of together."""
    if incident is None or incident.major is None:
        return f"{row.tenant_id}/{row.number}"
    return f"major-{incident.major}/{row.rule_code}"


def _path(row: r.RegulatoryDuty, incident: t.Incident | None) -> str:
    major = row.major if incident is None else incident.major
    if major is not None:
        return f"/major-incidents/{major}"
    return f"/adherents/{row.tenant_id}/incidents/{row.incident}/duties"


def _duties(
    session: Session, of_it: ColumnElement[bool], now: datetime, hours_of_contract: int | None
) -> list[Duty]:
    rows = session.execute(
        select(r.RegulatoryDuty, r.RegulatoryRule, c.Adherent.zone)
        .join(
            r.RegulatoryRule,
            and_(
                r.RegulatoryRule.code == r.RegulatoryDuty.rule_code,
                r.RegulatoryRule.version == r.RegulatoryDuty.rule_version,
            ),
        )
        .join(c.Adherent, c.Adherent.tenant_id == r.RegulatoryDuty.tenant_id)
        .where(of_it)
        .order_by(r.RegulatoryDuty.due_at, r.RegulatoryDuty.number)
    ).all()
    if not rows:
        return []
    dues = due_dates(
        [rule_of(rule) for _row, rule, _zone in rows],
        rows[0][0].aware_at,
        ZoneInfo(rows[0].zone),
        contract_hours=hours_of_contract,
        done={row.rule_code: row.done_at for row, _rule, _zone in rows if row.done_at},
    )
    return [
        Duty(
            tenant_id=row.tenant_id,
            number=row.number,
            rule=_rule_version(rule),
            aware_at=row.aware_at,
            counts_from=dues[row.rule_code].counts_from,
            is_provisional=dues[row.rule_code].is_provisional,
            due_at=row.due_at,
            done_at=row.done_at,
            done_by=row.done_by,
            reference=row.reference,
            withdrawn_at=row.withdrawn_at,
            withdrawn_by=row.withdrawn_by,
            reason=row.reason,
            state=state_of(
                due_at=row.due_at,
                warn_at=row.warn_at,
                done_at=row.done_at,
                withdrawn_at=row.withdrawn_at,
                now=now,
            ),
        )
        for row, rule, _zone in rows
    ]


def _versions(rows: Iterable[r.RegulatoryRule]) -> list[Version]:
    return [Version(row.code, row.version, row.since, row.is_retired, row.after) for row in rows]


def _rule_version(row: r.RegulatoryRule) -> RuleVersion:
    return RuleVersion(
        rule=rule_of(row),
        since=row.since,
        name_fr=row.name_fr,
        name_en=row.name_en,
        basis=row.basis,
        source=row.source,
        is_retired=row.is_retired,
        made_by=row.made_by,
        made_at=row.made_at,
    )
