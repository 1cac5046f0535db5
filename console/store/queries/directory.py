"""The national directory: its sites, what is in it, files on their way into it, one legal entity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from console.domain.adherents import Sector
from console.domain.directory import Kind, sector_of
from console.domain.errors import NotFound
from console.domain.folding import folded_words
from console.store.models import catalogue as c
from console.store.models import directory as d
from console.store.queries.paging import PageOf

PAGE = 25  # sites
LATEST = 10  # imports
State = d.ImportState


@dataclass(frozen=True, slots=True)
class ListedSite:
    """A site; `tenant_id` where its legal entity is an adherent in scope."""

    finess_et: str
    finess_ej: str
    name: str
    town: str
    department: str
    category: str | None
    closed: bool
    siren: str | None
    siret: str | None
    tenant_id: int | None


@dataclass(frozen=True, slots=True)
class Sites(PageOf[ListedSite]):
    """One page of what was found; `known` is how many sites the whole directory has."""

    known: int
    size: ClassVar[int] = PAGE


def search_sites(session: Session, words: str = "", department: str = "", page: int = 1) -> Sites:
    """Sites whose name or town holds every word, or whose FINESS is one of them; by name."""
    wanted = list(_conditions(words, department))
    site = d.DirectorySite
    total = session.scalar(select(func.count()).select_from(site).where(*wanted)) or 0
    rows = session.execute(
        select(site, c.Adherent.tenant_id)
        .outerjoin(c.Adherent, c.Adherent.finess_ej == site.finess_ej)
        .where(*wanted)
        .order_by(site.folded_name, site.finess_et)
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    )
    return Sites(
        rows=[
            ListedSite(
                finess_et=row.finess_et,
                finess_ej=row.finess_ej,
                name=row.name,
                town=row.town,
                department=row.department,
                category=row.category,
                closed=row.closed,
                siren=row.siren,
                siret=row.siret,
                tenant_id=tenant_id,
            )
            for row, tenant_id in rows
        ],
        total=total,
        known=session.scalar(select(func.count()).select_from(site)) or 0,
        page=page,
    )


def departments(session: Session) -> list[str]:
    """The departments that the directory has sites in."""
    return list(
        session.scalars(select(d.DirectorySite.department).distinct().order_by(d.DirectorySite.department))
    )


def _conditions(words: str, department: str) -> Iterator[ColumnElement[bool]]:
    site = d.DirectorySite
    if department:
        yield site.department == department.upper()
    for word in folded_words(words):
        yield or_(
            site.folded_name.contains(word, autoescape=True),
            site.folded_town.contains(word, autoescape=True),
            site.finess_et == word,
            site.finess_ej == word,
        )


@dataclass(frozen=True, slots=True)
class Holding:
    """How many records of a kind the directory has, and the latest day one of them was seen on."""

    kind: Kind
    count: int
    as_of: date | None


@dataclass(frozen=True, slots=True)
class ListedImport:
    """A file that was sent."""

    import_id: int
    file_name: str
    state: d.ImportState
    kind: Kind | None
    as_of: date | None
    sent_by: str
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class ImportPage:
    """A file with its preview: `shown` holds the first lines of each fate, `counts` how many there are."""

    import_id: int
    file_name: str
    state: d.ImportState
    kind: Kind | None
    source: str | None
    as_of: date | None
    complete: bool
    counts: Mapping[str, int]
    shown: Mapping[str, Sequence[Mapping[str, Any]]]
    sent_by: str
    sent_at: datetime
    claimed_at: datetime | None
    stored_at: datetime | None

    @property
    def to_store(self) -> int:
        """Records that storing would touch; the memberships it would end count where the file is complete."""
        count = self.counts.get
        ending = count("left", 0) if self.complete else 0
        return count("new", 0) + count("changed", 0) + count("confirmed", 0) + ending


@dataclass(frozen=True, slots=True)
class PlaceOfEntity:
    """A site of a legal entity."""

    finess_et: str
    name: str
    town: str
    category: str | None
    closed: bool
    closed_on: date | None


@dataclass(frozen=True, slots=True)
class EntityPage:
    """A legal entity; what no file told yet is None. `named` says whether the name is its own or a site's."""

    finess_ej: str
    name: str
    named: bool
    long_name: str | None
    siren: str | None
    legal_status: str | None
    sector: Sector | None
    town: str | None
    address: str | None
    closed: bool
    closed_on: date | None
    source: str | None
    as_of: date | None
    tenant_id: int | None
    sites: Sequence[PlaceOfEntity]


def holdings(session: Session) -> list[Holding]:
    """What the directory has of each kind."""
    days = {
        Kind.LEGAL_ENTITIES: d.LegalEntity.as_of,
        Kind.SITES: d.DirectorySite.as_of,
        Kind.GROUPS: d.Ght.as_of,
    }
    found = [
        Holding(kind, *session.execute(select(func.count(), func.max(day))).one())
        for kind, day in days.items()
    ]
    running = select(func.count()).select_from(d.GhtMembership).where(d.GhtMembership.valid_to.is_(None))
    return [*found, Holding(Kind.MEMBERSHIPS, session.scalar(running) or 0, None)]


def latest_imports(session: Session) -> list[ListedImport]:
    """The files that were sent, the last one first."""
    row = d.DirectoryImport
    columns = (row.import_id, row.file_name, row.state, row.kind, row.as_of, row.sent_by, row.sent_at)
    rows = session.execute(select(*columns).order_by(row.import_id.desc()).limit(LATEST))
    return [ListedImport(*found) for found in rows]


def import_page(session: Session, import_id: int) -> ImportPage:
    """A file with its preview; raises `NotFound`."""
    row = d.DirectoryImport
    columns = [getattr(row, name) for name in ImportPage.__slots__]
    found = session.execute(select(*columns).where(row.import_id == import_id)).one_or_none()
    if found is None:
        raise NotFound("Import introuvable.")
    return ImportPage(*found)


def entity_page(session: Session, finess_ej: str) -> EntityPage:
    """A legal entity and its sites; raises `NotFound` for one that the directory knows nothing of."""
    row = session.get(d.LegalEntity, finess_ej)
    sites = session.scalars(
        select(d.DirectorySite)
        .where(d.DirectorySite.finess_ej == finess_ej)
        .order_by(d.DirectorySite.closed, d.DirectorySite.folded_name)
    ).all()
    if row is None and not sites:
        raise NotFound("Entité juridique introuvable.")
    status = row.legal_status if row and row.legal_status else _first(sites, "legal_status")
    return EntityPage(
        finess_ej=finess_ej,
        name=row.name if row else sites[0].name,
        named=row is not None,
        long_name=row.long_name if row else None,
        siren=row.siren if row and row.siren else _first(sites, "siren"),
        legal_status=status,
        sector=sector_of(status),
        town=row.town if row else None,
        address=row.address if row else None,
        closed=row.closed if row else False,
        closed_on=row.closed_on if row else None,
        source=row.source if row else None,
        as_of=row.as_of if row else None,
        tenant_id=session.scalar(select(c.Adherent.tenant_id).where(c.Adherent.finess_ej == finess_ej)),
        sites=[
            PlaceOfEntity(one.finess_et, one.name, one.town, one.category, one.closed, one.closed_on)
            for one in sites
        ],
    )


def _first(sites: Sequence[d.DirectorySite], name: str) -> str | None:
    """What the first of the sites that knows it says."""
    return next((getattr(site, name) for site in sites if getattr(site, name)), None)
