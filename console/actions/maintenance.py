"""Planned work: drafted, announced to the adherents that it touches, moved, cancelled, carried on day by day.

announce -> occurrences of the next thirteen months -> a row per occurrence and subscription; `extend`, which
may be repeated without harm, adds what a new day or a new subscription brings.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from console.actions.recurrence import check_rule, is_endless, slots
from console.domain.claims import OPERATOR_ZONE
from console.domain.committees import instant_of
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.free_text import one_line, several_lines
from console.domain.maintenance import (
    LONGEST_MIN,
    Clash,
    MaintenanceState,
    Slot,
    Surroundings,
    Timing,
    check_timing,
    clashes,
    read_excluded,
    read_rule,
    read_scope,
    too_late,
    with_last_date,
)
from console.domain.outages import Effect
from console.store.models import maintenance as h
from console.store.models import tenant as t
from console.store.queries.maintenance import (
    Held,
    Reach,
    Record,
    committees_between,
    critical_days,
    french_holidays,
    occurrences_of,
    other_work,
    reach_of,
    record_of,
    timing_of,
)

AHEAD = timedelta(days=396)  # thirteen months
LONGEST_AHEAD = timedelta(days=36_600)  # what ends by itself ends within a century
A_DAY = timedelta(days=1)
AT_ONCE = 5000  # rows of one transaction; the rest follows in the next ones


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a person says of planned work; texts as they were typed, `first` on the wall clock of `zone`."""

    title: str
    description: str
    first: datetime
    zone: str
    duration_min: int | None
    rule: str
    until_on: date | None
    excluded: str
    scope: Collection[str]
    adherents: Collection[int]
    effect: Effect


@dataclass(frozen=True, slots=True)
class Foreseen:
    """An occurrence with what it falls on, and the subscriptions told too late by the hours they want."""

    held: Held
    clashes: Sequence[Clash]
    too_late: dict[int, int]


@dataclass(frozen=True, slots=True)
class Prospect:
    """A record, whom it touches, and its occurrences ahead; of a draft, as if it were announced now."""

    record: Record
    reach: Reach
    ahead: Sequence[Foreseen]


def draft_work(session: Session, plan: Plan, *, now: datetime, by: str) -> int:
    """Write work down, told to nobody yet; its number."""
    row = h.Maintenance(state=MaintenanceState.DRAFT, services=[], created_by=by, created_at=now)
    _tell(session, row, plan, now)
    session.add(row)
    session.flush()
    return row.maintenance_id


def change_draft(session: Session, maintenance_id: int, plan: Plan, *, now: datetime) -> None:
    """Change a draft; what was announced is moved or cancelled instead."""
    _tell(session, _hold(session, maintenance_id, MaintenanceState.DRAFT), plan, now)


def announce(session: Session, maintenance_id: int, *, now: datetime, by: str) -> None:
    """Tell the adherents: the notice that their plans want runs from this instant."""
    row = _hold(session, maintenance_id, MaintenanceState.DRAFT)
    if not _ahead(timing_of(row), now):
        raise Conflict("Toutes les dates de ces travaux sont passées : changez-les d'abord.")
    if not _reach(session, row, now).subscriptions:
        raise Conflict("Ces travaux ne touchent aucune souscription : changez leur périmètre d'abord.")
    row.state, row.announced_at, row.announced_by = MaintenanceState.ANNOUNCED, now, by
    session.flush()
    extend(session, maintenance_id, now=now)


def extend(session: Session, maintenance_id: int, *, now: datetime) -> None:
    """Carry an announced record on up to thirteen months ahead; each subscription is told once."""
    row = _hold(session, maintenance_id)
    if row.state is not MaintenanceState.ANNOUNCED:
        row.extends_at = None
        return
    reach = _reach(session, row, now)
    row.services = sorted(reach.services)
    _add_occurrences(session, row, now)
    rows = _missing(session, row, reach, now)
    if rows:
        session.execute(insert(t.PlannedWork), rows[:AT_ONCE])
    row.extends_at = now if len(rows) > AT_ONCE else now + A_DAY
    if not is_endless(timing_of(row)) and not _is_ahead(session, row, now):
        row.state, row.extends_at = MaintenanceState.DONE, None


def postpone(session: Session, maintenance_id: int, *, until: datetime) -> None:
    """Carry it on later: the last try failed."""
    _hold(session, maintenance_id).extends_at = until


def move_occurrence(
    session: Session,
    maintenance_id: int,
    occurrence: datetime,
    wall: datetime,
    duration_min: int | None,
    *,
    now: datetime,
    by: str,
) -> None:
    """Hold one occurrence at another time, which is announced again at this instant."""
    row = _hold(session, maintenance_id, MaintenanceState.ANNOUNCED)
    held = _hold_occurrence(session, maintenance_id, occurrence, now)
    duration = duration_min or (held.ends_at - held.starts_at) // timedelta(minutes=1)
    if not 1 <= duration <= LONGEST_MIN:
        raise Invalid("duration_min", "Des travaux durent de 1 à %(most)s minutes.", most=LONGEST_MIN)
    starts_at = instant_of(wall, ZoneInfo(row.zone))
    if starts_at <= now:
        raise Invalid("starts_at", "Des travaux sont déplacés à une date à venir.")
    ends_at = starts_at + timedelta(minutes=duration)
    if (starts_at, ends_at) == (held.starts_at, held.ends_at):
        raise Invalid("starts_at", "Cette date est déjà à cette heure.")
    held.starts_at, held.ends_at, held.announced_at = starts_at, ends_at, now
    held.changed_by, held.revision = by, held.revision + 1
    _change_works(session, held, starts_at=starts_at, ends_at=ends_at, announced_at=now)


def cancel_occurrence(
    session: Session, maintenance_id: int, occurrence: datetime, *, now: datetime, by: str
) -> None:
    """Say that one occurrence will not be held."""
    _hold(session, maintenance_id, MaintenanceState.ANNOUNCED)
    held = _hold_occurrence(session, maintenance_id, occurrence, now)
    _cancel(session, held, now, by)


def cancel_work(session: Session, maintenance_id: int, *, now: datetime, by: str) -> None:
    """Say that nothing of it will be held any more; what has begun stays as it was."""
    row = _hold(session, maintenance_id, MaintenanceState.DRAFT, MaintenanceState.ANNOUNCED)
    row.state, row.cancelled_at, row.cancelled_by = MaintenanceState.CANCELLED, now, by
    row.extends_at = None
    held = h.MaintenanceOccurrence
    ahead = select(held).where(
        held.maintenance_id == maintenance_id, held.starts_at > now, held.cancelled_at.is_(None)
    )
    for one in session.scalars(ahead).all():
        _cancel(session, one, now, by)


def foresee(session: Session, maintenance_id: int, *, now: datetime) -> Prospect:
    """A record with its occurrences ahead and what they fall on; a constant number of statements."""
    record = record_of(session, maintenance_id)
    reach = reach_of(session, record.scope, record.adherents, now.astimezone(OPERATOR_ZONE).date())
    if record.state is MaintenanceState.DRAFT:
        ahead = [Held(slot, now, None, None, 0) for slot in _ahead(record.timing, now)]
    else:
        ahead = occurrences_of(session, maintenance_id, now)
    around = _surroundings(session, maintenance_id, reach, [one.slot for one in ahead])
    return Prospect(record, reach, [_foreseen(record.timing.zone, reach, around, one) for one in ahead])


def _foreseen(zone_name: str, reach: Reach, around: Surroundings, held: Held) -> Foreseen:
    if held.cancelled_at is not None:
        return Foreseen(held, (), {})
    zone = ZoneInfo(zone_name)
    notices = reach.notices(held.slot.starts_at.astimezone(zone).date())
    return Foreseen(
        held,
        clashes(held.slot, zone, frozenset(reach.services), around),
        too_late(held.slot.starts_at, held.announced_at, notices),
    )


def _surroundings(session: Session, maintenance_id: int, reach: Reach, ahead: Sequence[Slot]) -> Surroundings:
    if not ahead:
        return Surroundings((), {}, (), ())
    start, end = min(one.starts_at for one in ahead), max(one.ends_at for one in ahead)
    return Surroundings(
        critical_days(session, reach.services),
        french_holidays(),
        other_work(session, maintenance_id, start, end),
        committees_between(session, reach.adherents, start - A_DAY, end + A_DAY),  # the days are whole
    )


def _tell(session: Session, row: h.Maintenance, plan: Plan, now: datetime) -> None:
    timing = with_last_date(
        Timing(
            first=plan.first.replace(second=0, microsecond=0),
            zone=plan.zone,
            duration_min=plan.duration_min or 0,
            rule=read_rule(plan.rule),
            until_on=plan.until_on,
            excluded=read_excluded(plan.excluded),
        )
    )
    check_timing(timing)
    check_rule(timing)
    row.title = one_line(plan.title, "title")
    row.description = several_lines(plan.description, "description") or None
    row.first_wall, row.zone = timing.first.isoformat(timespec="minutes"), timing.zone
    row.duration_min, row.rule, row.until_on = timing.duration_min, timing.rule, timing.until_on
    row.excluded = sorted(day.isoformat() for day in timing.excluded)
    row.scope, row.adherents = read_scope(plan.scope), sorted(set(plan.adherents))
    row.effect = plan.effect
    reach = _reach(session, row, now)
    if missing := set(row.adherents) - reach.adherents.keys():
        raise Invalid(
            "adherents",
            "Rien de ce qui est touché n'est souscrit par : %(numbers)s.",
            numbers=", ".join(map(str, sorted(missing))),
        )


def _reach(session: Session, row: h.Maintenance, now: datetime) -> Reach:
    return reach_of(session, row.scope, row.adherents, now.astimezone(OPERATOR_ZONE).date())


def _ahead(timing: Timing, now: datetime, ahead: timedelta = AHEAD) -> list[Slot]:
    """The occurrences of a rule that are not over, up to thirteen months ahead."""
    since, before = (at.astimezone(ZoneInfo(timing.zone)).replace(tzinfo=None) for at in (now, now + ahead))
    return [slot for slot in slots(timing, since, before) if slot.ends_at > now]


def _add_occurrences(session: Session, row: h.Maintenance, now: datetime) -> None:
    held = h.MaintenanceOccurrence
    known = set(session.scalars(select(held.occurrence).where(held.maintenance_id == row.maintenance_id)))
    session.add_all(
        h.MaintenanceOccurrence(
            maintenance_id=row.maintenance_id,
            occurrence=slot.occurrence,
            starts_at=slot.starts_at,
            ends_at=slot.ends_at,
            announced_at=row.announced_at or now,
            revision=0,
        )
        for slot in _ahead(timing_of(row), now)
        if slot.occurrence not in known
    )
    session.flush()


def _missing(session: Session, row: h.Maintenance, reach: Reach, now: datetime) -> list[dict[str, object]]:
    """What subscriptions were not told yet of the occurrences ahead.

    Who was told of the series was told of its later dates too; who comes within reach after the day of the
    announcement is told now, once: no notice was given before.
    """
    held, work, zone = h.MaintenanceOccurrence, t.PlannedWork, ZoneInfo(row.zone)
    ahead = session.scalars(
        select(held)
        .where(held.maintenance_id == row.maintenance_id, held.ends_at > now, held.cancelled_at.is_(None))
        .order_by(held.starts_at)
    ).all()
    told = session.execute(
        select(work.tenant_id, work.subscription, work.occurrence).where(
            work.maintenance_id == row.maintenance_id, work.ends_at > now
        )
    )
    known = {(tenant_id, subscription, occurrence) for tenant_id, subscription, occurrence in told}
    first_told = _first_told(session, row.maintenance_id)
    announced_at = row.announced_at or now
    newcomer = announced_at if now - announced_at < A_DAY else now
    return [
        {
            "tenant_id": one.tenant_id,
            "subscription": one.number,
            "maintenance_id": row.maintenance_id,
            "occurrence": slot.occurrence,
            "starts_at": slot.starts_at,
            "ends_at": slot.ends_at,
            "title": row.title,
            "effect": row.effect,
            "announced_at": max(slot.announced_at, first_told.get((one.tenant_id, one.number), newcomer)),
            "cancelled_at": None,
            "revision": slot.revision,
        }
        for slot in ahead
        for one in reach.subscriptions
        if one.runs_on(slot.starts_at.astimezone(zone).date())
        and (one.tenant_id, one.number, slot.occurrence) not in known
    ]


def _first_told(session: Session, maintenance_id: int) -> dict[tuple[int, int], datetime]:
    """When each subscription, by adherent and number, was first told of a record."""
    work = t.PlannedWork
    rows = session.execute(
        select(work.tenant_id, work.subscription, func.min(work.announced_at))
        .where(work.maintenance_id == maintenance_id)
        .group_by(work.tenant_id, work.subscription)
    )
    return {(tenant_id, subscription): at for tenant_id, subscription, at in rows if at is not None}


def _is_ahead(session: Session, row: h.Maintenance, now: datetime) -> bool:
    held = h.MaintenanceOccurrence
    ahead = select(held.occurrence).where(held.maintenance_id == row.maintenance_id, held.ends_at > now)
    known_ahead = session.scalars(ahead.where(held.cancelled_at.is_(None)).limit(1)).first()
    return known_ahead is not None or bool(_ahead(timing_of(row), now + AHEAD, LONGEST_AHEAD))


def _cancel(session: Session, held: h.MaintenanceOccurrence, now: datetime, by: str) -> None:
    held.cancelled_at, held.changed_by, held.revision = now, by, held.revision + 1
    _change_works(session, held, cancelled_at=now)


def _change_works(session: Session, held: h.MaintenanceOccurrence, **values: datetime) -> None:
    """Have every subscription that was told of an occurrence read what became of it."""
    work = t.PlannedWork
    session.execute(
        update(work)
        .where(
            work.maintenance_id == held.maintenance_id,
            work.occurrence == held.occurrence,
            work.cancelled_at.is_(None),
        )
        .values(revision=work.revision + 1, **values)
        .execution_options(synchronize_session=False)
    )


def _hold(session: Session, maintenance_id: int, *states: MaintenanceState) -> h.Maintenance:
    row = session.scalars(
        select(h.Maintenance).where(h.Maintenance.maintenance_id == maintenance_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound("Travaux introuvables.")
    if states and row.state not in states:
        raise Conflict("Ce n'est plus possible : ces travaux ont changé d'état entre-temps.")
    return row


def _hold_occurrence(
    session: Session, maintenance_id: int, occurrence: datetime, now: datetime
) -> h.MaintenanceOccurrence:
    held = session.get(h.MaintenanceOccurrence, (maintenance_id, occurrence))
    if held is None:
        raise NotFound("Travaux introuvables.")
    if held.cancelled_at is not None or held.starts_at <= now:
        raise Conflict("Ces travaux ont déjà commencé, ou sont annulés.")
    return held
