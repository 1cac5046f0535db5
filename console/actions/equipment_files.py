"""An inventory from a table: looked at first, then stored; what a row does not tell stays as it is.

row of a table or form -> judged beside what is stored -> written, its end, its model looked up
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.actions.equipment import (
    Impact,
    check_extensions,
    check_retirement,
    check_thing,
    held,
    mark_due,
    record_impact,
    record_thing,
    thing_named,
)
from console.actions.facility import site_called
from console.domain.boavizta import best_match
from console.domain.claims import OPERATOR_TENANT
from console.domain.equipment import Disk, EndOfLife, ImpactSource, Thing
from console.domain.equipment_files import EquipmentFile, ThingRow
from console.domain.errors import Invalid
from console.domain.tables import RefusedRow, every_refusal
from console.store.audit import record
from console.store.models import equipment as q


@dataclass(frozen=True, slots=True)
class End:
    """When a thing was retired, and where it went."""

    retired_on: date | None = None
    end_of_life: EndOfLife | None = None


NO_END = End()


class Fate(StrEnum):
    """What becomes of a row."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Planned:
    """A row with what becomes of it; `changes` are the facts that it tells otherwise, before and after."""

    row: ThingRow
    fate: Fate
    equipment_id: int | None = None  # of the thing that is stored already
    thing: Thing | None = None
    end: End = NO_END
    changes: Mapping[str, tuple[Any, Any]] | None = None
    refusal: Invalid | None = None


@dataclass(frozen=True, slots=True)
class Looked:
    """What a file would change."""

    file: EquipmentFile
    planned: Sequence[Planned]

    @property
    def to_store(self) -> int:
        return sum(one.fate in (Fate.NEW, Fate.CHANGED) for one in self.planned)

    def of(self, fate: Fate) -> list[Planned]:
        """The rows of a fate, in the order of the file."""
        return [one for one in self.planned if one.fate is fate]

    def counts(self) -> Counter[Fate]:
        """How many of each fate; a row that cannot be read is refused."""
        found = Counter(one.fate for one in self.planned)
        found[Fate.REFUSED] += len(self.file.refusals)
        return found

    def refused(self) -> list[RefusedRow]:
        """Every refusal in the order of the file."""
        return every_refusal(self.file.refusals, ((one.row.line, one.refusal) for one in self.planned))


def look_at(session: Session, file: EquipmentFile, *, planned_months: int | None, now: datetime) -> Looked:
    """What storing a table would do; `planned_months` holds where a new thing tells no planned life."""
    known = {row.name: row for row in session.scalars(select(q.Equipment))}
    return Looked(file, [_plan(session, known.get(row.name), row, planned_months, now) for row in file.rows])


def store_file(
    session: Session, file: EquipmentFile, *, planned_months: int | None, now: datetime, by: str
) -> Looked:
    """Store what of a table is new or changed; repeated, it changes nothing.

    A model that is new, or told otherwise, is looked up among manufacturers' sheets: what is found waits to
    be confirmed.
    """
    looked = look_at(session, file, planned_months=planned_months, now=now)
    for one in looked.planned:
        if one.fate in (Fate.NEW, Fate.CHANGED):
            _store(session, one, now, by)
    return looked


def store_thing(session: Session, row: ThingRow, *, equipment_id: int | None, now: datetime, by: str) -> int:
    """Store what a form tells of one thing, new or of a number, by the rules of a table; its number."""
    stored = None if equipment_id is None else held(session, equipment_id)
    namesake = thing_named(session, row.name)
    if namesake is not None and namesake is not stored:
        raise Invalid("name", "Un autre équipement de l'inventaire porte ce nom.")
    planned = _plan(session, stored, row, None, now)
    if planned.refusal is not None:
        raise planned.refusal
    if planned.equipment_id is not None and planned.fate is Fate.UNCHANGED:
        return planned.equipment_id
    return _store(session, planned, now, by)


def note_import(session: Session, file_name: str, looked: Looked) -> None:
    """Write down, with the transaction, that an inventory came in."""
    facts = {f"rows_{fate.value}": count for fate, count in sorted(looked.counts().items())}
    record(session, OPERATOR_TENANT, "equipment.imported", f"equipment/{file_name}"[:200], facts)


def propose_match(session: Session, equipment_id: int, *, now: datetime, by: str) -> int | None:
    """Look a model up among manufacturers' sheets; the version that waits, None where none is like it."""
    row = held(session, equipment_id)
    match = best_match(row.manufacturer, row.model)
    if match is None:
        return None
    sheet = match.sheet
    told = Impact(
        ImpactSource.BOAVIZTA,
        f"Boavizta : {sheet.manufacturer} {sheet.name}, {sheet.reported}, {sheet.address}",
        sheet.gwp_ug, sheet.gwp_low_ug, sheet.gwp_high_ug,
        confidence_ppm=match.confidence_ppm, confirmed=False,
    )  # fmt: skip
    return record_impact(session, equipment_id, told, now=now, by=by)


def _plan(
    session: Session, stored: q.Equipment | None, row: ThingRow, planned_months: int | None, now: datetime
) -> Planned:
    facts = {name: value for name, value in row.facts.items() if name not in End.__slots__}
    try:
        if facts.get("site") is not None:
            facts["site"] = site_called(session, facts["site"]).code
        if stored is None:
            if "kind" not in facts:
                raise Invalid("kind", "Un choix de la liste est attendu.")
            thing = _in_use(Thing(row.name, **({"planned_months": planned_months} | facts)))
        else:
            thing = _in_use(replace(thing_of(stored), **{"name": row.name} | facts))
            check_extensions(thing, stored.extensions)
        end = _end(row, stored)
        check_thing(session, thing, now)
        if end.retired_on is not None:
            check_retirement(end.retired_on, thing.commissioned_on, now)
    except Invalid as refusal:
        return Planned(row, Fate.REFUSED, refusal=refusal)
    if stored is None:
        return Planned(row, Fate.NEW, None, thing, end)
    known_end = End(stored.retired_on, stored.end_of_life)
    changes = _differences(thing_of(stored), thing) | _differences(known_end, end)
    fate = Fate.CHANGED if changes else Fate.UNCHANGED
    return Planned(row, fate, stored.equipment_id, thing, end, changes)


def _differences(before: Thing | End, after: Thing | End) -> dict[str, tuple[Any, Any]]:
    return {
        one.name: (getattr(before, one.name), getattr(after, one.name))
        for one in fields(before)
        if getattr(before, one.name) != getattr(after, one.name)
    }


def _end(row: ThingRow, stored: q.Equipment | None) -> End:
    """Its end as the row tells it, or as it is known; where it went is unknown until somebody tells."""
    day = row.facts.get("retired_on", stored.retired_on if stored else None)
    route = row.facts.get("end_of_life", stored.end_of_life if stored else None)
    if day is None and route is not None:
        raise Invalid("retired_on", "Le jour du retrait est attendu avec sa destination.")
    return NO_END if day is None else End(day, route or EndOfLife.UNKNOWN)


def _in_use(thing: Thing) -> Thing:
    """One of which nobody ever told when it came into use was in use from its purchase on."""
    used = thing.commissioned_on or thing.purchased_on
    return replace(thing, commissioned_on=used)


def _store(session: Session, one: Planned, now: datetime, by: str) -> int:
    """Write down what is new or changed; the number of the thing."""
    if one.thing is None:
        raise ValueError("a row that was refused is not stored")
    equipment_id = record_thing(session, one.thing, now=now, by=by, equipment_id=one.equipment_id)
    row = held(session, equipment_id)
    if one.end != End(row.retired_on, row.end_of_life):
        row.retired_on, row.end_of_life = one.end.retired_on, one.end.end_of_life
        session.flush()
        mark_due(session, row, now=now)
    if one.fate is Fate.NEW or {"manufacturer", "model"} & set(one.changes or ()):
        propose_match(session, equipment_id, now=now, by=by)
    return equipment_id


def thing_of(row: q.Equipment) -> Thing:
    """What is stored of a thing, as it would be told."""
    facts = {name: getattr(row, name) for name in Thing.__slots__ if name != "disks"}
    return Thing(**facts, disks=tuple(Disk(**one) for one in row.disks))
