"""Who is in which hospital group: taken in from a file, or told by hand, each with its date."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import date, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from console.actions.directory import Changed, Difference, FieldChange
from console.domain.directory import GroupRole, Listing, Membership, Record, Refusal, key_of
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.groups import Held, Relation
from console.domain.identifiers import finess
from console.store.models import directory as d

DAY = timedelta(days=1)
Rows = dict[tuple[str, str, date], d.GhtMembership]
Change = tuple[Held | None, Held]


def compare_memberships(session: Session, listing: Listing) -> Difference:
    """The memberships of a listing against those that are known, and those it does not hold."""
    relation = Relation(_held(row) for row in session.scalars(select(d.GhtMembership)))
    codes = set(session.scalars(select(d.Ght.code)))
    new, changed, confirmed, refused, unchanged = [], [], [], [], 0
    for record in _in_order(listing.records.values()):
        try:
            changes = _joined(relation, codes, record, listing.as_of)
        except Conflict as error:
            told = Invalid("finess_ej", error.message, **error.values)
            refused.append(Refusal(listing.lines[key_of(record)], told))
            continue
        if not changes:
            unchanged += 1
        elif len(changes) == 1 and changes[0][0] is None:
            new.append(record)
        elif differing := [field for change in changes for field in _fields(*change)]:
            changed.append(Changed(record, differing))
        else:
            confirmed.append(record)
    # A row that is refused may have told of any of those that seem to be left out.
    left = [] if refused or listing.refusals else _left(relation, listing)
    return Difference(new, changed, confirmed, unchanged, left, refused)


def store_memberships(session: Session, listing: Listing, records: Iterable[Record]) -> None:
    """Take in these memberships of a listing; raises `Conflict` for one that contradicts what is known."""
    wanted = _in_order(records)
    rows = _rows(session, {one.ght_code for one in wanted}, {one.finess_ej for one in wanted})
    relation = Relation(_held(row) for row in rows.values())
    codes = set(session.scalars(select(d.Ght.code).with_for_update()))
    for record in wanted:
        for change in _joined(relation, codes, record, listing.as_of):
            _write(session, rows, change, listing.source)


def end_those_left(session: Session, listing: Listing) -> int:
    """End on the file's day what runs then and a complete file does not hold; how many these are.

    It ends nothing while a row of the file is refused.
    """
    rows = {_key(row): row for row in session.scalars(select(d.GhtMembership).with_for_update())}
    relation = Relation(_held(row) for row in rows.values())
    left = compare_memberships(session, listing).left
    for held in left:
        _write(session, rows, relation.end(held, listing.as_of), listing.source)
    return len(left)


def add_membership(
    session: Session, ght_code: str, finess_ej: str, role: GroupRole, *, first_day: date, today: date, by: str
) -> None:
    """Put a legal entity of the directory into a group from a day on; it leaves the one it was in."""
    if session.get(d.Ght, ght_code, with_for_update=True) is None:
        raise NotFound("GHT introuvable.")
    finess_ej = finess(finess_ej, "finess_ej")
    if not _in_directory(session, finess_ej):
        raise Invalid("finess_ej", "Cette entité juridique n'est pas dans le répertoire.")
    rows = _rows(session, {ght_code}, {finess_ej})
    relation = Relation(_held(row) for row in rows.values())
    changes = relation.join(Membership(ght_code, finess_ej, role, first_day), first_day, today)
    if not changes:
        raise Conflict("Cette entité est déjà dans ce GHT, dans ce rôle.")
    for change in changes:
        _write(session, rows, change, by)


def end_membership(
    session: Session, ght_code: str, membership_id: int, *, last_day: date, today: date
) -> None:
    """Make a day the last of a membership; the day before its first one withdraws it, without erasing it."""
    row = session.scalars(
        select(d.GhtMembership)
        .where(d.GhtMembership.membership_id == membership_id, d.GhtMembership.ght_code == ght_code)
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound("Appartenance introuvable.")
    held = _held(row)
    if row.valid_to is not None and row.valid_to <= last_day + DAY:
        raise Conflict("Cette appartenance finit déjà avant ce jour.")
    ended = Relation([held]).end(held, last_day + DAY, today)[1]
    row.valid_to, row.as_of = ended.valid_to, ended.as_of
    session.flush()


def _joined(relation: Relation, codes: set[str], wanted: Membership, day: date) -> list[Change]:
    if wanted.ght_code not in codes:
        raise Conflict("Le GHT %(ght)s n'est pas connu : importez d'abord les GHT.", ght=wanted.ght_code)
    return relation.join(wanted, day)


def _left(relation: Relation, listing: Listing) -> list[Held]:
    return [
        held
        for held in relation.all()
        if held.holds_on(listing.as_of)
        and held.as_of <= listing.as_of
        and f"{held.ght_code} {held.finess_ej}" not in listing.records
    ]


def _in_order(records: Iterable[Record]) -> list[Membership]:
    """Members first: one that was the support establishment makes room for the next."""
    memberships = [record for record in records if isinstance(record, Membership)]
    return sorted(memberships, key=lambda one: one.role is GroupRole.SUPPORT)


def _rows(session: Session, ghts: set[str], entities: set[str]) -> Rows:
    membership = d.GhtMembership
    found = session.scalars(
        select(membership)
        .where(or_(membership.ght_code.in_(ghts), membership.finess_ej.in_(entities)))
        .with_for_update()
    )
    return {_key(row): row for row in found}


def _write(session: Session, rows: Rows, change: Change, source: str) -> None:
    before, after = change
    if before is None:
        row = d.GhtMembership(ght_code=after.ght_code, finess_ej=after.finess_ej, source=source)
        session.add(row)
    else:
        row = rows.pop((before.ght_code, before.finess_ej, before.valid_from))
    row.role, row.valid_from, row.valid_to = after.role, after.valid_from, after.valid_to
    row.as_of = after.as_of
    rows[_key(row)] = row


def _held(row: d.GhtMembership) -> Held:
    return Held(row.ght_code, row.finess_ej, row.role, row.valid_from, row.valid_to, row.as_of)


def _key(row: d.GhtMembership) -> tuple[str, str, date]:
    return row.ght_code, row.finess_ej, row.valid_from


def _fields(before: Held | None, after: Held) -> Sequence[FieldChange]:
    """What differs, in the words of the columns, but for the day; the group where it is another one."""
    if before is None:
        return [FieldChange("ght_code", None, after.ght_code), FieldChange("role", None, after.role)]
    names = [place.name for place in fields(Held) if place.name != "as_of"]
    differing = [name for name in names if getattr(before, name) != getattr(after, name)]
    return [FieldChange(name, getattr(before, name), getattr(after, name)) for name in differing]


def _in_directory(session: Session, finess_ej: str) -> bool:
    if session.get(d.LegalEntity, finess_ej) is not None:
        return True
    sites = select(d.DirectorySite.finess_et).where(d.DirectorySite.finess_ej == finess_ej)
    return session.scalar(sites.limit(1)) is not None
