"""One outage that touches many adherents: one record, which an incident of each adherent follows.

a deed on the record -> a step, and its adherents become due -> `passing_on` takes each through it
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from console.actions.duties import renew_major
from console.actions.incident_clocks import hold_incident
from console.domain.claims import OPERATOR_ZONE
from console.domain.clock import EventKind
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.free_text import one_line, several_lines
from console.domain.hosting import DataCentre
from console.domain.major_incidents import MajorPhase, ScopeKind, StepKind, after, yes_or_no
from console.domain.outages import Effect
from console.domain.revisions import changed_fields
from console.domain.spans import whole_second
from console.store.models import major as j
from console.store.models import tenant as t
from console.store.queries.major_incidents import TouchedAdherent, touched_by

Category, Priority = t.Category, t.Priority


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What is said of a major incident as it is declared; texts as they were typed."""

    title: str
    description: str
    scope_kind: ScopeKind
    scope_code: str
    priority: t.Priority
    category: t.Category | None
    is_security: bool
    effect: Effect
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Severity:
    """How bad a major incident is."""

    priority: t.Priority
    effect: Effect
    is_security: bool


def adherents_of(
    session: Session, kind: ScopeKind, code: str, at: datetime, only: Collection[int] = ()
) -> list[TouchedAdherent]:
    """Whom a scope touched at an instant, by name; raises `Invalid` for a scope that is none."""
    if kind is ScopeKind.DATA_CENTRE and code not in list(DataCentre):
        raise Invalid("scope_code", "Un choix de la liste est attendu.")
    try:
        return touched_by(session, kind, code, at.astimezone(OPERATOR_ZONE).date(), only)
    except NotFound as error:
        raise Invalid("scope_code", error.message) from None


def declare(
    session: Session, told: Declaration, adherents: Collection[int], *, now: datetime, by: str
) -> int:
    """Declare a major incident that touches these adherents; its number. Their incidents open shortly.

    Raises `Conflict` while another of the same title is not over: a form that was sent twice.
    """
    title, at = one_line(told.title, "title"), _not_later(told.at, now)
    _refuse_twin(session, title)
    found = adherents_of(session, told.scope_kind, told.scope_code, at, adherents) if adherents else []
    if not found:
        raise Invalid("adherents", "Un incident majeur touche au moins un adhérent : cochez-les.")
    major = j.MajorIncident(
        title=title,
        description=several_lines(told.description, "description") or None,
        scope_kind=told.scope_kind,
        scope_code=told.scope_code,
        priority=told.priority,
        category=told.category,
        is_security=told.is_security,
        effect=told.effect,
        phase=MajorPhase.OPEN,
        opened_at=at,
        last_step=0,
        declared_by=by,
        declared_at=now,
    )
    session.add(major)
    session.flush()
    session.add_all(_row(major.major_id, one, now, by) for one in found)
    renew_major(session, major, now)
    return major.major_id


def record_step(
    session: Session, major_id: int, kind: EventKind, *, at: datetime, now: datetime, by: str
) -> None:
    """Record what happened to a major incident, as of `at`; its incidents follow."""
    major = _hold(session, major_id)
    phase = after(major.phase, kind)
    at = _in_order(session, major, at, now)
    major.phase = phase
    major.resolved_at = _resolved_at(major, kind, at)
    _add_step(session, major, StepKind.EVENT, kind.value, at=at, now=now, by=by)


def change_major(
    session: Session,
    major_id: int,
    *,
    severity: Severity,
    at: datetime,
    now: datetime,
    by: str,
    seen: Severity | None = None,
) -> None:
    """Say how bad it is from `at` on; what is as it was makes no step.

    Of a form that was filled in from `seen`, only what the person changed is told; raises `Stale` where
    somebody else changed it meanwhile.
    """
    major = _hold(session, major_id)
    if major.phase is MajorPhase.CLOSED:
        raise Conflict("Cet incident majeur est clos.")
    present = Severity(priority=major.priority, effect=major.effect, is_security=major.is_security)
    told = asdict(severity)
    if seen is not None:
        changed = changed_fields(told, asdict(seen), asdict(present))
        severity = replace(present, **{field: told[field] for field in changed})
    priority, effect, is_security = severity.priority, severity.effect, severity.is_security
    at = _in_order(session, major, at, now)
    if priority is not major.priority:
        step = _add_step(session, major, StepKind.PRIORITY, priority.value, at=at, now=now, by=by)
        step.was, major.priority = major.priority.value, priority
    if effect is not major.effect:
        step = _add_step(session, major, StepKind.EFFECT, effect.value, at=at, now=now, by=by)
        step.was, major.effect = major.effect.value, effect
    if is_security is not major.is_security:
        value = yes_or_no(is_security)
        step = _add_step(session, major, StepKind.SECURITY, value, at=at, now=now, by=by)
        step.was, major.is_security = yes_or_no(major.is_security), is_security
        renew_major(session, major, now)


def communicate(
    session: Session,
    major_id: int,
    text: str,
    *,
    is_mailed: bool,
    is_notice: bool,
    now: datetime,
    by: str,
) -> None:
    """Tell the adherents something: a shared comment in each incident, and a mail if asked.

    A notice is the information that the law wants of a security incident; it is mailed.
    """
    major = _hold(session, major_id)
    written = several_lines(text, "text")
    if not written:
        raise Invalid("text", "Un texte est attendu.")
    if is_notice and not (major.is_security and is_mailed):
        raise Invalid(
            "is_notice", "Seul un courriel sur un incident de sécurité vaut information de l'adhérent."
        )
    step = _add_step(session, major, StepKind.COMMUNICATION, None, at=now, now=now, by=by)
    step.text, step.is_mailed, step.is_notice = written, is_mailed, is_notice


def add_adherents(
    session: Session, major_id: int, adherents: Collection[int], *, now: datetime, by: str
) -> int:
    """Put more adherents on a record, or some that were taken out back; how many are new to it.

    Raises `Invalid` for one that has nothing of what does not work.
    """
    major = _hold(session, major_id)
    if major.phase is MajorPhase.CLOSED:
        raise Conflict("Cet incident majeur est clos.")
    found = (
        adherents_of(session, major.scope_kind, major.scope_code, major.opened_at, adherents)
        if adherents
        else []
    )
    if missing := sorted(set(adherents) - {one.tenant_id for one in found}):
        raise Invalid(
            "adherents",
            "Rien de ce qui est touché n'est souscrit par : %(numbers)s.",
            numbers=", ".join(map(str, missing)),
        )
    added = 0
    for one in found:
        row = session.get(j.MajorAdherent, (major_id, one.tenant_id))
        if row is None:
            session.add(_row(major_id, one, now, by))
            added += 1
        elif row.taken_out_at is not None:
            row.taken_out_at = row.taken_out_by = None
            row.due_at = now
            _name_record(session, row, major_id)
            added += 1
    return added


def take_out(session: Session, major_id: int, tenant_id: int, *, now: datetime, by: str) -> None:
    """Let an adherent's incident go its own way: the record moves it no more, and it says so."""
    row = _adherent(session, major_id, tenant_id)
    if row.taken_out_at is not None:
        raise Conflict("Cet adhérent est déjà retiré.")
    row.taken_out_at, row.taken_out_by = now, by
    row.due_at = row.refused = None
    _name_record(session, row, None)


def try_again(session: Session, major_id: int, tenant_id: int, *, now: datetime) -> None:
    """What an incident did not take has been looked at; one that could not be opened is tried again."""
    row = _adherent(session, major_id, tenant_id)
    if row.refused is None:
        raise Conflict("Rien n'est à reprendre pour cet adhérent.")
    row.refused = None
    if row.incident is None:
        row.due_at = now


def _add_step(
    session: Session,
    major: j.MajorIncident,
    kind: StepKind,
    value: str | None,
    *,
    at: datetime,
    now: datetime,
    by: str,
) -> j.MajorStep:
    """Write the next step, and make the adherents of the record due."""
    major.last_step += 1
    step = j.MajorStep(
        major_id=major.major_id,
        position=major.last_step,
        kind=kind,
        value=value,
        is_mailed=False,
        is_notice=False,
        at=at,
        recorded_at=now,
        recorded_by=by,
    )
    session.add(step)
    session.flush()
    row = j.MajorAdherent
    # Also those that are due already: one that is being passed on may have read its steps before this one.
    on_it = (row.major_id == major.major_id, row.taken_out_at.is_(None))
    session.execute(update(row).where(*on_it).values(due_at=now))
    return step


def _row(major_id: int, one: TouchedAdherent, now: datetime, by: str) -> j.MajorAdherent:
    return j.MajorAdherent(
        major_id=major_id,
        tenant_id=one.tenant_id,
        subscription=one.touched.subscription,
        others=list(one.touched.others),
        applied=0,
        due_at=now,
        added_by=by,
        added_at=now,
    )


def _name_record(session: Session, row: j.MajorAdherent, major_id: int | None) -> None:
    """Have an adherent's incident name the record, or no record."""
    if row.incident is not None:
        hold_incident(session, row.tenant_id, row.incident).major = major_id


def _hold(session: Session, major_id: int) -> j.MajorIncident:
    major = session.scalars(
        select(j.MajorIncident).where(j.MajorIncident.major_id == major_id).with_for_update()
    ).one_or_none()
    if major is None:
        raise NotFound("Incident majeur introuvable.")
    return major


def _adherent(session: Session, major_id: int, tenant_id: int) -> j.MajorAdherent:
    row = j.MajorAdherent
    one = select(row).where(row.major_id == major_id, row.tenant_id == tenant_id).with_for_update()
    found = session.scalars(one).one_or_none()
    if found is None:
        raise NotFound("Cet adhérent n'est pas dans cet incident majeur.")
    return found


def _refuse_twin(session: Session, title: str) -> None:
    row = j.MajorIncident
    twin = select(row.major_id).where(
        row.title == title, row.phase.in_((MajorPhase.OPEN, MajorPhase.ACKNOWLEDGED))
    )
    if number := session.scalars(twin).first():
        raise Conflict(
            "L'incident majeur n° %(number)s, du même titre, n'est pas encore résolu.", number=number
        )


def _resolved_at(major: j.MajorIncident, kind: EventKind, at: datetime) -> datetime | None:
    if kind is EventKind.RESOLVED:
        return at
    return None if kind is EventKind.REOPENED else major.resolved_at


def _in_order(session: Session, major: j.MajorIncident, at: datetime, now: datetime) -> datetime:
    """An instant that is not before the last step, nor to come."""
    at = _not_later(at, now)
    last = session.scalar(select(func.max(j.MajorStep.at)).where(j.MajorStep.major_id == major.major_id))
    before = max(major.opened_at, last or major.opened_at)
    if at < before:
        raise Invalid(
            "at",
            "L'événement précédent date de %(before)s : celui-ci ne peut pas le précéder.",
            before=f"{before:%Y-%m-%d %H:%M:%S} UTC",
        )
    return at


def _not_later(at: datetime, now: datetime) -> datetime:
    at = whole_second(at)
    if at > now:
        raise Invalid("at", "Une heure à venir ne peut pas être enregistrée.")
    return at
