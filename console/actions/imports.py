"""A file on its way into the directory: read, compared, shown, and stored where a person says so.

    file -> receive -> (columns chosen) -> preview kept -> claimed -> portions, each in its own transaction ->
    settled

The command line does the same without keeping anything in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any, Final

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from console.actions.directory import Difference, compare_records, store_records
from console.actions.memberships import compare_memberships, store_memberships
from console.actions.workbooks import is_workbook, read_workbook
from console.domain.claims import OPERATOR_TENANT
from console.domain.columns import check_mapping, read_records
from console.domain.directory import Kind, Listing, Membership, Record, Refusal, key_of
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.formats import day_of_name, format_of, known_as, read_as, read_table
from console.domain.tables import Table
from console.store.audit import record
from console.store.conditional import rows_touched
from console.store.models import directory as d

PORTION: Final = 500  # records a transaction
SHOWN: Final = 100  # lines of a kind that the page of an import holds
KEPT: Final = timedelta(days=7)  # how long a file waits for a decision
CLAIM_LASTS: Final = timedelta(minutes=10)  # without a sign of life; a portion takes seconds
EXAMPLES: Final = 3  # rows shown where columns are chosen
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
WAITING: Final = (d.ImportState.UNMAPPED, d.ImportState.READY)
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


@dataclass(frozen=True, slots=True)
class Asked:
    """A file whose columns are to be chosen; `kind` and `columns` as they were for the same headings."""

    file_name: str
    as_of: date | None
    complete: bool
    headings: Sequence[str]
    examples: Sequence[Sequence[str]]
    kind: Kind | None
    columns: Columns


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to store an import, which one has at a time; `number` tells it from those before."""

    import_id: int
    number: int
    complete: bool


def open_table(content: bytes) -> Table:
    """The table of a file: a workbook, a text, an XML feed; raises `Invalid` for anything else."""
    return read_workbook(content) if is_workbook(content) else read_table(content)


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


def receive(
    session: Session,
    content: bytes,
    file_name: str,
    *,
    as_of: date | None,
    complete: bool,
    now: datetime,
    by: str,
) -> int:
    """Keep a file with its preview until somebody decides upon it; its number.

    Where its columns are not known they are asked for first. Raises `Invalid` for a file that holds no table.
    `complete` says that whoever is not in the file is in no group any more.
    """
    _drop_old(session, now)
    table, file_name = open_table(content), _clean(file_name)
    listing = read_listing(session, table, file_name=file_name, as_of=as_of, now=now)
    if listing is None:
        _read_through(table)
    row = d.DirectoryImport(
        file_name=file_name,
        content=content,
        state=d.ImportState.UNMAPPED,
        as_of=as_of or day_of_name(file_name),
        complete=complete,
        counts={},
        shown={},
        sent_by=by,
        sent_at=now,
    )
    session.add(row)
    if listing is not None:
        _keep_preview(session, row, listing)
    session.flush()
    return row.import_id


def columns_asked(session: Session, import_id: int) -> Asked:
    """The headings of a file that waits, its first rows, and how its columns were chosen last."""
    row, content = _waiting(session, import_id)
    table = open_table(content)
    mapping = session.get(d.ColumnMapping, table.fingerprint())
    return Asked(
        file_name=row.file_name,
        as_of=row.as_of,
        complete=row.complete,
        headings=table.headings,
        examples=[cells for _line, cells in islice(table.rows, EXAMPLES)],
        kind=mapping.kind if mapping else None,
        columns=mapping.columns if mapping else {},
    )


def choose_columns(
    session: Session,
    import_id: int,
    kind: Kind,
    columns: Columns,
    *,
    as_of: date | None,
    complete: bool,
    now: datetime,
    by: str,
) -> None:
    """Say how to read a file that waits, remember it for the next one, and keep its preview."""
    row, content = _waiting(session, import_id)
    table = open_table(content)
    row.as_of, row.complete = as_of or row.as_of, complete
    listing = read_by_columns(table, kind, columns, file_name=row.file_name, as_of=row.as_of, now=now)
    remember_columns(session, table, kind, columns, now=now, by=by)
    _keep_preview(session, row, listing)


def reread(session: Session, import_id: int, *, now: datetime) -> tuple[Listing, Difference]:
    """The listing of a file that waits, and what storing it would do now."""
    row, content = _waiting(session, import_id, (d.ImportState.READY, d.ImportState.STORING))
    listing = read_listing(session, open_table(content), file_name=row.file_name, as_of=row.as_of, now=now)
    if listing is None:
        raise Conflict("Les colonnes de ce fichier ne sont plus connues : choisissez-les à nouveau.")
    return listing, compare(session, listing)


def begin_storing(session: Session, import_id: int, *, now: datetime) -> Claim:
    """Claim an import for storing; raises `Conflict` while another does. One that died may be resumed."""
    row = d.DirectoryImport
    died = and_(row.state == d.ImportState.STORING, row.claimed_at < now - CLAIM_LASTS)
    claimed = session.execute(
        update(row)
        .where(row.import_id == import_id, or_(row.state == d.ImportState.READY, died))
        .values(state=d.ImportState.STORING, claims=row.claims + 1, claimed_at=now)
        .returning(row.claims, row.complete)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if claimed is None:
        raise Conflict("Cet import n'attend pas de décision, ou il est en cours d'enregistrement.")
    return Claim(import_id, *claimed)


def keep_claim(session: Session, claim: Claim, *, now: datetime) -> None:
    """Give a sign of life; raises `Conflict` where another has taken the import over."""
    _change_claimed(session, claim, claimed_at=now)


def has_died(claimed_at: datetime | None, now: datetime) -> bool:
    """Whether storing that was alive then is taken for dead, so that it may be resumed."""
    return claimed_at is not None and claimed_at < now - CLAIM_LASTS


def settle(
    session: Session, claim: Claim, listing: Listing, counts: Mapping[str, int], *, now: datetime
) -> None:
    """Say that an import is stored, and forget the file; raises `Conflict` where another took it over."""
    _change_claimed(
        session, claim, state=d.ImportState.STORED, stored_at=now, content=None, counts=dict(counts)
    )
    note_import(session, listing, session.get_one(d.DirectoryImport, claim.import_id).file_name, counts)


def abandon(session: Session, import_id: int) -> None:
    """Decide against an import; nothing of it is stored, and the file is forgotten."""
    row, _content = _waiting(session, import_id)
    row.state, row.content = d.ImportState.ABANDONED, None


def _keep_preview(session: Session, row: d.DirectoryImport, listing: Listing) -> None:
    difference = compare(session, listing)
    row.state, row.kind = d.ImportState.READY, listing.kind
    row.source, row.as_of = listing.source, listing.as_of
    row.counts = counts_of(listing, difference)
    row.shown = {
        fate: [asdict(line) for line in islice(lines, SHOWN)]
        for fate, lines in lines_of(listing, difference).items()
    }


def _change_claimed(session: Session, claim: Claim, **values: object) -> None:
    row = d.DirectoryImport
    still_ours = (
        row.import_id == claim.import_id,
        row.claims == claim.number,
        row.state == d.ImportState.STORING,
    )
    change = update(row).where(*still_ours).values(values).execution_options(synchronize_session=False)
    if rows_touched(session, change) != 1:
        raise Conflict("L'enregistrement de cet import a été repris par ailleurs.")


def _read_through(table: Table) -> None:
    """Raise `Invalid` for a row that cannot be read, before the file is kept."""
    for _row in table.rows:
        pass


def _waiting(
    session: Session, import_id: int, states: Sequence[d.ImportState] = WAITING
) -> tuple[d.DirectoryImport, bytes]:
    row = session.scalars(
        select(d.DirectoryImport).where(d.DirectoryImport.import_id == import_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound("Import introuvable.")
    if row.state not in states or row.content is None:
        raise Conflict("Cet import n'attend pas de décision.")
    return row, row.content


def _drop_old(session: Session, now: datetime) -> None:
    session.execute(
        update(d.DirectoryImport)
        .where(d.DirectoryImport.state.in_(WAITING), d.DirectoryImport.sent_at < now - KEPT)
        .values(state=d.ImportState.ABANDONED, content=None)
    )


def _not_to_come(listing: Listing, now: datetime) -> Listing:
    if listing.as_of > now.date():
        raise Invalid("as_of", "Ce fichier est daté du %(day)s, qui est à venir.", day=listing.as_of)
    return listing


def _clean(file_name: str) -> str:
    """The name without its folders and without what no screen shows."""
    bare = file_name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(letter for letter in bare if letter.isprintable())[-LONGEST_NAME:] or "?"


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
