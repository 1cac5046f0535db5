"""The inventory as its pages show it: the list, one thing with its life, and what grows old."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from console.domain.amortisation import Extension, Life, booked, booked_by_year, left, saved
from console.domain.equipment import TECHNICAL, Disk, EquipmentKind, ImpactSource
from console.domain.errors import NotFound
from console.domain.renewal import add_months
from console.domain.second_hand import COUNTED
from console.store.models import equipment as q

SOON_MONTHS = 12
OLDEST_YEARS = 10  # the last row of the pyramid: this old and older
MOST_LISTED = 500


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
class Proposal:
    """An impact, of one piece, that a thing may have by the name of its model; it waits for a person."""

    equipment_id: int
    version: int
    name: str
    kind: EquipmentKind
    manufacturer: str | None
    model: str | None
    reference: str
    confidence_ppm: int | None
    gwp_ug: int
    gwp_low_ug: int | None
    gwp_high_ug: int | None


@dataclass(frozen=True, slots=True)
class ItemPage:
    """One thing: its facts, its impacts, the last first, and what is booked of it each year."""

    thing: q.Equipment
    disks: Sequence[Disk]
    listed: Listed
    impacts: Sequence[q.EmbodiedImpact]
    life: Life | None
    years: Sequence[tuple[int, int]]
    month_ug: int | None
    left_ug: int | None
    saved_ug: int | None


@dataclass(frozen=True, slots=True)
class Pieces:
    """How many were bought, and how many of these second hand."""

    bought: int = 0
    second_hand: int = 0

    def with_more(self, quantity: int, *, is_second_hand: bool) -> Pieces:
        """These, and so many more."""
        return Pieces(self.bought + quantity, self.second_hand + (quantity if is_second_hand else 0))


@dataclass(frozen=True, slots=True)
class Bought:
    """What was bought in a year: what the rule on second hand counts, and other IT equipment.

    No rule asks for a building of second hand.
    """

    year: int
    counted: Pieces
    others: Pieces


@dataclass(frozen=True, slots=True)
class Aging:
    """What is in use by its age, what comes to the end of its plan, what is kept past it, what was bought."""

    ages: Sequence[tuple[int, Mapping[EquipmentKind, int]]]  # whole years, pieces by kind
    unknown: int  # pieces of which nobody told when they came into use
    ending: Sequence[Listed]
    kept: Sequence[tuple[Listed, int | None]]  # with what each saves a month
    saved_ug: int | None  # a month, of those whose making is known; None: of none is it known
    bought: Sequence[Bought]


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
    known = listed.gwp_ug is not None and life is not None
    return ItemPage(
        thing,
        [Disk(**one) for one in thing.disks],
        listed,
        impacts,
        life,
        list(booked_by_year(listed.gwp_ug, life)) if known and life and listed.gwp_ug is not None else [],
        booked(listed.gwp_ug, life, month) if life and listed.gwp_ug is not None else None,
        left(listed.gwp_ug, life, month) if life and listed.gwp_ug is not None else None,
        saved(listed.gwp_ug, life, month) if life and listed.gwp_ug is not None else None,
    )


def proposals(session: Session) -> list[Proposal]:
    """The last impacts of things that wait for a person, the surest first."""
    row, thing = q.EmbodiedImpact, q.Equipment
    last = select(row.equipment_id, func.max(row.version)).group_by(row.equipment_id)
    found = session.execute(
        select(
            thing.equipment_id, row.version, thing.name, thing.kind, thing.manufacturer, thing.model,
            row.reference, row.confidence_ppm, row.gwp_ug, row.gwp_low_ug, row.gwp_high_ug,
        )
        .join(row, row.equipment_id == thing.equipment_id)
        .where(tuple_(row.equipment_id, row.version).in_(last), ~row.confirmed, row.refused_at.is_(None))
        .order_by(func.coalesce(row.confidence_ppm, 0).desc(), thing.name)
    )  # fmt: skip
    return [Proposal(*values) for values in found]


def aging(session: Session, today: date) -> Aging:
    """How old what is in use is, on a day."""
    month, soon = today.replace(day=1), add_months(today.replace(day=1), SOON_MONTHS)
    everything = inventory(session)
    used = [one for one in everything if one.retired_on is None or one.retired_on > today]
    ending = [one for one in used if one.plan_ends is not None and month < one.plan_ends <= soon]
    kept = [
        (one, _saved(session, one, month))
        for one in used
        if one.plan_ends is not None and one.plan_ends <= month
    ]
    return Aging(
        _ages(used, today),
        sum(one.quantity for one in used if one.commissioned_on is None),
        sorted(ending, key=lambda one: (one.plan_ends or today, one.name)),
        sorted(kept, key=lambda pair: (pair[0].plan_ends or today, pair[0].name)),
        _total([amount for _, amount in kept]),
        _bought(session),
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


def _saved(session: Session, one: Listed, month: date) -> int | None:
    thing = session.get_one(q.Equipment, one.equipment_id)
    life = life_of(thing)
    return None if one.gwp_ug is None or life is None else saved(one.gwp_ug, life, month)


def _total(amounts: Sequence[int | None]) -> int | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known or not amounts else None


def _ages(used: Iterable[Listed], today: date) -> list[tuple[int, Mapping[EquipmentKind, int]]]:
    by_age: dict[int, Counter[EquipmentKind]] = {}
    for one in used:
        if one.commissioned_on is None:
            continue
        day = one.commissioned_on
        years = today.year - day.year - ((today.month, today.day) < (day.month, day.day))
        by_age.setdefault(min(max(years, 0), OLDEST_YEARS), Counter())[one.kind] += one.quantity
    return [(years, by_age.get(years, Counter())) for years in range(OLDEST_YEARS + 1)]


def _bought(session: Session) -> list[Bought]:
    found: dict[int, Bought] = {}
    row = q.Equipment
    for day, kind, quantity, is_second_hand in session.execute(
        select(row.purchased_on, row.kind, row.quantity, row.is_second_hand).where(
            row.purchased_on.is_not(None), row.kind.not_in(TECHNICAL)
        )
    ):
        if day is None:
            continue
        one = found.get(day.year, Bought(day.year, Pieces(), Pieces()))
        name = "counted" if kind is COUNTED else "others"
        more = getattr(one, name).with_more(quantity, is_second_hand=is_second_hand)
        found[day.year] = replace(one, **{name: more})
    return sorted(found.values(), key=lambda one: one.year, reverse=True)
