"""Adherents: legal entities chosen from the directory by one of their sites."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.domain.directory import zone_of
from console.domain.errors import Conflict, NotFound
from console.store.models import catalogue as c
from console.store.models import people as p

# FINESS categories of the SAE survey: establishments under the hospital law, in the widest sense.
HOSPITALS = {101, 106, 109, 114, 122, 127, 128, 129, 131, 141, 146, 156, 161, 292, 355, 362, 365, 412, 425}
HOSPITALS |= {430, 433, 444, 695, 696, 697, 698, 699}
# Care homes, sheltered housing, homes and services for disabled people.
MEDICO_SOCIAL = {183, 186, 188, 192, 195, 202, 246, 255, 354, 437, 445, 446, 500, 501, 502}


def kind_of(category: str) -> c.AdherentKind:
    """What kind of body most likely runs a site of a FINESS category; a person may say otherwise."""
    if int(category) in HOSPITALS:
        return c.AdherentKind.HOSPITAL
    if int(category) in MEDICO_SOCIAL:
        return c.AdherentKind.MEDICO_SOCIAL
    return c.AdherentKind.OTHER


def add_adherent(
    session: Session,
    finess_et: str,
    *,
    now: datetime,
    kind: c.AdherentKind | None = None,
    entrust_to: int | None = None,
) -> int:
    """Make the legal entity of a site an adherent, under the name of that site; its number.

    `entrust_to` puts it in the portfolio of an account. Raises `NotFound` for a site that the directory does
    not hold, `Conflict` for an entity that is an adherent already.
    """
    site = session.get(c.DirectorySite, finess_et)
    if site is None:
        raise NotFound("Ce site n'est pas dans le répertoire.")
    known = session.scalar(select(c.Adherent.name).where(c.Adherent.finess_ej == site.finess_ej))
    if known is not None:
        raise Conflict(
            "L'entité juridique %(finess_ej)s est déjà un adhérent : %(name)s.",
            finess_ej=site.finess_ej,
            name=known,
        )
    zone = zone_of(site.department)
    adherent = c.Adherent(
        name=site.name,
        kind=kind or kind_of(site.category),
        finess_ej=site.finess_ej,
        siren=site.siren,
        zone=zone.key,
        since=now.astimezone(zone).date(),
    )
    session.add(adherent)
    session.flush()
    if entrust_to is not None:
        session.add(p.Portfolio(account_id=entrust_to, tenant_id=adherent.tenant_id))
    return adherent.tenant_id
