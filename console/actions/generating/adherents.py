"""Adherents: legal entities of the directory, and a few bodies that it does not hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from console.actions.adherents import kind_of
from console.actions.generating.chance import dice, weighted
from console.actions.generating.rows import Deed, continue_numbers
from console.actions.generating.scale import ZONE, Scale
from console.actions.generating.sites import Site
from console.actions.generating.world import Adherent, World
from console.domain.adherents import AGENCIES
from console.domain.claims import OPERATOR_TENANT
from console.domain.directory import sector_of, zone_of
from console.domain.errors import Invalid
from console.store.models import catalogue as c

ELSEWHERE = 30  # one adherent in so many is not in the directory
BATCH = 50  # adherents a transaction
OTHERS = {
    c.AdherentKind.LOCAL_AUTHORITY: ("Communauté de communes", "Centre communal d'action sociale"),
    c.AdherentKind.UNIVERSITY: ("Institut universitaire de santé", "Fondation de recherche clinique"),
    c.AdherentKind.PRIVATE_PRACTICE: ("Maison de santé pluriprofessionnelle", "Cabinet de radiologie"),
}


def choose_adherents(scale: Scale, sites: Sequence[Site]) -> list[Adherent]:
    """As many as asked for; raises `Invalid` where the directory holds fewer entities."""
    entities: dict[str, Site] = {}
    for site in sites:
        entities.setdefault(site.finess_ej, site)
    wanted = scale.adherents - scale.adherents // ELSEWHERE
    if wanted > len(entities):
        raise Invalid("adherents", "Le répertoire n'a que %(known)s entités juridiques.", known=len(entities))
    chosen = sorted(entities, key=lambda key: dice(scale.seed, "adherent", key).random())[:wanted]
    towns = sorted({site.town.title() for site in sites})
    found = [_of_site(scale, entities[key]) for key in sorted(chosen)]
    others = [_elsewhere(scale, number, towns) for number in range(scale.adherents - wanted)]
    return [
        Adherent(OPERATOR_TENANT + place, *facts) for place, facts in enumerate([*found, *others], start=1)
    ]


def store_adherents(world: World) -> Iterator[Deed]:
    """Add the adherents, some in each transaction."""
    for start in range(0, len(world.adherents), BATCH):
        batch = world.adherents[start : start + BATCH]

        def add(session: Session, batch: Sequence[Adherent] = batch) -> int:
            session.add_all(_row(adherent) for adherent in batch)
            session.flush()
            continue_numbers(session, c.Adherent)
            return len(batch)

        yield add


def _of_site(scale: Scale, site: Site) -> tuple[str, str, ZoneInfo, str, date, Site | None]:
    return (
        site.name,
        kind_of(site.category).value,
        zone_of(site.department),
        dice(scale.seed, "agency", site.department).choice(AGENCIES),
        _since(scale, site.finess_ej),
        site,
    )


def _elsewhere(
    scale: Scale, number: int, towns: Sequence[str]
) -> tuple[str, str, ZoneInfo, str, date, Site | None]:
    rng = dice(scale.seed, "body", number)
    kind = rng.choice(list(OTHERS))
    name = f"{rng.choice(OTHERS[kind])}, {rng.choice(towns)} ({number + 1})"
    return name, kind.value, ZONE, rng.choice(AGENCIES), _since(scale, number), None


def _since(scale: Scale, key: object) -> date:
    """Two in three were there before the past that is told, the others came during the first half of it."""
    rng = dice(scale.seed, "since", key)
    before = weighted(rng, {True: 2, False: 1})
    days = 365 * (rng.randrange(1, 9) if before else scale.years) // (1 if before else 2)
    first = scale.since - timedelta(days=days) if before else scale.since + timedelta(rng.randrange(days))
    return first.replace(day=1)


def _row(adherent: Adherent) -> c.Adherent:
    site = adherent.site
    return c.Adherent(
        tenant_id=adherent.tenant_id,
        name=adherent.name,
        kind=c.AdherentKind(adherent.kind),
        sector=sector_of(site.legal_status) if site else None,
        finess_ej=site.finess_ej if site else None,
        siren=site.siren if site else None,
        zone=adherent.zone.key,
        agency=adherent.agency,
        convention=f"CV-{adherent.since:%Y}-{adherent.tenant_id:04}",
        since=adherent.since,
    )
