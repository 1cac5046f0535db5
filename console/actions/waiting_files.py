"""A file on its way into the directory, in the browser: it waits until a person decides upon it.

file -> receive -> (columns chosen) -> preview kept -> claimed -> portions, each in its own transaction ->
settled
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Final

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from console.actions.directory import Difference
from console.actions.imports import (
    LONGEST_NAME,
    Columns,
    compare,
    counts_of,
    lines_of,
    note_import,
    open_table,
    read_by_columns,
    read_listing,
    remember_columns,
)
from console.domain.directory import Kind, Listing
from console.domain.errors import Conflict, NotFound
from console.domain.formats import day_of_name
from console.domain.tables import Table
from console.store.conditional import rows_touched
from console.store.models import directory as d

SHOWN: Final = 100  # lines of a kind that the page of an import holds
KEPT: Final = timedelta(days=7)  # how long a file waits for a decision
CLAIM_LASTS: Final = timedelta(minutes=10)  # without a sign of life; a portion takes seconds
EXAMPLES: Final = 3  # rows shown where columns are chosen
WAITING: Final = (d.ImportState.UNMAPPED, d.ImportState.READY)


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


def _clean(file_name: str) -> str:
    """The name without its folders and without what no screen shows."""
    bare = file_name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(letter for letter in bare if letter.isprintable())[-LONGEST_NAME:] or "?"
