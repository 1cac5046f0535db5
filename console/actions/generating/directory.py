"""The directory that adherents are chosen from, and hospital groups made up of its public hospitals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from sqlalchemy.orm import Session

from console.actions.generating.rows import Deed, Row, continue_numbers
from console.actions.generating.scale import Scale
from console.actions.generating.sites import Site
from console.actions.generating.world import World
from console.domain.directory import PUBLIC_STATUSES, GroupRole
from console.domain.sae import SOURCE
from console.store.bulk import add_rows
from console.store.models import catalogue as c
from console.store.models import directory as d

AS_OF = date(2023, 12, 31)  # the survey that is shipped
MADE_UP = "généré"
FEWEST = 2  # hospitals of a group


def store_directory(world: World) -> Iterator[Deed]:
    """Entities and sites of the survey, then one made-up group for each department with hospitals enough."""

    def add(session: Session) -> int:
        add_rows(session, d.LegalEntity, list(_entities(world.sites)))
        add_rows(session, d.DirectorySite, [_site_row(site) for site in world.sites])
        return len(world.sites)

    yield add

    def group(session: Session) -> int:
        groups = _groups(world)
        add_rows(session, d.Ght, [_group_row(department) for department in groups])
        rows = [row for department in groups for row in _members(world.scale, department, groups[department])]
        add_rows(
            session, d.GhtMembership, [{"membership_id": number} | row for number, row in enumerate(rows, 1)]
        )
        continue_numbers(session, d.GhtMembership)
        return 0

    yield group


def _entities(sites: Sequence[Site]) -> Iterator[Row]:
    """Entities by the name of their first site, which is all that the survey tells of them."""
    known: set[str] = set()
    for site in sites:
        if site.finess_ej not in known:
            known.add(site.finess_ej)
            yield {
                "finess_ej": site.finess_ej,
                "name": site.name,
                "siren": site.siren,
                "legal_status": site.legal_status,
                "department": site.department,
                "town": site.town,
                "closed": False,
                "source": SOURCE,
                "as_of": AS_OF,
            }


def _site_row(site: Site) -> Row:
    return {
        "finess_et": site.finess_et,
        "finess_ej": site.finess_ej,
        "name": site.name,
        "siret": site.siret,
        "siren": site.siren,
        "category": site.category,
        "legal_status": site.legal_status,
        "department": site.department,
        "town": site.town,
        "closed": False,
        "source": SOURCE,
        "as_of": AS_OF,
    }


def _groups(world: World) -> dict[str, list[str]]:
    """Public adherents of a department, by department: the survey says who groups are, not who is in them."""
    found: dict[str, list[str]] = {}
    for adherent in world.adherents:
        site = adherent.site
        if site is not None and adherent.kind == c.AdherentKind.HOSPITAL and _is_public(site):
            found.setdefault(site.department, []).append(site.finess_ej)
    return {department: found[department] for department in sorted(found) if len(found[department]) >= FEWEST}


def _is_public(site: Site) -> bool:
    return int(site.legal_status) in PUBLIC_STATUSES


def _group_row(department: str) -> Row:
    name = f"GHT fictif {department}"
    return {"code": f"G{department}", "name": name, "short_name": name, "source": MADE_UP, "as_of": AS_OF}


def _members(scale: Scale, department: str, members: Sequence[str]) -> Iterator[Row]:
    for place, finess_ej in enumerate(members):
        yield {
            "ght_code": f"G{department}",
            "finess_ej": finess_ej,
            "role": GroupRole.MEMBER if place else GroupRole.SUPPORT,
            "valid_from": scale.since,
            "valid_to": None,
            "source": MADE_UP,
            "as_of": scale.since,
        }
