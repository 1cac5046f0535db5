"""What the law wants told of a security incident: duties follow from the rules, are done, or do not apply.

Each rule that holds on the day on which the operator became aware makes a duty: that one does not apply is
for a person to say, with a reason. What is the operator's own once for an event is a duty of the major
incident where there is one, and not of each of its incidents.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from console.actions.numbering import next_number
from console.actions.tenancy import hold_adherent
from console.domain.claims import OPERATOR_TENANT
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.free_text import one_line, optional_line
from console.domain.regulatory import Recipient, Rule, due_dates
from console.domain.spans import whole_second
from console.store.models import catalogue as c
from console.store.models import major as j
from console.store.models import regulatory as r
from console.store.models import tenant as t
from console.store.queries.regulatory import contract_hours, rule_of, rules_on
from console.store.session import MACHINE


@dataclass(frozen=True, slots=True)
class Matter:
    """What duties are of: an incident of an adherent, or a major incident, of the operator."""

    tenant_id: int
    incident: int | None = None
    major: int | None = None

    def rows(self) -> list[ColumnElement[bool]]:
        duty = r.RegulatoryDuty
        return [duty.tenant_id == self.tenant_id, duty.incident == self.incident, duty.major == self.major]


def renew(session: Session, incident: t.Incident, now: datetime) -> None:
    """Make the duties that an incident lacks, reckon them again, or let them rest if it is not of security.

    The incident is in the database already.
    """
    if not incident.is_security and not _was_of_security(session, incident):
        return
    _renew(
        session,
        Matter(incident.tenant_id, incident=incident.number),
        aware_at=incident.opened_at,
        is_security=incident.is_security,
        of_operator=incident.major is None,
        of_adherent=True,
        now=now,
    )


def renew_major(session: Session, major: j.MajorIncident, now: datetime) -> None:
    """The same for what the operator owes once for a major incident."""
    _renew(
        session,
        Matter(OPERATOR_TENANT, major=major.major_id),
        aware_at=major.opened_at,
        is_security=major.is_security,
        of_operator=True,
        of_adherent=False,
        now=now,
    )


def qualify(
    session: Session,
    matter: Matter,
    *,
    aware_at: datetime,
    applying: Collection[int],
    reason: str,
    now: datetime,
    by: str,
) -> None:
    """Say when the operator became aware, and which duties apply, by number; the others need a reason."""
    hold_adherent(session, matter.tenant_id)
    duties = _duties(session, matter)
    if not duties:
        raise NotFound("Aucune obligation ne pèse sur cet incident.")
    if set(applying) - {duty.number for duty in duties}:
        raise NotFound("Obligation introuvable.")
    aware_at = _not_later("aware_at", aware_at, now)
    for duty in duties:
        if duty.done_at is not None and duty.done_at < aware_at:
            raise Invalid("aware_at", "Une obligation a été remplie avant cette heure.")
        applies = duty.number in applying
        if applies:
            duty.withdrawn_at = duty.withdrawn_by = duty.reason = None
        elif duty.withdrawn_at is None and duty.done_at is None:
            duty.reason = one_line(reason, "reason")
            duty.withdrawn_at, duty.withdrawn_by = now, by
        duty.aware_at = aware_at
    _reckon(session, matter, duties, moved=True)


def settle(
    session: Session,
    matter: Matter,
    number: int,
    *,
    at: datetime,
    reference: str,
    now: datetime,
    by: str,
) -> None:
    """A duty was done, as of `at`; what counts from it is reckoned again."""
    duty = _duty(session, matter, number)
    if duty.done_at is not None or duty.withdrawn_at is not None:
        raise Conflict("L'état de cette obligation a changé entre-temps.")
    at = _not_later("at", at, now)
    if at < duty.aware_at:
        raise Invalid("at", "Une obligation se remplit après la prise de connaissance.")
    duty.done_at, duty.done_by = at, by
    duty.reference = optional_line(reference, "reference")
    _reckon(session, matter, _duties(session, matter))


def take_back(session: Session, matter: Matter, number: int) -> None:
    """What was said to be done is not."""
    duty = _duty(session, matter, number)
    if duty.done_at is None:
        raise Conflict("L'état de cette obligation a changé entre-temps.")
    duty.done_at = duty.done_by = duty.reference = None
    _reckon(session, matter, _duties(session, matter))


def settle_notice(session: Session, tenant_id: int, incident: int, *, at: datetime, by: str) -> None:
    """An adherent was informed: what is owed to it for an incident is done, unless it was already."""
    matter = Matter(tenant_id, incident=incident)
    duties = _duties(session, matter)
    rules = _rules(session, duties)
    for duty in duties:
        owed = rules[duty.rule_code].recipient is Recipient.ADHERENT
        if owed and duty.done_at is None and duty.withdrawn_at is None:
            duty.done_at, duty.done_by = max(at, duty.aware_at), by
    _reckon(session, matter, duties)


def _renew(
    session: Session,
    matter: Matter,
    *,
    aware_at: datetime,
    is_security: bool,
    of_operator: bool,
    of_adherent: bool,
    now: datetime,
) -> None:
    duties = _duties(session, matter)
    if not is_security:
        _rest(duties, now)
        return
    aware_at = duties[0].aware_at if duties else aware_at
    rules = {
        code: rule
        for code, rule in rules_on(session, aware_at.astimezone(_zone(session, matter)).date()).items()
        if (of_adherent if rule.each_adherent else of_operator)
    }
    for duty in duties:
        if duty.withdrawn_at is not None and duty.reason is None:  # it rested, and is of security again
            duty.withdrawn_at = duty.withdrawn_by = None
    known = {duty.rule_code for duty in duties}
    missing = [rule for code, rule in rules.items() if code not in known]
    made = _make(session, matter, missing, aware_at) if missing else []
    _reckon(session, matter, [*duties, *made])
    session.add_all(made)
    session.flush()


def _make(
    session: Session, matter: Matter, rules: Collection[Rule], aware_at: datetime
) -> list[r.RegulatoryDuty]:
    hold_adherent(session, matter.tenant_id)
    number = next_number(session, r.RegulatoryDuty.number, matter.tenant_id)
    return [
        r.RegulatoryDuty(
            tenant_id=matter.tenant_id,
            number=number + place,
            incident=matter.incident,
            major=matter.major,
            rule_code=rule.code,
            rule_version=rule.version,
            aware_at=aware_at,
        )
        for place, rule in enumerate(rules)
    ]


def _rest(duties: Collection[r.RegulatoryDuty], now: datetime) -> None:
    for duty in duties:
        if duty.done_at is None and duty.withdrawn_at is None:
            duty.withdrawn_at, duty.withdrawn_by, duty.reason = now, MACHINE, None


def _reckon(
    session: Session, matter: Matter, duties: Collection[r.RegulatoryDuty], *, moved: bool = False
) -> None:
    """Store when each is due; what was done keeps the due date that it had, unless awareness `moved`."""
    if not duties:
        return
    rules = _rules(session, duties)
    dues = due_dates(
        [rule_of(row) for row in rules.values()],
        next(iter(duties)).aware_at,
        _zone(session, matter),
        contract_hours=_hours_of(session, matter),
        done={duty.rule_code: duty.done_at for duty in duties if duty.done_at is not None},
    )
    for duty in duties:
        if duty.done_at is None or moved:
            due = dues[duty.rule_code]
            duty.due_at, duty.warn_at = due.due_at, due.warn_at


def _zone(session: Session, matter: Matter) -> ZoneInfo:
    return ZoneInfo(session.get_one(c.Adherent, matter.tenant_id).zone)


def _rules(session: Session, duties: Collection[r.RegulatoryDuty]) -> dict[str, r.RegulatoryRule]:
    wanted = {(duty.rule_code, duty.rule_version) for duty in duties}
    rows = session.scalars(
        select(r.RegulatoryRule).where(r.RegulatoryRule.code.in_({code for code, _version in wanted}))
    )
    return {row.code: row for row in rows if (row.code, row.version) in wanted}


def _hours_of(session: Session, matter: Matter) -> int | None:
    if matter.incident is None:
        return None
    incident = session.get_one(t.Incident, (matter.tenant_id, matter.incident))
    return contract_hours(session, matter.tenant_id, incident.subscription)


def _was_of_security(session: Session, incident: t.Incident) -> bool:
    matter = Matter(incident.tenant_id, incident=incident.number)
    return session.scalars(select(r.RegulatoryDuty.number).where(*matter.rows()).limit(1)).first() is not None


def _duties(session: Session, matter: Matter) -> list[r.RegulatoryDuty]:
    rows = select(r.RegulatoryDuty).where(*matter.rows()).order_by(r.RegulatoryDuty.number)
    return list(session.scalars(rows))


def _duty(session: Session, matter: Matter, number: int) -> r.RegulatoryDuty:
    hold_adherent(session, matter.tenant_id)
    duty = session.scalars(
        select(r.RegulatoryDuty).where(*matter.rows(), r.RegulatoryDuty.number == number)
    ).one_or_none()
    if duty is None:
        raise NotFound("Obligation introuvable.")
    return duty


def _not_later(field: str, at: datetime, now: datetime) -> datetime:
    at = whole_second(at)
    if at > now:
        raise Invalid(field, "Une heure à venir ne peut pas être enregistrée.")
    return at
