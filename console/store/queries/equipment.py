"""The inventory as its pages show it: the list, and one thing with its life."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.domain.amortisation import Extension, Life, booked, booked_by_year, left, saved
from console.domain.equipment import Disk, EquipmentKind, ImpactSource
from console.domain.errors import NotFound
from console.store.models import equipment as q


@dataclass(frozen=True, slots=True)
class Listed:
    """A thing of the inventory; `gwp_ug` is of all of its quantity. None: not known."""

    equipment_id: int
    name: str
    kind: EquipmentKind
    site: str | None
    host_name: str | None
    manufacturer: str | None
    model: str | None
    quantity: int
    commissioned_on: date | None
    plan_ends: date | None
    retired_on: date | None
    is_second_hand: bool
    gwp_ug: int | None
    waits: bool  # an impact that was matched by its name and that nobody confirmed or refused


@dataclass(frozen=True, slots=True)
class ItemPage:
    """One thing: its facts, its impacts, the last first, and what is booked of it where that is known."""

    thing: q.Equipment
    disks: Sequence[Disk]
    listed: Listed
    impacts: Sequence[q.EmbodiedImpact]
    life: Life | None
    years: Sequence[tuple[int, int]] = ()
    month_ug: int | None = None
    left_ug: int | None = None
    saved_ug: int | None = None


def inventory(session: Session) -> list[Listed]:
    """All of it, by name."""
    impacts: dict[int, list[q.EmbodiedImpact]] = {}
    for row in session.scalars(select(q.EmbodiedImpact).order_by(q.EmbodiedImpact.version)):
        impacts.setdefault(row.equipment_id, []).append(row)
    things = session.scalars(select(q.Equipment).order_by(q.Equipment.name))
    return [_listed(one, impacts.get(one.equipment_id, [])) for one in things]


def item_page(session: Session, equipment_id: int, today: date) -> ItemPage:
    """One thing; raises `NotFound`."""
    thing = session.get(q.Equipment, equipment_id)
    if thing is None:
        raise NotFound("Équipement introuvable.")
    row = q.EmbodiedImpact
    impacts = session.scalars(
        select(row).where(row.equipment_id == equipment_id).order_by(row.version.desc())
    ).all()
    listed, life, month = _listed(thing, impacts[::-1]), life_of(thing), today.replace(day=1)
    disks = [Disk(**one) for one in thing.disks]
    if listed.gwp_ug is None or life is None:
        return ItemPage(thing, disks, listed, impacts, life)
    return ItemPage(
        thing,
        disks,
        listed,
        impacts,
        life,
        years=list(booked_by_year(listed.gwp_ug, life)),
        month_ug=booked(listed.gwp_ug, life, month),
        left_ug=left(listed.gwp_ug, life, month),
        saved_ug=saved(listed.gwp_ug, life, month),
    )


def standing_impact(session: Session, equipment_id: int) -> q.EmbodiedImpact | None:
    """The last impact that somebody confirmed."""
    row = q.EmbodiedImpact
    return session.scalars(
        select(row)
        .where(row.equipment_id == equipment_id, row.confirmed)
        .order_by(row.version.desc())
        .limit(1)
    ).one_or_none()


def life_of(thing: q.Equipment) -> Life | None:
    """Its life by months; None where nobody told when it began or how long it is planned to last."""
    if thing.commissioned_on is None or thing.planned_months is None:
        return None
    return Life(
        thing.commissioned_on.replace(day=1),
        thing.planned_months,
        [Extension(date.fromisoformat(one["month"]), one["planned_months"]) for one in thing.extensions],
        thing.retired_on.replace(day=1) if thing.retired_on else None,
    )


def whole_of(thing: q.Equipment, impact: q.EmbodiedImpact, name: str = "gwp_ug") -> int | None:
    """What all of its quantity counts over its life; None: not told."""
    if thing.is_second_hand and impact.source is not ImpactSource.DECLARED:
        return 0
    amount: int | None = getattr(impact, name)
    return None if amount is None else amount * thing.quantity


def _listed(thing: q.Equipment, impacts: Sequence[q.EmbodiedImpact]) -> Listed:
    standing = next((one for one in reversed(impacts) if one.confirmed), None)
    life = life_of(thing)
    return Listed(
        equipment_id=thing.equipment_id,
        name=thing.name,
        kind=thing.kind,
        site=thing.site,
        host_name=thing.host_name,
        manufacturer=thing.manufacturer,
        model=thing.model,
        quantity=thing.quantity,
        commissioned_on=thing.commissioned_on,
        plan_ends=life.end if life else None,
        retired_on=thing.retired_on,
        is_second_hand=thing.is_second_hand,
        gwp_ug=whole_of(thing, standing) if standing else None,
        waits=bool(impacts) and _waits(impacts[-1]),
    )


def _waits(impact: q.EmbodiedImpact) -> bool:
    return not impact.confirmed and impact.refused_at is None
