"""The inventory: things with their lives, and what making them emitted as somebody says it.

What changes has the months concerned reckoned again; closed months stay as they were closed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.actions.reckoning_due import Step, make_due
from console.actions.sharing_due import meters_changed
from console.domain.amortisation import LONGEST_LIFE, extended
from console.domain.claims import OPERATOR_ZONE
from console.domain.component_estimate import Components, estimate
from console.domain.equipment import POOLED_KINDS, Disk, EndOfLife, EquipmentKind, ImpactSource, Thing
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.free_text import one_line
from console.domain.hours import month_of, months_between
from console.store.models import equipment as q
from console.store.models import measurement as m
from console.store.models import site as s
from console.store.queries.equipment import life_of
from console.store.queries.stays import whereabouts

LONGEST_HOST: Final = 64  # characters
MOST_CPUS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Impact:
    """What making one of a thing emitted and used; `confirmed` says that a person stands behind it."""

    source: ImpactSource
    reference: str
    gwp_ug: int
    gwp_low_ug: int | None = None
    gwp_high_ug: int | None = None
    adpe_ug: int | None = None
    primary_mj: int | None = None
    parts: dict[str, int] = field(default_factory=dict)
    confidence_ppm: int | None = None
    confirmed: bool = True


def record_thing(
    session: Session, told: Thing, *, now: datetime, by: str, equipment_id: int | None = None
) -> int:
    """Write a thing down, or correct the one of its name or number; its number."""
    check_thing(session, told, now)
    row = thing_named(session, told.name) if equipment_id is None else held(session, equipment_id)
    if row is None:
        row = q.Equipment(extensions=[])
        session.add(row)
    else:
        check_extensions(told, row.extensions)
        mark_due(session, row, now=now)  # where it was before
    row.name = one_line(told.name, "name")
    for name in Thing.__slots__:
        if name not in ("name", "disks"):
            setattr(row, name, getattr(told, name))
    row.disks = [{"kind": one.kind, "gb": one.gb, "count": one.count} for one in told.disks]
    row.recorded_by, row.recorded_at = by, now
    session.flush()
    mark_due(session, row, now=now)
    return row.equipment_id


def record_impact(session: Session, equipment_id: int, told: Impact, *, now: datetime, by: str) -> int:
    """Write down what somebody says of its making; the version, which holds once it is confirmed."""
    row = held(session, equipment_id)
    if told.gwp_ug < 0 or not told.reference.strip():
        raise Invalid("reference", "Une valeur positive et sa source sont attendues.")
    if not (told.gwp_low_ug or 0) <= told.gwp_ug <= (told.gwp_high_ug or told.gwp_ug):
        raise Invalid("gwp", "La valeur est entre ses bornes.")
    last = session.scalar(
        select(func.max(q.EmbodiedImpact.version)).where(q.EmbodiedImpact.equipment_id == equipment_id)
    )
    version = (last or 0) + 1
    values = {name: getattr(told, name) for name in Impact.__slots__}
    session.add(
        q.EmbodiedImpact(
            equipment_id=equipment_id, version=version, recorded_by=by, recorded_at=now, **values
        )
    )
    session.flush()
    if told.confirmed:
        mark_due(session, row, now=now)
    return version


def confirm_impact(session: Session, equipment_id: int, version: int, *, now: datetime, by: str) -> None:
    """Stand behind an impact that was matched by a name; it holds from then on where it is the last."""
    thing, row = held(session, equipment_id), _impact(session, equipment_id, version)
    if row.refused_at is not None:
        raise Conflict("Cette empreinte a été refusée.")
    if not row.confirmed:
        row.confirmed, row.recorded_by, row.recorded_at = True, by, now
        session.flush()
        mark_due(session, thing, now=now)


def refuse_impact(session: Session, equipment_id: int, version: int, *, now: datetime, by: str) -> None:
    """Say that an impact that was matched by a name is not that of this thing; it stays, and never holds."""
    held(session, equipment_id)
    row = _impact(session, equipment_id, version)
    if row.confirmed:
        raise Conflict("Cette empreinte est déjà confirmée.")
    if row.refused_at is None:
        row.refused_by, row.refused_at = by, now
        session.flush()


def _impact(session: Session, equipment_id: int, version: int) -> q.EmbodiedImpact:
    row = session.get(q.EmbodiedImpact, (equipment_id, version))
    if row is None:
        raise NotFound("Valeur introuvable.")
    return row


def estimate_impact(session: Session, equipment_id: int, *, now: datetime, by: str) -> int:
    """Estimate the making of a server from its components; the version."""
    row = held(session, equipment_id)
    if row.kind is not EquipmentKind.SERVER:
        raise Invalid("kind", "Seul un serveur s'estime par ses composants.")
    disks = tuple(Disk(**one) for one in row.disks)
    found = estimate(Components(row.cpus or 0, row.ram_gb or 0, row.cpu_model or "", row.cores, disks))
    told = Impact(
        ImpactSource.ESTIMATE, found.reference, found.gwp_ug, found.gwp_low_ug, found.gwp_high_ug,
        found.adpe_ug, found.primary_mj, dict(found.parts),
    )  # fmt: skip
    return record_impact(session, equipment_id, told, now=now, by=by)


def extend_life(
    session: Session, equipment_id: int, month: date, planned_months: int, *, now: datetime, by: str
) -> None:
    """Plan a longer life from a month on; what was booked before stays as it was."""
    row = held(session, equipment_id)
    life = life_of(row)
    if life is None:
        raise Invalid("planned_months", "La mise en service et la durée prévue ne sont pas connues.")
    extended(life, month, planned_months)
    decided = {"month": month.isoformat(), "planned_months": planned_months, "by": by}
    row.extensions = [*row.extensions, decided]
    session.flush()
    mark_due(session, row, now=now)


def retire(session: Session, equipment_id: int, day: date, route: EndOfLife, *, now: datetime) -> None:
    """End its life here, by a route; what was not booked yet is, in that month, whatever the route."""
    row = held(session, equipment_id)
    if row.retired_on is not None:
        raise Conflict("Cet équipement est déjà retiré.")
    check_retirement(day, row.commissioned_on, now)
    row.retired_on, row.end_of_life = day, route
    session.flush()
    mark_due(session, row, now=now)


def check_retirement(day: date, commissioned_on: date | None, now: datetime) -> None:
    """Raise `Invalid` for a day before its use, or that is still to come."""
    if commissioned_on is not None and day < commissioned_on:
        raise Invalid("retired_on", "Le retrait ne peut pas précéder la mise en service.")
    if day > now.astimezone(OPERATOR_ZONE).date():
        raise Invalid("retired_on", "Ce jour n'est pas encore venu.")


def thing_named(session: Session, name: str) -> q.Equipment | None:
    """The thing that the inventory calls so."""
    return session.scalars(select(q.Equipment).where(q.Equipment.name == name)).one_or_none()


def held(session: Session, equipment_id: int) -> q.Equipment:
    """A thing, locked until the end of the transaction; raises `NotFound`."""
    row = session.scalars(
        select(q.Equipment).where(q.Equipment.equipment_id == equipment_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound("Équipement introuvable.")
    return row


def mark_due(session: Session, thing: q.Equipment, *, now: datetime) -> None:
    """Have the months of its life until now reckoned again: those of its host, and those of its site."""
    if thing.commissioned_on is None:
        return
    host = session.scalars(
        select(m.Host).where(func.lower(m.Host.name) == (thing.host_name or "").lower())
    ).one_or_none()
    months = list(months_between(thing.commissioned_on, month_of(now, OPERATOR_ZONE)))
    if host is not None:
        make_due(session, Step.HOST, [(str(host.host_id), month) for month in months], now=now)
    stood = whereabouts(session, [host.host_id])[host.host_id].sites if host else set()
    sites = session.scalars(select(s.Site.code).where(s.Site.code.in_(stood or {thing.site}))).all()
    step = Step.SITE if thing.kind.is_technical else Step.REST
    make_due(session, step, [(site, month) for site in sites for month in months], now=now)
    for site in sites if thing.kind in POOLED_KINDS.values() else ():
        meters_changed(session, site, months, now=now)


def check_thing(session: Session, told: Thing, now: datetime) -> None:
    """Raise `Invalid` for what cannot be."""
    if told.site is not None and session.get(s.Site, told.site) is None:
        raise Invalid("site", "Site introuvable.")
    if told.quantity < 1:
        raise Invalid("quantity", "Un nombre positif est attendu.")
    if told.planned_months is not None and not 1 <= told.planned_months <= LONGEST_LIFE:
        raise Invalid("planned_months", "De 1 à %(longest)s mois sont attendus.", longest=LONGEST_LIFE)
    if told.host_name and len(told.host_name) > LONGEST_HOST:
        raise Invalid(
            "host_name", "Un texte lisible de 1 à %(longest)s caractères est attendu.", longest=LONGEST_HOST
        )
    if told.cpus is not None and told.cpus > MOST_CPUS:
        raise Invalid("cpus", "Un nombre jusqu'à %(most)s est attendu.", most=MOST_CPUS)
    if told.host_name and told.quantity > 1:
        raise Invalid("quantity", "Un hôte est un seul équipement.")
    bought, used = told.purchased_on, told.commissioned_on
    if bought is not None and used is not None and used < bought:
        raise Invalid("commissioned_on", "La mise en service ne peut pas précéder l'achat.")
    if used is not None and used > now.astimezone(OPERATOR_ZONE).date():
        raise Invalid("commissioned_on", "Ce jour n'est pas encore venu.")


def check_extensions(told: Thing, extensions: Sequence[Mapping[str, Any]]) -> None:
    """Raise `Invalid` for a life that the longer one, which was decided since, does not follow."""
    if not extensions:
        return
    month, longer = date.fromisoformat(extensions[0]["month"]), extensions[0]["planned_months"]
    if told.planned_months is None or told.planned_months >= longer:
        raise Invalid(
            "planned_months",
            "Cette vie a été prolongée à %(longer)s mois : moins de mois sont attendus.",
            longer=longer,
        )
    if told.commissioned_on is None or told.commissioned_on.replace(day=1) > month:
        raise Invalid("commissioned_on", "La mise en service précède la prolongation décidée.")
