"""What a file would change in the directory, line by line, and the change itself, portion by portion.

The command line does this at one go; in the browser the file waits for a decision (`waiting_files`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from console.actions.directory import Difference, compare_records, store_records
from console.actions.memberships import compare_memberships, store_memberships
from console.actions.workbooks import START, is_workbook, read_workbook
from console.domain.claims import OPERATOR_TENANT
from console.domain.columns import check_mapping, read_records
from console.domain.directory import Kind, Listing, Membership, Record, Refusal, key_of
from console.domain.errors import Invalid
from console.domain.formats import day_of_name, format_of, known_as, read_as, read_table
from console.domain.tables import Table
from console.store.audit import record
from console.store.models import directory as d

PORTION: Final = 500  # records a transaction
LONGEST_NAME: Final = 200
FATES: Mapping[str, str] = {  # the words of the audit log for what `counts_of` counts
    "new": "rows_new",
    "changed": "rows_changed",
    "confirmed": "rows_confirmed",
    "unchanged": "rows_unchanged",
    "refused": "rows_refused",
    "repaired": "cells_repaired",
    "unknown": "cells_unknown",
    "left": "memberships_left",
}
Columns = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a preview: a row of the file or a record, and what is said of it."""

    line: int | None = None
    key: str = ""
    name: str = ""
    place: str = ""
    before: str | None = None
    after: str | None = None
    message: str = ""
    values: Mapping[str, str] = field(default_factory=dict)


def open_table(content: bytes) -> Table:
    """The table of a file: a workbook, a text, an XML feed; raises `Invalid` for anything else."""
    if is_workbook(content):
        return read_workbook(content)
    if content.startswith(START):
        raise Invalid("file", "Cette archive n'est pas un classeur lisible : un XLSX ou un CSV est attendu.")
    return read_table(content)


def read_listing(
    session: Session,
    table: Table,
    *,
    file_name: str,
    as_of: date | None,
    now: datetime,
    format_name: str | None = None,
) -> Listing | None:
    """The records of a table in a published format or by remembered columns; None where neither is known.

    `as_of` is the day that counts where neither the content nor the name of the file says one.
    """
    known = known_as(format_name, table) if format_name else format_of(table)
    if known is not None:
        return _not_to_come(read_as(known, table, as_of or day_of_name(file_name)), now)
    mapping = session.get(d.ColumnMapping, table.fingerprint())
    if mapping is None:
        return None
    return read_by_columns(table, mapping.kind, mapping.columns, file_name=file_name, as_of=as_of, now=now)


def read_by_columns(
    table: Table, kind: Kind, columns: Columns, *, file_name: str, as_of: date | None, now: datetime
) -> Listing:
    """The records of a table by the columns that hold each fact; the file's name is their source.

    `as_of` is the day that counts where the name says none.
    """
    check_mapping(kind, columns, table.headings)
    day = as_of or day_of_name(file_name)
    if day is None:
        raise Invalid("as_of", "Rien dans ce fichier ni dans son nom ne le date : donnez sa date.")
    return _not_to_come(read_records(table, kind, columns, source=file_name, as_of=day), now)


def remember_columns(
    session: Session, table: Table, kind: Kind, columns: Columns, *, now: datetime, by: str
) -> None:
    """Read tables with these headings in this way from now on."""
    check_mapping(kind, columns, table.headings)
    mapping = session.get(d.ColumnMapping, table.fingerprint())
    if mapping is None:
        mapping = d.ColumnMapping(fingerprint=table.fingerprint())
        session.add(mapping)
    mapping.kind = kind
    mapping.columns = {name: list(chosen) for name, chosen in columns.items()}
    mapping.made_by, mapping.made_at = by, now
    session.flush()


def compare(session: Session, listing: Listing) -> Difference:
    """What storing a listing would do now."""
    if listing.kind is Kind.MEMBERSHIPS:
        return compare_memberships(session, listing)
    return compare_records(session, listing)


def portions(listing: Listing, difference: Difference) -> Iterator[Sequence[Record]]:
    """What there is to store, in portions for a transaction each; memberships hang together and are one."""
    records = difference.to_store
    size = max(1, len(records)) if listing.kind is Kind.MEMBERSHIPS else PORTION
    for start in range(0, len(records), size):
        yield records[start : start + size]


def store(session: Session, listing: Listing, records: Iterable[Record]) -> None:
    """Store a portion; it may be repeated."""
    if listing.kind is Kind.MEMBERSHIPS:
        store_memberships(session, listing, records)
    else:
        store_records(session, listing, records)


def counts_of(listing: Listing, difference: Difference) -> dict[str, int]:
    """How many records and rows of each fate; `unknown` cells are damaged beyond repair."""
    return {
        "new": len(difference.new),
        "changed": len(difference.changed),
        "confirmed": len(difference.confirmed),
        "unchanged": difference.unchanged,
        "refused": len(listing.refusals) + len(difference.refused),
        "repaired": sum(repair.after is not None for repair in listing.repairs),
        "unknown": sum(repair.after is None for repair in listing.repairs),
        "left": len(difference.left),
    }


def lines_of(listing: Listing, difference: Difference) -> dict[str, Iterator[Line]]:
    """The preview, line by line, under the names of `counts_of`."""
    return {
        "new": (_line(listing, one) for one in difference.new),
        "changed": _changed_lines(listing, difference),
        "refused": (_refused(one) for one in (*listing.refusals, *difference.refused)),
        "repaired": (
            Line(one.line, place=one.field, before=one.before, after=one.after)
            for one in listing.repairs
            if one.after is not None
        ),
        "unknown": (
            Line(one.line, place=one.field, before=one.before) for one in listing.repairs if one.after is None
        ),
        "left": (
            Line(key=one.finess_ej, name=one.ght_code, place="role", before=one.role.value)
            for one in difference.left
        ),
    }


def note_import(session: Session, listing: Listing, file_name: str, counts: Mapping[str, int]) -> None:
    """Write down, with the transaction, that a file came into the directory."""
    facts = {"kind": listing.kind, "source": listing.source, "as_of": listing.as_of.isoformat()}
    counted = {FATES[fate]: count for fate, count in counts.items()}
    subject = f"import/{file_name}"[:LONGEST_NAME]
    record(session, OPERATOR_TENANT, "directory.imported", subject, {**facts, **counted})


def _not_to_come(listing: Listing, now: datetime) -> Listing:
    if listing.as_of > now.date():
        raise Invalid("as_of", "Ce fichier est daté du %(day)s, qui est à venir.", day=listing.as_of)
    return listing


def _line(listing: Listing, one: Record, **told: Any) -> Line:
    name = one.ght_code if isinstance(one, Membership) else one.name
    key = one.finess_ej if isinstance(one, Membership) else key_of(one)
    return Line(listing.lines[key_of(one)], key, name, **told)


def _changed_lines(listing: Listing, difference: Difference) -> Iterator[Line]:
    for one in difference.changed:
        for change in one.changes:
            yield _line(
                listing,
                one.record,
                place=change.field,
                before=_shown(change.before),
                after=_shown(change.after),
            )


def _refused(refusal: Refusal) -> Line:
    error = refusal.error
    values = {name: str(value) for name, value in error.values.items()}
    return Line(refusal.line, place=error.field, message=error.message, values=values)


def _shown(value: object) -> str | None:
    return None if value is None else str(value)
