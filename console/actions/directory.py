"""The directory: what a file would change, and the change itself, which may be repeated without harm.

    listing -> compare -> preview -> a person decides -> store, in short transactions

A file never takes the place of what a later one said: it fills in what was unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from console.domain.columns import RECORDS
from console.domain.directory import Kind, Listing, Record, Refusal, key_of
from console.domain.groups import Held
from console.store.base import FOLDED, Base
from console.store.models import directory as d
from console.store.upsert import upsert

MODELS: Mapping[Kind, type[Base]] = {
    Kind.LEGAL_ENTITIES: d.LegalEntity,
    Kind.SITES: d.DirectorySite,
    Kind.GROUPS: d.Ght,
}
Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A fact that becomes another."""

    field: str
    before: object
    after: object


@dataclass(frozen=True, slots=True)
class Changed:
    """A record that is known and of which facts change."""

    record: Record
    changes: Sequence[FieldChange]


@dataclass(frozen=True, slots=True)
class Difference:
    """What an import would do; `confirmed` are records that stay as they are, now known to a later day.

    `left` are the running memberships that a file does not hold; `refused` contradict what is known.
    """

    new: Sequence[Record]
    changed: Sequence[Changed]
    confirmed: Sequence[Record]
    unchanged: int
    left: Sequence[Held] = ()
    refused: Sequence[Refusal] = ()

    @property
    def to_store(self) -> Sequence[Record]:
        return (*self.new, *(one.record for one in self.changed), *self.confirmed)


def compare_records(session: Session, listing: Listing) -> Difference:
    """The records of a listing against those of the directory; those that the file leaves out stay."""
    known = _known(session, listing.kind)
    new, changed, confirmed, unchanged = [], [], [], 0
    for key, record in listing.records.items():
        if key not in known:
            new.append(record)
        elif changes := _changes(listing, record, known[key]):
            changed.append(Changed(record, changes))
        elif known[key]["as_of"] < listing.as_of:
            confirmed.append(record)
        else:
            unchanged += 1
    return Difference(new, changed, confirmed, unchanged)


def store_records(session: Session, listing: Listing, records: Iterable[Record]) -> None:
    """Add these records of a listing, or bring those that are known up to date."""
    model = MODELS[listing.kind]
    records = list(records)
    known = _known(session, listing.kind, [key_of(record) for record in records])
    rows = [_merged(listing, record, known.get(key_of(record))) for record in records]
    upsert(session, model, rows, update=[name for name in _columns(model) if name != _key(model)])


def _changes(listing: Listing, record: Record, known: Facts) -> list[FieldChange]:
    is_older = listing.as_of < known["as_of"]
    return [
        FieldChange(name, known[name], value)
        for name, value in _said(listing, record).items()
        if value != known[name] and not (is_older and known[name] is not None)
    ]


def _merged(listing: Listing, record: Record, known: Facts | None) -> dict[str, Any]:
    dated = {"source": listing.source, "as_of": listing.as_of}
    if known is None:
        return asdict(record) | dated
    changes = {change.field: change.after for change in _changes(listing, record, known)}
    return {**known, **changes, **(dated if known["as_of"] <= listing.as_of else {})}


def _said(listing: Listing, record: Record) -> dict[str, Any]:
    told = {place.name: getattr(record, place.name) for place in fields(RECORDS[listing.kind])}
    return {
        name: value
        for name, value in told.items()
        if name in listing.says and (value or name in listing.states)
    }


def _known(session: Session, kind: Kind, keys: Sequence[str] | None = None) -> dict[str, Facts]:
    """The rows of the directory by their key, without what is folded of them: all, or those of some keys."""
    model = MODELS[kind]
    table = model.__table__
    rows = select(*(column for column in table.columns if FOLDED not in column.info))
    if keys is not None:
        rows = rows.where(table.c[_key(model)].in_(keys))
    return {str(row[_key(model)]): dict(row) for row in session.execute(rows).mappings()}


def _columns(model: type[Base]) -> list[str]:
    return [column.key for column in inspect(model).columns]


def _key(model: type[Base]) -> str:
    return str(inspect(model).primary_key[0].name)
